//! Rows of `notification_rules`.

use crate::kernel::{AppError, Result};
use crate::notifications::model::Rule;
use passerelle_contract::environments::Tier;
use passerelle_contract::notifications::{EventKind, RuleIn, RuleOut};
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.channel_id, c.name AS channel, r.team, r.system, r.environment, r.tier, r.events, r.enabled, r.updated_at
             FROM notification_rules r JOIN notification_channels c ON c.id = r.channel_id ",
            $rest
        )
    };
}

#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub id: Uuid,
    channel_id: Uuid,
    channel: String,
    team: Option<String>,
    system: Option<String>,
    environment: Option<String>,
    tier: Option<String>,
    events: Vec<String>,
    enabled: bool,
    updated_at: OffsetDateTime,
}

impl Row {
    fn tier(&self) -> Option<Tier> {
        self.tier.as_deref().and_then(Tier::parse)
    }

    /// What this version does not know is left out; a rule that named only such kinds fits nothing.
    fn events(&self) -> Vec<EventKind> {
        self.events.iter().filter_map(|event| EventKind::parse(event)).collect()
    }

    fn known(&self) -> bool {
        self.events.is_empty() || !self.events().is_empty()
    }

    fn rule(self) -> Rule {
        let (tier, events) = (self.tier(), self.events());
        let Self { channel_id, team, system, environment, .. } = self;
        Rule { channel_id, team, system, environment, tier, events }
    }

    pub fn into_out(self) -> RuleOut {
        let (tier, events) = (self.tier(), self.events());
        let Self { id, channel, team, system, environment, enabled, updated_at, .. } = self;
        RuleOut { id, channel, team, system, environment, tier, events, enabled, updated_at }
    }
}

pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<Row>> {
    Ok(sqlx::query_as(select!("ORDER BY c.name, r.created_at, r.id")).fetch_all(db).await?)
}

/// Those that count now: enabled ones, of channels that are enabled.
pub async fn standing(db: &mut PgConnection) -> Result<Vec<Rule>> {
    let rows: Vec<Row> =
        sqlx::query_as(select!("WHERE r.enabled AND c.enabled ORDER BY r.channel_id, r.id")).fetch_all(db).await?;
    Ok(rows.into_iter().filter(Row::known).map(Row::rule).collect())
}

pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE r.id = $1")).bind(id).fetch_optional(db).await?)
}

/// The row, locked until the transaction ends.
pub async fn lock(db: &mut PgConnection, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE r.id = $1 FOR UPDATE OF r")).bind(id).fetch_optional(db).await?)
}

/// Makes a rule, or replaces all that it says.
///
/// # Errors
/// `Invalid` at `/channel` when the channel went away in this moment.
pub async fn put(db: &mut PgConnection, id: Uuid, channel: Uuid, rule: &RuleIn) -> Result<()> {
    let events: Vec<&str> = rule.events.iter().map(|event| event.as_str()).collect();
    sqlx::query(
        "INSERT INTO notification_rules (id, channel_id, team, system, environment, tier, events, enabled)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (id) DO UPDATE SET channel_id = $2, team = $3, system = $4, environment = $5, tier = $6, events = $7,
           enabled = $8, updated_at = clock_timestamp()",
    )
    .bind(id)
    .bind(channel)
    .bind(&rule.team)
    .bind(&rule.system)
    .bind(&rule.environment)
    .bind(rule.tier.map(Tier::as_str))
    .bind(events)
    .bind(rule.enabled.unwrap_or(true))
    .execute(db)
    .await
    .map(drop)
    .map_err(|error| match crate::kernel::violated(&error) {
        Some("notification_rules_channel_id_fkey") => {
            AppError::field("/channel", passerelle_contract::text!("there is no channel {name}", name = &rule.channel))
        }
        _ => error.into(),
    })
}

pub async fn delete(db: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query("DELETE FROM notification_rules WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}
