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

    /// Reads the secret file; none when it is not there.
    ///
    /// # Errors
    /// When the file cannot be read, or does not hold 64 hexadecimal digits.
    pub fn load(path: &Path) -> Result<Option<Self>> {
        let wrong = |why: String| AppError::internal(format!("{}: {why}", path.display()));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let mut secret = [0_u8; 32];
        hex::decode_to_slice(text.trim(), &mut secret)
            .map_err(|_| wrong("does not hold 64 hexadecimal digits".to_owned()))?;
        Ok(Some(Self::from_bytes(secret)))
    }

    /// Makes the secret file (mode 0600).
    ///
    /// # Errors
    /// When it is there already or cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let wrong = |error: std::io::Error| AppError::internal(format!("{}: {error}", path.display()));
        let mut secret = [0_u8; 32];
        rand::rngs::OsRng.fill_bytes(&mut secret);
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(wrong)?;
        file.write_all(hex::encode(secret).as_bytes()).and_then(|()| file.sync_all()).map_err(wrong)?;
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
        self.sealing_key().seal(place, plain)
    }

    /// # Errors
    /// When the text was sealed under another key, for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &str) -> Result<String> {
        self.sealing_key().open(place, sealed)
    }

    /// Number 0: the key that everything was sealed with before the first rotation. It opens nothing that a later one sealed.
    #[must_use]
    pub fn sealing_key(&self) -> SealingKey {
        SealingKey { number: 0, bytes: Arc::new(self.derive("seal")) }
    }

    /// A key of a rotation as the database may hold it.
    ///
    /// # Errors
    /// Only when the cipher fails.
    pub fn wrap(&self, key: &SealingKey) -> Result<String> {
        self.wrapping_key().seal(&wrapping_place(key.number), &hex::encode(&key.bytes[..]))
    }

    /// # Errors
    /// When it was wrapped by another installation's key, for another number, or was changed.
    pub fn unwrap(&self, number: i32, wrapped: &str) -> Result<SealingKey> {
        let text = self.wrapping_key().open(&wrapping_place(number), wrapped)?;
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| AppError::internal(format!("the sealing key {number} is none")))?;
        Ok(SealingKey { number, bytes: Arc::new(bytes) })
    }

    fn wrapping_key(&self) -> SealingKey {
        SealingKey { number: 0, bytes: Arc::new(self.derive("wrap")) }
    }
}

fn wrapping_place(number: i32) -> String {
    format!("sealing key:{number}")
}

/// What secrets are sealed with: XChaCha20-Poly1305 under a key that has a number, which every sealed text names.
#[derive(Clone)]
pub struct SealingKey {
    number: i32,
    bytes: Arc<[u8; 32]>,
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingKey({}, ***)", self.number)
    }
}

impl SealingKey {
    #[must_use]
    pub fn random(number: i32) -> Self {
        let mut bytes = [0_u8; 32];
        rand::rngs::OsRng.fill_bytes(&mut bytes);
        Self { number, bytes: Arc::new(bytes) }
    }

    #[must_use]
    pub const fn number(&self) -> i32 {
        self.number
    }

    /// The number of the key that a text was sealed with; none when it is no sealed text.
    #[must_use]
    pub fn number_of(sealed: &str) -> Option<i32> {
        parts(sealed).map(|(number, _)| number)
    }

    /// # Errors
    /// Only when the cipher fails, which it does not for texts of this size.
    pub fn seal(&self, place: &str, plain: &str) -> Result<String> {
        let mut nonce = [0_u8; 24];
        rand::rngs::OsRng.fill_bytes(&mut nonce);
        let sealed = self
            .cipher()
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain.as_bytes(), aad: place.as_bytes() })
            .map_err(|_| AppError::internal("sealing failed"))?;
        let body = BASE64.encode([&nonce[..], &sealed].concat());
        Ok(if self.number == 0 { format!("v1:{body}") } else { format!("v2:{}:{body}", self.number) })
    }

    /// # Errors
    /// When the text was sealed under another key, for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &str) -> Result<String> {
        let wrong =
            || AppError::internal(format!("the sealed value of {place} does not open with this installation's key"));
        let (number, body) = parts(sealed).ok_or_else(wrong)?;
        let bytes = BASE64.decode(body).ok().filter(|_| number == self.number).ok_or_else(wrong)?;
        let (nonce, body) = bytes.split_at_checked(24).ok_or_else(wrong)?;
        let plain = self
            .cipher()
            .decrypt(XNonce::from_slice(nonce), Payload { msg: body, aad: place.as_bytes() })
            .map_err(|_| wrong())?;
        String::from_utf8(plain).map_err(|_| wrong())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.bytes).into())
    }
}

/// Number of the key, and nonce with ciphertext as text: `v1:BODY` or `v2:NUMBER:BODY`.
fn parts(sealed: &str) -> Option<(i32, &str)> {
    if let Some(body) = sealed.strip_prefix("v1:") {
        return Some((0, body));
    }
    let (number, body) = sealed.strip_prefix("v2:")?.split_once(':')?;
    let number = number.parse().ok().filter(|number| *number > 0)?;
    Some((number, body))
}

#[cfg(test)]
mod tests {
    use super::{Keys, SealingKey};

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret.key");
        assert!(Keys::load(&file).unwrap().is_none());
        let made = Keys::create(&file).unwrap();
        assert_eq!(Keys::load(&file).unwrap().unwrap().derive("x"), made.derive("x"));
        assert!(Keys::create(&file).is_err(), "never written over");
        std::fs::write(&file, "no key").unwrap();
        assert!(Keys::load(&file).unwrap_err().to_string().contains("64 hexadecimal digits"));
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_belongs() {
        let keys = Keys::from_bytes([7; 32]);
        let sealed = keys.seal("connection:a", "s3cret").unwrap();
        assert!(!sealed.contains("s3cret"));
        assert_eq!(keys.open("connection:a", &sealed).unwrap(), "s3cret");
        assert!(keys.open("connection:b", &sealed).is_err());
        assert!(Keys::from_bytes([8; 32]).open("connection:a", &sealed).is_err());
    }

    #[test]
    fn a_key_of_a_rotation_opens_only_what_it_sealed_and_is_wrapped_for_one_installation() {
        let (keys, other) = (Keys::from_bytes([7; 32]), Keys::from_bytes([8; 32]));
        let (first, second) = (SealingKey::random(1), SealingKey::random(2));
        let sealed = first.seal("place", "s3cret").unwrap();
        assert_eq!(
            (SealingKey::number_of(&sealed), first.open("place", &sealed).unwrap()),
            (Some(1), "s3cret".to_owned())
        );
        assert!(second.open("place", &sealed).is_err() && keys.open("place", &sealed).is_err());
        assert!(first.open("place", &sealed.replace("v2:1:", "v1:")).is_err());
        let wrapped = keys.wrap(&first).unwrap();
        assert_eq!(keys.unwrap(1, &wrapped).unwrap().open("place", &sealed).unwrap(), "s3cret");
        assert!(keys.unwrap(2, &wrapped).is_err() && other.unwrap(1, &wrapped).is_err());
        for none in ["", "v2:", "v2:0:x", "v2:-1:x", "v2:x:y", "v3:1:x", "plain"] {
            assert_eq!(SealingKey::number_of(none), None, "{none}");
        }
    }
}
