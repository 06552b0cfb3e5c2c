//! Cookies as they come; and the three of the pages: language, theme, and the message after a redirect. None of those is a secret.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

pub const LOCALE: &str = passerelle_server::kernel::LOCALE_COOKIE;
pub const THEME: &str = "psl_theme";
pub const FLASH: &str = "psl_flash";

/// The value of a cookie as it stands.
#[must_use]
pub fn plain_cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut pairs = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The value of a cookie, percent-decoded.
#[must_use]
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let decoded = url::form_urlencoded::parse(plain_cookie(headers, name)?.as_bytes()).next()?;
    Some(decoded.0.into_owned())
}

/// The message after a redirect. It is for the page that the browser goes to: a part that a script fetches meanwhile must not use it up.
#[must_use]
pub fn flash(headers: &HeaderMap) -> Option<String> {
    let goes_there = headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    cookie(headers, FLASH).filter(|_| goes_there)
}

/// A `Set-Cookie` value; `max_age_s` 0 removes the cookie. Encoded so that no value can end the header.
#[must_use]
pub fn set_cookie(name: &str, value: &str, max_age_s: u32) -> String {
    let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    format!("{name}={value}; Path=/; Max-Age={max_age_s}; SameSite=Lax; HttpOnly")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_cookie_comes_back_as_it_was_set() {
        let header = set_cookie(FLASH, "ok:a; b=c\r\nX: 1 é", 30);
        assert!(!header.contains('\r') && !header.contains('\n'));
        let mut headers = HeaderMap::new();
        let pair = header.split(';').next().unwrap();
        headers.insert(COOKIE, HeaderValue::from_str(&format!("a=1; {pair}")).unwrap());
        assert_eq!(cookie(&headers, FLASH).as_deref(), Some("ok:a; b=c\r\nX: 1 é"));
        assert_eq!(cookie(&headers, "b"), None);
    }

    #[test]
    fn a_script_does_not_use_the_message_up() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_static("psl_flash=done"));
        for (mode, seen) in
            [(None, true), (Some("navigate"), true), (Some("cors"), false), (Some("same-origin"), false)]
        {
            if let Some(mode) = mode {
                headers.insert("sec-fetch-mode", HeaderValue::from_static(mode));
            }
            assert_eq!(flash(&headers).is_some(), seen, "{mode:?}");
        }
    }
}
