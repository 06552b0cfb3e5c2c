//! Rows of `alerts`.

use super::model::ended_at;
use crate::kernel::{ReadScope, Result};
use passerelle_contract::alerts::{AlertFilter, AlertState, AlertmanagerAlert};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgExecutor};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, FromRow)]
pub struct Row {
    pub id: Uuid,
    pub name: String,
    pub severity: Option<String>,
    pub summary: Option<String>,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub connection: String,
    pub started_at: OffsetDateTime,
    pub ended_at: Option<OffsetDateTime>,
    pub heard_at: OffsetDateTime,
    pub source_url: Option<String>,
    pub labels: Json<BTreeMap<String, String>>,
    pub annotations: Json<BTreeMap<String, String>>,
}

/// An alert with what its labels were found to mean.
#[derive(Debug)]
pub struct Heard<'a> {
    pub alert: &'a AlertmanagerAlert,
    pub service: Option<Uuid>,
    pub environment: Option<String>,
    pub source_url: Option<&'a str>,
}

/// What a message changed about one alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    New,
    Resolved,
    Again,
}

/// Where an item stands in its order.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    #[serde(with = "time::serde::timestamp::nanoseconds")]
    pub started_at: OffsetDateTime,
    pub id: Uuid,
}

/// Writes one occurrence, or what is new about it.
pub async fn put(db: &mut PgConnection, connection: Uuid, heard: &Heard<'_>) -> Result<Told> {
    let alert = heard.alert;
    let before: Option<bool> = sqlx::query_scalar(
        "SELECT ended_at IS NULL FROM alerts WHERE connection_id = $1 AND fingerprint = $2 AND started_at = $3 FOR UPDATE",
    )
    .bind(connection)
    .bind(&alert.fingerprint)
    .bind(alert.starts_at)
    .fetch_optional(&mut *db)
    .await?;
    sqlx::query(
        "INSERT INTO alerts (id, connection_id, fingerprint, started_at, ended_at, name, severity, summary, service_id, environment,
                             labels, annotations, source_url)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (connection_id, fingerprint, started_at) DO UPDATE SET ended_at = excluded.ended_at, summary = excluded.summary,
                service_id = excluded.service_id, environment = excluded.environment, annotations = excluded.annotations,
                source_url = excluded.source_url, heard_at = now()",
    )
    .bind(Uuid::now_v7())
    .bind(connection)
    .bind(&alert.fingerprint)
    .bind(alert.starts_at)
    .bind(ended_at(alert))
    .bind(alert.labels.get("alertname"))
    .bind(alert.labels.get("severity"))
    .bind(alert.annotations.get("summary"))
    .bind(heard.service)
    .bind(&heard.environment)
    .bind(Json(&alert.labels))
    .bind(Json(&alert.annotations))
    .bind(heard.source_url)
    .execute(db)
    .await?;
    Ok(match (before, alert.status) {
        (None, _) => Told::New,
        (Some(true), AlertState::Resolved) => Told::Resolved,
        (Some(_), _) => Told::Again,
    })
}

/// Drops what ended before a moment.
pub async fn forget(db: &mut PgConnection, before: OffsetDateTime) -> Result<()> {
    sqlx::query("DELETE FROM alerts WHERE ended_at < $1").bind(before).execute(db).await?;
    Ok(())
}

/// What narrows the list.
#[derive(Debug)]
pub struct Narrow<'a> {
    pub scope: &'a ReadScope,
    pub service: Option<Uuid>,
    pub filter: &'a AlertFilter,
    /// Those that fired at some time after it.
    pub since: Option<OffsetDateTime>,
}

const NARROWED: &str =
    "FROM alerts a JOIN connections c ON c.id = a.connection_id LEFT JOIN entities e ON e.id = a.service_id
     WHERE ($1 OR e.owner = ANY($2) OR e.system = ANY($3)) AND ($4::uuid IS NULL OR a.service_id = $4)
       AND ($5::text IS NULL OR a.environment = $5) AND ($6::bool IS NULL OR (a.ended_at IS NULL) = $6)
       AND ($7::text IS NULL OR a.severity = $7) AND ($8::timestamptz IS NULL OR coalesce(a.ended_at, now()) > $8)";

/// Binds `$1` to `$8` of [`NARROWED`].
macro_rules! narrowed {
    ($query:expr, $narrow:expr) => {{
        let (all, teams, systems): (bool, Vec<String>, Vec<String>) = match $narrow.scope {
            ReadScope::All => (true, Vec::new(), Vec::new()),
            ReadScope::Only { teams, systems } => {
                (false, teams.iter().cloned().collect(), systems.iter().cloned().collect())
            }
        };
        $query
            .bind(all)
            .bind(teams)
            .bind(systems)
            .bind($narrow.service)
            .bind(&$narrow.filter.environment)
            .bind($narrow.filter.state.map(|state| state == AlertState::Firing))
            .bind(&$narrow.filter.severity)
            .bind($narrow.since)
    }};
}

/// A page, the newest first, and how many there are in all.
pub async fn page(
    db: impl PgExecutor<'_> + Copy,
    narrow: &Narrow<'_>,
    after: Option<&Place>,
    limit: i64,
) -> Result<(Vec<Row>, u64)> {
    let sql = format!(
        "SELECT a.id, a.name, a.severity, a.summary, e.namespace || '/' || e.name AS service, a.environment, c.name AS connection,
                a.started_at, a.ended_at, a.heard_at, a.source_url, a.labels, a.annotations
         {NARROWED} AND ($9::timestamptz IS NULL OR (a.started_at, a.id) < ($9, $10))
         ORDER BY a.started_at DESC, a.id DESC LIMIT $11"
    );
    let query = sqlx::query_as::<_, Row>(sqlx::AssertSqlSafe(sql));
    let rows = narrowed!(query, narrow)
        .bind(after.map(|place| place.started_at))
        .bind(after.map(|place| place.id))
        .bind(limit)
        .fetch_all(db)
        .await?;
    let count = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(format!("SELECT count(*) {NARROWED}")));
    let total = narrowed!(count, narrow).fetch_one(db).await?;
    Ok((rows, u64::try_from(total).unwrap_or_default()))
}
