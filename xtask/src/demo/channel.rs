//! The demo's channel of notifications: a signed webhook to the simulator, so that pages have deliveries to show and no message leaves
//! the machine.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{Portal, SIMULATOR};

const LIMIT: Duration = Duration::from_secs(20);

/// Makes the channel and its rules; does nothing when it is there already.
pub fn make(portal: &Portal, token: &str) -> Result<()> {
    let channel = json!({
        "name": "demo-simulator", "kind": "webhook",
        "config": { "url": format!("http://{SIMULATOR}/hooks/demo"), "secret": { "value": "the demo's signing secret" } },
    });
    if !post(portal, token, "/notifications/channels", &channel)? {
        return Ok(());
    }
    let production = json!({ "channel": "demo-simulator", "tier": "production" });
    let trouble = json!({ "channel": "demo-simulator", "tier": "staging",
        "events": ["deployment.failed", "deployment.rolled_back", "deployment.needs_person"] });
    for rule in [production, trouble] {
        post(portal, token, "/notifications/rules", &rule)?;
    }
    Ok(())
}

/// False when it exists already.
fn post(portal: &Portal, token: &str, path: &str, body: &Value) -> Result<bool> {
    let body = body.to_string();
    let mut stream = TcpStream::connect(&portal.listen).context("the portal cannot be reached")?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(
        stream,
        "POST /api/v1{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        portal.listen,
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.get(9..12) {
        Some("201") => Ok(true),
        Some("409") => Ok(false),
        _ => bail!("{path}: {}", answer.lines().last().unwrap_or_default()),
    }
}
