//! The kinds of channels, one file each. A new one is a file and a line in [`ALL`].

mod email;
mod post;
mod slack;
mod webhook;

use super::event::Event;
use super::message::Message;
use crate::kernel::{AppError, Result};
use crate::secrets::{Secrets, keep, places};
use async_trait::async_trait;
use passerelle_contract::notifications::ChannelKindOut;
use passerelle_contract::wording::say_schema;
use passerelle_contract::{Locale, Text, text};
use passerelle_targets::guard::Guard;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// Time for one whole attempt; well below the lease of a delivery.
pub(super) const ATTEMPT_LIMIT: Duration = Duration::from_secs(15);

/// A message on its way to one destination.
#[derive(Debug)]
pub(super) struct Parcel<'a> {
    /// Of the delivery: the same in every attempt.
    pub id: Uuid,
    pub message: &'a Message,
    /// A mailbox; empty where the channel has one destination.
    pub recipient: &'a str,
    pub at: OffsetDateTime,
    /// None for a test message.
    pub event: Option<&'a Event>,
    /// Of the portal as people reach it.
    pub origin: &'a str,
}

/// Why a message did not get there.
#[derive(Debug, Clone)]
pub(super) struct Undelivered {
    /// It may get there later as it is.
    pub again: bool,
    /// Not before; what the peer asked for.
    pub after: Option<Duration>,
    pub why: Text,
}

impl Undelivered {
    /// Nothing changes by itself.
    pub const fn never(why: Text) -> Self {
        Self { again: false, after: None, why }
    }

    pub const fn later(why: Text) -> Self {
        Self { again: true, after: None, why }
    }
}

/// One kind of channel. `config` comes with its secrets open.
#[async_trait]
pub(super) trait Channel: Send + Sync + std::fmt::Debug {
    fn kind(&self) -> &'static str;

    fn title(&self) -> &'static str;

    /// What the form is drawn from.
    fn schema(&self) -> Value;

    /// # Errors
    /// `Invalid` by field.
    fn check(&self, config: &Value) -> Result<()>;

    /// The part of the configuration that says where its secrets go: when it changes, they have to be given again.
    fn destination(&self, _config: &Value) -> Value {
        Value::Null
    }

    /// Who gets a message of their own; one without a name where the channel is one destination.
    fn recipients(&self, _config: &Value) -> Vec<String> {
        vec![String::new()]
    }

    /// Answers what the peer said.
    async fn send(&self, guard: &Guard, config: &Value, parcel: &Parcel<'_>) -> Result<Text, Undelivered>;
}

static ALL: [&dyn Channel; 3] = [&slack::Slack, &webhook::Webhook, &email::Email];

/// # Errors
/// At `/kind`, with the kinds there are.
pub(super) fn channel(kind: &str) -> Result<&'static dyn Channel> {
    ALL.into_iter().find(|channel| channel.kind() == kind).ok_or_else(|| {
        let known = ALL.map(Channel::kind).join(", ");
        AppError::field("/kind", text!("is no kind of channel; the kinds are {known}", known))
    })
}

/// The kinds with the words of their forms in a language.
pub(super) fn kinds(locale: Locale) -> Vec<ChannelKindOut> {
    let out = |channel: &&dyn Channel| {
        let mut schema = channel.schema();
        say_schema(&mut schema, locale);
        ChannelKindOut { kind: channel.kind().to_owned(), title: channel.title().to_owned(), schema }
    };
    ALL.iter().map(out).collect()
}

/// The schemas that forms are drawn from, for what checks their words.
#[must_use]
pub fn schemas() -> Vec<Value> {
    ALL.iter().map(|channel| channel.schema()).collect()
}

/// The configuration with kept secrets filled in, checked by its kind. A secret is not kept for another destination.
///
/// # Errors
/// `Invalid` by field.
pub(super) async fn checked_config(
    secrets: &Secrets,
    kind: &dyn Channel,
    given: &Value,
    opened: Option<&Value>,
) -> Result<Value> {
    if !given.is_object() {
        return Err(AppError::field("/config", text!("must be an object")));
    }
    if let Some(pointer) = crate::kernel::validate::nul_at(given, "/config") {
        return Err(AppError::field(pointer, crate::kernel::validate::nul()));
    }
    let schema = kind.schema();
    if let Some(opened) = opened
        && kind.destination(opened) != kind.destination(given)
        && let Some(kept) =
            places(&schema, given).iter().find(|place| given.pointer(place) == Some(&json!({"set": true})))
    {
        let why = text!("an address changed; give the secret again, or it could be sent elsewhere");
        return Err(AppError::field(format!("/config{kept}"), why));
    }
    let config = keep(&schema, given, opened)?;
    let followed = secrets.followed(&schema, config.clone()).await?;
    kind.check(&followed)?;
    Ok(config)
}

/// Reads a configuration into its type.
///
/// # Errors
/// `Invalid` by field.
fn parse<C: DeserializeOwned>(config: &Value) -> Result<C> {
    serde_path_to_error::deserialize(config).map_err(|error| {
        let mut wrong = crate::kernel::web::field_error(&error);
        wrong.pointer = format!("/config{}", wrong.pointer);
        AppError::Invalid(vec![wrong])
    })
}

/// The same for sending, when it was checked before it was stored.
fn stored<C: DeserializeOwned>(config: &Value) -> Result<C, Undelivered> {
    parse(config).map_err(|error| Undelivered::never(error.detail()))
}

fn schema_of<C: JsonSchema>() -> Value {
    let mut schema = schemars::schema_for!(C).to_value();
    // No form shows what a configuration as a whole is called.
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("title");
        fields.remove("description");
    }
    schema
}
