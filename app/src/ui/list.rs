//! Tables, filter chips and the pager.

use super::{Icon, TierTag};
use crate::i18n::T;
use leptos::prelude::*;
use passerelle_contract::environments::Tier;
use passerelle_contract::paging::MOST_COUNTED;

/// The headings of a [`Table`], in order.
#[derive(Default)]
pub struct Columns(Vec<AnyView>);

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Columns({})", self.0.len())
    }
}

impl Columns {
    #[must_use]
    pub fn of<const N: usize>(texts: [&str; N]) -> Self {
        Self::default().and(texts)
    }

    #[must_use]
    pub fn and<const N: usize>(mut self, texts: [&str; N]) -> Self {
        self.0.extend(texts.map(|text| view! { <th scope="col">{text.to_owned()}</th> }.into_any()));
        self
    }

    /// Numbers stand at the right.
    #[must_use]
    pub fn numbers<const N: usize>(mut self, texts: [&str; N]) -> Self {
        self.0.extend(texts.map(|text| view! { <th scope="col" class="num">{text.to_owned()}</th> }.into_any()));
        self
    }

    /// Only screen readers hear it: what is below are buttons that name themselves.
    #[must_use]
    pub fn acts(mut self, text: &str) -> Self {
        let heading = view! {
            <th scope="col" class="tight">
                <span class="vh">{text.to_owned()}</span>
            </th>
        };
        self.0.push(heading.into_any());
        self
    }

    /// Headings that are more than a text.
    #[must_use]
    pub fn views(mut self, views: impl IntoIterator<Item = AnyView>) -> Self {
        self.0.extend(views.into_iter().map(|view| view! { <th scope="col">{view}</th> }.into_any()));
        self
    }

    #[must_use]
    pub fn tiers(mut self, t: T, environments: impl IntoIterator<Item = (Tier, String)>) -> Self {
        self.0.extend(environments.into_iter().map(|(tier, name)| {
            view! {
                <th scope="col">
                    <TierTag t=t tier=tier name=name />
                </th>
            }
            .into_any()
        }));
        self
    }
}

/// A table in a box of its own that scrolls sideways, so that the page never does. The label names it for screen readers;
/// the children are its rows.
#[component]
pub fn Table(
    #[prop(into)] label: String,
    #[prop(optional)] class: &'static str,
    columns: Columns,
    children: Children,
) -> impl IntoView {
    view! {
        <div class="wide" role="region" tabindex="0" aria-label=label>
            <table class=class>
                <thead>
                    <tr>{columns.0}</tr>
                </thead>
                <tbody>{children()}</tbody>
            </table>
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

/// Where one is in a list that goes over several pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages {
    /// Rows on this page, and of all pages.
    pub shown: usize,
    pub total: u64,
    /// Addresses of the first page, when this is another, and of the next.
    pub first: Option<String>,
    pub next: Option<String>,
}

/// How much is shown, and the links to the first and the next page.
#[component]
pub fn Pager(t: T, pages: Pages) -> impl IntoView {
    let total =
        if pages.total == MOST_COUNTED + 1 { format!("{}+", t.number(MOST_COUNTED)) } else { t.number(pages.total) };
    let text = t.shown_of(t.number(pages.shown as u64), total);
    view! {
        <div class="pager">
            <span>{text}</span>
            <span class="btns">
                {pages.first.map(|href| view! { <a class="btn small" href=href>{t.first_page()}</a> })}
                {pages.next.map(|href| view! { <a class="btn small" rel="next" href=href>{t.next_page()}</a> })}
            </span>
        </div>
    }
}
