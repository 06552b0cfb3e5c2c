//! What people said about a deployment, for the capability that owns the deployments.

use super::GateService;
use crate::gates::store::approvals as store;
use crate::kernel::{Result, WriteTx};
use passerelle_contract::gates::{ApprovalDecision, ApprovalOut};
use sqlx::PgExecutor;
use uuid::Uuid;

impl GateService {
    /// All that was said, oldest first, void ones too.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn said(db: impl PgExecutor<'_>, deployment: Uuid) -> Result<Vec<ApprovalOut>> {
        store::of_deployment(db, deployment).await
    }

    /// Of these deployments, those about which this person has said something that counts.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn spoken(db: impl PgExecutor<'_>, by: &str, deployments: &[Uuid]) -> Result<Vec<Uuid>> {
        store::spoken(db, by, deployments).await
    }

    /// Writes down what the person of this transaction says about exactly what `fingerprint` stands for.
    ///
    /// # Errors
    /// `Conflict` when this person has said something that counts.
    pub async fn say(
        tx: &mut WriteTx,
        deployment: Uuid,
        by: &str,
        what: (ApprovalDecision, Option<&str>),
        fingerprint: &[u8],
    ) -> Result<()> {
        store::insert(tx.conn(), deployment, by, what, fingerprint).await
    }

    /// Nothing of what was said counts any more; answers how much that was.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn void_approvals(tx: &mut WriteTx, deployment: Uuid, why: &str) -> Result<u64> {
        store::void(tx.conn(), deployment, why).await
    }

    /// Who approved, without what is void.
    #[must_use]
    pub fn approvers(said: &[ApprovalOut]) -> Vec<String> {
        said.iter()
            .filter(|one| one.void.is_none() && one.decision == ApprovalDecision::Approve)
            .map(|one| one.by.clone())
            .collect()
    }
}
