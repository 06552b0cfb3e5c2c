//! Rows of `notification_deliveries`: claiming, outcomes, the log.

use crate::kernel::{AppError, Result};
use passerelle_contract::Text;
use passerelle_contract::notifications::{DeliveryFilter, DeliveryOut, DeliveryState, EventKind};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// Seconds that a delivery is held by the process that sends it; longer than an attempt may take.
const LEASE_S: f64 = 60.0;

/// A delivery that this process may send now.
#[derive(Debug, Clone, FromRow)]
pub struct Claim {
    pub id: Uuid,
    pub event_id: i64,
    pub channel_id: Uuid,
    pub recipient: String,
    /// This one counts already, so that a message that kills its process is not tried for ever.
    pub attempts: i32,
}

/// What has become of an attempt.
#[derive(Debug, Clone)]
pub enum Ended {
    Delivered(Text),
    Failed(Text),
    /// To be tried again after so long.
    Later(Text, Duration),
}

/// Takes deliveries that are due: the oldest of each channel, when no other of that channel is under way, so that a channel gets its
/// messages one after the other and one that is slow holds up no other.
pub async fn claim(db: &PgPool, owner: &str, limit: i64) -> Result<Vec<Claim>> {
    Ok(sqlx::query_as(
        "WITH free AS (
           SELECT d.id FROM notification_channels c
           CROSS JOIN LATERAL (
             SELECT w.id FROM notification_deliveries w
             WHERE w.channel_id = c.id AND w.state = 'waiting' AND w.next_at <= now()
               AND (w.lease_until IS NULL OR w.lease_until < now())
             ORDER BY w.event_id, w.id LIMIT 1) d
           WHERE c.enabled AND NOT EXISTS (SELECT FROM notification_deliveries b
             WHERE b.channel_id = c.id AND b.state = 'waiting' AND b.lease_until > now())
           LIMIT $2 FOR UPDATE OF c SKIP LOCKED)
         UPDATE notification_deliveries d
         SET lease_owner = $1, lease_until = now() + make_interval(secs => $3), attempts = d.attempts + 1
         FROM free WHERE d.id = free.id AND d.state = 'waiting' AND d.next_at <= now()
           AND (d.lease_until IS NULL OR d.lease_until < now())
         RETURNING d.id, d.event_id, d.channel_id, d.recipient, d.attempts",
    )
    .bind(owner)
    .bind(limit)
    .bind(LEASE_S)
    .fetch_all(db)
    .await?)
}

/// Writes the outcome, unless another process has taken the delivery over meanwhile.
pub async fn end(db: &PgPool, owner: &str, claim: &Claim, ended: &Ended) -> Result<()> {
    let (state, answer, pause) = match ended {
        Ended::Delivered(answer) => (DeliveryState::Delivered, answer, Duration::ZERO),
        Ended::Failed(why) => (DeliveryState::Failed, why, Duration::ZERO),
        Ended::Later(why, pause) => (DeliveryState::Waiting, why, *pause),
    };
    sqlx::query(
        "UPDATE notification_deliveries SET state = $4, answer = $5, lease_owner = NULL, lease_until = NULL,
           next_at = now() + make_interval(secs => $6), ended_at = CASE WHEN $4 = 'waiting' THEN NULL ELSE now() END
         WHERE id = $1 AND lease_owner = $2 AND attempts = $3",
    )
    .bind(claim.id)
    .bind(owner)
    .bind(claim.attempts)
    .bind(state.as_str())
    .bind(Json(answer))
    .bind(pause.as_secs_f64())
    .execute(db)
    .await?;
    Ok(())
}

/// Ends what waits for a channel that goes away.
pub async fn give_up(db: &mut PgConnection, channel: Uuid, why: &Text) -> Result<u64> {
    let done = sqlx::query(
        "UPDATE notification_deliveries SET state = 'failed', answer = $2, ended_at = now(), lease_owner = NULL, lease_until = NULL
         WHERE channel_id = $1 AND state = 'waiting'",
    )
    .bind(channel)
    .bind(Json(why))
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, event, service, environment, deployment_id, channel, channel_id, recipient, state, attempts, answer,
               created_at, next_at, ended_at FROM notification_deliveries ",
            $rest
        )
    };
}

#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub id: Uuid,
    event: String,
    service: Option<String>,
    environment: Option<String>,
    deployment_id: Option<Uuid>,
    pub channel: String,
    pub channel_id: Option<Uuid>,
    recipient: String,
    state: String,
    attempts: i32,
    answer: Option<Json<Text>>,
    created_at: OffsetDateTime,
    next_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
}

impl Row {
    pub fn state(&self) -> Result<DeliveryState> {
        DeliveryState::parse(&self.state)
            .ok_or_else(|| AppError::internal(format!("unknown state '{}' in the database", self.state)))
    }

    pub fn into_out(self) -> Result<DeliveryOut> {
        let state = self.state()?;
        let event = EventKind::parse(&self.event)
            .ok_or_else(|| AppError::internal(format!("unknown event '{}' in the database", self.event)))?;
        Ok(DeliveryOut {
            id: self.id,
            event,
            service: self.service,
            environment: self.environment,
            deployment: self.deployment_id,
            channel: self.channel,
            recipient: Some(self.recipient).filter(|recipient| !recipient.is_empty()),
            state,
            attempts: u32::try_from(self.attempts).unwrap_or_default(),
            answer: self.answer.map(|json| json.0),
            created_at: self.created_at,
            next_at: (state == DeliveryState::Waiting).then_some(self.next_at),
            ended_at: self.ended_at,
        })
    }
}

/// One page, newest first, and how many there are.
pub async fn page(db: &PgPool, filter: &DeliveryFilter, before: Option<Uuid>, limit: i64) -> Result<(Vec<Row>, u64)> {
    let state = filter.state.map(DeliveryState::as_str);
    let event = filter.event.map(EventKind::as_str);
    // Ids are UUID v7, so they sort by age.
    let rows = sqlx::query_as(select!(
        "WHERE ($1::text IS NULL OR channel = $1) AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR event = $3)
           AND ($4::text IS NULL OR service = $4) AND ($5::text IS NULL OR environment = $5) AND ($6::uuid IS NULL OR id < $6)
         ORDER BY id DESC LIMIT $7"
    ))
    .bind(&filter.channel)
    .bind(state)
    .bind(event)
    .bind(&filter.service)
    .bind(&filter.environment)
    .bind(before)
    .bind(limit)
    .fetch_all(db)
    .await?;
    let total: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM notification_deliveries
         WHERE ($1::text IS NULL OR channel = $1) AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR event = $3)
           AND ($4::text IS NULL OR service = $4) AND ($5::text IS NULL OR environment = $5)",
    )
    .bind(&filter.channel)
    .bind(state)
    .bind(event)
    .bind(&filter.service)
    .bind(&filter.environment)
    .fetch_one(db)
    .await?;
    Ok((rows, u64::try_from(total).unwrap_or_default()))
}

pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE id = $1")).bind(id).fetch_optional(db).await?)
}

/// The row, locked until the transaction ends.
pub async fn lock(db: &mut PgConnection, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE id = $1 FOR UPDATE")).bind(id).fetch_optional(db).await?)
}

/// Lets a delivery be tried at once, with all its attempts before it. Does nothing to one that is being sent.
pub async fn again(db: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query(
        "UPDATE notification_deliveries SET state = 'waiting', attempts = 0, next_at = now(), ended_at = NULL
         WHERE id = $1 AND state <> 'delivered' AND (lease_until IS NULL OR lease_until < now())",
    )
    .bind(id)
    .execute(db)
    .await?;
    Ok(())
}
