//! Slack by an incoming webhook, and whatever speaks like it.

use super::post::post;
use super::{Channel, Parcel, Undelivered, parse, schema_of, stored};
use crate::kernel::{AppError, Result};
use crate::notifications::message::Message;
use async_trait::async_trait;
use passerelle_contract::{Text, text};
use passerelle_targets::Secret;
use passerelle_targets::guard::Guard;
use reqwest::header::HeaderMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// Fields that Slack takes in one section.
const FIELDS: usize = 10;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SlackConfig {
    /// Address of the incoming webhook. Whoever has it can post, so it is kept as a secret.
    #[schemars(title = "Webhook address")]
    url: Secret,
}

#[derive(Debug)]
pub struct Slack;

#[async_trait]
impl Channel for Slack {
    fn kind(&self) -> &'static str {
        "slack"
    }

    fn title(&self) -> &'static str {
        "Slack"
    }

    fn schema(&self) -> Value {
        schema_of::<SlackConfig>()
    }

    fn check(&self, config: &Value) -> Result<()> {
        let config: SlackConfig = parse(config)?;
        // A reference may lead to its value only on the machine that sends.
        match config.url.reveal() {
            Ok(text) => address(&text).map(drop).map_err(|why| AppError::field("/config/url", why)),
            Err(_) => Ok(()),
        }
    }

    async fn send(&self, guard: &Guard, config: &Value, parcel: &Parcel<'_>) -> Result<Text, Undelivered> {
        let config: SlackConfig = stored(config)?;
        let text = config.url.reveal().map_err(|error| Undelivered::later(error.text()))?;
        let url = address(&text).map_err(Undelivered::never)?;
        post(guard, &url, HeaderMap::new(), body(parcel.message, parcel).to_string(), word).await
    }
}

fn address(text: &str) -> Result<Url, Text> {
    let wrong = || text!("must be an http or https address");
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let good = matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.username().is_empty();
    if good { Ok(url) } else { Err(wrong()) }
}

/// The words of Slack's refusals, such as `no_team`; of anything else nothing is repeated.
fn word(body: &str) -> Option<String> {
    let body = body.trim();
    let plain = (1..=60).contains(&body.len())
        && body.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == ' ');
    plain.then(|| body.to_owned())
}

/// Blocks for those who see them, and the same in `text` for notifications and screen readers.
fn body(message: &Message, parcel: &Parcel<'_>) -> Value {
    let mut blocks =
        vec![json!({ "type": "header", "text": { "type": "plain_text", "text": message.title, "emoji": false } })];
    let fields: Vec<Value> = message
        .lines
        .iter()
        .take(FIELDS)
        .map(|(label, value)| json!({ "type": "mrkdwn", "text": format!("*{}*\n{}", escaped(label), escaped(value)) }))
        .collect();
    if !fields.is_empty() {
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    let links: Vec<String> =
        message.links.iter().map(|(words, address)| format!("<{address}|{}>", escaped(words))).collect();
    if !links.is_empty() {
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": links.join("  ·  ") } }));
    }
    let note = format!("Passerelle · {}", parcel.id);
    blocks.push(json!({ "type": "context", "elements": [{ "type": "plain_text", "text": note, "emoji": false }] }));
    json!({ "text": escaped(&message.plain()), "blocks": blocks })
}

/// The three characters that Slack reads as the beginning of a link, a mention or an entity.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;
    use uuid::Uuid;

    #[test]
    fn nobody_can_be_called_by_a_reason() {
        let message = Message {
            title: "Failed: shop/web".to_owned(),
            lines: vec![("Reason".to_owned(), "<!channel> & <https://evil.test|click>".to_owned())],
            links: vec![("Open".to_owned(), "https://portal.test/deployments/1".to_owned())],
            locale: passerelle_contract::Locale::En,
        };
        let parcel = Parcel {
            id: Uuid::from_u128(5),
            message: &message,
            recipient: "",
            at: OffsetDateTime::UNIX_EPOCH,
            event: None,
            origin: "https://portal.test",
        };
        let body = body(&message, &parcel);
        let said = body.to_string();
        assert!(!said.contains("<!channel>") && !said.contains("<https://evil"));
        assert!(said.contains("<https://portal.test/deployments/1|Open>"));
        assert_eq!(body["blocks"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn only_slacks_own_words_are_repeated() {
        assert_eq!(word("no_team\n").as_deref(), Some("no_team"));
        assert_eq!(word("<html>your token is 42</html>"), None);
        assert!(address("https://hooks.slack.test/services/T/B/X").is_ok());
        for bad in ["", "hooks.slack.test", "ftp://a/b", "https://u:p@a/b", "javascript:alert(1)"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
