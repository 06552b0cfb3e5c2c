//! The document around a page's content.

use super::Section;
use super::palette::Palette;
use crate::i18n::{Locale, T};
use crate::ui::{Alert, Crumbs, Hidden, Icon, SPRITE, Tone};
use crate::web::{Page, Theme};
use leptos::prelude::*;
use passerelle_contract::environments::Tier;

/// The whole document.
#[component]
pub fn Shell(page: Page, content: AnyView) -> impl IntoView {
    let t = page.t;
    let production = matches!(page.band, Some((Tier::Production, _)));
    let assets = page.assets.clone();
    let favicon = if production { assets.favicon_production.clone() } else { assets.favicon.clone() };
    let title = match &page.band {
        Some((_, name)) => format!("[{name}] {} · {}", page.title, t.brand()),
        None => format!("{} · {}", page.title, t.brand()),
    };
    let (theme, load) = (page.theme.attribute(), if page.live { "now" } else { "idle" });
    let body = if page.bare { bare(page, content).into_any() } else { framed(page, content).into_any() };
    view! {
        <html lang=t.0.tag() data-theme=theme>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>{title}</title>
                <link rel="icon" type="image/svg+xml" href=favicon />
                <link rel="stylesheet" href=assets.css.clone() />
                <script
                    type="module"
                    src=assets.script.clone()
                    data-client=assets.client_js.clone()
                    data-wasm=assets.client_wasm.clone()
                    data-load=load
                ></script>
            </head>
            <body>
                <div style="display:contents" inner_html=SPRITE></div>
                {body}
            </body>
        </html>
    }
}

/// A single column without navigation.
fn bare(page: Page, content: AnyView) -> impl IntoView {
    let flash = flash(&page);
    let preferences = preferences(&page);
    view! {
        <div class="plain">
            <main id="main" tabindex="-1">
                {flash}
                {content}
                <div class="btns mt-6 justify-center">{preferences}</div>
            </main>
        </div>
    }
}

fn framed(page: Page, content: AnyView) -> impl IntoView {
    let t = page.t;
    let here = page.section;
    let (flash, band, preferences, account) = (flash(&page), band(&page), preferences(&page), account(&page));
    let foot = t.version_foot(env!("CARGO_PKG_VERSION"));
    view! {
        <a class="skip" href="#main">
            {t.skip()}
        </a>
        <div class="shell">
            <nav class="side" aria-label=t.nav_label()>
                {brand(t)}
                {items(t, here, page.waiting)}
                <div class="foot">{foot}</div>
            </nav>
            <div class="min-w-0">
                <header class="top">
                    <details class="drop menu">
                        <summary class="tool" aria-label=t.menu()>
                            <Icon name="menu" size=16 />
                        </summary>
                        <nav class="pop" aria-label=t.nav_label()>
                            {items(t, here, page.waiting)}
                        </nav>
                    </details>
                    {search(t, page.search.clone())}
                    <div class="tools">{preferences} {account}</div>
                </header>
                {band}
                <main id="main" tabindex="-1">
                    {(!page.crumbs.is_empty()).then(|| view! { <Crumbs crumbs=page.crumbs.clone() /> })}
                    {flash}
                    {content}
                </main>
            </div>
        </div>
        {page.user.is_some().then(|| view! { <Palette t=t /> })}
    }
}

fn brand(t: T) -> impl IntoView {
    view! {
        <a class="brand" href="/">
            <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
                <path
                    d="M1 13c3-6 15-6 18 0M4 10.5V16M10 8.6V16M16 10.5V16"
                    fill="none"
                    stroke="currentColor"
                    stroke-width="1.8"
                ></path>
            </svg>
            {t.brand()}
        </a>
    }
}

fn items(t: T, here: Section, waiting: u64) -> impl IntoView {
    let item = move |section: Section| {
        let current = (section == here).then_some("page");
        let count = (section == Section::Approvals && waiting > 0).then(|| {
            view! {
                <span class="n" aria-hidden="true">{t.number(waiting)}</span>
                <span class="vh">": " {t.approvals_waiting(waiting)}</span>
            }
        });
        view! {
            <a class="item" href=section.href() aria-current=current>
                <Icon name=section.icon() size=16 />
                {section.text(t)}
                {count}
            </a>
        }
    };
    view! {
        {Section::MAIN.map(item).into_iter().collect::<Vec<_>>()}
        <div class="group">{t.nav_operate()}</div>
        {Section::OPERATE.map(item).into_iter().collect::<Vec<_>>()}
    }
}

fn search(t: T, words: String) -> impl IntoView {
    view! {
        <form class="search" action="/services" role="search">
            <Icon name="search" size=16 />
            <input type="search" name="q" value=words aria-label=t.search_label() placeholder=t.search_hint() />
            <kbd aria-hidden="true">"Ctrl K"</kbd>
        </form>
    }
}

/// Theme and language: forms that set a cookie and come back here.
fn preferences(page: &Page) -> impl IntoView + use<> {
    let t = page.t;
    let other = if t.0 == Locale::En { Locale::Fr } else { Locale::En };
    let (label, here) = (if t.0 == Locale::En { "Français" } else { "English" }, page.here.clone());
    let current = page.theme;
    let theme = move |theme: Theme, value: &'static str, text: &'static str| {
        let mark = if theme == current { "ok" } else { "" };
        view! {
            <button class="row" name="theme" value=value aria-pressed=(theme == current).to_string()>
                <Icon name=mark />
                {text}
            </button>
        }
    };
    view! {
        <form method="post" action="/preferences">
            <Hidden name="csrf" value=page.csrf.clone() />
            <Hidden name="next" value=here.clone() />
            <button class="tool" name="locale" value=other.tag() lang=other.tag()>
                {other.tag().to_uppercase()} <span class="vh">{label}</span>
            </button>
        </form>
        <details class="drop">
            <summary class="tool" aria-label=t.theme()>
                <Icon name="theme" size=16 />
            </summary>
            <form class="pop" method="post" action="/preferences">
                <Hidden name="csrf" value=page.csrf.clone() />
                <Hidden name="next" value=here />
                {theme(Theme::Auto, "auto", t.theme_auto())}
                {theme(Theme::Light, "light", t.theme_light())}
                {theme(Theme::Dark, "dark", t.theme_dark())}
            </form>
        </details>
    }
}

fn account(page: &Page) -> AnyView {
    let t = page.t;
    let Some(user) = page.user.clone() else {
        return view! { <a class="btn small" href="/sign-in">{t.sign_in()}</a> }.into_any();
    };
    view! {
        <details class="drop">
            <summary class="tool">
                <Icon name="user" size=16 />
                <span class="word">{user.clone()}</span>
                <span class="vh">{t.account()}</span>
            </summary>
            <div class="pop">
                <div class="who strong">{user}</div>
                <a class="row" href="/access">
                    {t.nav_access()}
                </a>
                <form method="post" action="/sign-out">
                    <Hidden name="csrf" value=page.csrf.clone() />
                    <button class="row">{t.sign_out()}</button>
                </form>
            </div>
        </details>
    }
    .into_any()
}

fn band(page: &Page) -> Option<AnyView> {
    let t = page.t;
    let (tier, name) = page.band.clone()?;
    let class = match tier {
        Tier::Production => "band production",
        Tier::Staging => "band staging",
        Tier::Development => "band",
    };
    let icon = if tier == Tier::Production { "shield" } else { "off" };
    let said_apart = name != t.tier(tier);
    let frozen = page.frozen.clone().map(|why| {
        view! {
            <a class="frozen" href="/freezes">
                <Icon name="freeze" size=14 />
                <span class="break">{why}</span>
            </a>
        }
    });
    let view = view! {
        <section class=class aria-label=t.col_environment()>
            <Icon name=icon size=14 />
            <span>{name}</span>
            {frozen}
            {said_apart.then(|| view! { <span class="spacer">{t.tier(tier)}</span> })}
        </section>
    };
    Some(view.into_any())
}

fn flash(page: &Page) -> Option<AnyView> {
    let flash = page.flash.clone()?;
    let tone = if flash.ok { Tone::Ok } else { Tone::Bad };
    let view = view! {
        <div class="flash">
            <Alert tone=tone>{flash.text}</Alert>
        </div>
    };
    Some(view.into_any())
}
