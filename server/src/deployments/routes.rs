//! REST of deployments, releases and the matrix.

use super::DeploymentService;
use super::gate_routes;
use crate::kernel::web::{Json, Path, Query};
use crate::kernel::{Ctx, Result};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use passerelle_contract::Page;
use passerelle_contract::deployments::{
    DeploymentEvent, DeploymentFilter, DeploymentIn, DeploymentOut, DeploymentRow, LiveOut, MatrixFilter, MatrixOut,
    PlanOut, ReasonIn, ReleaseIn, ReleaseOut, RollBackIn, ScaleIn,
};
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// The routes of this capability, relative to `/api/v1`.
pub fn router() -> OpenApiRouter<DeploymentService> {
    OpenApiRouter::new()
        .routes(routes!(matrix))
        .routes(routes!(plan))
        .routes(routes!(list, create))
        .routes(routes!(get))
        .routes(routes!(events))
        .routes(routes!(cancel))
        .routes(routes!(create_release))
        .routes(routes!(list_releases))
        .routes(routes!(roll_back))
        .routes(routes!(restart))
        .routes(routes!(scale))
        .routes(routes!(live))
        .routes(routes!(hold))
        .routes(routes!(resume))
        .merge(gate_routes::router())
}

/// What runs where: services by environments.
#[utoipa::path(get, path = "/matrix", tag = "deployments", responses((status = 200, body = MatrixOut)))]
async fn matrix(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Query(filter): Query<MatrixFilter>,
) -> Result<Json<MatrixOut>> {
    service.matrix(&ctx, filter).await.map(Json)
}

/// What a deployment would change, and what stands against it.
#[utoipa::path(post, path = "/plans", tag = "deployments", request_body = DeploymentIn, responses((status = 200, body = PlanOut)))]
async fn plan(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Json(input): Json<DeploymentIn>,
) -> Result<Json<PlanOut>> {
    service.plan(&ctx, input).await.map(Json)
}

/// Deployments, newest first.
#[utoipa::path(get, path = "/deployments", tag = "deployments", responses((status = 200, body = Page<DeploymentRow>)))]
async fn list(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Query(filter): Query<DeploymentFilter>,
) -> Result<Json<Page<DeploymentRow>>> {
    service.list_deployments(&ctx, filter).await.map(Json)
}

/// Deploys a release, a version or an image. The state says whether it goes, waits for approval, or was refused by a gate.
#[utoipa::path(post, path = "/deployments", tag = "deployments", request_body = DeploymentIn,
    responses((status = 201, body = DeploymentOut), (status = 409, body = passerelle_contract::Problem)))]
async fn create(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Json(input): Json<DeploymentIn>,
) -> Result<Response> {
    service.create_deployment(&ctx, input).await.map(created)
}

/// One deployment with its steps.
#[utoipa::path(get, path = "/deployments/{id}", tag = "deployments", responses((status = 200, body = DeploymentOut)))]
async fn get(State(service): State<DeploymentService>, ctx: Ctx, Path(id): Path<Uuid>) -> Result<Json<DeploymentOut>> {
    service.get_deployment(&ctx, id).await.map(Json)
}

/// Cancels: before the effect nothing happens, after it what ran before is put back.
#[utoipa::path(post, path = "/deployments/{id}/cancel", tag = "deployments", request_body = ReasonIn, responses((status = 200, body = DeploymentOut)))]
async fn cancel(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(input): Json<ReasonIn>,
) -> Result<Json<DeploymentOut>> {
    service.cancel(&ctx, id, input).await.map(Json)
}

/// Records a release; for CI.
#[utoipa::path(post, path = "/releases", tag = "deployments", request_body = ReleaseIn, responses((status = 201, body = ReleaseOut)))]
async fn create_release(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Json(input): Json<ReleaseIn>,
) -> Result<Response> {
    let release = service.create_release(&ctx, input).await?;
    Ok((StatusCode::CREATED, Json(release)).into_response())
}

/// Paging of a list without filters.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Paging {
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Releases of a service, newest first.
#[utoipa::path(get, path = "/services/{namespace}/{name}/releases", tag = "deployments", responses((status = 200, body = Page<ReleaseOut>)))]
async fn list_releases(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path((namespace, name)): Path<(String, String)>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<ReleaseOut>>> {
    service.list_releases(&ctx, &format!("{namespace}/{name}"), paging.cursor, paging.limit).await.map(Json)
}

type Place = Path<(String, String, String)>;

/// Rolls back, by default to the last healthy version; puts a hold on the binding.
#[utoipa::path(post, path = "/services/{namespace}/{name}/environments/{environment}/rollback", tag = "deployments",
    request_body = RollBackIn, responses((status = 201, body = DeploymentOut)))]
async fn roll_back(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path((namespace, name, environment)): Place,
    Json(input): Json<RollBackIn>,
) -> Result<Response> {
    service.roll_back(&ctx, &format!("{namespace}/{name}"), &environment, input).await.map(created)
}

/// Replaces all instances by new ones of the same version.
#[utoipa::path(post, path = "/services/{namespace}/{name}/environments/{environment}/restart", tag = "deployments",
    request_body = ReasonIn, responses((status = 201, body = DeploymentOut)))]
async fn restart(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path((namespace, name, environment)): Place,
    Json(input): Json<ReasonIn>,
) -> Result<Response> {
    service.restart(&ctx, &format!("{namespace}/{name}"), &environment, input).await.map(created)
}

/// Changes the number of instances.
#[utoipa::path(post, path = "/services/{namespace}/{name}/environments/{environment}/scale", tag = "deployments",
    request_body = ScaleIn, responses((status = 201, body = DeploymentOut)))]
async fn scale(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path((namespace, name, environment)): Place,
    Json(input): Json<ScaleIn>,
) -> Result<Response> {
    service.scale(&ctx, &format!("{namespace}/{name}"), &environment, input).await.map(created)
}

/// What runs at this moment: instances, autoscaler, routes, certificates, quotas, events, and where it differs from what was deployed.
#[utoipa::path(get, path = "/services/{namespace}/{name}/environments/{environment}/live", tag = "deployments",
    responses((status = 200, body = LiveOut)))]
async fn live(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path((namespace, name, environment)): Place,
) -> Result<Json<LiveOut>> {
    service.live(&ctx, &format!("{namespace}/{name}"), &environment).await.map(Json)
}

/// Keeps automation from changing this binding.
#[utoipa::path(post, path = "/services/{namespace}/{name}/environments/{environment}/hold", tag = "deployments",
    request_body = ReasonIn, responses((status = 204)))]
async fn hold(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path((namespace, name, environment)): Place,
    Json(input): Json<ReasonIn>,
) -> Result<StatusCode> {
    service.hold(&ctx, &format!("{namespace}/{name}"), &environment, input).await.map(|()| StatusCode::NO_CONTENT)
}

/// Lifts a hold.
#[utoipa::path(post, path = "/services/{namespace}/{name}/environments/{environment}/resume", tag = "deployments",
    request_body = ReasonIn, responses((status = 204)))]
async fn resume(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path((namespace, name, environment)): Place,
    Json(input): Json<ReasonIn>,
) -> Result<StatusCode> {
    service.resume(&ctx, &format!("{namespace}/{name}"), &environment, input).await.map(|()| StatusCode::NO_CONTENT)
}

fn created(deployment: DeploymentOut) -> Response {
    let location = format!("/api/v1/deployments/{}", deployment.id);
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(deployment)).into_response()
}

/// Where a stream starts: `Last-Event-ID` wins over `after`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct After {
    after: Option<i64>,
}

/// The events of a deployment as they happen (server-sent events); resumes after `Last-Event-ID`.
#[utoipa::path(get, path = "/deployments/{id}/events", tag = "deployments",
    responses((status = 200, content_type = "text/event-stream", body = DeploymentEvent)))]
async fn events(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Query(query): Query<After>,
    headers: HeaderMap,
) -> Result<Response> {
    service.get_deployment(&ctx, id).await?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let stream = follow(service, ctx, id, last.or(query.after).unwrap_or(0));
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(10)).text("alive");
    let mut response = Sse::new(stream).keep_alive(keep_alive).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    // Proxies that buffer would hold the events back.
    response.headers_mut().insert("x-accel-buffering", header::HeaderValue::from_static("no"));
    Ok(response)
}

/// How long a stream lives; the browser opens it anew, which asks again whether the reader may still read.
const RECHECK: Duration = Duration::from_secs(25);
/// How soon the browser comes again.
const RECONNECT: Duration = Duration::from_millis(300);

fn follow(
    service: DeploymentService,
    ctx: Ctx,
    id: Uuid,
    after: i64,
) -> impl Stream<Item = std::result::Result<Event, Infallible>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(64);
    // Also when the reader does not read: a full channel must not keep a stream open.
    let until = tokio::time::Instant::now() + RECHECK;
    tokio::spawn(tokio::time::timeout_at(until, send_events(service, ctx, id, after, sender)));
    tokio_stream::wrappers::ReceiverStream::new(receiver)
}

type Sender = tokio::sync::mpsc::Sender<std::result::Result<Event, Infallible>>;

async fn send_events(service: DeploymentService, ctx: Ctx, id: Uuid, mut after: i64, sender: Sender) {
    let hello = Event::default().retry(RECONNECT).comment("open");
    if sender.send(Ok(hello)).await.is_err() {
        return;
    }
    let mut feed = service.feed().subscribe();
    // Rows first, then the feed; and rows again whenever the feed ran ahead of us.
    while let Ok(rows) = service.events(&ctx, id, after).await {
        for event in rows {
            after = event.id;
            if sender.send(Ok(sse(&event))).await.is_err() {
                return;
            }
        }
        loop {
            tokio::select! {
                () = sender.closed() => return,
                event = feed.recv() => match event {
                    Ok(event) if event.deployment != id || event.id <= after => {}
                    Ok(event) => {
                        after = event.id;
                        if sender.send(Ok(sse(&event.as_ref().clone().into_said(ctx.locale)))).await.is_err() {
                            return;
                        }
                    }
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }
}

fn sse(event: &DeploymentEvent) -> Event {
    let data = serde_json::to_string(event).unwrap_or_default();
    Event::default().id(event.id.to_string()).event(event.kind.clone()).data(data)
}
