//! Buttons that submit, links that look like buttons, and the copy button.

use super::Icon;
use crate::i18n::T;
use leptos::prelude::*;

/// How much a button matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ButtonKind {
    #[default]
    Plain,
    /// The one thing to do on this page.
    Primary,
    /// It takes something away.
    Danger,
    /// The one thing to do, and it changes production.
    Production,
    Quiet,
    Small,
}

impl ButtonKind {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "btn",
            Self::Primary => "btn primary",
            Self::Danger => "btn danger",
            Self::Production => "btn prod",
            Self::Quiet => "btn quiet",
            Self::Small => "btn small",
        }
    }
}

/// What tells a button from others with the same word, for those who do not see what stands beside it.
fn named(of: String) -> impl IntoView {
    view! { <span class="vh">{format!(": {of}")}</span> }
}

/// Submits its form. A disabled one says why beside it. `of` names its object to screen readers.
#[component]
pub fn Submit(
    #[prop(into)] label: String,
    #[prop(default = ButtonKind::Primary)] kind: ButtonKind,
    #[prop(optional, into)] disabled_because: Option<String>,
    #[prop(optional, into)] name: Option<&'static str>,
    #[prop(optional, into)] value: Option<&'static str>,
    #[prop(optional, into)] of: Option<String>,
) -> impl IntoView {
    let disabled = disabled_because.is_some();
    view! {
        <button class=kind.class() type="submit" name=name value=value disabled=disabled>
            {label} {of.map(named)}
        </button>
        {disabled_because.map(|why| view! { <span class="muted">{why}</span> })}
    }
}

/// Goes somewhere. `of` names its object to screen readers.
#[component]
pub fn LinkButton(
    #[prop(into)] href: String,
    #[prop(into)] label: String,
    #[prop(optional)] kind: ButtonKind,
    #[prop(optional)] icon: Option<&'static str>,
    #[prop(optional, into)] of: Option<String>,
) -> impl IntoView {
    view! {
        <a class=kind.class() href=href>
            {icon.map(|icon| view! { <Icon name=icon /> })} {label} {of.map(named)}
        </a>
    }
}

/// An identifier that one click copies; without a script it is plain text to select.
#[component]
pub fn CopyId(t: T, #[prop(into)] id: String, #[prop(optional, into)] shown: Option<String>) -> impl IntoView {
    let shown = shown.unwrap_or_else(|| id.clone());
    // Whoever speaks to the browser names what is seen; the whole is in the title.
    let label = format!("{}: {shown}", t.copy());
    view! {
        <button type="button" class="copy" data-copy=id.clone() data-done=t.copied() aria-label=label title=id>
            <span>{shown}</span>
            <Icon name="copy" />
        </button>
    }
}
