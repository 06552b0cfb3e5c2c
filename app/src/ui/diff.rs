//! What would change.

use leptos::prelude::*;
use passerelle_contract::deployments::DiffLine;

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
