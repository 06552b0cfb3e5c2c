//! Archives: what is in files, and taking it out of the tables. Only the owner of the tables can do the latter.

use super::{COLUMNS, ChainedRow, Store, exported, micros};
use crate::kernel::{AppError, Result};
use passerelle_audit_chain::Archive;
use passerelle_contract::audit::{ArchiveOut, ExportedEvent};
use sqlx::{AssertSqlSafe, PgConnection};
use time::OffsetDateTime;

#[derive(sqlx::FromRow)]
struct ArchiveRow {
    first: i64,
    last: i64,
    event_id: i64,
    hash: Vec<u8>,
    sha256: Vec<u8>,
    signature: Vec<u8>,
    key_id: String,
    at: OffsetDateTime,
}

impl Store {
    /// Newest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn archives(&self, limit: i64) -> Result<Vec<ArchiveOut>> {
        let rows: Vec<ArchiveRow> = sqlx::query_as(
            "SELECT first, last, event_id, hash, sha256, signature, key_id, at FROM audit_archives ORDER BY last DESC LIMIT $1",
        )
        .bind(limit)
        .fetch_all(self.db.pool())
        .await?;
        Ok(rows.into_iter().map(out).collect())
    }

    /// The end of the longest beginning of the chain whose rows are all older than a moment; `None` when there is no such row.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn older_to(&self, before: OffsetDateTime) -> Result<Option<i64>> {
        let newer: Option<i64> = sqlx::query_scalar(
            "SELECT min(c.position) FROM audit_chain c JOIN audit_events a ON a.id = c.event_id WHERE a.at >= $1",
        )
        .bind(before)
        .fetch_one(self.db.pool())
        .await?;
        let last: Option<i64> =
            sqlx::query_scalar("SELECT max(position) FROM audit_chain WHERE $1::bigint IS NULL OR position < $1")
                .bind(newer)
                .fetch_one(self.db.pool())
                .await?;
        Ok(last)
    }

    /// A stretch of the chain as it is exported, oldest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn chained(&self, after: i64, to: i64, limit: i64) -> Result<Vec<ExportedEvent>> {
        let mut connection = self.db.pool().acquire().await?;
        chained(&mut connection, after, to, limit).await
    }
}

/// As [`Store::chained`], on a connection of the caller's.
///
/// # Errors
/// When the database is away.
pub async fn chained(connection: &mut PgConnection, after: i64, to: i64, limit: i64) -> Result<Vec<ExportedEvent>> {
    let sql = format!(
        "SELECT {COLUMNS}, true AS sealed, c.position, c.hash, k.signature, k.key_id, k.at AS signed_at
         FROM (SELECT * FROM audit_chain WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3) c
         JOIN audit_events a ON a.id = c.event_id LEFT JOIN audit_checkpoints k ON k.position = c.position
         ORDER BY c.position"
    );
    let rows: Vec<ChainedRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(after).bind(to).bind(limit).fetch_all(connection).await?;
    rows.into_iter().map(exported).collect()
}

/// Says on the first row behind an archive what it follows.
pub fn tell_what_follows(events: &mut [ExportedEvent], archives: &[ArchiveOut]) {
    for chain in events.iter_mut().filter_map(|exported| exported.chain.as_mut()) {
        chain.follows = archives.iter().find(|archive| archive.last + 1 == chain.position).cloned();
    }
}

/// Takes everything to an archive's end out of the tables, and says where it is instead. In a transaction of the owner's, who alone can set
/// the triggers aside; months of which nothing is left are dropped. Answers how many rows and months went.
///
/// # Errors
/// When the role is not the owner's, or the database is away.
pub async fn take_out(
    connection: &mut PgConnection,
    archive: &Archive,
    before: OffsetDateTime,
) -> Result<(i64, usize)> {
    let decode = |text: &str| hex::decode(text).map_err(AppError::internal);
    sqlx::query(
        "INSERT INTO audit_archives (first, last, event_id, hash, sha256, signature, key_id, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(archive.first)
    .bind(archive.last)
    .bind(archive.event_id)
    .bind(decode(&archive.hash)?)
    .bind(decode(&archive.sha256)?)
    .bind(decode(&archive.signature)?)
    .bind(&archive.key_id)
    .bind(OffsetDateTime::from_unix_timestamp_nanos(i128::from(archive.at_us) * 1000).map_err(AppError::internal)?)
    .execute(&mut *connection)
    .await?;
    // Writers wait from here to the end of the transaction.
    sqlx::raw_sql("ALTER TABLE audit_events DISABLE TRIGGER USER").execute(&mut *connection).await?;
    let (mut rows, mut months) = (0, 0);
    for month in months_before(connection, before).await? {
        // Named by the database itself.
        let of_others = format!(
            "SELECT EXISTS (SELECT FROM {month} a LEFT JOIN audit_chain c ON c.event_id = a.id WHERE c.position IS NULL OR c.position > $1)"
        );
        if sqlx::query_scalar(AssertSqlSafe(of_others)).bind(archive.last).fetch_one(&mut *connection).await? {
            continue;
        }
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {month}")))
            .fetch_one(&mut *connection)
            .await?;
        sqlx::query(AssertSqlSafe(format!("DROP TABLE {month}"))).execute(&mut *connection).await?;
        rows += count;
        months += 1;
    }
    let left =
        sqlx::query("DELETE FROM audit_events a USING audit_chain c WHERE c.event_id = a.id AND c.position <= $1")
            .bind(archive.last)
            .execute(&mut *connection)
            .await?;
    rows += i64::try_from(left.rows_affected()).unwrap_or(i64::MAX);
    // The last checkpoint stays: it says whose key the database is used with.
    for (table, gone) in [("audit_chain", "position <= $1"), ("audit_checkpoints", "position < $1")] {
        let statement = format!("ALTER TABLE {table} DISABLE TRIGGER USER");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        let statement = format!("DELETE FROM {table} WHERE {gone}");
        sqlx::query(AssertSqlSafe(statement)).bind(archive.last).execute(&mut *connection).await?;
        let statement = format!("ALTER TABLE {table} ENABLE TRIGGER USER");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
    }
    sqlx::raw_sql("ALTER TABLE audit_events ENABLE TRIGGER USER").execute(&mut *connection).await?;
    Ok((rows, months))
}

/// Partitions of whole months that end by a moment.
async fn months_before(connection: &mut PgConnection, before: OffsetDateTime) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT c.oid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'audit_events'::regclass AND c.relname ~ '^audit_events_[0-9]{4}_[0-9]{2}$'
           AND (to_timestamp(right(c.relname, 7) || ' +00', 'YYYY_MM TZH') AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC' <= $1
         ORDER BY c.relname",
    )
    .bind(before)
    .fetch_all(connection)
    .await?)
}

fn out(row: ArchiveRow) -> ArchiveOut {
    ArchiveOut {
        first: row.first,
        last: row.last,
        event_id: row.event_id,
        hash: hex::encode(row.hash),
        sha256: hex::encode(row.sha256),
        at_us: micros(row.at),
        signature: hex::encode(row.signature),
        key_id: row.key_id,
    }
}
