//! Applies the portal's own documents (Environment, Connection, Binding, Release) that come with a catalog import.

use crate::catalog::{PortalDocumentSink, PortalDocuments, PortalOutcome, Sourced};
use crate::deployments::DeploymentService;
use crate::environments::{Change, EnvironmentService};
use crate::kernel::{AppError, Ctx, Result};
use async_trait::async_trait;
use passerelle_contract::FieldError;
use passerelle_contract::catalog::{ImportChange, ImportError};
use passerelle_contract::deployments::ReleaseIn;

pub struct PortalImporter {
    environments: EnvironmentService,
    deployments: DeploymentService,
}

impl PortalImporter {
    pub const fn new(environments: EnvironmentService, deployments: DeploymentService) -> Self {
        Self { environments, deployments }
    }

    async fn release(&self, ctx: &Ctx, wanted: ReleaseIn, dry_run: bool) -> Result<Change> {
        let created = self.deployments.apply_release(ctx, wanted, dry_run).await?;
        Ok(if created { Change::Created } else { Change::Unchanged })
    }
}

#[async_trait]
impl PortalDocumentSink for PortalImporter {
    async fn apply(&self, ctx: &Ctx, documents: PortalDocuments, dry_run: bool) -> PortalOutcome {
        let mut outcome = PortalOutcome::default();
        // In the order in which they refer to each other.
        for document in documents.environments {
            let (place, value) = split(document);
            let name = format!("environment:{}", value.name);
            note(&mut outcome, place, name, self.environments.apply_environment(ctx, value, dry_run).await);
        }
        for document in documents.connections {
            let (place, value) = split(document);
            let name = format!("connection:{}", value.name);
            note(&mut outcome, place, name, self.environments.apply_connection(ctx, value, dry_run).await);
        }
        for document in documents.bindings {
            let (place, value) = split(document);
            let name = format!("binding:{}@{}", value.service, value.environment);
            note(&mut outcome, place, name, self.environments.apply_binding(ctx, value, dry_run).await);
        }
        for document in documents.releases {
            let (place, value) = split(document);
            let name = format!("release:{}@{}", value.service, value.version);
            note(&mut outcome, place, name, self.release(ctx, value, dry_run).await);
        }
        outcome
    }
}

type Place = (String, u32);

fn split<T>(document: Sourced<T>) -> (Place, T) {
    ((document.document, document.line), document.value)
}

fn note(outcome: &mut PortalOutcome, (document, line): Place, reference: String, done: Result<Change>) {
    let change = match done {
        Ok(Change::Unchanged) => {
            outcome.unchanged += 1;
            return;
        }
        Ok(Change::Created) => {
            outcome.created += 1;
            "created"
        }
        Ok(Change::Updated) => {
            outcome.updated += 1;
            "updated"
        }
        Err(AppError::Invalid(errors)) => {
            let place = |FieldError { pointer, message }: FieldError| ImportError {
                document: document.clone(),
                line,
                pointer: format!("/spec{pointer}"),
                message,
            };
            outcome.errors.extend(errors.into_iter().map(place));
            return;
        }
        Err(error) => {
            let message = error.detail();
            outcome.errors.push(ImportError { document, line, pointer: String::new(), message });
            return;
        }
    };
    outcome.changes.push(ImportChange { reference, change: change.to_owned(), fields: Vec::new() });
}
