//! REST of the gates, relative to `/api/v1`. Approvals, reports and the decision for CI are with the deployments and releases
//! that they are about.

use super::GateService;
use crate::environments::{if_match, with_etag};
use crate::kernel::web::{Json, Path, Query, id_of, one_page, tier_of};
use crate::kernel::{Ctx, Result};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use passerelle_contract::gates::{
    BreakGlassIn, BreakGlassOut, FreezeFilter, FreezeIn, FreezeOut, GatePolicy, GatePolicyOut, WaiverFilter, WaiverIn,
    WaiverOut,
};
use passerelle_contract::{Page, Problem};
use tower_sessions::Session;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this capability.
pub fn router() -> OpenApiRouter<GateService> {
    OpenApiRouter::new()
        .routes(routes!(list_policies))
        .routes(routes!(get_policy, put_policy))
        .routes(routes!(list_freezes, create_freeze))
        .routes(routes!(get_freeze, replace_freeze, lift_freeze))
        .routes(routes!(list_waivers, create_waiver))
        .routes(routes!(revoke_waiver))
        .routes(routes!(list_break_glass, break_glass))
}

/// What each tier asks of a deployment
#[utoipa::path(get, path = "/gates/policies", tag = "gates",
    responses((status = 200, body = Page<GatePolicyOut>), (status = 401, body = Problem)))]
async fn list_policies(State(service): State<GateService>, ctx: Ctx) -> Result<Json<Page<GatePolicyOut>>> {
    service.list_policies(&ctx).await.map(one_page)
}

/// What one tier asks of a deployment
#[utoipa::path(get, path = "/gates/policies/{tier}", tag = "gates",
    params(("tier" = String, Path, description = "development, staging or production")),
    responses((status = 200, body = GatePolicyOut), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get_policy(State(service): State<GateService>, ctx: Ctx, Path(name): Path<String>) -> Result<Response> {
    Ok(with_etag(StatusCode::OK, service.get_policy(&ctx, tier_of(&name)?).await?))
}

/// Replace the policy of a tier
#[utoipa::path(put, path = "/gates/policies/{tier}", tag = "gates", request_body = GatePolicy,
    params(("tier" = String, Path, description = "development, staging or production"),
        ("If-Match" = Option<String>, Header, description = "ETag of the version that was read")),
    responses((status = 200, body = GatePolicyOut), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn put_policy(
    State(service): State<GateService>,
    ctx: Ctx,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(policy): Json<GatePolicy>,
) -> Result<Response> {
    let saved = service.put_policy(&ctx, tier_of(&name)?, policy, &if_match(&headers)?).await?;
    Ok(with_etag(StatusCode::OK, saved))
}

/// Freezes, newest first
#[utoipa::path(get, path = "/freezes", tag = "gates", params(FreezeFilter),
    responses((status = 200, body = Page<FreezeOut>), (status = 401, body = Problem)))]
async fn list_freezes(
    State(service): State<GateService>,
    ctx: Ctx,
    Query(filter): Query<FreezeFilter>,
) -> Result<Json<Page<FreezeOut>>> {
    service.list_freezes(&ctx, &filter).await.map(Json)
}

/// Freeze, now or later, once or again and again
///
/// With only `scope` and `title` it is the red button: from now until it is lifted.
#[utoipa::path(post, path = "/freezes", tag = "gates", request_body = FreezeIn,
    responses((status = 201, body = FreezeOut), (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn create_freeze(State(service): State<GateService>, ctx: Ctx, Json(new): Json<FreezeIn>) -> Result<Response> {
    let freeze = service.create_freeze(&ctx, new).await?;
    let location = format!("/api/v1/freezes/{}", freeze.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(freeze)).into_response())
}

/// Read a freeze
#[utoipa::path(get, path = "/freezes/{id}", tag = "gates", params(("id" = Uuid, Path)),
    responses((status = 200, body = FreezeOut), (status = 404, body = Problem)))]
async fn get_freeze(State(service): State<GateService>, ctx: Ctx, Path(id): Path<String>) -> Result<Json<FreezeOut>> {
    service.get_freeze(&ctx, id_of("freeze", &id)?).await.map(Json)
}

/// Replace all that a freeze says
#[utoipa::path(put, path = "/freezes/{id}", tag = "gates", params(("id" = Uuid, Path)), request_body = FreezeIn,
    responses((status = 200, body = FreezeOut), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn replace_freeze(
    State(service): State<GateService>,
    ctx: Ctx,
    Path(id): Path<String>,
    Json(new): Json<FreezeIn>,
) -> Result<Json<FreezeOut>> {
    service.replace_freeze(&ctx, id_of("freeze", &id)?, new).await.map(Json)
}

/// Lift a freeze
#[utoipa::path(delete, path = "/freezes/{id}", tag = "gates", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn lift_freeze(State(service): State<GateService>, ctx: Ctx, Path(id): Path<String>) -> Result<StatusCode> {
    service.lift_freeze(&ctx, id_of("freeze", &id)?).await.map(|()| StatusCode::NO_CONTENT)
}

/// The waivers of a service
#[utoipa::path(get, path = "/waivers", tag = "gates", params(WaiverFilter),
    responses((status = 200, body = Page<WaiverOut>), (status = 404, body = Problem)))]
async fn list_waivers(
    State(service): State<GateService>,
    ctx: Ctx,
    Query(filter): Query<WaiverFilter>,
) -> Result<Json<Page<WaiverOut>>> {
    service.list_waivers(&ctx, &filter.service).await.map(one_page)
}

/// Let one vulnerability of one service pass until a day
#[utoipa::path(post, path = "/waivers", tag = "gates", request_body = WaiverIn,
    responses((status = 201, body = WaiverOut), (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn create_waiver(State(service): State<GateService>, ctx: Ctx, Json(new): Json<WaiverIn>) -> Result<Response> {
    Ok((StatusCode::CREATED, Json(service.create_waiver(&ctx, new).await?)).into_response())
}

/// Revoke a waiver
#[utoipa::path(delete, path = "/waivers/{id}", tag = "gates", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn revoke_waiver(State(service): State<GateService>, ctx: Ctx, Path(id): Path<String>) -> Result<StatusCode> {
    service.revoke_waiver(&ctx, id_of("waiver", &id)?).await.map(|()| StatusCode::NO_CONTENT)
}

/// Who broke the glass, when and why
#[utoipa::path(get, path = "/break-glass", tag = "gates",
    responses((status = 200, body = Page<BreakGlassOut>), (status = 401, body = Problem)))]
async fn list_break_glass(State(service): State<GateService>, ctx: Ctx) -> Result<Json<Page<BreakGlassOut>>> {
    service.list_break_glass(&ctx).await.map(one_page)
}

/// Break the glass: one's next deployment there skips the gates
///
/// For a signed-in person with the password again; never for a token. A second person is told at once.
#[utoipa::path(post, path = "/break-glass", tag = "gates", request_body = BreakGlassIn,
    responses((status = 201, body = BreakGlassOut), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn break_glass(
    State(service): State<GateService>,
    ctx: Ctx,
    session: Session,
    Json(input): Json<BreakGlassIn>,
) -> Result<Response> {
    Ok((StatusCode::CREATED, Json(service.break_glass(&ctx, &session, input).await?)).into_response())
}
