//! Attempt 24: headers of a hundred kilobytes and without an end, a made-up `Host`, and what a stranger claims to forward.

use super::raw;
use crate::support::{PASSWORD, Shown, TestPortal};
use passerelle_server::config::load;
use reqwest::header::SET_COOKIE;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::json;
use std::time::{Duration, Instant};

const LARGE: usize = 100 << 10;
const OURS: &str = "https://portal.example";
const EVIL: &str = "evil.example";
/// Where a request says that it was sent to.
const MADE_UP: [(&str, &str); 8] = [
    ("host", EVIL),
    ("x-forwarded-host", EVIL),
    ("x-forwarded-server", EVIL),
    ("x-host", EVIL),
    ("x-forwarded-proto", "http"),
    ("forwarded", "for=203.0.113.7;host=evil.example;proto=http"),
    ("x-original-url", "https://evil.example/"),
    ("x-rewrite-url", "/evil.example"),
];
/// Whom, what and where from a stranger says that it forwards.
const CLAIMED: [(&str, &str); 14] = [
    ("x-forwarded-for", "203.0.113.7"),
    ("x-real-ip", "203.0.113.7"),
    ("x-client-ip", "203.0.113.7"),
    ("true-client-ip", "203.0.113.7"),
    ("forwarded", "for=203.0.113.7;host=evil.example;proto=https"),
    ("x-forwarded-host", EVIL),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-port", "443"),
    ("x-forwarded-user", "root"),
    ("x-auth-request-user", "root"),
    ("remote-user", "root"),
    ("x-original-url", "/api/v1/users"),
    ("x-rewrite-url", "/api/v1/users"),
    ("x-request-id", "11111111-1111-7111-8111-111111111111"),
];

/// The status that these bytes were answered with; none when the server closed the connection without a word. A server that does neither
/// fails the test.
pub async fn status_of(test: &TestPortal, request: Vec<u8>) -> Option<u16> {
    let start = Instant::now();
    let heard = raw::exchange(&test.url, std::iter::once(request)).await;
    assert!(start.elapsed() < Duration::from_secs(20), "neither an answer nor the end of the connection");
    heard.status
}

async fn still_answers(test: &TestPortal) {
    let start = Instant::now();
    let health = test.http.get(format!("{}/healthz", test.url)).send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

fn with_headers(headers: &str) -> Vec<u8> {
    format!("GET /sign-in HTTP/1.1\r\nhost: portal.test\r\nconnection: close\r\n{headers}\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kilobytes_of_headers_take_nothing_down() {
    // Its own address is believed, so that the longest chain of proxies is read to its end.
    let test =
        TestPortal::start_with(|config, _| config.server.trusted_proxies = "127.0.0.1/32, 10.0.0.0/8".to_owned()).await;
    let rows = test.rows().await;
    let many = format!("x-filler: {}\r\n", "x".repeat(90)).repeat(1024);
    assert!(many.len() > LARGE);
    let status = status_of(&test, with_headers(&many)).await;
    assert!(matches!(status, Some(431) | None), "a thousand headers: {status:?}");
    still_answers(&test).await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: portal.test\r\nconnection: close\r\n\r\n", "x".repeat(LARGE));
    let status = status_of(&test, long.into_bytes()).await;
    assert!(matches!(status, Some(414 | 431) | None), "an address: {status:?}");
    still_answers(&test).await;
    // In one header it is less than what the server reads at most (400 kB): whoever reads it has to bear it.
    for (name, part) in [
        ("cookie", "passerelle_session=a; "),
        ("accept-language", "fr;q=0.1, "),
        ("accept", "text/html, "),
        ("accept-encoding", "gzip;q=0.5, "),
        ("x-forwarded-for", "10.0.0.1, "),
        ("user-agent", "x"),
        ("referer", "http://evil.example/"),
    ] {
        let value = part.repeat(LARGE / part.len());
        let header = format!("{name}: {}\r\n", value.trim_end_matches([',', ';', ' ']));
        let status = status_of(&test, with_headers(&header)).await;
        assert!(status.is_some_and(|status| (200..500).contains(&status)), "{name}: {status:?}");
        still_answers(&test).await;
    }
    let status = status_of(&test, with_headers(&format!("authorization: {}\r\n", "Bearer ".repeat(LARGE / 7)))).await;
    assert_eq!(status, Some(401), "what is no token is none at any length");
    assert_eq!(test.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_without_an_end_are_cut_off_also_from_many_at_once() {
    let test = TestPortal::start().await;
    let endless = format!("GET / HTTP/1.1\r\nhost: portal.test\r\nx-filler: {}", "x".repeat(2 << 20)).into_bytes();
    let answers = futures::future::join_all((0..20).map(|_| status_of(&test, endless.clone()))).await;
    assert!(answers.iter().all(|status| matches!(status, Some(431) | None)), "{answers:?}");
    assert!(answers.contains(&Some(431)), "nobody was told why: {answers:?}");
    still_answers(&test).await;
    assert_eq!(test.get("/me").await.status, StatusCode::OK);
}

/// People come by `https://portal.example`, with a password or by GitHub.
async fn portal() -> TestPortal {
    TestPortal::start_with(|config, _| {
        let secret = config.data.folder.join("client-secret");
        std::fs::write(&secret, "the-clients-secret").unwrap();
        let text = format!(
            "[server]\npublic_origin = \"{OURS}\"\n[sign_in]\nlocal = \"everybody\"\n[[sign_in.providers]]\nid = \"gh\"\n\
             name = \"GitHub\"\nkind = \"github\"\nissuer = \"https://github.example\"\nclient_id = \"Iv1.abc\"\n\
             client_secret = \"file:{}\"\n",
            secret.display()
        );
        let read = load(Some(&text), std::iter::empty()).unwrap();
        (config.sign_in, config.server.public_origin) = (read.sign_in, read.server.public_origin);
    })
    .await
}

async fn shown(request: RequestBuilder) -> Shown {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Shown { status, headers, html: response.text().await.unwrap() }
}

fn saying(request: RequestBuilder, headers: &[(&'static str, &'static str)]) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

/// The answer to a request that names another host, which the answer does not.
async fn misled(request: RequestBuilder) -> Shown {
    let answer = shown(saying(request, &MADE_UP)).await;
    assert!(!answer.status.is_server_error(), "{}", answer.html);
    assert!(!format!("{:?}", answer.headers).contains(EVIL), "{:?}", answer.headers);
    assert!(!answer.html.contains(EVIL), "{}", answer.html);
    answer
}

/// The cookies of an answer, each of which holds for this host alone and by https alone.
fn cookies(answer: &Shown) -> Vec<String> {
    let all = answer.headers.get_all(SET_COOKIE).iter();
    let cookies: Vec<String> = all.map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
    for cookie in &cookies {
        let attributes = cookie.to_lowercase();
        assert!(cookie.starts_with("__Host-") && attributes.contains("; secure"), "{cookie}");
        assert!(attributes.contains("; httponly") && !attributes.contains("domain="), "{cookie}");
    }
    cookies
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_redirect_or_cookie_names_the_host_that_a_request_made_up() {
    let test = portal().await;
    let get = |path: &str| test.http.get(format!("{}{path}", test.url)).header("accept", "text/html");
    for path in [
        "/",
        "/services",
        "/sign-in?next=/services",
        "/setup",
        "/confirm",
        "/auth/gh/confirm",
        "/auth/gh/callback",
        "/auth/gh/sign-out",
        "/nothing",
        "/static/nothing",
        "/docs/api",
        "/docs/errors/forbidden",
        "/api/v1/openapi.json",
        "/api/v1/me",
        "/api/v1/nothing",
        "/healthz",
        "/readyz",
    ] {
        misled(get(path)).await;
    }
    assert!(misled(get("/services")).await.led_to().starts_with("/sign-in?next="));
    let policy = misled(get("/sign-in")).await;
    assert!(policy.headers.contains_key("strict-transport-security"), "whatever the protocol is said to be");
    let left = misled(get("/auth/gh/sign-in")).await;
    let way = left.led_to();
    assert!(way.starts_with("https://github.example/login/oauth/authorize?"), "{way}");
    assert!(way.contains("redirect_uri=https%3A%2F%2Fportal.example%2Fauth%2Fgh%2Fcallback"), "{way}");
    assert!(cookies(&left).iter().any(|cookie| cookie.starts_with("__Host-passerelle_sign_in=")));
    signs_in_here_only(&test).await;
}

async fn signs_in_here_only(test: &TestPortal) {
    let post = |path: &str| test.http.post(format!("{}{path}", test.url));
    let ada = json!({ "name": "ada", "display_name": "Ada", "password": PASSWORD });
    assert_eq!(misled(post("/api/v1/users").bearer_auth(&test.admin).json(&ada)).await.status, StatusCode::CREATED);
    let viewer = json!({ "user": "ada", "role": "viewer", "scope": { "kind": "everything" } });
    assert_eq!(test.post("/role-bindings", &viewer).await.status, StatusCode::CREATED);
    let fields = [("user", "ada"), ("password", PASSWORD), ("next", "/services")];
    let sign_in = |origin: String| post("/sign-in").header("origin", origin).form(&fields[..]);
    // As a page of the made-up host would send it, were its name led here.
    for origin in [format!("http://{EVIL}"), format!("https://{EVIL}"), test.url.clone()] {
        let foreign = misled(sign_in(origin)).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN, "{}", foreign.html);
        assert!(foreign.html.contains("cross_site") && cookies(&foreign).is_empty(), "{}", foreign.html);
    }
    let signed_in = misled(sign_in(OURS.to_owned())).await;
    assert_eq!(signed_in.led_to(), "/services");
    let given = cookies(&signed_in);
    let session = given.iter().find(|cookie| cookie.starts_with("__Host-passerelle_session=")).unwrap();
    let session = session.split(';').next().unwrap();
    for path in ["/", "/services", "/deployments", "/access/tokens", "/access/sessions"] {
        let page = misled(test.http.get(format!("{}{path}", test.url)).header("cookie", session)).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.html);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_claims_to_forward_changes_neither_the_audit_nor_the_way() {
    let test = TestPortal::start().await;
    let ada = json!({ "name": "ada", "display_name": "Ada", "password": PASSWORD });
    assert_eq!(test.post("/users", &ada).await.status, StatusCode::CREATED);
    let get = |path: &str| test.http.get(format!("{}{path}", test.url));
    let sign_in = |password: &str, origin: &str| {
        let fields = [("user", "ada"), ("password", password), ("next", "/services")];
        test.http.post(format!("{}/sign-in", test.url)).header("origin", origin).form(&fields[..])
    };
    let wrong = shown(saying(sign_in("wrong wrong wrong", &test.url), &CLAIMED)).await;
    wrong.refused();
    let bad = shown(saying(get("/api/v1/me").bearer_auth("x"), &CLAIMED)).await;
    assert_eq!(bad.status, StatusCode::UNAUTHORIZED);
    let rows = test.get("/audit?action=access.sign_in&outcome=denied").await.body;
    let told: Vec<&str> = rows["items"].as_array().unwrap().iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert!(told.len() == 2 && told.iter().all(|reason| reason.ends_with("from 127.0.0.1")), "{rows}");
    let all = test.get("/audit").await.body.to_string();
    assert!(!all.contains("203.0.113.7") && !all.contains("11111111-1111"), "{all}");

    let (plain, forged) = (shown(get("/services")).await, shown(saying(get("/services"), &CLAIMED)).await);
    assert_eq!(plain.led_to(), forged.led_to());
    assert!(forged.led_to().starts_with("/sign-in?next="), "{}", forged.led_to());
    assert_eq!(shown(saying(get("/api/v1/me"), &CLAIMED)).await.status, StatusCode::UNAUTHORIZED, "nobody is root");
    assert_eq!(shown(saying(get("/healthz"), &CLAIMED)).await.html, "ok\n", "the address is the one that was asked");
    let foreign = shown(saying(sign_in(PASSWORD, "https://evil.example"), &CLAIMED)).await;
    assert!(foreign.status == StatusCode::FORBIDDEN && foreign.html.contains("cross_site"), "{}", foreign.html);

    // People come by http here, whatever is claimed: a cookie for https alone would lock them out.
    let (plain, forged) =
        (shown(sign_in(PASSWORD, &test.url)).await, shown(saying(sign_in(PASSWORD, &test.url), &CLAIMED)).await);
    for answer in [&plain, &forged] {
        assert_eq!(answer.led_to(), "/services");
        let all = answer.headers.get_all(SET_COOKIE).iter();
        let cookies: Vec<String> = all.map(|cookie| cookie.to_str().unwrap().to_lowercase()).collect();
        assert!(cookies.iter().any(|cookie| cookie.starts_with("passerelle_session=")), "{cookies:?}");
        let odd = |cookie: &String| cookie.contains("; secure") || cookie.contains("domain=");
        assert!(!cookies.iter().any(odd), "{cookies:?}");
        assert!(!answer.headers.contains_key("strict-transport-security"), "{:?}", answer.headers);
    }
}
