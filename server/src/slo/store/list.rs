//! The list of SLOs, by what is left of their budgets.

use crate::kernel::{ReadScope, Result};
use passerelle_contract::slo::{SloCounts, SloSort};
use sqlx::{FromRow, PgExecutor};
use uuid::Uuid;

/// What narrows the list.
#[derive(Debug)]
pub struct Narrow<'a> {
    pub scope: &'a ReadScope,
    pub service: Option<Uuid>,
    pub verdict: Option<&'a str>,
    pub team: Option<&'a str>,
    pub system: Option<&'a str>,
    /// Those that count for it.
    pub environment: Option<&'a str>,
    /// In lower case; all of them, anywhere in title, name or service.
    pub words: Vec<String>,
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
const NARROWED: &str = "FROM slos s JOIN entities e ON e.id = s.service_id LEFT JOIN slo_status t ON t.slo_id = s.id
         LEFT JOIN environments v ON v.id = s.environment_id
         WHERE e.archived_at IS NULL AND ($1 OR e.owner = ANY($2) OR e.system = ANY($3)) AND ($4::uuid IS NULL OR s.service_id = $4)
           AND ($5::text IS NULL OR t.verdict = $5) AND ($6::text IS NULL OR e.owner = $6) AND ($7::text IS NULL OR e.system = $7)
           AND ($8::text IS NULL OR v.name IS NULL OR v.name = $8)
           AND NOT EXISTS (SELECT FROM unnest($9::text[]) word
             WHERE position(word IN lower(e.namespace || '/' || e.name || ' ' || s.name || ' ' || s.title)) = 0)";

/// Binds `$1` to `$9` of [`NARROWED`].
macro_rules! narrowed {
    ($query:expr, $narrow:expr) => {{
        let (all, teams, systems): (bool, Vec<String>, Vec<String>) = match $narrow.scope {
            ReadScope::All => (true, Vec::new(), Vec::new()),
            ReadScope::Only { teams, systems } => {
                (false, teams.iter().cloned().collect(), systems.iter().cloned().collect())
            }
        };
        $query
            .bind(all)
            .bind(teams)
            .bind(systems)
            .bind($narrow.service)
            .bind($narrow.verdict)
            .bind($narrow.team)
            .bind($narrow.system)
            .bind($narrow.environment)
            .bind(&$narrow.words)
    }};
}

/// One page of places after another, and how many there are in all.
pub async fn page(
    db: impl PgExecutor<'_> + Copy,
    narrow: &Narrow<'_>,
    sort: SloSort,
    after: Option<&Place>,
    limit: i64,
) -> Result<(Vec<Place>, i64)> {
    let key = "e.namespace || '/' || e.name || '/' || s.name";
    let (beyond, order) = match sort {
        SloSort::Remaining => (format!("({UNMEASURED}, s.id) > ($10, $12)"), format!("{UNMEASURED}, s.id")),
        SloSort::Name => (format!("({key}, s.id) > ($11, $12)"), format!("{key}, s.id")),
    };
    let sql = format!(
        "SELECT {UNMEASURED}, {key}, s.id {NARROWED} AND ($10::float8 IS NULL OR $11::text IS NULL OR $12::uuid IS NULL OR {beyond})
         ORDER BY {order} LIMIT $13"
    );
    let query = sqlx::query_as::<_, (f64, String, Uuid)>(sqlx::AssertSqlSafe(sql));
    let rows = narrowed!(query, narrow)
        .bind(after.map(|place| place.remaining))
        .bind(after.map(|place| place.name.as_str()))
        .bind(after.map(|place| place.id))
        .bind(limit)
        .fetch_all(db)
        .await?;
    let count = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(format!("SELECT count(*) {NARROWED}")));
    let total = narrowed!(count, narrow).fetch_one(db).await?;
    Ok((rows.into_iter().map(|(remaining, name, id)| Place { remaining, name, id }).collect(), total))
}

/// How many there are of each verdict.
pub async fn counts(db: impl PgExecutor<'_>, narrow: &Narrow<'_>) -> Result<SloCounts> {
    let sql = format!("SELECT t.verdict, count(*) {NARROWED} GROUP BY t.verdict");
    let query = sqlx::query_as::<_, (Option<String>, i64)>(sqlx::AssertSqlSafe(sql));
    let mut counts = SloCounts::default();
    for (verdict, count) in narrowed!(query, narrow).fetch_all(db).await? {
        let place = match verdict.as_deref() {
            Some("ok") => &mut counts.ok,
            Some("warn") => &mut counts.warn,
            Some("approval") => &mut counts.approval,
            Some(_) => &mut counts.block,
            None => &mut counts.unmeasured,
        };
        // A word that this version does not know counts with the strictest.
        *place += u64::try_from(count).unwrap_or_default();
    }
    Ok(counts)
}

/// What the last pass found for an SLO of one of many services.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Noted {
    pub id: Uuid,
    pub service_id: Uuid,
    pub title: String,
    /// Counts for every environment when absent.
    pub environment: Option<String>,
    pub remaining: f64,
    pub state: String,
}

/// The SLOs of services that were measured, with what the last pass found.
pub async fn noted(db: impl PgExecutor<'_>, services: &[Uuid]) -> Result<Vec<Noted>> {
    Ok(sqlx::query_as(
        "SELECT s.id, s.service_id, s.title, v.name AS environment, t.remaining, t.state
         FROM slos s JOIN slo_status t ON t.slo_id = s.id LEFT JOIN environments v ON v.id = s.environment_id
         WHERE s.service_id = ANY($1) ORDER BY t.remaining, s.id",
    )
    .bind(services)
    .fetch_all(db)
    .await?)
}
