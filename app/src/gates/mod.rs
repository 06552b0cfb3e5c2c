//! Pages of the gates: policies, freezes, reports of scanners, what waits for one's approval, breaking the glass.

mod calendar;
mod freeze;
mod freeze_fields;
mod freeze_form;
mod freezes;
pub mod frozen;
pub mod glass;
mod glass_log;
pub mod policies;
mod policy_edit;
mod release;
mod waiting;

use crate::ui::{Tab, Tabs};
use crate::web::{AppState, Req};
use axum::Router;
use axum::routing::{get, post};
use leptos::prelude::*;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/approvals", get(waiting::show))
        .route("/break-glass", get(glass_log::show))
        .route("/gates", get(policies::show))
        .route("/gates/{tier}", get(policy_edit::show).post(policy_edit::save))
        .route("/freezes", get(freezes::show))
        .route("/freezes/new", get(freeze_form::new).post(freeze_form::create))
        .route("/freezes/stop", post(freezes::stop))
        .route("/freezes/{id}", get(freeze_form::show).post(freeze_form::save))
        .route("/freezes/{id}/lift", post(freezes::lift))
        .route("/releases/{id}", get(release::show))
        .route("/services/{namespace}/{name}/break-glass", get(glass::ask).post(glass::submit))
}

/// The policies and the log of what went past them.
fn tabs(req: &Req, here: &'static str) -> impl IntoView + use<> {
    let t = req.t;
    let tabs = [("/gates", t.gates_tab_policies()), ("/break-glass", t.glass_see_log())].map(|(href, text)| Tab {
        href: href.to_owned(),
        text: text.to_owned(),
        here: href == here,
    });
    view! { <Tabs label=t.gates_title() tabs=tabs.to_vec() /> }
}
