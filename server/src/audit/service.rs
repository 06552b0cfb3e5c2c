//! Use cases of the audit: reading. Writing is part of every act.

use super::store::Store;
use crate::config::{AuditConfig, StreamConfig};
use crate::kernel::{Action, Ctx, Cursor, Db, Keys, Object, ReadScope, Result, ServiceScope, decide, limit_or_default};
use passerelle_contract::audit::{ArchiveOut, AuditEventOut, AuditFilter, AuditStreamOut, CheckpointOut};
use passerelle_contract::{Page, Text};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

const LIST: &str = "audit";
const CHECKPOINTS: i64 = 200;
const ARCHIVES: i64 = 1000;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct AuditService {
    pub(super) store: Store,
    keys: Keys,
    streams: Arc<OnceLock<Vec<StreamConfig>>>,
}

impl AuditService {
    #[must_use]
    pub fn new(db: Db, keys: Keys) -> Self {
        Self { store: Store { db }, keys, streams: Arc::default() }
    }

    /// Says which streams there are. Only the first call counts.
    pub fn configure(&self, config: &AuditConfig) {
        drop(self.streams.set(config.streams.clone()));
    }

    /// Which rows the caller may read: all, or those of services in scope.
    pub(super) fn scope(ctx: &Ctx) -> Result<ReadScope> {
        let refused = match ctx.permit(Action::AuditRead, &Object::new("audit", "*")) {
            Ok(_) => return Ok(ReadScope::All),
            Err(error) => error,
        };
        let ReadScope::Only { teams, systems } = ctx.read_scope() else { return Err(refused) };
        let may = |team: Option<&String>, system: Option<&String>| {
            let service = ServiceScope { key: "*".to_owned(), team: team.cloned(), system: system.cloned() };
            decide(ctx, Action::AuditRead, &Object::service(service)).allowed
        };
        let teams: BTreeSet<_> = teams.into_iter().filter(|team| may(Some(team), None)).collect();
        let systems: BTreeSet<_> = systems.into_iter().filter(|system| may(None, Some(system))).collect();
        if teams.is_empty() && systems.is_empty() { Err(refused) } else { Ok(ReadScope::Only { teams, systems }) }
    }

    /// Newest first.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`.
    pub async fn list_events(&self, ctx: &Ctx, filter: AuditFilter) -> Result<Page<AuditEventOut>> {
        let scope = Self::scope(ctx)?;
        let limit = limit_or_default(filter.limit)?;
        let below: Option<i64> =
            filter.cursor.as_deref().map(|text| Cursor::decode(&self.keys, LIST, text)).transpose()?;
        let mut items = self.store.list(&filter, &scope, below, limit + 1).await?;
        let total = self.store.count(&filter, &scope).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|event| Cursor::encode(&self.keys, LIST, &event.id)).transpose()?;
        Ok(Page { items, next_cursor, total })
    }

    /// The newest signed checkpoints.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn checkpoints(&self, ctx: &Ctx) -> Result<Vec<CheckpointOut>> {
        ctx.permit(Action::AuditRead, &Object::new("audit", "*"))?;
        self.store.checkpoints(CHECKPOINTS).await
    }

    /// The files that old rows are in, newest first.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn archives(&self, ctx: &Ctx) -> Result<Vec<ArchiveOut>> {
        ctx.permit(Action::AuditRead, &Object::new("audit", "*"))?;
        self.store.archives(ARCHIVES).await
    }

    /// The streams of the configuration, and how far each has come.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn streams(&self, ctx: &Ctx) -> Result<Vec<AuditStreamOut>> {
        ctx.permit(Action::AuditRead, &Object::new("audit", "*"))?;
        let Some(streams) = self.streams.get().filter(|streams| !streams.is_empty()) else { return Ok(Vec::new()) };
        let (end, progress) = (self.store.chain_end().await?, self.store.progress().await?);
        let told = streams.iter().map(|stream| {
            let progress = progress.iter().find(|progress| progress.id == stream.id).cloned().unwrap_or_default();
            AuditStreamOut {
                id: stream.id.clone(),
                to: stream.destination().map(|to| to.to_string()).unwrap_or_default(),
                format: stream.format.as_str().to_owned(),
                position: progress.position,
                waiting: (end - progress.position).max(0),
                sent_at: progress.sent_at,
                failing_since: progress.failing_since,
                failure: progress.failure.map(|json| Text::verbatim(ctx.say(&json.0))),
            }
        });
        Ok(told.collect())
    }
}
