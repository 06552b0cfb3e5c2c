//! The simulator over real HTTP.

mod kubernetes;
mod support;
mod swarm;
