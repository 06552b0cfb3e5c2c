//! Reports of scanners: Trivy's, and SARIF.

use crate::choice;
use passerelle_server::gates::read_report;

pub fn run(bytes: &[u8]) {
    let (named, body) = choice(bytes);
    let digest = (named % 2 == 1).then_some("sha256:11");
    let Ok(scan) = read_report(body, digest) else { return };
    assert!(scan.vulnerabilities.len() <= 2_000);
    let counted = [scan.critical, scan.high, scan.medium, scan.low, scan.unknown]
        .iter()
        .map(|count| *count as usize)
        .sum::<usize>();
    assert!(counted >= scan.vulnerabilities.len(), "more is listed than counted");
    for found in &scan.vulnerabilities {
        let clean = |text: &str| text.chars().count() <= 200 && !text.contains(['\n', '\0', '\u{202e}']);
        assert!(clean(&found.id) && clean(&found.package), "{found:?}");
    }
}
