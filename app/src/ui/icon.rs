//! Icons: one sprite per page, `<use>` where an icon stands. They are decoration; the word beside them carries the meaning.

use leptos::prelude::*;

/// The sprite, once per page. Strokes take the colour of the text.
pub const SPRITE: &str = concat!(
    r#"<svg width="0" height="0" style="display:none" aria-hidden="true"><defs>"#,
    r#"<symbol id="i-ok" viewBox="0 0 12 12"><path d="M2 6.5 4.8 9 10 3.2" fill="none" stroke="currentColor" stroke-width="1.8"/></symbol>"#,
    r#"<symbol id="i-warn" viewBox="0 0 12 12"><path d="M6 1.2 11.3 10.6H.7Z" fill="none" stroke="currentColor" stroke-width="1.4"/><path d="M6 4.6v2.8M6 8.6v.9" stroke="currentColor" stroke-width="1.4"/></symbol>"#,
    r#"<symbol id="i-bad" viewBox="0 0 12 12"><path d="M3 3l6 6M9 3l-6 6" stroke="currentColor" stroke-width="1.8"/></symbol>"#,
    r#"<symbol id="i-run" viewBox="0 0 12 12"><path d="M6 1.2a4.8 4.8 0 1 0 4.8 4.8" fill="none" stroke="currentColor" stroke-width="1.8"/></symbol>"#,
    r#"<symbol id="i-off" viewBox="0 0 12 12"><circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor" stroke-width="1.4"/></symbol>"#,
    r#"<symbol id="i-hold" viewBox="0 0 12 12"><path d="M4 2.5v7M8 2.5v7" stroke="currentColor" stroke-width="1.9"/></symbol>"#,
    r#"<symbol id="i-info" viewBox="0 0 12 12"><circle cx="6" cy="6" r="4.8" fill="none" stroke="currentColor" stroke-width="1.3"/><path d="M6 5.4v3M6 3.2v1" stroke="currentColor" stroke-width="1.4"/></symbol>"#,
    r#"<symbol id="i-back" viewBox="0 0 12 12"><path d="M4.6 2 1.8 4.8l2.8 2.8M2 4.8h5a3 3 0 0 1 0 5.8H5" fill="none" stroke="currentColor" stroke-width="1.5"/></symbol>"#,
    r#"<symbol id="i-skip" viewBox="0 0 12 12"><path d="M2.5 6h7" stroke="currentColor" stroke-width="1.6"/></symbol>"#,
    r#"<symbol id="i-ask" viewBox="0 0 12 12"><path d="M4 4.2a2 2 0 1 1 2.6 2C6.1 6.4 6 6.8 6 7.4M6 8.8v1" fill="none" stroke="currentColor" stroke-width="1.5"/></symbol>"#,
    r#"<symbol id="i-go" viewBox="0 0 12 12"><path d="M2 6h8M6.8 2.8 10 6 6.8 9.2" fill="none" stroke="currentColor" stroke-width="1.5"/></symbol>"#,
    r#"<symbol id="i-copy" viewBox="0 0 12 12"><path d="M4 3.6V1.5h6.5V8H8.4M1.5 4h6.4v6.5H1.5Z" fill="none" stroke="currentColor" stroke-width="1.2"/></symbol>"#,
    r#"<symbol id="i-search" viewBox="0 0 16 16"><circle cx="7" cy="7" r="4.5" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="m10.4 10.4 3.6 3.6" stroke="currentColor" stroke-width="1.5"/></symbol>"#,
    r#"<symbol id="i-menu" viewBox="0 0 16 16"><path d="M2 4h12M2 8h12M2 12h12" stroke="currentColor" stroke-width="1.5"/></symbol>"#,
    r#"<symbol id="i-theme" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.6" fill="none" stroke="currentColor" stroke-width="1.4"/><path d="M8 2.4a5.6 5.6 0 0 1 0 11.2Z" fill="currentColor"/></symbol>"#,
    r#"<symbol id="i-user" viewBox="0 0 16 16"><circle cx="8" cy="5.4" r="2.7" fill="none" stroke="currentColor" stroke-width="1.4"/><path d="M2.8 13.6c.7-3 2.7-4.3 5.2-4.3s4.5 1.3 5.2 4.3" fill="none" stroke="currentColor" stroke-width="1.4"/></symbol>"#,
    r#"<symbol id="i-matrix" viewBox="0 0 16 16"><path d="M2.5 2.5h4.5V7H2.5ZM9 2.5h4.5V7H9ZM2.5 9H7v4.5H2.5ZM9 9h4.5v4.5H9Z" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>"#,
    r#"<symbol id="i-service" viewBox="0 0 16 16"><path d="m8 1.8 5.4 3.1v6.2L8 14.2l-5.4-3.1V4.9ZM2.8 5 8 8l5.2-3M8 8v6" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>"#,
    r#"<symbol id="i-system" viewBox="0 0 16 16"><path d="M2 5.5 8 2.3l6 3.2-6 3.2ZM2 8.3l6 3.2 6-3.2M2 11l6 3.2 6-3.2" fill="none" stroke="currentColor" stroke-width="1.2"/></symbol>"#,
    r#"<symbol id="i-path" viewBox="0 0 16 16"><path d="M3 13.5V9.5a2 2 0 0 1 2-2h6a2 2 0 0 0 2-2V2.5M10.6 4.6 13 2.2l2.2 2.4M3 15v-1.5" fill="none" stroke="currentColor" stroke-width="1.4"/></symbol>"#,
    r#"<symbol id="i-deploy" viewBox="0 0 16 16"><path d="M8 13.5V3M3.8 7.2 8 3l4.2 4.2" fill="none" stroke="currentColor" stroke-width="1.5"/></symbol>"#,
    r#"<symbol id="i-env" viewBox="0 0 16 16"><path d="M2 3.5h12v3H2ZM2 9.5h12v3H2ZM4.5 5h1M4.5 11h1" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>"#,
    r#"<symbol id="i-plug" viewBox="0 0 16 16"><path d="M5.5 2v3.5M10.5 2v3.5M3.5 5.5h9V8a4.5 4.5 0 0 1-9 0ZM8 12.5V15" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>"#,
    r#"<symbol id="i-bind" viewBox="0 0 16 16"><path d="M6.8 9.2a2.7 2.7 0 0 0 3.9 0l2-2a2.7 2.7 0 0 0-3.9-3.9l-.9.9M9.2 6.8a2.7 2.7 0 0 0-3.9 0l-2 2a2.7 2.7 0 0 0 3.9 3.9l.9-.9" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>"#,
    r#"<symbol id="i-import" viewBox="0 0 16 16"><path d="M8 2v8M4.5 6.8 8 10.3l3.5-3.5M2.5 13.5h11" fill="none" stroke="currentColor" stroke-width="1.4"/></symbol>"#,
    r#"<symbol id="i-bell" viewBox="0 0 16 16"><path d="M3 11.5h10c-1.2-1-1.4-2.6-1.4-4.6a3.6 3.6 0 0 0-7.2 0c0 2-.2 3.6-1.4 4.6ZM6.6 13.6h2.8" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>"#,
    r#"<symbol id="i-audit" viewBox="0 0 16 16"><path d="M3.5 1.8h9v12.4h-9ZM5.8 5h4.4M5.8 8h4.4M5.8 11h2.6" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>"#,
    r#"<symbol id="i-key" viewBox="0 0 16 16"><circle cx="5" cy="11" r="3" fill="none" stroke="currentColor" stroke-width="1.3"/><path d="m7.2 8.8 6-6M10.5 5.5l2 2" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>"#,
    r#"<symbol id="i-api" viewBox="0 0 16 16"><path d="M5 4 1.5 8 5 12M11 4l3.5 4L11 12M9.3 2.8 6.7 13.2" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>"#,
    r#"<symbol id="i-budget" viewBox="0 0 16 16"><path d="M2 2v12h12M4.5 4.5 7 6l2.5.8L13 11.5" fill="none" stroke="currentColor" stroke-width="1.4"/></symbol>"#,
    r#"<symbol id="i-shield" viewBox="0 0 12 12"><path d="M6 1 10.4 2.7v3c0 2.6-1.8 4.3-4.4 5.3C3.4 10 1.6 8.3 1.6 5.7v-3Z" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>"#,
    r#"<symbol id="i-approve" viewBox="0 0 16 16"><path d="M2.5 2.5h11v11h-11ZM5 8.2l2.1 2.1L11 6" fill="none" stroke="currentColor" stroke-width="1.4"/></symbol>"#,
    r#"<symbol id="i-gate" viewBox="0 0 16 16"><path d="M3 14V3M13 14V3M3 6h10M3 9.5h10M1.8 14h2.4M11.8 14h2.4" fill="none" stroke="currentColor" stroke-width="1.4"/></symbol>"#,
    r#"<symbol id="i-freeze" viewBox="0 0 16 16"><path d="M8 1.5v13M2.4 4.8l11.2 6.4M13.6 4.8 2.4 11.2M6 2.6l2 1.7 2-1.7M6 13.4l2-1.7 2 1.7" fill="none" stroke="currentColor" stroke-width="1.3"/></symbol>"#,
    "</defs></svg>"
);

/// One icon of the sprite, `size` pixels square.
#[component]
pub fn Icon(
    name: &'static str,
    #[prop(default = 12)] size: u8,
    #[prop(optional)] class: &'static str,
) -> impl IntoView {
    let (w, h) = (size.to_string(), size.to_string());
    view! {
        <svg width=w height=h class=class aria-hidden="true">
            <use href=format!("#i-{name}")></use>
        </svg>
    }
}
