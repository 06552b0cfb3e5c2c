//! One user: name, a new password, and whether it may act at all.

use super::{Part, frame, may_edit, users};
use crate::ui::{ButtonKind, Check, Crumb, Flash, Head, Hidden, LinkButton, Submit, Text};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Query, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::access::{AccessFilter, UserOut, UserPatch};
use passerelle_server::kernel::AppError;

const SHOWN: [&str; 2] = ["/display_name", "/password"];

async fn found(app: &AppState, req: &Req, name: &str) -> Result<UserOut, PageError> {
    let filter = AccessFilter { user: Some(name.to_owned()), ..AccessFilter::default() };
    let listing = app.portal.identity.list_users(&req.ctx, &filter).await.or_page(req)?;
    listing.items.into_iter().next().ok_or_else(|| req.fail(AppError::not_found(format!("user:{name}"))))
}

pub async fn show(State(app): State<AppState>, Path(name): Path<String>, req: Req) -> Result<Response, PageError> {
    let user = found(&app, &req, &name).await?;
    let form = [("display_name", user.display_name.clone()), ("disabled", user.disabled.to_string())]
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect();
    Ok(draw(&req, &user, &form, &Errors::default()))
}

pub async fn save(
    State(app): State<AppState>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields: form } = posted;
    let user = found(&app, &req, &name).await?;
    let patch = UserPatch {
        display_name: Some(form.text("display_name")).filter(|given| *given != user.display_name),
        password: Some(form.raw("password").to_owned()).filter(|given| !given.is_empty()),
        disabled: Some(form.on("disabled")).filter(|given| *given != user.disabled),
    };
    match app.portal.identity.change_user(&req.ctx, &name, &patch).await {
        Ok(user) => {
            let flash = Flash { ok: true, text: req.t.flash_saved(&user.name) };
            Ok(see_other(&format!("/access/users/{}", user.name), Some(flash)))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(&req, &user, &form, &errors)))
        }
    }
}

fn draw(req: &Req, user: &UserOut, form: &Fields, errors: &Errors) -> Response {
    let t = req.t;
    let of_user = |path: &str| Query::default().with("user", Some(&user.name)).href(path);
    let (roles, tokens, sessions) = (of_user("/access"), of_user("/access/tokens"), of_user("/access/sessions"));
    let rights = of_user("/access/simulate");
    let history = Query::default().with("object", Some(&format!("user:{}", user.name))).href("/audit");
    let password = (!user.service).then(|| {
        let hint = t.user_password_hint().to_owned();
        view! { <Text t=t name="password" label=t.user_new_password() kind="password" hint=hint error=errors.of("/password") autocomplete="new-password" /> }
    });
    let crumbs = vec![Crumb::new("/access", t.access_title()), Crumb::new("/access/users", t.access_users())];
    let save = may_edit(req).then(|| view! { <Submit label=t.save() /> });
    page(
        frame(req, Part::Users).crumbs(crumbs),
        view! {
            <Head title=user.name.clone()>
                <LinkButton href=roles label=t.access_roles() />
                <LinkButton href=tokens label=t.access_tokens() />
                <LinkButton href=sessions label=t.access_sessions() />
                <LinkButton href=rights label=t.user_rights() />
                <LinkButton href=history label=t.user_history() />
            </Head>
            {summary(t, errors, &SHOWN)}
            <form class="panel form" method="post" action=format!("/access/users/{}", user.name)>
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <div>{users::state(t, user)}</div>
                <Text t=t name="display_name" label=t.col_display_name() value=form.text("display_name") error=errors.of("/display_name") required=true autocomplete="off" />
                {password}
                <Check name="disabled" label=t.user_disable() checked=form.on("disabled") />
                <div class="btns">
                    {save} <LinkButton href="/access/users" label=t.cancel() kind=ButtonKind::Quiet />
                </div>
            </form>
        },
    )
}
