//! Budgets in a few words for pages of many services, as the last pass noted them.

use super::super::store::list::{Noted, noted};
use super::super::store::policies::all;
use super::SloService;
use crate::kernel::Result;
use passerelle_contract::environments::EnvironmentOut;
use passerelle_contract::slo::{BudgetVerdict, SloPolicy, SloState};
use std::collections::HashMap;
use uuid::Uuid;

/// The budget that hinders deployments of a service to an environment most.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetChip {
    pub slo: Uuid,
    pub title: String,
    /// Share that is left.
    pub remaining: f64,
    pub verdict: BudgetVerdict,
    pub state: SloState,
}

/// By service and name of the environment.
pub type BudgetChips = HashMap<(Uuid, String), BudgetChip>;

impl SloService {
    /// For services that the caller was shown. What a gate decides is computed anew; this is at most a pass old.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn chips(&self, services: &[Uuid], environments: &[EnvironmentOut]) -> Result<BudgetChips> {
        let ladders = all(self.db.pool()).await?;
        let mut chips = BudgetChips::new();
        for one in noted(self.db.pool(), services).await? {
            for place in environments {
                if one.environment.as_ref().is_some_and(|own| *own != place.name) {
                    continue;
                }
                let chip = chip(&one, &ladders.of(place.tier));
                let known = chips.entry((one.service_id, place.name.clone())).or_insert_with(|| chip.clone());
                // They come with the least left first, so only a stronger verdict takes the place.
                if chip.verdict > known.verdict {
                    *known = chip;
                }
            }
        }
        Ok(chips)
    }
}

fn chip(one: &Noted, ladder: &SloPolicy) -> BudgetChip {
    let percent = one.remaining * 100.0;
    let on_budget = if percent <= f64::from(ladder.block_at) {
        BudgetVerdict::Block
    } else if percent < f64::from(ladder.approval_below) {
        BudgetVerdict::Approval
    } else if percent < f64::from(ladder.warn_below) {
        BudgetVerdict::Warn
    } else {
        BudgetVerdict::Ok
    };
    let (state, verdict) = match one.state.as_str() {
        "ok" => (SloState::Ok, on_budget),
        "no_traffic" => (SloState::NoTraffic, on_budget),
        "partial" => (SloState::Partial, on_budget.max(ladder.missing)),
        _ => (SloState::NoData, on_budget.max(ladder.missing)),
    };
    BudgetChip { slo: one.id, title: one.title.clone(), remaining: one.remaining, verdict, state }
}
