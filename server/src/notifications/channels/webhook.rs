//! Any receiver: a signed JSON body, by the scheme of standardwebhooks.com, for which receivers have libraries.
//!
//! `webhook-signature: v1,<base64>` is HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`; the timestamp is the one of the
//! attempt, in seconds since 1970, so that a receiver can refuse what was recorded and sent again.

use super::post::post;
use super::{Channel, Parcel, Undelivered, parse, schema_of, stored};
use crate::kernel::{AppError, Result};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use passerelle_contract::{Text, text};
use passerelle_targets::Secret;
use passerelle_targets::guard::Guard;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;
use uuid::Uuid;

/// The least a signing secret may have, in characters.
const SECRET_CHARS: usize = 16;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WebhookConfig {
    /// Where messages are posted to, for example https://chat.example.org/hooks/passerelle.
    #[schemars(title = "Address", extend("format" = "uri"))]
    url: String,
    /// What messages are signed with: 16 characters or more, or `whsec_` and base64. The receiver checks the signature with it.
    #[schemars(title = "Signing secret")]
    secret: Secret,
}

#[derive(Debug)]
pub struct Webhook;

#[async_trait]
impl Channel for Webhook {
    fn kind(&self) -> &'static str {
        "webhook"
    }

    fn title(&self) -> &'static str {
        "Webhook"
    }

    fn schema(&self) -> Value {
        schema_of::<WebhookConfig>()
    }

    fn check(&self, config: &Value) -> Result<()> {
        let config: WebhookConfig = parse(config)?;
        address(&config.url).map_err(|why| AppError::field("/config/url", why))?;
        match config.secret.reveal() {
            Ok(secret) => key(&secret).map(drop).map_err(|why| AppError::field("/config/secret", why)),
            Err(_) => Ok(()),
        }
    }

    fn destination(&self, config: &Value) -> Value {
        config.get("url").cloned().unwrap_or_default()
    }

    async fn send(&self, guard: &Guard, config: &Value, parcel: &Parcel<'_>) -> Result<Text, Undelivered> {
        let config: WebhookConfig = stored(config)?;
        let url = address(&config.url).map_err(Undelivered::never)?;
        let secret = config.secret.reveal().map_err(|error| Undelivered::later(error.text()))?;
        let key = key(&secret).map_err(Undelivered::never)?;
        let body = body(parcel).to_string();
        let headers = signed(&key, parcel.id, OffsetDateTime::now_utc().unix_timestamp(), &body);
        post(guard, &url, headers, body, |_| None).await
    }
}

fn address(text: &str) -> Result<Url, Text> {
    let wrong = || text!("must be http or https, without a user or a password");
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let good = matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none();
    if good { Ok(url) } else { Err(wrong()) }
}

fn key(secret: &str) -> Result<Vec<u8>, Text> {
    let secret = secret.trim();
    let wrong = || text!("must be {min} characters or more, or whsec_ and base64", min = SECRET_CHARS);
    let key = match secret.strip_prefix("whsec_") {
        Some(coded) => BASE64.decode(coded).map_err(|_| wrong())?,
        None => secret.as_bytes().to_vec(),
    };
    if key.len() < SECRET_CHARS { Err(wrong()) } else { Ok(key) }
}

fn signed(key: &[u8], id: Uuid, timestamp: i64, body: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // HMAC takes keys of any length.
    if let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) {
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        let signature = format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()));
        let values = [
            ("webhook-id", id.to_string()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signature),
        ];
        for (name, value) in values {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
    headers
}

/// Facts for programs, and the words of the message for people.
fn body(parcel: &Parcel<'_>) -> Value {
    let message = parcel.message;
    let lines: Vec<Value> =
        message.lines.iter().map(|(label, value)| json!({ "label": label, "value": value })).collect();
    let links: Vec<Value> =
        message.links.iter().map(|(words, address)| json!({ "text": words, "url": address })).collect();
    let mut body = json!({
        "id": parcel.id, "type": parcel.event.map_or("test", |event| event.kind.as_str()),
        "timestamp": parcel.at.format(&Rfc3339).unwrap_or_default(), "portal": parcel.origin,
        "title": message.title, "lines": lines, "links": links,
    });
    if let (Some(event), Value::Object(fields)) = (parcel.event, &mut body) {
        let facts = &event.facts;
        fields.insert("event".to_owned(), json!({
            "id": event.id, "service": event.service, "environment": event.environment, "deployment": facts.deployment,
            "operation": facts.operation, "version": facts.version, "previous": facts.previous, "asked_by": facts.asked_by,
            "by": facts.by, "cause": facts.cause, "decision": facts.decision,
            "objective": facts.slo, "verdict": facts.verdict, "verdict_before": facts.verdict_before,
        }));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_the_scheme() {
        // From the scheme's own reference vector.
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&key).unwrap();
        mac.update(br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#);
        assert_eq!(BASE64.encode(mac.finalize().into_bytes()), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let headers = signed(&key, Uuid::nil(), 1_614_265_330, "{}");
        assert_eq!(headers["webhook-id"], Uuid::nil().to_string());
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        assert!(headers["webhook-signature"].to_str().unwrap().starts_with("v1,"));
    }

    #[test]
    fn a_weak_secret_and_an_address_with_credentials_are_refused() {
        assert!(key("short").is_err() && key("whsec_AAAA").is_err() && key("whsec_!").is_err());
        assert!(key("sixteen characters").is_ok());
        assert!(address("https://hooks.test/a?b=c").is_ok());
        for bad in ["hooks.test", "https://u@hooks.test/", "https://u:p@hooks.test/", "file:///etc/passwd"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
