//! A provider that somebody else wrote (npm oidc-provider, certified), when its command is named:
//! `PASSERELLE_TEST_OIDC="node provider.mjs --modules DIR"`; see `docs/how-to/sign-in-with-oidc.md`.

use super::providers::Browser;
use crate::support::TestPortal;
use passerelle_server::config::load;
use reqwest::StatusCode;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::json;
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use url::Url;

const COMMAND: &str = "PASSERELLE_TEST_OIDC";

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The provider's own pages, as a browser walks through them.
async fn through_the_provider(http: &reqwest::Client, start: &str, portal: &str, user: &str) -> String {
    let mut cookies = BTreeMap::<String, String>::new();
    let mut address = Url::parse(start).unwrap();
    for _ in 0..10 {
        let posted = address.path().starts_with("/login/");
        let cookie = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("; ");
        let request = if posted {
            let form = http.post(address.clone()).header("content-type", "application/x-www-form-urlencoded");
            form.body(format!("login={user}&password={user}"))
        } else {
            http.get(address.clone())
        };
        let answer = request.header(COOKIE, cookie).send().await.unwrap();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let status = answer.status();
        let Some(next) = answer.headers().get(LOCATION).map(|value| value.to_str().unwrap().to_owned()) else {
            panic!("{address}: {status} {}", answer.text().await.unwrap())
        };
        if let Some(path) = next.strip_prefix(portal) {
            return path.to_owned();
        }
        address = address.join(&next).unwrap();
    }
    panic!("the provider does not come back")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users_of_a_real_provider_sign_in() {
    let Ok(command) = std::env::var(COMMAND) else {
        eprintln!("not run: {COMMAND} names no provider's command (docs/how-to/sign-in-with-oidc.md)");
        return;
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let issuer = format!("http://127.0.0.1:{port}");
    let test = TestPortal::start_with(|config, url| {
        let text = format!(
            "[server]\npublic_origin = \"{url}\"\n[[sign_in.providers]]\nid = \"company\"\nname = \"Company\"\nissuer = \"{issuer}\"\n\
             client_id = \"passerelle\"\nclient_secret = \"file:{}\"\nscopes = [\"groups\"]\ngroups_claim = \"groups\"\n\
             roles = [{{ group = \"platform-admins\", role = \"admin\" }}, {{ group = \"team-payments\", role = \"viewer\" }}]\n",
            { let path = config.data.folder.join("oidc-secret"); std::fs::write(&path, "passerelle-dev-secret").unwrap(); path.display().to_string() }
        );
        let read = load(Some(&text), std::iter::empty()).unwrap();
        (config.sign_in, config.server.public_origin) = (read.sign_in, read.server.public_origin);
    })
    .await;
    let mut words = command.split_whitespace();
    let child = Command::new(words.next().unwrap())
        .args(words)
        .args(["--port", &port.to_string(), "--redirect-uri", &format!("{}/auth/company/callback", test.url)])
        .args(["--logout-uri", &format!("{}/sign-in", test.url)])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let _running = Running(child);
    let up = format!("{issuer}/.well-known/openid-configuration");
    for _ in 0..100 {
        if test.http.get(&up).send().await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for (user, name, role) in [
        ("alice", "Alice Martin", Some("admin")),
        ("bob", "Bob Durand", Some("viewer")),
        ("carol", "Carol Petit", None),
    ] {
        let mut browser = Browser::new(&test);
        let left = browser.get("/auth/company/sign-in?next=/services").await.led_to();
        let door = through_the_provider(&test.http, &left, &test.url, user).await;
        let came = browser.get(&door).await;
        assert_eq!(came.status, StatusCode::SEE_OTHER, "{user}: {}", came.html);
        assert_eq!(came.led_to(), if role.is_some() { "/services" } else { "/auth/no-role?why=none" });
        let me = browser.me().await.unwrap();
        assert_eq!(
            (&me["user"], &me["display_name"], me["roles"][0]["role"].as_str()),
            (&json!(user), &json!(name), role)
        );
        assert_eq!(browser.get(&door).await.status, StatusCode::BAD_REQUEST, "once");
        // Who they are, once more: the provider says when it asked.
        let left = browser.get("/auth/company/confirm?next=/confirm").await.led_to();
        let door = through_the_provider(&test.http, &left, &test.url, user).await;
        assert_eq!(browser.get(&door).await.led_to(), "/confirm");
        let csrf = browser.csrf().await;
        assert_eq!(browser.post("/sign-out", &[("csrf", &csrf)]).await.led_to(), "/sign-in?signed_out=true&of=company");
        let there = browser.get("/auth/company/sign-out").await.led_to();
        let page = test.http.get(&there).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "the provider takes the way out: {there}");
    }
}
