//! Asking for a delivery, reading how far it is, trying it again, taking it back.

use super::super::{parcel, store};
use super::OnboardingService;
use super::create::{absent, object};
use crate::kernel::{Action, AppError, AuditEntry, Authorized, Ctx, Result, WriteTx};
use passerelle_contract::delivery::{DeliveryPurpose, FileDeliveryIn, FileDeliveryOut};
use passerelle_contract::text;
use passerelle_forges::{Ground, Parcel};
use passerelle_templates::Template;
use serde_json::json;
use store::deliveries::{self, Kept, New, Row};
use uuid::Uuid;

impl OnboardingService {
    /// The deliveries of a service, newest first.
    ///
    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn deliveries(&self, ctx: &Ctx, onboarding: Uuid) -> Result<Vec<FileDeliveryOut>> {
        self.readable(ctx, onboarding).await?;
        let rows = deliveries::of_onboarding(self.db.pool(), onboarding).await?;
        self.told(ctx, &rows).await
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`Self::deliveries`].
    pub async fn delivery(&self, ctx: &Ctx, onboarding: Uuid, id: Uuid) -> Result<FileDeliveryOut> {
        self.readable(ctx, onboarding).await?;
        let row = self.delivery_row(onboarding, id).await?;
        let told = self.told(ctx, &[row]).await?;
        told.into_iter().next().ok_or_else(|| absent_delivery(id))
    }

    /// Has the files delivered. It is done step by step after this has answered; the same request, sent again, answers what it asked for.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `Conflict` while another delivery of the service is under way.
    pub async fn deliver(&self, ctx: &Ctx, onboarding: Uuid, to: &FileDeliveryIn) -> Result<FileDeliveryOut> {
        let row = self.readable(ctx, onboarding).await?;
        let authorized = self.may_deliver(ctx, &row).await?;
        self.open_place(to).await?;
        self.may_reach(ctx, &row.service, to).await?;
        if store::files(self.db.pool(), onboarding, store::Which::Delivered).await?.is_empty() {
            return Err(AppError::Conflict(text!("there is no file to deliver: the service was adopted with its own")));
        }
        let id = Uuid::now_v7();
        let new = New {
            id,
            onboarding_id: onboarding,
            purpose: DeliveryPurpose::Files,
            template_version: row.template_version(),
            destination: to,
            steps: &parcel::steps(DeliveryPurpose::Files, to),
            created_by: &ctx.principal().name,
            request_id: &ctx.request_id,
        };
        let mut tx = self.db.write(ctx, authorized).await?;
        if !deliveries::insert(tx.conn(), &new).await? {
            drop(tx);
            return self.asked_before(ctx, onboarding).await;
        }
        tx.commit(AuditEntry::success().after(json!({ "delivery": id, "destination": to }))).await?;
        self.wake.notify_one();
        self.delivery(ctx, onboarding, id).await
    }

    /// Has files proposed on a commit that was looked at, within a transaction of whoever writes the rest. The caller wakes the worker.
    pub(super) async fn begin_files(
        &self,
        tx: &mut WriteTx,
        ctx: &Ctx,
        onboarding: Uuid,
        template: &Template,
        to: &FileDeliveryIn,
        ground: &Ground,
    ) -> Result<Uuid> {
        let id = Uuid::now_v7();
        let new = New {
            id,
            onboarding_id: onboarding,
            purpose: DeliveryPurpose::Files,
            template_version: template.version(),
            destination: to,
            steps: &parcel::steps(DeliveryPurpose::Files, to),
            created_by: &ctx.principal().name,
            request_id: &ctx.request_id,
        };
        if !deliveries::insert(tx.conn(), &new).await? {
            return Err(AppError::internal("a service that was just adopted has a delivery already"));
        }
        deliveries::begin_on(tx.conn(), id, to, ground).await?;
        Ok(id)
    }

    /// Goes on from the step that failed.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `Conflict` when nothing failed.
    pub async fn retry_delivery(&self, ctx: &Ctx, onboarding: Uuid, id: Uuid) -> Result<FileDeliveryOut> {
        let row = self.readable(ctx, onboarding).await?;
        let before = self.delivery_row(onboarding, id).await?;
        let authorized = self.may_deliver(ctx, &row).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        if !deliveries::again(tx.conn(), id).await? {
            return Err(AppError::Conflict(text!(
                "no step of this delivery has failed, or another delivery is under way"
            )));
        }
        let told = json!({ "delivery": id, "again": true });
        tx.commit(AuditEntry::success().before(json!({ "state": before.state()? })).after(told)).await?;
        self.wake.notify_one();
        self.delivery(ctx, onboarding, id).await
    }

    /// Has what was made taken back, as far as it is ours alone.
    ///
    /// # Errors
    /// As [`Self::retry_delivery`].
    pub async fn undo_delivery(&self, ctx: &Ctx, onboarding: Uuid, id: Uuid) -> Result<FileDeliveryOut> {
        let row = self.readable(ctx, onboarding).await?;
        let before = self.delivery_row(onboarding, id).await?;
        let authorized = self.may_deliver(ctx, &row).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        if !deliveries::take_back(tx.conn(), id).await? {
            return Err(AppError::Conflict(text!("this delivery was taken back, or its steps are under way")));
        }
        let told = json!({ "delivery": id, "undo": true });
        tx.commit(AuditEntry::success().before(json!({ "state": before.state()? })).after(told)).await?;
        self.wake.notify_one();
        self.delivery(ctx, onboarding, id).await
    }

    /// Everything that a delivery brings, from what is written down.
    pub(in crate::onboarding) async fn parcel(&self, delivery: &Row) -> Result<Parcel> {
        let id = delivery.onboarding_id;
        let row = store::by_id(self.db.pool(), id).await?.ok_or_else(|| absent(id))?;
        let about = parcel::About {
            service: &row.service,
            template: row.template(),
            version: &delivery.template_version,
            asked_by: &delivery.created_by,
            at: row.created_at(),
        };
        if delivery.purpose()? == DeliveryPurpose::Files {
            let files = store::files(self.db.pool(), id, store::Which::Delivered).await?;
            let title = if row.adopted().is_some() { parcel::Title::Adopts } else { parcel::Title::Adds };
            return Ok(parcel::of_files(id, &about, title, files));
        }
        let about = parcel::About { at: delivery.created_at, ..about };
        let changes = deliveries::kept(self.db.pool(), delivery.id, Kept::Change).await?;
        let left = deliveries::kept(self.db.pool(), delivery.id, Kept::Left).await?;
        Ok(parcel::of_update(delivery.id, &about, changes, &left))
    }

    pub(super) async fn may_deliver(&self, ctx: &Ctx, row: &store::Row) -> Result<Authorized> {
        let service = self.catalog.service_for(ctx, &row.service)?;
        self.db.authorize(ctx, Action::OnboardingDeliver, object(service.scope)).await
    }

    async fn delivery_row(&self, onboarding: Uuid, id: Uuid) -> Result<Row> {
        let row = deliveries::by_id(self.db.pool(), id).await?;
        row.filter(|row| row.onboarding_id == onboarding).ok_or_else(|| absent_delivery(id))
    }

    /// What this very request asked for before, when it comes again.
    pub(super) async fn asked_before(&self, ctx: &Ctx, onboarding: Uuid) -> Result<FileDeliveryOut> {
        let rows = deliveries::of_onboarding(self.db.pool(), onboarding).await?;
        let same = |row: &Row| row.request_id == ctx.request_id && row.created_by == ctx.principal().name;
        match rows.into_iter().find(same) {
            Some(row) => self.delivery(ctx, onboarding, row.id).await,
            None => Err(AppError::Conflict(text!("another delivery of this service is under way"))),
        }
    }

    async fn told(&self, ctx: &Ctx, rows: &[Row]) -> Result<Vec<FileDeliveryOut>> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut steps = deliveries::steps(self.db.pool(), &ids).await?;
        for (_, step) in &mut steps {
            step.message = step.message.take().map(|message| message.into_said(ctx.locale));
        }
        let of = |id: Uuid| steps.iter().filter(move |(of, _)| *of == id).map(|(_, step)| step.clone()).collect();
        rows.iter()
            .map(|row| {
                let facts = row.facts();
                Ok(FileDeliveryOut {
                    id: row.id,
                    onboarding: row.onboarding_id,
                    purpose: row.purpose()?,
                    template_version: row.template_version.clone(),
                    destination: row.destination().clone(),
                    state: row.state()?,
                    steps: of(row.id),
                    branch: facts.committed.as_ref().map(|committed| committed.branch.clone()),
                    commit: facts.committed.as_ref().map(|committed| committed.commit.clone()),
                    repository_url: facts.ground.as_ref().and_then(|ground| linkable(ground.url.as_deref())),
                    proposal_url: facts.proposal.as_ref().and_then(|proposal| linkable(Some(&proposal.url))),
                    created_by: row.created_by.clone(),
                    created_at: row.created_at,
                    ended_at: row.ended_at,
                })
            })
            .collect()
    }
}

/// An address of somebody else's answer becomes a link only when it is one of the web.
fn linkable(url: Option<&str>) -> Option<String> {
    url.filter(|url| url.starts_with("https://") || url.starts_with("http://")).map(str::to_owned)
}

fn absent_delivery(id: Uuid) -> AppError {
    AppError::not_found(format!("delivery:{id}"))
}
