//! What GitHub, GitLab and an Alertmanager send.

use crate::{choice, lossy};
use passerelle_contract::alerts::{AlertmanagerIn, AlertmanagerOptions};
use passerelle_server::alerts::{check_message, service_named};
use passerelle_server::webhooks::{Heard, Source, github_holds, gitlab_holds, read_github, read_gitlab, release};
use serde_json::Value;

const EVENTS: [&str; 6] = ["release", "registry_package", "package", "workflow_run", "ping", "push"];
const SECRET: &str = "a secret that is in no input";

pub fn github(bytes: &[u8]) {
    let (kind, body) = choice(bytes);
    assert!(!github_holds(SECRET, body, &lossy(body)), "a signature without the secret");
    let Ok(event) = serde_json::from_slice::<Value>(body) else { return };
    heard(&read_github(EVENTS[kind % EVENTS.len()], &event), false);
}

pub fn gitlab(bytes: &[u8]) {
    assert!(!gitlab_holds(SECRET, &lossy(bytes)), "a token without the secret");
    let Ok(event) = serde_json::from_slice::<Value>(bytes) else { return };
    heard(&read_gitlab(&event), true);
}

/// The release that it would make for services by tag, by version and by commit.
fn heard(heard: &Heard, any_workflow: bool) {
    let Heard::Built(built) = heard else { return };
    for image in ["ghcr.io/acme/web:{tag}", "ghcr.io/acme/web:{version}", "ghcr.io/acme/web:{commit}"] {
        let source = Source {
            service: "shop/web".to_owned(),
            image: image.to_owned(),
            workflow: Some("build.yml".to_owned()),
            branch: "main".to_owned(),
        };
        if let Ok(release) = release(built, &source, any_workflow) {
            assert_eq!(release.service, "shop/web");
            assert!(release.image.starts_with("ghcr.io/acme/web:"), "{}", release.image);
        }
    }
}

pub fn alertmanager(bytes: &[u8]) {
    let Ok(message) = serde_json::from_slice::<AlertmanagerIn>(bytes) else { return };
    if check_message(&message).is_err() {
        return;
    }
    assert!(message.alerts.len() <= 1_000);
    let options = AlertmanagerOptions { namespace: Some("shop".to_owned()), ..AlertmanagerOptions::default() };
    for alert in &message.alerts {
        assert!(alert.fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(service_named(alert, &options).is_none_or(|name| name.contains('/')));
    }
}
