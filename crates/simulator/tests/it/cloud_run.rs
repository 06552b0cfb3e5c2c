use crate::support::Sim;
use serde_json::{Value, json};

const API: &str = "/run/v2/projects/p/locations/l/services/api";

async fn project() -> Sim {
    Sim::start("projects: {p: {locations: {l: {api: {image: 'api:1'}}}}}").await
}

async fn deploy(sim: &Sim, body: Value, mask: &str) -> Value {
    let (status, operation) = sim.patch(&format!("{API}?updateMask={mask}"), "application/json", body).await;
    assert_eq!(status, 200, "{operation}");
    assert_eq!(operation["done"], false);
    sim.post(&format!("/run/v2/{}:wait", operation["name"].as_str().unwrap()), json!({"timeout": "10s"})).await.1
}

fn template(image: &str) -> Value {
    json!({"template": {"containers": [{"image": image}]}})
}

#[tokio::test]
async fn a_new_revision_takes_the_traffic_when_it_is_ready() {
    let sim = project().await;
    let first = sim.get(API).await["latestReadyRevision"].clone();
    let operation = deploy(&sim, template("api:2"), "template").await;
    assert_eq!(operation["response"]["terminalCondition"]["state"], "CONDITION_SUCCEEDED");
    let service = sim.get(API).await;
    assert_ne!(service["latestReadyRevision"], first);
    let latest = service["latestReadyRevision"].as_str().unwrap();
    assert!(latest.ends_with(service["trafficStatuses"][0]["revision"].as_str().unwrap()));
    let revisions = sim.get(&format!("{API}/revisions")).await;
    assert_eq!(revisions["revisions"].as_array().unwrap().len(), 2);
    assert_eq!(sim.simulator.effects("/run", API.trim_start_matches("/run/v2/")), 1);
}

#[tokio::test]
async fn a_bad_revision_leaves_the_traffic_where_it_was() {
    for (image, words) in [("api:crash", "exit(1)"), ("api:no-such", "not found"), ("api:unready", "startup probe")] {
        let sim = project().await;
        let before = sim.get(API).await;
        let operation = deploy(&sim, template(image), "template").await;
        assert!(operation["error"]["message"].as_str().unwrap().contains(words), "{operation}");
        let after = sim.get(API).await;
        assert_eq!(after["latestReadyRevision"], before["latestReadyRevision"]);
        assert_eq!(after["trafficStatuses"], before["trafficStatuses"]);
        assert_eq!(after["terminalCondition"]["state"], "CONDITION_FAILED");
    }
}

#[tokio::test]
async fn traffic_moves_between_known_revisions_and_adds_up() {
    let sim = project().await;
    let first = sim.get(API).await["latestReadyRevision"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    deploy(&sim, template("api:2"), "template").await;
    let split = |percent: i64| {
        json!({"traffic": [
            {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": first, "percent": percent},
            {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 10}]})
    };
    deploy(&sim, split(90), "traffic").await;
    assert_eq!(sim.get(API).await["trafficStatuses"][0]["revision"], first.as_str());
    let (status, answer) = sim.patch(&format!("{API}?updateMask=traffic"), "application/json", split(80)).await;
    assert_eq!((status, answer["error"]["status"].as_str()), (400, Some("INVALID_ARGUMENT")));
}

#[tokio::test]
async fn a_stale_etag_is_a_conflict() {
    let sim = project().await;
    let mut body = template("api:2");
    body["etag"] = json!("\"old\"");
    let (status, answer) = sim.patch(&format!("{API}?updateMask=template"), "application/json", body).await;
    assert_eq!((status, answer["error"]["status"].as_str()), (409, Some("ABORTED")));
    assert_eq!(sim.get(API).await["generation"], "1");
}
