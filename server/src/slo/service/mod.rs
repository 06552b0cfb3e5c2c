//! The use cases: reading, changing, importing, and what the gate asks.

mod around;
mod chips;
mod corrections;
mod draft;
mod edit;
mod errors;
mod gate;
mod import;
mod policies;
mod postmortems;
mod read;
mod rules;
mod since;

pub use around::BudgetAround;
pub use chips::{BudgetChip, BudgetChips};
pub use draft::name_of;
pub use errors::{Blind, Counted, Errors};
pub use gate::{BudgetReading, SloReading};
pub(super) use read::shown;
pub use since::Burnt;

use super::model::Slo;
use super::store::definitions::Definitions;
use crate::catalog::CatalogService;
use crate::environments::EnvironmentService;
use crate::kernel::{Action, AppError, Ctx, Db, Keys, Result};
use parking_lot::Mutex;
use passerelle_contract::text;
use passerelle_metrics::{MetricSource, PROMETHEUS, Prometheus};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use uuid::Uuid;

/// After this a source is opened anew, so that a credential that was changed behind a reference takes effect.
const REOPEN_AFTER: Duration = Duration::from_secs(300);

type Sources = HashMap<Uuid, (OffsetDateTime, Instant, Arc<dyn MetricSource>)>;

/// Cheap to clone; clones share open sources and read definitions.
#[derive(Debug, Clone)]
pub struct SloService {
    pub(super) db: Db,
    keys: Keys,
    catalog: Arc<CatalogService>,
    environments: EnvironmentService,
    pub(super) definitions: Definitions,
    sources: Arc<Mutex<Sources>>,
}

impl SloService {
    #[must_use]
    pub fn new(db: Db, keys: Keys, catalog: Arc<CatalogService>, environments: EnvironmentService) -> Self {
        let sources = Arc::new(Mutex::new(HashMap::new()));
        Self { db, keys, catalog, environments, definitions: Definitions::default(), sources }
    }

    /// An SLO that the caller may read.
    async fn readable(&self, ctx: &Ctx, id: Uuid) -> Result<Slo> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let absent = || AppError::not_found(format!("slo:{id}"));
        let slo = self.definitions.by_id(self.db.pool(), id).await?.ok_or_else(absent)?;
        ctx.permit(Action::SloRead, &slo.object()).map_err(|_| absent())?;
        Ok(slo)
    }

    pub(super) async fn open_source(&self, connection: Uuid) -> Result<Arc<dyn MetricSource>> {
        let row = self.environments.connection_for_id(connection).await?;
        let row = row.ok_or_else(|| AppError::NotFound(text!("connection")))?;
        if let Some((at, since, source)) = self.sources.lock().get(&row.id)
            && *at == row.updated_at
            && since.elapsed() < REOPEN_AFTER
        {
            return Ok(Arc::clone(source));
        }
        if row.kind != PROMETHEUS {
            return Err(AppError::Conflict(text!(
                "connection {name} is of kind {kind}",
                name = row.name,
                kind = row.kind
            )));
        }
        let config = serde_json::from_value(self.environments.open_config(&row).await?).map_err(AppError::internal)?;
        let source: Arc<dyn MetricSource> =
            Arc::new(Prometheus::new(config).map_err(|error| AppError::Target(error.text()))?);
        self.sources.lock().insert(row.id, (row.updated_at, Instant::now(), Arc::clone(&source)));
        Ok(source)
    }
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn at(second: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(second).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
