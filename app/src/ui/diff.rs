//! What would change, and the rules with their verdicts.

use super::{Icon, Tone};
use crate::i18n::T;
use leptos::prelude::*;
use passerelle_contract::deployments::{DiffLine, GateOut, Verdict};
use passerelle_contract::gates::{help, sentence};

/// Field by field: what goes and what comes. Signs as well as colours.
#[component]
pub fn Diff(lines: Vec<DiffLine>) -> impl IntoView {
    let rows = lines
        .into_iter()
        .map(|line| {
            view! {
                <div class="f">{line.field}</div>
                {line.before.map(|before| view! { <div class="d">{format!("− {before}")}</div> })}
                {line.after.map(|after| view! { <div class="a">{format!("+ {after}")}</div> })}
            }
        })
        .collect::<Vec<_>>();
    view! { <div class="diff">{rows}</div> }
}

/// Each rule with its verdict and its reason.
#[component]
pub fn GateList(t: T, gates: Vec<GateOut>) -> impl IntoView {
    if gates.is_empty() {
        return view! { <p class="muted">{t.deploy_no_gates()}</p> }.into_any();
    }
    let items = gates
        .into_iter()
        .map(|gate| {
            let (tone, icon) = match gate.verdict {
                Verdict::Pass => (Tone::Ok, "ok"),
                Verdict::Warn => (Tone::Warn, "warn"),
                Verdict::Wait => (Tone::Warn, "hold"),
                Verdict::Block => (Tone::Bad, "bad"),
            };
            let (reason, help) = (sentence(t.0, &gate), help(t.0, &gate));
            view! {
                <li>
                    <span class=tone.mark()>
                        <Icon name=icon />
                        <span class="vh">{t.verdict(gate.verdict)}</span>
                    </span>
                    <div>
                        {reason}
                        {help.map(|help| view! { <div>{help}</div> })}
                        <div class="muted">{gate.kind.replace('_', " ")}</div>
                    </div>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! { <ul class="gates">{items}</ul> }.into_any()
}
