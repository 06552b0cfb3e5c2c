//! Secrets that lie in Vault or OpenBao: a server of our own that answers as their documentation says, and a real OpenBao where there is one.

mod played;
mod real;

use crate::support::{Answer, TestPortal};
use passerelle_server::config::VaultConfig;
use serde_json::{Value, json};

/// A portal that reads secrets there.
async fn portal(change: impl FnOnce(&mut VaultConfig)) -> TestPortal {
    TestPortal::start_with(|config, _| change(&mut config.vault)).await
}

/// Makes a connection to the simulated cluster whose token lies in Vault.
async fn connect(portal: &TestPortal, name: &str, token: Value) -> Answer {
    let config = json!({ "server": portal.simulator.kubernetes_url("test"), "token": token, "simulated": true });
    portal.post("/connections", &json!({ "name": name, "kind": "kubernetes", "config": config })).await
}

async fn tried(portal: &TestPortal, name: &str) -> (bool, String) {
    let answer = portal.post(&format!("/connections/{name}/check"), &json!({})).await.body;
    (answer["reachable"] == true, answer["message"].as_str().unwrap_or_default().to_owned())
}

/// What an edit is refused with, at which field.
fn refused(answer: &Answer) -> (String, String) {
    let error = &answer.body["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("pointer"), text("message"))
}
