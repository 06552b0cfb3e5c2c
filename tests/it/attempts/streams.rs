//! Attempt 11: a role taken away, a user disabled and a session ended, each while that person's stream of events is open.

use crate::support::TestPortal;
use passerelle_contract::access::Role;
use reqwest::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use reqwest::{Method, Response, StatusCode};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How long a stream may live on after its reader's right to it has ended.
const DEADLINE: Duration = Duration::from_secs(30);
const HOLD: &str = "/services/shop/web/environments/staging/hold";

/// Somebody who reads a stream until the server closes it.
struct Reader {
    name: &'static str,
    cookie: String,
    /// When it was closed.
    closed: JoinHandle<Instant>,
}

async fn open(test: &TestPortal, path: &str, cookie: &str) -> Response {
    let request = test.http.get(format!("{}/api/v1{path}", test.url)).header(COOKIE, cookie);
    // Longer than any stream may live, so that its end is the server's doing.
    request.header("last-event-id", "0").timeout(3 * DEADLINE).send().await.unwrap()
}

async fn reader(test: &TestPortal, path: &str, name: &'static str, cookie: String) -> Reader {
    let mut stream = open(test, path, &cookie).await;
    assert_eq!(stream.status(), StatusCode::OK, "{name}");
    assert!(stream.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("text/event-stream"), "{name}");
    assert!(stream.chunk().await.unwrap().is_some(), "{name} is told something");
    let closed = tokio::spawn(async move {
        while stream.chunk().await.unwrap().is_some() {}
        Instant::now()
    });
    Reader { name, cookie, closed }
}

/// With the cookie as it was, whatever was answered to it since.
async fn acts(test: &TestPortal, path: &str, cookie: &str) -> (StatusCode, StatusCode) {
    let with = |method: Method, path: &str| {
        let request = test.http.request(method, format!("{}/api/v1{path}", test.url));
        request.header(COOKIE, cookie).header(ORIGIN, &test.url)
    };
    let read = with(Method::GET, path).send().await.unwrap().status();
    let write = with(Method::POST, HOLD).json(&json!({ "reason": "a test" })).send().await.unwrap().status();
    (read, write)
}

/// Takes the role of ada away, disables bob, ends the session of cleo, and leaves dora alone; when each of it was done.
async fn take_away(test: &TestPortal) -> [Instant; 4] {
    let bound = test.get("/role-bindings?user=ada").await.body;
    let role = format!("/role-bindings/{}", bound["items"][0]["id"].as_str().unwrap());
    let taken = test.call(Method::DELETE, &role, &test.admin, None).await;
    assert_eq!(taken.status, StatusCode::NO_CONTENT, "{}", taken.body);
    let ada = Instant::now();
    let disable = json!({ "disabled": true });
    let disabled = test.call(Method::PATCH, "/users/bob", &test.admin, Some(&disable)).await;
    assert_eq!(disabled.status, StatusCode::OK, "{}", disabled.body);
    let bob = Instant::now();
    let sessions = test.get("/sessions?user=cleo").await.body;
    let session = format!("/sessions/{}", sessions["items"][0]["id"].as_str().unwrap());
    let ended = test.call(Method::DELETE, &session, &test.admin, None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT, "{}", ended.body);
    [ada, bob, Instant::now(), Instant::now()]
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_right_to_read_acts_no_more_and_is_told_nothing_after_half_a_minute() {
    let test = TestPortal::with_shop().await;
    let id = test.deploy("tinyweb:v2").await;
    test.ended(&id).await;
    let (one, events) = (format!("/deployments/{id}"), format!("/deployments/{id}/events"));
    let mut cookies = Vec::new();
    for name in ["ada", "bob", "cleo", "dora"] {
        cookies.push((name, test.signed_in(name, Role::Developer).await.cookie()));
    }
    let mut readers = Vec::new();
    for (name, cookie) in cookies {
        readers.push(reader(&test, &events, name, cookie).await);
    }
    let still_open = |readers: &[Reader]| readers.iter().all(|reader| !reader.closed.is_finished());
    assert!(still_open(&readers));
    let gone = take_away(&test).await;

    // Who has no role at all sees no deployment and writes nothing; who is nobody is asked who they are.
    let (out, nothing) = (StatusCode::UNAUTHORIZED, (StatusCode::NOT_FOUND, StatusCode::FORBIDDEN));
    let expected = [nothing, (out, out), (out, out), (StatusCode::OK, StatusCode::NO_CONTENT)];
    for (reader, expected) in readers.iter().zip(expected) {
        // The last of them can put the hold there: nobody before her could.
        assert_eq!(acts(&test, &one, &reader.cookie).await, expected, "{}", reader.name);
    }
    assert!(still_open(&readers), "the streams were open when the rights ended");

    for ((reader, gone), (again, _)) in readers.into_iter().zip(gone).zip(expected) {
        let Reader { name, cookie, closed } = reader;
        let left = DEADLINE.saturating_sub(gone.elapsed());
        let Ok(closed) = tokio::time::timeout(left, closed).await else { panic!("the stream of {name} is open still") };
        let lived_on = closed.unwrap().duration_since(gone);
        assert!(lived_on <= DEADLINE, "{name}: {lived_on:?}");
        // A browser comes again at once, and is asked again.
        assert_eq!(open(&test, &events, &cookie).await.status(), again, "{name}");
    }
}
