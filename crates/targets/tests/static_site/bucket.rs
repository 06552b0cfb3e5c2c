//! A bucket to try sites in, and a client of its own that puts archives there and looks at what visitors would get.

use crate::contract::{Has, Image, Peer};
use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use passerelle_simulator::{Faults, Only, Simulator, World};
use passerelle_targets::{Target, platform};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::SystemTime;
use uuid::Uuid;

const AMAZONS_EXAMPLE: &str = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

pub struct Bucket {
    store: &'static str,
    base: String,
    pub name: String,
    key: (String, String),
    http: reqwest::Client,
    simulator: Option<Simulator>,
    first: String,
    second: String,
}

/// What visitors get.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    pub body: String,
    pub content_type: String,
    pub cache: String,
}

impl Bucket {
    pub async fn simulated(store: &'static str) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let name = "site-test".to_owned();
        let world = World::parse("buckets: {site-test: {}}").unwrap();
        let simulator = Simulator::start(world).await.unwrap();
        Self::new(store, simulator.storage_url(), name, Some(simulator)).await
    }

    pub async fn from_env(store: &'static str, variable: &str) -> Option<Self> {
        let Ok(base) = std::env::var(variable) else {
            eprintln!("skipped: {variable} is not the base URL of a store");
            return None;
        };
        drop(rustls::crypto::ring::default_provider().install_default());
        let name = format!("site-{}", &Uuid::new_v4().simple().to_string()[..8]);
        Some(Self::new(store, base, name, None).await)
    }

    async fn new(store: &'static str, base: String, name: String, simulator: Option<Simulator>) -> Self {
        let key = std::env::var("PASSERELLE_TEST_S3_KEY").unwrap_or_else(|_| AMAZONS_EXAMPLE.to_owned());
        let (id, secret) = key.split_once(':').unwrap();
        let key = (id.to_owned(), secret.to_owned());
        let http = reqwest::Client::new();
        let mut bucket = Self { store, base, name, key, http, simulator, first: String::new(), second: String::new() };
        if bucket.simulator.is_none() {
            bucket.make().await;
        }
        bucket.first = bucket
            .archive(
                "web:1",
                &[
                    ("index.html", "<p>one</p>"),
                    ("about.html", "about"),
                    ("robots.txt", "1"),
                    ("assets/app-1a2b3c4d.js", "one()"),
                    ("assets/shared-0a1b2c3d.css", "p{}"),
                ],
            )
            .await;
        bucket.second = bucket
            .archive(
                "web:2",
                &[
                    ("index.html", "<p>two</p>"),
                    ("robots.txt", "2"),
                    ("assets/app-5e6f7a8b.js", "two()"),
                    ("assets/shared-0a1b2c3d.css", "p{}"),
                ],
            )
            .await;
        bucket
    }

    async fn make(&self) {
        let answer = if self.store == "google" {
            let url = format!("{}/storage/v1/b?project=demo", self.base);
            self.http.post(url).bearer_auth("t").json(&json!({ "name": self.name })).send().await.unwrap()
        } else {
            self.s3(Method::PUT, "", Vec::new()).await
        };
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Puts an archive of these files into the bucket, and answers its reference.
    pub async fn archive(&self, version: &str, files: &[(&str, &str)]) -> String {
        let gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(gz);
        for (path, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        let bytes = archive.into_inner().unwrap().finish().unwrap();
        let digest = format!("{:x}", Sha256::digest(&bytes));
        self.put(&format!("archives/{digest}.tar.gz"), bytes).await;
        format!("example.test/team/{version}@sha256:{digest}")
    }

    pub async fn put(&self, name: &str, bytes: Vec<u8>) {
        let answer = if self.store == "google" {
            let url = format!("{}/upload/storage/v1/b/{}/o?uploadType=multipart", self.base, self.name);
            let about = json!({ "name": name });
            let mut body = format!("--cut\r\ncontent-type: application/json\r\n\r\n{about}\r\n--cut\r\ncontent-type: application/octet-stream\r\n\r\n").into_bytes();
            body.extend_from_slice(&bytes);
            body.extend_from_slice(b"\r\n--cut--\r\n");
            let request =
                self.http.post(url).bearer_auth("t").header("content-type", "multipart/related; boundary=cut");
            request.body(body).send().await.unwrap()
        } else {
            self.s3(Method::PUT, name, bytes).await
        };
        assert!(answer.status().is_success(), "{name}: {}", answer.text().await.unwrap());
    }

    /// The object as visitors get it; nothing when it is not there.
    pub async fn page(&self, name: &str) -> Option<Page> {
        let answer = self.fetch(name).await;
        if answer.status().as_u16() == 404 {
            return None;
        }
        assert!(answer.status().is_success(), "{name}: {}", answer.status());
        let header =
            |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let (content_type, cache) = (header("content-type"), header("cache-control"));
        Some(Page { body: answer.text().await.unwrap(), content_type, cache })
    }

    async fn fetch(&self, name: &str) -> Response {
        if self.store == "google" {
            let object = name.replace('/', "%2F");
            let url = format!("{}/storage/v1/b/{}/o/{object}?alt=media", self.base, self.name);
            return self.http.get(url).bearer_auth("t").send().await.unwrap();
        }
        self.s3(Method::GET, name, Vec::new()).await
    }

    async fn s3(&self, method: Method, name: &str, body: Vec<u8>) -> Response {
        let slash = if name.is_empty() { "" } else { "/" };
        let url = format!("{}/{}{slash}{name}", self.base, self.name);
        let mut request = http::Request::builder().method(method).uri(url).body(body).unwrap();
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let identity = Credentials::new(&self.key.0, &self.key.1, None, None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let body = SignableBody::Bytes(request.body());
        let address = request.uri().to_string();
        let signable = SignableRequest::new(request.method().as_str(), address, std::iter::empty(), body).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        instructions.apply_to_request_http1x(&mut request);
        self.http.execute(request.try_into().unwrap()).await.unwrap()
    }

    pub async fn bind(&self, binding: Value) -> Arc<dyn Target> {
        let mut config = json!({ "bucket": self.name, "store": self.store, "endpoint": self.base });
        if self.store == "google" {
            config["token"] = json!({ "value": "t" });
        } else {
            config["access_key_id"] = json!(self.key.0);
            config["secret_access_key"] = json!({ "value": self.key.1 });
        }
        let connection = platform("static_site").unwrap().connect(config).await.unwrap();
        assert!(connection.check().await.unwrap().contains(&self.name));
        connection.bind(binding).unwrap()
    }

    /// Whether the store keeps how a bucket is served: the stand-in for Cloud Storage takes it and forgets it.
    pub fn keeps_websites(&self) -> bool {
        self.simulator.is_some() || self.store == "s3"
    }

    /// The next write takes effect and its answer is lost; false where that cannot be made.
    pub fn lose_an_answer(&self) -> bool {
        let Some(simulator) = &self.simulator else { return false };
        let prefix = if self.store == "google" { "/storage" } else { "/s3" };
        simulator.set_faults(Faults {
            prefix: prefix.into(),
            lose_answers: 1,
            only: Only::Writes,
            ..Faults::default()
        });
        true
    }
}

#[async_trait]
impl Peer for Bucket {
    async fn create(&self, name: &str, image: Image, _: u32) -> Arc<dyn Target> {
        // As a pipeline would have left it: marked, but by no deployment.
        let mark = json!({ "image": self.image(image) });
        let page = format!("<p>seeded</p>\n<!-- passerelle {mark} -->\n");
        self.put(&format!("{name}/index.html"), page.into_bytes()).await;
        self.bind(json!({ "prefix": name })).await
    }

    async fn break_config(&self, _: &str) -> Option<String> {
        None
    }

    async fn generation(&self, name: &str) -> u64 {
        let answer = self.fetch(&format!("{name}/index.html")).await;
        let mut hasher = DefaultHasher::new();
        for header in ["x-goog-generation", "etag"] {
            answer.headers().get(header).map(|value| value.as_bytes().to_vec()).hash(&mut hasher);
        }
        hasher.finish()
    }

    async fn remove(&self, _: &str) {}

    fn image(&self, image: Image) -> String {
        match image {
            Image::First => self.first.clone(),
            Image::Second => self.second.clone(),
            _ => format!("example.test/team/web:9@sha256:{}", "0".repeat(64)),
        }
    }

    fn has(&self) -> Has {
        Has { replicas: false, pushes: false, instances: false, logs: false, programs: false, ..Has::default() }
    }
}
