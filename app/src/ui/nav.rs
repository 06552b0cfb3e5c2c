//! Where one is: breadcrumb, the head of a page, tabs that are URLs.

use leptos::prelude::*;

/// One step of the way here.
#[derive(Debug, Clone)]
pub struct Crumb {
    pub href: String,
    pub text: String,
}

impl Crumb {
    #[must_use]
    pub fn new(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self { href: href.into(), text: text.into() }
    }
}

/// The way here, without the page itself.
#[component]
pub fn Crumbs(crumbs: Vec<Crumb>) -> impl IntoView {
    let items =
        crumbs.into_iter().map(|crumb| view! { <li><a href=crumb.href>{crumb.text}</a></li> }).collect::<Vec<_>>();
    view! {
        <nav aria-label="Breadcrumb">
            <ol class="crumbs">{items}</ol>
        </nav>
    }
}

/// The head of a page: title, one sentence, acts at the right.
#[component]
pub fn Head(
    #[prop(into)] title: String,
    #[prop(optional, into)] sub: Option<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="head">
            <div>
                <h1>{title}</h1>
                {sub.map(|sub| view! { <p class="sub">{sub}</p> })}
            </div>
            {children.map(|children| view! { <div class="acts">{children()}</div> })}
        </div>
    }
}

/// One tab.
#[derive(Debug, Clone)]
pub struct Tab {
    pub href: String,
    pub text: String,
    pub here: bool,
}

/// Tabs; each is a page of its own.
#[component]
pub fn Tabs(#[prop(into)] label: String, tabs: Vec<Tab>) -> impl IntoView {
    let items = tabs
        .into_iter()
        .map(|tab| view! { <a href=tab.href aria-current=tab.here.then_some("page")>{tab.text}</a> })
        .collect::<Vec<_>>();
    view! {
        <nav class="tabs" aria-label=label>
            {items}
        </nav>
    }
}
