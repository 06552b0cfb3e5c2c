//! How much waits for whoever looks at a page: asked once a page, before it is made, and shown in its navigation.

use super::AppState;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use passerelle_server::kernel::{Ctx, PrincipalKind};

/// Deployments that wait for an approval of the caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Waiting(pub u64);

/// Leaves a [`Waiting`] for the page. When it cannot be told, the page is shown without it.
pub async fn count(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let ctx = request.extensions().get::<Ctx>().cloned();
    let person = |ctx: &Ctx| matches!(ctx.principal().kind, PrincipalKind::Session { .. });
    if let Some(ctx) = ctx.filter(|ctx| person(ctx) && request.method() == Method::GET) {
        let waiting = app.portal.deployments.waiting_for(&ctx).await.map_or(0, |rows| rows.len() as u64);
        request.extensions_mut().insert(Waiting(waiting));
    }
    next.run(request).await
}
