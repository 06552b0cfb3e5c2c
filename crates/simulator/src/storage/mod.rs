//! Buckets with objects, by Google's JSON API and by the S3 protocol: both reach the same objects, so either adapter can be pointed here.
//!
//! Conditional writes hold as on the real stores; signatures and tokens are not looked at.

mod google;
mod s3;
mod seed;

use crate::call::{self, Call};
use crate::world::World;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
struct Bucket {
    objects: BTreeMap<String, Object>,
    website: Option<Value>,
}

#[derive(Debug, Clone)]
struct Object {
    bytes: Bytes,
    generation: u64,
    content_type: String,
    cache: String,
}

impl Object {
    /// Of the content, as on S3.
    fn etag(&self) -> String {
        format!("\"{}\"", &crate::dice::digest_of(&self.bytes)[..32])
    }
}

#[derive(Debug)]
pub(crate) struct Storage {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    buckets: BTreeMap<String, Bucket>,
    /// Of the newest write.
    generation: u64,
}

impl State {
    /// Answers whether what visitors get is another page now.
    fn put(&mut self, bucket: &str, name: &str, bytes: Bytes, content_type: &str, cache: &str) -> bool {
        self.generation += 1;
        let before = self.buckets.get(bucket).and_then(|bucket| bucket.objects.get(name));
        let same = before.is_some_and(|before| visible(&before.bytes) == visible(&bytes));
        let object = Object {
            bytes,
            generation: self.generation,
            content_type: content_type.to_owned(),
            cache: cache.to_owned(),
        };
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            bucket.objects.insert(name.to_owned(), object);
        }
        is_effect(name) && !same
    }
}

/// A page without the comment at its end, which browsers do not show and whose writer may change it alone.
fn visible(page: &[u8]) -> &[u8] {
    let comment = page.trim_ascii_end().ends_with(b"-->").then(|| page.windows(4).rposition(|at| at == b"<!--"));
    comment.flatten().map_or(page, |at| &page[..at])
}

impl Storage {
    pub(crate) fn new(world: &World) -> Self {
        // Generations of the real store are microseconds; any start above zero does.
        let mut state = State { generation: 1_000, ..State::default() };
        seed::fill(&mut state, &world.buckets);
        Self { state: Mutex::new(state) }
    }

    pub(crate) fn has(&self, bucket: &str) -> bool {
        self.state.lock().buckets.contains_key(bucket)
    }

    /// Google's API: `/storage/v1/b/...` and `/upload/storage/v1/b/...`.
    pub(crate) fn google(&self, call: &Call) -> Response {
        google::answer(&mut self.state.lock(), call)
    }

    /// The S3 protocol: `/<bucket>/<name>`.
    pub(crate) fn s3(&self, call: &Call) -> Response {
        s3::answer(&mut self.state.lock(), call)
    }
}

pub(crate) fn injected(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    call::json(status, &json!({"error": {"code": status.as_u16(), "message": "simulated fault"}}))
}

/// The page that visitors get decides what runs.
fn is_effect(name: &str) -> bool {
    name.rsplit('/').next() == Some("index.html") && !name.contains("releases/")
}

fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

fn content(object: &Object) -> Response {
    let mut response = call::with_type(StatusCode::OK, "application/octet-stream", object.bytes.clone().into());
    for (name, value) in [
        ("content-type", object.content_type.as_str()),
        ("cache-control", &object.cache),
        ("etag", &object.etag()),
        ("x-goog-generation", &object.generation.to_string()),
    ] {
        response = with_header(response, name, value);
    }
    response
}

pub(crate) fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
