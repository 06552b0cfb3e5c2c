//! Rows of `slo_postmortems`.

use crate::kernel::Result;
use passerelle_contract::postmortems::{PostmortemCloseIn, PostmortemState};
use sqlx::postgres::PgConnection;
use sqlx::{FromRow, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// The newest that a list shows.
const MOST: i64 = 200;

#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub id: Uuid,
    pub slo_id: Uuid,
    pub began_at: OffsetDateTime,
    pub ended_at: OffsetDateTime,
    pub bad: i64,
    pub spent: f64,
    pub opened_at: OffsetDateTime,
    pub closed_at: Option<OffsetDateTime>,
    pub closed_by: Option<String>,
    pub link: Option<String>,
    pub words: Option<String>,
}

/// An incident that spent too much.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    pub slo_id: Uuid,
    pub began_at: OffsetDateTime,
    pub ended_at: OffsetDateTime,
    pub bad: i64,
    pub share: f64,
}

/// A new task; `None` when there is one for it already. What is within an hour of a known incident is that one, and it only grows.
pub async fn open(db: &mut PgConnection, one: &Spent) -> Result<Option<Uuid>> {
    let known: Option<Uuid> = sqlx::query_scalar(
        "UPDATE slo_postmortems p SET
                ended_at = CASE WHEN closed_at IS NULL THEN greatest(p.ended_at, $3) ELSE p.ended_at END,
                bad = CASE WHEN closed_at IS NULL THEN greatest(p.bad, $4) ELSE p.bad END,
                spent = CASE WHEN closed_at IS NULL THEN greatest(p.spent, $5) ELSE p.spent END
         WHERE slo_id = $1 AND began_at < $3 + interval '1 hour' AND ended_at > $2 - interval '1 hour' RETURNING id",
    )
    .bind(one.slo_id)
    .bind(one.began_at)
    .bind(one.ended_at)
    .bind(one.bad)
    .bind(one.share)
    .fetch_optional(&mut *db)
    .await?;
    if known.is_some() {
        return Ok(None);
    }
    let id = Uuid::now_v7();
    let new = sqlx::query(
        "INSERT INTO slo_postmortems (id, slo_id, began_at, ended_at, bad, spent) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (slo_id, began_at) DO NOTHING",
    )
    .bind(id)
    .bind(one.slo_id)
    .bind(one.began_at)
    .bind(one.ended_at)
    .bind(one.bad)
    .bind(one.share)
    .execute(db)
    .await?;
    Ok((new.rows_affected() == 1).then_some(id))
}

/// The newest first, those that are open before all others.
pub async fn list(db: impl PgExecutor<'_>, slos: Option<&[Uuid]>, state: Option<PostmortemState>) -> Result<Vec<Row>> {
    Ok(sqlx::query_as(
        "SELECT * FROM slo_postmortems WHERE ($1::uuid[] IS NULL OR slo_id = ANY($1)) AND ($2::boolean IS NULL OR (closed_at IS NULL) = $2)
         ORDER BY closed_at IS NOT NULL, opened_at DESC, id LIMIT $3",
    )
    .bind(slos)
    .bind(state.map(|state| state == PostmortemState::Open))
    .bind(MOST)
    .fetch_all(db)
    .await?)
}

pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as("SELECT * FROM slo_postmortems WHERE id = $1").bind(id).fetch_optional(db).await?)
}

/// The row as it is then; `None` when it is not open any more.
pub async fn close(db: &mut PgConnection, id: Uuid, by: &str, with: &PostmortemCloseIn) -> Result<Option<Row>> {
    Ok(sqlx::query_as(
        "UPDATE slo_postmortems SET closed_at = now(), closed_by = $2, link = $3, words = $4 WHERE id = $1 AND closed_at IS NULL
         RETURNING *",
    )
    .bind(id)
    .bind(by)
    .bind(&with.link)
    .bind(&with.words)
    .fetch_optional(db)
    .await?)
}
