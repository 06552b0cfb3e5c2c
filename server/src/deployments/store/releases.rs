//! Releases: immutable, so only inserted and read.

use super::Store;
use crate::deployments::compare::Side;
use crate::kernel::{AppError, Result, WriteTx, violated};
use passerelle_contract::deployments::{ManifestBundle, ReleaseIn, ReleaseOut};
use passerelle_contract::text;
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ReleaseRow {
    pub id: Uuid,
    pub service_key: String,
    pub version: String,
    pub commit_sha: Option<String>,
    pub image: String,
    pub build_url: Option<String>,
    pub notes: Option<String>,
    pub repository_url: Option<String>,
    pub git_ref: Option<String>,
    pub manifests_url: Option<String>,
    pub manifests_sha256: Option<String>,
    pub created_at: OffsetDateTime,
    pub runs_in: Vec<String>,
}

impl ReleaseRow {
    /// Where it stands in its repository.
    pub fn side(&self) -> Side<'_> {
        Side { repository: self.repository_url.as_deref(), reference: self.git_ref.as_deref() }
    }

    /// The manifests that belong to it.
    pub fn manifests(&self) -> Option<ManifestBundle> {
        let (url, sha256) = self.manifests_url.clone().zip(self.manifests_sha256.clone())?;
        Some(ManifestBundle { url, sha256 })
    }
}

impl From<ReleaseRow> for ReleaseOut {
    fn from(row: ReleaseRow) -> Self {
        Self {
            manifests: row.manifests(),
            id: row.id,
            service: row.service_key,
            version: row.version,
            commit: row.commit_sha,
            image: row.image,
            build_url: row.build_url,
            notes: row.notes,
            repository_url: row.repository_url,
            git_ref: row.git_ref,
            created_at: row.created_at,
            runs_in: row.runs_in,
        }
    }
}

/// A release `r` with the environments whose binding was last seen with its version.
const COLUMNS: &str = "r.id, r.service_key, r.version, r.commit_sha, r.image, r.build_url, r.notes, r.repository_url, r.git_ref,
    r.manifests_url, r.manifests_sha256, r.created_at,
    ARRAY(SELECT e.name FROM bindings b JOIN binding_states s ON s.binding_id = b.id JOIN environments e ON e.id = b.environment_id
          WHERE b.service_id = r.service_id AND s.version = r.version ORDER BY e.position) AS runs_in";

impl Store {
    /// # Errors
    /// `AlreadyExists` when the service has this version already.
    pub async fn insert_release(
        &self,
        tx: &mut WriteTx,
        id: Uuid,
        service_id: Uuid,
        input: &ReleaseIn,
    ) -> Result<ReleaseRow> {
        let done = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "WITH r AS (
               INSERT INTO releases (id, service_id, service_key, version, commit_sha, image, build_url, notes, repository_url, git_ref,
                 manifests_url, manifests_sha256)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10::text, $5::text), $11, $12) RETURNING *
             ) SELECT {COLUMNS} FROM r"
        )))
        .bind(id)
        .bind(service_id)
        .bind(&input.service)
        .bind(&input.version)
        .bind(&input.commit)
        .bind(&input.image)
        .bind(&input.build_url)
        .bind(&input.notes)
        .bind(&input.repository_url)
        .bind(&input.git_ref)
        .bind(input.manifests.as_ref().map(|bundle| &bundle.url))
        .bind(input.manifests.as_ref().map(|bundle| &bundle.sha256))
        .fetch_one(tx.conn())
        .await;
        match done {
            Ok(row) => Ok(row),
            Err(error) if violated(&error) == Some("releases_service_id_version_key") => Err(AppError::AlreadyExists(
                text!("release {version} of {service}", version = input.version, service = input.service),
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// # Errors
    /// When the database is away.
    pub async fn release(&self, id: Uuid) -> Result<Option<ReleaseRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM releases r WHERE r.id = $1")))
            .bind(id)
            .fetch_optional(self.db.pool())
            .await?)
    }

    /// # Errors
    /// When the database is away.
    pub async fn release_by_version(&self, service_id: Uuid, version: &str) -> Result<Option<ReleaseRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM releases r WHERE r.service_id = $1 AND r.version = $2"
        )))
        .bind(service_id)
        .bind(version)
        .fetch_optional(self.db.pool())
        .await?)
    }

    /// The newest release with this image.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn release_by_image(&self, service_id: Uuid, image: &str) -> Result<Option<ReleaseRow>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM releases r WHERE r.service_id = $1 AND r.image = $2 ORDER BY r.created_at DESC LIMIT 1"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(service_id).bind(image).fetch_optional(self.db.pool()).await?)
    }

    /// The newest release of the same digest; of an image without one, the newest of the same name and tag.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn release_like_image(&self, service_id: Uuid, image: &str) -> Result<Option<ReleaseRow>> {
        let (column, wanted) = match image.split_once('@') {
            Some((_, digest)) => ("split_part(r.image, '@', 2)", digest),
            None => ("split_part(r.image, '@', 1)", image),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM releases r WHERE r.service_id = $1 AND {column} = $2 ORDER BY r.created_at DESC LIMIT 1"
        );
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(service_id)
            .bind(wanted)
            .fetch_optional(self.db.pool())
            .await?)
    }

    /// Newest first, after a position.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn releases(
        &self,
        service_id: Uuid,
        after: Option<(OffsetDateTime, Uuid)>,
        limit: usize,
    ) -> Result<(Vec<ReleaseRow>, u64)> {
        let sql = format!(
            "SELECT {COLUMNS} FROM releases r WHERE r.service_id = $1 AND ($2::timestamptz IS NULL OR (r.created_at, r.id) < ($2, $3))
             ORDER BY r.created_at DESC, r.id DESC LIMIT $4"
        );
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(service_id)
            .bind(after.map(|(at, _)| at))
            .bind(after.map(|(_, id)| id))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.db.pool())
            .await?;
        let total: i64 = sqlx::query_scalar("SELECT count(*) FROM releases WHERE service_id = $1")
            .bind(service_id)
            .fetch_one(self.db.pool())
            .await?;
        Ok((rows, u64::try_from(total).unwrap_or(0)))
    }
}
