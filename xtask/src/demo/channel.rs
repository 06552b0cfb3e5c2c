//! The demo's channels of notifications: a signed webhook for everything, and CloudTaskHub's Slack, which its document wants told of every
//! outcome. Both lead to the simulator, so that pages have deliveries to show and no message leaves the machine.

use anyhow::Result;
use serde_json::{Value, json};

use super::SIMULATOR;
use super::api::Api;

/// Makes the channels and their rules; a channel that is there already keeps its rules as they are.
pub fn make(api: &Api) -> Result<()> {
    let hook = |name: &str| format!("http://{SIMULATOR}/hooks/{name}");
    let webhook = json!({
        "name": "demo-simulator", "kind": "webhook",
        "config": { "url": hook("demo"), "secret": { "value": "the demo's signing secret" } },
    });
    let production = json!({ "channel": "demo-simulator", "tier": "production" });
    let trouble = json!({ "channel": "demo-simulator", "tier": "staging",
        "events": ["deployment.failed", "deployment.rolled_back", "deployment.needs_person"] });
    with_rules(api, &webhook, &[production, trouble])?;
    let slack = json!({
        "name": "cloudtaskhub-slack", "kind": "slack", "config": { "url": { "value": hook("cloudtaskhub-slack") } },
    });
    let everything = json!({ "channel": "cloudtaskhub-slack", "system": "cloudtaskhub/cloudtaskhub" });
    with_rules(api, &slack, &[everything])
}

fn with_rules(api: &Api, channel: &Value, rules: &[Value]) -> Result<()> {
    if api.make("/notifications/channels", channel)? {
        for rule in rules {
            api.post("/notifications/rules", rule)?;
        }
    }
    Ok(())
}
