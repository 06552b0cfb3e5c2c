//! Gates through the API: who may approve what, when nothing is deployed, and what gets past.

mod approvals;
mod glass;
mod releases;
mod settings;

use crate::support::TestPortal;
use reqwest::StatusCode;
use serde_json::{Value, json};

/// `shop/web` is bound in production too, and production asks for so many approvals.
async fn production(approvals: u8) -> TestPortal {
    let test = TestPortal::with_shop().await;
    test.bind_production().await;
    let all = test.get("/gates/policies").await.body;
    let mut policy =
        all["items"].as_array().unwrap().iter().find(|one| one["tier"] == "production").unwrap()["policy"].clone();
    policy["approval"]["needed"] = json!(approvals);
    assert_eq!(test.put("/gates/policies/production", &policy).await.status, StatusCode::OK);
    test
}

fn to_production(image: &str) -> Value {
    json!({ "service": "shop/web", "environment": "production", "image": image, "reason": "a test" })
}

fn gate<'a>(deployment: &'a Value, kind: &str) -> &'a Value {
    let gates = deployment["gates"].as_array().unwrap();
    gates.iter().find(|gate| gate["kind"] == kind).unwrap_or_else(|| panic!("no gate {kind}: {deployment}"))
}

/// The engine may have taken it already when the answer is read.
fn begins(deployment: &Value) -> bool {
    ["queued", "running", "verifying", "succeeded"].iter().any(|state| deployment["state"] == *state)
}

async fn staged(test: &TestPortal, image: &str) {
    let ended = test.ended(&test.deploy(image).await).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
}
