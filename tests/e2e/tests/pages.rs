//! Every page, as it is seen: no accessibility finding, nothing wider than the window, nothing in the console.
//!
//! Two looks by default (English light on a desktop, French dark on a phone), all eight with `cargo xtask test --full`.
//! With `PASSERELLE_PICTURES=folder` it also leaves a picture of each.

use anyhow::{Context as _, Result, ensure};
use passerelle_e2e::{Chromium, Look, Portal, Tab};
use std::path::PathBuf;

const SERVICE: &str = "skillforge/user-service";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_can_be_used_by_everybody() -> Result<()> {
    let portal = Portal::start().await?;
    portal.deploy(SERVICE, "staging", "1.0.0").await?;
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
    let pages = pages(&tab).await?;
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
    for page in ["releases", "history", "dependencies", "audit"] {
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
    for path in ["/access/tokens", "/access/sessions", "/access/why", "/ui", "/services?q=nothing-has-this-name"] {
        paths.push(path.to_owned());
    }
    let mut pages: Vec<(String, i64)> = paths.into_iter().map(|path| (path, 200)).collect();
    pages.extend([("/no-such-page".to_owned(), 404), ("/services/skillforge/nobody".to_owned(), 404)]);
    Ok(pages)
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
