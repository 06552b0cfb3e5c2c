//! Reads: what changed since a revision, whole entities, and what an import finds.

use crate::catalog::index::Row;
use crate::catalog::plan::Existing;
use crate::catalog::relations::RelationKind;
use crate::kernel::Result;
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::postgres::PgPool;
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// Rows per query when the image in memory catches up.
const CHUNK: i64 = 2_000;

#[derive(sqlx::FromRow)]
struct ChangedRow {
    id: Uuid,
    revision: i64,
    kind: String,
    namespace: String,
    name: String,
    title: Option<String>,
    description: Option<String>,
    entity_type: Option<String>,
    lifecycle: Option<String>,
    owner: Option<String>,
    system: Option<String>,
    tags: Vec<String>,
    updated_at: OffsetDateTime,
    archived: bool,
    relations: Option<Vec<String>>,
}

/// A service by id or by key, as other capabilities decide about it.
#[derive(Debug, sqlx::FromRow)]
pub struct OwnedRow {
    pub id: Uuid,
    pub namespace: String,
    pub name: String,
    pub title: Option<String>,
    pub owner: Option<String>,
    pub system: Option<String>,
    pub archived: bool,
}

/// Services by id, archived ones too.
pub async fn services_by_ids(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<OwnedRow>> {
    let rows = sqlx::query_as(
        "SELECT id, namespace, name, title, owner, system, archived_at IS NOT NULL AS archived FROM entities WHERE id = ANY ($1)",
    )
    .bind(ids)
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// A service with what its document says beside its fields.
#[derive(Debug, sqlx::FromRow)]
pub struct Annotated {
    pub key: String,
    pub annotations: sqlx::types::Json<Value>,
}

/// Services that are not archived and whose annotation has a value, in any case.
pub async fn services_annotated(pool: &PgPool, name: &str, value: &str) -> Result<Vec<Annotated>> {
    let rows = sqlx::query_as(
        "SELECT namespace || '/' || name AS key, document #> '{metadata,annotations}' AS annotations FROM entities
         WHERE archived_at IS NULL AND lower(kind) = 'component'
           AND lower(document #> '{metadata,annotations}' ->> $1) = lower($2) ORDER BY 1",
    )
    .bind(name)
    .bind(value)
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// A service that is laid to a repository.
#[derive(Debug, sqlx::FromRow)]
pub struct LaidRow {
    pub id: Uuid,
    pub key: String,
    pub owner: Option<String>,
    pub system: Option<String>,
    pub answered: bool,
}

/// Services that are not archived and of whose annotations one of these has one of the values, which are in lower case.
pub async fn services_laid_to(pool: &PgPool, annotations: &[&str], values: &[String]) -> Result<Vec<LaidRow>> {
    let rows = sqlx::query_as(
        "SELECT id, namespace || '/' || name AS key, owner, system, source LIKE 'onboarding:%' AS answered FROM entities
         WHERE archived_at IS NULL AND lower(kind) = 'component' AND EXISTS (
           SELECT 1 FROM unnest($1::text[]) AS named (annotation)
           WHERE lower(document #> '{metadata,annotations}' ->> named.annotation) = ANY ($2))",
    )
    .bind(annotations)
    .bind(values)
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// A service by `namespace/name`, archived ones too.
pub async fn service_by_key(pool: &PgPool, key: &str) -> Result<Option<OwnedRow>> {
    let row = sqlx::query_as(
        "SELECT id, namespace, name, title, owner, system, archived_at IS NOT NULL AS archived FROM entities
         WHERE reference = 'component:' || lower($1)",
    )
    .bind(key)
    .fetch_optional(pool)
    .await?;
    Ok(row)
}

/// The next rows after a position in the order of (revision, id), with the position after them.
pub async fn changed_after(pool: &PgPool, after: (i64, Uuid)) -> Result<(Vec<Row>, (i64, Uuid))> {
    let rows: Vec<ChangedRow> = sqlx::query_as(
        "SELECT id, revision, kind, namespace, name, title, description, entity_type, lifecycle, owner, system, tags, updated_at,
                archived_at IS NOT NULL AS archived,
                (SELECT array_agg(r.kind || ' ' || r.source || ' ' || r.target) FROM relations r WHERE r.entity_id = e.id) AS relations
         FROM entities e WHERE revision >= $1 AND (revision, id) > ($1, $2) ORDER BY revision, id LIMIT $3",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(CHUNK)
    .fetch_all(pool)
    .await?;
    let after = rows.last().map_or(after, |row| (row.revision, row.id));
    Ok((rows.into_iter().map(row).collect(), after))
}

fn row(row: ChangedRow) -> Row {
    let relation = |text: String| {
        let mut parts = text.splitn(3, ' ');
        let kind = RelationKind::parse(parts.next()?)?;
        Some((kind, parts.next()?.to_owned(), parts.next()?.to_owned()))
    };
    Row {
        id: row.id,
        kind: row.kind,
        namespace: row.namespace,
        name: row.name,
        title: row.title,
        description: row.description,
        entity_type: row.entity_type,
        lifecycle: row.lifecycle,
        owner: row.owner,
        system: row.system,
        tags: row.tags,
        updated_at: row.updated_at,
        revision: row.revision,
        archived: row.archived,
        relations: row.relations.unwrap_or_default().into_iter().filter_map(relation).collect(),
    }
}

/// A whole entity.
#[derive(Debug, sqlx::FromRow)]
pub struct Detail {
    pub id: Uuid,
    pub revision: i64,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub entity_type: Option<String>,
    pub lifecycle: Option<String>,
    pub owner: Option<String>,
    pub system: Option<String>,
    pub tags: Vec<String>,
    pub document: sqlx::types::Json<Value>,
    pub overrides: sqlx::types::Json<Value>,
    pub source_file: String,
    pub source_line: i32,
    pub updated_at: OffsetDateTime,
}

const DETAIL: &str =
    "SELECT id, revision, kind, namespace, name, title, description, entity_type, lifecycle, owner, system, tags,
    document, overrides, source_file, source_line, updated_at FROM entities";

/// Entities by id; those that do not exist are left out.
pub async fn details(pool: &PgPool, ids: &[Uuid]) -> Result<Vec<Detail>> {
    let query = sqlx::AssertSqlSafe(format!("{DETAIL} WHERE id = ANY($1) AND archived_at IS NULL"));
    Ok(sqlx::query_as(query).bind(ids).fetch_all(pool).await?)
}

/// One entity, locked until the transaction ends.
pub async fn for_update(connection: &mut PgConnection, id: Uuid) -> Result<Option<Detail>> {
    let query = sqlx::AssertSqlSafe(format!("{DETAIL} WHERE id = $1 AND archived_at IS NULL FOR UPDATE"));
    Ok(sqlx::query_as(query).bind(id).fetch_optional(connection).await?)
}

/// The rows of these folded references, archived ones included.
pub async fn existing(connection: &mut PgConnection, references: &[String]) -> Result<HashMap<String, Existing>> {
    type Found = (String, Uuid, Vec<u8>, String, String, i32, bool);
    let rows: Vec<Found> = sqlx::query_as(
        "SELECT reference, id, content_hash, source, source_file, source_line, archived_at IS NOT NULL
         FROM entities WHERE reference = ANY($1)",
    )
    .bind(references)
    .fetch_all(connection)
    .await?;
    let existing = |(reference, id, content_hash, source, source_file, source_line, archived): Found| {
        (reference, Existing { id, content_hash, source, source_file, source_line, archived })
    };
    Ok(rows.into_iter().map(existing).collect())
}

/// Live entities of a source that are not among these references.
pub async fn missing_from(
    connection: &mut PgConnection,
    source: &str,
    references: &[String],
) -> Result<Vec<(Uuid, String)>> {
    Ok(sqlx::query_as(
        "SELECT id, reference FROM entities
         WHERE source = $1 AND archived_at IS NULL AND NOT (reference = ANY($2)) ORDER BY reference",
    )
    .bind(source)
    .bind(references)
    .fetch_all(connection)
    .await?)
}

/// Documents as they are in the table.
pub async fn documents(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Value>> {
    let rows: Vec<(Uuid, sqlx::types::Json<Value>)> =
        sqlx::query_as("SELECT id, document FROM entities WHERE id = ANY($1)").bind(ids).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id, document)| (id, document.0)).collect())
}
