//! Rows of `notification_channels`. `config` comes here sealed.

use crate::kernel::{AppError, Result, violated};
use crate::secrets::{self, Sealed, SealedRow};
use async_trait::async_trait;
use passerelle_contract::notifications::{ChannelOut, Language};
use passerelle_contract::text;
use serde_json::{Value, json};
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.name, c.kind, c.config, c.language, c.enabled, c.updated_at,
               (SELECT count(*) FROM notification_rules r WHERE r.channel_id = c.id) AS rules
             FROM notification_channels c ",
            $rest
        )
    };
}

/// A channel as stored.
#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub id: Uuid,
    pub name: String,
    pub kind: String,
    pub config: Value,
    language: String,
    pub enabled: bool,
    pub updated_at: OffsetDateTime,
    rules: i64,
}

impl Row {
    /// A row that is not written yet.
    pub fn new(id: Uuid, name: &str, kind: &str, config: Value, (language, enabled): (Language, bool)) -> Self {
        let (name, kind, language) = (name.to_owned(), kind.to_owned(), language.as_str().to_owned());
        Self { id, name, kind, config, language, enabled, updated_at: OffsetDateTime::UNIX_EPOCH, rules: 0 }
    }

    pub fn language(&self) -> Language {
        Language::parse(&self.language).unwrap_or_default()
    }

    pub fn to_out(&self) -> ChannelOut {
        ChannelOut {
            id: self.id,
            name: self.name.clone(),
            kind: self.kind.clone(),
            config: secrets::mask(&self.config),
            language: self.language(),
            enabled: self.enabled,
            rules: u32::try_from(self.rules).unwrap_or(u32::MAX),
            updated_at: self.updated_at,
        }
    }

    /// For the audit.
    pub fn summary(&self) -> Value {
        json!({ "kind": self.kind, "config": secrets::mask(&self.config), "language": self.language, "enabled": self.enabled })
    }
}

pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<Row>> {
    Ok(sqlx::query_as(select!("ORDER BY c.name")).fetch_all(db).await?)
}

pub async fn by_name(db: impl PgExecutor<'_>, name: &str) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE c.name = $1")).bind(name).fetch_optional(db).await?)
}

pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE c.id = $1")).bind(id).fetch_optional(db).await?)
}

/// The row, locked until the transaction ends.
pub async fn lock(db: &mut PgConnection, name: &str) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE c.name = $1 FOR UPDATE OF c")).bind(name).fetch_optional(db).await?)
}

/// # Errors
/// `AlreadyExists` when the name is taken.
pub async fn insert(db: &mut PgConnection, row: &Row) -> Result<OffsetDateTime> {
    sqlx::query_scalar(
        "INSERT INTO notification_channels (id, name, kind, config, language, enabled) VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING updated_at",
    )
    .bind(row.id)
    .bind(&row.name)
    .bind(&row.kind)
    .bind(&row.config)
    .bind(&row.language)
    .bind(row.enabled)
    .fetch_one(db)
    .await
    .map_err(|error| match violated(&error) {
        Some("notification_channels_name_key") => AppError::AlreadyExists(text!("channel {name}", name = &row.name)),
        _ => error.into(),
    })
}

/// Answers the new `updated_at`, which is never the one before.
pub async fn update(db: &mut PgConnection, row: &Row) -> Result<OffsetDateTime> {
    Ok(sqlx::query_scalar(
        "UPDATE notification_channels SET config = $2, language = $3, enabled = $4,
           updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond') WHERE id = $1 RETURNING updated_at",
    )
    .bind(row.id)
    .bind(&row.config)
    .bind(&row.language)
    .bind(row.enabled)
    .fetch_one(db)
    .await?)
}

/// Rules go with it; what waited for it is ended by the caller before.
pub async fn delete(db: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query("DELETE FROM notification_channels WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}

/// The rows as a rotation of the sealing keys sees them.
#[derive(Debug, Clone, Copy)]
pub struct SealedChannels;

#[async_trait]
impl Sealed for SealedChannels {
    fn kind(&self) -> &'static str {
        "channel"
    }

    async fn locked(&self, db: &mut PgConnection, after: Uuid, limit: i64) -> Result<Vec<SealedRow>> {
        let sql = "SELECT id, name, config FROM notification_channels WHERE id > $1 ORDER BY id LIMIT $2 FOR UPDATE";
        Ok(sqlx::query_as(sql).bind(after).bind(limit).fetch_all(db).await?)
    }

    async fn all(&self, db: &mut PgConnection) -> Result<Vec<SealedRow>> {
        Ok(sqlx::query_as("SELECT id, name, config FROM notification_channels ORDER BY id").fetch_all(db).await?)
    }

    /// Without a new `updated_at`: an edit that was begun may go on.
    async fn put(&self, db: &mut PgConnection, id: Uuid, config: &Value) -> Result<()> {
        let sql = "UPDATE notification_channels SET config = $2 WHERE id = $1";
        sqlx::query(sql).bind(id).bind(config).execute(db).await?;
        Ok(())
    }
}
