//! Every parser that reads what strangers send, each as a function of bytes that must come back: no panic, no endless work, and what it
//! let through is what it promises (`assert!`).
//!
//! `cargo xtask fuzz` runs each under libFuzzer (`docs/how-to/fuzz.md`). `tests/seeds.rs` runs each over its seeds, and over small changes of them,
//! with every other test. An input that once broke something stays among the seeds.

mod addresses;
mod archives;
mod audit;
mod catalog;
mod freezes;
mod markdown;
mod names;
mod objectives;
mod oidc;
mod platforms;
mod queries;
mod reports;
mod templates;
mod text;
mod webhooks;
mod yaml;

/// A parser.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Also the folder of its seeds.
    pub name: &'static str,
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// All of them.
pub const TARGETS: [Target; 23] = [
    target("addresses", addresses::run),
    target("alertmanager", webhooks::alertmanager),
    target("archives", archives::run),
    target("audit-export", audit::run),
    target("catalog", catalog::run),
    target("cursors", queries::cursors),
    target("freezes", freezes::run),
    target("github", webhooks::github),
    target("gitlab", webhooks::gitlab),
    target("markdown", markdown::run),
    target("names", names::run),
    target("networks", addresses::networks),
    target("objectives", objectives::run),
    target("oidc", oidc::run),
    target("oidc-logout", oidc::logout),
    target("platforms", platforms::run),
    target("prometheus", objectives::prometheus),
    target("queries", queries::run),
    target("reports", reports::run),
    target("template-answers", templates::answers),
    target("templates", templates::run),
    target("text", text::run),
    target("yaml", yaml::run),
];

/// What a browser or a program may send as text: the bytes, with what is no UTF-8 replaced.
fn lossy(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// The first byte as a choice, and the rest.
fn choice(bytes: &[u8]) -> (usize, &[u8]) {
    bytes.split_first().map_or((0, bytes), |(first, rest)| (usize::from(*first), rest))
}
