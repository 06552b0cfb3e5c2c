//! Writes, many rows per statement. All of them happen under [`lock`], so revisions become visible in their order.

use crate::catalog::import::Placed;
use crate::kernel::Result;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// Rows per statement; keeps the memory of an import even.
const CHUNK: usize = 1_000;
/// "catalog" in the key space of advisory locks.
const LOCK_KEY: i64 = 0x0063_6174_616c_6f67;

/// Waits for other writers of the catalog and takes the revision of this change. Held until the transaction ends.
pub async fn lock(connection: &mut PgConnection) -> Result<i64> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK_KEY).execute(&mut *connection).await?;
    Ok(sqlx::query_scalar("SELECT nextval('catalog_revision')").fetch_one(connection).await?)
}

/// One column per field, as `UNNEST` takes them.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    references: Vec<String>,
    api_versions: Vec<String>,
    kinds: Vec<String>,
    namespaces: Vec<String>,
    names: Vec<String>,
    titles: Vec<Option<String>>,
    descriptions: Vec<Option<String>>,
    types: Vec<Option<String>>,
    lifecycles: Vec<Option<String>>,
    owners: Vec<Option<String>>,
    systems: Vec<Option<String>>,
    tags: Vec<String>,
    documents: Vec<String>,
    hashes: Vec<Vec<u8>>,
    files: Vec<String>,
    lines: Vec<i32>,
}

impl Columns {
    fn new(rows: &[(Uuid, &Placed)]) -> Self {
        let mut columns = Self::default();
        for (id, placed) in rows {
            let entity = &placed.entity;
            columns.ids.push(*id);
            columns.references.push(entity.reference.folded());
            columns.api_versions.push(entity.api_version.clone());
            columns.kinds.push(entity.kind.clone());
            columns.namespaces.push(entity.reference.namespace.clone());
            columns.names.push(entity.reference.name.clone());
            columns.titles.push(entity.title.clone());
            columns.descriptions.push(entity.description.clone());
            columns.types.push(entity.entity_type.clone());
            columns.lifecycles.push(entity.lifecycle.clone());
            columns.owners.push(entity.owner.clone());
            columns.systems.push(entity.system.clone());
            // No tag holds a comma.
            columns.tags.push(entity.tags.join(","));
            columns.documents.push(entity.document.clone());
            columns.hashes.push(entity.content_hash.to_vec());
            columns.files.push(placed.place.file.clone());
            columns.lines.push(i32::try_from(placed.place.line).unwrap_or(i32::MAX));
        }
        columns
    }
}

macro_rules! bind_columns {
    ($sql:expr, $columns:expr, $source:expr, $revision:expr) => {
        sqlx::query($sql)
            .bind(&$columns.ids)
            .bind(&$columns.references)
            .bind(&$columns.api_versions)
            .bind(&$columns.kinds)
            .bind(&$columns.namespaces)
            .bind(&$columns.names)
            .bind(&$columns.titles)
            .bind(&$columns.descriptions)
            .bind(&$columns.types)
            .bind(&$columns.lifecycles)
            .bind(&$columns.owners)
            .bind(&$columns.systems)
            .bind(&$columns.tags)
            .bind(&$columns.documents)
            .bind(&$columns.hashes)
            .bind(&$columns.files)
            .bind(&$columns.lines)
            .bind($source)
            .bind($revision)
    };
}

/// Entities that were not there.
pub async fn write_new(connection: &mut PgConnection, rows: &[&Placed], source: &str, revision: i64) -> Result<()> {
    for chunk in rows.chunks(CHUNK) {
        let rows: Vec<(Uuid, &Placed)> = chunk.iter().map(|placed| (Uuid::now_v7(), *placed)).collect();
        let columns = Columns::new(&rows);
        let insert = "INSERT INTO entities (id, reference, api_version, kind, namespace, name, title, description, entity_type, lifecycle,
                owner, system, tags, document, content_hash, source_file, source_line, source, revision)
             SELECT t.id, t.reference, t.api_version, t.kind, t.namespace, t.name, t.title, t.description, t.entity_type, t.lifecycle,
                t.owner, t.system, string_to_array(t.tags, ','), t.document::json, t.content_hash, t.source_file, t.source_line, $18, $19
             FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bytea[], $16::text[], $17::int[])
                AS t (id, reference, api_version, kind, namespace, name, title, description, entity_type, lifecycle, owner, system, tags,
                document, content_hash, source_file, source_line)";
        bind_columns!(insert, columns, source, revision).execute(&mut *connection).await?;
        write_relations(connection, &rows).await?;
    }
    Ok(())
}

/// Entities whose document changed or that are back. What was edited in the portal stays on top.
pub async fn write_over(
    connection: &mut PgConnection,
    rows: &[(Uuid, &Placed)],
    source: &str,
    revision: i64,
) -> Result<()> {
    for chunk in rows.chunks(CHUNK) {
        let columns = Columns::new(chunk);
        let update = "UPDATE entities e SET reference = t.reference, api_version = t.api_version, kind = t.kind, namespace = t.namespace,
                name = t.name, title = coalesce(e.overrides->>'title', t.title),
                description = coalesce(e.overrides->>'description', t.description), entity_type = t.entity_type,
                lifecycle = coalesce(e.overrides->>'lifecycle', t.lifecycle), owner = t.owner, system = t.system,
                tags = CASE WHEN e.overrides ? 'tags' THEN ARRAY(SELECT jsonb_array_elements_text(e.overrides->'tags'))
                    ELSE string_to_array(t.tags, ',') END,
                document = t.document::json, content_hash = t.content_hash, source_file = t.source_file, source_line = t.source_line,
                source = $18, revision = $19, updated_at = now(), archived_at = NULL
             FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bytea[], $16::text[], $17::int[])
                AS t (id, reference, api_version, kind, namespace, name, title, description, entity_type, lifecycle, owner, system, tags,
                document, content_hash, source_file, source_line)
             WHERE e.id = t.id";
        bind_columns!(update, columns, source, revision).execute(&mut *connection).await?;
        sqlx::query("DELETE FROM relations WHERE entity_id = ANY($1)")
            .bind(&columns.ids)
            .execute(&mut *connection)
            .await?;
        write_relations(connection, chunk).await?;
    }
    Ok(())
}

async fn write_relations(connection: &mut PgConnection, rows: &[(Uuid, &Placed)]) -> Result<()> {
    let (mut ids, mut kinds, mut sources, mut targets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (id, relation) in
        rows.iter().flat_map(|(id, placed)| placed.entity.relations.iter().map(move |relation| (id, relation)))
    {
        ids.push(*id);
        kinds.push(relation.kind.as_str());
        sources.push(relation.source.as_str());
        targets.push(relation.target.as_str());
    }
    sqlx::query(
        "INSERT INTO relations (entity_id, kind, source, target)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[])",
    )
    .bind(&ids)
    .bind(&kinds)
    .bind(&sources)
    .bind(&targets)
    .execute(connection)
    .await?;
    Ok(())
}

/// The same documents in another place. They count as unchanged, but what shows their place has to read them again.
pub async fn move_place(
    connection: &mut PgConnection,
    rows: &[(Uuid, &Placed)],
    source: &str,
    revision: i64,
) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().map(|(id, _)| *id).collect();
    let files: Vec<&str> = rows.iter().map(|(_, placed)| placed.place.file.as_str()).collect();
    let lines: Vec<i32> = rows.iter().map(|(_, placed)| i32::try_from(placed.place.line).unwrap_or(i32::MAX)).collect();
    sqlx::query(
        "UPDATE entities e SET source = $4, source_file = t.file, source_line = t.line, revision = $5
         FROM UNNEST($1::uuid[], $2::text[], $3::int[]) AS t (id, file, line) WHERE e.id = t.id",
    )
    .bind(&ids)
    .bind(&files)
    .bind(&lines)
    .bind(source)
    .bind(revision)
    .execute(connection)
    .await?;
    Ok(())
}

/// Entities that are gone from their source.
pub async fn archive(connection: &mut PgConnection, ids: &[Uuid], revision: i64) -> Result<()> {
    sqlx::query("UPDATE entities SET archived_at = now(), updated_at = now(), revision = $2 WHERE id = ANY($1)")
        .bind(ids)
        .bind(revision)
        .execute(connection)
        .await?;
    Ok(())
}

/// What holds for an entity after an edit in the portal.
#[derive(Debug)]
pub struct Edited<'e> {
    pub title: Option<&'e str>,
    pub description: Option<&'e str>,
    pub lifecycle: Option<&'e str>,
    pub tags: &'e [String],
    pub overrides: &'e Value,
}

/// Writes an edit.
pub async fn override_fields(
    connection: &mut PgConnection,
    id: Uuid,
    edited: &Edited<'_>,
    revision: i64,
) -> Result<()> {
    sqlx::query(
        "UPDATE entities SET title = $2, description = $3, lifecycle = $4, tags = $5, overrides = $6, revision = $7, updated_at = now()
         WHERE id = $1",
    )
    .bind(id)
    .bind(edited.title)
    .bind(edited.description)
    .bind(edited.lifecycle)
    .bind(edited.tags)
    .bind(sqlx::types::Json(edited.overrides))
    .bind(revision)
    .execute(connection)
    .await?;
    Ok(())
}
