//! Google Cloud Run through the Admin API v2.
//!
//! Invariants:
//! - A service is read, changed and patched as JSON with the `etag` that was read; a conflict means read and decide again.
//! - One write makes one new revision, named after deployment and change. Traffic goes to the latest revision, which Cloud Run
//!   moves only when that revision is ready: a revision that fails never serves.
//! - With canary steps the same write pins the traffic to the revision that serves; when the new one is ready each step is one more
//!   conditional write. Where it stands is an annotation beside the traffic, so that any process goes on from there.
//! - A migration job runs before: the write that begins it touches annotations only, the job is started by one conditional write that
//!   names its execution, and only its success makes the revision.
//! - Going back moves traffic to the earlier revision while that exists, else its template is applied again.
//!
//! The API has no watch (so it is asked again), no instance count (a revision is the instance here) and no logs.

mod api;
mod canary;
mod change;
mod config;
mod fence;
mod migrate;
mod migration;
mod running;
mod state;
mod target;

pub use config::{BindingConfig, ConnectionConfig, Name};
pub use migration::Limit;

use crate::running::{MOST_RUNNING, Running, in_order};
use crate::{Connection, Platform, Target, TargetError};
use api::Api;
use async_trait::async_trait;
use std::sync::Arc;
use target::RunService;

/// The platform.
#[derive(Debug)]
pub struct CloudRun;

/// One region of one project.
#[derive(Debug)]
pub struct CloudRunConnection {
    api: Arc<Api>,
}

#[async_trait]
impl Platform for CloudRun {
    const KIND: &'static str = "cloud_run";
    const TITLE: &'static str = "Google Cloud Run";
    const TELLS_WHAT_RUNS: bool = true;
    type ConnectionConfig = ConnectionConfig;
    type BindingConfig = BindingConfig;
    type Connection = CloudRunConnection;

    async fn connect(config: ConnectionConfig) -> Result<CloudRunConnection, TargetError> {
        Ok(CloudRunConnection { api: Arc::new(Api::new(config)?) })
    }
}

#[async_trait]
impl Connection for CloudRunConnection {
    type Binding = BindingConfig;

    async fn check(&self) -> Result<String, TargetError> {
        self.api.check().await
    }

    /// A project has no groups: all of its region is told.
    async fn running(&self, _group: Option<&str>) -> Result<Vec<Running>, TargetError> {
        let services = self.api.services(MOST_RUNNING).await?;
        Ok(in_order(services.iter().filter_map(running::read).collect()))
    }

    fn bind(&self, binding: BindingConfig) -> Result<Arc<dyn Target>, TargetError> {
        Ok(Arc::new(RunService { api: self.api.clone(), binding }))
    }
}
