//! Reports of scanners, read with limits on everything: the bytes by the route, the number of findings and the length of each
//! text here. What is not a report of a known form is refused; a part of a report that cannot be read is an error, never "clean".

mod sarif;
mod trivy;

use crate::kernel::{AppError, Result, validate};
use passerelle_contract::gates::{Scan, Vulnerability, VulnerabilitySeverity};
use passerelle_contract::text;
use serde_json::Value;
use std::collections::BTreeMap;

/// Bytes of a report.
pub const MAX_BYTES: usize = 8 << 20;
const MAX_FINDINGS: usize = 20_000;
/// Kept per release; the worst come first, so what is left out is never what decides.
const MAX_KEPT: usize = 2000;
const MAX_TEXT_CHARS: usize = 200;

/// Reads a report, whichever of the known forms it has, and checks that it is about the artifact with this digest, where it says
/// what it is about.
///
/// # Errors
/// `Invalid` with the place that is wrong, `TooLarge`.
pub fn read(body: &[u8], digest: Option<&str>) -> Result<Scan> {
    if body.len() > MAX_BYTES {
        return Err(AppError::TooLarge { limit_bytes: MAX_BYTES });
    }
    let report: Value = serde_json::from_slice(body)
        .map_err(|error| AppError::field("", text!("is not JSON: {error}", error = error.to_string())))?;
    let has = |name| report.get(name).is_some();
    if has("runs") {
        sarif::read(&report)
    } else if has("SchemaVersion") || has("Results") {
        let digests = trivy::digests(&report);
        if let Some(digest) = digest.filter(|digest| !digests.is_empty() && !digests.iter().any(|one| one == digest)) {
            let message = text!("is about another artifact than this release, whose digest is {digest}", digest);
            return Err(AppError::field("/Metadata/RepoDigests", message));
        }
        trivy::read(&report)
    } else {
        Err(AppError::field(
            "",
            text!("must be a Trivy JSON report (with SchemaVersion and Results) or SARIF 2.1.0 (with runs)"),
        ))
    }
}

/// Counts, orders and cuts what a parser found.
fn scan(format: &str, scanner: String, artifact: Option<String>, found: Vec<Vulnerability>) -> Result<Scan> {
    // The same vulnerability of the same package in several layers is one.
    let mut unique: BTreeMap<(String, String, String), Vulnerability> = BTreeMap::new();
    for one in found {
        unique.entry((one.id.clone(), one.package.clone(), one.installed.clone())).or_insert(one);
    }
    let mut vulnerabilities: Vec<Vulnerability> = unique.into_values().collect();
    let fixable = |one: &Vulnerability| one.fixed.is_some() || one.fix_unknown;
    vulnerabilities.sort_by(|a, b| {
        b.severity.cmp(&a.severity).then_with(|| fixable(b).cmp(&fixable(a))).then_with(|| a.id.cmp(&b.id))
    });
    let count = |severity| {
        u32::try_from(vulnerabilities.iter().filter(|one| one.severity == severity).count()).unwrap_or(u32::MAX)
    };
    use VulnerabilitySeverity::{Critical, High, Low, Medium, Unknown};
    let (critical, high, medium, low, unknown) =
        (count(Critical), count(High), count(Medium), count(Low), count(Unknown));
    let bad = vulnerabilities.iter().filter(|one| one.severity >= High).count();
    if bad > MAX_KEPT {
        return Err(AppError::field(
            "",
            text!("has {bad} HIGH and CRITICAL vulnerabilities; at most {max} are read", bad, max = MAX_KEPT),
        ));
    }
    vulnerabilities.truncate(MAX_KEPT);
    Ok(Scan { format: format.to_owned(), scanner, artifact, critical, high, medium, low, unknown, vulnerabilities })
}

fn too_many() -> AppError {
    AppError::field("", text!("has more than {max} findings", max = MAX_FINDINGS))
}

/// A text of a scanner, short and without characters that hide or turn around what is written.
fn words(value: Option<&Value>) -> String {
    clean(value.and_then(Value::as_str).unwrap_or_default())
}

fn clean(text: &str) -> String {
    text.trim()
        .chars()
        .filter(|c| !validate::is_deceptive(*c) && *c != '\n' && *c != '\r')
        .take(MAX_TEXT_CHARS)
        .collect()
}

fn set(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_about_another_artifact_is_refused() {
        let body = br#"{"SchemaVersion":2,"Metadata":{"RepoDigests":["a/b@sha256:11"]}}"#;
        assert!(read(body, Some("sha256:11")).is_ok());
        assert!(read(body, None).is_ok());
        assert!(read(body, Some("sha256:22")).is_err());
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for body in [&b""[..], b"[]", b"{}", b"{\"a\":1}", b"null", b"{\"runs\":7}", b"{\"Results\":{}}"] {
            assert!(read(body, None).is_err(), "{}", String::from_utf8_lossy(body));
        }
        let deep = format!("{{\"runs\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(read(deep.as_bytes(), None).is_err());
        assert!(matches!(read(&vec![b' '; MAX_BYTES + 1], None), Err(AppError::TooLarge { .. })));
    }
}
