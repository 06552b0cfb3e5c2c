//! A line of values, small enough for a table row.

use leptos::prelude::*;

/// Draws `values` from left to right between their least and greatest; `label` says in words what it shows.
#[component]
pub fn Sparkline(values: Vec<f64>, #[prop(into)] label: String) -> impl IntoView {
    let (width, height) = (96.0, 22.0);
    let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    let span = if high > low { high - low } else { 1.0 };
    let step = width / (values.len().max(2) - 1) as f64;
    let points = values
        .iter()
        .enumerate()
        .map(|(index, value)| {
            format!("{:.1},{:.1}", index as f64 * step, height - 2.0 - (value - low) / span * (height - 4.0))
        })
        .collect::<Vec<_>>()
        .join(" ");
    view! {
        <svg width="96" height="22" viewBox="0 0 96 22" role="img" aria-label=label>
            <polyline points=points fill="none" stroke="currentColor" stroke-width="1.5"></polyline>
        </svg>
    }
}
