//! The list of SLOs, by what is left of their budgets.

use crate::kernel::{ReadScope, Result};
use passerelle_contract::slo::SloSort;
use sqlx::PgExecutor;
use uuid::Uuid;

/// What narrows the list.
#[derive(Debug)]
pub struct Narrow<'a> {
    pub scope: &'a ReadScope,
    pub service: Option<Uuid>,
    pub verdict: Option<&'a str>,
}

/// Where an item stands in its order.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// Remaining share; minus infinity is written as the least number for what was never measured.
    pub remaining: f64,
    pub name: String,
    pub id: Uuid,
}

const UNMEASURED: &str = "coalesce(t.remaining, '-1e300'::float8)";

/// One page of places after another, and how many there are in all.
pub async fn page(
    db: impl PgExecutor<'_> + Copy,
    narrow: &Narrow<'_>,
    sort: SloSort,
    after: Option<&Place>,
    limit: i64,
) -> Result<(Vec<Place>, i64)> {
    let (all, teams, systems): (bool, Vec<&str>, Vec<&str>) = match narrow.scope {
        ReadScope::All => (true, Vec::new(), Vec::new()),
        ReadScope::Only { teams, systems } => {
            (false, teams.iter().map(String::as_str).collect(), systems.iter().map(String::as_str).collect())
        }
    };
    let from = "FROM slos s JOIN entities e ON e.id = s.service_id LEFT JOIN slo_status t ON t.slo_id = s.id
         WHERE e.archived_at IS NULL AND ($1 OR e.owner = ANY($2) OR e.system = ANY($3)) AND ($4::uuid IS NULL OR s.service_id = $4)
           AND ($5::text IS NULL OR t.verdict = $5)";
    let key = "e.namespace || '/' || e.name || '/' || s.name";
    let (beyond, order) = match sort {
        SloSort::Remaining => (format!("({UNMEASURED}, s.id) > ($6, $8)"), format!("{UNMEASURED}, s.id")),
        SloSort::Name => (format!("({key}, s.id) > ($7, $8)"), format!("{key}, s.id")),
    };
    let sql = format!(
        "SELECT {UNMEASURED}, {key}, s.id {from} AND ($6::float8 IS NULL OR $7::text IS NULL OR $8::uuid IS NULL OR {beyond})
         ORDER BY {order} LIMIT $9"
    );
    let rows: Vec<(f64, String, Uuid)> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(all)
        .bind(&teams)
        .bind(&systems)
        .bind(narrow.service)
        .bind(narrow.verdict)
        .bind(after.map(|place| place.remaining))
        .bind(after.map(|place| place.name.as_str()))
        .bind(after.map(|place| place.id))
        .bind(limit)
        .fetch_all(db)
        .await?;
    let total = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) {from}")))
        .bind(all)
        .bind(&teams)
        .bind(&systems)
        .bind(narrow.service)
        .bind(narrow.verdict)
        .fetch_one(db)
        .await?;
    Ok((rows.into_iter().map(|(remaining, name, id)| Place { remaining, name, id }).collect(), total))
}
