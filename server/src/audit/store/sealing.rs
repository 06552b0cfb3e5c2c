//! What the sealer reads and writes, under an advisory lock that its transaction holds; see `sealer.rs`.

use super::{COLUMNS, EventRow, chain_row};
use crate::kernel::{AppError, Result};
use passerelle_audit_chain::{Checkpoint, Hash, Row};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// Any number that nothing else in the database locks.
const LOCK: i64 = 0x0070_6173_7365_616c;
/// Ids are given out before their rows are committed: how far back a row may still be missing.
pub const LATE_IDS: i64 = 20_000;

/// # Errors
/// When the database is away.
pub async fn lock(connection: &mut PgConnection) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(LOCK).fetch_one(connection).await?)
}

/// Waits until nobody seals, and nobody will until the transaction ends.
///
/// # Errors
/// When the database is away.
pub async fn wait_for_lock(connection: &mut PgConnection) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(connection).await?;
    Ok(())
}

/// The end of the chain, or of what was archived of it: position and link.
///
/// # Errors
/// When the database is away.
pub async fn end(connection: &mut PgConnection) -> Result<Option<(i64, Hash)>> {
    let row: Option<(i64, Vec<u8>)> = sqlx::query_as(
        "(SELECT position, hash FROM audit_chain ORDER BY position DESC LIMIT 1)
             UNION ALL (SELECT last, hash FROM audit_archives ORDER BY last DESC LIMIT 1) ORDER BY 1 DESC LIMIT 1",
    )
    .fetch_optional(connection)
    .await?;
    row.map(|(position, hash)| {
        Ok((position, hash.try_into().map_err(|_| AppError::internal("a link is not 32 bytes"))?))
    })
    .transpose()
}

/// Committed rows that are not in the chain yet, in the order of their ids.
///
/// # Errors
/// When the database is away.
pub async fn unlinked(connection: &mut PgConnection, limit: i64) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_events a
         WHERE a.id > (SELECT coalesce(max(event_id), 0) - $1 FROM audit_chain)
           AND NOT EXISTS (SELECT FROM audit_chain c WHERE c.event_id = a.id) ORDER BY a.id LIMIT $2"
    );
    let rows: Vec<EventRow> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(LATE_IDS).bind(limit).fetch_all(connection).await?;
    Ok(rows.into_iter().map(chain_row).collect())
}

/// # Errors
/// When the database is away.
pub async fn append(connection: &mut PgConnection, links: &[(i64, i64, Hash)]) -> Result<()> {
    let positions: Vec<i64> = links.iter().map(|link| link.0).collect();
    let ids: Vec<i64> = links.iter().map(|link| link.1).collect();
    let hashes: Vec<Vec<u8>> = links.iter().map(|link| link.2.to_vec()).collect();
    sqlx::query("INSERT INTO audit_chain (position, event_id, hash) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])")
        .bind(positions)
        .bind(ids)
        .bind(hashes)
        .execute(connection)
        .await?;
    Ok(())
}

/// # Errors
/// When the database is away.
pub async fn add_checkpoint(connection: &mut PgConnection, checkpoint: &Checkpoint) -> Result<()> {
    let decode = |text: &str| hex::decode(text).map_err(AppError::internal);
    sqlx::query(
        "INSERT INTO audit_checkpoints (position, event_id, hash, signature, key_id, at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(checkpoint.position)
    .bind(checkpoint.event_id)
    .bind(decode(&checkpoint.hash)?)
    .bind(decode(&checkpoint.signature)?)
    .bind(&checkpoint.key_id)
    .bind(OffsetDateTime::from_unix_timestamp_nanos(i128::from(checkpoint.at_us) * 1000).map_err(AppError::internal)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes the partitions that are needed next.
///
/// # Errors
/// When the database is away, or somebody holds the table for long.
pub async fn make_months(pool: &sqlx::PgPool) -> Result<()> {
    sqlx::query("SELECT audit_make_months()").execute(pool).await?;
    Ok(())
}
