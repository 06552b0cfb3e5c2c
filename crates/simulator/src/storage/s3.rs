//! The subset of the S3 protocol: objects get, head, put, delete; listing (version 2); the website of a bucket.

use super::{State, content, decoded, is_effect, with_header};
use crate::call::{self, Call};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use std::fmt::Write as _;

fn xml(status: StatusCode, body: String) -> Response {
    call::with_type(status, "application/xml", Body::from(body))
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    xml(status, format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}

pub(super) fn answer(state: &mut State, call: &Call) -> Response {
    let path = decoded(call.path.trim_start_matches('/'));
    let (bucket, name) = path.split_once('/').unwrap_or((&path, ""));
    if !state.buckets.contains_key(bucket) {
        return refuse(StatusCode::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist");
    }
    match (&call.method, name) {
        (&Method::GET, "") if call.parameter("website").is_some() => match state.buckets[bucket].website.as_ref() {
            Some(website) => xml(StatusCode::OK, website["xml"].as_str().unwrap_or_default().to_owned()),
            None => refuse(StatusCode::NOT_FOUND, "NoSuchWebsiteConfiguration", "There is none"),
        },
        (&Method::PUT, "") if call.parameter("website").is_some() => {
            let given = String::from_utf8_lossy(&call.body).into_owned();
            if let Some(found) = state.buckets.get_mut(bucket) {
                found.website = Some(json!({"xml": given}));
            }
            call::wrote(xml(StatusCode::OK, String::new()), bucket.to_owned(), false)
        }
        (&Method::GET, "") => list(state, bucket, call),
        (&Method::GET | &Method::HEAD, name) => match state.buckets[bucket].objects.get(name) {
            Some(object) => content(object),
            None => refuse(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist."),
        },
        (&Method::PUT, name) => put(state, bucket, name, call),
        (&Method::DELETE, name) => {
            if let Some(found) = state.buckets.get_mut(bucket) {
                found.objects.remove(name);
            }
            call::wrote(xml(StatusCode::NO_CONTENT, String::new()), format!("{bucket}/{name}"), is_effect(name))
        }
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "not simulated"),
    }
}

fn put(state: &mut State, bucket: &str, name: &str, call: &Call) -> Response {
    let there = state.buckets[bucket].objects.get(name).map(super::Object::etag);
    let (wanted, absent) = (call.header(header::IF_MATCH), call.header(header::IF_NONE_MATCH));
    let object = format!("{bucket}/{name}");
    if (absent == "*" && there.is_some()) || (!wanted.is_empty() && there.as_deref() != Some(wanted)) {
        let message = "At least one of the pre-conditions you specified did not hold";
        return call::wrote(refuse(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", message), object, false);
    }
    let (kind, cache) = (call.header(header::CONTENT_TYPE), call.header(header::CACHE_CONTROL));
    let effect = state.put(bucket, name, call.body.clone(), kind, cache);
    let etag = state.buckets[bucket].objects.get(name).map(super::Object::etag).unwrap_or_default();
    call::wrote(with_header(xml(StatusCode::OK, String::new()), "etag", &etag), object, effect)
}

fn list(state: &State, bucket: &str, call: &Call) -> Response {
    let prefix = call.parameter("prefix").unwrap_or_default();
    let after = call.parameter("continuation-token").unwrap_or_default();
    let most = call.parameter("max-keys").and_then(|most| most.parse().ok()).unwrap_or(1000_usize).clamp(1, 1000);
    let objects = state.buckets[bucket].objects.iter();
    let found: Vec<_> =
        objects.filter(|(name, _)| name.starts_with(prefix) && name.as_str() > after).take(most + 1).collect();
    let mut body = "<ListBucketResult>".to_owned();
    for (name, object) in found.iter().take(most) {
        let key: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        // Writing to a String cannot fail.
        let _ = write!(body, "<Contents><Key>{key}</Key><Size>{}</Size></Contents>", object.bytes.len());
    }
    if found.len() > most {
        let _ = write!(body, "<NextContinuationToken>{}</NextContinuationToken>", found[most - 1].0);
    }
    body.push_str("</ListBucketResult>");
    xml(StatusCode::OK, body)
}
