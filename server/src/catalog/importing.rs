//! The use case that imports documents.

use super::import::{self, MAX_ERRORS, Parsed, Placed};
use super::plan::{Existing, ImportPlan, MAX_CHANGES};
use super::portal::{PortalDocumentSink, PortalOutcome};
use super::service::{CatalogService, blocking};
use super::upload::Upload;
use super::{store, text};
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Object, Result};
use passerelle_contract::catalog::{ImportError, ImportReport};
use passerelle_contract::text;
use serde_json::json;
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::Arc;

/// How to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportOptions {
    /// Say what would change, change nothing.
    pub dry_run: bool,
    /// Name of what is imported; the unit of pruning.
    pub source: String,
    /// Archive entities that came from this source before and are not in it any more. Left undone when a document was refused: what
    /// could not be read is not gone.
    pub prune: bool,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { dry_run: false, source: "upload".to_owned(), prune: false }
    }
}

impl CatalogService {
    /// Imports an upload: all good documents in one transaction, the others as errors by place. What it says about the portal itself
    /// goes to `sink` afterwards.
    ///
    /// # Errors
    /// When the caller may not, the source's name is not allowed, or the database is away. Then nothing was written.
    pub async fn import_catalog(
        self: &Arc<Self>,
        ctx: &Ctx,
        upload: Upload,
        options: &ImportOptions,
        sink: &dyn PortalDocumentSink,
    ) -> Result<ImportReport> {
        let authorized = self.db.authorize(ctx, Action::CatalogImport, Object::new("catalog", &options.source)).await?;
        if options.source.is_empty() {
            return Err(AppError::field("/source", text!("must not be empty")));
        }
        text::line(&options.source, 100).map_err(|message| AppError::field("/source", message))?;
        let mut parsed = self.read(upload).await?;
        let portal = std::mem::take(&mut parsed.portal);
        let mut report = if options.dry_run {
            let mut connection = self.db.pool().acquire().await?;
            let plan = decide(&mut connection, &mut parsed, options).await?;
            plan.report(&mut connection, options).await?
        } else {
            let mut tx = self.db.write(ctx, authorized).await?;
            let revision = store::lock(tx.conn()).await?;
            let plan = decide(tx.conn(), &mut parsed, options).await?;
            let report = plan.report(tx.conn(), options).await?;
            plan.write(tx.conn(), &options.source, revision).await?;
            tx.commit(audit_entry(&report)).await?;
            report
        };
        drop(std::mem::take(&mut parsed.entities));
        report.errors_total = parsed.errors_total;
        report.errors = parsed.errors;
        report.warnings = parsed.warnings;
        if !options.dry_run {
            self.refresh().await?;
        }
        if !portal.is_empty() {
            add(&mut report, sink.apply(ctx, portal, options.dry_run).await);
        }
        Ok(report.into_said(ctx.locale))
    }

    /// Parses away from the threads that answer, and refuses cycles together with what is there.
    pub(super) async fn read(self: &Arc<Self>, upload: Upload) -> Result<Parsed> {
        self.refresh().await?;
        let snapshot = self.snapshot();
        blocking(move || {
            let mut parsed = import::parse(&upload);
            let hierarchy = snapshot.hierarchy_above(parsed.hierarchy_ends());
            let existing =
                hierarchy.iter().map(|(entity, kind, source, target)| (entity.as_str(), *kind, *source, *target));
            import::refuse_cycles(&mut parsed, existing);
            parsed
        })
        .await
    }
}

/// What became of the portal's own documents, beside what became of the entities.
fn add(report: &mut ImportReport, outcome: PortalOutcome) {
    report.created += outcome.created;
    report.updated += outcome.updated;
    report.unchanged += outcome.unchanged;
    report.changes.extend(outcome.changes);
    report.changes.truncate(MAX_CHANGES);
    report.errors_total += u32::try_from(outcome.errors.len()).unwrap_or(u32::MAX);
    report.errors.extend(outcome.errors);
    report.errors.truncate(MAX_ERRORS);
}

async fn decide<'p>(
    connection: &mut PgConnection,
    parsed: &'p mut Parsed,
    options: &ImportOptions,
) -> Result<ImportPlan<'p>> {
    let prune = options.prune && parsed.errors_total == 0;
    if options.prune && !prune {
        parsed.warnings.push(ImportError {
            document: String::new(),
            line: 0,
            pointer: String::new(),
            message: text!("documents were refused, so nothing was archived: what could not be read is not gone"),
        });
    }
    let entities: &'p [Placed] = &parsed.entities;
    let references: Vec<String> = entities.iter().map(|placed| placed.entity.reference.folded()).collect();
    let existing: HashMap<String, Existing> = store::existing(connection, &references).await?;
    let mut plan = ImportPlan::new(entities, &existing, &options.source);
    if prune {
        plan.archive = store::missing_from(connection, &options.source, &references).await?;
    }
    Ok(plan)
}

impl ImportPlan<'_> {
    async fn report(&self, connection: &mut PgConnection, options: &ImportOptions) -> Result<ImportReport> {
        let ids: Vec<_> = self.update.iter().take(MAX_CHANGES).map(|(id, _)| *id).collect();
        let old = if ids.is_empty() { HashMap::new() } else { store::documents(connection, &ids).await? };
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(ImportReport {
            dry_run: options.dry_run,
            created: count(self.create.len() + self.restore.len()),
            updated: count(self.update.len()),
            unchanged: count(self.unchanged),
            archived: count(self.archive.len()),
            changes: self.changes(&old),
            ..ImportReport::default()
        })
    }

    pub(super) async fn write(&self, connection: &mut PgConnection, source: &str, revision: i64) -> Result<()> {
        store::write_new(connection, &self.create, source, revision).await?;
        store::write_over(connection, &self.update, source, revision).await?;
        store::write_over(connection, &self.restore, source, revision).await?;
        if !self.moved.is_empty() {
            store::move_place(connection, &self.moved, source, revision).await?;
        }
        if !self.archive.is_empty() {
            let ids: Vec<_> = self.archive.iter().map(|(id, _)| *id).collect();
            store::archive(connection, &ids, revision).await?;
        }
        Ok(())
    }
}

/// The audit says how much changed and names the first changes.
fn audit_entry(report: &ImportReport) -> AuditEntry {
    let changes: Vec<String> =
        report.changes.iter().take(50).map(|c| format!("{} {}", c.change, c.reference)).collect();
    AuditEntry::success().after(json!({
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "archived": report.archived,
        "changes": changes,
    }))
}
