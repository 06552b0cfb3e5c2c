//! Channels: making, changing, deleting, trying.

use super::super::channels::{self, Parcel, channel, checked_config};
use super::super::message::Message;
use super::super::store::channels::{self as store, Row};
use super::super::store::deliveries;
use super::{MAX_NAME, NotificationService, absent};
use crate::environments::{Etag, IfMatch};
use crate::kernel::{Action, AppError, AuditEntry, Authorized, Ctx, Object, Result, validate};
use passerelle_contract::audit::Outcome;
use passerelle_contract::notifications::{ChannelIn, ChannelKindOut, ChannelOut, ChannelPatch, ChannelTest};
use passerelle_contract::{Locale, text};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

impl Etag for ChannelOut {
    fn etag(&self) -> String {
        // A new secret is not seen in `config`.
        format!("\"{}-{}\"", self.id.simple(), self.updated_at.unix_timestamp_nanos())
    }
}

impl NotificationService {
    /// The kinds of channels, with the schemas that forms are drawn from.
    #[must_use]
    pub fn channel_kinds(&self, locale: Locale) -> Vec<ChannelKindOut> {
        channels::kinds(locale)
    }

    /// All channels by name, secrets replaced by `{"set": true}`.
    ///
    /// # Errors
    /// `Unauthenticated`, `Forbidden`.
    pub async fn list_channels(&self, ctx: &Ctx) -> Result<Vec<ChannelOut>> {
        ctx.permit(Action::NotificationRead, &Object::new("channel", "*"))?;
        Ok(store::list(self.db.pool()).await?.iter().map(Row::to_out).collect())
    }

    /// # Errors
    /// `NotFound`, and as [`Self::list_channels`].
    pub async fn get_channel(&self, ctx: &Ctx, name: &str) -> Result<ChannelOut> {
        ctx.permit(Action::NotificationRead, &Object::new("channel", name))?;
        Ok(self.channel_by_name(name).await?.ok_or_else(|| absent(name))?.to_out())
    }

    /// # Errors
    /// `Invalid` by field (an unknown kind is answered with the known ones), `Forbidden`, `AlreadyExists`.
    pub async fn create_channel(&self, ctx: &Ctx, new: ChannelIn) -> Result<ChannelOut> {
        let authorized = self.may_edit_channel(ctx, &new.name).await?;
        validate::slug(&new.name, MAX_NAME).map_err(|message| AppError::field("/name", message))?;
        let kind = channel(&new.kind)?;
        let config = checked_config(self.environments.secrets(), kind, &new.config, None).await?;
        let id = Uuid::now_v7();
        let mut tx = self.db.write(ctx, authorized).await?;
        let sealed = self.environments.secrets().seal(tx.conn(), id, &kind.schema(), &config).await?;
        let mut row = Row::new(id, &new.name, kind.kind(), sealed, (new.language, new.enabled.unwrap_or(true)));
        row.updated_at = store::insert(tx.conn(), &row).await?;
        tx.commit(AuditEntry::success().after(row.summary())).await?;
        Ok(row.to_out())
    }

    /// A secret given as `{"set": true}` stays as it is stored.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound`, `Conflict` when it is another version now.
    pub async fn patch_channel(
        &self,
        ctx: &Ctx,
        name: &str,
        patch: ChannelPatch,
        if_match: &IfMatch,
    ) -> Result<ChannelOut> {
        let authorized = self.may_edit_channel(ctx, name).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let before = store::lock(tx.conn(), name).await?.ok_or_else(|| absent(name))?;
        if_match.check(&before.to_out())?;
        let kind = channel(&before.kind)?;
        let opened = self.environments.secrets().for_edit(before.id, &kind.schema(), &before.config).await?;
        let config = match &patch.config {
            Some(given) => checked_config(self.environments.secrets(), kind, given, Some(&opened)).await?,
            None => opened.clone(),
        };
        let language = patch.language.unwrap_or_else(|| before.language());
        let enabled = patch.enabled.unwrap_or(before.enabled);
        if config == opened && language == before.language() && enabled == before.enabled {
            return Ok(before.to_out());
        }
        // Sealing makes other words of the same secret, so what did not change stays as it is stored.
        let sealed = if config == opened {
            before.config.clone()
        } else {
            self.environments.secrets().seal(tx.conn(), before.id, &kind.schema(), &config).await?
        };
        let mut after = Row::new(before.id, &before.name, &before.kind, sealed, (language, enabled));
        after.updated_at = store::update(tx.conn(), &after).await?;
        tx.commit(AuditEntry::success().before(before.summary()).after(after.summary())).await?;
        self.get_channel(ctx, name).await
    }

    /// Its rules go with it; what waited for it is ended and stays in the log.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn delete_channel(&self, ctx: &Ctx, name: &str) -> Result<()> {
        let authorized = self.may_edit_channel(ctx, name).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let row = store::lock(tx.conn(), name).await?.ok_or_else(|| absent(name))?;
        let dropped = deliveries::give_up(tx.conn(), row.id, &text!("the channel was deleted")).await?;
        store::delete(tx.conn(), row.id).await?;
        tx.commit(AuditEntry::success().before(row.summary()).after(json!({ "undelivered": dropped }))).await
    }

    /// Sends a test message now and answers what the peer said: to the first mailbox, where there are several. It is sent by a channel
    /// that is not enabled too.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`. A peer that refuses is no error: that is the answer.
    pub async fn test_channel(&self, ctx: &Ctx, name: &str) -> Result<ChannelTest> {
        let authorized = self.may_edit_channel(ctx, name).await?;
        let row = self.channel_by_name(name).await?.ok_or_else(|| absent(name))?;
        let (kind, config) = self.opened(&row).await?;
        let outlook = self.outlook()?;
        let id = Uuid::now_v7();
        let intent = AuditEntry::new(Outcome::Intent).reason("a test message").after(json!({ "delivery": id }));
        self.db.record(ctx, &authorized, intent).await?;
        let message = Message::test(name, &ctx.principal().name, &outlook.origin, row.language().locale());
        let recipient = kind.recipients(&config).into_iter().next().unwrap_or_default();
        let parcel = Parcel {
            id,
            message: &message,
            recipient: &recipient,
            at: OffsetDateTime::now_utc(),
            event: None,
            origin: &outlook.origin,
        };
        let started = std::time::Instant::now();
        let sent = kind.send(&outlook.guard, &config, &parcel).await;
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (outcome, answer) = match sent {
            Ok(answer) => (Outcome::Success, answer),
            Err(undelivered) => (Outcome::Failure, undelivered.why),
        };
        let entry = AuditEntry::new(outcome).reason(answer.to_string()).after(json!({ "delivery": id }));
        self.db.record(ctx, &authorized, entry).await?;
        Ok(ChannelTest { delivered: outcome == Outcome::Success, answer: ctx.say(&answer), duration_ms })
    }

    async fn may_edit_channel(&self, ctx: &Ctx, name: &str) -> Result<Authorized> {
        self.db.authorize(ctx, Action::NotificationEdit, Object::new("channel", name)).await
    }
}
