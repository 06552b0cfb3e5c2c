//! The gates with their verdicts: shape, word and colour, the sentence, the facts one can go to, who can help and until when.

use super::{Icon, Tone};
use crate::i18n::T;
use leptos::prelude::*;
use passerelle_contract::deployments::{GateOut, Verdict};
use passerelle_contract::gates::{FreezeScope, GateFacts, help, sentence};
use serde::Deserialize;
use time::OffsetDateTime;

/// The tone and the shape of a verdict.
#[must_use]
pub const fn verdict_tone(verdict: Verdict) -> (Tone, &'static str) {
    match verdict {
        Verdict::Pass => (Tone::Ok, "ok"),
        Verdict::Warn => (Tone::Warn, "warn"),
        Verdict::Wait => (Tone::Warn, "hold"),
        Verdict::Block => (Tone::Bad, "bad"),
    }
}

/// What is frozen, in words.
#[must_use]
pub fn freeze_scope(t: T, scope: &FreezeScope) -> String {
    match scope {
        FreezeScope::Global => t.scope_everything().to_owned(),
        FreezeScope::Team(team) => t.scope_of_team(team),
        FreezeScope::Environment(name) | FreezeScope::Service(name) => name.clone(),
    }
}

/// Each gate, in the order in which they were asked.
#[component]
pub fn GateList(t: T, gates: Vec<GateOut>, now: OffsetDateTime) -> impl IntoView {
    if gates.is_empty() {
        return view! { <p class="muted">{t.deploy_no_gates()}</p> }.into_any();
    }
    let items = gates.into_iter().map(|gate| item(t, &gate, now)).collect::<Vec<_>>();
    view! { <ul class="gates">{items}</ul> }.into_any()
}

fn item(t: T, gate: &GateOut, now: OffsetDateTime) -> impl IntoView + use<> {
    let (tone, icon) = verdict_tone(gate.verdict);
    let frees = gate.frees_at.filter(|at| *at > now && gate.verdict != Verdict::Pass).map(|at| {
        let age = t.age((at - now).whole_seconds());
        let exact = t.date_time(at);
        view! { <span title=exact>{t.gate_frees(age)}</span> }
    });
    let help = help(t.0, gate);
    let under = (help.is_some() || frees.is_some()).then(|| view! { <div class="muted">{help} " " {frees}</div> });
    view! {
        <li>
            <span class=tone.mark()>
                <Icon name=icon />
            </span>
            <div>
                <div class="gate">
                    <span class="strong">{t.gate_kind(&gate.kind)}</span>
                    <span class=format!("{} bare", tone.class())>{t.verdict(gate.verdict)}</span>
                </div>
                <div class="break">{sentence(t.0, gate)}</div>
                {facts(t, gate)}
                {under}
            </div>
        </li>
    }
}

/// What the sentence does not hold: how far it is, and where to go.
fn facts(t: T, gate: &GateOut) -> Option<AnyView> {
    match GateFacts::deserialize(&gate.facts).ok()? {
        GateFacts::PromotionSoaking { healthy_s, needed_s, .. } => {
            let percent = (healthy_s * 100).checked_div(needed_s).unwrap_or(0).min(100);
            let label = t.gate_progress(percent);
            let width = format!("width:{percent}%");
            let bar = view! { <div class="bar" role="img" aria-label=label><i class="part" style=width></i></div> };
            Some(bar.into_any())
        }
        GateFacts::Frozen { freezes } => {
            let links = freezes
                .into_iter()
                .map(|freeze| {
                    let words = format!("{} · {}", freeze.title, freeze_scope(t, &freeze.scope));
                    view! { <li><a class="link break" href=format!("/freezes/{}", freeze.id)>{words}</a></li> }
                })
                .collect::<Vec<_>>();
            Some(view! { <ul class="facts">{links}</ul> }.into_any())
        }
        GateFacts::ScanFound { waived, .. } if !waived.is_empty() => {
            Some(view! { <div class="muted">{t.gate_waived(waived.join(", "))}</div> }.into_any())
        }
        GateFacts::ActiveDeployment { holder } => {
            Some(view! { <a class="link" href=format!("/deployments/{holder}")>{t.active_open()}</a> }.into_any())
        }
        GateFacts::GlassBroken { .. } => {
            Some(view! { <a class="link" href="/break-glass">{t.glass_see_log()}</a> }.into_any())
        }
        _ => None,
    }
}
