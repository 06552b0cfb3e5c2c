//! Google Cloud Storage through its JSON API. Versions are generations: each write has a new one.

use super::address::encoded;
use super::config::ConnectionConfig;
use super::store::{Content, MOST_LISTED, Object, Store, Version, When, Written, refusal};
use crate::base_url::BaseUrl;
use crate::google::Tokens;
use crate::outbound::{self, ANSWER_LIMIT, read_body, read_body_of, unreachable};
use crate::{Secret, TargetError};
use async_trait::async_trait;
use passerelle_contract::text;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::time::Duration;

const WHO: &str = "Cloud Storage";
const GOOGLE: &str = "https://storage.googleapis.com";
const GENERATION: &str = "x-goog-generation";
/// An archive or a large file may take longer than other calls.
const TRANSFER_LIMIT: Duration = Duration::from_secs(120);

pub(super) struct Gcs {
    http: reqwest::Client,
    origin: String,
    bucket: String,
    token: Option<Secret>,
    tokens: Tokens,
}

impl Gcs {
    pub fn new(config: ConnectionConfig) -> Result<Self, TargetError> {
        let wrong = |pointer: &str, message| TargetError::Config { pointer: pointer.to_owned(), message };
        if config.token.is_some() && config.credentials.is_some() {
            return Err(wrong("/config/credentials", text!("give either a token or credentials")));
        }
        if config.access_key_id.is_some() || config.secret_access_key.is_some() || config.session_token.is_some() {
            return Err(wrong("/config/access_key_id", text!("belongs to a store of kind {kind}", kind = "s3")));
        }
        let http = outbound::client().build().map_err(|_| wrong("/config", text!("no HTTP client can be built")))?;
        let origin = config.endpoint.as_ref().map_or(GOOGLE, BaseUrl::as_str).to_owned();
        let towards = config.token.is_none().then_some(origin.as_str());
        let tokens = Tokens::towards(towards, http.clone(), config.credentials)
            .map_err(|message| wrong("/config/credentials", message))?;
        Ok(Self { tokens, origin, bucket: config.bucket.as_str().to_owned(), token: config.token, http })
    }

    fn bucket_path(&self, bucket: Option<&str>) -> String {
        format!("/storage/v1/b/{}", encoded(bucket.unwrap_or(&self.bucket), false))
    }

    fn object_path(&self, bucket: Option<&str>, name: &str) -> String {
        format!("{}/o/{}", self.bucket_path(bucket), encoded(name, false))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        more: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, TargetError> {
        let token = match &self.token {
            Some(token) => token
                .reveal()
                .map_err(|error| TargetError::Config { pointer: "/config/token".to_owned(), message: error.text() })?,
            None => self.tokens.token().await?,
        };
        let url = format!("{}{path}", self.origin);
        let request = self.http.request(method, url).bearer_auth(token.trim()).timeout(ANSWER_LIMIT);
        more(request).send().await.map_err(|error| unreachable(WHO, &error))
    }

    /// The JSON of a success; nothing for an object that is not there.
    async fn json(&self, response: Response) -> Result<Option<Value>, TargetError> {
        let status = response.status().as_u16();
        let body = read_body(response, WHO).await?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        match status {
            200..300 => Ok(Some(answer)),
            404 => Ok(None),
            _ => {
                let said = answer["error"]["message"].as_str().unwrap_or_default();
                Err(refusal(WHO, status, said, text!("the object")))
            }
        }
    }

    fn no_bucket(&self) -> TargetError {
        TargetError::Missing(text!("bucket {name}", name = &self.bucket))
    }

    async fn website(&self) -> Result<Value, TargetError> {
        let response = self.send(Method::GET, &self.bucket_path(None), |request| request).await?;
        self.json(response).await?.ok_or_else(|| self.no_bucket()).map(|mut bucket| bucket["website"].take())
    }
}

fn generation(value: &Value) -> Version {
    Version(value["generation"].as_str().map_or_else(|| value["generation"].to_string(), str::to_owned))
}

#[async_trait]
impl Store for Gcs {
    async fn check(&self) -> Result<String, TargetError> {
        self.website().await?;
        Ok(format!("Cloud Storage, bucket {}", self.bucket))
    }

    async fn get(&self, bucket: Option<&str>, name: &str, max: usize) -> Result<Option<Object>, TargetError> {
        let path = self.object_path(bucket, name);
        let response =
            self.send(Method::GET, &path, |request| request.query(&[("alt", "media")]).timeout(TRANSFER_LIMIT)).await?;
        if !response.status().is_success() {
            return self.json(response).await.map(|_| None);
        }
        let told = response.headers().get(GENERATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bytes = read_body_of(response, WHO, max).await?;
        // Content and generation have to belong together: without the header nothing conditional can be built on it.
        let version = told.ok_or_else(|| {
            TargetError::Unreachable(text!("{name} gave {what}", name = WHO, what = text!("no generation")))
        })?;
        Ok(Some(Object { bytes, version: Version(version) }))
    }

    async fn version(&self, bucket: Option<&str>, name: &str) -> Result<Option<Version>, TargetError> {
        let response = self.send(Method::GET, &self.object_path(bucket, name), |request| request).await?;
        Ok(self.json(response).await?.as_ref().map(generation))
    }

    async fn put(&self, name: &str, content: Content<'_>, when: &When) -> Result<Written, TargetError> {
        let expected = match when {
            When::Absent => "0",
            When::Is(version) => &version.0,
        };
        let path = format!("/upload{}/o", self.bucket_path(None));
        let about = json!({ "name": name, "contentType": content.content_type, "cacheControl": content.cache });
        // Longer than any text in a file by chance could be, and the same for the same file.
        let boundary =
            format!("passerelle-{}", crate::fencing::hex(&<sha2::Sha256 as sha2::Digest>::digest(content.bytes)));
        let mut body = format!(
            "--{boundary}\r\ncontent-type: application/json; charset=utf-8\r\n\r\n{about}\r\n--{boundary}\r\ncontent-type: {}\r\n\r\n",
            content.content_type
        )
        .into_bytes();
        body.extend_from_slice(content.bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let response = self
            .send(Method::POST, &path, |request| {
                request
                    .query(&[("uploadType", "multipart"), ("ifGenerationMatch", expected)])
                    .header("content-type", format!("multipart/related; boundary={boundary}"))
                    .body(body)
                    .timeout(TRANSFER_LIMIT)
            })
            .await?;
        if response.status().as_u16() == 412 {
            return Ok(Written::Conflict);
        }
        self.json(response).await?.ok_or_else(|| self.no_bucket()).map(|_| Written::Yes)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, TargetError> {
        let path = format!("{}/o", self.bucket_path(None));
        let (mut names, mut page) = (Vec::new(), String::new());
        loop {
            let mut query = vec![("prefix", prefix), ("maxResults", "1000"), ("fields", "items(name),nextPageToken")];
            query.extend((!page.is_empty()).then_some(("pageToken", page.as_str())));
            let response = self.send(Method::GET, &path, |request| request.query(&query)).await?;
            let answer = self.json(response).await?.ok_or_else(|| self.no_bucket())?;
            let items = answer["items"].as_array().into_iter().flatten();
            names.extend(items.filter_map(|item| item["name"].as_str().map(str::to_owned)));
            match answer["nextPageToken"].as_str().filter(|token| !token.is_empty()) {
                Some(next) if names.len() < MOST_LISTED => next.clone_into(&mut page),
                _ => return Ok(names),
            }
        }
    }

    async fn delete(&self, name: &str) -> Result<(), TargetError> {
        let response = self.send(Method::DELETE, &self.object_path(None, name), |request| request).await?;
        self.json(response).await.map(drop)
    }

    async fn falls_back(&self) -> Result<bool, TargetError> {
        Ok(self.website().await?["notFoundPage"] == "index.html")
    }

    async fn fall_back(&self) -> Result<(), TargetError> {
        let body = json!({ "website": { "mainPageSuffix": "index.html", "notFoundPage": "index.html" } });
        let response = self.send(Method::PATCH, &self.bucket_path(None), |request| request.json(&body)).await?;
        self.json(response).await?.ok_or_else(|| self.no_bucket()).map(drop)
    }
}
