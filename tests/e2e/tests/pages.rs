//! Every page, as it is seen: no accessibility finding, nothing wider than the window, nothing in the console.
//!
//! Two looks by default (English light on a desktop, French dark on a phone), all eight with `cargo xtask test --full`.
//! With `PASSERELLE_PICTURES=folder` it also leaves a picture of each.

use anyhow::{Context as _, Result, ensure};
use passerelle_e2e::{Chromium, Look, Portal, Tab};
use serde_json::{Value, json};
use std::path::PathBuf;

const SERVICE: &str = "skillforge/user-service";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_can_be_used_by_everybody() -> Result<()> {
    let portal = Portal::start().await?;
    portal.deploy(SERVICE, "staging", "1.0.0").await?;
    portal.measured().await?;
    let chromium = Chromium::launch().await?;
    let pictures = std::env::var_os("PASSERELLE_PICTURES").map(PathBuf::from);
    let tab = chromium.tab(&portal.origin).await?;
    let mut wrong = Vec::new();
    let looks = Look::some(std::env::var_os("PASSERELLE_TEST_FULL").is_some());
    for look in &looks {
        tab.look(*look).await?;
        for path in ["/sign-in".to_owned(), portal.set_up_link.clone()] {
            see(&tab, *look, &path, 200, pictures.as_ref(), &mut wrong).await?;
        }
    }
    tab.look(Look { locale: "en", theme: "light", width: 1280 }).await?;
    tab.set_up(&portal).await?;
    let mut pages = pages(&tab).await?;
    pages.extend(of_notifications(&portal).await?.into_iter().map(|path| (path, 200)));
    pages.extend(of_deliveries(&portal).await?.into_iter().map(|path| (path, 200)));
    pages.extend(of_gates(&portal).await?.into_iter().map(|path| (path, 200)));
    for look in &looks {
        tab.look(*look).await?;
        for (path, status) in &pages {
            see(&tab, *look, path, *status, pictures.as_ref(), &mut wrong).await?;
        }
    }
    ensure!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
    chromium.close().await
}

/// Path and status of every page: those of the navigation, and one of each kind that they lead to.
async fn pages(tab: &Tab) -> Result<Vec<(String, i64)>> {
    let mut paths = tab.navigation().await?;
    let service = format!("/services/{SERVICE}");
    for page in ["slos", "releases", "history", "dependencies", "audit"] {
        paths.push(format!("{service}?tab={page}"));
    }
    paths.push(service.clone());
    paths.push(format!("{service}/deploy?environment=staging"));
    paths.push(format!("{service}/deploy?environment=staging&version=1.1.0"));
    paths.push(format!("{service}/deploy?environment=production&version=1.1.0"));
    for act in ["rollback", "restart", "scale", "hold"] {
        paths.push(format!("{service}/{act}?environment=staging"));
    }
    for (list, start) in [
        ("/deployments", "/deployments/"),
        ("/systems", "/systems/"),
        ("/environments", "/environments/"),
        ("/slos", "/slos/0"),
        ("/connections", "/connections/"),
        ("/bindings", "/bindings/"),
        ("/systems/skillforge/skillforge", "/entities/"),
    ] {
        tab.open(list).await?;
        paths.push(tab.link(start).await.with_context(|| list.to_owned())?);
    }
    for path in ["/environments/new", "/connections/new", "/bindings/new", "/access/users", "/access/users/ada"] {
        paths.push(path.to_owned());
    }
    for path in [
        "/access/tokens",
        "/confirm",
        "/access/sessions",
        "/access/why",
        "/access/simulate?user=ada&environment=production&role=viewer&scope_kind=everything",
        "/access/who",
        "/ui",
        "/onboard",
        "/onboard/gke-service",
        "/onboard/gke-service?step=2",
        "/onboard/gke-service/adopt",
        "/slos?system=no/such",
        "/slos/import",
        "/slos/new",
        "/slos/policies",
        "/services?q=nothing-has-this-name",
    ] {
        paths.push(path.to_owned());
    }
    let mut pages: Vec<(String, i64)> = paths.into_iter().map(|path| (path, 200)).collect();
    pages.extend([("/no-such-page".to_owned(), 404), ("/services/skillforge/nobody".to_owned(), 404)]);
    Ok(pages)
}

/// A channel whose messages get nowhere, because nobody has opened this machine's own addresses, so that the log has something to show.
async fn of_notifications(portal: &Portal) -> Result<Vec<String>> {
    let channel = json!({ "name": "on-call", "kind": "webhook", "language": "fr",
        "config": { "url": "https://127.0.0.1:9/hook", "secret": { "value": "a secret of the test" } } });
    portal.api("POST", "/notifications/channels", Some(&channel)).await?;
    let rule = json!({ "channel": "on-call", "tier": "production", "team": "skillforge/core" });
    let all = json!({ "channel": "on-call", "events": ["deployment.failed", "approval.requested", "freeze.created"] });
    let rule = portal.api("POST", "/notifications/rules", Some(&rule)).await?;
    portal.api("POST", "/notifications/rules", Some(&all)).await?;
    let rule = format!("/notifications/rules/{}", rule["id"].as_str().context("no id")?);
    let fixed = [
        "/notifications/channels/new",
        "/notifications/channels/new?kind=email",
        "/notifications/channels/on-call",
        "/notifications/rules",
        "/notifications/rules/new",
        "/notifications/deliveries",
    ];
    Ok(fixed.into_iter().map(str::to_owned).chain([rule]).collect())
}

/// A new service whose files arrived in a folder of repositories, and did not in another.
async fn of_deliveries(portal: &Portal) -> Result<Vec<String>> {
    let template = portal.api("GET", "/templates/static-site", None).await?;
    let mut answers = template["example"].clone();
    answers["name"] = "brochure".into();
    answers["owner"] = "group:skillforge/platform".into();
    answers["system"] = "skillforge/skillforge".into();
    let made =
        portal.api("POST", "/onboardings", Some(&json!({ "template": "static-site", "answers": answers }))).await?;
    let id = made["id"].as_str().context("no id")?;
    let deliveries = format!("/onboardings/{id}/deliveries");
    for (to, state) in [
        (json!({ "repository": "sites/brochure.git" }), "done"),
        (json!({ "repository": "sites/nowhere.git", "into": "existing" }), "failed"),
    ] {
        let asked = portal.api("POST", &deliveries, Some(&to)).await?;
        let path = format!("{deliveries}/{}", asked["id"].as_str().context("no id")?);
        let start = std::time::Instant::now();
        while portal.api("GET", &path, None).await?["state"] != state {
            ensure!(start.elapsed() < std::time::Duration::from_secs(20), "{to} is not {state}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
    portal.repository(
        "team/menu.git",
        &[("Dockerfile", "FROM python:3.12\nEXPOSE 9000\n"), ("README.md", "Tells what there is.\n")],
    )?;
    let found = "/onboard/swarm-service/adopt?repository=team/menu.git";
    Ok(vec![format!("/onboarding/{id}"), "/onboard?behind=true".to_owned(), found.to_owned()])
}

/// What gates have to show: a request that waits, one that was stopped, a freeze now and every weekend, a report and a waiver.
async fn of_gates(portal: &Portal) -> Result<Vec<String>> {
    let id = |value: &Value| value["id"].as_str().map(str::to_owned).context("no id");
    let policy = json!({ "freeze": "block", "preflight": "block", "approval": { "needed": 2 },
        "promotion_order": { "mode": "block", "healthy_minutes": 0 }, "vulnerability": { "mode": "block" } });
    portal.api("PUT", "/gates/policies/production", Some(&policy)).await?;
    let wanted = json!({ "service": SERVICE, "environment": "production", "version": "1.0.0", "reason": "profiles" });
    let waiting = id(&portal.api("POST", "/deployments", Some(&wanted)).await?)?;
    let stopped = json!({ "service": "skillforge/project-service", "environment": "production", "version": "1.1.0",
        "reason": "never ran before" });
    let freezes = [
        json!({ "scope": { "kind": "service", "value": "skillforge/project-service" }, "title": "Moving house" }),
        json!({ "scope": { "kind": "environment", "value": "production" }, "title": "Weekends, and nobody deploys",
            "starts_at": "2026-10-02T16:00:00Z", "ends_at": "2026-10-05T04:00:00Z", "time_zone": "Europe/Paris",
            "recurrence": "FREQ=WEEKLY;BYDAY=FR" }),
    ];
    let mut freeze = String::new();
    for new in &freezes {
        freeze = id(&portal.api("POST", "/freezes", Some(new)).await?)?;
    }
    let stopped = id(&portal.api("POST", "/deployments", Some(&stopped)).await?)?;
    let releases = portal.api("GET", &format!("/services/{SERVICE}/releases"), None).await?;
    let release = id(&releases["items"][0])?;
    let found = |name: &str, severity: &str| {
        json!({ "VulnerabilityID": name, "PkgName": "libssl3", "InstalledVersion": "3.0.1", "FixedVersion": "3.0.2",
            "Severity": severity, "Title": "A bound is not checked when a long name is read" })
    };
    let found = [found("CVE-2024-1", "CRITICAL"), found("CVE-2024-2", "HIGH"), found("CVE-2024-3", "LOW")];
    let report = json!({ "SchemaVersion": 2, "ArtifactName": "x", "Results": [{ "Vulnerabilities": found }] });
    portal.api("PUT", &format!("/releases/{release}/vulnerabilities"), Some(&report)).await?;
    let until = time::OffsetDateTime::now_utc() + time::Duration::days(30);
    let until = until.format(&time::format_description::well_known::Rfc3339)?;
    let waiver = json!({ "service": SERVICE, "vulnerability": "CVE-2024-2", "reason": "not reachable from outside",
        "expires_at": until });
    portal.api("POST", "/waivers", Some(&waiver)).await?;
    let glass = format!("/services/{SERVICE}/break-glass?environment=production&version=1.1.0");
    let waivers = format!("/services/{SERVICE}/waivers");
    let of = |place: &str, id: String| format!("{place}/{id}");
    let named = [
        "/environments/production",
        "/gates/production",
        "/freezes/new",
        "/freezes?all=true&month=2026-10",
        "/break-glass",
        "/",
        "/approvals",
    ];
    let made = [glass, waivers, of("/deployments", waiting), of("/deployments", stopped), of("/freezes", freeze)];
    let paths = made.into_iter().chain([of("/releases", release)]);
    Ok(paths.chain(named.map(str::to_owned)).collect())
}

async fn see(
    tab: &Tab,
    look: Look,
    path: &str,
    status: i64,
    pictures: Option<&PathBuf>,
    wrong: &mut Vec<String>,
) -> Result<()> {
    // Again for each page: taking a picture changes the window.
    tab.look(look).await?;
    tab.open(path).await?;
    let mut findings = tab.axe().await?;
    let (seen, over) = (tab.status().await?, tab.too_wide().await?);
    if seen != status {
        findings.push(format!("status {seen} instead of {status}"));
    }
    if over > 0 {
        findings.push(format!("{over} px too wide"));
    }
    // A page that is missing is a line in the console too.
    findings.extend(tab.complaints().into_iter().filter(|_| status == 200));
    wrong.extend(findings.into_iter().map(|finding| format!("{look} {path}: {finding}")));
    if let Some(folder) = pictures {
        std::fs::create_dir_all(folder)?;
        let name = path.rsplit_once("://").map_or(path, |_| "setup").replace(['/', '?', '&', '='], "_");
        tab.picture(&folder.join(format!("{look}{name}.png"))).await?;
    }
    Ok(())
}
