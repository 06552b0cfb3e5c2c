//! All SQL of the audit.

pub(super) mod archives;
pub(super) mod sealing;
pub(super) mod streams;

use crate::kernel::{AppError, Db, ReadScope, Result};
use passerelle_audit_chain::Row;
use passerelle_contract::audit::{
    AuditEventOut, AuditFilter, ChainOut, CheckpointOut, ExportedEvent, Outcome, SignatureOut,
};
use passerelle_contract::paging::MOST_COUNTED;
use serde_json::Value;
use std::collections::HashMap;
use time::OffsetDateTime;

#[derive(Debug, Clone)]
pub struct Store {
    pub(super) db: Db,
}

#[derive(Debug, sqlx::FromRow)]
struct EventRow {
    id: i64,
    at: OffsetDateTime,
    actor: String,
    via: String,
    action: String,
    object: String,
    service: Option<String>,
    environment: Option<String>,
    reason: Option<String>,
    before: Option<String>,
    after: Option<String>,
    request_id: String,
    outcome: String,
    #[sqlx(default)]
    sealed: bool,
}

#[derive(Debug, sqlx::FromRow)]
struct ChainedRow {
    #[sqlx(flatten)]
    event: EventRow,
    position: Option<i64>,
    hash: Option<Vec<u8>>,
    signature: Option<Vec<u8>>,
    key_id: Option<String>,
    signed_at: Option<OffsetDateTime>,
}

/// Position, event id, hash, signature, key id, time.
type CheckpointRow = (i64, i64, Vec<u8>, Vec<u8>, String, OffsetDateTime);

/// Position, event id, link, and the row if it is there.
pub type StoredLink = (i64, i64, Vec<u8>, Option<Row>);

/// `before` and `after` as the exact text that is hashed.
const COLUMNS: &str =
    "a.id, a.at, a.actor, a.via, a.action, a.object, a.service, a.environment, a.reason, a.before::text AS before,
  a.after::text AS after, a.request_id, a.outcome";

const FILTER: &str = "($1::text IS NULL OR a.actor = $1) AND ($2::text IS NULL OR a.action = $2) AND ($3::text IS NULL OR a.object = $3)
  AND ($4::text IS NULL OR a.service = $4) AND ($5::text IS NULL OR a.environment = $5) AND ($6::text IS NULL OR a.outcome = $6)
  AND ($7::timestamptz IS NULL OR a.at >= $7) AND ($8::timestamptz IS NULL OR a.at < $8)
  AND ($9::text[] IS NULL OR EXISTS (SELECT FROM entities e WHERE e.reference = 'component:' || lower(a.service)
       AND (e.owner = ANY ($9) OR e.system = ANY ($10))))";

type Query<'q, O> = sqlx::query::QueryAs<'q, sqlx::Postgres, O, sqlx::postgres::PgArguments>;

fn bind<'q, O>(query: Query<'q, O>, filter: &'q AuditFilter, scope: &ReadScope) -> Query<'q, O> {
    let (teams, systems) = match scope {
        ReadScope::All => (None, None),
        ReadScope::Only { teams, systems } => {
            (Some(teams.iter().cloned().collect::<Vec<_>>()), Some(systems.iter().cloned().collect::<Vec<_>>()))
        }
    };
    query
        .bind(&filter.actor)
        .bind(&filter.action)
        .bind(&filter.object)
        .bind(&filter.service)
        .bind(&filter.environment)
        .bind(filter.outcome.map(Outcome::as_str))
        .bind(filter.from)
        .bind(filter.to)
        .bind(teams)
        .bind(systems)
}

impl Store {
    /// Newest first, below an id.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn list(
        &self,
        filter: &AuditFilter,
        scope: &ReadScope,
        below: Option<i64>,
        limit: usize,
    ) -> Result<Vec<AuditEventOut>> {
        let sql = format!(
            "SELECT {COLUMNS}, EXISTS (SELECT FROM audit_chain c WHERE c.event_id = a.id) AS sealed
             FROM audit_events a WHERE {FILTER} AND ($11::bigint IS NULL OR a.id < $11) ORDER BY a.id DESC LIMIT $12"
        );
        let rows: Vec<EventRow> = bind(sqlx::query_as(sqlx::AssertSqlSafe(sql)), filter, scope)
            .bind(below)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.db.pool())
            .await?;
        rows.into_iter().map(out).collect()
    }

    /// As [`Self::list`], each row with its place in the chain.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn list_chained(
        &self,
        filter: &AuditFilter,
        scope: &ReadScope,
        below: Option<i64>,
        limit: usize,
    ) -> Result<Vec<ExportedEvent>> {
        let sql = format!(
            "SELECT {COLUMNS}, c.position IS NOT NULL AS sealed, c.position, c.hash, k.signature, k.key_id, k.at AS signed_at
             FROM audit_events a LEFT JOIN audit_chain c ON c.event_id = a.id
             LEFT JOIN audit_checkpoints k ON k.position = c.position
             WHERE {FILTER} AND ($11::bigint IS NULL OR a.id < $11) ORDER BY a.id DESC LIMIT $12"
        );
        let rows: Vec<ChainedRow> = bind(sqlx::query_as(sqlx::AssertSqlSafe(sql)), filter, scope)
            .bind(below)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.db.pool())
            .await?;
        let mut events: Vec<ExportedEvent> = rows.into_iter().map(exported).collect::<Result<_>>()?;
        archives::tell_what_follows(&mut events, &self.archives(1).await?);
        Ok(events)
    }

    /// The newest row, sealed or not.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn newest(&self) -> Result<i64> {
        let sql = "SELECT coalesce(max(id), 0) FROM audit_events";
        Ok(sqlx::query_scalar(sql).fetch_one(self.db.pool()).await?)
    }

    /// Whether every row up to an id is in the chain.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn is_sealed_to(&self, id: i64) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT FROM audit_events a
               WHERE a.id <= $1 AND a.id > (SELECT coalesce(max(event_id), 0) - $2 FROM audit_chain)
                 AND NOT EXISTS (SELECT FROM audit_chain c WHERE c.event_id = a.id))",
        )
        .bind(id)
        .bind(sealing::LATE_IDS)
        .fetch_one(self.db.pool())
        .await?)
    }

    /// As far as [`MOST_COUNTED`] and one.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn count(&self, filter: &AuditFilter, scope: &ReadScope) -> Result<u64> {
        let most = MOST_COUNTED + 1;
        let sql = format!("SELECT count(*) FROM (SELECT FROM audit_events a WHERE {FILTER} LIMIT {most}) AS counted");
        let (count,): (i64,) =
            bind(sqlx::query_as(sqlx::AssertSqlSafe(sql)), filter, scope).fetch_one(self.db.pool()).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Newest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn checkpoints(&self, limit: i64) -> Result<Vec<CheckpointOut>> {
        let rows: Vec<CheckpointRow> = sqlx::query_as(
            "SELECT position, event_id, hash, signature, key_id, at FROM audit_checkpoints ORDER BY position DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(self.db.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(position, event_id, hash, signature, key_id, at)| CheckpointOut {
                position,
                event_id,
                hash: hex::encode(hash),
                signature: hex::encode(signature),
                key_id,
                at,
            })
            .collect())
    }

    /// The first row that the sealer will never link, because it came too long after its neighbours: nobody but a superuser gives out ids.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn never_linked(&self) -> Result<Option<i64>> {
        Ok(sqlx::query_scalar(
            "SELECT a.id FROM audit_events a
             WHERE a.id <= (SELECT coalesce(max(event_id), 0) - $1 FROM audit_chain)
               AND NOT EXISTS (SELECT FROM audit_chain c WHERE c.event_id = a.id) ORDER BY a.id LIMIT 1",
        )
        .bind(sealing::LATE_IDS)
        .fetch_optional(self.db.pool())
        .await?)
    }

    /// The last position of the chain; 0 before the first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn chain_end(&self) -> Result<i64> {
        Ok(sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM audit_chain").fetch_one(self.db.pool()).await?)
    }

    /// A stretch of the chain with its rows, for verification.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn linked(&self, after: i64, limit: i64) -> Result<Vec<StoredLink>> {
        #[derive(sqlx::FromRow)]
        struct LinkRow {
            position: i64,
            event_id: i64,
            hash: Vec<u8>,
        }
        let links: Vec<LinkRow> = sqlx::query_as(
            "SELECT position, event_id, hash FROM audit_chain WHERE position > $1 ORDER BY position LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(self.db.pool())
        .await?;
        let mut rows = self.events_of(links.iter().map(|link| link.event_id).collect()).await?;
        Ok(links
            .into_iter()
            .map(|link| (link.position, link.event_id, link.hash, rows.remove(&link.event_id)))
            .collect())
    }

    /// The rows of these ids that are there.
    async fn events_of(&self, ids: Vec<i64>) -> Result<HashMap<i64, Row>> {
        let (Some(first), Some(last)) = (ids.iter().min().copied(), ids.iter().max().copied()) else {
            return Ok(HashMap::new());
        };
        // As a rule a stretch of the chain is a stretch of ids, which is read in one go from each month; ids far apart are looked up one by one.
        let dense =
            last.checked_sub(first).is_some_and(|width| width / 4 <= i64::try_from(ids.len()).unwrap_or(i64::MAX));
        let (chosen, bounds) = if dense {
            ("a.id BETWEEN ($1::bigint[])[1] AND ($1::bigint[])[2]", vec![first, last])
        } else {
            ("a.id = ANY ($1)", ids)
        };
        let sql = format!("SELECT {COLUMNS} FROM audit_events a WHERE {chosen}");
        let rows: Vec<EventRow> =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(bounds).fetch_all(self.db.pool()).await?;
        Ok(rows.into_iter().map(|row| (row.id, chain_row(row))).collect())
    }
}

fn exported(row: ChainedRow) -> Result<ExportedEvent> {
    let signature = match (row.signature, row.key_id, row.signed_at) {
        (Some(signature), Some(key_id), Some(at)) => {
            Some(SignatureOut { signature: hex::encode(signature), key_id, at_us: micros(at) })
        }
        _ => None,
    };
    let chain = match (row.position, row.hash) {
        (Some(position), Some(hash)) => {
            Some(ChainOut { position, hash: hex::encode(hash), checkpoint: signature, follows: None })
        }
        _ => None,
    };
    Ok(ExportedEvent { event: out(row.event)?, chain })
}

/// What Postgres keeps of a time.
pub(super) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

fn chain_row(row: EventRow) -> Row {
    Row {
        id: row.id,
        at_us: micros(row.at),
        actor: row.actor,
        via: row.via,
        action: row.action,
        object: row.object,
        service: row.service,
        environment: row.environment,
        reason: row.reason,
        before: row.before,
        after: row.after,
        request_id: row.request_id,
        outcome: row.outcome,
    }
}

fn out(row: EventRow) -> Result<AuditEventOut> {
    // Preserves what was written: a row that somebody edited into broken JSON is shown as text.
    let json = |text: Option<String>| text.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)));
    let outcome = serde_json::from_value(Value::String(row.outcome)).map_err(AppError::internal)?;
    Ok(AuditEventOut {
        id: row.id,
        at: row.at,
        actor: row.actor,
        via: row.via,
        action: row.action,
        object: row.object,
        service: row.service,
        environment: row.environment,
        reason: row.reason,
        before: json(row.before),
        after: json(row.after),
        request_id: row.request_id,
        outcome,
        sealed: row.sealed,
    })
}
