//! REST of environments, connections and bindings, relative to `/api/v1`.

use super::{EnvironmentService, Etag, IfMatch};
use crate::kernel::web::{Json, Path, Query, id_of, one_page};
use crate::kernel::{AppError, Ctx, Result};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use passerelle_contract::environments::{
    BindingFilter, BindingIn, BindingOut, BindingPatch, ConnectionCheck, ConnectionIn, ConnectionOut, ConnectionPatch,
    EnvironmentIn, EnvironmentOut, EnvironmentPatch, RunningOut, TargetKindOut,
};
use passerelle_contract::{Page, Problem, text};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this capability.
pub fn router() -> OpenApiRouter<EnvironmentService> {
    OpenApiRouter::new()
        .routes(routes!(list_environments, create_environment))
        .routes(routes!(get_environment, patch_environment))
        .routes(routes!(list_connections, create_connection))
        .routes(routes!(get_connection, patch_connection, delete_connection))
        .routes(routes!(check_connection))
        .routes(routes!(list_running))
        .routes(routes!(list_bindings, create_binding))
        .routes(routes!(get_binding, patch_binding, delete_binding))
        .routes(routes!(list_target_kinds))
}

/// No parameters: one that is given is refused by name rather than ignored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFilter {}

/// The versions that an edit may start from.
///
/// # Errors
/// `Invalid` when the header is no text.
pub fn if_match(headers: &HeaderMap) -> Result<IfMatch> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(IfMatch::default()) };
    match value.to_str() {
        Ok(text) => Ok(IfMatch::new(Some(text))),
        Err(_) => Err(AppError::field("/headers/if-match", text!("must be the ETag of the object as it was read"))),
    }
}

/// An object as an answer, with its version.
pub fn with_etag<T: Etag + Serialize>(status: StatusCode, out: T) -> Response {
    let etag = HeaderValue::from_str(&out.etag());
    let mut response = (status, Json(out)).into_response();
    if let Ok(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// List environments in their order
#[utoipa::path(get, path = "/environments", tag = "environments",
    responses((status = 200, body = Page<EnvironmentOut>), (status = 401, body = Problem)))]
async fn list_environments(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Query(NoFilter {}): Query<NoFilter>,
) -> Result<Json<Page<EnvironmentOut>>> {
    service.list_environments(&ctx).await.map(one_page)
}

/// Create an environment
#[utoipa::path(post, path = "/environments", tag = "environments", request_body = EnvironmentIn,
    responses((status = 201, body = EnvironmentOut), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn create_environment(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Json(new): Json<EnvironmentIn>,
) -> Result<Response> {
    Ok(with_etag(StatusCode::CREATED, service.create_environment(&ctx, new).await?))
}

/// Read an environment
#[utoipa::path(get, path = "/environments/{name}", tag = "environments", params(("name" = String, Path)),
    responses((status = 200, body = EnvironmentOut), (status = 404, body = Problem)))]
async fn get_environment(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Response> {
    Ok(with_etag(StatusCode::OK, service.get_environment(&ctx, &name).await?))
}

/// Change an environment
#[utoipa::path(patch, path = "/environments/{name}", tag = "environments", request_body = EnvironmentPatch,
    params(("name" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag of the version that was read")),
    responses((status = 200, body = EnvironmentOut), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn patch_environment(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(patch): Json<EnvironmentPatch>,
) -> Result<Response> {
    let if_match = if_match(&headers)?;
    Ok(with_etag(StatusCode::OK, service.patch_environment_if(&ctx, &name, patch, &if_match).await?))
}

/// List connections; secrets are not shown
#[utoipa::path(get, path = "/connections", tag = "environments",
    responses((status = 200, body = Page<ConnectionOut>), (status = 403, body = Problem)))]
async fn list_connections(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Query(NoFilter {}): Query<NoFilter>,
) -> Result<Json<Page<ConnectionOut>>> {
    service.list_connections(&ctx).await.map(one_page)
}

/// Create a connection
///
/// A secret is `{"value"}`, `{"env"}` or `{"file"}`; a value is stored encrypted and never returned.
#[utoipa::path(post, path = "/connections", tag = "environments", request_body = ConnectionIn,
    responses((status = 201, body = ConnectionOut), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn create_connection(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Json(new): Json<ConnectionIn>,
) -> Result<Response> {
    Ok(with_etag(StatusCode::CREATED, service.create_connection(&ctx, new).await?))
}

/// Read a connection; secrets are not shown
#[utoipa::path(get, path = "/connections/{name}", tag = "environments", params(("name" = String, Path)),
    responses((status = 200, body = ConnectionOut), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn get_connection(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Response> {
    Ok(with_etag(StatusCode::OK, service.get_connection(&ctx, &name).await?))
}

/// Change a connection
///
/// A secret given as `{"set": true}` stays as it is stored.
#[utoipa::path(patch, path = "/connections/{name}", tag = "environments", request_body = ConnectionPatch,
    params(("name" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag of the version that was read")),
    responses((status = 200, body = ConnectionOut), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn patch_connection(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(patch): Json<ConnectionPatch>,
) -> Result<Response> {
    let if_match = if_match(&headers)?;
    Ok(with_etag(StatusCode::OK, service.patch_connection_if(&ctx, &name, patch, &if_match).await?))
}

/// Delete a connection that nothing is bound through
#[utoipa::path(delete, path = "/connections/{name}", tag = "environments", params(("name" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn delete_connection(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<StatusCode> {
    service.delete_connection(&ctx, &name).await.map(|()| StatusCode::NO_CONTENT)
}

/// Try a connection, for at most 10 seconds
#[utoipa::path(post, path = "/connections/{name}/check", tag = "environments", params(("name" = String, Path)),
    responses((status = 200, body = ConnectionCheck), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn check_connection(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Json<ConnectionCheck>> {
    service.check_connection(&ctx, &name).await.map(Json)
}

/// Within what somebody looks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Within {
    #[serde(default)]
    group: Option<String>,
}

/// List what runs on a connection, whether or not a service is bound to it
///
/// At most 500, in the order of their names. Kubernetes: Deployments; Docker Swarm and Cloud Run: services.
#[utoipa::path(get, path = "/connections/{name}/running", tag = "environments",
    params(("name" = String, Path), ("group" = Option<String>, Query, description = "Namespace or stack; all when absent")),
    responses((status = 200, body = Page<RunningOut>), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 502, body = Problem)))]
async fn list_running(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Path(name): Path<String>,
    Query(within): Query<Within>,
) -> Result<Json<Page<RunningOut>>> {
    service.list_running(&ctx, &name, within.group.as_deref()).await.map(one_page)
}

/// List bindings
#[utoipa::path(get, path = "/bindings", tag = "environments",
    params(
        ("service" = Option<String>, Query, description = "`namespace/name`"), ("environment" = Option<String>, Query),
        ("connection" = Option<String>, Query), ("cursor" = Option<String>, Query),
        ("limit" = Option<u32>, Query, description = "1 to 200; 20 when absent"),
    ),
    responses((status = 200, body = Page<BindingOut>), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn list_bindings(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Query(filter): Query<BindingFilter>,
) -> Result<Json<Page<BindingOut>>> {
    service.page_bindings(&ctx, &filter).await.map(Json)
}

/// Bind a service in an environment to an object on a connection
#[utoipa::path(post, path = "/bindings", tag = "environments", request_body = BindingIn,
    responses((status = 201, body = BindingOut), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn create_binding(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Json(new): Json<BindingIn>,
) -> Result<Response> {
    Ok(with_etag(StatusCode::CREATED, service.create_binding(&ctx, new).await?))
}

/// Read a binding
#[utoipa::path(get, path = "/bindings/{id}", tag = "environments", params(("id" = Uuid, Path)),
    responses((status = 200, body = BindingOut), (status = 404, body = Problem)))]
async fn get_binding(State(service): State<EnvironmentService>, ctx: Ctx, Path(id): Path<String>) -> Result<Response> {
    Ok(with_etag(StatusCode::OK, service.get_binding(&ctx, id_of("binding", &id)?).await?))
}

/// Change a binding
#[utoipa::path(patch, path = "/bindings/{id}", tag = "environments", request_body = BindingPatch,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "ETag of the version that was read")),
    responses((status = 200, body = BindingOut), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn patch_binding(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(patch): Json<BindingPatch>,
) -> Result<Response> {
    let if_match = if_match(&headers)?;
    Ok(with_etag(StatusCode::OK, service.patch_binding_if(&ctx, id_of("binding", &id)?, patch, &if_match).await?))
}

/// Delete a binding; nothing on the target changes
#[utoipa::path(delete, path = "/bindings/{id}", tag = "environments", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn delete_binding(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    service.delete_binding(&ctx, id_of("binding", &id)?).await.map(|()| StatusCode::NO_CONTENT)
}

/// List the kinds of targets with the JSON Schemas of their forms
#[utoipa::path(get, path = "/target-kinds", tag = "environments",
    responses((status = 200, body = Page<TargetKindOut>), (status = 401, body = Problem)))]
async fn list_target_kinds(
    State(service): State<EnvironmentService>,
    ctx: Ctx,
    Query(NoFilter {}): Query<NoFilter>,
) -> Result<Json<Page<TargetKindOut>>> {
    if ctx.is_anonymous() {
        return Err(AppError::Unauthenticated);
    }
    Ok(one_page(service.target_kinds(ctx.locale)))
}
