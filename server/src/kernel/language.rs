//! The language of a request, for the sentences of an answer.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use passerelle_contract::Locale;

/// The cookie of the language that a person has chosen on a page.
pub const LOCALE_COOKIE: &str = "psl_locale";

/// What the person chose, else what `Accept-Language` prefers, else English. Pages and API alike, so that what a page fetches speaks
/// its language.
#[must_use]
pub fn locale_of(headers: &HeaderMap) -> Locale {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let chosen = cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == LOCALE_COOKIE)
        .and_then(|(_, tag)| Locale::parse(tag));
    let preferred = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    chosen.unwrap_or_else(|| preferred.map(Locale::negotiate).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn what_a_person_chose_comes_before_what_the_browser_asks_for() {
        let mut headers = HeaderMap::new();
        assert_eq!(locale_of(&headers), Locale::En);
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("fr-FR, en;q=0.5"));
        assert_eq!(locale_of(&headers), Locale::Fr);
        headers.insert(COOKIE, HeaderValue::from_static("a=b; psl_locale=en"));
        assert_eq!(locale_of(&headers), Locale::En);
        headers.insert(COOKIE, HeaderValue::from_static("psl_locale=xx"));
        assert_eq!(locale_of(&headers), Locale::Fr);
    }
}
