//! The simulator over real HTTP.

mod cloud_run;
mod demo;
mod kubernetes;
mod support;
mod swarm;
