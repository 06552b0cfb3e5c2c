//! Where the audit is sent to while it is written: collectors of a SIEM, or a file.

use super::ConfigError;
use super::reference::Reference;
use super::vault::is_safe_origin;
use serde::Deserialize;
use std::path::PathBuf;

const MAX_STREAMS: usize = 8;

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    pub streams: Vec<StreamConfig>,
}

/// How a row is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamFormat {
    /// As the export: with the chain, so that what arrived can be verified.
    #[default]
    Jsonl,
    /// Events of the class API Activity of the Open Cybersecurity Schema Framework.
    Ocsf,
    /// Common Event Format.
    Cef,
}

impl StreamFormat {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Ocsf => "ocsf",
            Self::Cef => "cef",
        }
    }
}

/// A stream as it is written in the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// By which the portal remembers how far it has come; another id begins at the first row.
    pub id: String,
    to: String,
    #[serde(default)]
    pub format: StreamFormat,
    /// The header `Authorization`, whole, by `env:NAME` or `file:/path`.
    #[serde(default)]
    authorization: Option<String>,
    /// A PEM file with the authority of the collector's certificate; without it those of the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// Where the rows of a stream go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    File(PathBuf),
    Collector(url::Url),
}

impl std::fmt::Display for Destination {
    /// Without path and query of an address, which may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Collector(url) => f.write_str(url.host_str().unwrap_or_default()),
        }
    }
}

impl StreamConfig {
    /// None only before [`AuditConfig::check`].
    #[must_use]
    pub fn destination(&self) -> Option<Destination> {
        if let Some(path) = self.to.strip_prefix("file:") {
            return path.starts_with('/').then(|| Destination::File(PathBuf::from(path)));
        }
        let url = url::Url::parse(&self.to).ok()?;
        is_safe_origin(&url).then_some(Destination::Collector(url))
    }

    /// Where the header is; none for a collector that wants none.
    #[must_use]
    pub fn authorization(&self) -> Option<Reference> {
        self.authorization.as_deref().and_then(|text| Reference::parse(text).ok())
    }
}

impl AuditConfig {
    /// # Errors
    /// The first value that cannot work, with its key.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.streams.len() > MAX_STREAMS {
            return Err(ConfigError::value("audit.streams", &format!("must be at most {MAX_STREAMS}")));
        }
        for (index, stream) in self.streams.iter().enumerate() {
            let wrong = |key: &str, why: &str| Err(ConfigError::value(&format!("audit.streams[{index}].{key}"), why));
            let letters = stream.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !letters || !(1..=40).contains(&stream.id.len()) {
                return wrong("id", "must be 1 to 40 of a-z, 0-9 and -");
            }
            if self.streams[..index].iter().any(|before| before.id == stream.id) {
                return wrong("id", "is another stream's already");
            }
            let Some(destination) = stream.destination() else {
                return wrong("to", "must be https://..., http://... on this machine, or file:/path");
            };
            let file = matches!(destination, Destination::File(_));
            if file && (stream.authorization.is_some() || stream.ca_file.is_some()) {
                return wrong("to", "is a file, which takes neither authorization nor ca_file");
            }
            if let Some(Err(why)) = stream.authorization.as_deref().map(Reference::parse) {
                return wrong("authorization", &why);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Destination;
    use crate::config::load;

    fn read(stream: &str) -> Result<crate::config::Config, String> {
        load(Some(&format!("[[audit.streams]]\n{stream}")), std::iter::empty()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_stream_names_where_it_goes_and_never_its_secret() {
        let good = read(
            "id = 'siem'\nto = 'https://siem.example.org/in?key=abc'\nformat = 'ocsf'\nauthorization = 'env:SIEM'",
        );
        let stream = good.unwrap().audit.streams.remove(0);
        assert_eq!(stream.destination().unwrap().to_string(), "siem.example.org");
        assert!(stream.authorization().is_some());
        let file = read("id = 'file'\nto = 'file:/var/log/audit.jsonl'").unwrap().audit.streams.remove(0);
        assert_eq!(file.destination(), Some(Destination::File("/var/log/audit.jsonl".into())));
    }

    #[test]
    fn what_cannot_work_is_named() {
        for (stream, key) in [
            ("id = 'A b'\nto = 'file:/x'", "audit.streams[0].id"),
            ("id = 'a'\nto = 'file:/x'\n[[audit.streams]]\nid = 'a'\nto = 'file:/y'", "audit.streams[1].id"),
            ("id = 'a'\nto = 'file:x'", "audit.streams[0].to"),
            ("id = 'a'\nto = 'http://siem.example.org'", "audit.streams[0].to"),
            ("id = 'a'\nto = 'https://me:pw@siem.example.org'", "audit.streams[0].to"),
            ("id = 'a'\nto = 'file:/x'\nauthorization = 'env:X'", "audit.streams[0].to"),
            ("id = 'a'\nto = 'https://x.example'\nauthorization = 'Bearer abc'", "audit.streams[0].authorization"),
            ("id = 'a'\nto = 'file:/x'\nformat = 'xml'", "xml"),
        ] {
            let why = read(stream).unwrap_err();
            assert!(why.contains(key) && !why.contains("Bearer"), "{stream}: {why}");
        }
    }
}
