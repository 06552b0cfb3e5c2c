//! Signed in at a provider, and allowed nothing: why, and what to do about it.

use crate::ui::{Alert, ButtonKind, Hidden, LinkButton, Submit, Tone};
use crate::web::{OrPage, PageError, Req, plain_page};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_server::kernel::AppError;

pub async fn show(req: Req) -> Result<Response, PageError> {
    if req.ctx.is_anonymous() {
        return Err(AppError::Unauthenticated).or_page(&req);
    }
    let t = req.t;
    let why = match req.query.get("why") {
        Some("absent") => t.no_role_absent(),
        Some("odd") => t.no_role_odd(),
        Some("none") => t.no_role_none(),
        _ => t.no_role_not_asked(),
    };
    let name = req.ctx.principal().name.clone();
    let csrf = req.ctx.csrf_token();
    Ok(plain_page(
        req.page(t.no_role_title()),
        view! {
            <div class="panel form">
                <h1>{t.no_role_title()}</h1>
                <Alert tone=Tone::Warn>{why}</Alert>
                <p>{t.no_role_as(&name)}</p>
                <p class="muted">{t.no_role_next()}</p>
                <div class="btns">
                    <LinkButton href="/" label=t.go_home() kind=ButtonKind::Primary />
                    <form method="post" action="/sign-out">
                        <Hidden name="csrf" value=csrf />
                        <Submit label=t.sign_out() kind=ButtonKind::Plain />
                    </form>
                </div>
            </div>
        },
    ))
}
