//! One call to a provider's API. What has not changed since it was read last is not sent again: neither counts it against the
//! provider's limit of calls.

use super::config::wrong;
use crate::outbound::{self, ANSWER_LIMIT, read_body, unreachable};
use crate::{Secret, TargetError, masking};
use parking::Kept;
use passerelle_contract::{Text, text};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

/// A provider's API, asked with one token.
pub struct Http {
    client: reqwest::Client,
    /// Base URL of the API.
    base: String,
    /// The provider's name for people.
    who: &'static str,
    token: Secret,
    kept: Kept,
}

/// What an answer held.
#[derive(Debug)]
pub struct Answer {
    pub body: Value,
    /// Address of a redirect.
    pub location: Option<String>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Http({})", self.who)
    }
}

impl Http {
    /// `who` is [`GITHUB`] or [`GITLAB`]; the base URL is that of the API.
    ///
    /// # Errors
    /// Only when the machine can open no TLS connection at all.
    pub fn new(base: String, who: &'static str, token: Secret) -> Result<Self, TargetError> {
        let client = outbound::client().build().map_err(|_| wrong("/config", text!("no HTTP client can be built")))?;
        Ok(Self { client, base, who, token, kept: Kept::default() })
    }

    /// An authorised request, which the provider's headers are put on.
    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, TargetError> {
        let token = self.token.reveal().map_err(|error| wrong("/config/token", error.text()))?;
        let request = self.client.request(method, format!("{}{path}", self.base)).timeout(ANSWER_LIMIT);
        Ok(match self.who {
            GITHUB => request
                .bearer_auth(token.trim())
                .header("accept", "application/vnd.github+json")
                .header("x-github-api-version", "2022-11-28"),
            _ => request.header("private-token", token.trim()),
        })
    }

    /// Reads; `what` names it where it is missing.
    ///
    /// # Errors
    /// [`TargetError::Missing`], and as the provider says.
    pub async fn get(&self, path: &str, query: &[(&str, &str)], what: Text) -> Result<Value, TargetError> {
        let mut request = self.request(Method::GET, path)?.query(query);
        let key = format!("{path}?{query:?}");
        let held = self.kept.get(&key);
        if let Some((etag, _)) = &held {
            request = request.header("if-none-match", etag);
        }
        let response = request.send().await.map_err(|error| unreachable(self.who, &error))?;
        if let Some((_, body)) = held.filter(|_| response.status().as_u16() == 304) {
            return Ok(body);
        }
        let etag = response.headers().get("etag").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let answer = self.read(response, what).await?;
        if let Some(etag) = etag {
            self.kept.put(key, etag, &answer.body);
        }
        Ok(answer.body)
    }

    /// Changes; with a body or without.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        what: Text,
    ) -> Result<Answer, TargetError> {
        let mut request = self.request(method, path)?;
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| unreachable(self.who, &error))?;
        self.read(response, what).await
    }

    /// A call that carries its own token as a field of the form and no other.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn send_form(&self, path: &str, form: &[(String, String)], what: Text) -> Result<Answer, TargetError> {
        let request = self.client.post(format!("{}{path}", self.base)).timeout(ANSWER_LIMIT).form(form);
        let response = request.send().await.map_err(|error| unreachable(self.who, &error))?;
        self.read(response, what).await
    }

    /// Plain text; a redirect is answered as such, for who knows where it may lead.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn text(&self, path: &str, what: Text) -> Result<Result<String, String>, TargetError> {
        let response = self.request(Method::GET, path)?.send().await.map_err(|error| unreachable(self.who, &error))?;
        let status = response.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(Ok(String::from_utf8_lossy(&read_body(response, self.who).await?).into_owned()));
        }
        let answer = self.read(response, what).await?;
        answer
            .location
            .map(Err)
            .ok_or_else(|| TargetError::Unreachable(text!("{name} answered {status}", name = self.who, status)))
    }

    /// Follows a redirect without our credentials.
    ///
    /// # Errors
    /// When it leads to no text.
    pub async fn elsewhere(&self, client: &reqwest::Client, url: &str) -> Result<String, TargetError> {
        let response = client.get(url).send().await.map_err(|error| unreachable(self.who, &error))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(TargetError::Unreachable(text!("{name} answered {status}", name = self.who, status)));
        }
        Ok(String::from_utf8_lossy(&read_body(response, self.who).await?).into_owned())
    }

    /// Whether an address is at the API's own server, and a client for it.
    pub fn own(&self, url: &str) -> Option<&reqwest::Client> {
        let origin = |text: &str| url::Url::parse(text).ok().map(|url| url.origin());
        (origin(url)? == origin(&self.base)?).then_some(&self.client)
    }

    async fn read(&self, response: Response, what: Text) -> Result<Answer, TargetError> {
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let slow_down = header("retry-after").is_some() || header("x-ratelimit-remaining").as_deref() == Some("0");
        let location = header("location").filter(|_| (300..400).contains(&status));
        let body = read_body(response, self.who).await?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if (200..300).contains(&status) || location.is_some() {
            return Ok(Answer { body, location });
        }
        Err(self.refusal(status, &body, slow_down, what))
    }

    fn refusal(&self, status: u16, body: &Value, slow_down: bool, what: Text) -> TargetError {
        let who = self.who;
        match status {
            429 => TargetError::Unreachable(text!("{who} asks to slow down", who)),
            403 if slow_down => TargetError::Unreachable(text!("{who} asks to slow down", who)),
            401 | 403 => TargetError::Forbidden(Text::verbatim(said(body))),
            404 => TargetError::Missing(what),
            300..=499 => TargetError::Refused(Text::verbatim(said(body))),
            _ => TargetError::Unreachable(text!("{name} answered {status}", name = who, status)),
        }
    }
}

/// The provider, for people.
pub const GITHUB: &str = "GitHub";
/// The provider, for people.
pub const GITLAB: &str = "GitLab";

/// The provider's own words: `message` is a text, a list, or an object of lists on GitLab, which also says `error`.
fn said(body: &Value) -> String {
    let words = match (&body["message"], &body["error"]) {
        (Value::String(words), _) | (_, Value::String(words)) => words.clone(),
        (Value::Null, _) => "no reason given".to_owned(),
        (other, _) => other.to_string(),
    };
    // What GitHub found wrong stands beside "Validation Failed".
    let listed = body["errors"].as_array().into_iter().flatten();
    let details = listed.filter_map(|one| one["message"].as_str().or_else(|| one.as_str()));
    let words = std::iter::once(words.as_str()).chain(details).collect::<Vec<_>>().join(": ");
    masking::shown(&words).chars().take(300).collect()
}

mod parking {
    //! Bodies with their ETags, a few of them.

    use serde_json::Value;
    use std::collections::HashMap;
    use std::sync::{Mutex, PoisonError};

    /// More than the bindings of one connection ask for between two changes.
    const MOST: usize = 128;
    /// A larger one is asked for again.
    const LARGEST: usize = 128 * 1024;

    #[derive(Default)]
    pub struct Kept(Mutex<HashMap<String, (String, Value)>>);

    impl Kept {
        pub fn get(&self, key: &str) -> Option<(String, Value)> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
        }

        pub fn put(&self, key: String, etag: String, body: &Value) {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= MOST {
                all.clear();
            }
            if body.to_string().len() <= LARGEST {
                all.insert(key, (etag, body.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn http() -> Http {
        Http::new("https://api.github.com".to_owned(), GITHUB, Secret::from_value("t")).unwrap()
    }

    #[test]
    fn errors_are_sorted() {
        let of = |status, slow| http().refusal(status, &json!({ "message": "m" }), slow, Text::verbatim("x"));
        assert_eq!(of(404, false), TargetError::Missing(Text::verbatim("x")));
        assert!(
            matches!(of(403, false), TargetError::Forbidden(_)) && matches!(of(401, true), TargetError::Forbidden(_))
        );
        assert!(of(403, true).is_transient() && of(429, false).is_transient() && of(502, false).is_transient());
        assert!(matches!(of(422, false), TargetError::Refused(_)));
    }

    #[test]
    fn a_refusal_is_told_in_the_providers_words() {
        assert_eq!(
            said(&json!({ "message": "Unexpected inputs provided: [\"x\"]" })),
            "Unexpected inputs provided: [\"x\"]"
        );
        assert_eq!(
            said(&json!({ "message": { "base": ["Reference not found"] } })),
            r#"{"base":["Reference not found"]}"#
        );
        assert_eq!(said(&json!({ "error": "insufficient_scope" })), "insufficient_scope");
        assert_eq!(
            said(
                &json!({ "message": "Validation Failed", "errors": [{ "message": "No commits between main and x" }] })
            ),
            "Validation Failed: No commits between main and x"
        );
        assert_eq!(said(&Value::Null), "no reason given");
    }

    #[test]
    fn credentials_stay_at_their_server() {
        assert!(http().own("https://api.github.com/x").is_some());
        assert!(http().own("https://api.github.com.evil.example/x").is_none());
        assert!(http().own("http://api.github.com/x").is_none() && http().own("nonsense").is_none());
    }
}
