//! The log of what was sent, and sending once more.

use super::super::store::deliveries as store;
use super::NotificationService;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Cursor, Object, Result, limit_or_default};
use passerelle_contract::notifications::{DeliveryFilter, DeliveryOut, DeliveryState};
use passerelle_contract::{Page, Text, text};
use serde_json::json;
use uuid::Uuid;

const LIST: &str = "deliveries";

impl NotificationService {
    /// Newest first.
    ///
    /// # Errors
    /// `Unauthenticated`, `Forbidden`, `Invalid` at `/cursor` or `/limit`.
    pub async fn list_deliveries(&self, ctx: &Ctx, filter: &DeliveryFilter) -> Result<Page<DeliveryOut>> {
        ctx.permit(Action::NotificationRead, &Object::new("delivery", "*"))?;
        let limit = limit_or_default(filter.limit)?;
        let before: Option<Uuid> =
            filter.cursor.as_deref().map(|text| Cursor::decode(&self.keys, LIST, text)).transpose()?;
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let (mut rows, total) = store::page(self.db.pool(), filter, before, wanted).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next_cursor = last.map(|row| Cursor::encode(&self.keys, LIST, &row.id)).transpose()?;
        // A row of a kind that this version does not know must not hide all others.
        let items = rows.into_iter().filter_map(|row| row.into_out().ok()).map(|out| said(out, ctx)).collect();
        Ok(Page { items, next_cursor, total })
    }

    /// # Errors
    /// `NotFound`, and as [`Self::list_deliveries`].
    pub async fn get_delivery(&self, ctx: &Ctx, id: Uuid) -> Result<DeliveryOut> {
        ctx.permit(Action::NotificationRead, &Object::new("delivery", id.to_string()))?;
        let row = store::by_id(self.db.pool(), id).await?.ok_or_else(|| absent(id))?;
        row.into_out().map(|out| said(out, ctx))
    }

    /// Tries at once what failed or waits, with all its attempts before it.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `Conflict` for what was delivered and when its channel is gone.
    pub async fn retry_delivery(&self, ctx: &Ctx, id: Uuid) -> Result<DeliveryOut> {
        let object = Object::new("delivery", id.to_string());
        let authorized = self.db.authorize(ctx, Action::NotificationRetry, object).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let row = store::lock(tx.conn(), id).await?.ok_or_else(|| absent(id))?;
        if row.state()? == DeliveryState::Delivered {
            return Err(AppError::Conflict(text!("this message was delivered; it is not sent twice")));
        }
        if row.channel_id.is_none() {
            return Err(AppError::Conflict(text!("the channel was deleted")));
        }
        store::again(tx.conn(), id).await?;
        tx.commit(AuditEntry::success().after(json!({ "channel": row.channel }))).await?;
        self.get_delivery(ctx, id).await
    }
}

/// In the language of whoever reads.
fn said(out: DeliveryOut, ctx: &Ctx) -> DeliveryOut {
    DeliveryOut { answer: out.answer.map(|answer: Text| answer.into_said(ctx.locale)), ..out }
}

fn absent(id: Uuid) -> AppError {
    AppError::not_found(format!("delivery:{id}"))
}
