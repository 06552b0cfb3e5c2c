//! What is done on the page of an objective: taking time out of its budget, closing a post-mortem, deleting it.

use super::{corrections, detail, postmortems};
use crate::ui::Flash;
use crate::web::{AppState, Errors, OrPage, PageError, Posted, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use passerelle_contract::FieldError;
use passerelle_server::kernel::AppError;

pub async fn correct(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let id = req.id("slo", &id)?;
    let added = match corrections::read(&fields, req.t) {
        Ok(correction) => app.portal.slo.add_correction(&req.ctx, id, correction).await,
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match added {
        Ok(made) => {
            let share = |digits: &str| corrections::share(req.t, digits);
            let text = req.t.slo_correction_done(share(&made.remaining_before), share(&made.remaining_after));
            Ok(see_other(&format!("/slos/{id}"), Some(Flash { ok: true, text })))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(detail::render(&app, &req, id, &fields, &errors).await?))
        }
    }
}

pub async fn close_postmortem(
    State(app): State<AppState>,
    Path((id, task)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let (id, task) = (req.id("slo", &id)?, req.id("postmortem", &task)?);
    match app.portal.slo.close_postmortem(&req.ctx, task, postmortems::read(&fields)).await {
        Ok(closed) => {
            let flash = Flash { ok: true, text: req.t.postmortem_done().to_owned() };
            Ok(see_other(&format!("/slos/{}", closed.slo), Some(flash)))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(detail::render(&app, &req, id, &fields, &errors).await?))
        }
    }
}

pub async fn delete(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let id = req.id("slo", &id)?;
    let slo = app.portal.slo.get_slo(&req.ctx, id).await.or_page(&req)?;
    if fields.get("confirm") != slo.name {
        let errors: Errors = FieldError::said("/confirm", req.t.slo_delete_wrong(&slo.name)).into();
        return Ok(errors.refuse(detail::render(&app, &req, id, &fields, &errors).await?));
    }
    app.portal.slo.delete_slo(&req.ctx, id).await.or_page(&req)?;
    Ok(see_other("/slos", Some(Flash { ok: true, text: req.t.slo_deleted(&slo.title) })))
}
