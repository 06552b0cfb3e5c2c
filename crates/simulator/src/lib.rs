//! Platform APIs on loopback for the demo and the fast tests.

mod behaviour;
mod call;
mod dice;
mod faults;
mod journal;
mod kubernetes;
mod object;
mod pace;
mod patch;
mod server;
mod simulator;
mod swarm;
mod world;

pub use faults::{Faults, Only};
pub use journal::{Counts, Entry};
pub use simulator::{Simulator, serve};
pub use world::{
    ClusterWorld, EngineWorld, EnvWorld, NamespaceWorld, ProjectWorld, RunServiceWorld, SwarmServiceWorld,
    WorkloadWorld, World, WorldError,
};
