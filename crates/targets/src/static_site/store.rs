//! What a site asks of a store of objects, and what the stores share.

use crate::{TargetError, masking};
use async_trait::async_trait;
use passerelle_contract::{Text, text};
use std::fmt;

/// The content of an object and its version.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub bytes: Vec<u8>,
    pub version: Version,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({} bytes, {})", self.bytes.len(), self.version.0)
    }
}

/// What a conditional write compares: Google's generation, or the ETag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version(pub String);

/// When a write may take place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum When {
    Absent,
    Is(Version),
}

/// What is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content<'a> {
    pub bytes: &'a [u8],
    pub content_type: &'a str,
    pub cache: &'a str,
}

/// What came of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Yes,
    /// The object has another version, or is there.
    Conflict,
}

/// A bucket. Names are whole: the store adds nothing.
#[async_trait]
pub(super) trait Store: Send + Sync {
    async fn check(&self) -> Result<String, TargetError>;

    /// The object, of at most `max` bytes; `bucket` when it is not the connection's own.
    async fn get(&self, bucket: Option<&str>, name: &str, max: usize) -> Result<Option<Object>, TargetError>;

    /// The version without the content.
    async fn version(&self, bucket: Option<&str>, name: &str) -> Result<Option<Version>, TargetError>;

    async fn put(&self, name: &str, content: Content<'_>, when: &When) -> Result<Written, TargetError>;

    /// Names that begin with `prefix`, at most [`MOST_LISTED`].
    async fn list(&self, prefix: &str) -> Result<Vec<String>, TargetError>;

    /// Deletes; an object that is not there is no error.
    async fn delete(&self, name: &str) -> Result<(), TargetError>;

    /// Whether `index.html` answers for what is not found.
    async fn falls_back(&self) -> Result<bool, TargetError>;

    /// Makes `index.html` the page of folders and of what is not found.
    async fn fall_back(&self) -> Result<(), TargetError>;
}

/// More names than this are not looked at.
pub(super) const MOST_LISTED: usize = 20_000;

/// An answer that is no success, as an error.
pub(super) fn refusal(who: &str, status: u16, said: &str, what: Text) -> TargetError {
    let said: String = masking::shown(said).chars().take(300).collect();
    let said = if said.is_empty() { text!("status {status}", status) } else { Text::verbatim(said) };
    match status {
        401 | 403 => TargetError::Forbidden(said),
        404 => TargetError::Missing(what),
        429 => TargetError::Unreachable(text!("{who} asks to slow down", who)),
        300..=499 => TargetError::Refused(said),
        _ => TargetError::Unreachable(text!("{name} answered {status}", name = who, status)),
    }
}
