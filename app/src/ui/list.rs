//! Tables, filter chips and the pager.

use super::Icon;
use crate::i18n::T;
use leptos::prelude::*;

/// A table in a box of its own that scrolls sideways, so that the page never does. The label names it for screen readers.
#[component]
pub fn Table(#[prop(into)] label: String, #[prop(optional)] class: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class="wide" role="region" tabindex="0" aria-label=label>
            <table class=class>{children()}</table>
        </div>
    }
}

/// A filter as a link: on or off, with a count when it is known. With `one_of` it is a choice that cannot be taken off.
#[component]
pub fn Chip(
    #[prop(into)] href: String,
    #[prop(into)] label: String,
    #[prop(default = false)] on: bool,
    #[prop(default = false)] one_of: bool,
    #[prop(optional, into)] count: Option<String>,
    #[prop(optional, into)] aria_label: Option<String>,
) -> impl IntoView {
    view! {
        <a class=if on { "chip on" } else { "chip" } href=href aria-current=on.then_some("true") aria-label=aria_label>
            {label} {count.map(|count| view! { <span class="n">{count}</span> })}
            {(on && !one_of).then(|| view! { <Icon name="bad" size=10 /> })}
        </a>
    }
}

/// How much is shown, and the links to the first and the next page.
#[component]
pub fn Pager(
    t: T,
    shown: usize,
    total: u64,
    #[prop(optional_no_strip, into)] first: Option<String>,
    #[prop(optional_no_strip, into)] next: Option<String>,
) -> impl IntoView {
    let text = t.shown_of(t.number(shown as u64), t.number(total));
    view! {
        <div class="pager">
            <span>{text}</span>
            <span class="btns">
                {first.map(|href| view! { <a class="btn small" href=href>{t.first_page()}</a> })}
                {next.map(|href| view! { <a class="btn small" rel="next" href=href>{t.next_page()}</a> })}
            </span>
        </div>
    }
}
