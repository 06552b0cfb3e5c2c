//! Rows of `sealing_keys`, and the two locks of rotations.

use crate::kernel::Result;
use sqlx::{FromRow, PgConnection, PgExecutor};

/// Shared by whoever seals, until its transaction ends; a rotation takes it alone when it makes a key and when it ends.
const SEALING: i64 = 0x7061_7373_0175;
/// One rotation at a time.
const ROTATING: i64 = 0x7061_7373_0176;

/// A key as it is stored.
#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub number: i32,
    pub wrapped: String,
    /// Nothing is sealed with another key any more.
    pub finished: bool,
}

const COLUMNS: &str = "SELECT number, wrapped, finished_at IS NOT NULL AS finished FROM sealing_keys";

pub async fn all(db: impl PgExecutor<'_>) -> Result<Vec<Row>> {
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY number"))).fetch_all(db).await?)
}

/// The key that is sealed with; none before the first rotation.
pub async fn newest(db: impl PgExecutor<'_>) -> Result<Option<Row>> {
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY number DESC LIMIT 1")))
        .fetch_optional(db)
        .await?)
}

pub async fn share(db: &mut PgConnection) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock_shared($1)").bind(SEALING).execute(db).await?;
    Ok(())
}

pub async fn exclude(db: &mut PgConnection) -> Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(SEALING).execute(db).await?;
    Ok(())
}

/// Whether this transaction is the only rotation, which it stays until it ends, killed or not.
pub async fn only_rotation(db: &mut PgConnection) -> Result<bool> {
    // The transaction is held for as long as the rotation takes, and nothing happens in it meanwhile.
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = 0").execute(&mut *db).await?;
    Ok(sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(ROTATING).fetch_one(db).await?)
}

pub async fn next_number(db: &mut PgConnection) -> Result<i32> {
    Ok(sqlx::query_scalar("SELECT nextval('sealing_key_numbers')::integer").fetch_one(db).await?)
}

pub async fn insert(db: &mut PgConnection, number: i32, wrapped: &str) -> Result<()> {
    let insert = sqlx::query("INSERT INTO sealing_keys (number, wrapped) VALUES ($1, $2)");
    insert.bind(number).bind(wrapped).execute(db).await?;
    Ok(())
}

/// Notes that nothing is sealed with an older key, and forgets those.
pub async fn finish(db: &mut PgConnection, number: i32) -> Result<()> {
    sqlx::query("DELETE FROM sealing_keys WHERE number <> $1").bind(number).execute(&mut *db).await?;
    sqlx::query("UPDATE sealing_keys SET finished_at = now() WHERE number = $1").bind(number).execute(db).await?;
    Ok(())
}

/// Forgets all keys; answers how many there were.
pub async fn forget_all(db: &mut PgConnection) -> Result<u64> {
    Ok(sqlx::query("DELETE FROM sealing_keys").execute(db).await?.rows_affected())
}
