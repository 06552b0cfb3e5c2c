//! Rows of `onboarding_deliveries` with their steps and files: claiming by lease, outcomes, what is asked for.

use crate::kernel::{AppError, Result};
use passerelle_contract::delivery::{
    DeliveryPurpose, DeliveryStep, DeliveryStepOut, DeliveryStepState, FileDeliveryIn, FileDeliveryState,
};
use passerelle_contract::{Text, text};
use passerelle_forges::{Committed, Entry, Ground, Proposal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgExecutor, PgPool};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// Seconds that a delivery is held; who holds it says so again before that.
const LEASE_S: f64 = 15.0;

/// What the steps have learned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    pub ground: Option<Ground>,
    pub committed: Option<Committed>,
    pub proposal: Option<Proposal>,
}

#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub id: Uuid,
    pub onboarding_id: Uuid,
    purpose: String,
    pub template_version: String,
    destination: Json<FileDeliveryIn>,
    act: String,
    state: String,
    facts: Json<Facts>,
    pub created_by: String,
    pub request_id: String,
    pub created_at: OffsetDateTime,
    pub ended_at: Option<OffsetDateTime>,
    pub epoch: i64,
}

const COLUMNS: &str =
    "d.id, d.onboarding_id, d.purpose, d.template_version, d.destination, d.act, d.state, d.facts, d.created_by,
    d.request_id, d.created_at, d.ended_at, d.epoch";

fn unknown(what: &str) -> AppError {
    AppError::internal(format!("unknown word '{what}' in the database"))
}

impl Row {
    pub fn purpose(&self) -> Result<DeliveryPurpose> {
        DeliveryPurpose::parse(&self.purpose).ok_or_else(|| unknown(&self.purpose))
    }

    pub fn state(&self) -> Result<FileDeliveryState> {
        FileDeliveryState::parse(&self.state).ok_or_else(|| unknown(&self.state))
    }

    /// It is being taken back, or was.
    pub fn goes_back(&self) -> bool {
        self.act == "undo"
    }

    pub const fn destination(&self) -> &FileDeliveryIn {
        &self.destination.0
    }

    pub const fn facts(&self) -> &Facts {
        &self.facts.0
    }
}

/// A row to write.
#[derive(Debug)]
pub struct New<'n> {
    pub id: Uuid,
    pub onboarding_id: Uuid,
    pub purpose: DeliveryPurpose,
    pub template_version: &'n str,
    pub destination: &'n FileDeliveryIn,
    pub steps: &'n [DeliveryStep],
    pub created_by: &'n str,
    pub request_id: &'n str,
}

/// Nothing when another is under way for the service.
pub async fn insert(db: &mut PgConnection, new: &New<'_>) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO onboarding_deliveries (id, onboarding_id, purpose, template_version, destination, created_by, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (onboarding_id) WHERE state = 'running' DO NOTHING",
    )
    .bind(new.id)
    .bind(new.onboarding_id)
    .bind(new.purpose.as_str())
    .bind(new.template_version)
    .bind(Json(new.destination))
    .bind(new.created_by)
    .bind(new.request_id)
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let steps: Vec<&str> = new.steps.iter().map(|step| step.as_str()).collect();
    sqlx::query(
        "INSERT INTO onboarding_delivery_steps (delivery_id, place, step)
         SELECT $1, t.place, t.step FROM UNNEST($2::text[]) WITH ORDINALITY AS t (step, place)",
    )
    .bind(new.id)
    .bind(steps)
    .execute(db)
    .await?;
    Ok(true)
}

pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Row>> {
    let query = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM onboarding_deliveries d WHERE d.id = $1"));
    Ok(sqlx::query_as(query).bind(id).fetch_optional(db).await?)
}

/// Newest first.
pub async fn of_onboarding(db: impl PgExecutor<'_>, onboarding: Uuid) -> Result<Vec<Row>> {
    let query =
        format!("SELECT {COLUMNS} FROM onboarding_deliveries d WHERE d.onboarding_id = $1 ORDER BY d.id DESC LIMIT 50");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(onboarding).fetch_all(db).await?)
}

#[derive(Debug, FromRow)]
struct StepRow {
    delivery_id: Uuid,
    step: String,
    state: String,
    message: Option<Json<Text>>,
    attempts: i32,
    started_at: Option<OffsetDateTime>,
    ended_at: Option<OffsetDateTime>,
}

/// The steps of deliveries, in their order.
pub async fn steps(db: impl PgExecutor<'_>, deliveries: &[Uuid]) -> Result<Vec<(Uuid, DeliveryStepOut)>> {
    let rows: Vec<StepRow> = sqlx::query_as(
        "SELECT delivery_id, step, state, message, attempts, started_at, ended_at FROM onboarding_delivery_steps
         WHERE delivery_id = ANY($1) ORDER BY delivery_id, place",
    )
    .bind(deliveries)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let out = DeliveryStepOut {
                step: DeliveryStep::parse(&row.step).ok_or_else(|| unknown(&row.step))?,
                state: DeliveryStepState::parse(&row.state).ok_or_else(|| unknown(&row.state))?,
                message: row.message.map(|message| message.0),
                attempts: u32::try_from(row.attempts).unwrap_or_default(),
                started_at: row.started_at,
                ended_at: row.ended_at,
            };
            Ok((row.delivery_id, out))
        })
        .collect()
}

/// Takes a delivery that is due and that nobody holds.
pub async fn claim(db: &PgPool, owner: &str) -> Result<Option<Row>> {
    let query = format!(
        "UPDATE onboarding_deliveries d SET lease_owner = $1, lease_until = now() + make_interval(secs => $2), epoch = d.epoch + 1
         WHERE d.id = (SELECT f.id FROM onboarding_deliveries f
           WHERE f.state = 'running' AND f.next_at <= now() AND (f.lease_until IS NULL OR f.lease_until < now())
           ORDER BY f.next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING {COLUMNS}"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(owner).bind(LEASE_S).fetch_optional(db).await?)
}

/// Holds it on; says whether it is held still.
pub async fn hold(db: &PgPool, claim: &Row) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE onboarding_deliveries SET lease_until = now() + make_interval(secs => $3)
         WHERE id = $1 AND epoch = $2 AND state = 'running'",
    )
    .bind(claim.id)
    .bind(claim.epoch)
    .bind(LEASE_S)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What a step has come to.
#[derive(Debug, Clone)]
pub struct StepEnd {
    pub state: DeliveryStepState,
    pub message: Option<Text>,
}

/// Writes a step and what was learned, while the claim holds; says whether it did.
pub async fn write_step(
    db: &mut PgConnection,
    claim: &Row,
    step: DeliveryStep,
    end: &StepEnd,
    facts: &Facts,
) -> Result<bool> {
    let held =
        sqlx::query("UPDATE onboarding_deliveries SET facts = $3 WHERE id = $1 AND epoch = $2 AND state = 'running'")
            .bind(claim.id)
            .bind(claim.epoch)
            .bind(Json(facts))
            .execute(&mut *db)
            .await?;
    if held.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE onboarding_delivery_steps SET state = $3, message = $4, started_at = coalesce(started_at, now()),
           attempts = attempts + CASE WHEN $3 = 'running' THEN 1 ELSE 0 END,
           ended_at = CASE WHEN $3 IN ('done', 'failed') THEN now() END
         WHERE delivery_id = $1 AND step = $2",
    )
    .bind(claim.id)
    .bind(step.as_str())
    .bind(end.state.as_str())
    .bind(end.message.as_ref().map(Json))
    .execute(db)
    .await?;
    Ok(true)
}

/// Lets it go until later.
pub async fn later(db: &PgPool, claim: &Row, pause: Duration) -> Result<()> {
    sqlx::query(
        "UPDATE onboarding_deliveries SET lease_owner = NULL, lease_until = NULL, next_at = now() + make_interval(secs => $3)
         WHERE id = $1 AND epoch = $2 AND state = 'running'",
    )
    .bind(claim.id)
    .bind(claim.epoch)
    .bind(pause.as_secs_f64())
    .execute(db)
    .await?;
    Ok(())
}

/// Ends it, while the claim holds; says whether it did.
pub async fn end(db: &mut PgConnection, claim: &Row, state: FileDeliveryState) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE onboarding_deliveries SET state = $3, ended_at = now(), lease_owner = NULL, lease_until = NULL
         WHERE id = $1 AND epoch = $2 AND state = 'running'",
    )
    .bind(claim.id)
    .bind(claim.epoch)
    .bind(state.as_str())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Goes on from the step that failed. Nothing when it is not in that state any more, or another is under way for the service.
pub async fn again(db: &mut PgConnection, id: Uuid) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE onboarding_deliveries d SET state = 'running', ended_at = NULL, next_at = now(), epoch = d.epoch + 1
         WHERE d.id = $1 AND d.state = 'failed' AND NOT EXISTS (SELECT FROM onboarding_deliveries o
           WHERE o.onboarding_id = d.onboarding_id AND o.state = 'running')",
    )
    .bind(id)
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE onboarding_delivery_steps SET state = 'pending', attempts = 0, started_at = NULL, ended_at = NULL
         WHERE delivery_id = $1 AND state = 'failed'",
    )
    .bind(id)
    .execute(db)
    .await?;
    Ok(true)
}

/// Has it taken back. Nothing when it was already, or when steps are being made.
pub async fn take_back(db: &mut PgConnection, id: Uuid) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE onboarding_deliveries d SET state = 'running', act = 'undo', ended_at = NULL, next_at = now(), epoch = d.epoch + 1,
           lease_owner = NULL, lease_until = NULL
         WHERE d.id = $1 AND d.act = 'deliver'
           AND (d.state IN ('done', 'failed') OR EXISTS (SELECT FROM onboarding_delivery_steps s
             WHERE d.state = 'running' AND s.delivery_id = d.id AND s.step = 'merge' AND s.state = 'running'))
           AND NOT EXISTS (SELECT FROM onboarding_deliveries o
             WHERE o.onboarding_id = d.onboarding_id AND o.id <> d.id AND o.state = 'running')",
    )
    .bind(id)
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO onboarding_delivery_steps (delivery_id, place, step) VALUES ($1, 100, 'undo')
         ON CONFLICT (delivery_id, step) DO NOTHING",
    )
    .bind(id)
    .execute(db)
    .await?;
    Ok(true)
}

/// Why a file stands beside a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It goes into the commit.
    Change,
    /// It stays as it is although the later version differs.
    Left,
    /// As the later version renders it.
    Rendered,
}

impl Kept {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Left => "kept",
            Self::Rendered => "rendered",
        }
    }
}

pub async fn keep(db: &mut PgConnection, id: Uuid, kind: Kept, files: Vec<Entry>) -> Result<()> {
    let executable: Vec<bool> = files.iter().map(|file| file.executable).collect();
    let (paths, contents): (Vec<String>, Vec<Option<String>>) =
        files.into_iter().map(|file| (file.path, file.content)).unzip();
    sqlx::query(
        "INSERT INTO onboarding_delivery_files (delivery_id, kind, path, content, executable)
         SELECT $1, $2, t.path, t.content, t.executable FROM UNNEST($3::text[], $4::text[], $5::bool[]) AS t (path, content, executable)",
    )
    .bind(id)
    .bind(kind.as_str())
    .bind(paths)
    .bind(contents)
    .bind(executable)
    .execute(db)
    .await?;
    Ok(())
}

/// In the order of their paths.
pub async fn kept(db: impl PgExecutor<'_>, id: Uuid, kind: Kept) -> Result<Vec<Entry>> {
    let rows: Vec<(String, Option<String>, bool)> = sqlx::query_as(
        "SELECT path, content, executable FROM onboarding_delivery_files WHERE delivery_id = $1 AND kind = $2
         ORDER BY path COLLATE \"C\"",
    )
    .bind(id)
    .bind(kind.as_str())
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(path, content, executable)| Entry { path, content, executable }).collect())
}

pub async fn set_answers(db: &mut PgConnection, id: Uuid, answers: &Map<String, Value>) -> Result<()> {
    sqlx::query("UPDATE onboarding_deliveries SET answers = $2::json WHERE id = $1")
        .bind(id)
        .bind(serde_json::to_string(answers).map_err(AppError::internal)?)
        .execute(db)
        .await?;
    Ok(())
}

/// Begins after the repository was found, on the commit that was looked at, before any worker has seen the delivery.
pub async fn begin_on(db: &mut PgConnection, id: Uuid, to: &FileDeliveryIn, ground: &Ground) -> Result<()> {
    let branch = ground.branch.clone();
    let message = text!("{name} is there; built on its branch {branch}", name = &to.repository, branch);
    let facts = Facts { ground: Some(ground.clone()), ..Facts::default() };
    sqlx::query("UPDATE onboarding_deliveries SET facts = $2 WHERE id = $1")
        .bind(id)
        .bind(Json(&facts))
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "UPDATE onboarding_delivery_steps SET state = 'done', message = $3, started_at = now(), ended_at = now(), attempts = 1
         WHERE delivery_id = $1 AND step = $2",
    )
    .bind(id)
    .bind(DeliveryStep::Repository.as_str())
    .bind(Json(&message))
    .execute(db)
    .await?;
    Ok(())
}

/// An update was taken in: the service is of its version from now on, and the next one is compared with its files.
pub async fn adopt(db: &mut PgConnection, id: Uuid) -> Result<()> {
    for sql in [
        "UPDATE onboardings o SET template_version = d.template_version, answers = coalesce(d.answers, o.answers)
         FROM onboarding_deliveries d WHERE d.id = $1 AND o.id = d.onboarding_id",
        "DELETE FROM onboarding_files f USING onboarding_deliveries d WHERE d.id = $1 AND f.onboarding_id = d.onboarding_id
           AND NOT EXISTS (SELECT FROM onboarding_delivery_files n
             WHERE n.delivery_id = d.id AND n.kind = 'rendered' AND n.path = f.path)",
        // A file that does not follow the golden path goes on not following it.
        "INSERT INTO onboarding_files (onboarding_id, path, content, executable)
         SELECT d.onboarding_id, f.path, f.content, f.executable FROM onboarding_delivery_files f
         JOIN onboarding_deliveries d ON d.id = f.delivery_id WHERE d.id = $1 AND f.kind = 'rendered'
         ON CONFLICT (onboarding_id, path) DO UPDATE SET content = excluded.content, executable = excluded.executable",
    ] {
        sqlx::query(sql).bind(id).execute(&mut *db).await?;
    }
    Ok(())
}
