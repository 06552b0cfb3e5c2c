#![doc = include_str!("../README.md")]

mod behaviour;
mod call;
mod ci;
mod cloud_run;
mod dice;
mod faults;
mod journal;
mod kubernetes;
mod object;
mod pace;
mod patch;
mod prometheus;
mod server;
mod simulator;
mod storage;
mod swarm;
mod traps;
mod world;

pub use faults::{Faults, Only};
pub use journal::{Counts, Entry};
pub use simulator::{Simulator, serve};
pub use traps::{Side, Trap};
pub use world::{
    BucketWorld, ClusterWorld, EngineWorld, EnvWorld, GithubRepositoryWorld, GitlabProjectWorld, IncidentWorld,
    MetricsWorld, NamespaceWorld, PipelineJobWorld, ProjectWorld, RunServiceWorld, SwarmServiceWorld, TrafficWorld,
    WorkflowWorld, WorkloadWorld, World, WorldError,
};
