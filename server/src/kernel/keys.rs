//! Keys of this installation, all derived from one secret file: who has the database alone can neither forge a cursor nor
//! read a sealed credential.

use super::{AppError, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use rand::RngCore;
use sha2::Sha256;
use std::path::Path;
use std::sync::Arc;

/// The derived keys; cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<[u8; 32]>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(***)")
    }
}

impl Keys {
    #[must_use]
    pub fn from_bytes(secret: [u8; 32]) -> Self {
        Self(Arc::new(secret))
    }

    /// Reads the secret file, or makes it (mode 0600) when there is none.
    ///
    /// # Errors
    /// When the file cannot be read or written, or does not hold 64 hexadecimal digits.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let mut secret = [0_u8; 32];
        match std::fs::read_to_string(path) {
            Ok(text) => hex::decode_to_slice(text.trim(), &mut secret)
                .map_err(|_| AppError::internal(format!("{} does not hold 64 hexadecimal digits", path.display())))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                rand::rngs::OsRng.fill_bytes(&mut secret);
                let mut file = std::fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .map_err(AppError::internal)?;
                file.write_all(hex::encode(secret).as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(AppError::internal)?;
            }
            Err(error) => return Err(AppError::internal(format!("{}: {error}", path.display()))),
        }
        Ok(Self::from_bytes(secret))
    }

    /// A key for one purpose.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        self.mac("passerelle derive", purpose.as_bytes())
    }

    /// HMAC-SHA256 under the key of this purpose.
    #[must_use]
    pub fn sign(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        Self::from_bytes(self.derive(purpose)).mac("sign", message)
    }

    fn mac(&self, label: &str, message: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length, so this cannot fail; an empty key would only make the answer useless.
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&self.0[..]) else { return [0; 32] };
        mac.update(label.as_bytes());
        mac.update(&[0]);
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// Encrypts; `place` is bound in, so that a sealed value cannot be moved to another row.
    ///
    /// # Errors
    /// Only when the cipher fails, which it does not for texts of this size.
    pub fn seal(&self, place: &str, plain: &str) -> Result<String> {
        let mut nonce = [0_u8; 24];
        rand::rngs::OsRng.fill_bytes(&mut nonce);
        let sealed = self
            .cipher()
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain.as_bytes(), aad: place.as_bytes() })
            .map_err(|_| AppError::internal("sealing failed"))?;
        Ok(format!("v1:{}", BASE64.encode([&nonce[..], &sealed].concat())))
    }

    /// # Errors
    /// When the text was sealed under another key, for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &str) -> Result<String> {
        let wrong =
            || AppError::internal(format!("the sealed value of {place} does not open with this installation's key"));
        let bytes = sealed.strip_prefix("v1:").and_then(|text| BASE64.decode(text).ok()).ok_or_else(wrong)?;
        let (nonce, body) = bytes.split_at_checked(24).ok_or_else(wrong)?;
        let plain = self
            .cipher()
            .decrypt(XNonce::from_slice(nonce), Payload { msg: body, aad: place.as_bytes() })
            .map_err(|_| wrong())?;
        String::from_utf8(plain).map_err(|_| wrong())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derive("seal").into())
    }
}

#[cfg(test)]
mod tests {
    use super::Keys;

    #[test]
    fn a_sealed_value_opens_only_where_it_belongs() {
        let keys = Keys::from_bytes([7; 32]);
        let sealed = keys.seal("connection:a", "s3cret").unwrap();
        assert!(!sealed.contains("s3cret"));
        assert_eq!(keys.open("connection:a", &sealed).unwrap(), "s3cret");
        assert!(keys.open("connection:b", &sealed).is_err());
        assert!(Keys::from_bytes([8; 32]).open("connection:a", &sealed).is_err());
    }
}
