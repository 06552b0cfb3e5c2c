//! The form that deletes an objective: its name is typed first.

use crate::i18n::T;
use crate::ui::{ButtonKind, Hidden, Submit, TypedName};
use crate::web::Errors;
use leptos::prelude::*;
use passerelle_contract::slo::SloOut;

pub fn form(t: T, slo: &SloOut, csrf: String, errors: &Errors) -> impl IntoView + use<> {
    let (error, open) = (errors.of("/confirm"), errors.of("/confirm").is_some());
    view! {
        <details class="disclose" open=open>
            <summary>{t.slo_delete()}</summary>
            <form class="panel danger form" method="post" action=format!("/slos/{}/delete", slo.id)>
                <Hidden name="csrf" value=csrf />
                <p>{t.slo_delete_effect(&slo.title)}</p>
                <TypedName t=t name="confirm" of=slo.name.clone() hint=t.slo_delete_hint() error=error />
                <div class="btns">
                    <Submit label=t.slo_delete() kind=ButtonKind::Danger />
                </div>
            </form>
        </details>
    }
}
