//! Environments.

use super::super::model::{Change, IfMatch, check_environment, environment_scope, environment_summary};
use super::super::store::environments as store;
use super::{EnvironmentService, absent};
use crate::kernel::{Action, AppError, AuditEntry, Authorized, Ctx, EnvironmentScope, Object, Result};
use passerelle_contract::environments::{EnvironmentIn, EnvironmentOut, EnvironmentPatch, Tier};
use passerelle_contract::text;

impl EnvironmentService {
    /// All environments, in their order.
    ///
    /// # Errors
    /// `Unauthenticated`, `Forbidden`, `Unavailable`.
    pub async fn list_environments(&self, ctx: &Ctx) -> Result<Vec<EnvironmentOut>> {
        ctx.permit(Action::EnvironmentRead, &Object::new("environment", "*"))?;
        store::list(self.db.pool()).await
    }

    /// # Errors
    /// `NotFound`, and as [`Self::list_environments`].
    pub async fn get_environment(&self, ctx: &Ctx, name: &str) -> Result<EnvironmentOut> {
        ctx.permit(Action::EnvironmentRead, &Object::new("environment", name))?;
        self.environment_by_name(name).await?.ok_or_else(|| absent("environment", name))
    }

    /// # Errors
    /// `Invalid` by field, `Forbidden`, `AlreadyExists`.
    pub async fn create_environment(&self, ctx: &Ctx, new: EnvironmentIn) -> Result<EnvironmentOut> {
        let authorized = self.may_edit_environment(ctx, &new.name, new.tier).await?;
        check_environment(&new)?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let out = store::insert(tx.conn(), &new).await?;
        tx.commit(AuditEntry::success().after(environment_summary(&out))).await?;
        Ok(out)
    }

    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound`.
    pub async fn patch_environment(&self, ctx: &Ctx, name: &str, patch: EnvironmentPatch) -> Result<EnvironmentOut> {
        self.patch_environment_if(ctx, name, patch, &IfMatch::default()).await
    }

    /// As [`Self::patch_environment`], for a version that was read before.
    ///
    /// # Errors
    /// Also `Conflict` when it is another version now.
    pub async fn patch_environment_if(
        &self,
        ctx: &Ctx,
        name: &str,
        patch: EnvironmentPatch,
        if_match: &IfMatch,
    ) -> Result<EnvironmentOut> {
        let before = self.get_environment(ctx, name).await?;
        let authorized = self.may_edit_environment(ctx, name, before.tier).await?;
        if let Some(tier) = patch.tier.filter(|tier| *tier != before.tier) {
            // Who may edit staging only must not make production out of it.
            self.may_edit_environment(ctx, name, tier).await?;
        }
        self.update_environment(ctx, authorized, name, patch, if_match).await.map(|(out, _)| out)
    }

    /// Creates or changes, for the importer; a dry run checks all of it and writes nothing. What the document leaves out stays
    /// as it is.
    ///
    /// # Errors
    /// As create and patch.
    pub async fn apply_environment(&self, ctx: &Ctx, wanted: EnvironmentIn, dry_run: bool) -> Result<Change> {
        let name = wanted.name.clone();
        let Some(before) = self.environment_by_name(&name).await? else {
            if dry_run {
                self.may_edit_environment(ctx, &name, wanted.tier).await?;
                return check_environment(&wanted).map(|()| Change::Created);
            }
            return self.create_environment(ctx, wanted).await.map(|_| Change::Created);
        };
        let authorized = self.may_edit_environment(ctx, &name, before.tier).await?;
        if wanted.tier != before.tier {
            self.may_edit_environment(ctx, &name, wanted.tier).await?;
        }
        let patch = EnvironmentPatch {
            tier: Some(wanted.tier),
            order: Some(wanted.order),
            auto_rollback: wanted.auto_rollback,
            progress_deadline_s: wanted.progress_deadline_s,
        };
        if dry_run {
            let changed = patched(&before, patch)? != before;
            return Ok(if changed { Change::Updated } else { Change::Unchanged });
        }
        self.update_environment(ctx, authorized, &name, patch, &IfMatch::default()).await.map(|(_, change)| change)
    }

    async fn may_edit_environment(&self, ctx: &Ctx, name: &str, tier: Tier) -> Result<Authorized> {
        let scope = EnvironmentScope { name: name.to_owned(), tier };
        let object = Object::new("environment", name).with_environment(scope);
        self.db.authorize(ctx, Action::EnvironmentEdit, object).await
    }

    async fn update_environment(
        &self,
        ctx: &Ctx,
        authorized: Authorized,
        name: &str,
        patch: EnvironmentPatch,
        if_match: &IfMatch,
    ) -> Result<(EnvironmentOut, Change)> {
        let authorized_for = authorized.object().environment.clone();
        let mut tx = self.db.write(ctx, authorized).await?;
        let before = store::lock(tx.conn(), name).await?.ok_or_else(|| absent("environment", name))?;
        if authorized_for != Some(environment_scope(&before)) {
            return Err(AppError::Conflict(text!("its tier changed in this moment; try again")));
        }
        if_match.check(&before)?;
        let after = patched(&before, patch)?;
        if after == before {
            return Ok((after, Change::Unchanged));
        }
        store::update(tx.conn(), &after).await?;
        let entry = AuditEntry::success().before(environment_summary(&before)).after(environment_summary(&after));
        tx.commit(entry).await?;
        Ok((after, Change::Updated))
    }
}

fn patched(before: &EnvironmentOut, patch: EnvironmentPatch) -> Result<EnvironmentOut> {
    let wanted = EnvironmentIn {
        name: before.name.clone(),
        tier: patch.tier.unwrap_or(before.tier),
        order: patch.order.unwrap_or(before.order),
        auto_rollback: patch.auto_rollback,
        progress_deadline_s: patch.progress_deadline_s,
    };
    check_environment(&wanted)?;
    Ok(EnvironmentOut {
        tier: wanted.tier,
        order: wanted.order,
        auto_rollback: wanted.auto_rollback.unwrap_or(before.auto_rollback),
        progress_deadline_s: wanted.progress_deadline_s.unwrap_or(before.progress_deadline_s),
        ..before.clone()
    })
}
