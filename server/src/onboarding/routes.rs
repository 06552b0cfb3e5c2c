//! REST of golden paths, relative to `/api/v1`.

use super::OnboardingService;
use crate::kernel::web::{Json, Path, Query, id_of, one_page};
use crate::kernel::{Ctx, Result};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use passerelle_contract::adoption::{AdoptionIn, AdoptionOut};
use passerelle_contract::delivery::{FileDeliveryIn, FileDeliveryOut, UpdateIn, UpdateOut};
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
        .routes(routes!(list_deliveries, create_delivery))
        .routes(routes!(get_delivery))
        .routes(routes!(retry_delivery))
        .routes(routes!(undo_delivery))
        .routes(routes!(preview_update))
        .routes(routes!(create_update))
        .routes(routes!(preview_adoption))
        .routes(routes!(create_adoption))
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
    service.create(&ctx, &wanted).await.map(made)
}

fn made(made: OnboardingOut) -> Response {
    let place = HeaderValue::from_str(&format!("/api/v1/onboardings/{}", made.onboarding.id));
    let mut response = (StatusCode::CREATED, Json(made)).into_response();
    if let Ok(place) = place {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
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

/// List the deliveries of a service's files, newest first
#[utoipa::path(get, path = "/onboardings/{id}/deliveries", tag = "onboarding", params(("id" = Uuid, Path)),
    responses((status = 200, body = Page<FileDeliveryOut>), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn list_deliveries(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Path(id): Path<String>,
    Query(NoFilter {}): Query<NoFilter>,
) -> Result<Json<Page<FileDeliveryOut>>> {
    service.deliveries(&ctx, id_of("onboarding", &id)?).await.map(one_page)
}

/// Deliver a service's files to a repository
///
/// Answers at once; the steps are made one after the other and can be followed by reading the delivery. All files arrive in one commit: on the
/// first branch of a new repository, or on a branch of an existing one, with a pull request or merge request. Somebody else's branch or
/// repository is never overwritten.
#[utoipa::path(post, path = "/onboardings/{id}/deliveries", tag = "onboarding", request_body = FileDeliveryIn,
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = FileDeliveryOut), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create_delivery(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Path(id): Path<String>,
    Json(to): Json<FileDeliveryIn>,
) -> Result<Response> {
    service.deliver(&ctx, id_of("onboarding", &id)?, &to).await.map(asked)
}

fn asked(delivery: FileDeliveryOut) -> Response {
    let place =
        HeaderValue::from_str(&format!("/api/v1/onboardings/{}/deliveries/{}", delivery.onboarding, delivery.id));
    let mut response = (StatusCode::CREATED, Json(delivery)).into_response();
    if let Ok(place) = place {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// Read how far a delivery is
#[utoipa::path(get, path = "/onboardings/{id}/deliveries/{delivery}", tag = "onboarding",
    params(("id" = Uuid, Path), ("delivery" = Uuid, Path)),
    responses((status = 200, body = FileDeliveryOut), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn get_delivery(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<Json<FileDeliveryOut>> {
    service.delivery(&ctx, id_of("onboarding", &id)?, id_of("delivery", &delivery)?).await.map(Json)
}

/// Go on from the step that failed
#[utoipa::path(post, path = "/onboardings/{id}/deliveries/{delivery}/retry", tag = "onboarding",
    params(("id" = Uuid, Path), ("delivery" = Uuid, Path)),
    responses((status = 200, body = FileDeliveryOut), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn retry_delivery(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<Json<FileDeliveryOut>> {
    service.retry_delivery(&ctx, id_of("onboarding", &id)?, id_of("delivery", &delivery)?).await.map(Json)
}

/// Take back what a delivery made
///
/// Closes its request and deletes its branch while our commit is the newest; deletes a repository that the delivery made only while it holds
/// nothing but our commit. What stays is told by the step `undo`.
#[utoipa::path(post, path = "/onboardings/{id}/deliveries/{delivery}/undo", tag = "onboarding",
    params(("id" = Uuid, Path), ("delivery" = Uuid, Path)),
    responses((status = 200, body = FileDeliveryOut), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn undo_delivery(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<Json<FileDeliveryOut>> {
    service.undo_delivery(&ctx, id_of("onboarding", &id)?, id_of("delivery", &delivery)?).await.map(Json)
}

/// Look at what a later version of the golden path would change in the repository
///
/// Three-way: the files as they were made, as the loaded version makes them, and as the repository has them. Changes nothing.
#[utoipa::path(post, path = "/onboardings/{id}/updates/preview", tag = "onboarding", request_body = UpdateIn, params(("id" = Uuid, Path)),
    responses((status = 200, body = UpdateOut), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 502, body = Problem)))]
async fn preview_update(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Path(id): Path<String>,
    Json(wanted): Json<UpdateIn>,
) -> Result<Json<UpdateOut>> {
    service.preview_update(&ctx, id_of("onboarding", &id)?, &wanted).await.map(Json)
}

/// Propose a later version of the golden path to the repository
///
/// By the steps of a delivery. Where both sides changed the same lines both stand between markers. Once the request is taken in the service is of the
/// later version.
#[utoipa::path(post, path = "/onboardings/{id}/updates", tag = "onboarding", request_body = UpdateIn,
    params(("id" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = FileDeliveryOut), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem), (status = 502, body = Problem)))]
async fn create_update(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Path(id): Path<String>,
    Json(wanted): Json<UpdateIn>,
) -> Result<Response> {
    service.create_update(&ctx, id_of("onboarding", &id)?, &wanted).await.map(asked)
}

/// Look at what a golden path would bring to a service that is there
///
/// Reads its repository. What is found answers questions that were not answered; what has to be answered yet is told in `errors`. Each practice and each file
/// of the golden path is there, missing or different. Changes nothing.
#[utoipa::path(post, path = "/adoptions/preview", tag = "onboarding", request_body = AdoptionIn,
    responses((status = 200, body = AdoptionOut), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem), (status = 502, body = Problem)))]
async fn preview_adoption(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Json(wanted): Json<AdoptionIn>,
) -> Result<Json<AdoptionOut>> {
    service.preview_adoption(&ctx, &wanted).await.map(Json)
}

/// Adopt a service that is there
///
/// It is in the catalog when this answers, and is tied to its golden path: later versions are offered for the files that it got or had in the same form. With
/// `deliver` these files are proposed to its repository by the steps of a delivery. A service that the catalog has already stays as it is there.
#[utoipa::path(post, path = "/adoptions", tag = "onboarding", request_body = AdoptionIn,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = OnboardingOut), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem), (status = 502, body = Problem)))]
async fn create_adoption(
    State(service): State<OnboardingService>,
    ctx: Ctx,
    Json(wanted): Json<AdoptionIn>,
) -> Result<Response> {
    service.adopt(&ctx, &wanted).await.map(made)
}
