//! What access and audit need to know of services and environments, although both stand to the right of them.
//!
//! The portal's composition implements this over the services of `catalog` and `environments`.

use super::{Object, ReadScope, Result};

/// Looks objects and scopes up without asking for permission: what it answers is only used to decide.
#[async_trait::async_trait]
pub trait Directory: Send + Sync + std::fmt::Debug {
    /// The object of a question such as "may I deploy this service to that environment". Both absent: the portal as a whole.
    async fn object(&self, service: Option<&str>, environment: Option<&str>) -> Result<Object>;

    /// The keys (`namespace/name`) of the services in a scope; not asked for [`ReadScope::All`].
    async fn services_in(&self, scope: &ReadScope) -> Result<Vec<String>>;

    /// The names of the environments of these tiers.
    async fn environments_in(&self, tiers: &[String]) -> Result<Vec<String>>;
}
