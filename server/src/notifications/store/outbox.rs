//! From rows of `outbox_events` to rows of `notification_deliveries`.

use crate::kernel::Result;
use crate::notifications::event::{Event, Facts};
use passerelle_contract::notifications::EventKind;
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, FromRow)]
struct Row {
    id: i64,
    at: OffsetDateTime,
    kind: String,
    service: Option<String>,
    environment: Option<String>,
    payload: Value,
}

/// The lock of whoever lays out: one at a time, or a later event could be sent before an earlier one.
const LAYING_OUT: i64 = 0x7061_7373_0080;

/// Events that nobody has laid out yet, oldest first, held until the transaction ends; none while another process is at it. Those of kinds
/// that this version does not know come as ids only.
pub async fn take(db: &mut PgConnection, limit: i64) -> Result<(Vec<Event>, Vec<i64>)> {
    let mine: bool =
        sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(LAYING_OUT).fetch_one(&mut *db).await?;
    if !mine {
        return Ok((Vec::new(), Vec::new()));
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, at, kind, service, environment, payload FROM outbox_events WHERE taken_at IS NULL
         ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
    )
    .bind(limit)
    .fetch_all(db)
    .await?;
    let ids = rows.iter().map(|row| row.id).collect();
    Ok((rows.into_iter().filter_map(event).collect(), ids))
}

fn event(row: Row) -> Option<Event> {
    let kind = EventKind::parse(&row.kind)?;
    let facts = Facts::read(&row.payload);
    Some(Event { id: row.id, at: row.at, kind, service: row.service, environment: row.environment, facts })
}

/// The event of a delivery.
pub async fn by_id(db: &mut PgConnection, id: i64) -> Result<Option<Event>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT id, at, kind, service, environment, payload FROM outbox_events WHERE id = $1")
            .bind(id)
            .fetch_optional(db)
            .await?;
    Ok(row.and_then(event))
}

pub async fn taken(db: &mut PgConnection, ids: &[i64]) -> Result<()> {
    sqlx::query("UPDATE outbox_events SET taken_at = now() WHERE id = ANY($1)").bind(ids).execute(db).await?;
    Ok(())
}

/// One delivery; a second time nothing happens.
pub async fn lay_out(
    db: &mut PgConnection,
    event: &Event,
    (channel_id, channel): (Uuid, &str),
    recipient: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO notification_deliveries (id, event_id, channel_id, channel, recipient, event, service, environment, deployment_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind(Uuid::now_v7())
    .bind(event.id)
    .bind(channel_id)
    .bind(channel)
    .bind(recipient)
    .bind(event.kind.as_str())
    .bind(&event.service)
    .bind(&event.environment)
    .bind(event.facts.deployment)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets deliveries that ended long ago, and events that nothing refers to any more.
pub async fn sweep(db: &mut PgConnection, days: i32) -> Result<()> {
    sqlx::query("DELETE FROM notification_deliveries WHERE ended_at < now() - make_interval(days => $1)")
        .bind(days)
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "DELETE FROM outbox_events e WHERE e.taken_at < now() - make_interval(days => $1)
         AND NOT EXISTS (SELECT FROM notification_deliveries d WHERE d.event_id = e.id)",
    )
    .bind(days)
    .execute(db)
    .await?;
    Ok(())
}
