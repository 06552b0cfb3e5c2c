//! Error budgets: the list by what is left, one objective with its charts, and the forms that make and change them.

mod acts;
mod beside;
mod blocked;
mod burn_chart;
mod corrections;
mod delete;
mod detail;
mod down_chart;
mod facts;
mod form;
mod import;
mod inputs;
mod list;
mod marks;
mod policies;
mod postmortems;
mod rows;

use crate::ui::Tone;
use crate::web::{AppState, OrPage, PageError, Req};
use axum::Router;
use axum::routing::{get, post};
use passerelle_contract::access::Role;
use passerelle_contract::slo::{BudgetVerdict, SloState};

pub use beside::{before_deploying, left_by};
pub use postmortems::to_write;
pub use rows::{chip, table};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/slos", get(list::show))
        .route("/slos/import", get(import::form).post(import::submit))
        .route("/slos/new", get(form::new).post(form::create))
        .route("/slos/policies", get(policies::show))
        .route("/slos/policies/{tier}", post(policies::save))
        .route("/slos/{id}/edit", get(form::edit).post(form::save))
        .route("/slos/{id}", get(detail::show))
        .route("/slos/{id}/source", get(detail::source))
        .route("/slos/{id}/corrections", post(acts::correct))
        .route("/slos/{id}/postmortems/{task}", post(acts::close_postmortem))
        .route("/slos/{id}/delete", post(acts::delete))
}

pub const fn verdict_tone(verdict: BudgetVerdict) -> (Tone, &'static str) {
    match verdict {
        BudgetVerdict::Ok => (Tone::Ok, "ok"),
        BudgetVerdict::Warn => (Tone::Warn, "warn"),
        BudgetVerdict::Approval => (Tone::Warn, "hold"),
        BudgetVerdict::Block => (Tone::Bad, "bad"),
    }
}

const fn state_tone(state: SloState) -> Tone {
    match state {
        SloState::Ok => Tone::Ok,
        SloState::NoTraffic => Tone::Off,
        SloState::Partial | SloState::NoData => Tone::Warn,
    }
}

/// Whether the caller may change objectives of some service; which, each act decides.
fn may_edit_some(req: &Req) -> bool {
    req.ctx.principal().grants.iter().any(|grant| grant.role >= Role::Operator)
}

/// Connections that can be asked, as choices; `none` is the words of leaving it open.
async fn connections(app: &AppState, req: &Req, none: Option<&str>) -> Result<Vec<(String, String)>, PageError> {
    let all = app.portal.environments.list_connections(&req.ctx).await.or_page(req)?;
    let named = all.into_iter().filter(|one| one.kind == "prometheus").map(|one| (one.name.clone(), one.name));
    Ok(none.map(|words| (String::new(), words.to_owned())).into_iter().chain(named).collect())
}

async fn environments(app: &AppState, req: &Req) -> Result<Vec<(String, String)>, PageError> {
    let all = app.portal.environments.list_environments(&req.ctx).await.or_page(req)?;
    let every = (String::new(), req.t.slo_all_environments().to_owned());
    Ok(std::iter::once(every).chain(all.into_iter().map(|one| (one.name.clone(), one.name))).collect())
}
