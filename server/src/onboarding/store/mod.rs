//! Rows of `onboardings`, `onboarding_files` and `onboarding_drafts`.

pub mod deliveries;

use super::adoption::files::Part;
use super::model;
use crate::kernel::{AppError, ReadScope, Result};
use passerelle_contract::adoption::AdoptedOut;
use passerelle_contract::onboarding::{Delivery, FileOut, OnboardingFilter, OnboardingOut, OnboardingRow, StepOut};
use passerelle_templates::RenderedFile;
use serde_json::{Map, Value};
use sqlx::postgres::PgPool;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgExecutor};
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

const COLUMNS: &str = "o.id, o.service_id, o.service, o.template, o.template_version, o.answers, o.delivery, o.adopted, o.steps, o.created_by, o.created_at";

#[derive(Debug, FromRow)]
pub struct Row {
    pub id: Uuid,
    pub service_id: Uuid,
    pub service: String,
    template: String,
    template_version: String,
    answers: Json<Map<String, Value>>,
    delivery: Value,
    adopted: Option<Json<AdoptedOut>>,
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
    pub adopted: Option<&'n AdoptedOut>,
    pub steps: &'n [StepOut],
    pub created_by: &'n str,
    pub request_id: &'n str,
}

impl Row {
    pub fn template(&self) -> &str {
        &self.template
    }

    pub fn template_version(&self) -> &str {
        &self.template_version
    }

    pub const fn answers(&self) -> &Map<String, Value> {
        &self.answers.0
    }

    /// Of a service that was there before.
    pub fn adopted(&self) -> Option<&AdoptedOut> {
        self.adopted.as_ref().map(|adopted| &adopted.0)
    }

    pub const fn created_at(&self) -> OffsetDateTime {
        self.created_at
    }

    pub fn steps(&self) -> Result<Vec<StepOut>> {
        serde_json::from_value(self.steps.clone()).map_err(AppError::internal)
    }

    /// `versions` are those that are loaded, by template.
    pub fn to_row(&self, versions: &HashMap<String, String>) -> Result<OnboardingRow> {
        let loaded = versions.get(&self.template).filter(|loaded| model::is_later(loaded, &self.template_version));
        Ok(OnboardingRow {
            id: self.id,
            available: loaded.cloned(),
            template: self.template.clone(),
            template_version: self.template_version.clone(),
            service: self.service.clone(),
            state: model::state(&self.steps()?),
            created_by: self.created_by.clone(),
            created_at: self.created_at,
        })
    }

    pub fn to_out(&self, versions: &HashMap<String, String>, files: Vec<FileOut>) -> Result<OnboardingOut> {
        Ok(OnboardingOut {
            onboarding: self.to_row(versions)?,
            answers: self.answers.0.clone(),
            delivery: serde_json::from_value(self.delivery.clone()).map_err(AppError::internal)?,
            adopted: self.adopted().cloned(),
            steps: self.steps()?,
            files,
        })
    }
}

/// Nothing when the service has its golden path already.
pub async fn insert(db: &mut PgConnection, new: &New<'_>) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO onboardings
           (id, service_id, service, template, template_version, answers, delivery, steps, created_by, request_id, adopted)
         VALUES ($1, $2, $3, $4, $5, $6::json, $7, $8, $9, $10, $11) ON CONFLICT (service_id) DO NOTHING",
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
    .bind(new.adopted.map(Json))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A file of the golden path as it is kept.
#[derive(Debug)]
pub struct KeptFile<'f> {
    pub file: &'f RenderedFile,
    pub part: Part,
    /// What the repository has in its place, of a file apart that says something to the portal.
    pub found: Option<&'f str>,
}

pub async fn insert_files(db: &mut PgConnection, id: Uuid, files: &[KeptFile<'_>]) -> Result<()> {
    let paths: Vec<&str> = files.iter().map(|kept| kept.file.path.as_str()).collect();
    let contents: Vec<&str> = files.iter().map(|kept| kept.file.content.as_str()).collect();
    let executable: Vec<bool> = files.iter().map(|kept| kept.file.executable).collect();
    let parts: Vec<&str> = files.iter().map(|kept| kept.part.as_str()).collect();
    let found: Vec<Option<&str>> = files.iter().map(|kept| kept.found).collect();
    sqlx::query(
        "INSERT INTO onboarding_files (onboarding_id, path, content, executable, part, found)
         SELECT $1, t.path, t.content, t.executable, t.part, t.found
         FROM UNNEST($2::text[], $3::text[], $4::bool[], $5::text[], $6::text[]) AS t (path, content, executable, part, found)",
    )
    .bind(id)
    .bind(paths)
    .bind(contents)
    .bind(executable)
    .bind(parts)
    .bind(found)
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
    versions: &HashMap<String, String>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<(Vec<Row>, u64)> {
    const NARROWED: &str = "FROM onboardings o JOIN entities e ON e.id = o.service_id
        WHERE ($1 OR e.owner = ANY($2) OR e.system = ANY($3)) AND ($4::text IS NULL OR o.service = $4)
          AND ($5::text IS NULL OR o.template = $5)
          AND ($6::bool IS NULL OR $6 = EXISTS (SELECT FROM UNNEST($7::text[], $8::text[]) AS t (template, version)
            WHERE t.template = o.template
              AND string_to_array(t.version, '.')::bigint[] > string_to_array(o.template_version, '.')::bigint[]))";
    let (all, teams, systems): (bool, Vec<String>, Vec<String>) = match scope {
        ReadScope::All => (true, Vec::new(), Vec::new()),
        ReadScope::Only { teams, systems } => {
            (false, teams.iter().cloned().collect(), systems.iter().cloned().collect())
        }
    };
    let query = format!("SELECT {COLUMNS} {NARROWED} AND ($9::uuid IS NULL OR o.id < $9) ORDER BY o.id DESC LIMIT $10");
    let (loaded, numbers): (Vec<&String>, Vec<&String>) = versions.iter().unzip();
    let rows = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(all)
        .bind(&teams)
        .bind(&systems)
        .bind(&filter.service)
        .bind(&filter.template)
        .bind(filter.behind)
        .bind(&loaded)
        .bind(&numbers)
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
        .bind(filter.behind)
        .bind(&loaded)
        .bind(&numbers)
        .fetch_one(pool)
        .await?;
    Ok((rows, u64::try_from(total).unwrap_or_default()))
}

/// Which of the files of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that the golden path brings.
    Delivered,
    /// Those that follow it: brought, or there in the same form.
    Followed,
    /// What the repository holds in their places.
    Present,
}

/// In the order of their paths, byte by byte.
pub async fn files(db: impl PgExecutor<'_>, id: Uuid, which: Which) -> Result<Vec<RenderedFile>> {
    let narrowed = match which {
        Which::Delivered => "part = 'delivered'",
        Which::Followed => "part <> 'apart'",
        Which::Present => "(part <> 'apart' OR found IS NOT NULL)",
    };
    let query = format!(
        "SELECT path, CASE WHEN part = 'apart' THEN found ELSE content END, executable FROM onboarding_files
         WHERE onboarding_id = $1 AND {narrowed} ORDER BY path COLLATE \"C\""
    );
    let rows: Vec<(String, String, bool)> = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(id).fetch_all(db).await?;
    Ok(rows.into_iter().map(|(path, content, executable)| RenderedFile { path, content, executable }).collect())
}

/// Paths of files that do not follow the golden path.
pub async fn apart(db: impl PgExecutor<'_>, id: Uuid) -> Result<Vec<String>> {
    let query = sqlx::query_scalar("SELECT path FROM onboarding_files WHERE onboarding_id = $1 AND part = 'apart'");
    Ok(query.bind(id).fetch_all(db).await?)
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
