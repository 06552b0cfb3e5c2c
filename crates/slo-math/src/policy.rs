//! From a budget to a verdict on a deployment.

use crate::{Ratio, State};

/// Data older than this, in seconds, is stale.
pub const STALE_AFTER_S: u64 = 300;

/// In the order of how much they hinder. Its words are on the wire, in `BudgetVerdict` of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    Ok,
    Warn,
    Approval,
    Block,
}

/// Where the ladder's steps are, for one tier of environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Remaining below this: warn.
    pub warn_below: Ratio,
    /// Remaining below this: somebody must approve.
    pub approval_below: Ratio,
    /// Remaining at or below this: blocked.
    pub block_at: Ratio,
    /// The least verdict when data is missing, stale or partial.
    pub missing: Verdict,
}

impl Policy {
    /// 25 %, 10 %, 0; missing data blocks.
    #[must_use]
    pub const fn production() -> Self {
        Self {
            warn_below: Ratio::percent(25),
            approval_below: Ratio::percent(10),
            block_at: Ratio::ZERO,
            missing: Verdict::Block,
        }
    }

    /// The same ladder; missing data warns.
    #[must_use]
    pub const fn elsewhere() -> Self {
        Self { missing: Verdict::Warn, ..Self::production() }
    }

    /// The verdict on the budget alone.
    #[must_use]
    pub fn on_budget(&self, remaining: Ratio) -> Verdict {
        if remaining <= self.block_at {
            Verdict::Block
        } else if remaining < self.approval_below {
            Verdict::Approval
        } else if remaining < self.warn_below {
            Verdict::Warn
        } else {
            Verdict::Ok
        }
    }

    /// The level that the budget must exceed to leave a verdict.
    #[must_use]
    pub const fn level_of(&self, verdict: Verdict) -> Option<Ratio> {
        match verdict {
            Verdict::Ok => None,
            Verdict::Warn => Some(self.warn_below),
            Verdict::Approval => Some(self.approval_below),
            Verdict::Block => Some(self.block_at),
        }
    }
}

/// What is known of one SLO now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub remaining: Ratio,
    pub state: State,
    /// Age of the newest sample in seconds; `None` when there is none.
    pub age_s: Option<u64>,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    BudgetLeft,
    BudgetLow,
    BudgetExhausted,
    NoTraffic,
    NoData,
    Stale,
    Partial,
}

impl Cause {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BudgetLeft => "budget_left",
            Self::BudgetLow => "budget_low",
            Self::BudgetExhausted => "budget_exhausted",
            Self::NoTraffic => "no_traffic",
            Self::NoData => "no_data",
            Self::Stale => "stale",
            Self::Partial => "partial",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub verdict: Verdict,
    /// The strongest first; never empty.
    pub causes: Vec<Cause>,
}

/// Missing data can only add to the budget's verdict, never take away from it.
#[must_use]
pub fn decide(policy: &Policy, reading: &Reading) -> Decision {
    let on_budget = policy.on_budget(reading.remaining);
    let budget_cause = match on_budget {
        Verdict::Block => Cause::BudgetExhausted,
        Verdict::Approval | Verdict::Warn => Cause::BudgetLow,
        Verdict::Ok if reading.state == State::NoTraffic => Cause::NoTraffic,
        Verdict::Ok => Cause::BudgetLeft,
    };
    let missing = match (reading.state, reading.age_s) {
        (State::NoData, _) | (_, None) => Some(Cause::NoData),
        (_, Some(age)) if age > STALE_AFTER_S => Some(Cause::Stale),
        (State::Partial, _) => Some(Cause::Partial),
        (State::Ok | State::NoTraffic, _) => None,
    };
    let Some(missing) = missing else { return Decision { verdict: on_budget, causes: vec![budget_cause] } };
    let causes = match (on_budget, policy.missing) {
        (Verdict::Ok, _) => vec![missing],
        (budget, missing_verdict) if missing_verdict > budget => vec![missing, budget_cause],
        _ => vec![budget_cause, missing],
    };
    Decision { verdict: on_budget.max(policy.missing), causes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn fresh(remaining: Ratio) -> Reading {
        Reading { remaining, state: State::Ok, age_s: Some(30) }
    }

    #[test]
    fn the_ladder_has_its_steps_where_they_are_written() {
        let verdict = |per_mille| decide(&Policy::production(), &fresh(Ratio::new(per_mille, 1000))).verdict;
        assert_eq!([250, 249, 100, 99, 1, 0, -5].map(verdict), {
            use Verdict::{Approval, Block, Ok, Warn};
            [Ok, Warn, Warn, Approval, Approval, Block, Block]
        });
    }

    #[test]
    fn missing_data_blocks_production_and_warns_elsewhere() {
        let (production, elsewhere) = (Policy::production(), Policy::elsewhere());
        for (state, age_s, cause) in [
            (State::NoData, None, Cause::NoData),
            (State::Ok, Some(301), Cause::Stale),
            (State::Partial, Some(10), Cause::Partial),
        ] {
            let reading = Reading { remaining: Ratio::ONE, state, age_s };
            assert_eq!(decide(&production, &reading), Decision { verdict: Verdict::Block, causes: vec![cause] });
            assert_eq!(decide(&elsewhere, &reading), Decision { verdict: Verdict::Warn, causes: vec![cause] });
        }
        assert_eq!(decide(&production, &Reading { age_s: Some(300), ..fresh(Ratio::ONE) }).verdict, Verdict::Ok);
        let idle = Reading { state: State::NoTraffic, ..fresh(Ratio::ONE) };
        assert_eq!(decide(&production, &idle), Decision { verdict: Verdict::Ok, causes: vec![Cause::NoTraffic] });
    }

    proptest! {
        #[test]
        fn missing_data_never_helps(per_mille in -2000_i128..1000, state in 0_usize..4, age in prop::option::of(0_u64..1000)) {
            let state = [State::Ok, State::NoTraffic, State::Partial, State::NoData][state];
            for policy in [Policy::production(), Policy::elsewhere()] {
                let known = decide(&policy, &fresh(Ratio::new(per_mille, 1000)));
                let doubtful = decide(&policy, &Reading { remaining: Ratio::new(per_mille, 1000), state, age_s: age });
                prop_assert!(doubtful.verdict >= known.verdict);
                prop_assert!(!doubtful.causes.is_empty());
            }
        }
    }
}
