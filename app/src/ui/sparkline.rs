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

/// What was left of a budget, on the same scale in every row: all of it at the top, nothing at the dashed line.
#[component]
pub fn BudgetLine(values: Vec<f64>, #[prop(into)] label: String) -> impl IntoView {
    let low = values.iter().copied().fold(0.0, f64::min);
    let high = values.iter().copied().fold(1.0, f64::max);
    let y = move |value: f64| 2.0 + (high - value) / (high - low) * 18.0;
    let step = 96.0 / (values.len().max(2) - 1) as f64;
    let at = |(index, value): (usize, &f64)| format!("{:.1},{:.1}", index as f64 * step, y(*value));
    let points = values.iter().enumerate().map(at).collect::<Vec<_>>().join(" ");
    let zero = format!("{:.1}", y(0.0));
    view! {
        <svg class="budget-line" width="96" height="22" viewBox="0 0 96 22" role="img" aria-label=label>
            <line class="zero" x1="0" x2="96" y1=zero.clone() y2=zero></line>
            <polyline points=points></polyline>
        </svg>
    }
}
