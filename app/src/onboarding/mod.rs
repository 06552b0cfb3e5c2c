//! Golden paths: the list, the form page by page, adopting what is there, and what was made. Everything is plain forms; drafts are kept by the server.

mod adopt;
mod adopt_found;
mod adopt_running;
mod answers;
mod delivery;
mod files;
mod inputs;
mod list;
mod made;
mod update;
mod wizard;

use crate::ui::Tone;
use crate::web::AppState;
use axum::Router;
use axum::routing::{get, post};
use passerelle_contract::onboarding::{OnboardingState, OnboardingStepState};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/onboard", get(list::show))
        .route("/onboard/{template}", get(wizard::show).post(wizard::submit))
        .route("/onboard/{template}/adopt", get(adopt::show).post(adopt::submit))
        .route("/onboarding/{id}", get(made::show))
        .route("/onboarding/{id}/retry", post(made::retry))
        .route("/onboarding/{id}/update", get(update::show).post(update::submit))
        .route("/onboarding/{id}/deliveries", get(delivery::live).post(delivery::submit))
        .route("/onboarding/{id}/deliveries/{delivery}/retry", post(delivery::retry))
        .route("/onboarding/{id}/deliveries/{delivery}/undo", post(delivery::undo))
}

const fn step_look(state: OnboardingStepState) -> (Tone, &'static str) {
    match state {
        OnboardingStepState::Done => (Tone::Ok, "ok"),
        OnboardingStepState::Waiting => (Tone::Warn, "hold"),
    }
}

const fn state_look(state: OnboardingState) -> (Tone, &'static str) {
    match state {
        OnboardingState::Done => (Tone::Ok, "ok"),
        OnboardingState::Incomplete => (Tone::Warn, "hold"),
    }
}
