//! A deployment that waits for approval: approving, rejecting, changing what is asked for, and the end of the request.
//!
//! An approval is of exactly what was asked for: artifact, place and configuration. When one of them changes, what was said
//! before is void. The last approval that is needed asks all gates again, in the transaction that lets the deployment go.

use super::approval_link;
use super::gating::{approval_end, plain, reasons};
use super::model;
use super::service::{DeploymentService, Place};
use super::store::{Artifact, Awaiting, Changed, Store};
use super::telling::About;
use crate::gates::{GateService, Outside, Ruling};
use crate::kernel::{
    Action, AppError, AuditEntry, Authorized, Ctx, EnvironmentScope, Object, Result, ServiceScope, Via, WriteTx, decide,
};
use passerelle_contract::audit::Outcome;
use passerelle_contract::deployments::{
    DeploymentFilter, DeploymentIn, DeploymentOut, DeploymentRow, DeploymentState, GateOut, Verdict,
};
use passerelle_contract::gates::{ApprovalDecision, ApprovalIn, ApprovalsOut, GateFacts, kinds};
use passerelle_contract::{Text, text};
use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How late a request may end.
const EXPIRY_POLL: Duration = Duration::from_secs(5);

impl DeploymentService {
    /// One person's approval or rejection.
    ///
    /// # Errors
    /// `Forbidden` for tokens, for those without the role, and for whoever asked; `Conflict` when it does not wait (any more), when
    /// this person has spoken already, and when what was asked for has changed since: then all that was said is void.
    pub async fn decide_approval(&self, ctx: &Ctx, id: Uuid, input: ApprovalIn) -> Result<DeploymentOut> {
        self.decide_approval_of(ctx, id, input, None).await
    }

    /// The same for exactly what `wanted` stands for (the beginning of a fingerprint), as a link in a message does.
    pub(super) async fn decide_approval_of(
        &self,
        ctx: &Ctx,
        id: Uuid,
        input: ApprovalIn,
        wanted: Option<&[u8]>,
    ) -> Result<DeploymentOut> {
        let reason = approval_reason(&input)?;
        let (place, authorized) = self.may_approve(ctx, id).await?;
        let me = ctx.principal().name.clone();
        let mut tx = self.store.db.write(ctx, authorized.clone()).await?;
        let row = awaiting(Store::lock_awaiting(tx.conn(), id).await?, id)?;
        if row.requested_by == me {
            drop(tx);
            let why = text!("whoever asks for a deployment cannot approve or reject it; another person has to");
            self.store.db.record(ctx, &authorized, AuditEntry::new(Outcome::Denied).reason(why.to_string())).await?;
            return Err(AppError::Forbidden(why));
        }
        if row.expired {
            return self
                .expire(tx, id, &row)
                .await
                .and(Err(AppError::Conflict(text!("the request for approval has ended; deploy again to ask anew"))));
        }
        if wanted.is_some_and(|wanted| !row.fingerprint.as_deref().unwrap_or_default().starts_with(wanted)) {
            return Err(AppError::Conflict(approval_link::changed()));
        }
        let fingerprint = self.current(&mut tx, &place, &row).await?;
        if row.fingerprint.as_ref() != Some(&fingerprint) {
            return self.void_for_change(tx, id, &row, &fingerprint).await;
        }
        let what = (input.decision, reason.as_deref());
        GateService::say(&mut tx, id, &me, what, &fingerprint).await?;
        let state = match input.decision {
            ApprovalDecision::Reject => reject(&mut tx, id, &me, reason.as_deref().unwrap_or_default()).await?,
            ApprovalDecision::Approve => self.approved(&mut tx, id, &place, &row).await?,
        };
        let after = json!({ "decision": input.decision, "state": state });
        let said = json!({ "by": me, "decision": input.decision, "state": state, "comment": reason });
        tx.tell("approval.given", &About::awaiting(id, &row).with(said)).await?;
        let entry = AuditEntry::success().after(after);
        tx.commit(match reason {
            Some(reason) => entry.reason(reason),
            None => entry,
        })
        .await?;
        self.stirred();
        self.get_deployment(ctx, id).await
    }

    /// Changes what a waiting deployment will deploy. What was approved is void, and whoever changes it is the one who asks.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound`, `Conflict` when it does not wait.
    pub async fn change_deployment(&self, ctx: &Ctx, id: Uuid, input: DeploymentIn) -> Result<DeploymentOut> {
        let wanted = model::wanted(&input, true)?;
        let (place, authorized) = self.may(ctx, Action::DeploymentCreate, id).await?;
        if input.service != place.service.scope.key || input.environment != place.environment.name {
            return Err(AppError::field(
                "/service",
                text!("service and environment of a deployment stay; make another one"),
            ));
        }
        let reason = model::reason(input.reason.as_deref()).map_err(|error| AppError::Invalid(vec![error]))?;
        let found = self.resolve(&place, wanted).await?;
        let change = found.change();
        let mut tx = self.store.db.write(ctx, authorized).await?;
        let row = awaiting(Store::lock_awaiting(tx.conn(), id).await?, id)?;
        let exempt = input.exempt.or(row.exempt());
        model::exempt_reason(exempt, &reason)?;
        let me = ctx.principal().name.clone();
        let to = Changed {
            release_id: found.release_id,
            version: &found.version,
            image: &found.image,
            change: &change,
            reason: &reason,
            exempt,
            by: &me,
        };
        Store::change_awaiting(tx.conn(), id, &to).await?;
        let voided = GateService::void_approvals(&mut tx, id, &format!("{me} changed what is deployed")).await?;
        let artifact = found.artifact();
        let outside = Outside { exempt, ..Outside::default() };
        let decided = self.ask_gates(tx.conn(), true, &place, Some(artifact), outside).await?;
        let fingerprint = fingerprint(&mut tx, &place, artifact).await?;
        let (state, needed) = match decided.ruling {
            Ruling::Go => (DeploymentState::Queued, 0),
            Ruling::AwaitApproval(needed) => (DeploymentState::AwaitingApproval, needed),
            Ruling::Refuse => (DeploymentState::Blocked, 0),
        };
        let until = (needed > 0).then(|| approval_end(&decided));
        Store::await_anew(tx.conn(), id, &fingerprint, (needed, until)).await?;
        let message = text!(
            "Changed to {version} by {me}; {voided} approvals are void",
            version = &found.version,
            me = &me,
            voided
        );
        Store::leave_approval(&mut tx, id, state, Some(&decided.gates), &message).await?;
        let about =
            About { version: Some(&found.version), asked_by: &me, reason: &reason, ..About::awaiting(id, &row) };
        if voided > 0 {
            tx.tell("approval.voided", &about.with(json!({ "message": message, "voided": voided }))).await?;
        }
        tell_changed(&mut tx, state, about, (needed, until, &fingerprint), &decided.gates).await?;
        let entry = AuditEntry::success()
            .reason(reason.clone())
            .before(json!({ "image": row.image, "requested_by": row.requested_by }))
            .after(json!({ "version": found.version, "image": found.image, "exempt": exempt, "voided": voided, "state": state }));
        tx.commit(entry).await?;
        self.stirred();
        self.get_deployment(ctx, id).await
    }

    /// Deployments that wait for an approval which the caller may give and has not given, newest first, at most 200.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub async fn waiting_for(&self, ctx: &Ctx) -> Result<Vec<DeploymentRow>> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        // Every page asks; mostly nothing waits at all.
        if !self.store.any_awaiting().await? {
            return Ok(Vec::new());
        }
        let state = Some(DeploymentState::AwaitingApproval);
        let filter = DeploymentFilter { state, limit: Some(200), ..DeploymentFilter::default() };
        let me = &ctx.principal().name;
        let may = |row: &DeploymentRow| {
            let scope = EnvironmentScope { name: row.environment.clone(), tier: row.tier };
            self.catalog.find_service(&row.service).is_some_and(|service| {
                let object = Object::service(service.scope).with_environment(scope);
                decide(ctx, Action::DeploymentApprove, &object).allowed
            })
        };
        let mut rows = self.list_deployments(ctx, filter).await?.items;
        rows.retain(|row| row.requested_by != *me && may(row));
        if !rows.is_empty() {
            let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
            let spoken = GateService::spoken(self.store.db.pool(), me, &ids).await?;
            rows.retain(|row| !spoken.contains(&row.id));
        }
        Ok(rows)
    }

    /// Ends requests for approval whose time is over, until `stop`.
    pub async fn end_old_requests(&self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.end_old_requests_once().await {
                tracing::warn!(%error, "old requests for approval could not be ended; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EXPIRY_POLL) => {}
            }
        }
    }

    async fn end_old_requests_once(&self) -> Result<()> {
        let ctx = Ctx::system(Via::Job, "approvals");
        for id in self.store.expired_approvals().await? {
            let (service, environment) = self.owner_of(id).await?;
            // Not looked up in the catalog, which may have archived the service since.
            let scope = ServiceScope { key: service, team: None, system: None };
            let mut object = Object::new("deployment", id.to_string()).with_service(scope);
            if let Some(found) = self.environments.find_environment(&environment).await? {
                object = object.with_environment(EnvironmentScope { name: found.name, tier: found.tier });
            }
            let authorized = self.store.db.authorize(&ctx, Action::DeploymentRun, object).await?;
            let mut tx = self.store.db.write(&ctx, authorized).await?;
            // Somebody may have been faster.
            let row = Store::lock_awaiting(tx.conn(), id).await?;
            if let Some(row) = row.filter(|row| row.expired && row.state == DeploymentState::AwaitingApproval.as_str())
            {
                self.expire(tx, id, &row).await?;
            }
        }
        Ok(())
    }

    /// What the page and the API show of the approvals.
    pub(super) async fn approvals_of(&self, id: Uuid, shown: ApprovalsOut) -> Result<ApprovalsOut> {
        let all = GateService::said(self.store.db.pool(), id).await?;
        let given = u8::try_from(GateService::approvers(&all).len()).unwrap_or(u8::MAX);
        Ok(ApprovalsOut { given, all, ..shown })
    }

    async fn may_approve(&self, ctx: &Ctx, id: Uuid) -> Result<(Place, Authorized)> {
        self.may(ctx, Action::DeploymentApprove, id).await
    }

    /// A deployment's place, when the caller may do this with it.
    async fn may(&self, ctx: &Ctx, action: Action, id: Uuid) -> Result<(Place, Authorized)> {
        let ((service, environment), authorized) = self.authorize_for(ctx, action, id).await?;
        let place = self.place(ctx, Action::DeploymentRead, &service, &environment).await?;
        Ok((place, authorized))
    }

    /// The approval counts; when it was the last one needed, all gates are asked again.
    async fn approved(&self, tx: &mut WriteTx, id: Uuid, place: &Place, row: &Awaiting) -> Result<DeploymentState> {
        let said = GateService::said(tx.conn(), id).await?;
        let approved_by: Vec<String> =
            GateService::approvers(&said).into_iter().filter(|by| *by != row.requested_by).collect();
        let image = row.image.as_deref().unwrap_or_default();
        let artifact = Artifact { release_id: row.release_id, image, version: row.version.as_deref() };
        let outside = Outside {
            approved_by: approved_by.clone(),
            approval_until: row.approval_until,
            exempt: row.exempt(),
            ..Outside::default()
        };
        let decided = self.ask_gates(tx.conn(), true, place, Some(artifact), outside).await?;
        let enough = decided.gates.iter().all(|gate| gate.kind != kinds::APPROVAL || gate.verdict == Verdict::Pass);
        let (state, message) = match decided.ruling {
            Ruling::Go => (DeploymentState::Queued, text!("Approved by {by}", by = approved_by.join(", "))),
            Ruling::Refuse if enough => {
                let why = against(&decided.gates);
                tx.tell("deployment.blocked", &About::awaiting(id, row).with(json!({ "message": why }))).await?;
                (DeploymentState::Blocked, text!("Approved, but refused: {why}", why))
            }
            _ => (DeploymentState::AwaitingApproval, text!("{by} approved", by = approved_by.join(", "))),
        };
        Store::leave_approval(tx, id, state, Some(&decided.gates), &message).await?;
        Ok(state)
    }

    /// What the approval would be of, as it is now.
    async fn current(&self, tx: &mut WriteTx, place: &Place, row: &Awaiting) -> Result<Vec<u8>> {
        let image = row.image.as_deref().unwrap_or_default();
        fingerprint(tx, place, Artifact { release_id: row.release_id, image, version: row.version.as_deref() }).await
    }

    /// The place or its configuration is not what it was: nothing that was said counts, and it has to be looked at again.
    async fn void_for_change(
        &self,
        mut tx: WriteTx,
        id: Uuid,
        row: &Awaiting,
        fingerprint: &[u8],
    ) -> Result<DeploymentOut> {
        let why = text!("the target binding, its connection or the environment was changed");
        let voided = GateService::void_approvals(&mut tx, id, &why.to_string()).await?;
        Store::await_anew(tx.conn(), id, fingerprint, (row.needed(), row.approval_until)).await?;
        let about = About::awaiting(id, row);
        tx.tell("approval.voided", &about.with(json!({ "message": why, "voided": voided }))).await?;
        tx.tell("approval.requested", &about.requested(row.needed(), row.approval_until, fingerprint)).await?;
        tx.commit(AuditEntry::new(Outcome::Denied).reason(why.to_string()).after(json!({ "voided": voided }))).await?;
        self.feed().wake();
        Err(AppError::Conflict(text!(
            "{why} since this deployment was asked for, so {voided} approvals are void; look at the plan, then approve what is there now",
            why,
            voided
        )))
    }

    async fn expire(&self, mut tx: WriteTx, id: Uuid, row: &Awaiting) -> Result<()> {
        let said = GateService::said(tx.conn(), id).await?;
        let given = u8::try_from(GateService::approvers(&said).len()).unwrap_or(u8::MAX);
        let facts = GateFacts::ApprovalExpired { needed: row.needed(), given };
        let gate = plain(kinds::APPROVAL, Verdict::Block, &facts);
        let message = reasons(std::iter::once(&gate));
        Store::leave_approval(&mut tx, id, DeploymentState::Blocked, Some(&[gate]), &message).await?;
        tx.tell("approval.expired", &About::awaiting(id, row).with(json!({ "message": message }))).await?;
        tx.commit(AuditEntry::new(Outcome::Failure).reason(message.to_string()).after(json!({ "state": "blocked" })))
            .await?;
        self.feed().wake();
        Ok(())
    }
}

/// That people are asked anew, or that it may not go.
async fn tell_changed(
    tx: &mut WriteTx,
    state: DeploymentState,
    about: About<'_>,
    (needed, until, fingerprint): (u8, Option<OffsetDateTime>, &[u8]),
    gates: &[GateOut],
) -> Result<()> {
    match state {
        DeploymentState::AwaitingApproval => {
            tx.tell("approval.requested", &about.requested(needed, until, fingerprint)).await
        }
        DeploymentState::Blocked => {
            tx.tell("deployment.blocked", &about.with(json!({ "message": against(gates) }))).await
        }
        _ => Ok(()),
    }
}

/// The sentences of what stands against it.
fn against(gates: &[GateOut]) -> Text {
    reasons(gates.iter().filter(|gate| matches!(gate.verdict, Verdict::Block | Verdict::Wait)))
}

async fn reject(tx: &mut WriteTx, id: Uuid, by: &str, reason: &str) -> Result<DeploymentState> {
    let facts = GateFacts::ApprovalRejected { by: by.to_owned(), reason: reason.to_owned() };
    let gate: GateOut = plain(kinds::APPROVAL, Verdict::Block, &facts);
    let message = reasons(std::iter::once(&gate));
    Store::leave_approval(tx, id, DeploymentState::Blocked, Some(&[gate]), &message).await?;
    Ok(DeploymentState::Blocked)
}

async fn fingerprint(tx: &mut WriteTx, place: &Place, artifact: Artifact<'_>) -> Result<Vec<u8>> {
    Store::fingerprint(tx.conn(), place.binding.id, artifact)
        .await?
        .ok_or_else(|| AppError::Conflict(text!("the target binding was removed; cancel this deployment")))
}

fn awaiting(row: Option<Awaiting>, id: Uuid) -> Result<Awaiting> {
    let row = row.ok_or_else(|| AppError::NotFound(text!("deployment {id}", id)))?;
    if row.state == DeploymentState::AwaitingApproval.as_str() {
        return Ok(row);
    }
    Err(AppError::Conflict(text!(
        "deployment {id} does not wait for approval; its state is {state}",
        id,
        state = row.state.as_str()
    )))
}

fn approval_reason(input: &ApprovalIn) -> Result<Option<String>> {
    let given = input.reason.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if given.is_none() && input.decision == ApprovalDecision::Approve {
        return Ok(None);
    }
    model::reason(given).map(Some).map_err(|error| AppError::Invalid(vec![error]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_says_why() {
        let input = |decision, reason: Option<&str>| ApprovalIn { decision, reason: reason.map(Into::into) };
        assert_eq!(approval_reason(&input(ApprovalDecision::Approve, Some("  "))).unwrap(), None);
        assert!(approval_reason(&input(ApprovalDecision::Reject, None)).is_err());
        assert_eq!(approval_reason(&input(ApprovalDecision::Reject, Some("no tests"))).unwrap().unwrap(), "no tests");
    }
}
