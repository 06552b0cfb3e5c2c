//! Attempt 12: every form without its token, with a wrong one, and from another site; and reading at every address that writes.

use super::routes::{self, filled};
use crate::support::{Person, TestPortal, hidden};
use passerelle_contract::access::Role;
use reqwest::header::{ALLOW, COOKIE};
use reqwest::{Method, Response, StatusCode};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const FORM: &str = "application/x-www-form-urlencoded";
/// Enough for many of the forms to do something, were they taken.
const FIELDS: &str = "environment=staging&image=tinyweb%3Av2&reason=a+test&replicas=1&why=because&title=No&scope_kind=global\
                      &time_zone=UTC&name=eve&user=eve&display_name=Eve&password=correct+horse+battery&role=viewer&confirm=web\
                      &decision=approve&to_image=tinyweb%3Av2&change_reason=a+test&locale=fr&theme=dark&next=%2F&act=import\
                      &tier=staging&order=9&progress_deadline_s=60";
/// Comes from a provider and not from a browser, and proves itself by its signature; but never with a cookie from another site.
const BACK_CHANNEL: &str = "/auth/{provider}/backchannel-logout";

/// How all forms are sent.
struct Sent {
    what: &'static str,
    headers: Vec<(&'static str, String)>,
    /// After the address.
    query: String,
    body: String,
}

impl Sent {
    fn new(what: &'static str, headers: Vec<(&'static str, String)>, body: String) -> Self {
        Self { what, headers, query: String::new(), body }
    }
}

/// The addresses of all forms, as the routers of the pages have them.
fn forms() -> Vec<String> {
    let pages = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/app/src"));
    let mut forms = Vec::new();
    for folder in std::fs::read_dir(pages).unwrap() {
        let Ok(text) = std::fs::read_to_string(folder.unwrap().path().join("mod.rs")) else { continue };
        for route in text.split(".route(").skip(1) {
            // The last one is followed by the rest of the file.
            let route = route.split("\n}").next().unwrap();
            if route.contains("post(") {
                forms.push(route.split('"').nth(1).unwrap().to_owned());
            }
        }
    }
    assert!(forms.len() >= 60, "{} forms: {forms:?}", forms.len());
    forms
}

async fn token_of(person: &Person<'_>) -> String {
    hidden(&person.get("/access/tokens").await.html, "csrf")
}

async fn audited(test: &TestPortal) -> u64 {
    test.get("/audit").await.body["total"].as_u64().unwrap()
}

/// What is wrong with the answers to these forms, each sent in each of these ways with the session of somebody who may do everything.
async fn not_refused(test: &TestPortal, person: &Person<'_>, forms: &[String], ways: &[Sent]) -> Vec<String> {
    let mut wrong = Vec::new();
    for form in forms {
        for sent in ways {
            let url = format!("{}{}{}", test.url, filled(form), sent.query);
            let mut request = test.http.post(url).header(COOKIE, &person.cookie);
            for (name, value) in &sent.headers {
                request = request.header(*name, value);
            }
            let answer = request.body(sent.body.clone()).send().await.unwrap();
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            if status != StatusCode::FORBIDDEN || !text.contains("cross_site") {
                wrong.push(format!("{form}, {}: {status}", sent.what));
            }
        }
    }
    wrong
}

/// With the token of the form spoilt in these ways.
fn spoilt(test: &TestPortal, own: &str, others: &str) -> Vec<Sent> {
    let from_here = |mime: &str| vec![("origin", test.url.clone()), ("content-type", mime.to_owned())];
    let with = |what, token: &str| Sent::new(what, from_here(FORM), format!("{FIELDS}&csrf={token}"));
    let part = "--part\r\nContent-Disposition: form-data; name=\"yaml\"\r\n\r\nkind: System\r\n--part--\r\n";
    vec![
        Sent::new("no token", from_here(FORM), FIELDS.to_owned()),
        with("an empty token", ""),
        with("a token that is made up", &"0".repeat(own.len())),
        with("a token that is cut", &own[1..]),
        with("somebody else's token", others),
        with("a wrong token before the right one", &format!("{others}&csrf={own}")),
        Sent { query: format!("?csrf={own}"), ..Sent::new("in the address", from_here(FORM), FIELDS.to_owned()) },
        Sent::new("files without a token", from_here("multipart/form-data; boundary=part"), part.to_owned()),
        Sent::new("a text without a token", from_here("text/plain"), FIELDS.replace('&', "\r\n")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_is_taken_without_the_token_of_its_own_session() {
    let test = TestPortal::with_shop().await;
    let (grace, bob) = (test.person().await, test.another("bob", Role::Admin).await);
    let (own, others) = (token_of(&grace).await, token_of(&bob).await);
    assert!(own.len() >= 32 && own != others, "{own} {others}");
    let before = (test.rows().await, audited(&test).await);
    let mut forms = forms();
    forms.retain(|form| form != BACK_CHANNEL);
    let wrong = not_refused(&test, &grace, &forms, &spoilt(&test, &own, &others)).await;
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((test.rows().await, audited(&test).await), before, "nothing was changed");
    assert_eq!(grace.get("/access").await.status, StatusCode::OK, "nobody was signed out");

    // With the right one the same session gets through.
    assert_eq!(grace.post("/freezes/stop", &[("why", "because")]).await.led_to(), "/freezes");
    assert_eq!(test.rows().await["freezes"], before.0["freezes"] + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_is_taken_from_another_site_even_with_the_right_token() {
    let test = TestPortal::with_shop().await;
    let grace = test.person().await;
    let body = format!("{FIELDS}&csrf={}", token_of(&grace).await);
    let before = (test.rows().await, audited(&test).await);
    let port = test.url.rsplit(':').next().unwrap();
    let ways: Vec<Sent> = [
        ("another site", vec![("origin", "https://evil.example".to_owned())]),
        ("a frame without an origin", vec![("origin", "null".to_owned())]),
        ("another port of this machine", vec![("origin", "http://127.0.0.1:1".to_owned())]),
        ("a name that begins like ours", vec![("origin", format!("http://127.0.0.1.evil.example:{port}"))]),
        ("the browser says another site", vec![("sec-fetch-site", "cross-site".to_owned())]),
        ("the browser says a sister site", vec![("sec-fetch-site", "same-site".to_owned())]),
        ("nothing is said", Vec::new()),
        (
            "two say different things",
            vec![("origin", "https://evil.example".to_owned()), ("sec-fetch-site", "same-origin".to_owned())],
        ),
    ]
    .into_iter()
    .map(|(what, mut headers)| {
        headers.push(("content-type", FORM.to_owned()));
        Sent::new(what, headers, body.clone())
    })
    .collect();
    let wrong = not_refused(&test, &grace, &forms(), &ways).await;
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((test.rows().await, audited(&test).await), before, "nothing was changed");
    assert_eq!(grace.get("/access").await.status, StatusCode::OK, "nobody was signed out");
}

/// What stands in each table: not only how many rows.
async fn contents(test: &TestPortal) -> BTreeMap<String, String> {
    // The portal's own work: when a token was last used, and messages on their way.
    const MOVING: [&str; 2] = ["api_tokens", "outbox_events"];
    let mut database = test.database.superuser().await;
    let mut contents = BTreeMap::new();
    for table in test.rows().await.into_keys().filter(|table| !MOVING.contains(&table.as_str())) {
        let sql = format!("SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t");
        let digest: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut database).await.unwrap();
        contents.insert(table, digest);
    }
    contents
}

/// As a link of another site does it: with the cookie, and with what some servers take for another method.
async fn followed(test: &TestPortal, person: &Person<'_>, method: Method, path: &str) -> Response {
    let request = test.http.request(method, format!("{}{path}", test.url)).header(COOKIE, &person.cookie);
    let request = request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate");
    let overridden = ["x-http-method-override", "x-http-method", "x-method-override"];
    overridden.into_iter().fold(request, |request, name| request.header(name, "POST")).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_changes_nothing_at_any_address_of_the_api_that_writes() {
    let test = TestPortal::with_shop().await;
    let grace = test.person().await;
    let routes = routes::all(&test).await;
    let (reading, writing): (Vec<_>, Vec<_>) = routes.iter().partition(|route| route.method == Method::GET);
    let reads: BTreeSet<&str> = reading.iter().map(|route| route.template.as_str()).collect();
    assert!(writing.len() > 50, "{} routes write", writing.len());
    let before = (contents(&test).await, audited(&test).await);
    let mut wrong = Vec::new();
    for route in writing {
        for method in [Method::GET, Method::HEAD] {
            let answer = followed(&test, &grace, method.clone(), &format!("/api/v1{}", route.path)).await;
            let status = answer.status();
            let allow = answer.headers().get(ALLOW).map(|allow| allow.to_str().unwrap()).unwrap_or_default();
            let good = if reads.contains(route.template.as_str()) {
                status.is_success() || (status.is_client_error() && status != StatusCode::METHOD_NOT_ALLOWED)
            } else {
                status == StatusCode::METHOD_NOT_ALLOWED
                    && allow.contains(route.method.as_str())
                    && !allow.contains("GET")
            };
            if !good {
                wrong.push(format!("{method} {} ({}): {status}, allowed: {allow}", route.path, route.method));
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((contents(&test).await, audited(&test).await), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_does_anything_when_its_fields_come_in_the_address() {
    let test = TestPortal::with_shop().await;
    let grace = test.person().await;
    let query = format!("{FIELDS}&csrf={}", token_of(&grace).await);
    let before = (contents(&test).await, audited(&test).await);
    let mut wrong = Vec::new();
    // What is below `/auth` speaks with providers; `tests/it/sign_in` is about those.
    for form in forms().iter().filter(|form| !form.starts_with("/auth/")) {
        let answer = followed(&test, &grace, Method::GET, &format!("{}?{query}", filled(form))).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        if status.is_server_error() {
            wrong.push(format!("{form}: {status} {text}"));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((contents(&test).await, audited(&test).await), before);
    assert_eq!(grace.get("/access").await.status, StatusCode::OK, "nobody was signed out");
}
