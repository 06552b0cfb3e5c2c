//! The provider's public keys.

use crate::Refused;
use crate::fetch::{Fetch, json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::CoreJsonWebKeySet;
use serde_json::{Value, json as object};
use url::Url;

const CAUSE: &str = "the provider's keys cannot be had";
const MAX_KEYS: usize = 100;
/// 2048 bits.
const RSA_BYTES: usize = 256;

pub(crate) async fn fetch_keys(fetch: &dyn Fetch, url: &Url) -> Result<CoreJsonWebKeySet, Refused> {
    let document: Value = json(fetch, url, None, CAUSE).await?;
    read(&document)
}

/// Keys of kinds that are not used are left out; a set in which none is left is refused.
fn read(document: &Value) -> Result<CoreJsonWebKeySet, Refused> {
    let keys = document.get("keys").and_then(Value::as_array).ok_or(Refused::provider(CAUSE))?;
    if keys.len() > MAX_KEYS {
        return Err(Refused::provider("the provider has too many keys"));
    }
    let used: Vec<&Value> = keys.iter().filter(|key| usable(key)).collect();
    if used.is_empty() {
        return Err(Refused::provider("the provider has no key that is used"));
    }
    serde_json::from_value(object!({ "keys": used })).map_err(|_| Refused::provider(CAUSE))
}

/// Never a symmetric key: whoever reads the set could sign with it. No RSA key that can be factored.
fn usable(key: &Value) -> bool {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let signs = text("use").is_none_or(|use_| use_ == "sig");
    let long_enough = || {
        let modulus = text("n").and_then(|n| URL_SAFE_NO_PAD.decode(n).ok()).unwrap_or_default();
        modulus.iter().skip_while(|byte| **byte == 0).count() >= RSA_BYTES
    };
    signs
        && match text("kty") {
            Some("EC" | "OKP") => true,
            Some("RSA") => long_enough(),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_keys_for_signatures_that_last_are_kept() {
        let short = URL_SAFE_NO_PAD.encode([255_u8; 128]);
        let set = object!({ "keys": [
            { "kty": "oct", "k": "c2VjcmV0", "kid": "a" },
            { "kty": "RSA", "n": short, "e": "AQAB", "kid": "b" },
            { "kty": "EC", "use": "enc", "crv": "P-256", "x": "AA", "y": "AA" },
        ] });
        assert_eq!(read(&set).unwrap_err().cause, "the provider has no key that is used");
        assert!(read(&object!({ "keys": 3 })).is_err());
        let many = vec![object!({ "kty": "oct" }); MAX_KEYS + 1];
        assert_eq!(read(&object!({ "keys": many })).unwrap_err().cause, "the provider has too many keys");
    }
}
