//! The steps of a deployment, and its instances one by one.

use super::{Icon, Said, Tone};
use crate::i18n::T;
use leptos::prelude::*;
use passerelle_contract::deployments::{Instance, InstanceState, StepOut, StepState};
use time::OffsetDateTime;

/// Each step with its mark, its message and how long it took (or has taken until `now`).
#[component]
pub fn Steps(t: T, steps: Vec<StepOut>, now: OffsetDateTime) -> impl IntoView {
    let items = steps
        .into_iter()
        .map(|step| {
            let (tone, icon) = match step.state {
                StepState::Pending => (Tone::Off, "off"),
                StepState::Running => (Tone::Run, "run"),
                StepState::Succeeded => (Tone::Ok, "ok"),
                StepState::Failed => (Tone::Bad, "bad"),
                StepState::Skipped => (Tone::Off, "skip"),
            };
            let spin = if icon == "run" { "spin" } else { "" };
            let took = step.started_at.map_or_else(
                || t.nothing().to_owned(),
                |started| t.elapsed((step.ended_at.unwrap_or(now) - started).whole_seconds()),
            );
            view! {
                <li>
                    <span class=tone.mark()>
                        <Icon name=icon class=spin />
                        <span class="vh">{t.step_state(step.state)}</span>
                    </span>
                    <div>
                        {t.step_name(&step.name)}
                        {step.message.map(|message| view! { <div class="muted"><Said text=message.to_string() /></div> })}
                    </div>
                    <span class="muted nowrap">{took}</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! { <ol class="steps">{items}</ol> }
}

const fn instance_look(state: InstanceState) -> (Tone, &'static str) {
    match state {
        InstanceState::Pending => (Tone::Off, "off"),
        InstanceState::Starting => (Tone::Run, "run"),
        InstanceState::Ready => (Tone::Ok, "ok"),
        InstanceState::Failing => (Tone::Bad, "bad"),
        InstanceState::Stopping => (Tone::Off, "skip"),
    }
}

/// Every instance as a row: state, name, version it belongs to, restarts, what the platform says.
#[component]
pub fn InstanceDots(t: T, instances: Vec<Instance>) -> impl IntoView {
    if instances.is_empty() {
        return view! { <p class="muted">{t.none_yet()}</p> }.into_any();
    }
    let rows = instances
        .into_iter()
        .map(|instance| {
            let (tone, icon) = instance_look(instance.state);
            let spin = if icon == "run" { "spin" } else { "" };
            let which = if instance.updated { t.dep_new() } else { t.dep_old() };
            view! {
                <li>
                    <span class=tone.mark()>
                        <Icon name=icon class=spin />
                    </span>
                    <div>
                        <span class="mono break">{instance.name}</span>
                        <div class="muted break">
                            {format!("{} · {which}", t.instance(instance.state))}
                            {(instance.restarts > 0)
                                .then(|| format!(" · {}", t.dep_restarts(u64::from(instance.restarts))))}
                            {instance.message.map(|message| view! { <Said text=format!(" · {message}") /> })}
                        </div>
                    </div>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! { <ul class="steps">{rows}</ul> }.into_any()
}
