//! REST of what gates ask of deployments and releases: approvals, reports of scanners, and the decision for CI.

use super::DeploymentService;
use crate::kernel::web::{Json, Path, Query, Raw};
use crate::kernel::{AppError, Ctx, Result};
use axum::extract::State;
use passerelle_contract::deployments::{DeploymentIn, DeploymentOut, ReasonIn};
use passerelle_contract::gates::{ApprovalDecision, ApprovalIn, DecisionFilter, DecisionOut, ScanOut};
use passerelle_contract::{Problem, text};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// The routes, relative to `/api/v1`.
pub(super) fn router() -> OpenApiRouter<DeploymentService> {
    OpenApiRouter::new()
        .routes(routes!(decision))
        .routes(routes!(decide_approval))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(get_scan, put_scan))
        .routes(routes!(change))
}

/// May it be deployed now? For CI
#[utoipa::path(get, path = "/gates/decision", tag = "gates", params(DecisionFilter),
    responses((status = 200, body = DecisionOut), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn decision(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Query(filter): Query<DecisionFilter>,
) -> Result<Json<DecisionOut>> {
    service.decision(&ctx, filter).await.map(Json)
}

/// Approve or reject a deployment that waits
///
/// For a signed-in person; never for a token, nor for whoever asked.
#[utoipa::path(post, path = "/deployments/{id}/approvals", tag = "gates", request_body = ApprovalIn,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = DeploymentOut), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn decide_approval(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(input): Json<ApprovalIn>,
) -> Result<Json<DeploymentOut>> {
    service.decide_approval(&ctx, id, input).await.map(Json)
}

/// Approve a deployment that waits
#[utoipa::path(post, path = "/deployments/{id}/approve", tag = "gates", request_body = ReasonIn,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = DeploymentOut), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn approve(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(input): Json<ReasonIn>,
) -> Result<Json<DeploymentOut>> {
    let input = ApprovalIn { decision: ApprovalDecision::Approve, reason: input.reason };
    service.decide_approval(&ctx, id, input).await.map(Json)
}

/// Reject a deployment that waits
#[utoipa::path(post, path = "/deployments/{id}/reject", tag = "gates", request_body = ReasonIn,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = DeploymentOut), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn reject(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(input): Json<ReasonIn>,
) -> Result<Json<DeploymentOut>> {
    let input = ApprovalIn { decision: ApprovalDecision::Reject, reason: input.reason };
    service.decide_approval(&ctx, id, input).await.map(Json)
}

/// The report of a release
#[utoipa::path(get, path = "/releases/{id}/vulnerabilities", tag = "gates", params(("id" = Uuid, Path)),
    responses((status = 200, body = ScanOut), (status = 404, body = Problem)))]
async fn get_scan(State(service): State<DeploymentService>, ctx: Ctx, Path(id): Path<Uuid>) -> Result<Json<ScanOut>> {
    service.get_scan(&ctx, id).await.map(Json)
}

/// Attach a scanner's report to a release: Trivy JSON or SARIF 2.1.0, 8 MiB at most
#[utoipa::path(put, path = "/releases/{id}/vulnerabilities", tag = "gates", params(("id" = Uuid, Path)),
    request_body(content = serde_json::Value, content_type = "application/json"),
    responses((status = 200, body = ScanOut), (status = 403, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem)))]
async fn put_scan(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Raw(body): Raw,
) -> Result<Json<ScanOut>> {
    if body.is_empty() {
        return Err(AppError::field("", text!("the body must be the report")));
    }
    service.put_scan(&ctx, id, &body).await.map(Json)
}

/// Change what a waiting deployment will deploy; what was approved is void
#[utoipa::path(patch, path = "/deployments/{id}", tag = "gates", request_body = DeploymentIn, params(("id" = Uuid, Path)),
    responses((status = 200, body = DeploymentOut), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn change(
    State(service): State<DeploymentService>,
    ctx: Ctx,
    Path(id): Path<Uuid>,
    Json(input): Json<DeploymentIn>,
) -> Result<Json<DeploymentOut>> {
    service.change_deployment(&ctx, id, input).await.map(Json)
}
