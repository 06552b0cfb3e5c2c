//! REST of alerts, relative to `/api/v1`.

use super::AlertService;
use crate::kernel::web::{Json, Path, Query};
use crate::kernel::{Ctx, Result};
use axum::extract::State;
use passerelle_contract::alerts::{
    AlertFilter, AlertOut, AlertReport, AlertState, AlertmanagerIn, AlertmanagerOptions,
};
use passerelle_contract::{Page, Problem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this capability.
pub fn router() -> OpenApiRouter<AlertService> {
    OpenApiRouter::new().routes(routes!(list_alerts)).routes(routes!(hear_alertmanager))
}

/// List alerts, the newest first
#[utoipa::path(get, path = "/alerts", tag = "alerts",
    params(
        ("service" = Option<String>, Query, description = "`namespace/name`"), ("environment" = Option<String>, Query),
        ("state" = Option<AlertState>, Query), ("severity" = Option<String>, Query, description = "As the alert's label says"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 200; 20 when absent"),
    ),
    responses((status = 200, body = Page<AlertOut>), (status = 401, body = Problem), (status = 422, body = Problem)))]
async fn list_alerts(
    State(service): State<AlertService>,
    ctx: Ctx,
    Query(filter): Query<AlertFilter>,
) -> Result<Json<Page<AlertOut>>> {
    service.list_alerts(&ctx, &filter).await.map(Json)
}

/// Hear of alerts from an Alertmanager
///
/// The address of a `webhook_config`, with an API token as its `authorization`. Told twice, an alert is one.
#[utoipa::path(post, path = "/webhooks/alertmanager/{connection}", tag = "alerts", request_body = AlertmanagerIn,
    params(
        ("connection" = String, Path, description = "A connection of kind prometheus"),
        ("namespace" = Option<String>, Query, description = "Of services that a label names without one"),
        ("environment" = Option<String>, Query, description = "Where an alert without a label `environment` is"),
        ("service_label" = Option<String>, Query, description = "The label that names the service; `service` when absent"),
    ),
    responses((status = 200, body = AlertReport), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn hear_alertmanager(
    State(service): State<AlertService>,
    ctx: Ctx,
    Path(connection): Path<String>,
    Query(options): Query<AlertmanagerOptions>,
    Json(message): Json<AlertmanagerIn>,
) -> Result<Json<AlertReport>> {
    service.hear(&ctx, &connection, &options, &message).await.map(Json)
}
