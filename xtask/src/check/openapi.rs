//! `docs/openapi.json` is what the server describes.

use anyhow::{Context as _, Result, bail};

use crate::paths::Paths;
use crate::process::{cargo, output};

const SNAPSHOT: &str = "docs/openapi.json";

pub fn check(paths: &Paths, write: bool) -> Result<()> {
    // The features of the lint before it, so that it builds no second variant.
    let described = output(cargo(paths).args([
        "run",
        "--quiet",
        "--package",
        "passerelle",
        "--features",
        "simulator",
        "--",
        "openapi",
    ]))?;
    let path = paths.root().join(SNAPSHOT);
    if write {
        return std::fs::write(&path, described).with_context(|| format!("cannot write {SNAPSHOT}"));
    }
    let snapshot = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {SNAPSHOT}; make it with: cargo xtask check --write openapi"))?;
    compare(&snapshot, &described)
}

fn compare(snapshot: &str, described: &str) -> Result<()> {
    let (snapshot, described) = (snapshot.trim_end(), described.trim_end());
    if snapshot == described {
        return Ok(());
    }
    let (mut line, mut ours, mut theirs) = (1, snapshot.lines(), described.lines());
    loop {
        match (ours.next(), theirs.next()) {
            (a, b) if a == b => line += 1,
            (a, b) => bail!(
                "{SNAPSHOT} is not what the server describes, first in line {line}:\n    file:   {}\n    server: {}\n\
                 look at the change, then: cargo xtask check --write openapi",
                a.unwrap_or("(ends)"),
                b.unwrap_or("(ends)")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn the_first_difference_is_shown() {
        assert!(compare("{\n \"a\": 1\n}\n", "{\n \"a\": 1\n}").is_ok());
        let error = compare("{\n \"a\": 1\n}", "{\n \"a\": 2\n}").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("\"a\": 2"), "{error}");
        assert!(compare("{", "{\n}").unwrap_err().to_string().contains("(ends)"));
    }
}
