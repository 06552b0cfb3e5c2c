//! A release in the bucket: where its parts lie, and how browsers may treat them. Pure.

use super::binding::{BindingConfig, Folder};
use crate::{ImageRef, TargetError};
use passerelle_contract::text;
use serde::{Deserialize, Serialize};

/// One version of the site, known by the digest of its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    /// The reference as it was given.
    pub image: String,
    /// 64 hexadecimal digits.
    pub digest: String,
}

impl Release {
    /// # Errors
    /// [`TargetError::Config`] at `/image` for what is no reference, or one without a digest.
    pub fn of(image: &str) -> Result<Self, TargetError> {
        let wrong = |message| TargetError::Config { pointer: "/image".to_owned(), message };
        let parsed = ImageRef::parse(image).map_err(|error| wrong(error.text()))?;
        let digest = parsed.digest.as_deref().and_then(|digest| digest.strip_prefix("sha256:"));
        let needs = || text!("a static site is deployed by the digest of its archive: name:version@sha256:...");
        let digest = digest.ok_or_else(|| wrong(needs()))?.to_owned();
        Ok(Self { image: image.to_owned(), digest })
    }

    /// Short, and long enough to be one release only.
    pub fn id(&self) -> &str {
        &self.digest[..16]
    }
}

/// What a release consists of; written last, so that it is complete where this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub image: String,
    /// Seconds since 1970.
    pub created: u64,
    pub files: Vec<File>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct File {
    pub path: String,
    pub size: usize,
    /// Its name carries a hash: it is made once, where the site is.
    pub hashed: bool,
}

impl Manifest {
    /// The files that each version has its own of, but for the page that is the switch.
    pub fn replaced(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter(|file| !file.hashed && file.path != ENTRY).map(|file| file.path.as_str())
    }

    pub fn hashed(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter(|file| file.hashed).map(|file| file.path.as_str())
    }
}

/// The switch.
pub(super) const ENTRY: &str = "index.html";
pub(super) const MANIFEST: &str = "manifest.json";

/// Where in the bucket things are.
impl BindingConfig {
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.prefix.as_str())
    }

    pub(super) fn releases(&self) -> String {
        self.at("releases/")
    }

    pub(super) fn kept(&self, id: &str, path: &str) -> String {
        format!("{}{id}/files/{path}", self.releases())
    }

    /// Who writes the files that are replaced.
    pub(super) fn claim(&self) -> String {
        format!("{}claim.json", self.releases())
    }

    pub(super) fn manifest(&self, id: &str) -> String {
        format!("{}{id}/{MANIFEST}", self.releases())
    }

    pub(super) fn archive_names(&self, digest: &str) -> [String; 3] {
        ["tar.gz", "zip", "tar"].map(|kind| format!("{}{digest}.{kind}", self.archives.as_str()))
    }
}

/// Whether browsers may keep a file for ever. Only where the binding says that names carry hashes, and only for a name that does:
/// eight signs or more after the last `-` or `.` of the stem, with a digit or a capital among them.
pub(super) fn is_hashed(path: &str, assets: &[Folder]) -> bool {
    let in_assets = assets.iter().any(|folder| !folder.as_str().is_empty() && path.starts_with(folder.as_str()));
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.strip_suffix(".map").unwrap_or(name);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let hash = |hash: &str| {
        hash.len() >= 8
            && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && hash.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    };
    in_assets && stem.rsplit(['-', '.']).next().is_some_and(|last| last.len() < stem.len() && hash(last))
}

pub(super) const fn cache_of(hashed: bool) -> &'static str {
    if hashed { "public, max-age=31536000, immutable" } else { "no-cache" }
}

pub(super) fn type_of(path: &str) -> &'static str {
    let extension = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension);
    match extension.unwrap_or_default().to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "xml" => "application/xml",
        "txt" | "md" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_its_digest() {
        let digest = "ab".repeat(32);
        let release = Release::of(&format!("team/web:1.0@sha256:{digest}")).unwrap();
        assert_eq!((release.id(), release.digest.as_str()), ("abababababababab", digest.as_str()));
        for text in ["team/web:1.0", "-x", "web@sha256:12"] {
            assert!(matches!(Release::of(text), Err(TargetError::Config { .. })), "{text}");
        }
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        let assets = [Folder::try_from("assets".to_owned()).unwrap()];
        for (path, hashed) in [
            ("assets/index-DiwrgTda.js", true),
            ("assets/main.3f2a1b9c.css.map", true),
            ("assets/deep/chunk-1a2b3c4d.js", true),
            ("assets/jquery-bootstrap.js", false),
            ("assets/logo.svg", false),
            ("assets/3f2a1b9c.js", false),
            ("index-DiwrgTda.js", false),
            ("index.html", false),
        ] {
            assert_eq!(is_hashed(path, &assets), hashed, "{path}");
        }
        assert!(!is_hashed("index-DiwrgTda.js", &[Folder::default()]), "the whole bucket is no folder of assets");
    }

    #[test]
    fn types_are_by_extension() {
        assert_eq!(type_of("a/INDEX.HTML"), "text/html; charset=utf-8");
        assert_eq!(type_of("x.js/LICENSE"), "application/octet-stream");
    }
}
