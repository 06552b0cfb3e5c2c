//! REST of golden paths, relative to `/api/v1`.

use super::OnboardingService;
use crate::kernel::web::{Json, Path, Query, id_of, one_page};
use crate::kernel::{Ctx, Result};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use passerelle_contract::onboarding::{
    OnboardingFilter, OnboardingIn, OnboardingOut, OnboardingRow, PreviewIn, PreviewOut, TemplateDetail, TemplateOut,
};
use passerelle_contract::{Page, Problem};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this capability.
pub fn router() -> OpenApiRouter<OnboardingService> {
    OpenApiRouter::new()
        .routes(routes!(list_templates))
        .routes(routes!(get_template))
        .routes(routes!(preview_onboarding))
        .routes(routes!(list_onboardings, create_onboarding))
        .routes(routes!(get_onboarding))
        .routes(routes!(get_archive))
        .routes(routes!(retry_onboarding))
}

/// No parameters: one that is given is refused by name rather than ignored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFilter {}

/// List golden paths
#[utoipa::path(get, path = "/templates", tag = "onboarding",
    responses((status = 200, body = Page<TemplateOut>), (status = 401, body = Problem)))]
async fn list_templates(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Query(NoFilter {}): Query<NoFilter>,
) -> Result<Json<Page<TemplateOut>>> {
    service.list_templates(&ctx).map(one_page)
}

/// Read a golden path with the JSON Schema of its form
#[utoipa::path(get, path = "/templates/{id}", tag = "onboarding", params(("id" = String, Path)),
    responses((status = 200, body = TemplateDetail), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get_template(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<TemplateDetail>> {
    service.get_template(&ctx, &id).map(Json)
}

/// Look at every file of a service before it is made
///
/// Changes nothing. Every wrong answer is told at `/answers/NAME`.
#[utoipa::path(post, path = "/onboardings/preview", tag = "onboarding", request_body = PreviewIn,
    responses((status = 200, body = PreviewOut), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem)))]
async fn preview_onboarding(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Json(wanted): Json<PreviewIn>,
) -> Result<Json<PreviewOut>> {
    service.preview(&ctx, &wanted).await.map(Json)
}

/// List the services that golden paths made, newest first
#[utoipa::path(get, path = "/onboardings", tag = "onboarding", params(OnboardingFilter),
    responses((status = 200, body = Page<OnboardingRow>), (status = 401, body = Problem), (status = 422, body = Problem)))]
async fn list_onboardings(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Query(filter): Query<OnboardingFilter>,
) -> Result<Json<Page<OnboardingRow>>> {
    service.list(&ctx, &filter).await.map(Json)
}

/// Make a service
///
/// It is in the catalog when this answers. Objectives and bindings that come along are made as far as the caller may; `steps` says what waits
/// for whom.
#[utoipa::path(post, path = "/onboardings", tag = "onboarding", request_body = OnboardingIn,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = OnboardingOut), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create_onboarding(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Json(wanted): Json<OnboardingIn>,
) -> Result<Response> {
    let made = service.create(&ctx, &wanted).await?;
    let place = HeaderValue::from_str(&format!("/api/v1/onboardings/{}", made.onboarding.id));
    let mut response = (StatusCode::CREATED, Json(made)).into_response();
    if let Ok(place) = place {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Read what a golden path made
#[utoipa::path(get, path = "/onboardings/{id}", tag = "onboarding", params(("id" = Uuid, Path)),
    responses((status = 200, body = OnboardingOut), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get_onboarding(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<OnboardingOut>> {
    service.get(&ctx, id_of("onboarding", &id)?).await.map(Json)
}

/// Download the files as a zip; the same bytes each time
#[utoipa::path(get, path = "/onboardings/{id}/archive", tag = "onboarding", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"), (status = 401, body = Problem),
        (status = 404, body = Problem)))]
async fn get_archive(State(service): State<OnboardingService>, ctx: Ctx, Path(id): Path<String>) -> Result<Response> {
    let (name, bytes) = service.archive(&ctx, id_of("onboarding", &id)?).await?;
    let mut response = ([(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"))], bytes).into_response();
    // A name of the catalog holds nothing that a header could not.
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.zip\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Try again what had to wait
#[utoipa::path(post, path = "/onboardings/{id}/retry", tag = "onboarding", params(("id" = Uuid, Path)),
    responses((status = 200, body = OnboardingOut), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
async fn retry_onboarding(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<OnboardingOut>> {
    service.retry(&ctx, id_of("onboarding", &id)?).await.map(Json)
}
