//! Exports as a stream: JSON lines for machines (and for verification elsewhere), CSV for spreadsheets.

use super::service::AuditService;
use super::store::Store;
use crate::kernel::{Ctx, Result};
use bytes::Bytes;
use futures::Stream;
use passerelle_contract::audit::{AuditEventOut, AuditFilter, ExportedEvent};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use time::format_description::well_known::Rfc3339;

const BATCH: usize = 1000;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    #[default]
    Jsonl,
    Csv,
}

const CSV_HEAD: &str =
    "id,at,actor,via,action,object,service,environment,reason,before,after,request_id,outcome,sealed\r\n";

/// How long an export waits for the newest rows to be sealed.
const SEALING: Duration = Duration::from_secs(5);

impl AuditService {
    /// All rows of a filter that are there when it begins, newest first, read in batches.
    ///
    /// # Errors
    /// `Forbidden`, or what the first batch meets; a later fault ends the stream.
    pub async fn export(
        &self,
        ctx: &Ctx,
        filter: AuditFilter,
        format: Format,
    ) -> Result<impl Stream<Item = Result<Bytes>> + Send + 'static> {
        let scope = Self::scope(ctx)?;
        let store = self.store.clone();
        let newest = store.newest().await?;
        if format == Format::Jsonl {
            sealed(&store, newest).await?;
        }
        let first = store.list_chained(&filter, &scope, Some(newest.saturating_add(1)), BATCH).await?;
        let head = Bytes::from_static(if format == Format::Csv { CSV_HEAD.as_bytes() } else { b"" });
        let batches = futures::stream::try_unfold(Some(first), move |batch| {
            let (store, filter, scope) = (store.clone(), filter.clone(), scope.clone());
            async move {
                let Some(batch) = batch else { return Ok(None) };
                let next = match batch.last() {
                    Some(last) if batch.len() == BATCH => {
                        Some(store.list_chained(&filter, &scope, Some(last.event.id), BATCH).await?)
                    }
                    _ => None,
                };
                Ok(Some((Bytes::from(write(&batch, format)), next)))
            }
        });
        Ok(futures::StreamExt::chain(futures::stream::iter([Ok(head)]), batches))
    }
}

/// Waits until every row up to this one has its place in the chain, so that the export can be verified. The sealer works each
/// second; when it does not, the rows go out without a place, and verification says so.
async fn sealed(store: &Store, newest: i64) -> Result<()> {
    let deadline = tokio::time::Instant::now() + SEALING;
    while !store.is_sealed_to(newest).await? && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

fn write(events: &[ExportedEvent], format: Format) -> String {
    let line = |exported: &ExportedEvent| match format {
        Format::Jsonl => serde_json::to_string(exported).unwrap_or_default() + "\n",
        Format::Csv => csv_line(&exported.event),
    };
    events.iter().map(line).collect()
}

fn csv_line(event: &AuditEventOut) -> String {
    let json = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
    let fields = [
        event.id.to_string(),
        event.at.format(&Rfc3339).unwrap_or_default(),
        event.actor.clone(),
        event.via.clone(),
        event.action.clone(),
        event.object.clone(),
        event.service.clone().unwrap_or_default(),
        event.environment.clone().unwrap_or_default(),
        event.reason.clone().unwrap_or_default(),
        json(&event.before),
        json(&event.after),
        event.request_id.clone(),
        event.outcome.as_str().to_owned(),
        event.sealed.to_string(),
    ];
    fields.iter().map(|field| csv_field(field)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// Quoted where needed; a text that a spreadsheet would run as a formula gets an apostrophe before it.
fn csv_field(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::csv_field;

    #[test]
    fn a_spreadsheet_runs_nothing() {
        assert_eq!(csv_field("=cmd()"), "'=cmd()");
        assert_eq!(csv_field("@x,\"y\""), "\"'@x,\"\"y\"\"\"");
        assert_eq!(csv_field("plain"), "plain");
    }
}
