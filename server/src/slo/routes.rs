//! REST of SLOs, relative to `/api/v1`.

use super::SloService;
use super::model::Slo;
use crate::environments::{Etag, if_match, with_etag};
use crate::kernel::web::{Json, Path, Query, id_of, one_page, tier_of};
use crate::kernel::{AppError, Ctx, Result};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use passerelle_contract::postmortems::{PostmortemCloseIn, PostmortemFilter, PostmortemOut, PostmortemState};
use passerelle_contract::slo::{
    BudgetVerdict, CorrectionIn, CorrectionOut, RulesFilter, RulesForm, SloFilter, SloHistoryFilter, SloHistoryPoint,
    SloImportOptions, SloImportReport, SloOut, SloPatch, SloPolicy, SloPolicyOut, SloRow, SloSort,
};
use passerelle_contract::{Page, Problem, text};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this capability.
pub fn router() -> OpenApiRouter<SloService> {
    OpenApiRouter::new()
        .routes(routes!(list_slos))
        .routes(routes!(import_slos))
        .routes(routes!(get_rules))
        .routes(routes!(list_slo_policies))
        .routes(routes!(put_slo_policy))
        .routes(routes!(get_slo, patch_slo, delete_slo))
        .routes(routes!(get_source))
        .routes(routes!(get_history))
        .routes(routes!(list_corrections, add_correction))
        .routes(routes!(list_postmortems))
        .routes(routes!(close_postmortem))
}

/// The version of an SLO: the instant of its last change.
fn version(updated_at: time::OffsetDateTime) -> String {
    format!("\"{}\"", updated_at.unix_timestamp_nanos() / 1000)
}

impl Etag for SloOut {
    fn etag(&self) -> String {
        version(self.updated_at)
    }
}

impl Etag for Slo {
    fn etag(&self) -> String {
        version(self.updated_at)
    }
}

fn yaml(text: String) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/yaml"))], text).into_response()
}

/// List SLOs by what is left of their budgets
#[utoipa::path(get, path = "/slos", tag = "slos",
    params(
        ("service" = Option<String>, Query, description = "`namespace/name`"),
        ("team" = Option<String>, Query, description = "`namespace/name` of the owning team"),
        ("system" = Option<String>, Query, description = "`namespace/name`"),
        ("environment" = Option<String>, Query, description = "Those that count for it"), ("verdict" = Option<BudgetVerdict>, Query),
        ("q" = Option<String>, Query, description = "Words that the title, the name or the service has"),
        ("sort" = Option<SloSort>, Query, description = "`remaining` when absent"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 200; 20 when absent"),
    ),
    responses((status = 200, body = Page<SloRow>), (status = 401, body = Problem), (status = 422, body = Problem)))]
async fn list_slos(
    State(service): State<SloService>,
    ctx: Ctx,
    Query(filter): Query<SloFilter>,
) -> Result<Json<Page<SloRow>>> {
    service.list_slos(&ctx, &filter).await.map(Json)
}

/// Import a file of SLOs
///
/// OpenSLO v1, or the five-line format `service_level_objectives`. All of it or nothing.
#[utoipa::path(post, path = "/slos/imports", tag = "slos",
    params(
        ("service" = Option<String>, Query, description = "`namespace/name`; needed for the five-line format"),
        ("namespace" = Option<String>, Query, description = "Objectives without a service belong to the service of this namespace that their name begins with"),
        ("environment" = Option<String>, Query, description = "For deployments to this environment only"),
        ("connection" = Option<String>, Query, description = "A connection of kind prometheus; wins over the file's data source"),
        ("min_bad_events" = Option<u32>, Query, description = "An alert needs at least so many bad events; as it was when absent"),
        ("dry_run" = Option<bool>, Query), ("requests_metric" = Option<String>, Query),
        ("durations_metric" = Option<String>, Query), ("service_label" = Option<String>, Query),
        ("service_value" = Option<String>, Query), ("code_label" = Option<String>, Query), ("bad_codes" = Option<String>, Query),
    ),
    request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, body = SloImportReport), (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn import_slos(
    State(service): State<SloService>,
    ctx: Ctx,
    Query(options): Query<SloImportOptions>,
    body: axum::body::Bytes,
) -> Result<Json<SloImportReport>> {
    let text = std::str::from_utf8(&body).map_err(|_| AppError::field("", text!("must be UTF-8")))?;
    service.import_slos(&ctx, text, &options).await.map(Json)
}

/// Generate Prometheus rules
#[utoipa::path(get, path = "/slos/rules.yaml", tag = "slos",
    params(("service" = Option<String>, Query, description = "`namespace/name`"), ("form" = Option<RulesForm>, Query)),
    responses((status = 200, body = serde_json::Value, content_type = "application/yaml"), (status = 401, body = Problem)))]
async fn get_rules(State(service): State<SloService>, ctx: Ctx, Query(filter): Query<RulesFilter>) -> Result<Response> {
    service.rules(&ctx, &filter).await.map(yaml)
}

/// What each tier makes of a budget
#[utoipa::path(get, path = "/slos/policies", tag = "slos",
    responses((status = 200, body = Page<SloPolicyOut>), (status = 401, body = Problem)))]
async fn list_slo_policies(State(service): State<SloService>, ctx: Ctx) -> Result<Json<Page<SloPolicyOut>>> {
    service.list_slo_policies(&ctx).await.map(one_page)
}

/// Replace what a tier makes of a budget
#[utoipa::path(put, path = "/slos/policies/{tier}", tag = "slos", request_body = SloPolicy,
    params(("tier" = String, Path, description = "development, staging or production")),
    responses((status = 200, body = SloPolicyOut), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn put_slo_policy(
    State(service): State<SloService>,
    ctx: Ctx,
    Path(tier): Path<String>,
    Json(policy): Json<SloPolicy>,
) -> Result<Json<SloPolicyOut>> {
    service.put_slo_policy(&ctx, tier_of(&tier)?, policy).await.map(Json)
}

/// Read an SLO with its figures
#[utoipa::path(get, path = "/slos/{id}", tag = "slos", params(("id" = Uuid, Path)),
    responses((status = 200, body = SloOut), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get_slo(State(service): State<SloService>, ctx: Ctx, Path(id): Path<String>) -> Result<Response> {
    service.get_slo(&ctx, id_of("slo", &id)?).await.map(|out| with_etag(StatusCode::OK, out))
}

/// Change an SLO
#[utoipa::path(patch, path = "/slos/{id}", tag = "slos", request_body = SloPatch,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "ETag of the version that was read")),
    responses((status = 200, body = SloOut), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn patch_slo(
    State(service): State<SloService>,
    ctx: Ctx,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(patch): Json<SloPatch>,
) -> Result<Response> {
    let if_match = if_match(&headers)?;
    service.patch_slo(&ctx, id_of("slo", &id)?, patch, &if_match).await.map(|out| with_etag(StatusCode::OK, out))
}

/// Delete an SLO with all that was measured for it
#[utoipa::path(delete, path = "/slos/{id}", tag = "slos", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_slo(State(service): State<SloService>, ctx: Ctx, Path(id): Path<String>) -> Result<StatusCode> {
    service.delete_slo(&ctx, id_of("slo", &id)?).await.map(|()| StatusCode::NO_CONTENT)
}

/// Read the file that an SLO came in, byte for byte
#[utoipa::path(get, path = "/slos/{id}/source", tag = "slos", params(("id" = Uuid, Path)),
    responses((status = 200, body = serde_json::Value, content_type = "application/yaml"), (status = 404, body = Problem)))]
async fn get_source(State(service): State<SloService>, ctx: Ctx, Path(id): Path<String>) -> Result<Response> {
    service.slo_source(&ctx, id_of("slo", &id)?).await.map(yaml)
}

/// Read an SLO's history by the hour
#[utoipa::path(get, path = "/slos/{id}/history", tag = "slos",
    params(("id" = Uuid, Path), ("from" = Option<String>, Query, description = "RFC 3339; the period's begin when absent"),
        ("to" = Option<String>, Query, description = "RFC 3339; now when absent")),
    responses((status = 200, body = Page<SloHistoryPoint>), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn get_history(
    State(service): State<SloService>,
    ctx: Ctx,
    Path(id): Path<String>,
    Query(filter): Query<SloHistoryFilter>,
) -> Result<Json<Page<SloHistoryPoint>>> {
    service.history(&ctx, id_of("slo", &id)?, &filter).await.map(one_page)
}

/// List corrections of a budget
#[utoipa::path(get, path = "/slos/{id}/corrections", tag = "slos", params(("id" = Uuid, Path)),
    responses((status = 200, body = Page<CorrectionOut>), (status = 404, body = Problem)))]
async fn list_corrections(
    State(service): State<SloService>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<Page<CorrectionOut>>> {
    service.list_corrections(&ctx, id_of("slo", &id)?).await.map(one_page)
}

/// Take a stretch of time out of a budget
#[utoipa::path(post, path = "/slos/{id}/corrections", tag = "slos", params(("id" = Uuid, Path)), request_body = CorrectionIn,
    responses((status = 201, body = CorrectionOut), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn add_correction(
    State(service): State<SloService>,
    ctx: Ctx,
    Path(id): Path<String>,
    Json(correction): Json<CorrectionIn>,
) -> Result<Response> {
    let out = service.add_correction(&ctx, id_of("slo", &id)?, correction).await?;
    Ok((StatusCode::CREATED, Json(out)).into_response())
}

/// List post-mortems to be written and those that were closed
#[utoipa::path(get, path = "/postmortems", tag = "slos",
    params(
        ("service" = Option<String>, Query, description = "`namespace/name`"), ("slo" = Option<Uuid>, Query),
        ("state" = Option<PostmortemState>, Query),
    ),
    responses((status = 200, body = Page<PostmortemOut>), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn list_postmortems(
    State(service): State<SloService>,
    ctx: Ctx,
    Query(filter): Query<PostmortemFilter>,
) -> Result<Json<Page<PostmortemOut>>> {
    service.list_postmortems(&ctx, &filter).await.map(one_page)
}

/// Close a post-mortem with a link or words
#[utoipa::path(post, path = "/postmortems/{id}/close", tag = "slos", params(("id" = Uuid, Path)), request_body = PostmortemCloseIn,
    responses((status = 200, body = PostmortemOut), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn close_postmortem(
    State(service): State<SloService>,
    ctx: Ctx,
    Path(id): Path<String>,
    Json(with): Json<PostmortemCloseIn>,
) -> Result<Json<PostmortemOut>> {
    service.close_postmortem(&ctx, id_of("postmortem", &id)?, with).await.map(Json)
}
