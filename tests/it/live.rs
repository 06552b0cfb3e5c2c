//! What runs now, and where it differs from what was deployed: over HTTP, and on the service's page.

use crate::support::{TestPortal, deployment};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const LIVE: &str = "/services/shop/web/environments/staging/live";

/// Changes an object of the simulated cluster past the portal.
async fn by_hand(test: &TestPortal, method: reqwest::Method, path: &str, body: &Value) {
    let url = format!("{}{path}", test.simulator.kubernetes_url("test"));
    let kind =
        if method == reqwest::Method::PATCH { "application/strategic-merge-patch+json" } else { "application/json" };
    let request = test.http.request(method, url).bearer_auth("t").header("content-type", kind).body(body.to_string());
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
}

async fn edit(test: &TestPortal, patch: &Value) {
    by_hand(
        test,
        reqwest::Method::PATCH,
        "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=kubectl-edit",
        patch,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_past_the_portal_is_drift_with_its_writer() {
    let test = TestPortal::with_shop().await;
    let deployed = test.deploy("tinyweb:v2").await;
    assert_eq!(test.ended(&deployed).await["state"], "succeeded");
    let live = test.get(LIVE).await;
    assert_eq!(live.status, StatusCode::OK, "{}", live.body);
    assert_eq!((&live.body["drift"], &live.body["compared_with"]), (&json!([]), &json!(deployed)), "{}", live.body);
    assert_eq!((&live.body["health"], live.body["instances"].as_array().map(Vec::len)), (&json!("healthy"), Some(2)));

    let container = json!({"name": "web", "image": "tinyweb:v1", "env": [{"name": "SESSION_TTL", "value": "60"}]});
    edit(&test, &json!({"spec": {"replicas": 3, "template": {"spec": {"containers": [container]}}}})).await;
    let drift = test.get(LIVE).await.body["drift"].clone();
    let told: Vec<_> =
        drift.as_array().unwrap().iter().map(|one| (one["field"].as_str().unwrap(), one["by"].as_str())).collect();
    let by = Some("kubectl-edit");
    assert_eq!(told, [("image web", by), ("env SESSION_TTL", by), ("replicas", by)], "{drift}");
    assert_eq!((&drift[0]["deployed"], &drift[0]["runs"]), (&json!("tinyweb:v2"), &json!("tinyweb:v1")));

    // The observer finds it too, so that lists and pages tell it without asking the cluster.
    let start = Instant::now();
    loop {
        let matrix = test.get("/matrix").await.body;
        let rows = matrix["rows"].as_array().unwrap();
        let web = rows.iter().find(|row| row["service"]["key"] == "shop/web").unwrap();
        if web["cells"][0]["drift"].as_array().is_some_and(|drift| drift.len() == 3) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{web}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let person = test.person().await;
    for page in ["/services/shop/web", "/services/shop/web?tab=live"] {
        let shown = person.get(page).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert!(
            shown.html.contains("Differs from what was deployed") && shown.html.contains("kubectl-edit"),
            "{page}: {}",
            shown.html
        );
    }

    // A deployment puts it right.
    let again = test.deploy("tinyweb:v2").await;
    assert_eq!(test.ended(&again).await["state"], "succeeded");
    let drift = test.get(LIVE).await.body["drift"].clone();
    assert_eq!(drift, json!([]), "what runs now is what this deployment left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_around_a_service_is_told() {
    let test = TestPortal::with_shop().await;
    let (core, apps) = ("/api/v1/namespaces/shop", "/apis/networking.k8s.io/v1/namespaces/shop");
    let post = |path: String, body: Value| {
        let test = &test;
        async move { by_hand(test, reqwest::Method::POST, &path, &body).await }
    };
    post(format!("{core}/services"), json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}})).await;
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let ingress = json!({"metadata": {"name": "web"}, "spec": {"ingressClassName": "traefik",
        "tls": [{"hosts": ["web.monapp.com"], "secretName": "web-tls"}],
        "rules": [{"host": "web.monapp.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}});
    post(format!("{apps}/ingresses"), ingress).await;
    let certificate = json!({"metadata": {"name": "web"}, "spec": {"secretName": "web-tls", "dnsNames": ["web.monapp.com"]},
        "status": {"notAfter": "2026-12-01T00:00:00Z", "conditions": [{"type": "Ready", "status": "True"}]}});
    post("/apis/cert-manager.io/v1/namespaces/shop/certificates".to_owned(), certificate).await;
    let scaler = json!({"metadata": {"name": "web"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 2, "maxReplicas": 5}});
    post("/apis/autoscaling/v1/namespaces/shop/horizontalpodautoscalers".to_owned(), scaler).await;
    let quota = json!({"metadata": {"name": "team"}, "spec": {"hard": {"pods": "9"}}, "status": {"hard": {"pods": "9"}, "used": {"pods": "3"}}});
    post(format!("{core}/resourcequotas"), quota).await;

    let live = test.get(LIVE).await.body;
    let around = &live["surroundings"];
    assert_eq!((&around["autoscaler"]["max"], &around["quotas"][0]["used"]), (&json!(5), &json!("3")), "{live}");
    assert_eq!(
        (&around["routes"][0]["host"], &around["routes"][0]["address"]),
        (&json!("web.monapp.com"), &Value::Null)
    );
    assert!(around["certificates"][0]["expires_at"].as_str().unwrap().starts_with("2026-12-01"), "{around}");
    assert!(!around["events"].as_array().unwrap().is_empty(), "{around}");
    assert_eq!(around["unseen"], json!([]));
    // Nobody serves the Ingress: its class is not there.
    let plan = test.post("/plans", &deployment("tinyweb:v2")).await.body;
    let finding = plan["findings"].as_array().unwrap().iter().find(|one| one["code"] == "ingress_not_served").unwrap();
    assert!(finding["message"].as_str().unwrap().contains("class traefik"), "{finding}");

    let person = test.person().await;
    let shown = person.get("/services/shop/web?tab=live").await.html;
    for words in ["https://web.monapp.com/", "no controller serves it", "3 of 9", "web: 2 to 5 instances"] {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
}
