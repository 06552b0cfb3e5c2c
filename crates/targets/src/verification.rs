//! How a binding says that a new version works: the portal asks an address of it, as its users would.

use crate::guard::Guard;
use crate::outbound;
use crate::seconds::Seconds;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;
use url::Url;

/// Time for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Most of an answer that is searched for a text, in bytes.
const SEARCHED: usize = 256 * 1024;

/// What the portal asks itself after a rollout, before it calls the deployment a success.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// Address that is asked after a rollout. Plain http and addresses inside a network only as outbound.allow_networks says.
    pub url: ProbeUrl,
    /// Status that is wanted; any of 200 to 299 when absent.
    #[serde(default)]
    pub status: Option<ProbeStatus>,
    /// A text that the answer must hold.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub contains: Option<String>,
    /// Seconds within which three answers in a row must be good.
    #[serde(default)]
    pub within_seconds: Within,
}

impl Verification {
    /// Asks once.
    ///
    /// # Errors
    /// What was wrong with the answer, or why there was none.
    pub async fn ask(&self, guard: &Guard) -> Result<(), Text> {
        let host = self.url.0.host_str().unwrap_or_default();
        let client = guard.client(&self.url.0, ANSWER_LIMIT).await.map_err(|refusal| refusal.text().clone())?;
        let answer = client.get(self.url.0.clone()).send().await;
        let answer =
            answer.map_err(|error| text!("{from}: {what}", from = host, what = outbound::what_failed(&error)))?;
        let status = answer.status().as_u16();
        if !self.status.map_or((200..300).contains(&status), |wanted| wanted.0 == status) {
            return Err(text!("{host} answered {status}", host, status));
        }
        let Some(wanted) = &self.contains else { return Ok(()) };
        let body = outbound::read_body_of(answer, host, SEARCHED).await.map_err(|error| error.text())?;
        if String::from_utf8_lossy(&body).contains(wanted.as_str()) {
            Ok(())
        } else {
            Err(text!("the answer of {host} does not hold \"{wanted}\"", host, wanted))
        }
    }
}

/// An http or https address without a user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ProbeUrl(Url);

impl ProbeUrl {
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for ProbeUrl {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let wrong = || text!("expected an http or https address without user and password");
        let url = Url::parse(&text).map_err(|_| wrong())?;
        let anonymous = url.username().is_empty() && url.password().is_none();
        let web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
        if anonymous && web && text.len() <= 500 { Ok(Self(url)) } else { Err(wrong()) }
    }
}

impl JsonSchema for ProbeUrl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ProbeUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri", "maxLength": 500, "examples": ["https://shop.example.com/healthz"] })
    }
}

/// Of 100 to 599.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct ProbeStatus(u16);

impl TryFrom<u16> for ProbeStatus {
    type Error = Text;

    fn try_from(status: u16) -> Result<Self, Text> {
        if (100..600).contains(&status) {
            Ok(Self(status))
        } else {
            Err(text!("is {count}; allowed is {min} to {max}", count = status, min = 100, max = 599))
        }
    }
}

impl JsonSchema for ProbeStatus {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ProbeStatus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 100, "maximum": 599 })
    }
}

/// Time for three good answers in a row.
pub type Within = Seconds<10, 900, 60>;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn verification(value: serde_json::Value) -> Verification {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_is_no_question_is_refused() {
        let read = |value: serde_json::Value| serde_json::from_value::<Verification>(value);
        assert!(read(json!({"url": "https://shop.example/healthz", "status": 204, "within_seconds": 900})).is_ok());
        for wrong in [
            json!({}),
            json!({"url": "shop.example"}),
            json!({"url": "ftp://shop.example"}),
            json!({"url": "https://u:p@shop.example"}),
            json!({"url": "https://shop.example", "status": 42}),
            json!({"url": "https://shop.example", "within_seconds": 9}),
            json!({"url": "https://shop.example", "within_seconds": 901}),
            json!({"url": "https://shop.example", "body": "x"}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn status_and_text_are_judged() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = [0; 2048];
                let read = stream.read(&mut asked).await.unwrap();
                let ok = asked[..read].starts_with(b"GET /ok ");
                let head = if ok { "200 OK" } else { "503 Service Unavailable" };
                let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 8\r\nconnection: close\r\n\r\nversion2");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let open = Guard::new("127.0.0.0/8").unwrap();
        let base = format!("http://{address}");
        let ask = async |more: serde_json::Value| {
            let mut value = json!({"url": format!("{base}/ok")});
            value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            verification(value).ask(&open).await.map_err(|why| why.to_string())
        };
        assert_eq!(ask(json!({})).await, Ok(()));
        assert_eq!(ask(json!({"contains": "version2"})).await, Ok(()));
        assert!(ask(json!({"contains": "version3"})).await.unwrap_err().contains("does not hold \"version3\""));
        assert_eq!(ask(json!({"status": 204})).await.unwrap_err(), "127.0.0.1 answered 200");
        assert_eq!(ask(json!({"url": format!("{base}/gone")})).await.unwrap_err(), "127.0.0.1 answered 503");
        assert_eq!(ask(json!({"url": format!("{base}/gone"), "status": 503})).await, Ok(()));
        let closed = verification(json!({"url": format!("{base}/ok")})).ask(&Guard::default()).await;
        assert!(closed.unwrap_err().to_string().contains("outbound.allow_networks"));
    }
}
