//! The first row in a real browser. The browser is driven by the crate of the browser tests, so that this one stays small.

use anyhow::{Context as _, Result};

use super::request::Credential;
use super::server::Server;
use crate::paths::Paths;
use crate::process::{cargo, output};

/// Milliseconds until the first row of the list is painted, with an empty cache; the middle one of several loads.
pub fn first_row(paths: &Paths, server: &Server, person: &Credential, chromium: &str) -> Result<f64> {
    let Credential::Cookie(cookie) = person else { anyhow::bail!("a browser needs a session") };
    let origin = format!("http://{}", server.address);
    let printed = output(
        cargo(paths)
            .args(["run", "--quiet", "--package", "passerelle-e2e", "--example", "first_row", "--"])
            .args([&origin, cookie])
            .env("PASSERELLE_CHROMIUM", chromium),
    )?;
    let milliseconds = printed.split_whitespace().next().and_then(|text| text.parse().ok());
    milliseconds.with_context(|| format!("{printed:?} is not a time"))
}
