//! GitHub, played: who somebody is and in which organisations and teams, and everything that is not believed.

use super::providers::{Browser, PENDING, refusals, sessions};
use crate::support::TestPortal;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use passerelle_server::config::load;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use url::Url;

const SECRET: &str = "the-clients-secret";

/// What it answers, and what it was asked.
#[derive(Clone)]
struct Github {
    url: String,
    book: Arc<Mutex<Book>>,
}

struct Book {
    user: Value,
    orgs: Value,
    teams: Value,
    /// The scope that the person agreed to.
    scope: String,
    /// Instead of the usual answer: status, content type and body, by path.
    instead: HashMap<String, (u16, &'static str, String)>,
    /// The challenge of each code.
    codes: HashMap<String, String>,
    tokens: Vec<String>,
    seen: Vec<String>,
}

impl Github {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let book = Book {
            user: json!({ "id": 583_231, "login": "octo-ada", "name": "Ada", "type": "User", "email": "root@portal.test" }),
            orgs: json!([{ "id": 9919, "login": "acme" }]),
            teams: json!([{ "id": 1, "slug": "web", "organization": { "id": 9919 } }]),
            scope: "read:org".to_owned(),
            instead: HashMap::new(),
            codes: HashMap::new(),
            tokens: Vec::new(),
            seen: Vec::new(),
        };
        let github =
            Self { url: format!("http://{}", listener.local_addr().unwrap()), book: Arc::new(Mutex::new(book)) };
        let app = Router::new().route("/{*path}", axum::routing::any(answer)).with_state(github.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        github
    }

    fn change(&self, change: impl FnOnce(&mut Book)) {
        change(&mut self.book.lock().unwrap());
    }

    async fn portal(&self) -> TestPortal {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), SECRET).unwrap();
        let roles = "[[sign_in.providers.roles]]\ngroup = \"organization:9919\"\nrole = \"viewer\"\n\
                     [[sign_in.providers.roles]]\ngroup = \"team:1\"\nrole = \"operator\"\nscope = \"team:shop/sellers\"\n";
        let test = TestPortal::start_with(|config, url| {
            let one = |id: &str, issuer: &str, more: &str| {
                format!(
                    "[[sign_in.providers]]\nid = \"{id}\"\nname = \"GitHub {id}\"\nkind = \"github\"\nissuer = \"{issuer}\"\n\
                     client_id = \"Iv1.abc\"\nclient_secret = \"file:{}\"\n{more}",
                    folder.path().join("secret").display()
                )
            };
            let text = format!(
                "[server]\npublic_origin = \"{url}\"\n{}{}",
                one("gh", &self.url, roles),
                one("other", &self.url.replace("127.0.0.1", "localhost"), "")
            );
            let read = load(Some(&text), std::iter::empty()).unwrap();
            config.sign_in = read.sign_in;
            config.server.public_origin = read.server.public_origin;
        })
        .await;
        // The reference is read at each sign-in.
        std::mem::forget(folder);
        test
    }

    /// What the person's agreement does to the address they were sent to.
    fn agree(&self, left: &str) -> String {
        let address = Url::parse(left).unwrap();
        let asked: HashMap<String, String> = address.query_pairs().into_owned().collect();
        assert!(left.starts_with(&format!("{}/login/oauth/authorize?", self.url)), "{left}");
        assert_eq!((asked["client_id"].as_str(), asked["scope"].as_str()), ("Iv1.abc", "read:org"));
        assert_eq!(asked["code_challenge_method"], "S256");
        let code = uuid::Uuid::now_v7().simple().to_string();
        self.change(|book| drop(book.codes.insert(code.clone(), asked["code_challenge"].clone())));
        format!("/auth/gh/callback?code={code}&state={}", asked["state"])
    }

    async fn sign_in(&self, browser: &mut Browser<'_>) -> crate::support::Shown {
        let left = browser.get("/auth/gh/sign-in?next=/services").await;
        let door = self.agree(&left.led_to());
        browser.get(&door).await
    }
}

async fn answer(
    State(github): State<Github>,
    Path(path): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut book = github.book.lock().unwrap();
    book.seen.push(format!("{method} {path}"));
    let told = |body: Value| ([("content-type", "application/json; charset=utf-8")], body.to_string()).into_response();
    if let Some((status, mime, body)) = book.instead.get(&path).cloned() {
        let location = [("content-type", mime), ("location", "https://evil.example/")];
        return (StatusCode::from_u16(status).unwrap(), location, body).into_response();
    }
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if path == "login/oauth/access_token" {
        let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
        let good = book.codes.remove(&form["code"]).is_some_and(|challenge| challenge == digest)
            && form["client_secret"] == SECRET
            && form["redirect_uri"].ends_with("/auth/gh/callback");
        if !good {
            return told(json!({ "error": "bad_verification_code" }));
        }
        let token = format!("gho_{}", book.seen.len());
        book.tokens.push(token.clone());
        return told(json!({ "access_token": token, "token_type": "bearer", "scope": book.scope }));
    }
    if method == Method::DELETE && path == "api/v3/applications/Iv1.abc/token" {
        let sent: Value = serde_json::from_slice(&body).unwrap();
        book.tokens.retain(|token| sent["access_token"] != *token);
        return StatusCode::NO_CONTENT.into_response();
    }
    if !book.tokens.iter().any(|token| header("authorization") == format!("Bearer {token}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let page = |list: &Value| match list.as_array() {
        Some(items) => {
            let (page, size): (usize, usize) = (query["page"].parse().unwrap(), query["per_page"].parse().unwrap());
            json!(items.iter().skip((page - 1) * size).take(size).collect::<Vec<_>>())
        }
        None => list.clone(),
    };
    match path.as_str() {
        "api/v3/user" => told(book.user.clone()),
        "api/v3/user/orgs" => told(page(&book.orgs)),
        "api/v3/user/teams" => told(page(&book.teams)),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_its_number_and_teams_give_roles() {
    let github = Github::start().await;
    let test = github.portal().await;
    let mut browser = Browser::new(&test);
    assert!(browser.get("/sign-in").await.html.contains("GitHub gh"));
    assert_eq!(github.sign_in(&mut browser).await.led_to(), "/services");
    let me = browser.me().await.unwrap();
    assert_eq!((&me["user"], &me["display_name"]), (&json!("octo-ada"), &json!("Ada")));
    let roles = me["roles"].to_string();
    assert!(roles.contains("viewer") && roles.contains("operator") && roles.contains("shop/sellers"), "{me}");
    {
        let book = github.book.lock().unwrap();
        assert!(book.tokens.is_empty(), "the token was given back");
        assert!(!book.seen.iter().any(|path| path.contains("email")), "{:?}", book.seen);
    }
    let row = test.get("/audit?action=access.sign_in&outcome=success").await.body["items"][0].clone();
    assert_eq!((&row["after"]["issuer"], &row["after"]["subject"]), (&json!(github.url), &json!("583231")), "{row}");
    // Another name is the same person, and loses what it is not in any more.
    github.change(|book| {
        book.user["login"] = json!("ada-of-today");
        book.teams = json!([]);
    });
    let mut again = Browser::new(&test);
    github.sign_in(&mut again).await.led_to();
    let me = again.me().await.unwrap();
    assert!(me["user"] == "octo-ada" && !me["roles"].to_string().contains("operator"), "{me}");
    // The earlier name, taken by somebody else, is somebody else; so is the address of the administrator.
    github.change(|book| {
        book.user =
            json!({ "id": 7, "login": "octo-ada", "name": "Mallory", "type": "User", "email": "root@portal.test" });
        book.orgs = json!([{ "id": 1, "login": "acme" }]);
        book.teams = json!([{ "id": 9919, "slug": "web" }]);
    });
    let mut other = Browser::new(&test);
    assert!(
        github.sign_in(&mut other).await.led_to().starts_with("/auth/no-role"),
        "an organisation with a team's number is none"
    );
    assert_ne!(other.me().await.unwrap()["user"], "octo-ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_that_are_not_told_whole_give_no_role() {
    let github = Github::start().await;
    let test = github.portal().await;
    let many = |count: u64| json!((0..count).map(|n| json!({ "id": n + 20_000 })).collect::<Vec<_>>());
    let cases: [(&str, Value, Value, &str); 5] = [
        ("", json!([{ "id": 9919 }]), json!([]), "absent"),
        ("repo,user", json!([{ "id": 9919 }]), json!([]), "absent"),
        ("read:org", json!([{ "id": 9919 }]), json!([{ "id": "1" }]), "odd"),
        ("read:org", json!({ "id": 9919 }), json!([]), "odd"),
        ("read:org", many(1000), json!([]), "odd"),
    ];
    for (scope, orgs, teams, why) in cases {
        github.change(|book| (book.scope, book.orgs, book.teams) = (scope.to_owned(), orgs, teams));
        let mut browser = Browser::new(&test);
        assert_eq!(github.sign_in(&mut browser).await.led_to(), format!("/auth/no-role?why={why}"), "{scope}");
        assert_eq!(browser.me().await.unwrap()["roles"], json!([]));
    }
    // On a second page is good.
    let mut orgs = many(150);
    orgs.as_array_mut().unwrap().push(json!({ "id": 9919 }));
    github.change(|book| (book.scope, book.orgs) = ("read:org".to_owned(), orgs));
    let mut browser = Browser::new(&test);
    assert_eq!(github.sign_in(&mut browser).await.led_to(), "/services");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lie_signs_anybody_in() {
    const JSON: &str = "application/json";
    let github = Github::start().await;
    let test = github.portal().await;
    let users = test.rows().await["users"];
    let token = "login/oauth/access_token";
    let lies: [(&str, u16, &'static str, &str, &str); 18] = [
        (token, 200, JSON, r#"{"error":"bad_verification_code"}"#, "the provider does not take the code"),
        (token, 200, JSON, r#"{"access_token":"x","token_type":"mac"}"#, "the token is of another type"),
        (token, 200, JSON, r#"{"token_type":"bearer"}"#, "the provider sent no token"),
        (token, 200, JSON, r#"{"access_token":"a b","token_type":"bearer"}"#, "the provider sent no token"),
        (token, 200, JSON, "access_token=x&token_type=bearer", "what the token endpoint sent cannot be read"),
        (token, 302, JSON, "", "the token endpoint answers in another way"),
        (token, 500, JSON, "<script>alert(1)</script>", "the token endpoint answers in another way"),
        ("api/v3/user", 401, JSON, "{}", "the provider's user information cannot be had"),
        ("api/v3/user", 302, JSON, "", "the provider's user information cannot be had"),
        ("api/v3/user", 200, "text/html", r#"{"id":5,"login":"x"}"#, "the provider's user information cannot be had"),
        ("api/v3/user", 200, JSON, r#"[{"id":5}]"#, "the provider's user information cannot be had"),
        ("api/v3/user", 200, JSON, r#"{"login":"root"}"#, "the user information names nobody (id)"),
        ("api/v3/user", 200, JSON, r#"{"id":"583231","login":"x"}"#, "the user information names nobody (id)"),
        ("api/v3/user", 200, JSON, r#"{"id":0,"login":"x"}"#, "the user information names nobody (id)"),
        ("api/v3/user", 200, JSON, r#"{"id":5.5,"login":"x"}"#, "the user information names nobody (id)"),
        ("api/v3/user", 200, JSON, r#"{"id":5,"type":"Organization"}"#, "the user information is of no person (type)"),
        (
            "api/v3/user",
            200,
            JSON,
            r#"{"id":5,"suspended_at":"2026-01-01T00:00:00Z"}"#,
            "the person is suspended at the provider",
        ),
        ("api/v3/user/teams", 500, JSON, "[]", "the provider does not tell groups"),
    ];
    for (path, status, mime, body, cause) in lies {
        github.change(|book| book.instead = HashMap::from([(path.to_owned(), (status, mime, body.to_owned()))]));
        let mut browser = Browser::new(&test);
        let shown = github.sign_in(&mut browser).await;
        assert!(
            shown.html.contains("alert bad") && !shown.html.contains("<script>alert"),
            "{path} {body}: {}",
            shown.html
        );
        assert!(browser.me().await.is_none(), "{path} {body} signed somebody in");
        let row = refusals(&test).await.remove(0);
        assert!(row.starts_with(cause), "{path} {body}: {row}");
    }
    assert_eq!((sessions(&test).await, test.rows().await["users"]), (0, users));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_sign_in_is_one_browsers_one_issuers_and_used_once() {
    let github = Github::start().await;
    let test = github.portal().await;
    let mut browser = Browser::new(&test);
    let left = browser.get("/auth/gh/sign-in").await;
    let door = github.agree(&left.led_to());
    let refused = async |mut browser: Browser<'_>, door: &str, cause: &str| {
        let shown = browser.get(door).await;
        assert!(!shown.status.is_redirection() && browser.me().await.is_none(), "{cause}: {}", shown.status);
        let row = refusals(&test).await.remove(0);
        assert!(row.starts_with(cause), "{cause}: {row}");
    };
    refused(Browser::new(&test), &door, "no sign-in is pending in this browser").await;
    refused(browser.clone(), &door.replace("/auth/gh/", "/auth/other/"), "the sign-in was begun at another provider")
        .await;
    let mut edited = Browser::new(&test);
    let left = edited.get("/auth/gh/sign-in").await;
    github.agree(&left.led_to());
    refused(edited, &door, "the state is not the one of this browser").await;
    for (more, cause) in [
        ("&iss=https%3A%2F%2Fevil.example", "the answer in the browser is of another issuer (iss)"),
        ("&error=access_denied", "the sign-in was refused at the provider"),
        ("&error=server_error", "the provider answered with an error"),
    ] {
        let mut browser = Browser::new(&test);
        let left = browser.get("/auth/gh/sign-in").await;
        let door = format!("{}{more}", github.agree(&left.led_to()));
        refused(browser, &door, cause).await;
    }
    // A code that another browser's sign-in has got does not fit this one's challenge.
    let (mut mine, mut theirs) = (Browser::new(&test), Browser::new(&test));
    let left = mine.get("/auth/gh/sign-in").await;
    let my_door = github.agree(&left.led_to());
    let left = theirs.get("/auth/gh/sign-in").await;
    let their_door = github.agree(&left.led_to());
    let code = |door: &str| door.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    refused(mine, &my_door.replace(&code(&my_door), &code(&their_door)), "the provider does not take the code").await;
    // Good once.
    let mut good = Browser::new(&test);
    let left = good.get("/auth/gh/sign-in?next=/services").await;
    let door = format!("{}&iss={}", github.agree(&left.led_to()), github.url.replace(':', "%3A").replace('/', "%2F"));
    let again = good.clone();
    assert_eq!(good.get(&door).await.led_to(), "/services");
    assert!(!good.cookies.contains_key(PENDING));
    refused(again, &door, "the state was used before").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_confirms_nobody() {
    let github = Github::start().await;
    let test = github.portal().await;
    let mut browser = Browser::new(&test);
    github.sign_in(&mut browser).await.led_to();
    let page = browser.get("/confirm").await.html;
    assert!(page.contains("Sign out and in again") && !page.contains("/auth/gh/confirm"), "{page}");
    let shown = browser.get("/auth/gh/confirm?next=/").await;
    assert!(!shown.status.is_redirection(), "{}", shown.status);
    let row = refusals(&test).await.remove(0);
    assert!(row.starts_with("this provider does not say when somebody proved themselves"), "{row}");
    assert!(browser.me().await.is_some(), "the session goes on");
}
