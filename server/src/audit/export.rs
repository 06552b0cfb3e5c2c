//! Exports as a stream: JSON lines for machines (and for verification elsewhere), CSV for spreadsheets, OCSF and CEF for a SIEM.

use super::formats::Format;
use super::service::AuditService;
use super::store::Store;
use crate::kernel::{Ctx, Result};
use bytes::Bytes;
use futures::Stream;
use passerelle_contract::audit::{AuditFilter, ExportedEvent};
use std::time::Duration;

const BATCH: usize = 1000;

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
        if format != Format::Csv {
            sealed(&store, newest).await?;
        }
        let first = store.list_chained(&filter, &scope, Some(newest.saturating_add(1)), BATCH).await?;
        let head = Bytes::from_static(format.head().as_bytes());
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
    events.iter().map(|exported| format.line(exported)).collect()
}
