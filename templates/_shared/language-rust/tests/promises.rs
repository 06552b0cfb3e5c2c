//! The promises that the platform relies on: probes, metrics, settings.
#![expect(clippy::unwrap_used, reason = "tests")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use service::routes::{App, router};
use service::settings::Settings;
use tower::ServiceExt as _;

fn settings(name: &str) -> Option<String> {
    match name {
        "VERSION" => Some("1.2.3".to_owned()),
<% if database %>
        // Nobody listens on port 1: the tests need no database, and the connection is refused at once.
        "DATABASE_URL" => Some("postgresql://nobody@127.0.0.1:1/none".to_owned()),
<% endif %>
        _ => None,
    }
}

fn app() -> App {
    App::new(Settings::from(settings).unwrap()).unwrap()
}

async fn get(router: &Router, path: &str) -> (StatusCode, String) {
    let answer = router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn alive_without_asking_anybody() {
    assert_eq!(get(&router(app()), "/healthz").await, (StatusCode::OK, r#"{"status":"alive"}"#.to_owned()));
}

<% if database %>
#[tokio::test]
async fn not_ready_without_its_database() {
    let (status, body) = get(&router(app()), "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("database does not answer"), "{body}");
}

#[test]
fn the_address_of_the_database_is_required_and_never_shown() {
    assert!(Settings::from(|_| None).unwrap_err().to_string().contains("DATABASE_URL"));
    assert!(!format!("{:?}", Settings::from(settings).unwrap()).contains("nobody"));
}
<% else %>
#[tokio::test]
async fn ready_once_started() {
    assert_eq!(get(&router(app()), "/readyz").await.0, StatusCode::OK);
}
<% endif %>

#[tokio::test]
async fn not_ready_while_stopping() {
    let app = app();
    app.stop();
    let (status, body) = get(&router(app), "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("stopping"), "{body}");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_probes_are_not() {
    let router = router(app());
    assert!(get(&router, "/api/v1/info").await.1.contains("1.2.3"));
    get(&router, "/healthz").await;
    get(&router, "/no/such/path").await;
    let (_, text) = get(&router, "/metrics").await;
    assert!(text.contains(r#"http_requests_total{code="200",method="GET",route="/api/v1/info"} 1"#), "{text}");
    assert!(text.contains(r#"route="unmatched""#), "{text}");
    assert!(!text.contains(r#"route="/healthz""#), "{text}");
    assert!(text.contains(r#"le="<{ latency_s }>""#), "{text}");
}

#[tokio::test]
async fn metrics_are_not_for_outside() {
    let request = Request::get("/metrics").header("x-forwarded-for", "203.0.113.7").body(Body::empty()).unwrap();
    assert_eq!(router(app()).oneshot(request).await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[test]
fn a_wrong_setting_stops_the_start() {
    let with_port = |name: &str| if name == "PORT" { Some("0".to_owned()) } else { settings(name) };
    assert!(Settings::from(with_port).unwrap_err().to_string().starts_with("PORT"));
}
<% if events %>

#[tokio::test]
async fn an_event_is_acknowledged_and_a_broken_one_is_not() {
    for (data, expected) in [("aGVsbG8=", StatusCode::NO_CONTENT), ("not base64!", StatusCode::BAD_REQUEST)] {
        let push = serde_json::json!({"message": {"messageId": "1", "data": data}, "subscription": "s"}).to_string();
        let request =
            Request::post("/events").header("content-type", "application/json").body(Body::from(push)).unwrap();
        assert_eq!(router(app()).oneshot(request).await.unwrap().status(), expected);
    }
}
<% endif %>
