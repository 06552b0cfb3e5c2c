//! `Idempotency-Key`: the same POST sent again gets the answer of the first one instead of a second effect.
//!
//! The first request reserves the key, runs to its end even when its client goes away, and leaves its answer. Equal requests
//! meanwhile wait for it. Answers that mean "nothing was done, try again" are not kept.

use super::request::RequestId;
use crate::kernel::web::{IdempotencyKey, with_request_id};
use crate::kernel::{AppError, Ctx, Db, Result};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{OptionalFromRequestParts, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::time::Duration;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How long an equal request waits for the first one.
const WAIT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const KEEP_BYTES: usize = 8 << 20;

#[derive(Debug, sqlx::FromRow)]
struct Kept {
    request_hash: Vec<u8>,
    status: Option<i32>,
    body: Option<Vec<u8>>,
}

/// A reserved key, and where it is kept.
#[derive(Debug, Clone)]
struct Reservation {
    db: Db,
    principal: String,
    key: String,
    hash: [u8; 32],
}

pub(super) async fn once(State(db): State<Db>, ctx: Ctx, request: Request, next: Next) -> Response {
    let asked = *request.method() == Method::POST && request.headers().contains_key("idempotency-key");
    if !asked || ctx.is_anonymous() || answers_with_a_secret(request.uri().path()) {
        return next.run(request).await;
    }
    match run_once(db, &ctx, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

/// These answers are shown once and kept nowhere.
fn answers_with_a_secret(path: &str) -> bool {
    matches!(path, "/api/v1/tokens" | "/api/v1/sessions")
}

async fn run_once(db: Db, ctx: &Ctx, request: Request, next: Next) -> Result<Response> {
    let (mut parts, body) = request.into_parts();
    let key = <IdempotencyKey as OptionalFromRequestParts<()>>::from_request_parts(&mut parts, &()).await?;
    let Some(IdempotencyKey(key)) = key else { return Ok(next.run(Request::from_parts(parts, body)).await) };
    let limit = super::limits::IMPORT_BODY_LIMIT;
    let body = to_bytes(body, limit).await.map_err(|_| AppError::TooLarge { limit_bytes: super::BODY_LIMIT })?;
    let hash = hash(&parts.uri.to_string(), &body);
    let reservation = Reservation { db, principal: ctx.principal().name.clone(), key, hash };
    if !reservation.reserve().await? {
        return reservation.replay().await;
    }
    let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let request = Request::from_parts(parts, Body::from(body));
    // A task of its own: when the client goes away the effect and its answer are finished all the same.
    let work = tokio::spawn(with_request_id(id, async move {
        let response = next.run(request).await;
        reservation.keep(response).await
    }));
    work.await.map_err(AppError::internal)?
}

fn hash(uri: &str, body: &Bytes) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(uri.as_bytes());
    hash.update([0]);
    hash.update(body);
    hash.finalize().into()
}

impl Reservation {
    async fn reserve(&self) -> Result<bool> {
        let made = sqlx::query(
            "INSERT INTO idempotency_keys (principal, key, request_hash) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(&self.principal)
        .bind(&self.key)
        .bind(&self.hash[..])
        .execute(self.db.pool())
        .await?;
        Ok(made.rows_affected() == 1)
    }

    /// The answer of the first request, when it comes in time.
    async fn replay(&self) -> Result<Response> {
        let deadline = tokio::time::Instant::now() + WAIT;
        loop {
            let kept: Option<Kept> = sqlx::query_as(
                "SELECT request_hash, status, body FROM idempotency_keys WHERE principal = $1 AND key = $2",
            )
            .bind(&self.principal)
            .bind(&self.key)
            .fetch_optional(self.db.pool())
            .await?;
            let unfinished = || {
                AppError::Conflict(
                    "the first request with this Idempotency-Key has not ended; look at what it did before you use a new key"
                        .to_owned(),
                )
            };
            match kept {
                Some(kept) if kept.request_hash != self.hash => return Err(AppError::IdempotencyMismatch),
                Some(Kept { status: Some(status), body, .. }) => {
                    return answer(status, body.unwrap_or_default());
                }
                // The first one changed nothing and gave the key back; this one need not guess and asks for a retry.
                None => {
                    return Err(AppError::Conflict("the first request with this key failed; send it again".to_owned()));
                }
                Some(_) if tokio::time::Instant::now() >= deadline => return Err(unfinished()),
                Some(_) => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    async fn keep(&self, response: Response) -> Result<Response> {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, KEEP_BYTES).await.map_err(AppError::internal)?;
        // Refused before anything was done: the caller may repair that and send the same again.
        let done = !(parts.status.is_server_error()
            || matches!(
                parts.status,
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
            ));
        let query = if done {
            sqlx::query("UPDATE idempotency_keys SET status = $3, body = $4 WHERE principal = $1 AND key = $2")
                .bind(&self.principal)
                .bind(&self.key)
                .bind(i32::from(parts.status.as_u16()))
                .bind(&body[..])
        } else {
            sqlx::query("DELETE FROM idempotency_keys WHERE principal = $1 AND key = $2")
                .bind(&self.principal)
                .bind(&self.key)
        };
        query.execute(self.db.pool()).await?;
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

fn answer(status: i32, body: Vec<u8>) -> Result<Response> {
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.ok_or_else(|| AppError::internal("a kept answer without a status"))?;
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Forgets keys of more than a day; for the jobs of the process.
///
/// # Errors
/// When the database is away.
pub async fn sweep(db: &Db) -> Result<()> {
    sqlx::query("DELETE FROM idempotency_keys WHERE created_at < now() - interval '1 day'").execute(db.pool()).await?;
    Ok(())
}
