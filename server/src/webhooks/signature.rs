//! Whether a sender knows the secret of a connection. Pure.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// `X-Hub-Signature-256`: `sha256=` and the HMAC of the raw body in hexadecimal. The older header with SHA-1 is not looked at.
pub fn github_holds(secret: &str, body: &[u8], header: &str) -> bool {
    let Some(signature) = header.strip_prefix("sha256=").filter(|hex| hex.len() == 64) else { return false };
    let Ok(signature) = hex::decode(signature) else { return false };
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    mac.verify_slice(&signature).is_ok()
}

/// `X-Gitlab-Token`: the secret itself. Digests are compared, so that not even its length takes its time.
pub fn gitlab_holds(secret: &str, header: &str) -> bool {
    Sha256::digest(secret).ct_eq(&Sha256::digest(header)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation.
    const SECRET: &str = "It's a Secret to Everybody";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn the_documented_example_holds_and_nothing_near_it() {
        assert!(github_holds(SECRET, b"Hello, World!", SIGNATURE));
        assert!(!github_holds(SECRET, b"Hello, World", SIGNATURE));
        assert!(!github_holds("another", b"Hello, World!", SIGNATURE));
        let bare = SIGNATURE.trim_start_matches("sha256=");
        for header in [
            "",
            "sha256=",
            bare,
            &SIGNATURE[..70],
            "sha1=757107ea0eb2509fc211221cce984b8a37570b6d",
            &SIGNATURE.replace('7', "g"),
        ] {
            assert!(!github_holds(SECRET, b"Hello, World!", header), "{header}");
        }
    }

    #[test]
    fn a_token_is_the_whole_secret() {
        assert!(gitlab_holds("s3cret", "s3cret"));
        assert!(!gitlab_holds("s3cret", "s3cre") && !gitlab_holds("s3cret", "") && !gitlab_holds("s3cret", "S3CRET"));
    }
}
