//! The ladder of each tier: where a budget warns, asks for approval and blocks.

use super::super::store::policies as store;
use super::SloService;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Object, Result};
use passerelle_contract::environments::Tier;
use passerelle_contract::slo::{SloPolicy, SloPolicyOut};
use passerelle_contract::{FieldError, text};
use serde_json::json;

const KIND: &str = "slo_policy";

impl SloService {
    /// The ladders, in the order of the tiers.
    ///
    /// # Errors
    /// `Unauthenticated`, `Forbidden`.
    pub async fn list_slo_policies(&self, ctx: &Ctx) -> Result<Vec<SloPolicyOut>> {
        ctx.permit(Action::GateRead, &Object::new(KIND, "*"))?;
        let ladders = store::all(self.db.pool()).await?;
        Ok(Tier::ALL.into_iter().map(|tier| SloPolicyOut { tier, policy: ladders.of(tier) }).collect())
    }

    /// Replaces the ladder of a tier. Holds for every decision that is made after it.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`.
    pub async fn put_slo_policy(&self, ctx: &Ctx, tier: Tier, policy: SloPolicy) -> Result<SloPolicyOut> {
        let authorized = self.db.authorize(ctx, Action::GatePolicyEdit, Object::new(KIND, tier.as_str())).await?;
        check(&policy)?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let before = store::row(tx.conn(), tier).await?;
        store::put(tx.conn(), tier, &policy).await?;
        tx.commit(AuditEntry::success().before(json!(before)).after(json!(policy))).await?;
        Ok(SloPolicyOut { tier, policy })
    }
}

fn check(policy: &SloPolicy) -> Result<()> {
    let mut errors = Vec::new();
    let steps = [
        ("/warn_below", policy.warn_below, 100),
        ("/approval_below", policy.approval_below, policy.warn_below),
        ("/block_at", policy.block_at, policy.approval_below),
    ];
    for (pointer, value, most) in steps {
        let most = most.clamp(-100, 100);
        if !(-100..=most).contains(&value) {
            errors.push(FieldError::new(
                pointer,
                text!("is {count}; allowed is {min} to {max}", count = value, min = -100, max = most),
            ));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_contract::slo::BudgetVerdict;

    #[test]
    fn the_steps_of_a_ladder_go_down() {
        let ladder = |warn_below, approval_below, block_at| SloPolicy {
            warn_below,
            approval_below,
            block_at,
            missing: BudgetVerdict::Warn,
        };
        for good in [ladder(25, 10, 0), ladder(0, 0, 0), ladder(100, -50, -100)] {
            assert!(check(&good).is_ok(), "{good:?}");
        }
        for (bad, wrong) in [(ladder(10, 25, 0), 1), (ladder(101, 10, 11), 2), (ladder(25, 10, -101), 1)] {
            let Err(AppError::Invalid(errors)) = check(&bad) else { panic!("{bad:?} passed") };
            assert_eq!(errors.len(), wrong, "{errors:?}");
        }
    }
}
