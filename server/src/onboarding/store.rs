//! Rows of `onboardings`, `onboarding_files` and `onboarding_drafts`.

use super::model;
use crate::kernel::{AppError, ReadScope, Result};
use passerelle_contract::onboarding::{Delivery, FileOut, OnboardingFilter, OnboardingOut, OnboardingRow, StepOut};
use passerelle_templates::RenderedFile;
use serde_json::{Map, Value};
use sqlx::postgres::PgPool;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

const COLUMNS: &str = "o.id, o.service_id, o.service, o.template, o.template_version, o.answers, o.delivery, o.steps, o.created_by, o.created_at";

#[derive(Debug, FromRow)]
pub struct Row {
    pub id: Uuid,
    pub service_id: Uuid,
    pub service: String,
    template: String,
    template_version: String,
    answers: Json<Map<String, Value>>,
    delivery: Value,
    steps: Value,
    created_by: String,
    created_at: OffsetDateTime,
}

/// A row to write.
#[derive(Debug)]
pub struct New<'n> {
    pub id: Uuid,
    pub service_id: Uuid,
    pub service: &'n str,
    pub template: &'n str,
    pub template_version: &'n str,
    pub answers: &'n Map<String, Value>,
    pub delivery: Delivery,
    pub steps: &'n [StepOut],
    pub created_by: &'n str,
    pub request_id: &'n str,
}

impl Row {
    pub fn steps(&self) -> Result<Vec<StepOut>> {
        serde_json::from_value(self.steps.clone()).map_err(AppError::internal)
    }

    pub fn to_row(&self) -> Result<OnboardingRow> {
        Ok(OnboardingRow {
            id: self.id,
            template: self.template.clone(),
            template_version: self.template_version.clone(),
            service: self.service.clone(),
            state: model::state(&self.steps()?),
            created_by: self.created_by.clone(),
            created_at: self.created_at,
        })
    }

    pub fn to_out(&self, files: Vec<FileOut>) -> Result<OnboardingOut> {
        Ok(OnboardingOut {
            onboarding: self.to_row()?,
            answers: self.answers.0.clone(),
            delivery: serde_json::from_value(self.delivery.clone()).map_err(AppError::internal)?,
            steps: self.steps()?,
            files,
        })
    }
}

pub async fn insert(db: &mut PgConnection, new: &New<'_>) -> Result<()> {
    sqlx::query(
        "INSERT INTO onboardings (id, service_id, service, template, template_version, answers, delivery, steps, created_by, request_id)
         VALUES ($1, $2, $3, $4, $5, $6::json, $7, $8, $9, $10)",
    )
    .bind(new.id)
    .bind(new.service_id)
    .bind(new.service)
    .bind(new.template)
    .bind(new.template_version)
    .bind(serde_json::to_string(new.answers).map_err(AppError::internal)?)
    .bind(Json(new.delivery))
    .bind(Json(new.steps))
    .bind(new.created_by)
    .bind(new.request_id)
    .execute(db)
    .await?;
    Ok(())
}

pub async fn insert_files(db: &mut PgConnection, id: Uuid, files: &[RenderedFile]) -> Result<()> {
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let contents: Vec<&str> = files.iter().map(|file| file.content.as_str()).collect();
    let executable: Vec<bool> = files.iter().map(|file| file.executable).collect();
    sqlx::query(
        "INSERT INTO onboarding_files (onboarding_id, path, content, executable)
         SELECT $1, t.path, t.content, t.executable FROM UNNEST($2::text[], $3::text[], $4::bool[]) AS t (path, content, executable)",
    )
    .bind(id)
    .bind(paths)
    .bind(contents)
    .bind(executable)
    .execute(db)
    .await?;
    Ok(())
}

pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Row>> {
    let query = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM onboardings o WHERE o.id = $1"));
    Ok(sqlx::query_as(query).bind(id).fetch_optional(db).await?)
}

/// What made a service.
pub async fn by_service(db: impl PgExecutor<'_>, service_id: Uuid) -> Result<Option<Uuid>> {
    let query = sqlx::query_scalar("SELECT id FROM onboardings WHERE service_id = $1");
    Ok(query.bind(service_id).fetch_optional(db).await?)
}

/// What a request made.
pub async fn by_request(db: impl PgExecutor<'_>, request_id: &str, created_by: &str) -> Result<Option<Uuid>> {
    let query = sqlx::query_scalar("SELECT id FROM onboardings WHERE request_id = $1 AND created_by = $2");
    Ok(query.bind(request_id).bind(created_by).fetch_optional(db).await?)
}

/// Newest first, with how many there are.
pub async fn page(
    pool: &PgPool,
    filter: &OnboardingFilter,
    scope: &ReadScope,
    before: Option<Uuid>,
    limit: i64,
) -> Result<(Vec<Row>, u64)> {
    const NARROWED: &str = "FROM onboardings o JOIN entities e ON e.id = o.service_id
        WHERE ($1 OR e.owner = ANY($2) OR e.system = ANY($3)) AND ($4::text IS NULL OR o.service = $4)
          AND ($5::text IS NULL OR o.template = $5)";
    let (all, teams, systems): (bool, Vec<String>, Vec<String>) = match scope {
        ReadScope::All => (true, Vec::new(), Vec::new()),
        ReadScope::Only { teams, systems } => {
            (false, teams.iter().cloned().collect(), systems.iter().cloned().collect())
        }
    };
    let query = format!("SELECT {COLUMNS} {NARROWED} AND ($6::uuid IS NULL OR o.id < $6) ORDER BY o.id DESC LIMIT $7");
    let rows = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(all)
        .bind(&teams)
        .bind(&systems)
        .bind(&filter.service)
        .bind(&filter.template)
        .bind(before)
        .bind(limit)
        .fetch_all(pool)
        .await?;
    let total: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) {NARROWED}")))
        .bind(all)
        .bind(&teams)
        .bind(&systems)
        .bind(&filter.service)
        .bind(&filter.template)
        .fetch_one(pool)
        .await?;
    Ok((rows, u64::try_from(total).unwrap_or_default()))
}

/// In the order of their paths, byte by byte, as they were rendered.
pub async fn files(db: impl PgExecutor<'_>, id: Uuid) -> Result<Vec<RenderedFile>> {
    let rows: Vec<(String, String, bool)> = sqlx::query_as(
        "SELECT path, content, executable FROM onboarding_files WHERE onboarding_id = $1 ORDER BY path COLLATE \"C\"",
    )
    .bind(id)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(path, content, executable)| RenderedFile { path, content, executable }).collect())
}

pub async fn set_steps(db: &mut PgConnection, id: Uuid, steps: &[StepOut]) -> Result<()> {
    sqlx::query("UPDATE onboardings SET steps = $2 WHERE id = $1").bind(id).bind(Json(steps)).execute(db).await?;
    Ok(())
}

pub async fn draft(db: impl PgExecutor<'_>, actor: &str, template: &str) -> Result<Option<Map<String, Value>>> {
    let query = sqlx::query_scalar("SELECT answers FROM onboarding_drafts WHERE actor = $1 AND template = $2");
    let found: Option<Json<Map<String, Value>>> = query.bind(actor).bind(template).fetch_optional(db).await?;
    Ok(found.map(|answers| answers.0))
}

pub async fn put_draft(db: &mut PgConnection, actor: &str, template: &str, answers: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO onboarding_drafts (actor, template, answers) VALUES ($1, $2, $3::json)
         ON CONFLICT (actor, template) DO UPDATE SET answers = excluded.answers, updated_at = now()",
    )
    .bind(actor)
    .bind(template)
    .bind(answers)
    .execute(db)
    .await?;
    Ok(())
}

pub async fn delete_draft(db: &mut PgConnection, actor: &str, template: &str) -> Result<()> {
    let query = sqlx::query("DELETE FROM onboarding_drafts WHERE actor = $1 AND template = $2");
    query.bind(actor).bind(template).execute(db).await?;
    Ok(())
}
