//! What a deployment left of the budgets: before it began, and after it.

use super::super::figures::{Asked, Figures, compute, corrected_each};
use super::super::model::Slo;
use super::super::store::samples::Running;
use super::read::period_start;
use super::{SloService, now};
use crate::kernel::{Action, Ctx, Result, decide};
use passerelle_slo_math::Budget;
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
        let figures = compute(&mut db, &slos, now()).await?;
        let measured: Vec<(&Slo, Asked<'_>)> = slos
            .iter()
            .zip(&figures)
            .filter_map(|(slo, figures)| {
                let minutes = at_both(slo, figures, from, to)?;
                Some((slo, Asked { slo: slo.id, minutes, corrections: &figures.corrections }))
            })
            .collect();
        let (slos, asked): (Vec<&Slo>, Vec<Asked<'_>>) = measured.into_iter().unzip();
        let totals = corrected_each(&mut db, &asked).await?;
        Ok(slos.into_iter().zip(totals).filter_map(|(slo, totals)| left(slo, &totals)).collect())
    }
}

/// The ends of two periods, each followed by where it began; nothing when it was not measured yet before the first moment.
fn at_both(slo: &Slo, figures: &Figures, from: OffsetDateTime, to: OffsetDateTime) -> Option<Vec<i64>> {
    let step = slo.step_minutes();
    let minute =
        |at: OffsetDateTime| at.unix_timestamp().div_euclid(60).min(figures.end_minute).div_euclid(step) * step;
    let (before, after) = (minute(from), minute(to));
    figures.progress.first_minute.filter(|first| *first < before)?;
    Some(vec![before, period_start(slo, before * 60), after, period_start(slo, after * 60)])
}

fn left(slo: &Slo, totals: &[Running]) -> Option<BudgetAround> {
    let [before, before_start, after, after_start] = totals else { return None };
    let left = |end: &Running, start: &Running| {
        Budget::new(slo.definition.objective, end.since(*start).counts).remaining().to_f64()
    };
    Some(BudgetAround {
        id: slo.id,
        title: slo.definition.title.clone(),
        before: left(before, before_start),
        after: left(after, after_start),
    })
}
