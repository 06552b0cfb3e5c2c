//! What a deployment left of the budgets: before it began, and after it.

use super::super::figures::{compute, corrected};
use super::super::model::Slo;
use super::super::store::samples::Running;
use super::read::period_start;
use super::{SloService, now};
use crate::kernel::{Action, Ctx, Result, decide};
use passerelle_slo_math::Budget;
use sqlx::postgres::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// One budget at two moments, each over the period that ended then.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetAround {
    pub id: Uuid,
    pub title: String,
    /// Shares that were left.
    pub before: f64,
    pub after: f64,
}

impl SloService {
    /// The measured budgets that have a say on deployments of a service to an environment, at two moments.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn around(
        &self,
        ctx: &Ctx,
        service: &str,
        environment: &str,
        from: OffsetDateTime,
        to: OffsetDateTime,
    ) -> Result<Vec<BudgetAround>> {
        let service = self.catalog.service_for(ctx, service)?;
        let mut slos = self.definitions.of_service(self.db.pool(), service.id).await?;
        slos.retain(|slo| slo.environment.as_ref().is_none_or(|(_, own)| own.name == environment));
        slos.retain(|slo| decide(ctx, Action::SloRead, &slo.object()).allowed);
        let mut db = self.db.pool().acquire().await?;
        let mut all = Vec::with_capacity(slos.len());
        for slo in &slos {
            if let Some(one) = at_both(&mut db, slo, from, to).await? {
                all.push(one);
            }
        }
        Ok(all)
    }
}

/// Nothing when it was not measured yet before the first moment.
async fn at_both(
    db: &mut PgConnection,
    slo: &Slo,
    from: OffsetDateTime,
    to: OffsetDateTime,
) -> Result<Option<BudgetAround>> {
    let Some(figures) = compute(db, std::slice::from_ref(slo), now()).await?.pop() else { return Ok(None) };
    let step = slo.step_minutes();
    let minute =
        |at: OffsetDateTime| at.unix_timestamp().div_euclid(60).min(figures.end_minute).div_euclid(step) * step;
    let (before, after) = (minute(from), minute(to));
    if figures.progress.first_minute.is_none_or(|first| first >= before) {
        return Ok(None);
    }
    let minutes = [before, period_start(slo, before * 60), after, period_start(slo, after * 60)];
    let totals = corrected(db, slo.id, &minutes, &figures.corrections).await?;
    let [before, before_start, after, after_start] = totals.as_slice() else { return Ok(None) };
    let left = |end: &Running, start: &Running| {
        Budget::new(slo.definition.objective, end.since(*start).counts).remaining().to_f64()
    };
    Ok(Some(BudgetAround {
        id: slo.id,
        title: slo.definition.title.clone(),
        before: left(before, before_start),
        after: left(after, after_start),
    }))
}
