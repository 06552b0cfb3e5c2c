//! What a person does from the first link to the audit, in a real browser: with scripts, in French, without scripts, by
//! keyboard; and how much the first page is.
//!
//! One test, since all walks share one server and act on one service, one after the other.

use anyhow::{Context as _, Result, ensure};
use passerelle_e2e::{Chromium, LIMIT, PASSWORD, Portal, Tab, USER};
use serde_json::{Value, json};

const SERVICE: &str = "skillforge/user-service";
const PLACE: &str = "/services/skillforge/user-service";
const DEPLOY_LINK: &str = "a[data-act=d][href*='skillforge/user-service'][href*='staging']";
const SUBMIT: &str = "main form[method=post] button[type=submit]";
/// The plan of the chosen release is on the page.
const PLAN: &str = "location.search.includes('version=1.1.0') && document.querySelector('#f-reason') !== null";
/// What the first page may take on the wire, all files together.
const FIRST_PAGE_BYTES: f64 = 200_000.0;

/// The words that differ by language.
struct Words {
    matrix: &'static str,
    sign_in: &'static str,
    deploy: &'static str,
    submit: &'static str,
    roll_back: &'static str,
    succeeded: &'static str,
}

const ENGLISH: Words = Words {
    matrix: "What runs where",
    sign_in: "Sign in",
    deploy: "Deploy",
    submit: "Deploy 1.1.0 to staging",
    roll_back: "Roll back",
    succeeded: "succeeded",
};

const FRENCH: Words = Words {
    matrix: "Ce qui tourne où",
    sign_in: "Se connecter",
    deploy: "Déployer",
    submit: "Déployer 1.1.0 en staging",
    roll_back: "Revenir en arrière",
    succeeded: "réussi",
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_can_walk_through_the_portal() -> Result<()> {
    let portal = Portal::start().await?;
    portal.deploy(SERVICE, "staging", "1.0.0").await?;
    let chromium = Chromium::launch().await?;
    first_administrator(&portal, &chromium).await.context("from the first link to the audit")?;
    let walks = [
        ("in French", in_french(&portal, &chromium).await),
        ("without scripts", without_scripts(&portal, &chromium).await),
        ("by keyboard", by_keyboard(&portal, &chromium).await),
        ("along a spent budget", along_a_spent_budget(&portal, &chromium).await),
        ("past the gates", past_the_gates(&portal, &chromium).await),
        ("the size of the first page", first_page_is_small(&portal, &chromium).await),
    ];
    let wrong = walks.into_iter().filter_map(|(walk, result)| Some(format!("{walk}: {:#}", result.err()?)));
    let wrong = wrong.collect::<Vec<_>>().join("\n\n");
    ensure!(wrong.is_empty(), "{wrong}");
    chromium.close().await
}

async fn first_administrator(portal: &Portal, chromium: &Chromium) -> Result<()> {
    let tab = chromium.tab(&portal.origin).await?;
    tab.set_up(portal).await?;
    tab.shows(ENGLISH.matrix).await?;
    promotes_by_dragging(&tab).await?;
    deploy_and_watch(&tab, &ENGLISH, "walk one: profiles").await?;
    roll_back_and_watch(&tab, &ENGLISH, "walk one: back again").await?;
    tab.follow("nav.side a.item", "Audit", "/audit").await?;
    for words in ["walk one: profiles", "walk one: back again", USER, SERVICE] {
        tab.shows(words).await?;
    }
    tab.is_clean()
}

/// Drops a version on the first cell of the matrix that it may be promoted to: the plan of its deployment is shown.
async fn promotes_by_dragging(tab: &Tab) -> Result<()> {
    let drag = "const act = document.querySelector('.matrix [data-act=p]');
        const version = new URL(act.href).searchParams.get('version');
        const names = [...act.closest('tr').querySelectorAll('[data-cell] .v a')];
        const event = (kind) => new DragEvent(kind, { bubbles: true, cancelable: true });
        names.find((name) => name.textContent.trim() === version).dispatchEvent(event('dragstart'));
        act.closest('td').dispatchEvent(event('drop'));";
    // Dragged until it counts: the page may be shown before its script is there.
    let arrived = "location.pathname.endsWith('/deploy') && location.search.includes('version=')";
    let script = format!("{arrived} || (() => {{ {drag} return false; }})()");
    tab.wait("the page of the promotion", &script).await?;
    tab.open("/").await?;
    tab.shows(ENGLISH.matrix).await
}

async fn in_french(portal: &Portal, chromium: &Chromium) -> Result<()> {
    let tab = chromium.tab(&portal.origin).await?;
    tab.open("/sign-in").await?;
    tab.click("button[name=locale]", "FR").await?;
    tab.wait("French", "document.documentElement.lang === 'fr' && document.readyState === 'complete'").await?;
    sign_in(&tab, &FRENCH).await?;
    deploy_and_watch(&tab, &FRENCH, "promenade : profils").await?;
    roll_back_and_watch(&tab, &FRENCH, "promenade : retour").await?;
    tab.is_clean()
}

async fn without_scripts(portal: &Portal, chromium: &Chromium) -> Result<()> {
    let tab = chromium.tab(&portal.origin).await?;
    tab.without_scripts().await?;
    tab.open("/sign-in").await?;
    sign_in(&tab, &ENGLISH).await?;
    tab.follow(DEPLOY_LINK, ENGLISH.deploy, &format!("{PLACE}/deploy")).await?;
    tab.click("input[name=version][value='1.1.0']", "").await?;
    tab.click("main form[method=get] button", "Show the plan").await?;
    tab.wait("the plan", "location.search.includes('version=1.1.0') && document.readyState === 'complete'").await?;
    give_reason(&tab, ENGLISH.submit, "walk three: by plain forms").await?;
    ended_after_reloads(&tab).await?;
    tab.follow("main a", ENGLISH.roll_back, &format!("{PLACE}/rollback")).await?;
    give_reason(&tab, ENGLISH.roll_back, "walk three: back by plain forms").await?;
    ended_after_reloads(&tab).await?;
    tab.is_clean()
}

async fn by_keyboard(portal: &Portal, chromium: &Chromium) -> Result<()> {
    let tab = chromium.tab(&portal.origin).await?;
    tab.open("/sign-in").await?;
    tab.press_until("Tab", "return e.id === 'f-user'").await?;
    tab.type_text(USER).await?;
    tab.press("Tab").await?;
    tab.type_text(PASSWORD).await?;
    tab.press("Enter").await?;
    tab.shows(ENGLISH.matrix).await?;
    // The matrix: one stop of the Tab key, then arrows, then D.
    tab.press_until("Tab", "return e.matches('[data-cell]')").await?;
    let row = format!("return e.closest('tr').querySelector(\"a[href='{PLACE}']\")");
    tab.press_until("ArrowDown", &row).await?;
    let column = "return e.querySelector(\"[data-act=d][href*='staging']\")";
    tab.press_until("ArrowRight", column).await?;
    tab.press("d").await?;
    tab.arrived(&format!("{PLACE}/deploy")).await?;
    // A choice among releases is one stop of the Tab key, then arrows; the plan comes beside it and the focus stays.
    tab.press_until("Tab", "return e.matches('input[name=version]')").await?;
    tab.press(" ").await?;
    tab.press_until("ArrowDown", "return e.checked && e.value === '1.1.0'").await?;
    tab.wait("the plan", PLAN).await?;
    tab.press_until("Tab", "return e.id === 'f-reason'").await?;
    tab.type_text("walk four: no mouse").await?;
    tab.press("Tab").await?;
    let button = format!("return e.matches({SUBMIT:?}) && e.innerText === {:?}", ENGLISH.submit);
    tab.press_until("Tab", &button).await?;
    tab.press("Enter").await?;
    tab.arrived("/deployments/").await?;
    watch(&tab, &ENGLISH).await?;
    tab.is_clean()
}

/// From the list of budgets to the deployment that one stops, with the reason, in both languages and without a script.
async fn along_a_spent_budget(portal: &Portal, chromium: &Chromium) -> Result<()> {
    portal.measured().await?;
    let tab = chromium.tab(&portal.origin).await?;
    tab.without_scripts().await?;
    tab.open("/sign-in").await?;
    sign_in(&tab, &ENGLISH).await?;
    tab.follow("nav.side a.item", "Error budgets", "/slos").await?;
    tab.shows("exhausted").await?;
    tab.follow("main a.svc", "Evaluation agent success", "/slos/").await?;
    tab.shows("99 % of requests succeed over 30 days").await?;
    tab.shows("bad of").await?;
    let place = "/services/skillforge/evaluation-agent";
    tab.follow("main dd a", "skillforge/evaluation-agent", place).await?;
    tab.open(&format!("{place}/deploy?environment=production&version=1.1.0")).await?;
    tab.shows("The error budget of Evaluation agent success (99 %, 30d) is spent").await?;
    tab.shows("Not now. In the way").await?;
    tab.click("button[name=locale]", "FR").await?;
    tab.shows("Le budget d’erreur de Evaluation agent success (99 %, 30d) est épuisé").await?;
    tab.is_clean()
}

/// Production stops a version that never ran before; the walker breaks the glass; then production asks for an approval of what a
/// pipeline wants, and the walker gives it.
async fn past_the_gates(portal: &Portal, chromium: &Chromium) -> Result<()> {
    let place = "/services/skillforge/project-service";
    let tab = chromium.tab(&portal.origin).await?;
    tab.open("/sign-in").await?;
    sign_in(&tab, &ENGLISH).await?;
    let deploy = format!("{place}/deploy?environment=production&version=1.1.0");
    tab.open(&deploy).await?;
    tab.shows("has not been healthy in staging yet").await?;
    tab.shows("Not now. In the way").await?;
    tab.click("details.danger > summary", "Emergency").await?;
    tab.fill("#f-why", "walk five: payments are down").await?;
    tab.fill("#f-password", PASSWORD).await?;
    tab.fill("#f-sure", "project-service").await?;
    tab.click("details.danger button[type=submit]", "Break the glass for production").await?;
    tab.shows("skips the gates, once").await?;
    tab.fill("#f-reason", "walk five: past the gates").await?;
    tab.fill("#f-confirm", "project-service").await?;
    tab.click("main form[method=post] button[type=submit]", "past the gates").await?;
    tab.arrived("/deployments/").await?;
    watch(&tab, &ENGLISH).await?;
    tab.open("/break-glass").await?;
    tab.shows("walk five: payments are down").await?;

    let policy = json!({ "approval": { "needed": 1 } });
    portal.api("PUT", "/gates/policies/production", Some(&policy)).await?;
    let wanted = json!({ "service": "skillforge/project-service", "environment": "production", "version": "1.0.0",
        "reason": "walk six: asked by a pipeline" });
    let asked = portal.api("POST", "/deployments", Some(&wanted)).await?;
    tab.open("/").await?;
    tab.follow("main a", "1 deployment waits for your approval", "/approvals").await?;
    tab.follow("main a", "Look and decide", "/deployments/").await?;
    tab.fill("#f-note", "walk six: approved").await?;
    tab.click("main form[method=post] button[value=approve]", "Approve").await?;
    tab.shows("Approved: the deployment starts.").await?;
    tab.shows("Approved by ada").await?;
    watch(&tab, &ENGLISH).await?;
    let ended = portal.api("GET", &format!("/deployments/{}", asked["id"].as_str().context("no id")?), None).await?;
    ensure!(ended["state"] == "succeeded", "{ended}");
    tab.is_clean()
}

/// The page with all its files, compressed, with an empty cache.
async fn first_page_is_small(portal: &Portal, chromium: &Chromium) -> Result<()> {
    let islands = "document.documentElement.dataset.ready !== undefined";
    let tab = chromium.tab(&portal.origin).await?;
    tab.open("/sign-in").await?;
    sign_in(&tab, &ENGLISH).await?;
    tab.wait("the islands", islands).await?;
    tab.without_cache().await?;
    let _before = tab.received();
    tab.open("/").await?;
    tab.wait("the islands", islands).await?;
    let bytes = tab.received();
    println!("the first page takes {bytes} bytes");
    ensure!(bytes > 1_000.0, "only {bytes} bytes were seen");
    ensure!(bytes <= FIRST_PAGE_BYTES, "{bytes} bytes");
    Ok(())
}

async fn sign_in(tab: &Tab, words: &Words) -> Result<()> {
    tab.sign_in(words.sign_in).await?;
    tab.shows(words.matrix).await
}

/// From the matrix to a deployment that succeeded.
async fn deploy_and_watch(tab: &Tab, words: &Words, reason: &str) -> Result<()> {
    tab.follow(DEPLOY_LINK, words.deploy, &format!("{PLACE}/deploy")).await?;
    tab.click("input[name=version][value='1.1.0']", "").await?;
    tab.wait("the plan", PLAN).await?;
    give_reason(tab, words.submit, reason).await?;
    watch(tab, words).await
}

/// From the page of a deployment that has ended.
async fn roll_back_and_watch(tab: &Tab, words: &Words, reason: &str) -> Result<()> {
    tab.follow("main a", words.roll_back, &format!("{PLACE}/rollback")).await?;
    give_reason(tab, words.roll_back, reason).await?;
    watch(tab, words).await
}

async fn give_reason(tab: &Tab, submit: &str, reason: &str) -> Result<()> {
    tab.fill("#f-reason", reason).await?;
    tab.click(SUBMIT, submit).await?;
    tab.arrived("/deployments/").await?;
    tab.shows(reason).await
}

/// The live page goes from under way to succeeded by itself.
async fn watch(tab: &Tab, words: &Words) -> Result<()> {
    let live = tab.value("window.mark = document.querySelector('[data-live]') !== null").await?;
    ensure!(live == Value::Bool(true), "the page was not live");
    let ended = format!("document.querySelector('main .chips[role=status]').innerText.includes('{}')", words.succeeded);
    tab.wait(words.succeeded, &ended).await?;
    ensure!(tab.value("window.mark === true").await? == Value::Bool(true), "the page was reloaded");
    tab.wait("the end of the live part", "document.querySelector('[data-live-mark]') === null").await
}

/// What somebody without scripts does: reload until it has ended.
async fn ended_after_reloads(tab: &Tab) -> Result<()> {
    let path = tab.value("location.pathname").await?.as_str().context("no address")?.to_owned();
    let start = std::time::Instant::now();
    loop {
        let state = tab.value("document.querySelector('main .chips[role=status]').innerText").await?;
        if state.as_str().is_some_and(|state| state.contains(ENGLISH.succeeded)) {
            return Ok(());
        }
        ensure!(start.elapsed() < LIMIT, "still {state}");
        tab.open(&path).await?;
    }
}
