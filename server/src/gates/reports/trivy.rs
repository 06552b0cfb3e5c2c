//! The JSON that `trivy image --format json` writes.

use super::{MAX_FINDINGS, scan, set, too_many, words};
use crate::kernel::{AppError, Result};
use passerelle_contract::gates::{Scan, Vulnerability, VulnerabilitySeverity};
use passerelle_contract::text;
use serde_json::Value;

pub fn read(report: &Value) -> Result<Scan> {
    let mut found = Vec::new();
    // A report of an image without packages has no results.
    for (at, result) in list(report.get("Results"), "/Results")?.iter().enumerate() {
        let place = format!("/Results/{at}/Vulnerabilities");
        for (number, one) in list(result.get("Vulnerabilities"), &place)?.iter().enumerate() {
            if found.len() >= MAX_FINDINGS {
                return Err(too_many());
            }
            let id = set(words(one.get("VulnerabilityID")))
                .ok_or_else(|| AppError::field(format!("{place}/{number}/VulnerabilityID"), text!("is missing")))?;
            found.push(Vulnerability {
                id,
                package: words(one.get("PkgName")),
                installed: words(one.get("InstalledVersion")),
                fixed: set(words(one.get("FixedVersion"))),
                fix_unknown: false,
                severity: VulnerabilitySeverity::parse(&words(one.get("Severity"))),
                title: words(one.get("Title")),
            });
        }
    }
    let scanner = match set(words(report.pointer("/Trivy/Version"))) {
        Some(version) => format!("Trivy {version}"),
        None => "Trivy".to_owned(),
    };
    scan("trivy", scanner, set(words(report.get("ArtifactName"))), found)
}

/// The digests that the report says it is about.
pub fn digests(report: &Value) -> Vec<String> {
    let digests = report.pointer("/Metadata/RepoDigests").and_then(Value::as_array);
    digests
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(|text| text.split_once('@'))
        .map(|(_, digest)| digest.to_owned())
        .collect()
}

/// Trivy writes `null` or nothing for an empty list.
fn list<'a>(value: Option<&'a Value>, place: &str) -> Result<&'a [Value]> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(AppError::field(place, text!("must be a list"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read as read_report;
    use crate::kernel::Result;
    use passerelle_contract::gates::Scan;
    use passerelle_contract::gates::VulnerabilitySeverity;
    use serde_json::json;

    fn read(body: &[u8]) -> Result<Scan> {
        read_report(body, None)
    }

    #[test]
    fn severities_and_fixes_are_read_and_doubles_are_one() {
        let one = json!({ "VulnerabilityID": "CVE-2024-1", "PkgName": "openssl", "InstalledVersion": "3.0.1",
                          "FixedVersion": "3.0.2", "Severity": "HIGH", "Title": "bad\u{202e} thing" });
        let open = json!({ "VulnerabilityID": "CVE-2024-2", "PkgName": "zlib", "InstalledVersion": "1", "Severity": "CRITICAL" });
        let report = json!({ "SchemaVersion": 2, "ArtifactName": "tinyweb:v2", "Trivy": { "Version": "0.58.0" },
            "Results": [{ "Target": "a", "Vulnerabilities": [one, open] }, { "Target": "b", "Vulnerabilities": [one] },
                        { "Target": "c", "Vulnerabilities": null }] });
        let scan = read(report.to_string().as_bytes()).unwrap();
        assert_eq!((scan.critical, scan.high, scan.vulnerabilities.len()), (1, 1, 2));
        assert_eq!((scan.scanner.as_str(), scan.artifact.as_deref()), ("Trivy 0.58.0", Some("tinyweb:v2")));
        assert_eq!(scan.vulnerabilities[0].severity, VulnerabilitySeverity::Critical);
        assert_eq!(scan.vulnerabilities[0].fixed, None);
        assert_eq!(scan.vulnerabilities[1].title, "bad thing");
    }

    #[test]
    fn a_clean_image_is_clean_and_a_nameless_finding_is_an_error() {
        let clean = read(br#"{"SchemaVersion":2,"ArtifactName":"x","Results":null}"#).unwrap();
        assert!(clean.vulnerabilities.is_empty());
        let error = read(br#"{"SchemaVersion":2,"Results":[{"Vulnerabilities":[{"Severity":"HIGH"}]}]}"#).unwrap_err();
        assert!(error.to_string().contains("/Results/0/Vulnerabilities/0/VulnerabilityID"), "{error}");
    }
}
