//! Whether a binding is in use. Deployments come after this capability and may not be called from it, so they answer through a
//! trait.

use crate::kernel::Result;
use async_trait::async_trait;
use sqlx::PgConnection;
use uuid::Uuid;

/// Implemented by the capability that runs deployments.
#[async_trait]
pub trait BusyBindings: Send + Sync + std::fmt::Debug {
    /// The active deployment through a binding, seen from inside a transaction that has locked the binding's row: one that
    /// begins now waits for that lock.
    async fn holder(&self, db: &mut PgConnection, binding: Uuid) -> Result<Option<Uuid>>;
}
