//! Where a release runs: one trait, a registry, and one folder per platform.
//!
//! A *platform* (`kubernetes`, `docker_swarm`, ...) knows how to open a *connection* (a cluster, an engine, a project) and
//! how to bind a service to an object on it; the result is a [`Target`]. Everything a target does is idempotent, and
//! fenced where the platform can: a change carries a [`Fence`], and an older fence is refused.
//!
//! A new platform is a new folder that implements [`Platform`] and one line in [`registry::platforms`].

pub mod archive;
mod aws;
mod azure;
mod base_url;
mod bearer;
mod bundle;
mod burn;
mod canary;
mod error;
mod error_ratio;
mod fencing;
mod folder;
mod google;
pub mod guard;
mod image;
pub mod masking;
mod needs;
pub mod networks;
pub mod oci;
pub mod outbound;
mod polling;
mod registry;
mod running;
mod seconds;
mod secret;
mod target;
mod task;
mod verification;

pub mod ci;
pub mod cloud_run;
pub mod docker_swarm;
pub mod kubernetes;
pub mod static_site;

pub use burn::{BurnRate, RollBackOnBurn, WatchMinutes};
pub use canary::{Pause, Steps};
pub use error::TargetError;
pub use error_ratio::{ErrorRatio, ErrorShare};
pub use image::{ImageRef, InvalidImage, same_image};
pub use needs::{Needs, NeedsSeen, NeedsState};
pub use registry::{AnyConnection, AnyPlatform, Every, UnknownKind, platform, platforms, read_config};
pub use running::{MOST_RUNNING, Running, host_of};
pub use secret::{Secret, SecretError};
pub use target::{Applied, Change, Connection, Fence, Observation, Platform, Recorded, Rollout, Target, TargetPlan};
pub use task::{MAX_LOG_BYTES, Task, TaskSeen, TaskState};
pub use verification::{ProbeUrl, Verification};
