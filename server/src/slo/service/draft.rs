//! What a form of an objective begins with, and how it is saved: through the same document as a file.

use super::SloService;
use crate::environments::IfMatch;
use crate::kernel::{AppError, Ctx, Result};
use passerelle_contract::FieldError;
use passerelle_contract::slo::{SloFileNote, SloImportOptions, SloImportReport, SloOut, SloPatch};
use passerelle_contract::text;
use passerelle_slo_formats::draft::{Draft, field_of};
use passerelle_slo_formats::slug;
use uuid::Uuid;

impl SloService {
    /// The texts that the form of an SLO begins with, and the least number of bad events of its alerts.
    ///
    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn draft_of(&self, ctx: &Ctx, id: Uuid) -> Result<(Draft, u64)> {
        let slo = self.readable(ctx, id).await?;
        let draft = Draft::of(&slo.definition);
        let (service, connection) = (slo.service.key, slo.connection);
        Ok((Draft { service, connection, ..draft }, slo.definition.min_bad_events))
    }

    /// What a draft is read as; nothing is changed.
    ///
    /// # Errors
    /// `Invalid` by field of the draft, `Forbidden`.
    pub async fn read_draft(&self, ctx: &Ctx, draft: &Draft, environment: Option<String>) -> Result<SloImportReport> {
        let options = SloImportOptions { dry_run: true, ..options(draft, environment) };
        let report = self.import_slos(ctx, &draft.document(), &options).await?;
        if report.errors.is_empty() { Ok(report) } else { Err(AppError::Invalid(by_field(&report.errors))) }
    }

    /// Makes an SLO of a draft. Its name is that of the title.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`; a name that the service has already is one of the title.
    pub async fn create_from(
        &self,
        ctx: &Ctx,
        draft: &Draft,
        environment: Option<String>,
        min_bad_events: u32,
    ) -> Result<SloImportReport> {
        let read = self.read_draft(ctx, draft, environment.clone()).await?;
        if read.slos.iter().any(|slo| slo.change != "created") {
            return Err(AppError::field(
                "/title",
                text!("the service has an objective named {name} already", name = draft.name),
            ));
        }
        let options = SloImportOptions { min_bad_events: Some(min_bad_events), ..options(draft, environment) };
        self.import_slos(ctx, &draft.document(), &options).await
    }

    /// Changes an SLO to what a draft says; it keeps its name, its service and its environment.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `Conflict` when it is another version now.
    pub async fn save_draft(
        &self,
        ctx: &Ctx,
        id: Uuid,
        draft: &Draft,
        min_bad_events: u32,
        if_match: &IfMatch,
    ) -> Result<SloOut> {
        let slo = self.readable(ctx, id).await?;
        let environment = slo.environment.map(|(_, scope)| scope.name);
        self.read_draft(ctx, draft, environment).await?;
        let patch = SloPatch {
            source: Some(draft.document()),
            connection: Some(draft.connection.clone()),
            min_bad_events: Some(min_bad_events),
        };
        self.patch_slo(ctx, id, patch, if_match).await
    }
}

/// The name that a title gives.
#[must_use]
pub fn name_of(title: &str) -> String {
    slug(title)
}

fn options(draft: &Draft, environment: Option<String>) -> SloImportOptions {
    SloImportOptions {
        service: Some(draft.service.clone()),
        connection: Some(draft.connection.clone()),
        environment,
        ..SloImportOptions::default()
    }
}

fn by_field(notes: &[SloFileNote]) -> Vec<FieldError> {
    notes.iter().map(|note| FieldError::new(format!("/{}", field_of(&note.pointer)), note.message.clone())).collect()
}
