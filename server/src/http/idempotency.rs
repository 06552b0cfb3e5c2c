//! `Idempotency-Key`: the same POST sent again gets the answer of the first one instead of a second effect.
//!
//! The first request reserves the key under a lease that it keeps while it works, runs to its end even when its client goes
//! away, and leaves its answer. Equal requests meanwhile wait for it. Answers that mean "nothing was done, try again" are not
//! kept. When the process of the first one goes away its lease runs out, and the next equal request goes on under the id of the
//! first, by which a deployment that was made already is found (`deployments_one_per_request`).

use super::request::RequestId;
use crate::kernel::web::{IdempotencyKey, in_request};
use crate::kernel::{AppError, Ctx, Db, Result};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{OptionalFromRequestParts, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use passerelle_contract::text;
use sha2::{Digest, Sha256};
use std::time::Duration;
use uuid::Uuid;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How long a key stays reserved without a beat, by the database's clock.
const LEASE_S: f64 = 10.0;
const BEAT: Duration = Duration::from_secs(3);
/// How long an equal request waits for the first one: longer than the lease, so that it can take over.
const WAIT: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const KEEP_BYTES: usize = 8 << 20;

#[derive(Debug, sqlx::FromRow)]
struct Kept {
    request_hash: Vec<u8>,
    status: Option<i32>,
    body: Option<Vec<u8>>,
}

/// A key that this request wants or holds, and where it is kept.
#[derive(Debug, Clone)]
struct Reservation {
    db: Db,
    principal: String,
    key: String,
    hash: [u8; 32],
    /// This request among those that ever held the key.
    holder: Uuid,
}

/// What is to be done with a request.
enum Turn {
    /// Run it, under the id of the first one with this key.
    Run(String),
    Answer(Response),
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
    let reservation = Reservation { db, principal: ctx.principal().name.clone(), key, hash, holder: Uuid::now_v7() };
    let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let first = match reservation.turn(&id).await? {
        Turn::Run(first) => first,
        Turn::Answer(response) => return Ok(response),
    };
    if first != id {
        tracing::info!(request_id = %id, first = %first, "goes on where a request was cut off");
        parts.extensions.insert(RequestId(first.clone()));
        parts.extensions.insert(Ctx { request_id: first.clone(), ..ctx.clone() });
    }
    let request = Request::from_parts(parts, Body::from(body));
    // A task of its own: when the client goes away the effect and its answer are finished all the same.
    let work = tokio::spawn(in_request(first, ctx.locale, async move {
        let response = reservation.while_held(next.run(request)).await;
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
    /// Waits until the key is free, or the first request has left its answer.
    async fn turn(&self, id: &str) -> Result<Turn> {
        let deadline = tokio::time::Instant::now() + WAIT;
        loop {
            if let Some(first) = self.reserve(id).await? {
                return Ok(Turn::Run(first));
            }
            if let Some(answer) = self.kept().await? {
                return Ok(Turn::Answer(answer));
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(AppError::Conflict(text!(
                    "the first request with this Idempotency-Key has not ended; send it again in a moment"
                )));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Takes a key that is free or whose holder is gone; answers the id of the first request with it.
    async fn reserve(&self, id: &str) -> Result<Option<String>> {
        let first: Option<String> = sqlx::query_scalar(
            "INSERT INTO idempotency_keys AS k (principal, key, request_hash, request_id, holder, reserved_until)
             VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
             ON CONFLICT (principal, key) DO UPDATE SET holder = excluded.holder, reserved_until = excluded.reserved_until
             WHERE k.status IS NULL AND k.reserved_until < now() AND k.request_hash = excluded.request_hash
             RETURNING request_id",
        )
        .bind(&self.principal)
        .bind(&self.key)
        .bind(&self.hash[..])
        .bind(id)
        .bind(self.holder)
        .bind(LEASE_S)
        .fetch_optional(self.db.pool())
        .await?;
        // Version N-1 noted no id.
        Ok(first.map(|first| if first.is_empty() { id.to_owned() } else { first }))
    }

    /// The answer of the first request, when it is there.
    async fn kept(&self) -> Result<Option<Response>> {
        let kept: Option<Kept> =
            sqlx::query_as("SELECT request_hash, status, body FROM idempotency_keys WHERE principal = $1 AND key = $2")
                .bind(&self.principal)
                .bind(&self.key)
                .fetch_optional(self.db.pool())
                .await?;
        match kept {
            Some(kept) if kept.request_hash != self.hash => Err(AppError::IdempotencyMismatch),
            Some(Kept { status: Some(status), body, .. }) => answer(status, body.unwrap_or_default()).map(Some),
            _ => Ok(None),
        }
    }

    /// Keeps the lease while the request is worked on. A beat that fails does not stop it: what it does is safe to meet twice.
    async fn while_held<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(BEAT) => {
                    if let Err(error) = self.beat().await {
                        tracing::warn!(%error, "the lease of an Idempotency-Key could not be kept");
                    }
                }
            }
        }
    }

    async fn beat(&self) -> Result<()> {
        sqlx::query(
            "UPDATE idempotency_keys SET reserved_until = now() + make_interval(secs => $4)
             WHERE principal = $1 AND key = $2 AND holder = $3 AND status IS NULL",
        )
        .bind(&self.principal)
        .bind(&self.key)
        .bind(self.holder)
        .bind(LEASE_S)
        .execute(self.db.pool())
        .await?;
        Ok(())
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
            sqlx::query(
                "UPDATE idempotency_keys SET status = $4, body = $5 WHERE principal = $1 AND key = $2 AND holder = $3",
            )
            .bind(&self.principal)
            .bind(&self.key)
            .bind(self.holder)
            .bind(i32::from(parts.status.as_u16()))
            .bind(&body[..])
        } else {
            sqlx::query("DELETE FROM idempotency_keys WHERE principal = $1 AND key = $2 AND holder = $3")
                .bind(&self.principal)
                .bind(&self.key)
                .bind(self.holder)
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
