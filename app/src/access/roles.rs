//! One's roles; for administrators those of everybody, to give and to take away.

use super::{PAGE, Part, frame, head, known, may_edit, may_read, scopes};
use crate::i18n::T;
use crate::ui::{Ago, ButtonKind, Columns, Flash, Hidden, Pager, Submit, Table, Text};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Page as Listing;
use passerelle_contract::access::{AccessFilter, RoleBindingIn, RoleBindingOut, RoleGrant};
use passerelle_server::kernel::AppError;

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let form = [("user".to_owned(), req.query.text("user").unwrap_or_default())].into_iter().collect();
    draw(&app, &req, &form, &Errors::default()).await
}

pub async fn give(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields: form } = posted;
    let given = match scopes::read(req.t, &form) {
        Ok((role, scope)) => {
            let new = RoleBindingIn { user: form.text("user"), role, scope };
            app.portal.identity.create_role_binding(&req.ctx, &new).await
        }
        Err(error) => Err(AppError::Invalid(vec![error])),
    };
    match given {
        Ok(_) => Ok(see_other("/access", Some(Flash { ok: true, text: req.t.role_given().to_owned() }))),
        Err(error) => {
            let errors = req.shown(error)?;
            draw(&app, &req, &form, &errors).await.map(|form| errors.refuse(form))
        }
    }
}

pub async fn take(State(app): State<AppState>, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let req = posted.req;
    let id = req.id("role_binding", &id)?;
    app.portal.identity.delete_role_binding(&req.ctx, id).await.or_page(&req)?;
    Ok(see_other("/access", Some(Flash { ok: true, text: req.t.role_taken().to_owned() })))
}

async fn draw(app: &AppState, req: &Req, form: &Fields, errors: &Errors) -> Result<Response, PageError> {
    let t = req.t;
    let me = app.portal.identity.me(&req.ctx).or_page(req)?;
    known(req).or_page(req)?;
    let all = if may_read(req) {
        let filter = AccessFilter { user: req.query.text("user"), cursor: req.query.text("cursor"), limit: Some(PAGE) };
        Some(app.portal.identity.list_role_bindings(&req.ctx, &filter).await.or_page(req)?)
    } else {
        None
    };
    let give = may_edit(req).then(|| give_form(req, form, errors));
    Ok(page(
        frame(req, Part::Roles),
        view! {
            {head(req, Part::Roles)}
            {summary(t, errors, &["/user", "/role", "/scope"])}
            <div class="stack">
                <section class="panel">
                    <h2>{t.access_mine()}</h2>
                    {mine(t, &me.roles)}
                </section>
                {all.map(|listing| table(req, listing))}
                {give}
            </div>
        },
    ))
}

fn mine(t: T, grants: &[RoleGrant]) -> AnyView {
    if grants.is_empty() {
        return view! { <p class="muted">{t.access_no_role()}</p> }.into_any();
    }
    let items = grants
        .iter()
        .map(|grant| {
            let words = format!("{} · {}", t.role(grant.role), scopes::in_words(t, &grant.scope));
            view! { <li class="tag">{words}</li> }
        })
        .collect::<Vec<_>>();
    view! { <ul class="tags">{items}</ul> }.into_any()
}

fn table(req: &Req, listing: Listing<RoleBindingOut>) -> impl IntoView + use<> {
    let (t, now, edit) = (req.t, req.now, may_edit(req));
    let csrf = req.ctx.csrf_token();
    let pages = req.pages("/access", listing.items.len(), listing.total, listing.next_cursor.as_deref());
    let rows = listing
        .items
        .into_iter()
        .map(|binding| {
            let words = t.role(binding.role);
            // A role of a group goes with the group.
            let by_hand = edit && binding.source.is_none();
            let take = by_hand.then(|| take_form(t, &binding, csrf.clone()));
            let giver = match &binding.source {
                Some(source) => t.role_from(&source.group, &source.provider),
                None => binding.created_by.clone(),
            };
            view! {
                <tr>
                    <th scope="row">
                        <a class="link" href=format!("/access/users/{}", binding.user)>
                            {binding.user.clone()}
                        </a>
                    </th>
                    <td>{words}</td>
                    <td class="break">{scopes::in_words(t, &binding.scope)}</td>
                    <td class="min-w-48">
                        <Ago t=t at=binding.created_at now=now />
                        <div class="under break">{giver}</div>
                    </td>
                    <td class="tight">{take}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <section>
            <Table label=t.access_roles() columns=Columns::of([t.col_user(), t.col_role(), t.col_scope(), t.col_given()]).acts(t.role_take())>{rows}</Table>
            <Pager t=t pages=pages />
        </section>
    }
}

fn take_form(t: T, binding: &RoleBindingOut, csrf: String) -> impl IntoView + use<> {
    let label = t.role_of(t.role(binding.role), &binding.user);
    view! {
        <form method="post" action=format!("/access/roles/{}/delete", binding.id)>
            <Hidden name="csrf" value=csrf />
            <Submit label=t.role_take() kind=ButtonKind::Small of=label />
        </form>
    }
}

fn give_form(req: &Req, form: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    view! {
        <form class="panel form" method="post" action="/access/roles">
            <h2>{t.role_give()}</h2>
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Text
                t=t
                name="user"
                label=t.field_user()
                value=form.text("user")
                error=errors.of("/user")
                required=true
                code=true
                autocomplete="off"
            />
            {scopes::inputs(t, form, errors, true)}
            <div class="btns">
                <Submit label=t.role_give() />
            </div>
        </form>
    }
}
