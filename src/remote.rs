//! A running server, as the command line talks to it.

use anyhow::{Context, Result, bail};
use passerelle_contract::Problem;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use std::time::Duration;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const LOOK_LIMIT: Duration = Duration::from_secs(30);

/// Where a server is and who calls.
#[derive(Debug)]
pub struct Remote {
    client: Client,
    address: String,
    token: String,
}

impl Remote {
    /// # Errors
    /// When there is no token.
    pub fn new(address: &str, token: Option<&str>) -> Result<Self> {
        let token = token.context("--server needs --token (or PASSERELLE_TOKEN)")?.to_owned();
        let client = Client::builder().connect_timeout(CONNECT_LIMIT).build().context("no HTTP client can be built")?;
        Ok(Self { client, address: address.trim_end_matches('/').to_owned(), token })
    }

    /// A request to the REST API; `path` begins with a slash.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/api/v1{path}", self.address)).bearer_auth(&self.token)
    }

    /// The address of a page.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Sends a request. Wrong fields are named on standard error.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses, with its reason.
    pub async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        read(request.send().await.with_context(|| format!("calling {}", self.address))?).await
    }

    /// Reads something that is asked for again and again; nothing when there is no answer now, as while the server begins again.
    ///
    /// # Errors
    /// When the server refuses, with its reason.
    pub async fn look<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        match self.request(Method::GET, path).timeout(LOOK_LIMIT).send().await {
            Ok(response) if response.status().is_server_error() => Ok(None),
            Ok(response) => read(response).await.map(Some),
            Err(error) if error.is_builder() => Err(error.into()),
            Err(_) => Ok(None),
        }
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    let status = response.status();
    let text = response.text().await?;
    if status.is_success() {
        return serde_json::from_str(&text).context("reading the server's answer");
    }
    let problem: Option<Problem> = serde_json::from_str(&text).ok();
    for error in problem.iter().flat_map(|problem| &problem.errors) {
        eprintln!("  {} {}", error.pointer, error.message);
    }
    let detail = problem.map_or(text, |problem| match problem.errors.len() {
        0 => problem.detail,
        count => format!("refused at {count}, as told above; nothing was done"),
    });
    bail!("the server answered {status}: {detail}")
}
