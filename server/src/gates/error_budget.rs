//! The place of the error budget. The capability that measures objectives gives readings through [`BudgetSource`]; without
//! one this gate says nothing, rather than something that nobody measured.

use super::model::{Evidence, Judged};
use crate::kernel::Result;
use async_trait::async_trait;
use passerelle_contract::deployments::Verdict;
use passerelle_contract::environments::EnvironmentOut;
use passerelle_contract::gates::{GateFacts, GateMode, GatePolicy, Help};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// The ladder of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BudgetStep {
    Ok,
    Warn,
    Approval,
    Block,
}

/// What one objective says about a deployment now. No data, stale or partial data come as the step that the policy of the
/// tier gives them, with the cause in `unknown`.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetReading {
    /// The objective by its name for people.
    pub objective: String,
    pub step: BudgetStep,
    /// What is left, in percent; negative when more than all is spent.
    pub remaining_percent: f64,
    /// Why it is not known.
    pub unknown: Option<String>,
    /// When the slid window lets it through again, if that can be told.
    pub frees_at: Option<OffsetDateTime>,
}

/// Who knows the budgets. Read inside the transaction that decides.
#[async_trait]
pub trait BudgetSource: Send + Sync + std::fmt::Debug {
    /// The readings of all objectives of a service in an environment; none when it has no objective.
    async fn readings(
        &self,
        db: &mut PgConnection,
        service_id: Uuid,
        environment: &EnvironmentOut,
        now: OffsetDateTime,
    ) -> Result<Vec<BudgetReading>>;
}

pub fn judge(policy: &GatePolicy, evidence: &Evidence) -> Option<Judged> {
    let mode = policy.error_budget;
    let worst = worst(mode, evidence)?;
    let objective = worst.objective.clone();
    let remaining_percent = worst.remaining_percent;
    if let (Some(exempt), BudgetStep::Approval | BudgetStep::Block) = (evidence.outside.exempt, worst.step) {
        let facts = GateFacts::BudgetExempt { objective, remaining_percent, exempt };
        return Some(Judged::against(mode, Verdict::Warn, facts, Help::Operators));
    }
    let facts = match (&worst.unknown, worst.step) {
        (Some(why), _) => GateFacts::BudgetUnknown { objective, why: why.clone() },
        (None, BudgetStep::Ok) => GateFacts::BudgetOk { objective, remaining_percent },
        (None, BudgetStep::Warn | BudgetStep::Approval) => GateFacts::BudgetLow { objective, remaining_percent },
        (None, BudgetStep::Block) => GateFacts::BudgetSpent { objective, remaining_percent },
    };
    let verdict = match worst.step {
        BudgetStep::Ok => return Some(Judged::pass(facts)),
        BudgetStep::Warn => Verdict::Warn,
        // The approval gate waits; this one says why.
        BudgetStep::Approval => Verdict::Warn,
        BudgetStep::Block => Verdict::Block,
    };
    let help = if worst.step == BudgetStep::Approval { Help::Approvers } else { Help::Operators };
    Some(Judged::against(mode, verdict, facts, help).free_at(worst.frees_at))
}

/// Whether a budget is so low that somebody has to approve.
pub fn asks_for_approval(policy: &GatePolicy, evidence: &Evidence) -> bool {
    policy.error_budget == GateMode::Block
        && evidence.outside.exempt.is_none()
        && worst(policy.error_budget, evidence).is_some_and(|worst| worst.step == BudgetStep::Approval)
}

fn worst(mode: GateMode, evidence: &Evidence) -> Option<&BudgetReading> {
    if mode == GateMode::Off {
        return None;
    }
    evidence
        .budgets
        .as_ref()?
        .iter()
        .max_by(|a, b| a.step.cmp(&b.step).then(b.remaining_percent.total_cmp(&a.remaining_percent)))
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::evidence;
    use super::super::model::{Decided, Ruling};
    use super::*;
    use passerelle_contract::deployments::Exemption;

    fn reading(step: BudgetStep, remaining_percent: f64) -> BudgetReading {
        BudgetReading { objective: "availability".into(), step, remaining_percent, unknown: None, frees_at: None }
    }

    #[test]
    fn nothing_is_said_while_nothing_is_measured() {
        let policy = GatePolicy { error_budget: GateMode::Block, ..GatePolicy::default() };
        assert_eq!(judge(&policy, &evidence()), None);
        let none = Evidence { budgets: Some(Vec::new()), ..evidence() };
        assert_eq!(judge(&policy, &none), None, "a service without objectives");
    }

    #[test]
    fn the_worst_objective_decides() {
        let policy = GatePolicy { error_budget: GateMode::Block, ..GatePolicy::default() };
        let with = |readings| Evidence { budgets: Some(readings), ..evidence() };
        let low = with(vec![reading(BudgetStep::Ok, 80.0), reading(BudgetStep::Approval, 7.0)]);
        assert_eq!(Decided::new(policy, &low).ruling, Ruling::AwaitApproval(1));
        let spent = with(vec![reading(BudgetStep::Block, -25.0), reading(BudgetStep::Approval, 7.0)]);
        assert_eq!(judge(&policy, &spent).unwrap().verdict, Verdict::Block);
        for readings in [vec![reading(BudgetStep::Block, -25.0)], vec![reading(BudgetStep::Approval, 7.0)]] {
            let mut fix = with(readings);
            fix.outside.exempt = Some(Exemption::P0Fix);
            assert_eq!(judge(&policy, &fix).unwrap().verdict, Verdict::Warn);
            assert_eq!(Decided::new(policy, &fix).ruling, Ruling::Go, "a fix is told, and goes");
        }
        let warn = GatePolicy { error_budget: GateMode::Warn, ..policy };
        assert_eq!(Decided::new(warn, &spent).ruling, Ruling::Go);
    }
}
