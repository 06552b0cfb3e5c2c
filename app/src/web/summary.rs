//! The message above a form whose values were refused.

use super::Errors;
use crate::i18n::T;
use crate::ui::{Alert, Tone};
use leptos::prelude::*;

/// That something was wrong, and the errors that no field of the form shows.
#[must_use]
pub fn summary(t: T, errors: &Errors, shown: &[&str]) -> Option<AnyView> {
    if errors.is_empty() {
        return None;
    }
    let elsewhere = errors.elsewhere(shown).into_iter().map(|text| view! { <p>{text}</p> }).collect::<Vec<_>>();
    let general = errors.general.clone().unwrap_or_else(|| t.err_fields().to_owned());
    let holder = errors.holder.map(|id| view! { <p><a href=format!("/deployments/{id}")>{t.active_open()}</a></p> });
    let view = view! {
        <div class="flash">
            <Alert tone=Tone::Bad>
                <p>{general}</p>
                {elsewhere}
                {holder}
            </Alert>
        </div>
    };
    Some(view.into_any())
}
