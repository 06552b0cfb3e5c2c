//! SARIF 2.1.0, as Trivy, Grype and others write it.
//!
//! SARIF has no field for a severity in our sense, nor for the version with the fix. Trivy writes both as lines of the message;
//! without them the severity comes from the rule's `security-severity` (CVSS), else from the level, and the fix is unknown,
//! which counts as if there were one.

use super::{MAX_FINDINGS, clean, scan, set, too_many, words};
use crate::kernel::{AppError, Result};
use passerelle_contract::gates::{Scan, Vulnerability, VulnerabilitySeverity};
use passerelle_contract::text;
use serde_json::Value;
use std::collections::HashMap;

pub fn read(report: &Value) -> Result<Scan> {
    let runs = report
        .get("runs")
        .and_then(Value::as_array)
        .ok_or_else(|| AppError::field("/runs", text!("must be a list")))?;
    if runs.is_empty() {
        return Err(AppError::field("/runs", text!("must have a run: without one nothing was looked at")));
    }
    let (mut found, mut scanners) = (Vec::new(), Vec::new());
    for (at, run) in runs.iter().enumerate() {
        let driver = run.pointer("/tool/driver");
        scanners.push(name(driver));
        let rules =
            driver.and_then(|driver| driver.get("rules")).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let by_id: HashMap<&str, &Value> =
            rules.iter().filter_map(|rule| Some((rule.get("id")?.as_str()?, rule))).collect();
        let results = match run.get("results") {
            // Absent or null: the run did not come to an end.
            None | Some(Value::Null) => {
                return Err(AppError::field(
                    format!("/runs/{at}/results"),
                    text!("is missing: the run found no result at all"),
                ));
            }
            Some(Value::Array(results)) => results,
            Some(_) => return Err(AppError::field(format!("/runs/{at}/results"), text!("must be a list"))),
        };
        for (number, result) in results.iter().enumerate() {
            if found.len() >= MAX_FINDINGS {
                return Err(too_many());
            }
            let place = format!("/runs/{at}/results/{number}");
            found.push(
                finding(result, rules, &by_id)
                    .ok_or_else(|| AppError::field(format!("{place}/ruleId"), text!("is missing")))?,
            );
        }
    }
    scanners.dedup();
    scan("sarif", scanners.join(", "), None, found)
}

fn finding(result: &Value, rules: &[Value], by_id: &HashMap<&str, &Value>) -> Option<Vulnerability> {
    let index = result.get("ruleIndex").or_else(|| result.pointer("/rule/index")).and_then(Value::as_u64);
    let by_index = index.and_then(|index| rules.get(usize::try_from(index).ok()?));
    let named = result.get("ruleId").or_else(|| result.pointer("/rule/id")).and_then(Value::as_str);
    let rule = named.and_then(|id| by_id.get(id).copied()).or(by_index);
    let id = set(clean(named.or_else(|| rule?.get("id")?.as_str())?))?;
    let message = result.pointer("/message/text").and_then(Value::as_str).unwrap_or_default();
    let line = |name: &str| message.lines().find_map(|line| line.trim().strip_prefix(name)).map(clean);
    let fixed = line("Fixed Version:");
    Some(Vulnerability {
        id,
        package: line("Package:").unwrap_or_default(),
        installed: line("Installed Version:").unwrap_or_default(),
        fix_unknown: fixed.is_none(),
        fixed: fixed.and_then(set),
        severity: line("Severity:").map_or_else(|| severity(result, rule), |word| VulnerabilitySeverity::parse(&word)),
        title: words(rule.and_then(|rule| rule.pointer("/shortDescription/text"))),
    })
}

fn severity(result: &Value, rule: Option<&Value>) -> VulnerabilitySeverity {
    let score = |value: Option<&Value>| {
        let value = value?.pointer("/properties/security-severity")?;
        value.as_str().map_or_else(|| value.as_f64(), |text| text.trim().parse().ok())
    };
    if let Some(score) = score(Some(result)).or_else(|| score(rule)) {
        return match score {
            score if score >= 9.0 => VulnerabilitySeverity::Critical,
            score if score >= 7.0 => VulnerabilitySeverity::High,
            score if score >= 4.0 => VulnerabilitySeverity::Medium,
            score if score > 0.0 => VulnerabilitySeverity::Low,
            _ => VulnerabilitySeverity::Unknown,
        };
    }
    let level = result.get("level").or_else(|| rule?.pointer("/defaultConfiguration/level")).and_then(Value::as_str);
    match level {
        Some("error") => VulnerabilitySeverity::High,
        // The level that holds when none is written.
        Some("warning") | None => VulnerabilitySeverity::Medium,
        Some("note") => VulnerabilitySeverity::Low,
        Some(_) => VulnerabilitySeverity::Unknown,
    }
}

fn name(driver: Option<&Value>) -> String {
    let field = |name: &str| words(driver.and_then(|driver| driver.get(name)));
    let (name, version) = (field("name"), field("version"));
    format!("{} {version}", if name.is_empty() { "a scanner" } else { &name }).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::read as read_report;
    use crate::kernel::Result;
    use passerelle_contract::gates::Scan;
    use passerelle_contract::gates::VulnerabilitySeverity;
    use serde_json::{Value, json};

    fn report(rules: Value, results: Value) -> Vec<u8> {
        json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "Trivy", "version": "0.58", "rules": rules } }, "results": results }] })
            .to_string()
            .into_bytes()
    }

    fn read(body: &[u8]) -> Result<Scan> {
        read_report(body, None)
    }

    #[test]
    fn the_lines_of_trivy_are_read() {
        let message = "Package: openssl\nInstalled Version: 3.0.1\nVulnerability CVE-2024-1\nSeverity: HIGH\nFixed Version: 3.0.2\nLink: x";
        let open = "Package: zlib\nInstalled Version: 1\nSeverity: CRITICAL\nFixed Version: \n";
        let scan = read(&report(json!([]), json!([
            { "ruleId": "CVE-2024-1", "message": { "text": message } }, { "ruleId": "CVE-2024-2", "message": { "text": open } }
        ])))
        .unwrap();
        assert_eq!((scan.critical, scan.high, scan.scanner.as_str()), (1, 1, "Trivy 0.58"));
        let high = &scan.vulnerabilities[1];
        assert_eq!((high.package.as_str(), high.fixed.as_deref(), high.fix_unknown), ("openssl", Some("3.0.2"), false));
        assert_eq!((scan.vulnerabilities[0].fixed.as_deref(), scan.vulnerabilities[0].fix_unknown), (None, false));
    }

    #[test]
    fn without_them_the_score_counts_and_the_fix_is_unknown() {
        let rules = json!([{ "id": "GHSA-1", "properties": { "security-severity": "9.8" } }, { "id": "GHSA-2" }]);
        let scan = read(&report(rules, json!([
            { "ruleIndex": 0, "message": { "text": "x" } }, { "ruleId": "GHSA-2", "level": "error", "message": { "text": "y" } }
        ])))
        .unwrap();
        assert_eq!(scan.vulnerabilities[0].severity, VulnerabilitySeverity::Critical);
        assert!(scan.vulnerabilities.iter().all(|one| one.fix_unknown));
        assert_eq!(scan.high, 1);
    }

    #[test]
    fn a_run_without_results_is_not_a_clean_one() {
        assert!(read(br#"{"runs":[]}"#).is_err());
        assert!(read(br#"{"runs":[{"tool":{}}]}"#).is_err());
        assert!(read(&report(json!([]), json!([{ "message": { "text": "no rule" } }]))).is_err());
        assert!(read(&report(json!([]), json!([]))).unwrap().vulnerabilities.is_empty());
    }
}
