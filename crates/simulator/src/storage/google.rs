//! The subset of Cloud Storage's JSON API: buckets get and patch; objects get, list, insert, delete.

use super::{Object, State, content, decoded, is_effect};
use crate::call::{self, Call};
use crate::object::text;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};

fn refuse(status: StatusCode, message: &str) -> Response {
    call::json(status, &json!({"error": {"code": status.as_u16(), "message": message}}))
}

fn not_found(what: &str) -> Response {
    refuse(StatusCode::NOT_FOUND, &format!("{what} does not exist."))
}

fn about(bucket: &str, name: &str, object: &Object) -> Value {
    json!({"kind": "storage#object", "bucket": bucket, "name": name, "generation": object.generation.to_string(),
        "size": object.bytes.len().to_string(), "contentType": object.content_type, "cacheControl": object.cache})
}

pub(super) fn answer(state: &mut State, call: &Call) -> Response {
    let (upload, path) = match call.path.strip_prefix("/upload") {
        Some(path) => (true, path),
        None => (false, call.path.as_str()),
    };
    let Some(path) = path.strip_prefix("/storage/v1/b/") else { return not_found("The path") };
    let (bucket, rest) = path.split_once('/').unwrap_or((path, ""));
    if !state.buckets.contains_key(bucket) {
        return not_found("The specified bucket");
    }
    match (&call.method, rest) {
        (&Method::POST, "o") if upload => insert(state, bucket, call),
        (&Method::GET, "o") => list(state, bucket, call),
        (&Method::GET, "") => {
            let website = state.buckets[bucket].website.clone();
            call::json(StatusCode::OK, &json!({"kind": "storage#bucket", "name": bucket, "website": website}))
        }
        (&Method::PATCH, "") => patch(state, bucket, call),
        (method, rest) => {
            let Some(name) = rest.strip_prefix("o/").map(decoded) else { return not_found("The path") };
            match *method {
                Method::GET => get(state, bucket, &name, call),
                Method::DELETE => {
                    let gone = state.buckets.get_mut(bucket).and_then(|bucket| bucket.objects.remove(&name));
                    let found = if gone.is_some() { call::json(StatusCode::OK, &json!({})) } else { not_found(&name) };
                    call::wrote(found, format!("{bucket}/{name}"), is_effect(&name))
                }
                _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed."),
            }
        }
    }
}

fn patch(state: &mut State, bucket: &str, call: &Call) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
        return refuse(StatusCode::BAD_REQUEST, "Parse Error");
    };
    let website = Some(body["website"].clone()).filter(|website| !website.is_null());
    if let Some(found) = state.buckets.get_mut(bucket) {
        found.website.clone_from(&website);
    }
    let shown = json!({"kind": "storage#bucket", "name": bucket, "website": website});
    call::wrote(call::json(StatusCode::OK, &shown), bucket.to_owned(), false)
}

fn get(state: &State, bucket: &str, name: &str, call: &Call) -> Response {
    let Some(object) = state.buckets[bucket].objects.get(name) else {
        return not_found(&format!("No such object: {bucket}/{name}"));
    };
    if call.parameter("alt") == Some("media") {
        return content(object);
    }
    call::json(StatusCode::OK, &about(bucket, name, object))
}

fn list(state: &State, bucket: &str, call: &Call) -> Response {
    let prefix = call.parameter("prefix").unwrap_or_default();
    let after = call.parameter("pageToken").unwrap_or_default();
    let most = call.parameter("maxResults").and_then(|most| most.parse().ok()).unwrap_or(1000_usize).clamp(1, 1000);
    let objects = state.buckets[bucket].objects.iter();
    let mut found: Vec<_> =
        objects.filter(|(name, _)| name.starts_with(prefix) && name.as_str() > after).take(most + 1).collect();
    let more = found.len() > most;
    found.truncate(most);
    let mut answer = json!({"kind": "storage#objects"});
    if let Some((last, _)) = found.last().filter(|_| more) {
        answer["nextPageToken"] = json!(last);
    }
    answer["items"] = found.iter().map(|(name, object)| about(bucket, name, object)).collect();
    call::json(StatusCode::OK, &answer)
}

fn insert(state: &mut State, bucket: &str, call: &Call) -> Response {
    let Some((metadata, bytes)) = parts(call) else {
        return refuse(StatusCode::BAD_REQUEST, "Expected a multipart/related body of two parts.");
    };
    let name = text(&metadata, "/name").to_owned();
    if name.is_empty() {
        return refuse(StatusCode::BAD_REQUEST, "Required: name");
    }
    let there = state.buckets[bucket].objects.get(&name).map_or(0, |object| object.generation);
    let expected = call.parameter("ifGenerationMatch").map(str::parse::<u64>);
    match expected {
        Some(Err(_)) => return refuse(StatusCode::BAD_REQUEST, "Invalid value for ifGenerationMatch"),
        Some(Ok(expected)) if expected != there => {
            let refused = refuse(
                StatusCode::PRECONDITION_FAILED,
                "At least one of the pre-conditions you specified did not hold.",
            );
            return call::wrote(refused, format!("{bucket}/{name}"), false);
        }
        _ => {}
    }
    let effect = state.put(bucket, &name, bytes, text(&metadata, "/contentType"), text(&metadata, "/cacheControl"));
    let shown = state.buckets[bucket].objects.get(&name).map(|object| about(bucket, &name, object));
    call::wrote(call::json(StatusCode::OK, &json!(shown)), format!("{bucket}/{name}"), effect)
}

/// The metadata and the content of `multipart/related`.
fn parts(call: &Call) -> Option<(Value, Bytes)> {
    let content_type = call.header(axum::http::header::CONTENT_TYPE);
    let boundary = content_type.strip_prefix("multipart/related;")?.trim().strip_prefix("boundary=")?.trim_matches('"');
    let line = format!("--{boundary}");
    let at = |from: usize, what: &[u8]| {
        call.body.get(from..)?.windows(what.len()).position(|window| window == what).map(|found| from + found)
    };
    let first = at(0, line.as_bytes())?;
    let json_from = at(first, b"\r\n\r\n")? + 4;
    let json_to = at(json_from, format!("\r\n{line}").as_bytes())?;
    let bytes_from = at(json_to + 2, b"\r\n\r\n")? + 4;
    let bytes_to = at(bytes_from, format!("\r\n{line}--").as_bytes())?;
    let metadata = serde_json::from_slice(&call.body[json_from..json_to]).ok()?;
    Some((metadata, call.body.slice(bytes_from..bytes_to)))
}
