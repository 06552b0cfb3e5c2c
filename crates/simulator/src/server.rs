//! The HTTP side: finds the platform by prefix, lets the faults act, writes the journal.

use crate::call::{self, Call, Wrote};
use crate::ci::{self, Pipelines};
use crate::cloud_run::{self, CloudRun};
use crate::faults::{Fate, FaultBoard, Faults};
use crate::journal::{Entry, Journal};
use crate::kubernetes::{self, Cluster};
use crate::pace::Pace;
use crate::prometheus::{self, Metrics};
use crate::storage::{self, Storage};
use crate::swarm::{self, Engine};
use crate::traps::{Side, Traps};
use crate::world::World;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// Largest body read; the platforms' own limits are near it.
const LARGEST: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) clusters: BTreeMap<String, Arc<Cluster>>,
    pub(crate) engines: BTreeMap<String, Arc<Engine>>,
    cloud_run: CloudRun,
    storage: Storage,
    pipelines: Pipelines,
    metrics: BTreeMap<String, Metrics>,
    pub(crate) faults: Arc<FaultBoard>,
    pub(crate) traps: Traps,
    pub(crate) journal: Journal,
}

/// The platform that a path belongs to.
enum Place<'a> {
    Kubernetes(&'a Arc<Cluster>),
    Docker(&'a Arc<Engine>),
    CloudRun(&'a CloudRun),
    Google(&'a Storage),
    S3(&'a Storage),
    Github(&'a Pipelines),
    Gitlab(&'a Pipelines),
    Prometheus(&'a Metrics),
    /// A receiver of webhooks: takes everything.
    Hooks,
}

impl Host {
    pub(crate) fn new(world: &World) -> Self {
        let faults = Arc::new(FaultBoard::new());
        let pace = Pace::new(world.speed);
        let clusters = world.clusters.iter().map(|(name, cluster)| {
            let running = Cluster::new(name, cluster.clone(), world.seed, pace, Arc::clone(&faults));
            (name.clone(), Arc::new(running))
        });
        let clusters = clusters.collect();
        let engines = world.engines.iter().map(|(name, engine)| {
            let running = Engine::new(name, engine.clone(), world.seed, pace, Arc::clone(&faults));
            (name.clone(), Arc::new(running))
        });
        let metrics = world.metrics.iter().map(|(name, world_of)| (name.clone(), Metrics::new(world_of, world.seed)));
        Self {
            clusters,
            metrics: metrics.collect(),
            engines: engines.collect(),
            cloud_run: CloudRun::new(world, pace),
            storage: Storage::new(world),
            pipelines: Pipelines::new(world, pace),
            faults,
            traps: Traps::default(),
            journal: Journal::default(),
        }
    }

    /// Answers one call; `path` includes the platform's prefix.
    pub(crate) async fn answer(&self, request: Request, path: &str) -> Response {
        if let Some(rest) = path.strip_prefix("/_sim") {
            return self.control(rest, request).await;
        }
        let Some((place, prefix, rest)) = self.place(path) else {
            let clusters = self.clusters.keys().map(|name| format!("/k8s/{name}"));
            let engines = self.engines.keys().map(|name| format!("/docker/{name}"));
            let metrics = self.metrics.keys().map(|name| format!("/prometheus/{name}"));
            let alone = ["/run", "/logging", "/storage", "/repos", "/api/v4", "/hooks/<name>"].map(str::to_owned);
            let known: Vec<String> = clusters.chain(engines).chain(metrics).chain(alone).collect();
            return call::json(StatusCode::NOT_FOUND, &json!({"message": "nothing is simulated here", "known": known}));
        };
        let query = request.uri().query().unwrap_or_default().to_owned();
        let call = match take_apart(request, rest, &query).await {
            Ok(call) => call,
            Err(response) => return response,
        };
        let write = call.is_write();
        self.faults.thawed(&prefix, write).await;
        let fate = self.faults.take(&prefix, write);
        if fate.latency_ms > 0 {
            tokio::time::sleep(Duration::from_millis(fate.latency_ms)).await;
        }
        let caught = if write { self.traps.step_on(&prefix) } else { None };
        if caught == Some(Side::Before) {
            self.traps.hold().await;
            return place.injected(503);
        }
        let response = match fate.fail {
            Some(status) => place.injected(status),
            None => place.answer(&call).await,
        };
        self.note(&prefix, &call, &query, &response);
        if caught == Some(Side::After) {
            self.traps.hold().await;
        }
        lose(response, &fate)
    }

    fn place<'a>(&'a self, path: &str) -> Option<(Place<'a>, String, String)> {
        // Google's own address has no prefix, and its clients take none.
        if path.starts_with("/v2/projects/") {
            return Some((Place::CloudRun(&self.cloud_run), "/run".to_owned(), path.to_owned()));
        }
        for family in ["/run", "/logging"] {
            if let Some(rest) = path.strip_prefix(family).filter(|rest| rest.starts_with('/')) {
                return Some((Place::CloudRun(&self.cloud_run), family.to_owned(), rest.to_owned()));
            }
        }
        if path.starts_with("/storage/v1/") || path.starts_with("/upload/storage/v1/") {
            return Some((Place::Google(&self.storage), "/storage".to_owned(), path.to_owned()));
        }
        let githubs = ["/repos/", "/orgs/", "/user/"].iter().any(|start| path.starts_with(start));
        if githubs || path == "/rate_limit" || path == "/user" {
            return Some((Place::Github(&self.pipelines), "/github".to_owned(), path.to_owned()));
        }
        if path.starts_with("/api/v4/") {
            return Some((Place::Gitlab(&self.pipelines), "/gitlab".to_owned(), path.to_owned()));
        }
        // S3 has no prefix of its own: the first part is the bucket.
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        if self.storage.has(first) {
            return Some((Place::S3(&self.storage), "/s3".to_owned(), path.to_owned()));
        }
        let mut parts = path.trim_start_matches('/').splitn(3, '/');
        let (family, name) = (parts.next()?, parts.next().unwrap_or_default());
        let rest = format!("/{}", parts.next().unwrap_or_default());
        match family {
            "k8s" => Some((Place::Kubernetes(self.clusters.get(name)?), format!("/k8s/{name}"), rest)),
            "prometheus" => Some((Place::Prometheus(self.metrics.get(name)?), format!("/prometheus/{name}"), rest)),
            "docker" => Some((Place::Docker(self.engines.get(name)?), format!("/docker/{name}"), rest)),
            "hooks" if !name.is_empty() => Some((Place::Hooks, format!("/hooks/{name}"), rest)),
            _ => None,
        }
    }

    fn note(&self, prefix: &str, call: &Call, query: &str, response: &Response) {
        let wrote = response.extensions().get::<Wrote>();
        let path = if query.is_empty() { call.path.clone() } else { format!("{}?{query}", call.path) };
        self.journal.add(Entry {
            sequence: 0,
            at: OffsetDateTime::now_utc(),
            prefix: prefix.to_owned(),
            method: call.method.to_string(),
            path,
            status: response.status().as_u16(),
            object: wrote.map(|wrote| wrote.object.clone()),
            effect: wrote.is_some_and(|wrote| wrote.effect),
        });
    }

    /// `/_sim/...`: the knobs.
    async fn control(&self, rest: &str, request: Request) -> Response {
        let done = || call::json(StatusCode::OK, &json!({"faults": self.faults.all()}));
        match (request.method().clone(), rest) {
            (Method::GET, "/faults") => done(),
            (Method::POST, "/faults") => match faults_of(request).await {
                Ok(faults) => {
                    self.faults.set(faults);
                    done()
                }
                Err(message) => call::json(StatusCode::BAD_REQUEST, &json!({"message": message})),
            },
            (Method::DELETE, "/faults") => {
                self.faults.clear();
                done()
            }
            (Method::POST, "/cut") => {
                self.faults.cut_streams();
                done()
            }
            (Method::GET, "/requests") => {
                let counts = self.journal.counts();
                let answer =
                    json!({"requests": self.journal.entries(), "writes": counts.writes, "effects": counts.effects});
                call::json(StatusCode::OK, &answer)
            }
            (Method::DELETE, "/requests") => {
                self.journal.clear();
                done()
            }
            _ => {
                let known = ["GET|POST|DELETE /_sim/faults", "POST /_sim/cut", "GET|DELETE /_sim/requests"];
                call::json(StatusCode::NOT_FOUND, &json!({"message": "no such knob", "known": known}))
            }
        }
    }
}

impl Place<'_> {
    async fn answer(&self, call: &Call) -> Response {
        match self {
            Self::Kubernetes(cluster) => kubernetes::answer(cluster, call),
            Self::Docker(engine) => swarm::answer(engine, call),
            Self::CloudRun(run) => cloud_run::answer(run, call).await,
            Self::Google(storage) => storage.google(call),
            Self::S3(storage) => storage.s3(call),
            Self::Github(pipelines) => pipelines.github(call),
            Self::Gitlab(pipelines) => pipelines.gitlab(call),
            Self::Prometheus(metrics) => metrics.answer(call),
            Self::Hooks if call.method == Method::POST => call::json(StatusCode::OK, &json!({"taken": true})),
            Self::Hooks => call::json(StatusCode::METHOD_NOT_ALLOWED, &json!({"message": "send it with POST"})),
        }
    }

    fn injected(&self, status: u16) -> Response {
        match self {
            Self::Kubernetes(_) => kubernetes::injected(status),
            Self::Docker(_) => swarm::injected(status),
            Self::CloudRun(_) => cloud_run::injected(status),
            Self::Google(_) | Self::S3(_) => storage::injected(status),
            Self::Github(_) | Self::Gitlab(_) => ci::injected(status),
            Self::Prometheus(_) => prometheus::injected(status),
            Self::Hooks => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                call::json(status, &json!({"message": "simulated"}))
            }
        }
    }
}

async fn take_apart(request: Request, path: String, query: &str) -> Result<Call, Response> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST)
        .await
        .map_err(|error| call::json(StatusCode::PAYLOAD_TOO_LARGE, &json!({"message": error.to_string()})))?;
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Ok(Call { method: parts.method, path, query, headers: parts.headers, body })
}

async fn faults_of(request: Request) -> Result<Faults, String> {
    let body = axum::body::to_bytes(request.into_body(), LARGEST).await.map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    serde_path_to_error::deserialize(value).map_err(|error| format!("{}: {}", error.path(), error.inner()))
}

/// A lost answer: the head and half a body arrive, then the connection breaks.
fn lose(response: Response, fate: &Fate) -> Response {
    if !fate.lose_answer {
        return response;
    }
    let broken = futures::stream::iter([
        Ok(bytes::Bytes::from_static(b"{")),
        Err(std::io::Error::new(std::io::ErrorKind::ConnectionReset, "simulated: the answer was lost")),
    ]);
    let (parts, _) = response.into_parts();
    Response::from_parts(parts, Body::from_stream(broken))
}
