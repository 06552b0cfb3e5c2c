//! Language and theme: posted from the header, kept in a cookie for a year.

use crate::i18n::Locale;
use crate::web::{AppState, LOCALE, PostedByAnybody, THEME, Theme, see_other, set_cookie};
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use axum::{Router, routing::post};

const YEAR_S: u32 = 31_536_000;

pub fn routes() -> Router<AppState> {
    Router::new().route("/preferences", post(save))
}

async fn save(PostedByAnybody(posted): PostedByAnybody) -> Response {
    let fields = &posted.fields;
    let mut response = see_other(fields.get("next"), None);
    let locale = Locale::parse(fields.get("locale")).map(|locale| set_cookie(LOCALE, locale.tag(), YEAR_S));
    let theme = fields.some("theme").map(|theme| match Theme::parse(&theme).attribute() {
        Some(name) => set_cookie(THEME, name, YEAR_S),
        None => set_cookie(THEME, "", 0),
    });
    for cookie in [locale, theme].into_iter().flatten() {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}
