//! The portal is killed with SIGKILL after each write of a delivery and started again: everything is there once, nothing twice.

use crate::onboarding::{TEAMS, body};
use crate::support::RunningPortal;
use passerelle_simulator::{Side, Trap};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn onboarded(portal: &RunningPortal) -> String {
    let request =
        reqwest::Client::new().post(format!("{}/api/v1/catalog/imports", portal.url)).bearer_auth(&portal.admin);
    let imported = request.header("content-type", "application/yaml").body(TEAMS).send().await.unwrap();
    assert!(imported.status().is_success());
    for provider in ["github", "gitlab"] {
        let config = json!({ "provider": provider, "base_url": portal.simulator.pipelines_url(), "token": { "value": "t" },
            "deliver_to": ["acme/*"], "simulated": true });
        let made = portal.post("/connections", &json!({ "name": provider, "kind": "ci", "config": config })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    }
    let made = portal.post("/onboardings", &body(json!({}))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    made.body["id"].as_str().unwrap().to_owned()
}

fn trap(prefix: &str, nth: u32, side: Side) -> Trap {
    Trap { prefix: prefix.to_owned(), nth, side }
}

/// Killed as soon as a write is held, with its effect or without, and started again with the next trap set; whose lease it was would otherwise
/// be waited for.
async fn killed_at(portal: RunningPortal, next: Option<Trap>) -> RunningPortal {
    tokio::time::timeout(Duration::from_secs(30), portal.simulator.caught()).await.expect("a write that is held");
    let killed = portal.kill();
    let mut database = killed.database().superuser().await;
    sqlx::query("UPDATE onboarding_deliveries SET lease_until = now()").execute(&mut database).await.unwrap();
    killed.simulator().set_trap(next);
    killed.start_again().await
}

async fn ended(portal: &RunningPortal, path: &str) -> Value {
    let start = Instant::now();
    loop {
        let seen = portal.get(path).await.body;
        if seen["state"] != "running" {
            return seen;
        }
        assert!(start.elapsed() < Duration::from_secs(40), "{seen}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// One delivery, killed at these of its writes, counted from each start.
async fn killed_everywhere(
    mut portal: RunningPortal,
    id: &str,
    to: &Value,
    side: Side,
    writes: &[u32],
) -> (RunningPortal, Value) {
    let prefix = format!("/{}", to["connection"].as_str().unwrap());
    let mut traps = writes.iter().map(|nth| trap(&prefix, *nth, side));
    portal.simulator.set_trap(traps.next());
    let asked = portal.post(&format!("/onboardings/{id}/deliveries"), to).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    let path = format!("/onboardings/{id}/deliveries/{}", asked.body["id"].as_str().unwrap());
    for _ in writes {
        portal = killed_at(portal, traps.next()).await;
    }
    let done = ended(&portal, &path).await;
    (portal, done)
}

/// GitHub gets a tree, a commit, a reference and a pull request, GitLab a commit and a merge request; a new repository comes first.
#[tokio::test(flavor = "multi_thread")]
async fn killed_after_each_write_there_is_one_of_everything() {
    let mut portal = RunningPortal::with_shop().await;
    let id = onboarded(&portal).await;
    for (to, writes, made) in [
        (
            json!({ "connection": "github", "repository": "acme/shop", "into": "existing" }),
            &[1, 2, 3, 1][..],
            ["branches/acme/shop", "pulls/acme/shop"],
        ),
        (
            json!({ "connection": "github", "repository": "acme/orders", "into": "new" }),
            &[1, 1, 2, 3],
            ["repositories/acme/orders", "branches/acme/orders"],
        ),
        (
            json!({ "connection": "gitlab", "repository": "acme/shop", "into": "existing" }),
            &[1, 1],
            ["commits/acme/shop", "requests/acme/shop"],
        ),
        (
            json!({ "connection": "gitlab", "repository": "acme/orders", "into": "new" }),
            &[1, 1],
            ["projects/acme/orders", "commits/acme/orders"],
        ),
    ] {
        let prefix = format!("/{}", to["connection"].as_str().unwrap());
        let (again, done) = killed_everywhere(portal, &id, &to, Side::After, writes).await;
        portal = again;
        assert_eq!(done["state"], "done", "{done}");
        for object in made {
            assert_eq!(portal.simulator.effects(&prefix, object), 1, "{to} {object}");
        }
    }
    let ran = portal.get("/audit?action=onboarding.run&outcome=success").await.body;
    assert_eq!(ran["total"], 4, "each end is written once: {ran}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_each_write_and_while_taking_back() {
    let portal = RunningPortal::with_shop().await;
    let id = onboarded(&portal).await;
    let to = json!({ "connection": "github", "repository": "acme/shop", "into": "existing" });
    let (portal, done) = killed_everywhere(portal, &id, &to, Side::Before, &[1, 2, 3, 4]).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(portal.simulator.effects("/github", "pulls/acme/shop"), 1);
    let path = format!("/onboardings/{id}/deliveries/{}", done["id"].as_str().unwrap());
    portal.simulator.set_trap(Some(trap("/github", 1, Side::After)));
    assert_eq!(portal.post(&format!("{path}/undo"), &json!({})).await.status, StatusCode::OK);
    // While the request is being closed, then while the branch is being deleted.
    let portal = killed_at(portal, Some(trap("/github", 1, Side::After))).await;
    let portal = killed_at(portal, None).await;
    let undone = ended(&portal, &path).await;
    assert_eq!(undone["state"], "undone", "{undone}");
    for object in ["pulls-closed/acme/shop", "branches-deleted/acme/shop"] {
        assert_eq!(portal.simulator.effects("/github", object), 1, "{object}");
    }
}
