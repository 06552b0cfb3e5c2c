//! What the error budget gate reads, from the capability that measures objectives.

use crate::gates::{BudgetReading, BudgetSource, BudgetStep};
use crate::kernel::Result;
use crate::slo::{SloReading, SloService};
use async_trait::async_trait;
use passerelle_contract::environments::EnvironmentOut;
use passerelle_contract::slo::{BudgetVerdict, SloCause};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

#[derive(Debug)]
pub struct SloBudgets(pub SloService);

#[async_trait]
impl BudgetSource for SloBudgets {
    async fn readings(
        &self,
        db: &mut PgConnection,
        service_id: Uuid,
        environment: &EnvironmentOut,
        now: OffsetDateTime,
    ) -> Result<Vec<BudgetReading>> {
        let at = now.unix_timestamp();
        let read = self.0.reading_in(db, service_id, environment.id, environment.tier, at).await?;
        Ok(read.slos.into_iter().map(|slo| reading(slo, now)).collect())
    }
}

fn reading(slo: SloReading, now: OffsetDateTime) -> BudgetReading {
    let step = match slo.verdict {
        BudgetVerdict::Ok => BudgetStep::Ok,
        BudgetVerdict::Warn => BudgetStep::Warn,
        BudgetVerdict::Approval => BudgetStep::Approval,
        BudgetVerdict::Block => BudgetStep::Block,
    };
    // What decides is the step; the number is for people.
    let remaining_percent = slo.remaining.parse::<f64>().unwrap_or_default() * 100.0;
    let unknown = match slo.causes.first() {
        Some(SloCause::NoData) => Some("no_data"),
        Some(SloCause::Stale) => Some("stale"),
        Some(SloCause::Partial) => Some("partial"),
        _ => None,
    };
    BudgetReading {
        objective: format!("{} ({} %, {})", slo.title, slo.objective, slo.window),
        step,
        remaining_percent,
        unknown: unknown.filter(|_| step != BudgetStep::Ok).map(str::to_owned),
        frees_at: slo.frees_in_s.and_then(|s| i64::try_from(s).ok()).map(|s| now + Duration::seconds(s)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_contract::slo::SloState;
    use time::macros::datetime;

    fn slo(verdict: BudgetVerdict, cause: SloCause) -> SloReading {
        SloReading {
            id: Uuid::nil(),
            name: "web".into(),
            title: "Web availability".into(),
            objective: "99.9".into(),
            window: "30d".into(),
            verdict,
            causes: vec![cause],
            state: SloState::Ok,
            remaining: "-0.250000".into(),
            bad: "6".into(),
            allowed: "5".into(),
            burn_1h: "1.0".into(),
            data_age_s: Some(5),
            source_error: None,
            frees_in_s: Some(60),
        }
    }

    #[test]
    fn a_spent_budget_and_one_without_data_are_told_apart() {
        let now = datetime!(2026-11-21 12:00 UTC);
        let spent = reading(slo(BudgetVerdict::Block, SloCause::BudgetExhausted), now);
        assert_eq!((spent.step, spent.remaining_percent, spent.unknown), (BudgetStep::Block, -25.0, None));
        assert_eq!(spent.frees_at, Some(datetime!(2026-11-21 12:01 UTC)));
        let silent = reading(slo(BudgetVerdict::Block, SloCause::NoData), now);
        assert_eq!(silent.unknown.as_deref(), Some("no_data"));
    }
}
