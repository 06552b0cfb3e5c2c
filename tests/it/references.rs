//! References to secrets lead only where the settings of the machine allow, whoever writes them.

use crate::support::{Answer, TestPortal};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;

async fn with(folder: &Path) -> TestPortal {
    let folders = folder.display().to_string();
    TestPortal::start_with(|config, _| {
        config.secrets.folders = folders;
        config.secrets.variables = "PASSERELLE_SECRET_*, PATH".to_owned();
    })
    .await
}

/// What a connection with this token is answered.
async fn asked(portal: &TestPortal, name: &str, token: Value) -> Answer {
    let config = json!({ "server": portal.simulator.kubernetes_url("test"), "token": token, "simulated": true });
    portal.post("/connections", &json!({ "name": name, "kind": "kubernetes", "config": config })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_leads_elsewhere_is_refused_by_its_field() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(&outside, "not to be read").unwrap();
    std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
    let portal = with(&inside).await;
    let key = portal.data.path().join("secret.key");
    let before = portal.rows().await;
    for token in [
        json!({ "file": key }),
        json!({ "file": outside }),
        json!({ "file": inside.join("link") }),
        json!({ "file": inside.join("../out") }),
        json!({ "file": inside }),
        json!({ "file": "/proc/self/environ" }),
        json!({ "file": "in/x" }),
        json!({ "file": "" }),
    ] {
        let refused = asked(&portal, "c9", token.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{token}: {}", refused.body);
        let error = &refused.body["errors"][0];
        assert_eq!(error["pointer"], "/config/token", "{token}: {}", refused.body);
        let said = error["message"].as_str().unwrap();
        assert!(said.contains(&inside.display().to_string()) && said.contains("secrets.folders"), "{said}");
    }
    for name in ["DATABASE_URL", "HOME", "PATHS", "passerelle_secret_x", ""] {
        let refused = asked(&portal, "c9", json!({ "env": name })).await;
        assert_eq!(refused.body["errors"][0]["pointer"], "/config/token", "{name}: {}", refused.body);
        let said = refused.body.to_string();
        assert!(said.contains("PASSERELLE_SECRET_*, PATH") && said.contains("secrets.variables"), "{said}");
    }
    // A value that names a file and an address: Google's way of a workload identity.
    let google = json!({ "type": "external_account", "audience": "a", "subject_token_type": "t",
        "token_url": "https://evil.test/", "credential_source": { "file": key } });
    let config = json!({ "gke": { "cluster": "projects/p/locations/l/clusters/c", "credentials": { "value": google.to_string() } } });
    let refused = portal.post("/connections", &json!({ "name": "c9", "kind": "kubernetes", "config": config })).await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/config/gke/credentials", "{}", refused.body);
    // Channels are held to the same rules, and so are imports.
    let channel =
        json!({ "name": "hook", "kind": "webhook", "config": { "url": "https://a.test/", "secret": { "file": key } } });
    let refused = portal.post("/notifications/channels", &channel).await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/config/secret", "{}", refused.body);
    assert_eq!(portal.rows().await, before, "nothing was saved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_is_allowed_is_followed_and_judged_again_when_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("in");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(inside.join("token"), "t").unwrap();
    std::fs::write(folder.path().join("elsewhere"), "t").unwrap();
    let portal = with(&inside).await;
    for (name, token) in [("c1", json!({ "file": inside.join("token") })), ("c2", json!({ "env": "PATH" }))] {
        let made = asked(&portal, name, token).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let tried = portal.post(&format!("/connections/{name}/check"), &json!({})).await;
        assert_eq!(tried.body["reachable"], true, "{}", tried.body);
    }
    std::fs::remove_file(inside.join("token")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), inside.join("token")).unwrap();
    let tried = portal.call(Method::POST, "/connections/c1/check", &portal.admin, Some(&json!({}))).await;
    assert_eq!(tried.body["reachable"], false, "{}", tried.body);
    assert!(tried.body["message"].as_str().unwrap().contains("secrets.folders"), "{}", tried.body);
}
