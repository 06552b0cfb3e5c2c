//! The use cases, one file per object, and the decision that `deployments` asks for.

mod approvals;
mod freezes;
mod glass;
mod policies;
mod scans;
mod waivers;

pub use glass::{BrokenGlass, CONFIRMED_FOR};

use super::error_budget::BudgetSource;
use super::model::{Case, Decided, Evidence, Outside};
use super::store::{freezes as freeze_rows, policies as policy_rows, scans as scan_rows, waivers as waiver_rows};
use super::vulnerability::Scanned;
use crate::catalog::CatalogService;
use crate::environments::EnvironmentService;
use crate::identity::IdentityService;
use crate::kernel::{Db, Keys, Result};
use passerelle_contract::environments::Tier;
use passerelle_contract::gates::{GateMode, GatePolicy};
use sqlx::PgConnection;
use std::sync::{Arc, OnceLock};

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct GateService {
    db: Db,
    keys: Keys,
    catalog: Arc<CatalogService>,
    environments: EnvironmentService,
    identity: IdentityService,
    budgets: Arc<OnceLock<Arc<dyn BudgetSource>>>,
}

impl GateService {
    #[must_use]
    pub fn new(
        db: Db,
        keys: Keys,
        catalog: Arc<CatalogService>,
        environments: EnvironmentService,
        identity: IdentityService,
    ) -> Self {
        Self { db, keys, catalog, environments, identity, budgets: Arc::default() }
    }

    /// Says who knows the error budgets. Only the first call counts; before it the gate says nothing.
    pub fn set_budgets(&self, source: Arc<dyn BudgetSource>) {
        drop(self.budgets.set(source));
    }

    /// Decides whether something may be deployed now. With `hold` the policy, the freezes, the waivers and the reports stay as
    /// they are until the end of the caller's transaction.
    ///
    /// # Errors
    /// When a fact cannot be read: then nothing may be deployed either.
    pub async fn decide(
        &self,
        db: &mut PgConnection,
        hold: bool,
        case: &Case<'_>,
        outside: Outside,
    ) -> Result<Decided> {
        let (policy, now) = policy_rows::read(db, case.environment.tier, hold).await?;
        let freezes = if policy.freeze == GateMode::Off {
            Vec::new()
        } else {
            let reaches = freeze_rows::Reaches {
                team: case.service.team.as_deref(),
                environment: &case.environment.name,
                service: &case.service.key,
            };
            freeze_rows::standing(db, reaches).await?
        };
        let scanned = if case.artifact && policy.vulnerability.mode != GateMode::Off {
            let scan = match case.release_id {
                Some(release) => scan_rows::of_release(&mut *db, release).await?,
                None => None,
            };
            Some(Scanned { scan: scan.map(|scan| scan.scan), waivers: waiver_rows::active(db, case.service_id).await? })
        } else {
            None
        };
        let budgets = match self.budgets.get() {
            Some(source) if policy.error_budget != GateMode::Off => {
                Some(source.readings(db, case.service_id, case.environment, now).await?)
            }
            _ => None,
        };
        Ok(Decided::new(policy, &Evidence { now, outside, freezes, scanned, budgets }))
    }

    /// The policy of a tier as it is now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn policy(&self, tier: Tier) -> Result<GatePolicy> {
        let mut connection = self.db.pool().acquire().await?;
        Ok(policy_rows::read(&mut connection, tier, false).await?.0)
    }
}
