//! Cursors: where the next page starts, signed, so that an edited one is refused rather than obeyed.

use super::{AppError, Keys, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use passerelle_contract::paging::{DEFAULT_LIMIT, MAX_LIMIT};
use passerelle_contract::text;
use serde::Serialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

const SIGNATURE_BYTES: usize = 12;

/// The position after the last item of a page. `list` names the list and its order, so that a cursor of one list does not work
/// in another.
#[derive(Debug, Clone, Copy)]
pub struct Cursor;

impl Cursor {
    /// # Errors
    /// Only when the position cannot be written as JSON.
    pub fn encode<T: Serialize>(keys: &Keys, list: &str, position: &T) -> Result<String> {
        let body = serde_json::to_vec(position).map_err(AppError::internal)?;
        let signature = Self::signature(keys, list, &body);
        Ok(BASE64.encode([&signature[..], &body].concat()))
    }

    /// # Errors
    /// `Invalid` at `/cursor` when the text is not a cursor of this list.
    pub fn decode<T: DeserializeOwned>(keys: &Keys, list: &str, text: &str) -> Result<T> {
        let refused = || {
            AppError::field("/cursor", text!("is not a cursor of this list; leave it out to start at the first page"))
        };
        let bytes = BASE64.decode(text).map_err(|_| refused())?;
        let (signature, body) = bytes.split_at_checked(SIGNATURE_BYTES).ok_or_else(refused)?;
        if !bool::from(Self::signature(keys, list, body).ct_eq(signature)) {
            return Err(refused());
        }
        serde_json::from_slice(body).map_err(|_| refused())
    }

    fn signature(keys: &Keys, list: &str, body: &[u8]) -> [u8; SIGNATURE_BYTES] {
        let mac = keys.sign("cursor", &[list.as_bytes(), &[0], body].concat());
        let mut short = [0; SIGNATURE_BYTES];
        short.copy_from_slice(&mac[..SIGNATURE_BYTES]);
        short
    }
}

/// # Errors
/// `Invalid` at `/limit` when it is 0 or larger than a page may be.
pub fn limit_or_default(limit: Option<u32>) -> Result<usize> {
    match limit {
        None => Ok(DEFAULT_LIMIT as usize),
        Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit as usize),
        Some(limit) => Err(AppError::field(
            "/limit",
            text!("is {count}; allowed is {min} to {max}", count = limit, min = 1, max = MAX_LIMIT),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Keys};

    #[test]
    fn a_cursor_is_good_for_its_own_list_only_and_cannot_be_edited() {
        let keys = Keys::from_bytes([1; 32]);
        let text = Cursor::encode(&keys, "services:name", &("shop/web", 3)).unwrap();
        let back: (String, u32) = Cursor::decode(&keys, "services:name", &text).unwrap();
        assert_eq!(back, ("shop/web".to_owned(), 3));
        assert!(Cursor::decode::<(String, u32)>(&keys, "services:owner", &text).is_err());
        let mut edited = text.into_bytes();
        let last = edited.len() - 2;
        edited[last] = if edited[last] == b'A' { b'B' } else { b'A' };
        assert!(Cursor::decode::<(String, u32)>(&keys, "services:name", &String::from_utf8(edited).unwrap()).is_err());
    }
}
