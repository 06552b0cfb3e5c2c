//! What of an ID token's claims the crate `openidconnect` leaves to its user: `azp`, further audiences, `nbf`, the shape of `sub`.

use crate::Refused;
use crate::token::LEEWAY;
use serde_json::{Map, Value};

const MAX_SUBJECT: usize = 255;
const MAX_NAME: usize = 100;

/// # Errors
/// What does not fit.
pub(crate) fn check(claims: &Map<String, Value>, client_id: &str, now: i64) -> Result<(), Refused> {
    let party = claims.get("azp");
    if party.is_some_and(|party| party.as_str() != Some(client_id)) {
        return Err(Refused::answer("the ID token was made for another client (azp)"));
    }
    let audiences = claims.get("aud").and_then(Value::as_array).map_or(1, Vec::len);
    if audiences > 1 && party.is_none() {
        return Err(Refused::answer("the ID token is for several clients and does not say which asked (azp)"));
    }
    match claims.get("nbf") {
        None => Ok(()),
        Some(from) if from.as_f64().is_some_and(|from| from <= (now + LEEWAY) as f64) => Ok(()),
        Some(_) => Err(Refused::answer("the ID token does not hold yet (nbf)")),
    }
}

/// Whoever had to prove themselves anew did so at the provider since then (`auth_time`).
///
/// # Errors
/// When the provider does not say so.
pub(crate) fn proven_since(claims: &Map<String, Value>, since: Option<i64>) -> Result<(), Refused> {
    let Some(since) = since else { return Ok(()) };
    match claims.get("auth_time").and_then(Value::as_f64) {
        Some(at) if at >= (since - LEEWAY) as f64 => Ok(()),
        Some(_) => Err(Refused::answer("the provider did not ask anew who it is (auth_time)")),
        None => Err(Refused::answer("the provider does not say when it asked who it is (auth_time)")),
    }
}

/// The subject: 1 to 255 characters, none of them invisible.
pub(crate) fn subject(claims: &Map<String, Value>) -> Result<String, Refused> {
    let wrong = Refused::answer("the ID token names nobody (sub)");
    let text = claims.get("sub").and_then(Value::as_str).ok_or(wrong)?;
    let good = !text.trim().is_empty() && text.len() <= MAX_SUBJECT && !text.chars().any(char::is_control);
    if good { Ok(text.to_owned()) } else { Err(wrong) }
}

/// A text to show or to make a name of; cut, and without characters that hide something.
pub(crate) fn shown(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = claims.get(name)?.as_str()?;
    let clean: String = text.chars().filter(|c| !hides(*c)).take(MAX_NAME).collect();
    Some(clean.trim().to_owned()).filter(|text| !text.is_empty())
}

fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_party_that_asked_must_be_us() {
        for good in [json!({ "aud": "us" }), json!({ "aud": ["us"] }), json!({ "aud": ["us", "x"], "azp": "us" })] {
            assert!(check(&map(good), "us", 0).is_ok());
        }
        for bad in [
            json!({ "aud": ["us", "x"] }),
            json!({ "aud": ["us", "x"], "azp": "x" }),
            json!({ "aud": "us", "azp": "x" }),
            json!({ "aud": "us", "azp": 1 }),
            json!({ "aud": "us", "azp": null }),
            json!({ "aud": "us", "nbf": 61 }),
            json!({ "aud": "us", "nbf": "0" }),
        ] {
            assert!(check(&map(bad.clone()), "us", 0).is_err(), "{bad}");
        }
        assert!(check(&map(json!({ "aud": "us", "nbf": 60.0 })), "us", 0).is_ok());
    }

    #[test]
    fn an_open_session_at_the_provider_is_no_proof() {
        let at = |value: Value| map(json!({ "auth_time": value }));
        for good in [json!(940), json!(1000), json!(1000.5)] {
            assert!(proven_since(&at(good), Some(1000)).is_ok());
        }
        for bad in [json!(939), json!(0), json!("1000"), json!(null), json!([1000])] {
            assert!(proven_since(&at(bad.clone()), Some(1000)).is_err(), "{bad}");
        }
        assert!(proven_since(&map(json!({})), Some(1000)).is_err());
        assert!(proven_since(&map(json!({})), None).is_ok());
    }

    #[test]
    fn a_subject_is_a_short_text() {
        assert_eq!(subject(&map(json!({ "sub": "auth0|7" }))).unwrap(), "auth0|7");
        for bad in [
            json!({}),
            json!({ "sub": 7 }),
            json!({ "sub": " " }),
            json!({ "sub": "x".repeat(256) }),
            json!({ "sub": "a\nb" }),
        ] {
            assert!(subject(&map(bad)).is_err());
        }
    }

    #[test]
    fn a_name_is_shown_without_what_hides() {
        assert_eq!(shown(&map(json!({ "name": " A\u{202e}da\r\n " })), "name").unwrap(), "Ada");
        assert_eq!(shown(&map(json!({ "name": "\u{200b}" })), "name"), None);
        assert_eq!(shown(&map(json!({ "name": 7 })), "name"), None);
    }
}
