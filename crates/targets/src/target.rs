//! The traits that every platform implements, and the values that pass through them.

use crate::TargetError;
use crate::guard::Guard;
use crate::needs::{Needs, NeedsSeen, NeedsState};
use crate::running::{Running, not_told};
use crate::task::{Task, TaskSeen};
use async_trait::async_trait;
use futures::stream::BoxStream;
use passerelle_contract::deployments::{
    DiffLine, Drift, EnvVar, Failure, Finding, Health, Instance, ManifestBundle, Replicas, Surroundings,
};
use passerelle_contract::{Text, text};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Who writes to the target. A write with an epoch lower than the one found there (same deployment), or by a deployment that
/// is older than the one found there (deployment ids are UUID v7, so they sort by age), is refused as [`TargetError::Fenced`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fence {
    pub deployment: Uuid,
    /// Raised at each take-over of the deployment by another process.
    pub epoch: i64,
}

/// What to change on the target. Applying the same change with the same fence again changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Change {
    /// Run this image, everything else as it is; where the binding applies manifests, as those of the release say.
    Image {
        image: String,
        /// The release's manifests. Targets that apply none leave them alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        manifests: Option<ManifestBundle>,
    },
    /// Run exactly what was recorded: image, configuration and number of instances.
    Restore {
        recorded: Recorded,
    },
    /// Run the version that was recorded, image and configuration, with as many instances as now.
    RestoreVersion {
        recorded: Recorded,
    },
    /// Replace all instances by new ones of the same version.
    Restart,
    Scale {
        replicas: u32,
    },
}

/// The part of the target that a deployment may change, as the platform wrote it, enough to put it back later.
/// Opaque outside the adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recorded(pub serde_json::Value);

/// Whether what was asked for has come true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Rollout {
    Progressing,
    /// All instances run the asked version and are ready.
    Complete,
    /// It will not come true without another change: the cause is certain (deadline of the platform passed, image
    /// missing, configuration key missing, crash loop, ...).
    Failed {
        failure: Failure,
    },
}

/// What runs now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Image as the platform has it, with the digest when it knows one.
    pub image: String,
    pub replicas: Replicas,
    pub instances: Vec<Instance>,
    pub env: Vec<EnvVar>,
    pub rollout: Rollout,
    pub health: Health,
    /// Why it is not healthy, in a few words.
    pub health_message: Option<Text>,
    /// The write that made what runs now, if it was ours.
    pub fence: Option<Fence>,
    pub recorded: Recorded,
}

/// What a change would do, computed without doing it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetPlan {
    pub diff: Vec<DiffLine>,
    /// Environment variables after the change.
    pub env: Vec<EnvVar>,
    pub findings: Vec<Finding>,
}

/// The platform accepted a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// What was there before, to revert to.
    pub before: Recorded,
    /// The change was there already (same fence), so nothing was written.
    pub unchanged: bool,
    /// One sentence for the step's log.
    pub message: Text,
}

/// One service in one environment on one platform.
#[async_trait]
pub trait Target: Send + Sync {
    /// What runs now, in one look.
    async fn observe(&self) -> Result<Observation, TargetError>;

    /// What runs, now and after each change, pushed by the platform where it can push. The first item is the present state.
    /// The stream ends with an error when the connection breaks; the caller opens it again.
    fn watch(&self) -> BoxStream<'static, Result<Observation, TargetError>>;

    /// Computes the difference and the findings of a change, without side effect.
    async fn plan(&self, change: &Change) -> Result<TargetPlan, TargetError>;

    /// Writes the change, fenced. When the object already carries this fence with this change, answers `unchanged`.
    async fn apply(&self, change: &Change, fence: Fence) -> Result<Applied, TargetError>;

    /// The failure for which the platform itself has put back what was written in the last `period`, when it did. Whoever takes over
    /// after a write would otherwise see what ran before, and write a second time.
    async fn undone(&self, _period: Duration) -> Result<Option<Failure>, TargetError> {
        Ok(None)
    }

    /// How long a rollout pauses on purpose when it comes true in stages, which [`Target::advance`] takes; nothing when a write is all it needs.
    async fn stages(&self) -> Result<Option<Duration>, TargetError> {
        Ok(None)
    }

    /// Takes the next stage of this writer's rollout when it is due, fenced, and says which; nothing when none is due. Where the
    /// rollout stands is read from the platform, so any process may go on with it. Unless it is `agreed`, the new version gets no greater
    /// share of what serves than it has; whatever else is due is done all the same.
    async fn advance(&self, fence: Fence, agreed: bool) -> Result<Option<Text>, TargetError> {
        let _ = (fence, agreed);
        Ok(None)
    }

    /// Whether [`Target::settle`] may have something to take away.
    fn settles(&self) -> bool {
        false
    }

    /// Takes away what the version before needed and this one does not, once this one runs and is healthy; fenced. Says what went, and
    /// nothing when there was nothing. What stays behind for a reason is found again by the next deployment.
    async fn settle(&self, fence: Fence) -> Result<Option<Text>, TargetError> {
        let _ = fence;
        Ok(None)
    }

    /// Writes down at the platform how this deployment ended, where it keeps such a record. Called after the end, any number of times.
    async fn conclude(&self, fence: Fence) -> Result<(), TargetError> {
        let _ = fence;
        Ok(())
    }

    /// The last lines of an instance's log (of the run before, when it is restarting).
    async fn logs(&self, instance: &str, lines: u32) -> Result<Vec<String>, TargetError>;

    /// What is around it: what scales it, leads to it, limits it. Nothing on platforms that do not tell.
    async fn surroundings(&self) -> Result<Surroundings, TargetError> {
        Ok(Surroundings::default())
    }

    /// Where what runs differs from what was recorded after a deployment.
    async fn drift(&self, deployed: &Recorded) -> Result<Vec<Drift>, TargetError> {
        // What putting it back would change, the other way round.
        let back = self.plan(&Change::RestoreVersion { recorded: deployed.clone() }).await?.diff;
        let turned = |line: DiffLine| {
            let words = |value: Option<Text>| value.map(|value| value.to_string());
            Drift { field: line.field, deployed: words(line.after), runs: words(line.before), by: None, at: None }
        };
        Ok(back.into_iter().map(turned).collect())
    }

    /// What else has to be ready before a new version is applied here. Does not talk to the platform.
    fn needs(&self) -> Option<Needs> {
        None
    }

    /// Whether it is ready, in one look without an effect.
    async fn look_at_needs(&self) -> Result<NeedsSeen, TargetError> {
        Ok(NeedsSeen { state: NeedsState::Ready, message: text!("nothing is waited for here") })
    }

    /// What has to run to its end before a new version is applied here. Does not talk to the platform.
    fn task(&self) -> Option<Task> {
        None
    }

    /// What the task of a change would do and what speaks against it, without side effect; `env` stays empty.
    async fn plan_task(&self, _change: &Change) -> Result<TargetPlan, TargetError> {
        Ok(TargetPlan { diff: Vec::new(), env: Vec::new(), findings: Vec::new() })
    }

    /// Starts the task for a change, fenced; finds the one that this deployment has started. What an earlier deployment left is
    /// taken away first.
    async fn start_task(&self, _change: &Change, _fence: Fence) -> Result<(), TargetError> {
        Err(no_task())
    }

    /// How the task of this deployment is doing; [`TargetError::Missing`] when it is gone.
    async fn look_at_task(&self, _fence: Fence) -> Result<TaskSeen, TargetError> {
        Err(no_task())
    }

    /// Takes away what the task of this deployment has left, and nothing of another's. Nothing there is fine.
    async fn clear_task(&self, _fence: Fence) -> Result<(), TargetError> {
        Ok(())
    }
}

fn no_task() -> TargetError {
    TargetError::Refused(text!("nothing runs before a deployment here"))
}

/// An open connection to a platform.
#[async_trait]
pub trait Connection: Send + Sync + 'static {
    type Binding;

    /// Tries the connection and says what answered, for example `Kubernetes v1.33.1`.
    async fn check(&self) -> Result<String, TargetError>;

    /// What runs there and could be bound, within a namespace or a stack when one is named. Nothing is changed.
    async fn running(&self, _group: Option<&str>) -> Result<Vec<Running>, TargetError> {
        Err(not_told())
    }

    /// Binds a service to an object. Does not talk to the platform.
    fn bind(&self, binding: Self::Binding) -> Result<Arc<dyn Target>, TargetError>;
}

/// A kind of target.
#[async_trait]
pub trait Platform: Send + Sync + 'static {
    /// Text in the database and in the API.
    const KIND: &'static str;
    /// Name as people write it.
    const TITLE: &'static str;
    /// Whether what is deployed is an image of a container registry.
    const RUNS_IMAGES: bool = true;
    /// Whether [`Connection::running`] is answered.
    const TELLS_WHAT_RUNS: bool = false;
    type ConnectionConfig: DeserializeOwned + JsonSchema + Send;
    type BindingConfig: DeserializeOwned + JsonSchema + Send;
    type Connection: Connection<Binding = Self::BindingConfig>;

    /// Opens a connection; reads secrets, but may leave the first network call to [`Connection::check`].
    async fn connect(config: Self::ConnectionConfig) -> Result<Self::Connection, TargetError>;

    /// The same for a platform that also fetches from addresses that releases name; `guard` says where those may lead.
    async fn connect_through(config: Self::ConnectionConfig, guard: Guard) -> Result<Self::Connection, TargetError> {
        drop(guard);
        Self::connect(config).await
    }
}
