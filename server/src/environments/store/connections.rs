//! Rows of `connections`. `config` comes here sealed.

use super::super::model::ConnectionRow;
use crate::kernel::{AppError, Result, violated};
use crate::secrets::{Sealed, SealedRow};
use async_trait::async_trait;
use passerelle_contract::text;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{FromRow, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.name, c.kind, c.config, c.updated_at,
                    (SELECT count(*) FROM bindings b WHERE b.connection_id = c.id) AS bindings
             FROM connections c ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    kind: String,
    config: Value,
    updated_at: OffsetDateTime,
    bindings: i64,
}

impl From<Row> for ConnectionRow {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            kind: row.kind,
            config: row.config,
            bindings: u32::try_from(row.bindings).unwrap_or(u32::MAX),
            updated_at: row.updated_at,
        }
    }
}

pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<ConnectionRow>> {
    let rows: Vec<Row> = sqlx::query_as(select!("ORDER BY c.name")).fetch_all(db).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub async fn of_kind(db: impl PgExecutor<'_>, kind: &str) -> Result<Vec<ConnectionRow>> {
    let rows: Vec<Row> = sqlx::query_as(select!("WHERE c.kind = $1 ORDER BY c.name")).bind(kind).fetch_all(db).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub async fn by_name(db: impl PgExecutor<'_>, name: &str) -> Result<Option<ConnectionRow>> {
    let row: Option<Row> = sqlx::query_as(select!("WHERE c.name = $1")).bind(name).fetch_optional(db).await?;
    Ok(row.map(Into::into))
}

pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<ConnectionRow>> {
    let row: Option<Row> = sqlx::query_as(select!("WHERE c.id = $1")).bind(id).fetch_optional(db).await?;
    Ok(row.map(Into::into))
}

/// The row, locked until the transaction ends. Bindings of a connection are changed under this lock, so that two of them
/// cannot take the same object at once.
pub async fn lock(db: &mut PgConnection, name: &str) -> Result<Option<ConnectionRow>> {
    let row: Option<Row> =
        sqlx::query_as(select!("WHERE c.name = $1 FOR UPDATE OF c")).bind(name).fetch_optional(db).await?;
    Ok(row.map(Into::into))
}

/// # Errors
/// `AlreadyExists` when the name is taken.
pub async fn insert(db: &mut PgConnection, id: Uuid, name: &str, kind: &str, config: Value) -> Result<ConnectionRow> {
    let updated_at = sqlx::query_scalar::<_, OffsetDateTime>(
        "INSERT INTO connections (id, name, kind, config) VALUES ($1, $2, $3, $4) RETURNING updated_at",
    )
    .bind(id)
    .bind(name)
    .bind(kind)
    .bind(&config)
    .fetch_one(db)
    .await
    .map_err(|error| match violated(&error) {
        Some("connections_name_key") => AppError::AlreadyExists(text!("connection {name}", name)),
        _ => error.into(),
    })?;
    Ok(ConnectionRow { id, name: name.to_owned(), kind: kind.to_owned(), config, bindings: 0, updated_at })
}

/// Answers the new `updated_at`, which is never the one before.
pub async fn update(db: &mut PgConnection, id: Uuid, config: &Value) -> Result<OffsetDateTime> {
    let updated_at = sqlx::query_scalar(
        "UPDATE connections
         SET config = $2, updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
         WHERE id = $1 RETURNING updated_at",
    )
    .bind(id)
    .bind(config)
    .fetch_one(db)
    .await?;
    Ok(updated_at)
}

/// # Errors
/// `Conflict` when a binding uses it, also one that was made a moment ago.
pub async fn delete(db: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query("DELETE FROM connections WHERE id = $1").bind(id).execute(db).await.map_err(|error| match violated(
        &error,
    ) {
        Some("bindings_connection_id_fkey") => AppError::Conflict(text!("services are bound through this connection")),
        Some("slos_connection_id_fkey") => {
            AppError::Conflict(text!("SLOs are measured through this connection: delete or move them first"))
        }
        _ => error.into(),
    })?;
    Ok(())
}

/// The rows as a rotation of the sealing keys sees them.
#[derive(Debug, Clone, Copy)]
pub struct SealedConnections;

#[async_trait]
impl Sealed for SealedConnections {
    fn kind(&self) -> &'static str {
        "connection"
    }

    async fn locked(&self, db: &mut PgConnection, after: Uuid, limit: i64) -> Result<Vec<SealedRow>> {
        let sql = "SELECT id, name, config FROM connections WHERE id > $1 ORDER BY id LIMIT $2 FOR UPDATE";
        Ok(sqlx::query_as(sql).bind(after).bind(limit).fetch_all(db).await?)
    }

    async fn all(&self, db: &mut PgConnection) -> Result<Vec<SealedRow>> {
        Ok(sqlx::query_as("SELECT id, name, config FROM connections ORDER BY id").fetch_all(db).await?)
    }

    /// Without a new `updated_at`: an edit that was begun may go on, and an open connection stays open.
    async fn put(&self, db: &mut PgConnection, id: Uuid, config: &Value) -> Result<()> {
        sqlx::query("UPDATE connections SET config = $2 WHERE id = $1").bind(id).bind(config).execute(db).await?;
        Ok(())
    }
}
