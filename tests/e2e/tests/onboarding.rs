//! What a newcomer does in a real browser: from sign-in to a service in the catalog with its archive in hand, in English, in French, and without scripts; and
//! adopting a service that is there.
//!
//! One test, since the walks share one server.

use anyhow::{Context as _, Result, ensure};
use passerelle_e2e::{Chromium, Portal, Tab};
use serde_json::json;
use std::time::{Duration, Instant};

/// What one needs at most, with what a person reads and types left out.
const MOST: Duration = Duration::from_secs(60);

/// The words that differ by language.
struct Words {
    matrix: &'static str,
    sign_in: &'static str,
    new: &'static str,
    path: &'static str,
    next: &'static str,
    look: &'static str,
    create: &'static str,
    made: &'static str,
    archive: &'static str,
    open: &'static str,
}

const ENGLISH: Words = Words {
    matrix: "What runs where",
    sign_in: "Sign in",
    new: "New service",
    path: "Docker Swarm",
    next: "Next",
    look: "Look and create",
    create: "Create skillforge/",
    made: "is in the catalog",
    archive: "Download the files (zip)",
    open: "Open the service",
};

const FRENCH: Words = Words {
    matrix: "Ce qui tourne où",
    sign_in: "Se connecter",
    new: "Nouveau service",
    path: "Docker Swarm",
    next: "Suivant",
    look: "Regarder et créer",
    create: "Créer skillforge/",
    made: "est dans le catalogue",
    archive: "Télécharger les fichiers (zip)",
    open: "Ouvrir le service",
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_makes_and_adopts_services() -> Result<()> {
    let portal = Portal::start().await?;
    let chromium = Chromium::launch().await?;
    in_english(&portal, &chromium).await.context("in English")?;
    let walks = [
        ("in French", in_french(&portal, &chromium).await),
        ("without scripts", without_scripts(&portal, &chromium).await),
        ("adopting without scripts", adopting(&portal, &chromium).await),
    ];
    let wrong = walks.into_iter().filter_map(|(walk, result)| Some(format!("{walk}: {:#}", result.err()?)));
    let wrong = wrong.collect::<Vec<_>>().join("\n\n");
    ensure!(wrong.is_empty(), "{wrong}");
    chromium.close().await
}

async fn in_english(portal: &Portal, chromium: &Chromium) -> Result<()> {
    let tab = chromium.tab(&portal.origin).await?;
    tab.set_up(portal).await?;
    tab.shows(ENGLISH.matrix).await?;
    makes_a_service(portal, &tab, &ENGLISH, "lunch").await?;
    tab.is_clean()
}

async fn in_french(portal: &Portal, chromium: &Chromium) -> Result<()> {
    let tab = chromium.tab(&portal.origin).await?;
    tab.open("/sign-in").await?;
    tab.click("button[name=locale]", "FR").await?;
    tab.wait("French", "document.documentElement.lang === 'fr' && document.readyState === 'complete'").await?;
    signs_in_and_makes(portal, &tab, &FRENCH, "dejeuner").await
}

async fn without_scripts(portal: &Portal, chromium: &Chromium) -> Result<()> {
    let tab = chromium.tab(&portal.origin).await?;
    tab.without_scripts().await?;
    tab.open("/sign-in").await?;
    signs_in_and_makes(portal, &tab, &ENGLISH, "plain").await
}

async fn signs_in_and_makes(portal: &Portal, tab: &Tab, words: &Words, name: &str) -> Result<()> {
    tab.sign_in(words.sign_in).await?;
    tab.shows(words.matrix).await?;
    makes_a_service(portal, tab, words, name).await?;
    tab.is_clean()
}

/// From the first page to the service's own, with the zip.
async fn makes_a_service(portal: &Portal, tab: &Tab, words: &Words, name: &str) -> Result<()> {
    let start = Instant::now();
    tab.follow("nav.side a.item", words.new, "/onboard").await?;
    tab.shows(words.path).await?;
    tab.follow("main a[href='/onboard/swarm-service']", "", "/onboard/swarm-service").await?;
    answer(tab, "name", name).await?;
    answer(tab, "description", "Says what there is for lunch.").await?;
    choose(tab, "owner", "group:skillforge/platform").await?;
    choose(tab, "system", "skillforge/skillforge").await?;
    answer(tab, "repository", &format!("acme/{name}")).await?;
    next(tab, words, 2).await?;
    next(tab, words, 3).await?;
    answer(tab, "host", &format!("{name}.example.org")).await?;
    next(tab, words, 4).await?;
    next(tab, words, 5).await?;
    tab.shows(words.look).await?;
    tab.shows("stack.yml").await?;
    tab.click("button[name=act][value=create]", &format!("{}{name}", words.create)).await?;
    tab.arrived("/onboarding/").await?;
    tab.shows(words.made).await?;
    let archive = tab.value("document.querySelector(\"main a[href$='/archive']\").getAttribute('href')").await?;
    tab.shows(words.archive).await?;
    let zip = portal.bytes(archive.as_str().context("no address of the archive")?).await?;
    let holds = |path: &str| zip.windows(path.len()).any(|window| window == path.as_bytes());
    ensure!(zip.starts_with(b"PK") && holds(&format!("{name}/Dockerfile")), "{} bytes are no zip of it", zip.len());
    tab.follow("main a", words.open, &format!("/services/skillforge/{name}")).await?;
    tab.shows("Says what there is for lunch.").await?;
    let took = start.elapsed();
    println!("{name}: {took:.1?} from the first page to the service with its archive");
    ensure!(took <= MOST, "{took:?}");
    Ok(())
}

async fn answer(tab: &Tab, name: &str, text: &str) -> Result<()> {
    tab.fill(&format!("[name='p.{name}']"), text).await
}

async fn choose(tab: &Tab, name: &str, value: &str) -> Result<()> {
    let script = format!(
        "(([name, value]) => {{ const e = document.querySelector(`[name='p.${{name}}']`); if (!e) return false;
            e.value = value; return e.value === value; }})({})",
        json!([name, value])
    );
    tab.wait(&format!("{name} {value}"), &script).await
}

async fn next(tab: &Tab, words: &Words, step: u32) -> Result<()> {
    tab.click("button[name=act][value=next]", words.next).await?;
    let there =
        format!("new URLSearchParams(location.search).get('step') === '{step}' && document.readyState === 'complete'");
    tab.wait(&format!("step {step}"), &there).await
}

/// A repository with a Dockerfile of its own gets what it lacks, on a branch.
async fn adopting(portal: &Portal, chromium: &Chromium) -> Result<()> {
    portal.repository(
        "team/menu.git",
        &[("Dockerfile", "FROM python:3.12\nEXPOSE 9000\n"), ("README.md", "# menu\n\nTells what there is to eat.\n")],
    )?;
    let tab = chromium.tab(&portal.origin).await?;
    tab.without_scripts().await?;
    tab.open("/sign-in").await?;
    tab.sign_in(ENGLISH.sign_in).await?;
    tab.shows(ENGLISH.matrix).await?;
    tab.open("/onboard").await?;
    tab.follow("main a[href='/onboard/swarm-service/adopt']", "", "/onboard/swarm-service/adopt").await?;
    tab.fill("[name='repository']", "team/menu.git").await?;
    tab.click("button[name=act][value=look]", "Look").await?;
    tab.shows("Some answers were not found").await?;
    tab.shows("the image runs as root").await?;
    choose(&tab, "owner", "group:skillforge/platform").await?;
    choose(&tab, "system", "skillforge/skillforge").await?;
    answer(&tab, "host", "menu.example.org").await?;
    tab.click("button[name=act][value=look]", "Look again").await?;
    tab.shows("Adopt skillforge/menu").await?;
    let ticked = |path: &str| format!("document.querySelector(\"[name='file.{path}']\").checked");
    ensure!(tab.value(&ticked("stack.yml")).await? == json!(true), "what is missing is not ticked");
    ensure!(tab.value(&ticked("Dockerfile")).await? == json!(false), "what differs is ticked");
    tab.click("button[name=act][value=adopt]", "Adopt skillforge/menu").await?;
    tab.arrived("/onboarding/").await?;
    tab.shows("skillforge/menu is adopted.").await?;
    let path = tab.value("location.pathname").await?.as_str().context("no address")?.to_owned();
    let start = Instant::now();
    while portal.api("GET", &format!("/onboardings{}/deliveries", path.trim_start_matches("/onboarding")), None).await?
        ["items"][0]["state"]
        != "done"
    {
        ensure!(start.elapsed() < MOST, "the files are not delivered");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tab.open(&path).await?;
    tab.shows("passerelle/menu-").await?;
    tab.follow("main a", ENGLISH.open, "/services/skillforge/menu").await?;
    tab.shows("Tells what there is to eat.").await?;
    tab.is_clean()
}
