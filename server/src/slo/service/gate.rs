//! What the error_budget gate asks, inside the transaction that takes the deployment's lock.

use super::super::figures::{Figures, compute, forecast};
use super::super::model::Slo;
use super::super::outward;
use super::super::store::policies::policy;
use super::SloService;
use crate::kernel::Result;
use passerelle_contract::environments::Tier;
use passerelle_contract::slo::{BudgetVerdict, SloCause, SloState};
use passerelle_slo_math as math;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

/// All budgets that have a say on deployments of a service to an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetReading {
    /// The strongest of all; `Ok` when there is no SLO.
    pub verdict: BudgetVerdict,
    /// The strongest first.
    pub slos: Vec<SloReading>,
    /// Seconds until no SLO blocks any more at the present burn; `None` when none blocks, or when that cannot be foreseen.
    pub frees_in_s: Option<u64>,
}

/// One budget with the facts that its verdict rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct SloReading {
    pub id: Uuid,
    pub name: String,
    pub title: String,
    /// Percent, as written.
    pub objective: String,
    pub window: String,
    pub verdict: BudgetVerdict,
    /// The strongest first; never empty.
    pub causes: Vec<SloCause>,
    pub state: SloState,
    /// Six exact digits.
    pub remaining: String,
    /// Bad events, and how many are allowed, in whole events rounded to the nearest.
    pub bad: String,
    pub allowed: String,
    pub burn_1h: String,
    pub data_age_s: Option<u64>,
    pub source_error: Option<String>,
    /// Seconds until this budget alone does not block.
    pub frees_in_s: Option<u64>,
}

impl SloService {
    /// Reads from our own tables only, on the caller's connection, so that a verdict and what follows from it are one transaction.
    /// Decides nothing about who asks.
    ///
    /// # Errors
    /// `Unavailable`; then nothing may be let through.
    pub async fn reading_in(
        &self,
        db: &mut PgConnection,
        service: Uuid,
        environment: Uuid,
        tier: Tier,
        now: i64,
    ) -> Result<BudgetReading> {
        let mut slos = self.definitions.of_service(&mut *db, service).await?;
        slos.retain(|slo| slo.counts_for(environment));
        if slos.is_empty() {
            return Ok(BudgetReading { verdict: BudgetVerdict::Ok, slos: Vec::new(), frees_in_s: None });
        }
        let policy = policy(&mut *db, tier).await?;
        let figures = compute(&mut *db, &slos, now).await?;
        let mut readings = Vec::with_capacity(slos.len());
        for (slo, figures) in slos.iter().zip(&figures) {
            let decision = figures.decide(&policy);
            let spent = decision.causes.contains(&math::Cause::BudgetExhausted);
            let frees_in_s =
                if spent { forecast(&mut *db, slo, figures, policy.block_at).await?.frees_in } else { None };
            readings.push(reading(slo, figures, &decision, frees_in_s));
        }
        readings.sort_by(|a, b| b.verdict.cmp(&a.verdict).then_with(|| a.name.cmp(&b.name)));
        let verdict = readings.first().map_or(BudgetVerdict::Ok, |first| first.verdict);
        let blocking = || readings.iter().filter(|reading| reading.verdict == BudgetVerdict::Block);
        // The last one to free itself; unknown as soon as one is.
        let frees_in_s = blocking()
            .map(|reading| reading.frees_in_s)
            .try_fold(0, |most, s| s.map(|s| most.max(s)))
            .filter(|s| *s > 0);
        Ok(BudgetReading { verdict, slos: readings, frees_in_s })
    }
}

fn reading(slo: &Slo, figures: &Figures, decision: &math::Decision, frees_in_s: Option<u64>) -> SloReading {
    let unit = outward::unit_ratio(slo);
    let whole = |count: math::Ratio| count.times(unit).decimal(0);
    SloReading {
        id: slo.id,
        name: slo.definition.name.clone(),
        title: slo.definition.title.clone(),
        objective: slo.definition.objective.percent(),
        window: slo.window_text(),
        verdict: outward::verdict(decision.verdict),
        causes: decision.causes.iter().copied().map(outward::cause).collect(),
        state: outward::state(figures.state),
        remaining: figures.remaining().decimal(6),
        bad: whole(math::Ratio::whole(i128::from(figures.budget.counts.bad))),
        allowed: whole(figures.budget.allowed()),
        burn_1h: figures.burn(3600).decimal(1),
        data_age_s: figures.age_s,
        source_error: figures.progress.source_error.clone(),
        frees_in_s,
    }
}
