//! Times: people read the age, the machine and the tooltip have the exact moment with its zone.

use crate::i18n::{T, iso};
use leptos::prelude::*;
use time::OffsetDateTime;

/// `2 h ago`; the tooltip has the moment in UTC, which the page's script rewrites into the reader's zone.
#[component]
pub fn Ago(t: T, at: OffsetDateTime, now: OffsetDateTime) -> impl IntoView {
    let exact = iso(at);
    view! {
        <time datetime=exact.clone() title=exact data-ago="">
            {t.ago((now - at).whole_seconds())}
        </time>
    }
}

/// `21 Nov 2026, 04:50 UTC`.
#[component]
pub fn Moment(t: T, at: OffsetDateTime) -> impl IntoView {
    let exact = iso(at);
    view! {
        <time class="nowrap" datetime=exact.clone() title=exact>
            {t.date_time(at)}
        </time>
    }
}
