//! Docker Swarm through the Engine API.
//!
//! Invariants:
//! - A service's specification is read, changed and written back as JSON, so a field that we do not know survives.
//! - Every write carries the version index that was read and the labels of the [`fence`]; on a conflict everything is read and
//!   decided again.
//! - Only tasks of the version being rolled out count for its outcome. Swarm's own automatic roll back is a failed rollout.
//! - Deciding is pure ([`rollout`], [`cause`], [`change`], [`diff`]); talking is in [`engine`] alone.
//!
//! What Swarm cannot do: it sends no events about tasks, so the watch joins service and container events with a look at
//! the tasks (every 500 ms during an update). When Swarm rolls back by itself, it puts back the labels of the release before
//! as well, so the fence that is found then is the earlier one.

mod cause;
mod change;
mod config;
mod diff;
mod engine;
mod evidence;
mod fence;
mod findings;
mod frames;
mod instances;
mod model;
mod observe;
#[cfg(test)]
mod recorded;
mod rollout;
mod running;
mod spec;
mod target;
mod watch;

pub use config::{BindingConfig, ConnectionConfig, Endpoint, ServiceName, Tls};

use crate::running::{Running, in_order};
use crate::{Connection, Platform, Target, TargetError};
use async_trait::async_trait;
use engine::Engine;
use std::sync::Arc;
use target::SwarmService;

/// The platform.
#[derive(Debug)]
pub struct DockerSwarm;

/// An engine that is a manager of a Swarm.
#[derive(Debug)]
pub struct SwarmConnection {
    engine: Arc<Engine>,
}

#[async_trait]
impl Platform for DockerSwarm {
    const KIND: &'static str = "docker_swarm";
    const TITLE: &'static str = "Docker Swarm";
    const TELLS_WHAT_RUNS: bool = true;
    type ConnectionConfig = ConnectionConfig;
    type BindingConfig = BindingConfig;
    type Connection = SwarmConnection;

    async fn connect(config: ConnectionConfig) -> Result<SwarmConnection, TargetError> {
        Ok(SwarmConnection { engine: Arc::new(Engine::new(&config)?) })
    }
}

#[async_trait]
impl Connection for SwarmConnection {
    type Binding = BindingConfig;

    async fn check(&self) -> Result<String, TargetError> {
        self.engine.check().await
    }

    async fn running(&self, group: Option<&str>) -> Result<Vec<Running>, TargetError> {
        let specs = self.engine.specs().await?;
        let inside = |one: &Running| group.is_none_or(|group| one.group == group);
        Ok(in_order(specs.iter().filter_map(running::read).filter(inside).collect()))
    }

    fn bind(&self, binding: BindingConfig) -> Result<Arc<dyn Target>, TargetError> {
        Ok(Arc::new(SwarmService::new(self.engine.clone(), binding.service)))
    }
}
