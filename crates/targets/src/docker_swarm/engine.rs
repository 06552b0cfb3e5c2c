//! The Engine API: the few calls that we make, in JSON, with the API version that the engine speaks best.
//!
//! Paths hold only names and ids of a checked grammar. The engine's error texts are cut to one line; bodies are never passed on.

use super::config::{ConnectionConfig, Endpoint, Tls};
use super::frames;
use super::model::{Service, Task};
use crate::outbound::{self, ANSWER_LIMIT, read_body, unreachable};
use crate::{Secret, TargetError, masking};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use passerelle_contract::{Text, text};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::sync::OnceCell;

/// Logs of a task on a node that is away never end: what came until then is taken.
const LOG_LIMIT: Duration = Duration::from_secs(5);
/// Bytes of a log that are read.
const LOG_BYTES: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Engine {
    http: reqwest::Client,
    base: String,
    /// How it is called in errors.
    name: Text,
    version: OnceCell<String>,
}

/// An answer with the engine's clock.
struct Answer {
    body: Vec<u8>,
    at: OffsetDateTime,
}

/// What came of a conditional write.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written {
    Yes,
    /// The service has another version by now.
    Conflict,
}

impl Engine {
    pub fn new(config: &ConnectionConfig) -> Result<Self, TargetError> {
        let wrong = |pointer: &str, message: Text| TargetError::Config { pointer: pointer.to_owned(), message };
        let builder = outbound::client();
        let (builder, base, shown) = match (&config.endpoint, &config.tls) {
            (Endpoint::Unix(_), Some(_)) => return Err(wrong("/config/tls", text!("a unix socket has no TLS"))),
            (Endpoint::Unix(path), None) => {
                (builder.unix_socket(path.as_path()), "http://docker".to_owned(), path.display().to_string())
            }
            (Endpoint::Tcp { host, port }, None) => {
                (builder, format!("http://{host}:{port}"), format!("{host}:{port}"))
            }
            (Endpoint::Tcp { host, port }, Some(tls)) => {
                (with_tls(builder, tls)?, format!("https://{host}:{port}"), format!("{host}:{port}"))
            }
        };
        let http = builder.build().map_err(|_| wrong("/config", text!("no HTTP client can be built from it")))?;
        Ok(Self {
            http,
            base,
            name: text!("the Docker engine at {address}", address = shown),
            version: OnceCell::new(),
        })
    }

    /// Says which engine answers, and refuses one that is no Swarm manager.
    pub async fn check(&self) -> Result<String, TargetError> {
        let version = self.get("/version", text!("the engine")).await?;
        let swarm = self.get("/info", text!("the engine")).await?;
        if swarm["Swarm"]["ControlAvailable"] != true {
            return Err(TargetError::Refused(text!("this engine is not a Swarm manager")));
        }
        let nodes = swarm["Swarm"]["Nodes"].as_u64().unwrap_or(0);
        let text = |key: &str| masking::shown(version[key].as_str().unwrap_or("?"));
        Ok(format!("Docker Engine {} (API {}), Swarm manager, {nodes} nodes", text("Version"), text("ApiVersion")))
    }

    /// The service, and the engine's clock.
    pub async fn service(&self, name: &str) -> Result<(Service, OffsetDateTime), TargetError> {
        let what = text!("service {name}", name);
        let answer = self.call(Method::GET, &format!("/services/{name}"), &[], None, what.clone()).await?;
        let service: Service = self.read(&answer.body)?;
        // The engine also finds a service by the beginning of its id.
        if service.spec["Name"].as_str() != Some(name) {
            return Err(TargetError::Missing(what));
        }
        Ok((service, answer.at))
    }

    /// Specifications of all services.
    pub async fn specs(&self) -> Result<Vec<Value>, TargetError> {
        let mut all = self.get("/services", text!("the services")).await?;
        let all = all.as_array_mut().into_iter().flatten();
        Ok(all.map(|service| service["Spec"].take()).collect())
    }

    /// Tasks of a service; one that cannot be read does not hide the others.
    pub async fn tasks(&self, service: &Service) -> Result<Vec<Task>, TargetError> {
        let filters = serde_json::json!({ "service": [service.id] }).to_string();
        let answer = self.call(Method::GET, "/tasks", &[("filters", filters)], None, text!("the tasks")).await?;
        let all: Vec<Value> = self.read(&answer.body)?;
        let tasks = all.into_iter().filter_map(|task| serde_json::from_value::<Task>(task).ok());
        Ok(tasks.filter(|task| task.service == service.id).collect())
    }

    /// Writes a specification if the service still has that version.
    pub async fn update(&self, service: &Service, spec: &Value) -> Result<Written, TargetError> {
        let query = [("version", service.version.index.to_string()), ("registryAuthFrom", "spec".to_owned())];
        let path = format!("/services/{}/update", service.id);
        match self.call(Method::POST, &path, &query, Some(spec), text!("the service")).await {
            Ok(_) => Ok(Written::Yes),
            Err(TargetError::Refused(why)) if why.to_string().contains("out of sequence") => Ok(Written::Conflict),
            Err(error) => Err(error),
        }
    }

    /// Ids of all secrets or configs (`kind` is `secrets` or `configs`).
    pub async fn ids(&self, kind: &str) -> Result<Vec<String>, TargetError> {
        let all = self.get(&format!("/{kind}"), Text::verbatim(kind)).await?;
        let ids = all.as_array().into_iter().flatten().filter_map(|item| item["ID"].as_str());
        Ok(ids.map(str::to_owned).collect())
    }

    /// What this engine knows of an image; nothing when it does not have it.
    pub async fn image(&self, image: &str) -> Option<Value> {
        self.get(&format!("/images/{image}/json"), text!("the image")).await.ok()
    }

    /// State of a container on this engine's node.
    pub async fn container_state(&self, id: &str) -> Result<Value, TargetError> {
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(TargetError::Missing(text!("the container")));
        }
        Ok(self.get(&format!("/containers/{id}/json"), text!("the container")).await?["State"].take())
    }

    /// The last lines that a task wrote, of both streams.
    pub async fn task_logs(&self, id: &str, lines: u32) -> Result<Vec<String>, TargetError> {
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(TargetError::Missing(text!("the task")));
        }
        let query = [("stdout", "1".to_owned()), ("stderr", "1".to_owned()), ("tail", lines.to_string())];
        let response =
            self.send(Method::GET, &format!("/tasks/{id}/logs"), &query, None, text!("the log of the task")).await?;
        let mut body = Vec::new();
        let mut chunks = response.bytes_stream();
        let read = async {
            while let Some(Ok(chunk)) = chunks.next().await {
                body.extend_from_slice(&chunk);
                if body.len() > LOG_BYTES {
                    break;
                }
            }
        };
        drop(tokio::time::timeout(LOG_LIMIT, read).await);
        Ok(masking::last_lines(&frames::text(&body), lines))
    }

    /// One item for each event of this kind; ends when the connection does.
    pub async fn events(&self, filters: &Value) -> Result<BoxStream<'static, ()>, TargetError> {
        let query = [("filters", filters.to_string())];
        let url = self.url("/events").await?;
        let response =
            self.http.get(url).query(&query).send().await.map_err(|error| unreachable(&self.name, &error))?;
        if !response.status().is_success() {
            return Err(TargetError::Refused(Text::verbatim("events")));
        }
        // Each chunk is one or more events; what they say is looked up anyway.
        Ok(response.bytes_stream().take_while(|chunk| std::future::ready(chunk.is_ok())).map(|_| ()).boxed())
    }

    async fn get(&self, path: &str, what: Text) -> Result<Value, TargetError> {
        let answer = self.call(Method::GET, path, &[], None, what).await?;
        self.read(&answer.body)
    }

    fn read<T: serde::de::DeserializeOwned>(&self, body: &[u8]) -> Result<T, TargetError> {
        serde_json::from_slice(body).map_err(|_| {
            TargetError::Unreachable(text!("{name} answered something that is not its API", name = &self.name))
        })
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
        what: Text,
    ) -> Result<Answer, TargetError> {
        let response = self.send(method, path, query, body, what).await?;
        let date = response.headers().get("date").and_then(|date| date.to_str().ok());
        let at =
            date.and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok()).unwrap_or_else(OffsetDateTime::now_utc);
        Ok(Answer { body: read_body(response, &self.name).await?, at })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
        what: Text,
    ) -> Result<reqwest::Response, TargetError> {
        let mut request = self.http.request(method, self.url(path).await?).query(query).timeout(ANSWER_LIMIT);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| unreachable(&self.name, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = read_body(response, &self.name).await.unwrap_or_default();
        Err(refusal(status, &body, what, &self.name))
    }

    async fn url(&self, path: &str) -> Result<String, TargetError> {
        let version = self.version.get_or_try_init(|| self.newest_version()).await?;
        Ok(format!("{}/v{version}{path}", self.base))
    }

    /// The engine's own version: with an older one it would leave newer fields out, and a write would lose them.
    async fn newest_version(&self) -> Result<String, TargetError> {
        let request = self.http.get(format!("{}/version", self.base)).timeout(ANSWER_LIMIT);
        let response = request.send().await.map_err(|error| unreachable(&self.name, &error))?;
        let status = response.status();
        let body = read_body(response, &self.name).await?;
        if !status.is_success() {
            return Err(refusal(status, &body, text!("the engine"), &self.name));
        }
        let version = self.read::<Value>(&body)?["ApiVersion"].as_str().unwrap_or_default().to_owned();
        let plain =
            !version.is_empty() && version.len() < 10 && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if plain {
            Ok(version)
        } else {
            Err(TargetError::Unreachable(text!("{name} does not say its API version", name = &self.name)))
        }
    }
}

fn with_tls(builder: reqwest::ClientBuilder, tls: &Tls) -> Result<reqwest::ClientBuilder, TargetError> {
    let reveal = |field: &str, secret: &Secret| {
        secret
            .reveal()
            .map_err(|error| TargetError::Config { pointer: format!("/config/tls/{field}"), message: error.text() })
    };
    let wrong =
        |field: &str| TargetError::Config { pointer: format!("/config/tls/{field}"), message: text!("is not in PEM") };
    let ca = reqwest::Certificate::from_pem_bundle(reveal("ca", &tls.ca)?.as_bytes()).map_err(|_| wrong("ca"))?;
    if ca.is_empty() {
        return Err(wrong("ca"));
    }
    let pair = format!("{}\n{}", reveal("cert", &tls.cert)?, reveal("key", &tls.key)?);
    let identity = reqwest::Identity::from_pem(pair.as_bytes()).map_err(|_| wrong("cert"))?;
    Ok(builder.tls_certs_only(ca).identity(identity).https_only(true))
}

/// An error answer as our error. Swarm reports most refusals as 500 with the code of its inner protocol in the text.
fn refusal(status: StatusCode, body: &[u8], what: Text, name: &Text) -> TargetError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = masking::shown(body["message"].as_str().unwrap_or_default());
    let plain = said.rsplit_once(" desc = ").map_or(said.as_str(), |(_, plain)| plain);
    let text: String = plain.chars().take(300).collect();
    let gone = ["secret", "config"].iter().any(|word| text.contains(word)) && text.contains("not found");
    match status.as_u16() {
        404 => TargetError::Missing(what),
        401 | 403 => TargetError::Forbidden(Text::verbatim(text)),
        _ if text.contains("not a swarm manager") => TargetError::Refused(text!("this engine is not a Swarm manager")),
        _ if gone => TargetError::Missing(Text::verbatim(text)),
        _ if text.contains("out of sequence") => TargetError::Refused(Text::verbatim(text)),
        300..=499 if text.is_empty() => TargetError::Refused(text!("status {status}", status = status.as_u16())),
        300..=499 => TargetError::Refused(Text::verbatim(text)),
        _ if ["InvalidArgument", "AlreadyExists", "FailedPrecondition", "Unimplemented"]
            .iter()
            .any(|code| said.contains(code)) =>
        {
            TargetError::Refused(Text::verbatim(text))
        }
        _ => TargetError::Unreachable(text!(
            "{name} answered {status}: {why}",
            name,
            status = status.as_u16(),
            why = text
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, message: &str) -> TargetError {
        let body = serde_json::json!({ "message": message }).to_string();
        refusal(
            StatusCode::from_u16(status).unwrap(),
            body.as_bytes(),
            Text::verbatim("service web"),
            &Text::verbatim("the engine"),
        )
    }

    #[test]
    fn refusals_are_told_from_outages() {
        assert_eq!(error(404, "service web not found"), TargetError::Missing(Text::verbatim("service web")));
        assert_eq!(
            error(500, "rpc error: code = Unknown desc = update out of sequence"),
            TargetError::Refused(Text::verbatim("update out of sequence"))
        );
        assert_eq!(
            error(500, "rpc error: code = InvalidArgument desc = ContainerSpec: image is bad"),
            TargetError::Refused(Text::verbatim("ContainerSpec: image is bad"))
        );
        assert!(error(500, "rpc error: code = DeadlineExceeded desc = context deadline exceeded").is_transient());
        assert!(matches!(error(503, "This node is not a swarm manager. Use x"), TargetError::Refused(_)));
        assert!(matches!(error(400, "invalid argument: secret not found: db"), TargetError::Missing(_)));
        assert!(matches!(error(403, ""), TargetError::Forbidden(_)));
        assert!(matches!(error(302, ""), TargetError::Refused(_)));
    }
}
