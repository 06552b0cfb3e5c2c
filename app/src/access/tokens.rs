//! API tokens: making one shows its secret in that answer and nowhere else.

use super::{PAGE, Part, frame, head, known, scopes};
use crate::i18n::T;
use crate::ui::{
    Ago, Alert, ButtonKind, Columns, CopyId, Empty, Flash, Hidden, Moment, Pager, Submit, Table, Text, Tone,
};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Page as Listing;
use passerelle_contract::access::{AccessFilter, TokenCreated, TokenIn, TokenOut};
use passerelle_server::kernel::AppError;

const DAYS: &str = "30";
const SHOWN: [&str; 4] = ["/name", "/role", "/scope", "/expires_in_days"];

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    draw(&app, &req, &blank(), &Errors::default(), None).await
}

fn blank() -> Fields {
    [("expires_in_days".to_owned(), DAYS.to_owned())].into_iter().collect()
}

/// Answers with the page itself: a redirect would have to carry the secret.
pub async fn create(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields: form } = posted;
    let made = match (scopes::read(req.t, &form), form.number::<u16>("expires_in_days", req.t.not_a_number())) {
        (Ok((role, scope)), Ok(days)) => {
            let new = TokenIn { name: form.text("name"), role, scope: Some(scope), expires_in_days: Some(days) };
            app.portal.identity.create_token(&req.ctx, &new).await
        }
        (scope, days) => Err(AppError::Invalid([scope.err(), days.err()].into_iter().flatten().collect())),
    };
    match made {
        Ok(made) => {
            let mut response = draw(&app, &req, &blank(), &Errors::default(), Some(made)).await?;
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(response)
        }
        Err(error) => {
            let errors = req.shown(error)?;
            draw(&app, &req, &form, &errors, None).await.map(|form| errors.refuse(form))
        }
    }
}

pub async fn revoke(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let req = posted.req;
    app.portal.identity.revoke_token(&req.ctx, &id).await.or_page(&req)?;
    Ok(see_other("/access/tokens", Some(Flash { ok: true, text: req.t.token_revoked().to_owned() })))
}

async fn draw(
    app: &AppState,
    req: &Req,
    form: &Fields,
    errors: &Errors,
    made: Option<TokenCreated>,
) -> Result<Response, PageError> {
    let t = req.t;
    known(req).or_page(req)?;
    let filter = AccessFilter { user: req.query.text("user"), cursor: req.query.text("cursor"), limit: Some(PAGE) };
    let listing = app.portal.identity.list_tokens(&req.ctx, &filter).await.or_page(req)?;
    let list = if listing.items.is_empty() {
        view! { <Empty icon="key" title=t.tokens_none() text=t.tokens_none_text() /> }.into_any()
    } else {
        table(req, listing).into_any()
    };
    let made = made.map(|made| {
        view! {
            <Alert tone=Tone::Ok title=t.token_created()>
                <CopyId t=t id=made.token />
            </Alert>
        }
    });
    // The address of the list, also for the answer of the form.
    let frame = frame(req, Part::Tokens);
    Ok(page(
        frame,
        view! {
            {head(req, Part::Tokens)}
            {summary(t, errors, &SHOWN)}
            <div class="stack">{made} {list} {new_form(req, form, errors)}</div>
        },
    ))
}

fn table(req: &Req, listing: Listing<TokenOut>) -> impl IntoView + use<> {
    let t = req.t;
    let here = Part::Tokens.href();
    let pages = req.pages(here, listing.items.len(), listing.total, listing.next_cursor.as_deref());
    let rows = listing.items.into_iter().map(|token| row(req, token)).collect::<Vec<_>>();
    view! {
        <section>
            <Table label=t.access_tokens() columns=Columns::of([t.col_token(), t.col_role(), t.col_scope(), t.col_last_used(), t.col_expires()]).acts(t.token_revoke())>{rows}</Table>
            <Pager t=t pages=pages />
        </section>
    }
}

fn row(req: &Req, token: TokenOut) -> impl IntoView + use<> {
    let (t, now) = (req.t, req.now);
    let used = match token.last_used_at {
        Some(at) => view! { <Ago t=t at=at now=now /> }.into_any(),
        None => t.never_used().into_any(),
    };
    let revoke = revoke_form(t, &token, req.ctx.csrf_token());
    view! {
        <tr>
            <th scope="row">
                {token.name.clone()}
                <div class="under mono">{format!("psl_{}…", token.id)}</div>
            </th>
            <td>{t.role(token.role)}</td>
            <td class="break">{scopes::in_words(t, &token.scope)}</td>
            <td>{used}</td>
            <td>
                <Moment t=t at=token.expires_at />
                <div class="under">{t.in_(t.age((token.expires_at - now).whole_seconds()))}</div>
            </td>
            <td class="tight">{revoke}</td>
        </tr>
    }
}

fn revoke_form(t: T, token: &TokenOut, csrf: String) -> impl IntoView + use<> {
    view! {
        <form method="post" action=format!("/access/tokens/{}/delete", token.id)>
            <Hidden name="csrf" value=csrf />
            <Submit label=t.token_revoke() kind=ButtonKind::Small of=token.name.clone() />
        </form>
    }
}

fn new_form(req: &Req, form: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    let days_hint = t.token_days_hint().to_owned();
    view! {
        <form class="panel form" method="post" action="/access/tokens">
            <h2>{t.token_new()}</h2>
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <div class="pair">
                <Text
                    t=t
                    name="name"
                    label=t.token_for()
                    value=form.text("name")
                    error=errors.of("/name")
                    required=true
                    autocomplete="off"
                />
                <Text
                    t=t
                    name="expires_in_days"
                    label=t.token_days()
                    kind="number"
                    value=form.text("expires_in_days")
                    hint=days_hint
                    error=errors.of("/expires_in_days")
                    required=true
                />
            </div>
            {scopes::inputs(t, form, errors, true)}
            <div class="btns">
                <Submit label=t.create() />
            </div>
        </form>
    }
}
