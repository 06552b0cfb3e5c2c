//! Pipelines that deploy: workflows of GitHub Actions and pipelines of GitLab.
//!
//! The portal orders a run, follows it by its jobs, and tells where it went wrong. Invariants:
//! - Who asked for what stands at the provider: on GitHub in a deployment object made before the run, on GitLab in the pipeline's
//!   variables. So any process finds what another has ordered, and orders nothing twice that it can find.
//! - Runs of the portal are found by an id that goes along, among those made after it was asked for.
//! - An older writer is refused by what stands there. A provider has no conditional writes, so one that was asleep between its look and its order
//!   can still start a run: that run is cancelled when it is seen, or told when it has ended.
//! - Going back is another run with the earlier image.
//!
//! What cannot be promised, and why so: `docs/adr/0013-pipelines.md`.

mod config;
mod github;
mod github_read;
mod gitlab;
mod gitlab_read;
mod http;
mod model;
mod names;
mod provider;
mod state;
mod target;
mod workflow;

pub use config::{BindingConfig, ConnectionConfig, Kind};
pub use http::{Answer, GITHUB, GITLAB, Http};
pub use names::{FieldName, Label, Reference, Repository, Template, Territory, Timeout, Workflow};

use crate::base_url::BaseUrl;
use crate::{Connection, Platform, Target, TargetError};
use async_trait::async_trait;
use github::Github;
use gitlab::Gitlab;
use provider::Provider;
use std::sync::Arc;
use std::time::Duration;
use target::{Pipeline, Shared};

/// Between two looks at a run: a provider counts calls.
const BUSY: Duration = Duration::from_secs(4);
/// The same on this machine, where nobody counts.
const BUSY_HERE: Duration = Duration::from_millis(300);

/// The platform.
#[derive(Debug)]
pub struct Ci;

/// One provider, with one account.
pub struct CiConnection {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for CiConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CiConnection")
    }
}

#[async_trait]
impl Platform for Ci {
    const KIND: &'static str = "ci";
    const TITLE: &'static str = "CI pipeline";
    type ConnectionConfig = ConnectionConfig;
    type BindingConfig = BindingConfig;
    type Connection = CiConnection;

    async fn connect(config: ConnectionConfig) -> Result<CiConnection, TargetError> {
        let api = config.api()?;
        let here = config.base_url.as_ref().is_some_and(BaseUrl::is_this_machine);
        let provider: Box<dyn Provider> = match config.provider {
            Kind::Github | Kind::GithubEnterprise => Box::new(Github { http: Http::new(api, GITHUB, config.token)? }),
            Kind::Gitlab => {
                let http = Http::new(api, GITLAB, config.token)?;
                Box::new(Gitlab { http, trigger: config.trigger_token, variables: std::sync::Mutex::default() })
            }
        };
        let busy = if here { BUSY_HERE } else { BUSY };
        let logs = std::sync::Mutex::default();
        Ok(CiConnection { shared: Arc::new(Shared { provider, kind: config.provider, busy, logs }) })
    }
}

#[async_trait]
impl Connection for CiConnection {
    type Binding = BindingConfig;

    async fn check(&self) -> Result<String, TargetError> {
        self.shared.provider.check().await
    }

    fn bind(&self, binding: BindingConfig) -> Result<Arc<dyn Target>, TargetError> {
        binding.check(self.shared.kind)?;
        Ok(Arc::new(Pipeline { shared: Arc::clone(&self.shared), binding: Arc::new(binding) }))
    }
}
