//! REST of the audit.

use super::AuditService;
use super::formats::Format;
use crate::kernel::web::{Json, Query};
use crate::kernel::{Ctx, Result};
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use passerelle_contract::Page;
use passerelle_contract::audit::{ArchiveOut, AuditEventOut, AuditFilter, AuditStreamOut, CheckpointOut, Outcome};
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this capability, relative to `/api/v1`.
pub fn router() -> OpenApiRouter<AuditService> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(export))
        .routes(routes!(checkpoints))
        .routes(routes!(streams))
        .routes(routes!(archives))
}

/// Who did what, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", responses((status = 200, body = Page<AuditEventOut>)))]
async fn list(
    State(service): State<AuditService>,
    ctx: Ctx,
    Query(filter): Query<AuditFilter>,
) -> Result<Json<Page<AuditEventOut>>> {
    service.list_events(&ctx, filter).await.map(Json)
}

/// The filter of the list, and the format.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Export {
    format: Format,
    actor: Option<String>,
    action: Option<String>,
    object: Option<String>,
    service: Option<String>,
    environment: Option<String>,
    outcome: Option<Outcome>,
    #[serde(with = "passerelle_contract::moment::option")]
    from: Option<OffsetDateTime>,
    #[serde(with = "passerelle_contract::moment::option")]
    to: Option<OffsetDateTime>,
}

/// All rows of a filter as JSON lines, CSV, or for a SIEM as OCSF or CEF.
#[utoipa::path(get, path = "/audit/export", tag = "audit", responses((status = 200, content_type = "application/jsonl", body = String)))]
async fn export(State(service): State<AuditService>, ctx: Ctx, Query(wanted): Query<Export>) -> Result<Response> {
    let filter = AuditFilter {
        actor: wanted.actor,
        action: wanted.action,
        object: wanted.object,
        service: wanted.service,
        environment: wanted.environment,
        outcome: wanted.outcome,
        from: wanted.from,
        to: wanted.to,
        cursor: None,
        limit: None,
    };
    let name = match wanted.format {
        Format::Jsonl => "attachment; filename=\"audit.jsonl\"",
        Format::Csv => "attachment; filename=\"audit.csv\"",
        Format::Ocsf => "attachment; filename=\"audit.ocsf.jsonl\"",
        Format::Cef => "attachment; filename=\"audit.cef\"",
    };
    let mime = wanted.format.media_type();
    let stream = service.export(&ctx, filter, wanted.format).await?;
    Ok(([(header::CONTENT_TYPE, mime), (header::CONTENT_DISPOSITION, name)], Body::from_stream(stream)).into_response())
}

/// The newest signed checkpoints of the hash chain.
#[utoipa::path(get, path = "/audit/checkpoints", tag = "audit", responses((status = 200, body = Vec<CheckpointOut>)))]
async fn checkpoints(State(service): State<AuditService>, ctx: Ctx) -> Result<Json<Vec<CheckpointOut>>> {
    service.checkpoints(&ctx).await.map(Json)
}

/// Where the audit is sent to while it is written, and how far each has come.
#[utoipa::path(get, path = "/audit/streams", tag = "audit", responses((status = 200, body = Vec<AuditStreamOut>)))]
async fn streams(State(service): State<AuditService>, ctx: Ctx) -> Result<Json<Vec<AuditStreamOut>>> {
    service.streams(&ctx).await.map(Json)
}

/// Files that old rows were moved into, newest first.
#[utoipa::path(get, path = "/audit/archives", tag = "audit", responses((status = 200, body = Vec<ArchiveOut>)))]
async fn archives(State(service): State<AuditService>, ctx: Ctx) -> Result<Json<Vec<ArchiveOut>>> {
    service.archives(&ctx).await.map(Json)
}
