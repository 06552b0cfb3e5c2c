//! Holds: automation may not change a binding while one is on it.

use super::super::model::{BindingRow, binding_object};
use super::super::store::bindings as store;
use super::{EnvironmentService, absent};
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Result, WriteTx, validate};
use passerelle_contract::deployments::ReasonIn;
use passerelle_contract::environments::BindingOut;
use passerelle_contract::text;
use serde_json::json;
use uuid::Uuid;

const REASON_CHARS: (usize, usize) = (2, 2000);

impl EnvironmentService {
    /// Keeps automation off the service in this environment until [`Self::resume`].
    ///
    /// # Errors
    /// `Invalid` without a reason, `Forbidden`, `NotFound`, `Conflict` when it is on hold already.
    pub async fn hold(&self, ctx: &Ctx, service: &str, environment: &str, given: ReasonIn) -> Result<BindingOut> {
        let (row, authorized) = self.bound_pair(ctx, Action::BindingHold, service, environment).await?;
        let reason = given.reason.unwrap_or_default();
        check_reason(&reason)?;
        let mut tx = self.db.write(ctx, authorized).await?;
        if !Self::set_hold(&mut tx, row.id, &ctx.principal().name, &reason).await? {
            return Err(AppError::Conflict(text!(
                "{service} in {environment} is on hold already",
                service,
                environment
            )));
        }
        tx.commit(AuditEntry::success().reason(reason).after(json!({"hold": true}))).await?;
        self.reread(row).await
    }

    /// # Errors
    /// `Forbidden`, `NotFound`, `Conflict` when it is not on hold.
    pub async fn resume(&self, ctx: &Ctx, service: &str, environment: &str, given: ReasonIn) -> Result<BindingOut> {
        let (row, authorized) = self.bound_pair(ctx, Action::BindingResume, service, environment).await?;
        if let Some(reason) = &given.reason {
            check_reason(reason)?;
        }
        let mut tx = self.db.write(ctx, authorized).await?;
        if !Self::clear_hold(&mut tx, row.id).await? {
            return Err(AppError::Conflict(text!("{service} in {environment} is not on hold", service, environment)));
        }
        let before = row.hold.as_ref().map_or_else(|| json!({"hold": true}), |hold| json!({"hold": hold}));
        let mut entry = AuditEntry::success().before(before).after(json!({"hold": false}));
        if let Some(reason) = given.reason {
            entry = entry.reason(reason);
        }
        tx.commit(entry).await?;
        self.reread(row).await
    }

    /// For the engine, inside its own transaction. False when a hold is on it already, which stays as it is.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn set_hold(tx: &mut WriteTx, binding: Uuid, by: &str, reason: &str) -> Result<bool> {
        store::set_hold(tx.conn(), binding, by, reason).await
    }

    /// For the engine, inside its own transaction. False when there was no hold.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn clear_hold(tx: &mut WriteTx, binding: Uuid) -> Result<bool> {
        store::clear_hold(tx.conn(), binding).await
    }

    async fn bound_pair(
        &self,
        ctx: &Ctx,
        action: Action,
        service: &str,
        environment: &str,
    ) -> Result<(BindingRow, crate::kernel::Authorized)> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let on = self.environment_by_name(environment).await?.ok_or_else(|| absent("environment", environment))?;
        let found = self.service_by_key(service).await?.ok_or_else(|| absent("service", service))?;
        let authorized = self.db.authorize(ctx, action, binding_object(&found.scope, &on)).await;
        let authorized = authorized.map_err(|error| match error {
            // A service that may not be read answers like one that is not there.
            AppError::NotFound(_) => absent("service", service),
            other => other,
        })?;
        let row = store::by_pair(self.db.pool(), found.id, on.id).await?;
        let row = row.ok_or_else(|| absent("binding", &format!("{service}@{environment}")))?;
        Ok((row.with(found.scope, on), authorized))
    }

    async fn reread(&self, row: BindingRow) -> Result<BindingOut> {
        let now = self.binding_by_id(row.id).await?;
        Ok(now.unwrap_or(row).to_out())
    }
}

fn check_reason(reason: &str) -> Result<()> {
    validate::paragraph(reason, REASON_CHARS.0, REASON_CHARS.1).map_err(|message| AppError::field("/reason", message))
}
