//! The calls of the Admin API that we make.

use super::config::ConnectionConfig;
use crate::base_url::BaseUrl;
use crate::google::Tokens;
use crate::outbound::{self, ANSWER_LIMIT, read_body, unreachable};
use crate::{TargetError, masking};
use passerelle_contract::{Text, text};
use reqwest::Method;
use serde_json::Value;

const WHO: &str = "Cloud Run";
const GOOGLE: &str = "https://run.googleapis.com";

#[derive(Debug)]
pub(super) struct Api {
    http: reqwest::Client,
    /// Base URL.
    origin: String,
    config: ConnectionConfig,
    tokens: Tokens,
}

/// What came of a conditional write.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    Yes,
    /// The service has another etag by now.
    Conflict,
}

impl Api {
    pub fn new(config: ConnectionConfig) -> Result<Self, TargetError> {
        let wrong = |pointer: &str, message: Text| TargetError::Config { pointer: pointer.to_owned(), message };
        if config.token.is_some() && config.credentials.is_some() {
            return Err(wrong("/config/credentials", text!("give either a token or credentials")));
        }
        let http = outbound::client().build().map_err(|_| wrong("/config", text!("no HTTP client can be built")))?;
        let origin = config.endpoint.as_ref().map_or(GOOGLE, BaseUrl::as_str).to_owned();
        let towards = config.token.is_none().then_some(origin.as_str());
        let tokens = Tokens::towards(towards, http.clone(), config.credentials.clone())
            .map_err(|message| wrong("/config/credentials", message))?;
        Ok(Self { http, origin, config, tokens })
    }

    fn parent(&self) -> String {
        format!("projects/{}/locations/{}", self.config.project.as_str(), self.config.region.as_str())
    }

    fn service_path(&self, name: &str) -> String {
        format!("{}/services/{name}", self.parent())
    }

    pub async fn check(&self) -> Result<String, TargetError> {
        let path = format!("{}/services", self.parent());
        self.call(Method::GET, &path, &[("pageSize", "1")], None, text!("the project or region")).await?;
        Ok(format!(
            "Cloud Run Admin API v2, project {}, region {}",
            self.config.project.as_str(),
            self.config.region.as_str()
        ))
    }

    pub async fn service(&self, name: &str) -> Result<Value, TargetError> {
        let what = text!("service {name}", name);
        self.call(Method::GET, &self.service_path(name), &[], None, what).await
    }

    /// All services of the region, up to a number.
    pub async fn services(&self, most: usize) -> Result<Vec<Value>, TargetError> {
        let path = format!("{}/services", self.parent());
        let (mut all, mut token) = (Vec::new(), String::new());
        while all.len() < most {
            let query = [("pageSize", "100"), ("pageToken", token.as_str())];
            // Google takes no empty token.
            let query = if token.is_empty() { &query[..1] } else { &query[..] };
            let mut page = self.call(Method::GET, &path, query, None, text!("the services")).await?;
            if let Value::Array(services) = page["services"].take() {
                all.extend(services);
            }
            match page["nextPageToken"].as_str() {
                Some(next) if !next.is_empty() && next != token => token = next.to_owned(),
                _ => break,
            }
        }
        Ok(all)
    }

    /// The newest revisions; traffic goes to few.
    pub async fn revisions(&self, name: &str) -> Result<Vec<Value>, TargetError> {
        let path = format!("{}/revisions", self.service_path(name));
        let mut page = self.call(Method::GET, &path, &[("pageSize", "100")], None, text!("the revisions")).await?;
        Ok(match page["revisions"].take() {
            Value::Array(all) => all,
            _ => Vec::new(),
        })
    }

    /// Writes the fields of `mask` if the service still has the etag in `body`.
    pub async fn patch(&self, name: &str, body: &Value, mask: &str) -> Result<Written, TargetError> {
        let query = [("updateMask", mask)];
        match self.call(Method::PATCH, &self.service_path(name), &query, Some(body), text!("the service")).await {
            Ok(_) => Ok(Written::Yes),
            Err(TargetError::Fenced(_)) => Ok(Written::Conflict),
            Err(error) => Err(error),
        }
    }

    fn job_path(&self, name: &str) -> String {
        format!("{}/jobs/{name}", self.parent())
    }

    pub async fn job(&self, name: &str) -> Result<Value, TargetError> {
        self.call(Method::GET, &self.job_path(name), &[], None, text!("job {name}", name)).await
    }

    /// Nothing before it is started.
    pub async fn execution(&self, job: &str, name: &str) -> Result<Option<Value>, TargetError> {
        let path = format!("{}/executions/{name}", self.job_path(job));
        match self.call(Method::GET, &path, &[], None, text!("the execution")).await {
            Ok(found) => Ok(Some(found)),
            Err(TargetError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a job if it still has the etag in `body`.
    pub async fn patch_job(&self, name: &str, body: &Value) -> Result<Written, TargetError> {
        match self.call(Method::PATCH, &self.job_path(name), &[], Some(body), text!("job {name}", name)).await {
            Ok(_) => Ok(Written::Yes),
            Err(TargetError::Fenced(_)) => Ok(Written::Conflict),
            Err(error) => Err(error),
        }
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
        what: Text,
    ) -> Result<Value, TargetError> {
        let token = match &self.config.token {
            Some(token) => token
                .reveal()
                .map_err(|error| TargetError::Config { pointer: "/config/token".to_owned(), message: error.text() })?,
            None => self.tokens.token().await?,
        };
        let url = format!("{}/v2/{path}", self.origin);
        let mut request = self.http.request(method, url).query(query).bearer_auth(token.trim()).timeout(ANSWER_LIMIT);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| unreachable(WHO, &error))?;
        let status = response.status().as_u16();
        let body = read_body(response, WHO).await?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if (200..300).contains(&status) && answer.is_object() {
            return Ok(answer);
        }
        Err(refusal(status, &answer, what))
    }
}

/// Google's error as ours; a conflict of etags comes as [`TargetError::Fenced`], which [`Api::patch`] takes back.
fn refusal(status: u16, answer: &Value, what: Text) -> TargetError {
    let said: String =
        masking::shown(answer["error"]["message"].as_str().unwrap_or_default()).chars().take(300).collect();
    match status {
        401 | 403 => TargetError::Forbidden(Text::verbatim(said)),
        404 => TargetError::Missing(what),
        409 if answer["error"]["status"] == "ABORTED" => TargetError::Fenced(Text::verbatim(said)),
        429 => TargetError::Unreachable(text!("{who} asks to slow down", who = WHO)),
        300..=499 => TargetError::Refused(Text::verbatim(said)),
        _ => TargetError::Unreachable(text!("{name} answered {status}", name = WHO, status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_are_sorted() {
        let error = |status, name: &str| {
            refusal(status, &json!({ "error": { "message": "m", "status": name } }), Text::verbatim("service x"))
        };
        assert_eq!(error(404, "NOT_FOUND"), TargetError::Missing(Text::verbatim("service x")));
        assert!(matches!(error(409, "ABORTED"), TargetError::Fenced(_)));
        assert!(matches!(error(409, "ALREADY_EXISTS"), TargetError::Refused(_)));
        assert!(matches!(error(401, ""), TargetError::Forbidden(_)));
        assert!(error(503, "").is_transient() && error(429, "").is_transient());
    }
}
