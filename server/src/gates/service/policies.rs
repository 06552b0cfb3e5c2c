//! Policies of the tiers.

use super::GateService;
use crate::environments::{Etag, IfMatch};
use crate::gates::preflight::{self, Look};
use crate::gates::store::policies as store;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Object, Result};
use passerelle_contract::deployments::GateOut;
use passerelle_contract::environments::Tier;
use passerelle_contract::gates::{GatePolicy, GatePolicyOut, kinds};
use passerelle_contract::{FieldError, text};
use serde_json::json;

const MAX_HEALTHY_MINUTES: u32 = 10_080;
const MAX_APPROVALS: u8 = 5;

impl Etag for GatePolicyOut {
    fn etag(&self) -> String {
        format!("\"{}-{}\"", self.tier.as_str(), self.updated_at.unix_timestamp_nanos())
    }
}

impl GateService {
    /// What the gate says about a look at the target, under a policy; `None` when it is not asked.
    #[must_use]
    pub fn judge_look(policy: &GatePolicy, look: Look) -> Option<GateOut> {
        preflight::verdict(policy, &look).map(|judged| judged.into_out(kinds::PREFLIGHT))
    }

    /// What each tier asks for.
    ///
    /// # Errors
    /// `Unauthenticated`, `Forbidden`.
    pub async fn list_policies(&self, ctx: &Ctx) -> Result<Vec<GatePolicyOut>> {
        ctx.permit(Action::GateRead, &Object::new("gate_policy", "*"))?;
        store::list(self.db.pool()).await
    }

    /// What one tier asks for.
    ///
    /// # Errors
    /// `Unauthenticated`, `Forbidden`.
    pub async fn get_policy(&self, ctx: &Ctx, tier: Tier) -> Result<GatePolicyOut> {
        ctx.permit(Action::GateRead, &Object::new("gate_policy", tier.as_str()))?;
        store::get(self.db.pool(), tier).await
    }

    /// Replaces the policy of a tier. Holds for every decision that is made after it.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `Conflict` when it is another version now.
    pub async fn put_policy(
        &self,
        ctx: &Ctx,
        tier: Tier,
        policy: GatePolicy,
        if_match: &IfMatch,
    ) -> Result<GatePolicyOut> {
        let object = Object::new("gate_policy", tier.as_str());
        let authorized = self.db.authorize(ctx, Action::GatePolicyEdit, object).await?;
        check(&policy)?;
        let mut tx = self.db.write(ctx, authorized).await?;
        store::exclude_decisions(tx.conn()).await?;
        let before = store::get(tx.conn(), tier).await?;
        if_match.check(&before)?;
        store::update(tx.conn(), tier, &policy, &ctx.principal().name).await?;
        let after = store::get(tx.conn(), tier).await?;
        tx.commit(AuditEntry::success().before(json!(before.policy)).after(json!(after.policy))).await?;
        Ok(after)
    }
}

fn check(policy: &GatePolicy) -> Result<()> {
    let mut errors = Vec::new();
    let minutes = policy.promotion_order.healthy_minutes;
    if minutes > MAX_HEALTHY_MINUTES {
        let message =
            text!("is {count}; allowed is {min} to {max}", count = minutes, min = 0, max = MAX_HEALTHY_MINUTES);
        errors.push(FieldError::new("/promotion_order/healthy_minutes", message));
    }
    let needed = policy.approval.needed;
    if needed > MAX_APPROVALS {
        errors.push(FieldError::new(
            "/approval/needed",
            text!("is {count}; allowed is {min} to {max}", count = needed, min = 0, max = MAX_APPROVALS),
        ));
    }
    let hours = policy.approval.expires_after_hours;
    if !(1..=24).contains(&hours) {
        errors.push(FieldError::new(
            "/approval/expires_after_hours",
            text!("is {count}; allowed is {min} to {max}", count = hours, min = 1, max = 24),
        ));
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_out_of_range_is_named() {
        let mut policy = GatePolicy::default();
        assert!(check(&policy).is_ok());
        policy.approval.needed = 6;
        policy.approval.expires_after_hours = 0;
        policy.promotion_order.healthy_minutes = 20_000;
        let Err(AppError::Invalid(errors)) = check(&policy) else { panic!("it passed") };
        assert_eq!(errors.len(), 3);
    }
}
