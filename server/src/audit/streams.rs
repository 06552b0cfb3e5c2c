//! Sends sealed rows to collectors and files elsewhere, in the order of the chain, each at least once.
//!
//! Any number of processes may run this; for each stream one works at a time. What was sent when the process died is sent again: rows have
//! their position and id, by which a collector knows them.

use super::formats::Format;
use super::store::{archives, streams as store};
use crate::config::{AuditConfig, Destination, Reference, StreamConfig, StreamFormat};
use crate::kernel::{AppError, Db, Result};
use passerelle_contract::{Text, text};
use passerelle_targets::outbound;
use std::path::Path;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// Rows of one message.
const BATCH: i64 = 500;
/// A message ends with the row that reaches this, in bytes.
const ENOUGH: usize = 1024 * 1024;

/// One stream.
#[derive(Debug)]
pub struct Stream {
    db: Db,
    id: String,
    format: Format,
    to: Destination,
    authorization: Option<Reference>,
    http: reqwest::Client,
}

/// What is sent at once.
struct Message {
    first: i64,
    last: i64,
    body: String,
}

impl From<StreamFormat> for Format {
    fn from(format: StreamFormat) -> Self {
        match format {
            StreamFormat::Jsonl => Self::Jsonl,
            StreamFormat::Ocsf => Self::Ocsf,
            StreamFormat::Cef => Self::Cef,
        }
    }
}

impl Stream {
    /// The streams of the configuration.
    ///
    /// # Errors
    /// When the file with a collector's authority cannot be used, naming the setting.
    pub fn all(db: &Db, config: &AuditConfig) -> Result<Vec<Self>> {
        config.streams.iter().map(|stream| Self::new(db.clone(), stream)).collect()
    }

    fn new(db: Db, config: &StreamConfig) -> Result<Self> {
        let wrong = |key: &str, why: &str| AppError::internal(format!("audit.streams.{}.{key}: {why}", config.id));
        let mut builder = outbound::client().timeout(ANSWER_LIMIT);
        if let Some(file) = &config.ca_file {
            builder = outbound::trusting_only(builder, file).map_err(|why| wrong("ca_file", &why))?;
        }
        Ok(Self {
            db,
            id: config.id.clone(),
            format: config.format.into(),
            to: config.destination().ok_or_else(|| wrong("to", "leads nowhere"))?,
            authorization: config.authorization(),
            http: builder.build().map_err(AppError::internal)?,
        })
    }

    /// Sends until `stop`, and once more then.
    pub async fn run(self, stop: CancellationToken) {
        let (mut pause, mut failing) = (EVERY, false);
        loop {
            let last = stop.is_cancelled();
            match self.send_all().await {
                Ok(Ok(())) => {
                    if std::mem::take(&mut failing) {
                        tracing::info!(stream = %self.id, "the stream of the audit goes on");
                    }
                    pause = EVERY;
                }
                Ok(Err(why)) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(stream = %self.id, why = %why, "the stream of the audit fails; trying again");
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => tracing::warn!(stream = %self.id, %error, "the stream of the audit cannot go on now"),
            }
            if last {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Everything that is sealed now. The inner error is what the collector did.
    async fn send_all(&self) -> Result<std::result::Result<(), Text>> {
        loop {
            let mut tx = self.db.pool().begin().await?;
            let Some(position) = store::lock(&mut tx, &self.id).await? else { return Ok(Ok(())) };
            let rows = archives::chained(&mut tx, position, i64::MAX, BATCH).await?;
            let mut message = Message { first: 0, last: position, body: String::new() };
            for exported in &rows {
                let at = exported.chain.as_ref().map_or(0, |chain| chain.position);
                if message.body.is_empty() {
                    message.first = at;
                }
                message.last = at;
                message.body.push_str(&self.format.line(exported));
                if message.body.len() >= ENOUGH {
                    break;
                }
            }
            if message.body.is_empty() {
                return Ok(Ok(()));
            }
            let last = message.last;
            let sent = self.send(message).await;
            match &sent {
                Ok(()) => store::taken(&mut tx, &self.id, last).await?,
                Err(why) => store::failed(&mut tx, &self.id, why).await?,
            }
            tx.commit().await?;
            if sent.is_err() {
                return Ok(sent);
            }
        }
    }

    async fn send(&self, message: Message) -> std::result::Result<(), Text> {
        match &self.to {
            Destination::File(path) => append(path, &message.body).await.map_err(|error| {
                text!("{path}: {error}", path = path.display().to_string(), error = error.to_string())
            }),
            Destination::Collector(url) => self.post(url, message).await,
        }
    }

    async fn post(&self, url: &url::Url, message: Message) -> std::result::Result<(), Text> {
        let host = self.to.to_string();
        let key = format!("{}-{}-{}", self.id, message.first, message.last);
        let mut request = self
            .http
            .post(url.clone())
            .header(reqwest::header::CONTENT_TYPE, self.format.media_type())
            .header("idempotency-key", key)
            .body(message.body);
        if let Some(reference) = &self.authorization {
            let secret = reference.read().map_err(|why| text!("authorization: {why}", why))?;
            let mut value = reqwest::header::HeaderValue::from_str(&secret)
                .map_err(|_| text!("authorization holds characters that no header can"))?;
            value.set_sensitive(true);
            request = request.header(reqwest::header::AUTHORIZATION, value);
        }
        let answer = request.send().await.map_err(|error| {
            let what = outbound::what_failed(&error);
            text!("{from}: {what}", from = host.clone(), what)
        })?;
        let status = answer.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(text!("{host} answered {status}", host, status = status.as_u16()))
        }
    }
}

/// On disk when this answers.
async fn append(path: &Path, lines: &str) -> std::io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    let mut file = options.append(true).create(true).mode(0o600).open(path).await?;
    file.write_all(lines.as_bytes()).await?;
    file.sync_data().await
}
