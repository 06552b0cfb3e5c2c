//! Image references: a strict grammar, so that no text from outside reaches a platform as anything else.

use passerelle_contract::{Text, text};
use std::fmt;

/// `[registry/]path[:tag][@sha256:digest]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRef {
    pub name: String,
    pub tag: Option<String>,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: Option<String>,
}

/// Why a text is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct InvalidImage {
    shown: String,
    reason: Text,
}

impl InvalidImage {
    /// The same as a sentence.
    #[must_use]
    pub fn text(&self) -> Text {
        text!(
            "'{shown}' is not an image reference: {reason}; expected [registry/]path[:tag][@sha256:digest]",
            shown = &self.shown,
            reason = &self.reason
        )
    }
}

impl ImageRef {
    /// # Errors
    /// When the text is longer than 512 bytes or breaks the grammar.
    pub fn parse(text: &str) -> Result<Self, InvalidImage> {
        let invalid = |reason| InvalidImage { shown: crate::masking::shown(text).chars().take(80).collect(), reason };
        if text.len() > 512 {
            return Err(invalid(text!("it is longer than 512 bytes")));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(invalid(text!("the digest is not sha256: and 64 lower-case hexadecimal digits")));
        }
        let path_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[path_start..].find(':') {
            Some(colon) => (&rest[..path_start + colon], Some(&rest[path_start + colon + 1..])),
            None => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(invalid(text!("the tag is not 1 to 128 of letters, digits, '_', '.', '-'")));
        }
        if !is_name(name) {
            return Err(invalid(text!("the name has characters outside of a-z, 0-9, '.', '_', '-', '/'")));
        }
        Ok(Self { name: name.to_owned(), tag: tag.map(str::to_owned), digest: digest.map(str::to_owned) })
    }

    /// Another push cannot change what it means.
    #[must_use]
    pub const fn is_pinned(&self) -> bool {
        self.digest.is_some()
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Whether two references mean the same image: by digest when both have one, else by name and tag.
#[must_use]
pub fn same_image(one: &str, other: &str) -> bool {
    match (ImageRef::parse(one), ImageRef::parse(other)) {
        (Ok(one), Ok(other)) => match (&one.digest, &other.digest) {
            (Some(a), Some(b)) => a == b,
            _ => one.name == other.name && one.tag == other.tag,
        },
        _ => one == other,
    }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn is_name(text: &str) -> bool {
    let mut parts = text.split('/');
    let first = parts.next().unwrap_or_default();
    // The first part may be a registry with a port, and hosts may be written in upper case.
    let (host, port) = first.split_once(':').map_or((first, None), |(host, port)| (host, Some(port)));
    let single = !text.contains('/');
    let first_ok = is_path_part(host) || (!single && is_path_part(&host.to_ascii_lowercase()));
    let port_ok = port
        .is_none_or(|port| !single && (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()));
    first_ok && port_ok && parts.all(is_path_part)
}

fn is_path_part(part: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    edge(part.chars().next())
        && edge(part.chars().next_back())
        && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_references_are_read_and_printed_the_same() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let pinned = format!("ghcr.io/acme/api:1.2@{digest}");
        for text in ["tinyweb", "tinyweb:v1", "127.0.0.1:5000/acme/web_api:1.0-rc.1", "REG.example.com/a/b", &pinned] {
            assert_eq!(ImageRef::parse(text).unwrap().to_string(), text);
        }
        assert!(ImageRef::parse(&pinned).unwrap().is_pinned());
        assert_eq!(ImageRef::parse("host:5000/web").unwrap().tag, None);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "-v", "a b", "Web", "web:", "web:-x", "web@sha256:abc", "a//b", "web\n", "http://x/y", "a:b:c"]
        {
            assert!(ImageRef::parse(text).is_err(), "{text:?}");
        }
        assert!(ImageRef::parse(&"a".repeat(600)).is_err());
    }

    #[test]
    fn the_same_image_with_and_without_digest() {
        let digest = format!("sha256:{}", "b".repeat(64));
        assert!(same_image("web:1", &format!("web:1@{digest}")));
        assert!(same_image(&format!("mirror/web@{digest}"), &format!("web:1@{digest}")));
        assert!(!same_image("web:1", "web:2"));
    }
}
