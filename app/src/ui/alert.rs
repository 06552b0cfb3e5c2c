//! Messages: what went wrong beside what was asked, what has just happened, and what an empty page is waiting for.

use super::{Icon, Tone};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A message over the whole width. `Bad` is announced at once, the others politely.
#[component]
pub fn Alert(tone: Tone, #[prop(optional, into)] title: Option<String>, children: Children) -> impl IntoView {
    let role = if tone == Tone::Bad { "alert" } else { "status" };
    let class = match tone {
        Tone::Ok => "alert ok",
        Tone::Warn => "alert warn",
        Tone::Bad => "alert bad",
        Tone::Run => "alert run",
        Tone::Off => "alert off",
    };
    let icon = match tone {
        Tone::Run | Tone::Off => "info",
        other => other.icon(),
    };
    view! {
        <div class=class role=role>
            <Icon name=icon size=14 />
            <div class="body">
                {title.map(|title| view! { <div class="strong">{title}</div> })} {children()}
            </div>
        </div>
    }
}

/// What has just happened, carried over one redirect in a cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    pub ok: bool,
    pub text: String,
}

/// Says why there is nothing, and what to do about it.
#[component]
pub fn Empty(
    icon: &'static str,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="panel empty">
            <Icon name=icon size=26 />
            <h2>{title}</h2>
            <p>{text}</p>
            {children.map(|children| view! { <div class="btns">{children()}</div> })}
        </div>
    }
}
