//! The Kubernetes API: discovery, objects, watches, logs, and the controllers that move Deployments, Rollouts, ReplicaSets, Pods and Jobs.
//!
//! Invariant: a client's write changes the store at once and nothing else; the controllers act afterwards, as in a real
//! cluster, so `observedGeneration` lags behind `generation`.

mod admission;
mod api;
mod argo;
mod argo_sets;
mod argo_status;
mod cluster;
mod deployment;
mod deployment_status;
mod discovery;
mod garbage;
mod job;
mod kinds;
mod logs;
mod managed;
mod moment;
mod needs;
mod path;
mod pod;
mod pod_status;
mod proxy;
mod read;
mod refusal;
mod replica_set;
mod rollout;
mod seed;
mod selector;
mod server_side;
mod state;
mod store;
mod watch;
mod write;

pub(crate) use api::answer;
pub(crate) use cluster::Cluster;
pub(crate) use logs::written;
pub(crate) use refusal::injected;
