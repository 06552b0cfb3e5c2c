//! Pipelines: what the portal uses of GitHub's REST API and of GitLab's, over the same kind of runs.

mod content;
mod github;
mod github_git;
mod github_show;
mod gitlab;
mod gitlab_git;
mod run;

use crate::call::{self, Call};
use crate::dice::{Dice, digest_of};
use crate::pace::Pace;
use crate::world::World;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use parking_lot::Mutex;
use serde_json::{Value, json};
use time::OffsetDateTime;

#[derive(Debug)]
pub(crate) struct Pipelines {
    github: Mutex<github::Github>,
    gitlab: Mutex<gitlab::Gitlab>,
}

/// What both providers make runs with.
#[derive(Debug)]
struct Works {
    dice: Dice,
    pace: Pace,
    last: u64,
}

impl Works {
    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

impl Pipelines {
    pub(crate) fn new(world: &World, pace: Pace) -> Self {
        let works = |part: &str| Works { dice: Dice::new(world.seed, part), pace, last: 1_000 };
        let start = OffsetDateTime::now_utc() - time::Duration::hours(6);
        Self {
            github: Mutex::new(github::Github::new(&world.github, works("/github"), start)),
            gitlab: Mutex::new(gitlab::Gitlab::new(&world.gitlab, works("/gitlab"), start)),
        }
    }

    pub(crate) fn github(&self, call: &Call) -> Response {
        // Logs lie at a signed address of another service, which takes no credentials of this one.
        let elsewhere = call.path.contains("/_logs/");
        if call.header(header::AUTHORIZATION).is_empty() != elsewhere {
            return refused(StatusCode::UNAUTHORIZED, "Requires authentication");
        }
        unless_known(call, self.github.lock().answer(call, OffsetDateTime::now_utc()))
    }

    pub(crate) fn gitlab(&self, call: &Call) -> Response {
        if !call.headers.contains_key("private-token") && !call.path.ends_with("/trigger/pipeline") {
            return refused(StatusCode::UNAUTHORIZED, "401 Unauthorized");
        }
        unless_known(call, self.gitlab.lock().answer(call, OffsetDateTime::now_utc()))
    }
}

pub(crate) fn injected(status: u16) -> Response {
    refused(StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE), "simulated fault")
}

/// An answer, and the object that it wrote with whether something runs by it.
type Said = Result<(StatusCode, Value, Option<(String, bool)>), (StatusCode, String)>;

fn ok(value: Value) -> Said {
    Ok((StatusCode::OK, value, None))
}

fn no(status: StatusCode, message: impl Into<String>) -> Said {
    Err((status, message.into()))
}

fn refused(status: StatusCode, message: &str) -> Response {
    call::json(status, &json!({ "message": message }))
}

/// With an ETag; what the client has already is not sent again.
fn unless_known(call: &Call, said: Said) -> Response {
    let (status, value, wrote) = match said {
        Ok(said) => said,
        Err((status, message)) => return refused(status, &message),
    };
    if let Some(text) = value.get("plain").and_then(Value::as_str) {
        return call::plain(status, text);
    }
    if let Some(url) = value.get("elsewhere").and_then(Value::as_str) {
        let mut response = call::plain(StatusCode::FOUND, "");
        response.headers_mut().extend(HeaderValue::from_str(url).ok().map(|url| (header::LOCATION, url)));
        return response;
    }
    if let Some((object, effect)) = wrote {
        return call::wrote(call::json(status, &value), object, effect);
    }
    let etag = format!("W/\"{}\"", &digest_of(value.to_string().as_bytes())[..32]);
    let known = call.method == Method::GET && call.header(header::IF_NONE_MATCH) == etag;
    let mut response = if known { call::plain(StatusCode::NOT_MODIFIED, "") } else { call::json(status, &value) };
    response.headers_mut().extend(HeaderValue::from_str(&etag).ok().map(|etag| (header::ETAG, etag)));
    response
}

/// `application/json` bodies; anything else is empty.
fn body(call: &Call) -> Value {
    serde_json::from_slice(&call.body).unwrap_or_default()
}

/// An image that a repository's pipeline had deployed before the simulator was started.
fn given(name: &str, image: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), image.to_owned())]
}
