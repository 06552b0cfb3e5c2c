//! Reports of Trivy about three releases: one is clean, since what it has cannot be mended yet; one has a vulnerability with a fix, which
//! keeps it out of production; one has another that is waived.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::api::Api;

const VERSION_OF_TRIVY: &str = "0.58.0";
const WAIVED: &str = "CVE-2024-53981";

pub fn send(api: &Api) -> Result<()> {
    // Debian mends this one in a later release only.
    let unfixed = json!({
        "VulnerabilityID": "CVE-2023-45853", "PkgName": "zlib1g", "InstalledVersion": "1:1.2.13.dfsg-1",
        "Status": "will_not_fix", "Severity": "CRITICAL",
        "Title": "zlib: integer overflow and resultant heap-based buffer overflow in zipOpenNewFileInZip4_6",
    });
    let starlette = json!({
        "VulnerabilityID": "CVE-2024-47874", "PkgName": "starlette", "InstalledVersion": "0.38.2",
        "FixedVersion": "0.40.0", "Status": "fixed", "Severity": "HIGH",
        "Title": "starlette: denial of service by large multipart/form-data fields",
    });
    let multipart = json!({
        "VulnerabilityID": WAIVED, "PkgName": "python-multipart", "InstalledVersion": "0.0.12",
        "FixedVersion": "0.0.18", "Status": "fixed", "Severity": "HIGH",
        "Title": "python-multipart: denial of service by a deformed multipart/form-data boundary",
    });
    report(api, "skillforge/user-service", "1.2.0", &[&unfixed])?;
    report(api, "skillforge/project-service", "1.2.0", &[&starlette, &unfixed])?;
    report(api, "cloudtaskhub/billing", "1.6.0", &[&multipart])?;
    let until = (OffsetDateTime::now_utc() + Duration::days(30)).format(&Rfc3339)?;
    let waiver = json!({
        "service": "cloudtaskhub/billing", "vulnerability": WAIVED, "package": "python-multipart",
        "reason": "Billing takes JSON only; no route reads a form. The next release brings 0.0.18.", "expires_at": until,
    });
    api.post("/waivers", &waiver).map(drop)
}

fn report(api: &Api, service: &str, version: &str, found: &[&Value]) -> Result<()> {
    let releases = api.get(&format!("/services/{service}/releases"))?;
    let all = releases["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let release = all.iter().find(|release| release["version"] == version);
    let release = release.with_context(|| format!("{service} has no release {version}"))?;
    let (id, image) = (release["id"].as_str().unwrap_or_default(), release["image"].as_str().unwrap_or_default());
    let name = image.split('@').next().unwrap_or(image);
    let repository = name.rsplit_once(':').map_or(name, |(repository, _)| repository);
    let digest = image.split_once('@').map_or("", |(_, digest)| digest);
    let report = json!({
        "SchemaVersion": 2, "Trivy": { "Version": VERSION_OF_TRIVY }, "ArtifactName": name, "ArtifactType": "container_image",
        "Metadata": { "RepoTags": [name], "RepoDigests": [format!("{repository}@{digest}")] },
        "Results": [{ "Target": name, "Class": "lang-pkgs", "Vulnerabilities": found }],
    });
    api.put(&format!("/releases/{id}/vulnerabilities"), &report).map(drop)
}
