//! Deleting an objective: its name is typed first.

use super::detail;
use crate::i18n::T;
use crate::ui::{ButtonKind, Flash, Hidden, Submit, Text};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::slo::SloOut;

pub async fn delete(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let id = detail::id_of(&id).or_page(&req)?;
    let slo = app.portal.slo.get_slo(&req.ctx, id).await.or_page(&req)?;
    if fields.get("confirm") != slo.name {
        let errors: Errors = FieldError::said("/confirm", req.t.slo_delete_wrong(&slo.name)).into();
        return Ok(errors.refuse(detail::render(&app, &req, id, &fields, &errors).await?));
    }
    app.portal.slo.delete_slo(&req.ctx, id).await.or_page(&req)?;
    Ok(see_other("/slos", Some(Flash { ok: true, text: req.t.slo_deleted(&slo.title) })))
}

pub fn form(t: T, slo: &SloOut, csrf: String, form: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let (error, open) = (errors.of("/confirm"), errors.of("/confirm").is_some());
    view! {
        <details class="disclose" open=open>
            <summary>{t.slo_delete()}</summary>
            <form class="panel danger form" method="post" action=format!("/slos/{}/delete", slo.id)>
                <Hidden name="csrf" value=csrf />
                <p>{t.slo_delete_effect(&slo.title)}</p>
                <Text
                    t=t
                    name="confirm"
                    label=t.slo_delete_confirm(&slo.name)
                    value=form.text("confirm")
                    error=error
                    required=true
                    code=true
                    autocomplete="off"
                />
                <div class="btns">
                    <Submit label=t.slo_delete() kind=ButtonKind::Danger />
                </div>
            </form>
        </details>
    }
}
