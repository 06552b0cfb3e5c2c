//! E-mail by SMTP: one message to each mailbox.
//!
//! The server's name is resolved and judged by the guard, and the connection goes to the judged address; its certificate is still
//! checked against the name. Without TLS only inside networks that the operator has opened.

use super::{ATTEMPT_LIMIT, Channel, Parcel, Undelivered, parse, schema_of, stored};
use crate::kernel::{AppError, Result};
use async_trait::async_trait;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use passerelle_contract::{FieldError, Text, text};
use passerelle_targets::Secret;
use passerelle_targets::guard::{Guard, Reachable, Refusal};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Host;

const MOST_RECIPIENTS: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Security {
    Tls,
    Starttls,
    None,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EmailConfig {
    /// Name of the SMTP server, for example smtp.example.org.
    #[schemars(title = "Server")]
    host: String,
    /// 465 for TLS and 587 for STARTTLS as a rule.
    port: u16,
    /// tls from the first byte, starttls, or none, which is possible only inside networks that the operator of the portal has opened.
    #[schemars(title = "Encryption")]
    security: Security,
    /// Who signs in to the server; nobody when absent.
    #[schemars(title = "User")]
    username: Option<String>,
    /// Password of that user.
    password: Option<Secret>,
    /// Sender, for example Passerelle <passerelle@example.org>.
    #[schemars(title = "From")]
    from: String,
    /// Mailboxes; each gets a message of its own.
    #[schemars(title = "To")]
    to: Vec<String>,
}

#[derive(Debug)]
pub struct Email;

#[async_trait]
impl Channel for Email {
    fn kind(&self) -> &'static str {
        "email"
    }

    fn title(&self) -> &'static str {
        "E-mail"
    }

    fn schema(&self) -> Value {
        schema_of::<EmailConfig>()
    }

    fn check(&self, config: &Value) -> Result<()> {
        let config: EmailConfig = parse(config)?;
        let errors = wrong(&config);
        if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
    }

    fn destination(&self, config: &Value) -> Value {
        json!([config.get("host"), config.get("port"), config.get("security"), config.get("username")])
    }

    fn recipients(&self, config: &Value) -> Vec<String> {
        let all = config.get("to").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut all: Vec<String> = all.map(|one| one.trim().to_owned()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    async fn send(&self, guard: &Guard, config: &Value, parcel: &Parcel<'_>) -> Result<Text, Undelivered> {
        let config: EmailConfig = stored(config)?;
        let message = written(&config, parcel).map_err(Undelivered::never)?;
        let reachable = reach(guard, &config).await?;
        let mut last = Undelivered::later(text!("the connection failed"));
        for address in &reachable.addresses {
            let transport = transport(&config, address.ip().to_string())?;
            let sent = tokio::time::timeout(ATTEMPT_LIMIT, transport.send(message.clone())).await;
            match sent {
                Ok(Ok(answer)) => {
                    let said = answer.message().next().unwrap_or_default().to_owned();
                    let (host, code) = (&config.host, answer.code().to_string());
                    return Ok(text!("{host} answered {status}: {word}", host, status = code, word = shown(&said)));
                }
                Ok(Err(error)) if error.status().is_some() => return Err(refused(&config.host, &error)),
                Ok(Err(error)) => {
                    last = Undelivered::later(text!("{from}: {what}", from = &config.host, what = failed(&error)))
                }
                Err(_) => {
                    return Err(Undelivered::later(text!(
                        "{from}: {what}",
                        from = &config.host,
                        what = text!("no answer in time")
                    )));
                }
            }
        }
        Err(last)
    }
}

fn wrong(config: &EmailConfig) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, why: Text| errors.push(FieldError::new(format!("/config/{field}"), why));
    if Host::parse(config.host.trim()).is_err() || config.host.contains(['/', ':', '@']) {
        wrong("host", text!("must be the name of a server, such as smtp.example.org"));
    }
    if config.port == 0 {
        wrong("port", text!("is {count}; allowed is {min} to {max}", count = 0, min = 1, max = u16::MAX));
    }
    if config.username.is_some() != config.password.is_some() {
        wrong("password", text!("username and password belong together"));
    }
    if config.from.parse::<Mailbox>().is_err() {
        wrong("from", text!("must be a mailbox, such as Passerelle <passerelle@example.org>"));
    }
    if config.to.is_empty() || config.to.len() > MOST_RECIPIENTS {
        wrong("to", text!("must name {min} to {max} mailboxes", min = 1, max = MOST_RECIPIENTS));
    }
    if let Some(bad) = config.to.iter().find(|one| one.trim().parse::<Address>().is_err()) {
        wrong("to", text!("{address} is no mailbox, such as ada@example.org", address = bad));
    }
    errors
}

async fn reach(guard: &Guard, config: &EmailConfig) -> Result<Reachable, Undelivered> {
    let host = Host::parse(config.host.trim())
        .map_err(|_| Undelivered::never(text!("must be the name of a server, such as smtp.example.org")))?;
    let borrowed = match &host {
        Host::Domain(name) => Host::Domain(name.as_str()),
        Host::Ipv4(ip) => Host::Ipv4(*ip),
        Host::Ipv6(ip) => Host::Ipv6(*ip),
    };
    let reachable = guard.reach(borrowed, config.port).await.map_err(|refusal| match refusal {
        Refusal::Unknown(why) => Undelivered::later(why),
        Refusal::Forbidden(why) => Undelivered::never(why),
    })?;
    if config.security == Security::None && !reachable.inside {
        let why =
            text!("mail goes unencrypted only inside networks that outbound.allow_networks names; use tls or starttls");
        return Err(Undelivered::never(why));
    }
    Ok(reachable)
}

fn transport(config: &EmailConfig, ip: String) -> Result<AsyncSmtpTransport<Tokio1Executor>, Undelivered> {
    let checked = || {
        TlsParameters::new(config.host.trim().to_owned())
            .map_err(|_| Undelivered::later(text!("the certificates of this machine cannot be read")))
    };
    let tls = match config.security {
        Security::Tls => Tls::Wrapper(checked()?),
        Security::Starttls => Tls::Required(checked()?),
        Security::None => Tls::None,
    };
    let sender = config.from.parse::<Mailbox>().map(|mailbox| mailbox.email.domain().to_owned()).unwrap_or_default();
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(ip)
        .port(config.port)
        .tls(tls)
        .timeout(Some(ATTEMPT_LIMIT))
        .hello_name(ClientId::Domain(sender));
    if let (Some(user), Some(password)) = (&config.username, &config.password) {
        let password = password.reveal().map_err(|error| Undelivered::later(error.text()))?;
        builder = builder.credentials(Credentials::new(user.clone(), password.trim_end().to_owned()));
    }
    Ok(builder.build())
}

/// Plain text: it holds no more than facts and links.
fn written(config: &EmailConfig, parcel: &Parcel<'_>) -> Result<Message, Text> {
    let from: Mailbox =
        config.from.parse().map_err(|_| text!("must be a mailbox, such as Passerelle <passerelle@example.org>"))?;
    let to: Address = parcel
        .recipient
        .parse()
        .map_err(|_| text!("{address} is no mailbox, such as ada@example.org", address = parcel.recipient))?;
    let id = format!("<{}@{}>", parcel.id, from.email.domain());
    let header = |name: &'static str, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
    Message::builder()
        .from(from)
        .to(Mailbox::new(None, to))
        // The same in every attempt, so that a mailbox that got it twice can show it once.
        .message_id(Some(id))
        .subject(parcel.message.title.replace(['\r', '\n'], " "))
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
        .raw_header(header("X-Passerelle-Delivery", parcel.id.to_string()))
        .header(ContentType::TEXT_PLAIN)
        .body(format!("{}\n", parcel.message.plain()))
        .map_err(|_| text!("the message cannot be written as a mail"))
}

/// The server said no: for good with a 5xx, for now with a 4xx.
fn refused(host: &str, error: &lettre::transport::smtp::Error) -> Undelivered {
    let status = error.status().map(|code| code.to_string()).unwrap_or_default();
    let said = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let why = text!("{host} answered {status}: {word}", host, status, word = shown(&said));
    Undelivered { again: !error.is_permanent(), after: None, why }
}

fn failed(error: &lettre::transport::smtp::Error) -> Text {
    if error.is_timeout() {
        text!("no answer in time")
    } else if error.is_tls() {
        text!("the certificate or the encryption was not accepted")
    } else {
        text!("the connection failed")
    }
}

/// A server's words on one line, cut.
fn shown(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notifications::message::Message as Words;
    use time::OffsetDateTime;
    use uuid::Uuid;

    fn config() -> Value {
        json!({ "host": "smtp.test", "port": 587, "security": "starttls", "from": "Passerelle <p@example.test>",
            "to": ["ada@example.test", "bob@example.test", "ada@example.test"] })
    }

    #[test]
    fn every_wrong_field_is_named() {
        assert!(Email.check(&config()).is_ok());
        let mut bad = config();
        bad["host"] = json!("http://smtp.test");
        bad["from"] = json!("nobody");
        bad["to"] = json!(["ada", "x@example.test\r\nBcc: y@example.test"]);
        bad["password"] = json!({ "value": "s" });
        let Err(AppError::Invalid(errors)) = Email.check(&bad) else { panic!("it passed") };
        let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/config/host", "/config/password", "/config/from", "/config/to"]);
        assert_eq!(Email.recipients(&config()), ["ada@example.test", "bob@example.test"]);
    }

    #[test]
    fn a_title_cannot_add_a_header() {
        let words = Words {
            title: "a\r\nBcc: eve@example.test".to_owned(),
            lines: Vec::new(),
            links: Vec::new(),
            locale: passerelle_contract::Locale::En,
        };
        let parcel = Parcel {
            id: Uuid::from_u128(5),
            message: &words,
            recipient: "ada@example.test",
            at: OffsetDateTime::UNIX_EPOCH,
            event: None,
            origin: "https://portal.test",
        };
        let mail = written(&parse(&config()).unwrap(), &parcel).unwrap().formatted();
        let mail = String::from_utf8(mail).unwrap();
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("Message-ID: <00000000-0000-0000-0000-000000000005@example.test>"), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated"));
    }
}
