//! Rows of `gate_policies`, which are also the lock between deciding and changing what is decided from.

use crate::kernel::{AppError, Result};
use passerelle_contract::environments::Tier;
use passerelle_contract::gates::{GatePolicy, GatePolicyOut};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;

#[derive(Debug, FromRow)]
struct Row {
    tier: String,
    policy: Json<GatePolicy>,
    updated_at: OffsetDateTime,
    updated_by: Option<String>,
}

/// In the order of the tiers.
pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<GatePolicyOut>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT tier, policy, updated_at, updated_by FROM gate_policies").fetch_all(db).await?;
    let mut policies = rows.into_iter().map(out).collect::<Result<Vec<_>>>()?;
    policies.sort_by_key(|policy| policy.tier);
    Ok(policies)
}

pub async fn get(db: impl PgExecutor<'_>, tier: Tier) -> Result<GatePolicyOut> {
    let sql = "SELECT tier, policy, updated_at, updated_by FROM gate_policies WHERE tier = $1";
    let row: Option<Row> = sqlx::query_as(sql).bind(tier.as_str()).fetch_optional(db).await?;
    out(row.ok_or_else(|| missing(tier))?)
}

/// Without a policy nothing could be refused; that is not a way to let everything through.
fn missing(tier: Tier) -> AppError {
    AppError::internal(format!("tier {} has no policy", tier.as_str()))
}

fn out(row: Row) -> Result<GatePolicyOut> {
    let tier = Tier::parse(&row.tier).ok_or_else(|| AppError::internal(format!("unknown tier {}", row.tier)))?;
    Ok(GatePolicyOut { tier, policy: row.policy.0, updated_at: row.updated_at, updated_by: row.updated_by })
}

/// The policy of a tier and the database's clock. `hold` keeps it, and all that decisions are made from, until the end of the
/// transaction.
pub async fn read(db: &mut PgConnection, tier: Tier, hold: bool) -> Result<(GatePolicy, OffsetDateTime)> {
    let sql = if hold {
        "SELECT policy, clock_timestamp() FROM gate_policies WHERE tier = $1 FOR SHARE"
    } else {
        "SELECT policy, clock_timestamp() FROM gate_policies WHERE tier = $1"
    };
    let row: Option<(Json<GatePolicy>, OffsetDateTime)> =
        sqlx::query_as(sql).bind(tier.as_str()).fetch_optional(db).await?;
    let (policy, now) = row.ok_or_else(|| missing(tier))?;
    Ok((policy.0, now))
}

/// Waits until no decision is under way, and keeps new ones waiting until the end of the transaction.
pub async fn exclude_decisions(db: &mut PgConnection) -> Result<()> {
    sqlx::query("SELECT tier FROM gate_policies ORDER BY tier FOR UPDATE").execute(db).await?;
    Ok(())
}

pub async fn update(db: &mut PgConnection, tier: Tier, policy: &GatePolicy, by: &str) -> Result<()> {
    sqlx::query(
        "UPDATE gate_policies SET policy = $2, updated_at = clock_timestamp(), updated_by = $3 WHERE tier = $1",
    )
    .bind(tier.as_str())
    .bind(Json(policy))
    .bind(by)
    .execute(db)
    .await?;
    Ok(())
}
