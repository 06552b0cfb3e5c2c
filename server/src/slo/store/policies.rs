//! Rows of `slo_policies`: the ladder of each tier.

use super::super::model::default_policy;
use crate::kernel::Result;
use passerelle_contract::environments::Tier;
use passerelle_contract::slo::{BudgetVerdict, SloPolicy};
use passerelle_slo_math::{Policy, Ratio, Verdict};
use sqlx::PgExecutor;
use sqlx::postgres::PgConnection;
use std::collections::HashMap;

type Row = (i32, i32, i32, String);

/// The ladders of all tiers.
#[derive(Debug)]
pub struct Ladders(HashMap<String, SloPolicy>);

impl Ladders {
    pub fn of(&self, tier: Tier) -> SloPolicy {
        self.0.get(tier.as_str()).copied().unwrap_or(default_policy(tier))
    }
}

pub async fn all(db: impl PgExecutor<'_>) -> Result<Ladders> {
    let rows: Vec<(String, i32, i32, i32, String)> =
        sqlx::query_as("SELECT tier, warn_below, approval_below, block_at, missing FROM slo_policies")
            .fetch_all(db)
            .await?;
    let ladders = rows.into_iter().map(|(tier, warn, approval, block, missing)| {
        let ladder = ladder((warn, approval, block, missing));
        (tier, ladder)
    });
    Ok(Ladders(ladders.collect()))
}

/// The ladder of a tier as its row says, in percent.
pub async fn row(db: impl PgExecutor<'_>, tier: Tier) -> Result<SloPolicy> {
    let row: Option<Row> =
        sqlx::query_as("SELECT warn_below, approval_below, block_at, missing FROM slo_policies WHERE tier = $1")
            .bind(tier.as_str())
            .fetch_optional(db)
            .await?;
    Ok(row.map_or(default_policy(tier), ladder))
}

fn ladder((warn_below, approval_below, block_at, missing): Row) -> SloPolicy {
    // A word that this version does not know: the safe one.
    let missing = BudgetVerdict::parse(&missing).unwrap_or(BudgetVerdict::Block);
    SloPolicy { warn_below, approval_below, block_at, missing }
}

/// The ladder of a tier, to decide with.
pub async fn policy(db: impl PgExecutor<'_>, tier: Tier) -> Result<Policy> {
    row(db, tier).await.map(|row| exact(&row))
}

pub fn exact(row: &SloPolicy) -> Policy {
    let percent = |value: i32| Ratio::percent(i128::from(value));
    Policy {
        warn_below: percent(row.warn_below),
        approval_below: percent(row.approval_below),
        block_at: percent(row.block_at),
        missing: match row.missing {
            BudgetVerdict::Ok => Verdict::Ok,
            BudgetVerdict::Warn => Verdict::Warn,
            BudgetVerdict::Approval => Verdict::Approval,
            BudgetVerdict::Block => Verdict::Block,
        },
    }
}

pub async fn put(db: &mut PgConnection, tier: Tier, policy: &SloPolicy) -> Result<()> {
    sqlx::query(
        "INSERT INTO slo_policies (tier, warn_below, approval_below, block_at, missing) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tier) DO UPDATE SET warn_below = excluded.warn_below, approval_below = excluded.approval_below,
                block_at = excluded.block_at, missing = excluded.missing",
    )
    .bind(tier.as_str())
    .bind(policy.warn_below)
    .bind(policy.approval_below)
    .bind(policy.block_at)
    .bind(policy.missing.as_str())
    .execute(db)
    .await?;
    Ok(())
}
