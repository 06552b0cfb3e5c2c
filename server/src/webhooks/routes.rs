//! REST of webhooks, relative to `/api/v1`. Who may send is shown by the delivery itself, not by a session or a token.

use super::WebhookService;
use super::service::{Delivery, Sender};
use crate::identity::Client;
use crate::kernel::web::{Json, Path, Raw};
use crate::kernel::{AppError, Ctx, Result};
use axum::extract::State;
use axum::http::HeaderMap;
use passerelle_contract::webhooks::WebhookReport;
use passerelle_contract::{Problem, text};
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this capability.
pub fn router() -> OpenApiRouter<WebhookService> {
    OpenApiRouter::new().routes(routes!(hear_github)).routes(routes!(hear_gitlab))
}

/// Hear from GitHub of what was built
///
/// The address of a webhook with the content type `application/json` and the secret of the connection. A published release, a published
/// image or a good run of the workflow that builds becomes a release of each service that comes out of the repository.
#[utoipa::path(post, path = "/webhooks/github/{connection}", tag = "deployments",
    request_body(content = serde_json::Value, content_type = "application/json"),
    params(
        ("connection" = String, Path, description = "A connection of kind ci"),
        ("X-Hub-Signature-256" = String, Header, description = "`sha256=` and the HMAC of the body"),
        ("X-GitHub-Event" = String, Header), ("X-GitHub-Delivery" = String, Header),
    ),
    responses((status = 200, body = WebhookReport), (status = 401, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn hear_github(
    State(service): State<WebhookService>,
    ctx: Ctx,
    client: Client,
    Path(connection): Path<String>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Json<WebhookReport>> {
    let proof = proof(&headers, "x-hub-signature-256")?;
    let delivery = Delivery {
        sender: Sender::Github,
        connection: &connection,
        proof,
        event: text_of(&headers, "x-github-event"),
        id: text_of(&headers, "x-github-delivery"),
        body: json_of(&headers, &body)?,
    };
    service.hear(&ctx, &client, delivery).await.map(Json)
}

/// Hear from GitLab of what was built
///
/// The address of a webhook with the secret token of the connection. A new release or a good pipeline becomes a release of each service
/// that comes out of the project.
#[utoipa::path(post, path = "/webhooks/gitlab/{connection}", tag = "deployments",
    request_body(content = serde_json::Value, content_type = "application/json"),
    params(
        ("connection" = String, Path, description = "A connection of kind ci"),
        ("X-Gitlab-Token" = String, Header, description = "The secret"), ("X-Gitlab-Event-UUID" = Option<String>, Header),
    ),
    responses((status = 200, body = WebhookReport), (status = 401, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn hear_gitlab(
    State(service): State<WebhookService>,
    ctx: Ctx,
    client: Client,
    Path(connection): Path<String>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Json<WebhookReport>> {
    let proof = proof(&headers, "x-gitlab-token")?;
    // A repeated delivery keeps its key; servers before 17.4 send none, and those before 15 no name of the event either.
    let named = ["idempotency-key", "x-gitlab-event-uuid"].map(|name| text_of(&headers, name));
    let digest = hex::encode(Sha256::digest(&body));
    let id = named.into_iter().find(|name| !name.is_empty()).unwrap_or(&digest);
    let body = json_of(&headers, &body)?;
    let delivery = Delivery { sender: Sender::Gitlab, connection: &connection, proof, event: "", id, body };
    service.hear(&ctx, &client, delivery).await.map(Json)
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Without one there is nothing to judge.
fn proof<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str> {
    Some(text_of(headers, name)).filter(|proof| !proof.is_empty()).ok_or(AppError::Unauthenticated)
}

fn json_of<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<&'a [u8]> {
    let mime = text_of(headers, "content-type").split(';').next().unwrap_or_default().trim().to_owned();
    if mime == "application/json" {
        Ok(body)
    } else {
        Err(AppError::field("/headers/content-type", text!("must be application/json")))
    }
}
