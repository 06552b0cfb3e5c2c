//! REST of channels, rules and deliveries, relative to `/api/v1`.

use super::NotificationService;
use crate::environments::{if_match, with_etag};
use crate::kernel::web::{Json, Path, Query, id_of, one_page};
use crate::kernel::{AppError, Ctx, Result};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use passerelle_contract::notifications::{
    ChannelIn, ChannelKindOut, ChannelOut, ChannelPatch, ChannelTest, DeliveryFilter, DeliveryOut, RuleIn, RuleOut,
};
use passerelle_contract::{Page, Problem};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this capability.
pub fn router() -> OpenApiRouter<NotificationService> {
    OpenApiRouter::new()
        .routes(routes!(list_channels, create_channel))
        .routes(routes!(get_channel, patch_channel, delete_channel))
        .routes(routes!(test_channel))
        .routes(routes!(list_channel_kinds))
        .routes(routes!(list_rules, create_rule))
        .routes(routes!(get_rule, replace_rule, delete_rule))
        .routes(routes!(list_deliveries))
        .routes(routes!(get_delivery))
        .routes(routes!(retry_delivery))
}

/// No parameters: one that is given is refused by name rather than ignored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFilter {}

/// List channels; secrets are not shown
#[utoipa::path(get, path = "/notifications/channels", tag = "notifications",
    responses((status = 200, body = Page<ChannelOut>), (status = 403, body = Problem)))]
async fn list_channels(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Query(NoFilter {}): Query<NoFilter>,
) -> Result<Json<Page<ChannelOut>>> {
    service.list_channels(&ctx).await.map(one_page)
}

/// Create a channel
///
/// A secret is `{"value"}`, `{"env"}` or `{"file"}`; a value is stored encrypted and never returned.
#[utoipa::path(post, path = "/notifications/channels", tag = "notifications", request_body = ChannelIn,
    responses((status = 201, body = ChannelOut), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn create_channel(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Json(new): Json<ChannelIn>,
) -> Result<Response> {
    Ok(with_etag(StatusCode::CREATED, service.create_channel(&ctx, new).await?))
}

/// Read a channel; secrets are not shown
#[utoipa::path(get, path = "/notifications/channels/{name}", tag = "notifications", params(("name" = String, Path)),
    responses((status = 200, body = ChannelOut), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn get_channel(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Response> {
    Ok(with_etag(StatusCode::OK, service.get_channel(&ctx, &name).await?))
}

/// Change a channel, or stop and resume it
///
/// A secret given as `{"set": true}` stays as it is stored.
#[utoipa::path(patch, path = "/notifications/channels/{name}", tag = "notifications", request_body = ChannelPatch,
    params(("name" = String, Path), ("If-Match" = Option<String>, Header, description = "ETag of the version that was read")),
    responses((status = 200, body = ChannelOut), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn patch_channel(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(patch): Json<ChannelPatch>,
) -> Result<Response> {
    let if_match = if_match(&headers)?;
    Ok(with_etag(StatusCode::OK, service.patch_channel(&ctx, &name, patch, &if_match).await?))
}

/// Delete a channel with its rules; the log stays
#[utoipa::path(delete, path = "/notifications/channels/{name}", tag = "notifications", params(("name" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_channel(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<StatusCode> {
    service.delete_channel(&ctx, &name).await.map(|()| StatusCode::NO_CONTENT)
}

/// Send a test message and answer what the peer said
#[utoipa::path(post, path = "/notifications/channels/{name}/test", tag = "notifications", params(("name" = String, Path)),
    responses((status = 200, body = ChannelTest), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn test_channel(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Path(name): Path<String>,
) -> Result<Json<ChannelTest>> {
    service.test_channel(&ctx, &name).await.map(Json)
}

/// List the kinds of channels with the JSON Schemas of their forms
#[utoipa::path(get, path = "/notifications/channel-kinds", tag = "notifications",
    responses((status = 200, body = Page<ChannelKindOut>), (status = 401, body = Problem)))]
async fn list_channel_kinds(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Query(NoFilter {}): Query<NoFilter>,
) -> Result<Json<Page<ChannelKindOut>>> {
    if ctx.is_anonymous() {
        return Err(AppError::Unauthenticated);
    }
    Ok(one_page(service.channel_kinds(ctx.locale)))
}

/// List rules, by channel
#[utoipa::path(get, path = "/notifications/rules", tag = "notifications",
    responses((status = 200, body = Page<RuleOut>), (status = 403, body = Problem)))]
async fn list_rules(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Query(NoFilter {}): Query<NoFilter>,
) -> Result<Json<Page<RuleOut>>> {
    service.list_rules(&ctx).await.map(one_page)
}

/// Create a rule
#[utoipa::path(post, path = "/notifications/rules", tag = "notifications", request_body = RuleIn,
    responses((status = 201, body = RuleOut), (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn create_rule(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Json(new): Json<RuleIn>,
) -> Result<(StatusCode, Json<RuleOut>)> {
    Ok((StatusCode::CREATED, Json(service.create_rule(&ctx, new).await?)))
}

/// Read a rule
#[utoipa::path(get, path = "/notifications/rules/{id}", tag = "notifications", params(("id" = Uuid, Path)),
    responses((status = 200, body = RuleOut), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn get_rule(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<RuleOut>> {
    service.get_rule(&ctx, id_of("notification_rule", &id)?).await.map(Json)
}

/// Replace all that a rule says
#[utoipa::path(put, path = "/notifications/rules/{id}", tag = "notifications", request_body = RuleIn,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RuleOut), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn replace_rule(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Path(id): Path<String>,
    Json(new): Json<RuleIn>,
) -> Result<Json<RuleOut>> {
    service.replace_rule(&ctx, id_of("notification_rule", &id)?, new).await.map(Json)
}

/// Delete a rule
#[utoipa::path(delete, path = "/notifications/rules/{id}", tag = "notifications", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_rule(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    service.delete_rule(&ctx, id_of("notification_rule", &id)?).await.map(|()| StatusCode::NO_CONTENT)
}

/// List deliveries, newest first
#[utoipa::path(get, path = "/notifications/deliveries", tag = "notifications", params(DeliveryFilter),
    responses((status = 200, body = Page<DeliveryOut>), (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn list_deliveries(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Query(filter): Query<DeliveryFilter>,
) -> Result<Json<Page<DeliveryOut>>> {
    service.list_deliveries(&ctx, &filter).await.map(Json)
}

/// Read a delivery
#[utoipa::path(get, path = "/notifications/deliveries/{id}", tag = "notifications", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeliveryOut), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn get_delivery(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<DeliveryOut>> {
    service.get_delivery(&ctx, id_of("delivery", &id)?).await.map(Json)
}

/// Send again what did not get there
#[utoipa::path(post, path = "/notifications/deliveries/{id}/retry", tag = "notifications", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeliveryOut), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
async fn retry_delivery(
    State(service): State<NotificationService>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<Json<DeliveryOut>> {
    service.retry_delivery(&ctx, id_of("delivery", &id)?).await.map(Json)
}
