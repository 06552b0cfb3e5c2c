//! Rows of `approvals`. What is void stays.

use crate::kernel::{AppError, Result, violated};
use passerelle_contract::gates::{ApprovalDecision, ApprovalOut};
use passerelle_contract::text;
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, FromRow)]
struct Row {
    approver: String,
    decision: String,
    reason: Option<String>,
    created_at: OffsetDateTime,
    void_reason: Option<String>,
}

/// All that was said about a deployment, oldest first, void ones too.
pub async fn of_deployment(db: impl PgExecutor<'_>, deployment: Uuid) -> Result<Vec<ApprovalOut>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT approver, decision, reason, created_at, void_reason FROM approvals WHERE deployment_id = $1
         ORDER BY created_at, id",
    )
    .bind(deployment)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let decision = ApprovalDecision::parse(&row.decision)
                .ok_or_else(|| AppError::internal(format!("unknown decision '{}' in the database", row.decision)))?;
            Ok(ApprovalOut {
                by: row.approver,
                decision,
                reason: row.reason,
                at: row.created_at,
                void: row.void_reason,
            })
        })
        .collect()
}

/// Of these deployments, those about which this person has said something that counts.
pub async fn spoken(db: impl PgExecutor<'_>, by: &str, deployments: &[Uuid]) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar(
        "SELECT deployment_id FROM approvals WHERE approver = $1 AND deployment_id = ANY($2) AND voided_at IS NULL",
    )
    .bind(by)
    .bind(deployments)
    .fetch_all(db)
    .await?)
}

/// # Errors
/// `Conflict` when this person has said something that counts.
pub async fn insert(
    db: &mut PgConnection,
    deployment: Uuid,
    by: &str,
    (decision, reason): (ApprovalDecision, Option<&str>),
    fingerprint: &[u8],
) -> Result<()> {
    sqlx::query(
        "INSERT INTO approvals (id, deployment_id, approver, decision, reason, fingerprint) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(Uuid::now_v7())
    .bind(deployment)
    .bind(by)
    .bind(decision.as_str())
    .bind(reason)
    .bind(fingerprint)
    .execute(db)
    .await
    .map(drop)
    .map_err(|error| match violated(&error) {
        Some("approvals_one_each") => AppError::Conflict(text!("you have said so already; one person counts once")),
        _ => error.into(),
    })
}

/// Makes what was said void; answers how many that were.
pub async fn void(db: &mut PgConnection, deployment: Uuid, why: &str) -> Result<u64> {
    let done = sqlx::query(
        "UPDATE approvals SET voided_at = now(), void_reason = $2 WHERE deployment_id = $1 AND voided_at IS NULL",
    )
    .bind(deployment)
    .bind(why)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
