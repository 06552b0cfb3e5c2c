//! Rows of `slos` and `slo_sources`, corrections.

use super::super::model::{Slo, parse_definition};
use crate::kernel::{AppError, EnvironmentScope, Result, ServiceScope, violated};
use parking_lot::Mutex;
use passerelle_contract::environments::Tier;
use passerelle_contract::slo::CorrectionOut;
use passerelle_contract::text;
use passerelle_slo_formats::Definition;
use passerelle_slo_math::Interval;
use sqlx::postgres::PgConnection;
use sqlx::{FromRow, PgExecutor};
use std::collections::HashMap;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.service_id, e.namespace, e.name AS service, e.owner, e.system, s.environment_id, v.name AS environment,
                    v.tier, s.connection_id, c.name AS connection,
                    coalesce(c.config -> 'simulated' = 'true'::jsonb, false) AS simulated, s.source_id, f.format, s.definition, s.min_bad_events, s.created_at,
                    s.updated_at
             FROM slos s JOIN entities e ON e.id = s.service_id JOIN connections c ON c.id = s.connection_id
             JOIN slo_sources f ON f.id = s.source_id LEFT JOIN environments v ON v.id = s.environment_id ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    service_id: Uuid,
    namespace: String,
    service: String,
    owner: Option<String>,
    system: Option<String>,
    environment_id: Option<Uuid>,
    environment: Option<String>,
    tier: Option<String>,
    connection_id: Uuid,
    connection: String,
    simulated: bool,
    source_id: Uuid,
    format: String,
    definition: String,
    min_bad_events: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

type Read = HashMap<Uuid, (OffsetDateTime, Arc<Definition>)>;

/// What was read of stored definitions, each good for one `updated_at`.
#[derive(Debug, Clone, Default)]
pub struct Definitions(Arc<Mutex<Read>>);

impl Definitions {
    fn read(&self, row: &Row) -> Result<Arc<Definition>> {
        if let Some((at, known)) = self.0.lock().get(&row.id)
            && *at == row.updated_at
        {
            return Ok(Arc::clone(known));
        }
        let definition = Arc::new(parse_definition(&row.definition, row.min_bad_events)?);
        self.0.lock().insert(row.id, (row.updated_at, Arc::clone(&definition)));
        Ok(definition)
    }

    fn slo(&self, row: Row) -> Result<Slo> {
        let definition = self.read(&row)?;
        let period = definition.window.period().map_err(AppError::internal)?;
        let key = format!("{}/{}", row.namespace, row.service);
        let environment = match (row.environment_id, row.environment, row.tier.as_deref().and_then(Tier::parse)) {
            (Some(id), Some(name), Some(tier)) => Some((id, EnvironmentScope { name, tier })),
            _ => None,
        };
        Ok(Slo {
            id: row.id,
            service_id: row.service_id,
            service: ServiceScope { key, team: row.owner, system: row.system },
            environment,
            connection_id: row.connection_id,
            connection: row.connection,
            simulated: row.simulated,
            source_id: row.source_id,
            format: row.format,
            definition,
            period,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }

    fn all(&self, rows: Vec<Row>) -> Result<Vec<Slo>> {
        rows.into_iter().map(|row| self.slo(row)).collect()
    }

    pub async fn every(&self, db: impl PgExecutor<'_>) -> Result<Vec<Slo>> {
        self.all(sqlx::query_as(select!("WHERE e.archived_at IS NULL ORDER BY s.id")).fetch_all(db).await?)
    }

    pub async fn by_ids(&self, db: impl PgExecutor<'_>, ids: &[Uuid]) -> Result<Vec<Slo>> {
        self.all(sqlx::query_as(select!("WHERE s.id = ANY($1)")).bind(ids).fetch_all(db).await?)
    }

    pub async fn of_service(&self, db: impl PgExecutor<'_>, service: Uuid) -> Result<Vec<Slo>> {
        self.all(sqlx::query_as(select!("WHERE s.service_id = $1 ORDER BY s.name")).bind(service).fetch_all(db).await?)
    }

    pub async fn by_id(&self, db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Slo>> {
        let row: Option<Row> = sqlx::query_as(select!("WHERE s.id = $1")).bind(id).fetch_optional(db).await?;
        row.map(|row| self.slo(row)).transpose()
    }

    /// Locked until the transaction ends.
    pub async fn lock(&self, db: &mut PgConnection, id: Uuid) -> Result<Option<Slo>> {
        let row: Option<Row> =
            sqlx::query_as(select!("WHERE s.id = $1 FOR UPDATE OF s")).bind(id).fetch_optional(db).await?;
        row.map(|row| self.slo(row)).transpose()
    }
}

/// What an insert or update writes.
#[derive(Debug)]
pub struct Wanted<'a> {
    pub id: Uuid,
    pub service: Uuid,
    pub environment: Option<Uuid>,
    pub connection: Uuid,
    pub source: Uuid,
    pub name: &'a str,
    pub title: &'a str,
    pub definition: &'a str,
    pub min_bad_events: i64,
}

pub async fn insert_source(db: &mut PgConnection, id: Uuid, format: &str, content: &str) -> Result<()> {
    sqlx::query("INSERT INTO slo_sources (id, format, content) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(format)
        .bind(content)
        .execute(db)
        .await?;
    Ok(())
}

pub async fn source_text(db: impl PgExecutor<'_>, id: Uuid) -> Result<String> {
    Ok(sqlx::query_scalar("SELECT content FROM slo_sources WHERE id = $1").bind(id).fetch_one(db).await?)
}

/// # Errors
/// `AlreadyExists` when the service has an SLO of that name.
pub async fn insert(db: &mut PgConnection, wanted: &Wanted<'_>) -> Result<()> {
    sqlx::query(
        "INSERT INTO slos (id, service_id, environment_id, connection_id, source_id, name, title, definition, min_bad_events)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(wanted.id)
    .bind(wanted.service)
    .bind(wanted.environment)
    .bind(wanted.connection)
    .bind(wanted.source)
    .bind(wanted.name)
    .bind(wanted.title)
    .bind(wanted.definition)
    .bind(wanted.min_bad_events)
    .execute(&mut *db)
    .await
    .map_err(|error| match violated(&error) {
        Some("slos_service_id_name_key") => AppError::AlreadyExists(text!("SLO {name} of this service", name = wanted.name)),
        _ => error.into(),
    })?;
    sqlx::query("INSERT INTO slo_progress (slo_id) VALUES ($1)").bind(wanted.id).execute(db).await?;
    Ok(())
}

pub async fn update(db: &mut PgConnection, wanted: &Wanted<'_>) -> Result<()> {
    sqlx::query(
        "UPDATE slos SET environment_id = $2, connection_id = $3, source_id = $4, title = $5, definition = $6, min_bad_events = $7,
                updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond') WHERE id = $1",
    )
    .bind(wanted.id)
    .bind(wanted.environment)
    .bind(wanted.connection)
    .bind(wanted.source)
    .bind(wanted.title)
    .bind(wanted.definition)
    .bind(wanted.min_bad_events)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets what was measured, because it is measured otherwise now; the history is read again.
pub async fn forget_samples(db: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query("DELETE FROM slo_hours WHERE slo_id = $1").bind(id).execute(&mut *db).await?;
    sqlx::query(
        "UPDATE slo_progress SET read_to = NULL, first_minute = NULL, last_minute = NULL, source_error = NULL, drift = NULL,
                reconciled_at = NULL WHERE slo_id = $1",
    )
    .bind(id)
    .execute(db)
    .await?;
    Ok(())
}

pub async fn delete(db: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query("DELETE FROM slos WHERE id = $1").bind(id).execute(&mut *db).await?;
    sqlx::query("DELETE FROM slo_sources f WHERE NOT EXISTS (SELECT 1 FROM slos s WHERE s.source_id = f.id)")
        .execute(db)
        .await?;
    Ok(())
}

#[derive(FromRow)]
struct CorrectionRow {
    id: Uuid,
    slo_id: Uuid,
    from_at: OffsetDateTime,
    to_at: OffsetDateTime,
    reason: String,
    approver: String,
    remaining_before: String,
    remaining_after: String,
    created_at: OffsetDateTime,
}

/// Corrections of SLOs, the newest first.
pub async fn corrections(db: impl PgExecutor<'_>, slos: &[Uuid]) -> Result<Vec<(Uuid, CorrectionOut)>> {
    let rows: Vec<CorrectionRow> =
        sqlx::query_as("SELECT * FROM slo_corrections WHERE slo_id = ANY(ARRAY(SELECT unnest($1::uuid[]))) ORDER BY created_at DESC, id")
            .bind(slos)
            .fetch_all(db)
            .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let out = CorrectionOut {
                id: row.id,
                from: row.from_at,
                to: row.to_at,
                reason: row.reason,
                approver: row.approver,
                remaining_before: row.remaining_before,
                remaining_after: row.remaining_after,
                created_at: row.created_at,
            };
            (row.slo_id, out)
        })
        .collect())
}

pub fn interval(correction: &CorrectionOut) -> Interval {
    Interval::new(correction.from.unix_timestamp(), correction.to.unix_timestamp())
}

pub async fn insert_correction(db: &mut PgConnection, slo: Uuid, new: &CorrectionOut) -> Result<()> {
    sqlx::query(
        "INSERT INTO slo_corrections (id, slo_id, from_at, to_at, reason, approver, remaining_before, remaining_after, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(new.id)
    .bind(slo)
    .bind(new.from)
    .bind(new.to)
    .bind(&new.reason)
    .bind(&new.approver)
    .bind(&new.remaining_before)
    .bind(&new.remaining_after)
    .bind(new.created_at)
    .execute(db)
    .await?;
    Ok(())
}
