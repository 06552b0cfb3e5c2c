//! Calls to the REST API of the demo's portal, as pipelines, scanners and an Alertmanager make them.

use std::fmt;
use std::net::ToSocketAddrs as _;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::bench::http::{Answer, Connection};

/// Made already: what is to be made exists.
const CONFLICT: u16 = 409;

/// The portal, and a token for it.
#[derive(Clone)]
pub struct Api {
    listen: String,
    token: String,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("listen", &self.listen).finish_non_exhaustive()
    }
}

impl Api {
    pub fn new(listen: &str, token: &str) -> Self {
        Self { listen: listen.to_owned(), token: token.to_owned() }
    }

    pub fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, None)?.json().with_context(|| path.to_owned())
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call("POST", path, Some(body))?.json().with_context(|| path.to_owned())
    }

    pub fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.call("PUT", path, Some(body))?.json().with_context(|| path.to_owned())
    }

    /// False when it exists already.
    pub fn make(&self, path: &str, body: &Value) -> Result<bool> {
        let answer = self.call("POST", path, Some(body))?;
        if answer.status != CONFLICT {
            answer.good().with_context(|| path.to_owned())?;
        }
        Ok(answer.status != CONFLICT)
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let Some(address) = self.listen.to_socket_addrs()?.next() else { bail!("{} is no address", self.listen) };
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.listen,
            self.token,
            body.len()
        );
        Connection::open(address)?.call(request.as_bytes()).with_context(|| path.to_owned())
    }
}
