//! Rows of `vulnerability_reports`: the newest of each release.

use crate::kernel::Result;
use passerelle_contract::gates::{Scan, ScanOut};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, FromRow)]
struct Row {
    release_id: Uuid,
    scan: Json<Scan>,
    report_sha256: Vec<u8>,
    uploaded_by: String,
    uploaded_at: OffsetDateTime,
}

pub async fn of_release(db: impl PgExecutor<'_>, release_id: Uuid) -> Result<Option<ScanOut>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT release_id, scan, report_sha256, uploaded_by, uploaded_at FROM vulnerability_reports WHERE release_id = $1",
    )
    .bind(release_id)
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| ScanOut {
        release: row.release_id,
        scan: row.scan.0,
        report_sha256: hex::encode(row.report_sha256),
        uploaded_by: row.uploaded_by,
        uploaded_at: row.uploaded_at,
    }))
}

pub async fn put(db: &mut PgConnection, release_id: Uuid, scan: &Scan, sha256: &[u8; 32], by: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO vulnerability_reports (release_id, scan, report_sha256, uploaded_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (release_id) DO UPDATE SET scan = excluded.scan, report_sha256 = excluded.report_sha256,
           uploaded_by = excluded.uploaded_by, uploaded_at = now()",
    )
    .bind(release_id)
    .bind(Json(scan))
    .bind(&sha256[..])
    .bind(by)
    .execute(db)
    .await?;
    Ok(())
}

/// How many CRITICAL and HIGH ones the report of each release names; releases without a report are absent.
pub async fn counts(db: impl PgExecutor<'_>, releases: &[Uuid]) -> Result<Vec<(Uuid, i64, i64)>> {
    Ok(sqlx::query_as(
        "SELECT release_id, (scan ->> 'critical')::bigint, (scan ->> 'high')::bigint FROM vulnerability_reports
         WHERE release_id = ANY($1)",
    )
    .bind(releases)
    .fetch_all(db)
    .await?)
}
