//! How far each SLO was read, and what the last pass found.

use crate::kernel::Result;
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// How far the source was read.
#[derive(Debug, Clone, Default, PartialEq, FromRow)]
pub struct Progress {
    pub slo_id: Uuid,
    pub read_to: Option<i64>,
    pub first_minute: Option<i64>,
    pub last_minute: Option<i64>,
    pub source_error: Option<String>,
    pub reconciled_at: Option<OffsetDateTime>,
    pub drift: Option<f64>,
}

/// For one SLO in a gate's decision as for all of them in a pass: by `ARRAY(...)` Postgres plans it once, not for each number of ids anew.
pub async fn progress(db: impl PgExecutor<'_>, slos: &[Uuid]) -> Result<Vec<Progress>> {
    let sql = "SELECT * FROM slo_progress WHERE slo_id = ANY(ARRAY(SELECT unnest($1::uuid[])))";
    Ok(sqlx::query_as(sql).bind(slos).fetch_all(db).await?)
}

/// What a reading changed.
#[derive(Debug, Clone)]
pub struct Advance {
    pub slo_id: Uuid,
    /// The version that was read for; one that was changed meanwhile is read anew.
    pub seen: OffsetDateTime,
    pub read_to: Option<i64>,
    pub first_minute: Option<i64>,
    pub last_minute: Option<i64>,
    pub source_error: Option<String>,
}

pub async fn advance(db: impl PgExecutor<'_>, all: &[Advance]) -> Result<()> {
    sqlx::query(
        "UPDATE slo_progress g SET read_to = greatest(g.read_to, p.read_to), first_minute = least(g.first_minute, p.first_minute),
                last_minute = greatest(g.last_minute, p.last_minute), source_error = p.source_error
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::timestamptz[])
              AS p (slo_id, read_to, first_minute, last_minute, source_error, seen)
         JOIN slos s ON s.id = p.slo_id AND s.updated_at = p.seen
         WHERE g.slo_id = p.slo_id",
    )
    .bind(all.iter().map(|one| one.slo_id).collect::<Vec<_>>())
    .bind(all.iter().map(|one| one.read_to).collect::<Vec<_>>())
    .bind(all.iter().map(|one| one.first_minute).collect::<Vec<_>>())
    .bind(all.iter().map(|one| one.last_minute).collect::<Vec<_>>())
    .bind(all.iter().map(|one| one.source_error.clone()).collect::<Vec<_>>())
    .bind(all.iter().map(|one| one.seen).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

pub async fn reconciled(db: impl PgExecutor<'_>, slo: Uuid, drift: Option<f64>) -> Result<()> {
    sqlx::query("UPDATE slo_progress SET reconciled_at = now(), drift = $2 WHERE slo_id = $1")
        .bind(slo)
        .bind(drift)
        .execute(db)
        .await?;
    Ok(())
}

/// A line of the list.
#[derive(Debug, Clone)]
pub struct Found {
    pub slo_id: Uuid,
    pub remaining: f64,
    pub verdict: &'static str,
    pub state: &'static str,
    /// The minute up to which incidents were looked for.
    pub incidents_to: i64,
}

/// What the pass before found.
#[derive(Debug, Clone, FromRow)]
pub struct Before {
    pub slo_id: Uuid,
    pub verdict: String,
    pub state: String,
    pub incidents_to: Option<i64>,
}

/// Locked until the transaction ends, so that a change is told once.
pub async fn before(db: &mut PgConnection, slos: &[Uuid]) -> Result<Vec<Before>> {
    Ok(sqlx::query_as(
        "SELECT slo_id, verdict, state, incidents_to FROM slo_status WHERE slo_id = ANY($1) ORDER BY slo_id FOR UPDATE",
    )
    .bind(slos)
    .fetch_all(db)
    .await?)
}

pub async fn note(db: impl PgExecutor<'_>, found: &[Found]) -> Result<()> {
    sqlx::query(
        "INSERT INTO slo_status (slo_id, remaining, verdict, state, checked_at, incidents_to)
         SELECT p.slo_id, p.remaining, p.verdict, p.state, now(), p.incidents_to
         FROM unnest($1::uuid[], $2::float8[], $3::text[], $4::text[], $5::bigint[])
              AS p (slo_id, remaining, verdict, state, incidents_to)
         JOIN slos s ON s.id = p.slo_id
         ON CONFLICT (slo_id) DO UPDATE SET remaining = excluded.remaining, verdict = excluded.verdict, state = excluded.state,
                checked_at = excluded.checked_at, incidents_to = excluded.incidents_to",
    )
    .bind(found.iter().map(|one| one.slo_id).collect::<Vec<_>>())
    .bind(found.iter().map(|one| one.remaining).collect::<Vec<_>>())
    .bind(found.iter().map(|one| one.verdict).collect::<Vec<_>>())
    .bind(found.iter().map(|one| one.state).collect::<Vec<_>>())
    .bind(found.iter().map(|one| one.incidents_to).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// Takes or keeps the lease of a periodic job; false when another process has it.
pub async fn lease(db: impl PgExecutor<'_>, job: &str, owner: &str, seconds: i32) -> Result<bool> {
    let held: Option<i32> = sqlx::query_scalar(
        "INSERT INTO job_leases (job, owner, until) VALUES ($1, $2, now() + make_interval(secs => $3))
         ON CONFLICT (job) DO UPDATE SET owner = excluded.owner, until = excluded.until
           WHERE job_leases.owner = $2 OR job_leases.until < now() RETURNING 1",
    )
    .bind(job)
    .bind(owner)
    .bind(f64::from(seconds))
    .fetch_optional(db)
    .await?;
    Ok(held.is_some())
}
