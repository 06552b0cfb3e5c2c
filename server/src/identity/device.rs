//! The cookie by which a browser is known again in which a user has signed in with the password (the device cookie of OWASP).
//!
//! It proves nothing and opens nothing. An attempt that brings it is counted for this browser and not for the name: whoever fails against a
//! name from elsewhere does not keep its owner out. Who steals one gets a few guesses of its own, at this one name.

use crate::kernel::Keys;
use axum::extract::{Request, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rand::RngCore;
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

/// Over plain http on loopback, where browsers refuse the `__Host-` prefix.
const NAME: &str = "passerelle_device";
const NAME_SECURE: &str = "__Host-passerelle_device";
/// The purpose that the signing key is derived for; nothing else is signed with it.
const PURPOSE: &str = "device cookie";
const SECONDS: i64 = 180 * 24 * 60 * 60;
const UNTIL_BYTES: usize = 8;
const BODY_BYTES: usize = UNTIL_BYTES + 16;

/// Goes with the answer to a good sign-in; [`give`] makes the header of it.
#[derive(Debug, Clone)]
pub struct DeviceCookie(String);

impl DeviceCookie {
    /// Another one each time, so that two browsers are never counted as one.
    pub(super) fn new(keys: &Keys, user: &str) -> Self {
        Self::until(keys, user, now() + SECONDS)
    }

    fn until(keys: &Keys, user: &str, until: i64) -> Self {
        let mut body = [0; BODY_BYTES];
        body[..UNTIL_BYTES].copy_from_slice(&until.to_be_bytes());
        rand::rngs::OsRng.fill_bytes(&mut body[UNTIL_BYTES..]);
        let signature = sign(keys, &body, user);
        Self(BASE64.encode([&body[..], &signature[..]].concat()))
    }

    /// Leaves it in an answer.
    #[must_use]
    pub fn on(self, mut answer: Response) -> Response {
        answer.extensions_mut().insert(self);
        answer
    }

    /// A whole `Set-Cookie`.
    fn header(&self, secure: bool) -> String {
        let (name, mark) = if secure { (NAME_SECURE, "; Secure") } else { (NAME, "") };
        format!("{name}={}; Path=/; Max-Age={SECONDS}; HttpOnly; SameSite=Lax{mark}", self.0)
    }
}

/// Takes to the browser what a sign-in has left in the answer; `secure` when people reach the portal by https.
pub async fn give(State(secure): State<bool>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let device = answer.extensions_mut().remove::<DeviceCookie>();
    if let Some(header) = device.and_then(|device| HeaderValue::from_str(&device.header(secure)).ok()) {
        answer.headers_mut().append(SET_COOKIE, header);
    }
    answer
}

/// What a browser brought.
pub(super) fn brought(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| [NAME, NAME_SECURE].contains(name))
        .map(|(_, value)| value.to_owned())
}

/// By what the failures of a browser are counted; none for a cookie that this installation has not given for this very user, or too long ago.
pub(super) fn counted(keys: &Keys, cookie: &str, user: &str) -> Option<String> {
    let bytes = BASE64.decode(cookie).ok()?;
    let (body, signature) = bytes.split_first_chunk::<BODY_BYTES>()?;
    let (until, id) = body.split_first_chunk::<UNTIL_BYTES>()?;
    let ours = bool::from(sign(keys, body, user)[..].ct_eq(signature));
    (ours && i64::from_be_bytes(*until) > now()).then(|| format!("d:{}", hex::encode(id)))
}

/// The user is in the signature only: a cookie does not tell who has signed in here.
fn sign(keys: &Keys, body: &[u8; BODY_BYTES], user: &str) -> [u8; 32] {
    keys.sign(PURPOSE, &[&body[..], user.as_bytes()].concat())
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_for_one_user_of_one_installation_until_its_day() {
        let (keys, other) = (Keys::from_bytes([7; 32]), Keys::from_bytes([8; 32]));
        let DeviceCookie(cookie) = DeviceCookie::new(&keys, "grace");
        let known = counted(&keys, &cookie, "grace");
        assert!(known.as_ref().is_some_and(|key| key.starts_with("d:")), "{known:?}");
        assert_ne!(counted(&keys, &DeviceCookie::new(&keys, "grace").0, "grace"), known, "each browser has its own");
        assert_eq!(counted(&keys, &cookie, "ada"), None);
        assert_eq!(counted(&keys, &cookie, ""), None);
        assert_eq!(counted(&other, &cookie, "grace"), None);
        let DeviceCookie(old) = DeviceCookie::until(&keys, "grace", now());
        assert_eq!(counted(&keys, &old, "grace"), None, "its day is over");
        let bytes = BASE64.decode(&cookie).unwrap();
        for at in 0..bytes.len() {
            let mut edited = bytes.clone();
            edited[at] ^= 1;
            assert_eq!(counted(&keys, &BASE64.encode(&edited), "grace"), None, "byte {at}");
            assert_eq!(counted(&keys, &BASE64.encode(&bytes[..at]), "grace"), None, "cut at {at}");
        }
        for odd in ["", "=", "d", &format!("{cookie}A"), &format!("{cookie}=")] {
            assert_eq!(counted(&keys, odd, "grace"), None, "{odd}");
        }
    }

    #[test]
    fn no_script_reads_it_and_https_has_the_prefix() {
        let device = DeviceCookie("x".to_owned());
        let wanted = "passerelle_device=x; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax";
        assert_eq!(device.header(false), wanted);
        assert_eq!(device.header(true), format!("__Host-{wanted}; Secure"));
    }

    #[test]
    fn it_is_found_among_others() {
        let brought = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_static(text));
            super::brought(&headers)
        };
        assert_eq!(brought("a=b; passerelle_device=x").as_deref(), Some("x"));
        assert_eq!(brought("__Host-passerelle_device=y; a=b").as_deref(), Some("y"));
        assert_eq!(brought("a=b; passerelle_devices=x; passerelle_session=z"), None);
        assert_eq!(super::brought(&HeaderMap::new()), None);
    }
}
