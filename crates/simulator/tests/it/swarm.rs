use crate::support::Sim;
use serde_json::{Value, json};

const SERVICE: &str = "/docker/hub/v1.41/services/shop_web";

async fn hub() -> Sim {
    Sim::start("engines: {hub: {services: {shop_web: {image: 'tinyweb:v1', replicas: 2, env: {A: '1'}}}}}").await
}

async fn change(sim: &Sim, image: &str) -> u16 {
    let service = sim.get(SERVICE).await;
    let mut spec = service["Spec"].clone();
    spec["TaskTemplate"]["ContainerSpec"]["Image"] = json!(image);
    let version = &service["Version"]["Index"];
    sim.post(&format!("/docker/hub/services/{}/update?version={version}", service["ID"].as_str().unwrap()), spec)
        .await
        .0
}

fn state(service: &Value) -> &str {
    service["UpdateStatus"]["State"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn an_update_completes_task_by_task() {
    let sim = hub().await;
    assert_eq!(change(&sim, "tinyweb:v2").await, 200);
    sim.until(SERVICE, |service| state(service) == "completed").await;
    let filters = "%7B%22service%22%3A%5B%22shop_web%22%5D%2C%22desired-state%22%3A%5B%22running%22%5D%7D";
    let tasks = sim.get(&format!("/docker/hub/tasks?filters={filters}")).await;
    let tasks = tasks.as_array().unwrap();
    assert_eq!(tasks.len(), 2);
    for task in tasks {
        assert_eq!(task["Spec"]["ContainerSpec"]["Image"], "tinyweb:v2");
        assert_eq!(task["Status"]["State"], "running");
    }
    assert_eq!(sim.simulator.effects("/docker/hub", "services/shop_web"), 1);
}

#[tokio::test]
async fn failures_roll_back_and_leave_their_words() {
    for (image, words) in [
        ("tinyweb:v4", "task: non-zero exit (1)"),
        ("tinyweb:no-such", "No such image: tinyweb:no-such"),
        ("tinyweb:v3", "unhealthy container"),
    ] {
        let sim = hub().await;
        change(&sim, image).await;
        let service = sim.until(SERVICE, |service| state(service) == "rollback_completed").await;
        assert_eq!(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"], "tinyweb:v1");
        let tasks = sim.get("/docker/hub/tasks").await;
        let failed = tasks
            .as_array()
            .unwrap()
            .iter()
            .find(|task| task["Status"]["Err"].as_str().is_some_and(|err| err.contains(words)));
        assert!(failed.is_some(), "{words}");
    }
}

#[tokio::test]
async fn a_stale_version_is_out_of_sequence() {
    let sim = hub().await;
    let spec = sim.get(SERVICE).await["Spec"].clone();
    let (status, answer) = sim.post("/docker/hub/services/shop_web/update?version=1", spec).await;
    assert_eq!(
        (status, answer["message"].as_str()),
        (500, Some("rpc error: code = Unknown desc = update out of sequence"))
    );
}

#[tokio::test]
async fn the_engine_answers_on_its_own_port_and_tells_events() {
    let sim = hub().await;
    let url = sim.simulator.docker_url("hub").replace("tcp://", "http://");
    let version: Value = reqwest::get(format!("{url}/version")).await.unwrap().json().await.unwrap();
    assert!(version["Version"].as_str().unwrap().starts_with("28."));
    let mut events = reqwest::get(format!("{url}/v1.41/events")).await.unwrap();
    change(&sim, "tinyweb:v2").await;
    let first: Value = serde_json::from_slice(&events.chunk().await.unwrap().unwrap()).unwrap();
    assert_eq!((first["Type"].as_str(), first["Action"].as_str()), (Some("service"), Some("update")));
}
