//! The description of what exists at the start: clusters, engines and cloud projects with their workloads.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Everything that the simulator serves. Read from YAML or JSON with [`World::parse`]; unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct World {
    /// Names, identifiers and jitter depend on it and on the order of the calls only.
    pub seed: u64,
    /// Divides every simulated delay: 1 is the pace of a real platform, 50 suits tests.
    pub speed: f64,
    /// Kubernetes clusters by name, served under `/k8s/<name>`.
    pub clusters: BTreeMap<String, ClusterWorld>,
    /// Docker Engines in swarm mode by name, served under `/docker/<name>` and on a port of their own.
    pub engines: BTreeMap<String, EngineWorld>,
    /// Cloud Run by project, all served under `/run`.
    pub projects: BTreeMap<String, ProjectWorld>,
    /// Buckets by name, served by Google's JSON API under `/storage/v1` and by the S3 protocol under `/<name>`.
    pub buckets: BTreeMap<String, BucketWorld>,
    /// Repositories of GitHub by `owner/name`, served under `/repos`.
    pub github: BTreeMap<String, GithubRepositoryWorld>,
    /// Projects of GitLab by their path, served under `/api/v4`.
    pub gitlab: BTreeMap<String, GitlabProjectWorld>,
    /// Prometheus servers by name, served under `/prometheus/<name>`.
    pub metrics: BTreeMap<String, MetricsWorld>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            seed: 1,
            speed: 1.0,
            clusters: BTreeMap::new(),
            engines: BTreeMap::new(),
            projects: BTreeMap::new(),
            buckets: BTreeMap::new(),
            github: BTreeMap::new(),
            gitlab: BTreeMap::new(),
            metrics: BTreeMap::new(),
        }
    }
}

/// Why a description was refused.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The field is given as a path, for example `clusters.gke.namespaces`.
    #[error("{path}: {reason}")]
    Field { path: String, reason: String },
    #[error("{path} cannot be read: {reason}")]
    Read { path: String, reason: String },
}

impl World {
    /// Reads YAML or JSON.
    ///
    /// # Errors
    /// When a field is unknown, has the wrong type or an impossible value.
    pub fn parse(text: &str) -> Result<Self, WorldError> {
        let world: Self = serde_path_to_error::deserialize(serde_yaml_ng::Deserializer::from_str(text))
            .map_err(|error| WorldError::Field { path: error.path().to_string(), reason: error.inner().to_string() })?;
        if !(world.speed.is_finite() && world.speed > 0.0) {
            return Err(WorldError::Field { path: "speed".into(), reason: "must be greater than 0".into() });
        }
        for name in world.clusters.keys().chain(world.engines.keys()).chain(world.metrics.keys()) {
            let allowed = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '-';
            if name.is_empty() || !name.chars().all(allowed) {
                let reason = "a name in a URL has lower-case letters, digits and hyphens only".into();
                return Err(WorldError::Field { path: name.clone(), reason });
            }
        }
        Ok(world)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`World::parse`], and when the file cannot be read.
    pub fn load(path: &std::path::Path) -> Result<Self, WorldError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| WorldError::Read { path: path.display().to_string(), reason: error.to_string() })?;
        Self::parse(&text)
    }
}

/// One Kubernetes cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterWorld {
    /// As `/version` says, for example `v1.33.1`.
    pub version: String,
    pub nodes: u32,
    /// When set, any other bearer token is answered with 401.
    pub token: Option<String>,
    /// A second token that may only read: 403 on writes.
    pub viewer_token: Option<String>,
    pub namespaces: BTreeMap<String, NamespaceWorld>,
}

impl Default for ClusterWorld {
    fn default() -> Self {
        Self { version: "v1.33.1".into(), nodes: 2, token: None, viewer_token: None, namespaces: BTreeMap::new() }
    }
}

/// What a namespace holds at the start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NamespaceWorld {
    pub deployments: BTreeMap<String, WorkloadWorld>,
    pub config_maps: BTreeMap<String, BTreeMap<String, String>>,
    /// Plain values; served base64 encoded, as the platform does.
    pub secrets: BTreeMap<String, BTreeMap<String, String>>,
    /// The same, as somebody wrote them anew when the pods were running: those keep what they have read, the next ones find this.
    pub rewritten_secrets: BTreeMap<String, BTreeMap<String, String>>,
    /// Any other objects, as manifests. A text such as `now+61d` or `now-3h` becomes the time so far from the start.
    pub objects: Vec<Value>,
}

/// A Deployment in a few words. Readiness and liveness probes on `probe` are added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadWorld {
    pub image: String,
    #[serde(default = "two")]
    pub replicas: u32,
    /// Name of the container; the deployment's name when absent.
    #[serde(default)]
    pub container: Option<String>,
    #[serde(default = "port_8080")]
    pub port: u16,
    /// Path of the probes.
    #[serde(default = "healthz")]
    pub probe: String,
    #[serde(default)]
    pub env: BTreeMap<String, EnvWorld>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Seconds until a rollout without progress counts as failed.
    #[serde(default = "deadline")]
    pub progress_deadline_s: u32,
}

const fn two() -> u32 {
    2
}
const fn port_8080() -> u16 {
    8080
}
const fn deadline() -> u32 {
    120
}
fn healthz() -> String {
    "/healthz".into()
}

/// An environment variable: a value, or a key of a Secret or of a ConfigMap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EnvWorld {
    Value(String),
    Secret { secret: String, key: String },
    ConfigMap { config_map: String, key: String },
}

/// One Docker Engine in swarm mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineWorld {
    /// Engine version, for example `28.1.1`.
    pub version: String,
    /// Port on 127.0.0.1 where this engine alone answers; any free one when absent.
    pub port: Option<u16>,
    /// Unix socket to answer on as well.
    pub socket: Option<PathBuf>,
    pub nodes: u32,
    pub services: BTreeMap<String, SwarmServiceWorld>,
}

impl Default for EngineWorld {
    fn default() -> Self {
        Self { version: "28.1.1".into(), port: None, socket: None, nodes: 1, services: BTreeMap::new() }
    }
}

/// A replicated Swarm service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwarmServiceWorld {
    pub image: String,
    #[serde(default = "two")]
    pub replicas: u32,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub user: Option<String>,
    /// The Engine API's `UpdateConfig`; one task at a time with roll back on failure when absent.
    #[serde(default)]
    pub update_config: Option<Value>,
}

/// Cloud Run in one project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectWorld {
    /// Region -> service name -> service.
    pub locations: BTreeMap<String, BTreeMap<String, RunServiceWorld>>,
    /// Cloud Run jobs: region -> name -> image.
    pub jobs: BTreeMap<String, BTreeMap<String, String>>,
}

/// A Cloud Run service that serves from one revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunServiceWorld {
    pub image: String,
    #[serde(default = "port_8080")]
    pub port: u16,
    #[serde(default)]
    pub env: BTreeMap<String, EnvWorld>,
    /// Only callers inside the project's network may reach it.
    #[serde(default)]
    pub internal: bool,
    #[serde(default)]
    pub min_instances: u32,
}

/// A bucket of objects.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BucketWorld {
    /// Sites whose archives lie below `archives/`, by their digest: each is its files, content by path.
    pub archives: Vec<BTreeMap<String, String>>,
    /// The site that is served from the bucket, as an image reference with the digest of an archive.
    pub serving: Option<String>,
}

/// A repository of GitHub with workflows that can be dispatched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GithubRepositoryWorld {
    #[serde(default = "main_only")]
    pub branches: Vec<String>,
    /// By the name of the file.
    #[serde(default)]
    pub workflows: BTreeMap<String, WorkflowWorld>,
    /// Contents by path, the same on all branches.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The image that the first workflow had deployed before, by environment.
    #[serde(default)]
    pub serving: BTreeMap<String, String>,
}

/// A workflow; its file is made from this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkflowWorld {
    #[serde(default = "usual_inputs")]
    pub inputs: Vec<String>,
    /// One after the other; the last one fails for an image that does not come up.
    pub jobs: Vec<PipelineJobWorld>,
}

/// A project of GitLab whose pipelines have these jobs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitlabProjectWorld {
    #[serde(default = "main_only")]
    pub branches: Vec<String>,
    /// As of a workflow.
    #[serde(default)]
    pub jobs: Vec<PipelineJobWorld>,
    /// Contents by path, the same on all branches.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The image that a pipeline had deployed before, by environment.
    #[serde(default)]
    pub serving: BTreeMap<String, String>,
}

/// A job of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineJobWorld {
    pub name: String,
    #[serde(default)]
    pub stage: String,
    /// Somebody has to start it (GitLab).
    #[serde(default)]
    pub manual: bool,
    /// Belongs only to pipelines for this environment, as a rule on `PASSERELLE_ENVIRONMENT` has it (GitLab).
    #[serde(default)]
    pub environment: Option<String>,
}

fn main_only() -> Vec<String> {
    vec!["main".to_owned()]
}

fn usual_inputs() -> Vec<String> {
    vec!["image".to_owned(), "passerelle".to_owned()]
}

/// What one Prometheus server has counted, by the value of the label `service`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsWorld {
    pub services: BTreeMap<String, TrafficWorld>,
}

/// The requests of a service: `http_requests_total` by `code`, and the histogram `http_request_duration_seconds`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrafficWorld {
    /// At the busiest time of a working day.
    pub per_minute: f64,
    /// Share of that in the middle of the night.
    pub night: f64,
    /// Requests that fail when nothing is wrong, in percent.
    pub errors_percent: f64,
    /// Half of the requests are faster than this.
    pub median_ms: f64,
    /// How close the others are to it: 2 is wide, 6 is narrow.
    pub steepness: f64,
    pub incidents: Vec<IncidentWorld>,
}

impl Default for TrafficWorld {
    fn default() -> Self {
        Self {
            per_minute: 600.0,
            night: 0.2,
            errors_percent: 0.02,
            median_ms: 120.0,
            steepness: 3.0,
            incidents: Vec::new(),
        }
    }
}

/// What goes wrong once in so many days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentWorld {
    pub every_days: i64,
    pub minutes: i64,
    /// Requests that fail meanwhile, in percent.
    #[serde(default)]
    pub errors_percent: f64,
    /// How many times slower the requests are meanwhile.
    #[serde(default = "as_fast")]
    pub slower: f64,
}

const fn as_fast() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_description_is_enough() {
        let world = World::parse(
            "clusters:\n  c1:\n    namespaces:\n      shop:\n        deployments:\n          web: {image: 'tinyweb:v1', env: {A: '1', B: {secret: s, key: k}}}\n",
        )
        .unwrap();
        let web = &world.clusters["c1"].namespaces["shop"].deployments["web"];
        assert_eq!((web.replicas, web.port), (2, 8080));
        assert_eq!(web.env["B"], EnvWorld::Secret { secret: "s".into(), key: "k".into() });
    }

    #[test]
    fn mistakes_are_named() {
        let error = World::parse("clusters: {c1: {namespace: {}}}").unwrap_err().to_string();
        assert!(error.contains("namespace"), "{error}");
        assert!(World::parse("speed: 0").is_err());
        assert!(World::parse("clusters: {'a/b': {}}").is_err());
    }
}
