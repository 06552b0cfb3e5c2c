//! Deciding about a deployment that waits, and changing what is asked for.

use super::approval::{self, Typed};
use super::detail;
use crate::ui::Flash;
use crate::web::{AppState, Errors, OrPage, PageError, Posted, Req, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use passerelle_contract::FieldError;
use passerelle_contract::deployments::DeploymentIn;
use passerelle_server::kernel::AppError;
use uuid::Uuid;

pub async fn decide(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let id = req.id("deployment", &id)?;
    let said = match approval::input(req.t, &fields) {
        Ok(input) => app.portal.deployments.decide_approval(&req.ctx, id, input).await,
        Err(error) => Err(error),
    };
    match said {
        Ok(deployment) => {
            let flash = approval::flash(req.t, fields.get("decision"), deployment.state);
            Ok(see_other(&format!("/deployments/{id}"), Some(flash)))
        }
        Err(error) => again(&app, req, id, error, |errors| Typed::deciding(fields, errors)).await,
    }
}

pub async fn change(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let id = req.id("deployment", &id)?;
    let changed = match (fields.some("to"), fields.some("to_image")) {
        // Which of both is meant is not for the portal to guess.
        (Some(version), Some(_)) => {
            Err(AppError::Invalid(vec![FieldError::said("/image", req.t.change_one_of(version))]))
        }
        (version, image) => {
            let found = app.portal.deployments.get_deployment(&req.ctx, id).await.or_page(&req)?;
            let input = DeploymentIn {
                service: found.service,
                environment: found.environment,
                release: None,
                image,
                version,
                reason: fields.some("change_reason"),
                exempt: found.exempt,
            };
            app.portal.deployments.change_deployment(&req.ctx, id, input).await
        }
    };
    match changed {
        Ok(_) => {
            let flash = Flash { ok: true, text: req.t.flash_changed().to_owned() };
            Ok(see_other(&format!("/deployments/{id}"), Some(flash)))
        }
        Err(error) => again(&app, req, id, error, |errors| Typed::changing(fields, errors)).await,
    }
}

/// The page again with what was refused, when it can be told there.
async fn again(
    app: &AppState,
    req: Req,
    id: Uuid,
    error: AppError,
    typed: impl FnOnce(Errors) -> Typed,
) -> Result<Response, PageError> {
    if matches!(error, AppError::ConfirmationNeeded) {
        return Err(PageError::confirm(&format!("/deployments/{id}")));
    }
    let errors = req.shown(error)?;
    let page = detail::show(app, req, id, &typed(errors.clone())).await?;
    Ok(errors.refuse(page))
}
