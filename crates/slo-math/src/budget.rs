//! What is left of a budget.

use crate::{Counts, Objective, Ratio};

/// An objective with the events of its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub objective: Objective,
    pub counts: Counts,
}

impl Budget {
    #[must_use]
    pub const fn new(objective: Objective, counts: Counts) -> Self {
        Self { objective, counts }
    }

    /// `E = bad / total`; `None` without traffic.
    #[must_use]
    pub fn error_ratio(&self) -> Option<Ratio> {
        error_ratio(self.counts)
    }

    /// How many events may be bad: `B * total`, in the unit of the counts.
    #[must_use]
    pub fn allowed(&self) -> Ratio {
        self.objective.budget_ratio().times(Ratio::whole(i128::from(self.counts.total)))
    }

    /// `B * total - bad`, in the unit of the counts; negative when more was spent than allowed.
    #[must_use]
    pub fn left(&self) -> Ratio {
        self.allowed().minus(Ratio::whole(i128::from(self.counts.bad)))
    }

    /// `C = E / B`; 0 without traffic, because nothing burns nothing.
    #[must_use]
    pub fn consumed(&self) -> Ratio {
        burn_rate(self.objective, self.counts)
    }

    /// `R = 1 - C`, not clamped.
    #[must_use]
    pub fn remaining(&self) -> Ratio {
        Ratio::ONE.minus(self.consumed())
    }

    /// `R <= 0`.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.remaining() <= Ratio::ZERO
    }

    /// The budget as time: `B * period`, in seconds, for events that come evenly.
    #[must_use]
    pub fn allowed_seconds(&self, period_s: u64) -> Ratio {
        self.objective.budget_ratio().times(Ratio::whole(i128::from(period_s)))
    }
}

fn error_ratio(counts: Counts) -> Option<Ratio> {
    match (counts.bad, counts.total) {
        (0, 0) => None,
        // Bad events without any event: all of them.
        (_, 0) => Some(Ratio::ONE),
        (bad, total) => Some(Ratio::new(i128::from(bad), i128::from(total))),
    }
}

/// `BR(w) = E(w) / B`: 1 spends exactly the budget in the period. 0 without traffic.
#[must_use]
pub fn burn_rate(objective: Objective, counts: Counts) -> Ratio {
    let per_budget = objective.budget_ratio().inverse().unwrap_or(Ratio::ONE);
    error_ratio(counts).unwrap_or(Ratio::ZERO).times(per_budget)
}
