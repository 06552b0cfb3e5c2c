//! Rules: which events go to which channel.

use super::super::store::rules as store;
use super::NotificationService;
use crate::kernel::{Action, AppError, AuditEntry, Authorized, Ctx, Object, Result, validate};
use passerelle_contract::notifications::{RuleIn, RuleOut};
use passerelle_contract::{FieldError, Text, text};
use serde_json::{Value, json};
use uuid::Uuid;

impl NotificationService {
    /// All rules, by channel.
    ///
    /// # Errors
    /// `Unauthenticated`, `Forbidden`.
    pub async fn list_rules(&self, ctx: &Ctx) -> Result<Vec<RuleOut>> {
        ctx.permit(Action::NotificationRead, &Object::new("notification_rule", "*"))?;
        Ok(store::list(self.db.pool()).await?.into_iter().map(store::Row::into_out).collect())
    }

    /// # Errors
    /// `NotFound`, and as [`Self::list_rules`].
    pub async fn get_rule(&self, ctx: &Ctx, id: Uuid) -> Result<RuleOut> {
        ctx.permit(Action::NotificationRead, &Object::new("notification_rule", id.to_string()))?;
        Ok(store::by_id(self.db.pool(), id).await?.ok_or_else(|| absent(id))?.into_out())
    }

    /// # Errors
    /// `Invalid` by field, `Forbidden`.
    pub async fn create_rule(&self, ctx: &Ctx, new: RuleIn) -> Result<RuleOut> {
        let id = Uuid::now_v7();
        let authorized = self.may_edit_rule(ctx, id).await?;
        let (channel, rule) = self.checked_rule(new).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        store::put(tx.conn(), id, channel, &rule).await?;
        tx.commit(AuditEntry::success().after(summary(&rule))).await?;
        self.get_rule(ctx, id).await
    }

    /// Replaces all that a rule says.
    ///
    /// # Errors
    /// As [`Self::create_rule`], and `NotFound`.
    pub async fn replace_rule(&self, ctx: &Ctx, id: Uuid, new: RuleIn) -> Result<RuleOut> {
        let authorized = self.may_edit_rule(ctx, id).await?;
        let (channel, rule) = self.checked_rule(new).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let before = store::lock(tx.conn(), id).await?.ok_or_else(|| absent(id))?.into_out();
        store::put(tx.conn(), id, channel, &rule).await?;
        tx.commit(AuditEntry::success().before(json!(before)).after(summary(&rule))).await?;
        self.get_rule(ctx, id).await
    }

    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn delete_rule(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        let authorized = self.may_edit_rule(ctx, id).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let before = store::lock(tx.conn(), id).await?.ok_or_else(|| absent(id))?.into_out();
        store::delete(tx.conn(), id).await?;
        tx.commit(AuditEntry::success().before(json!(before))).await
    }

    async fn may_edit_rule(&self, ctx: &Ctx, id: Uuid) -> Result<Authorized> {
        self.db.authorize(ctx, Action::NotificationEdit, Object::new("notification_rule", id.to_string())).await
    }

    /// The rule as it is stored, with the id of its channel.
    async fn checked_rule(&self, rule: RuleIn) -> Result<(Uuid, RuleIn)> {
        let given = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let mut rule = RuleIn {
            channel: rule.channel.trim().to_owned(),
            team: given(rule.team),
            system: given(rule.system),
            environment: given(rule.environment),
            ..rule
        };
        rule.events.sort_unstable();
        rule.events.dedup();
        let mut errors = Vec::new();
        let mut wrong = |field: &str, why: Text| errors.push(FieldError::new(format!("/{field}"), why));
        for (field, value) in [("team", &rule.team), ("system", &rule.system)] {
            // Teams and systems have keys of the same form as services; one may be named before it is imported.
            if let Some(Err(why)) = value.as_deref().map(validate::service_key) {
                wrong(field, why);
            }
        }
        if let Some(name) = &rule.environment
            && self.environments.find_environment(name).await?.is_none()
        {
            wrong("environment", text!("is no environment"));
        }
        let channel = self.channel_by_name(&rule.channel).await?;
        if channel.is_none() {
            wrong("channel", text!("there is no channel {name}", name = &rule.channel));
        }
        match channel {
            Some(channel) if errors.is_empty() => Ok((channel.id, rule)),
            _ => Err(AppError::Invalid(errors)),
        }
    }
}

/// For the audit.
fn summary(rule: &RuleIn) -> Value {
    json!(rule)
}

fn absent(id: Uuid) -> AppError {
    AppError::not_found(format!("notification_rule:{id}"))
}
