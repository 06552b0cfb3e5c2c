//! Applies the portal's own documents (Environment, Connection, Binding, Release) that come with a catalog import.

use crate::catalog::{PortalDocumentSink, PortalDocuments, PortalOutcome, Sourced};
use crate::deployments::DeploymentService;
use crate::environments::{Change, EnvironmentService};
use crate::kernel::{AppError, Ctx, Result};
use async_trait::async_trait;
use passerelle_contract::FieldError;
use passerelle_contract::catalog::{ImportChange, ImportError};
use passerelle_contract::deployments::ReleaseIn;
use passerelle_contract::environments::{BindingIn, ConnectionIn, EnvironmentIn};

pub struct PortalImporter {
    environments: EnvironmentService,
    deployments: DeploymentService,
}

impl PortalImporter {
    pub const fn new(environments: EnvironmentService, deployments: DeploymentService) -> Self {
        Self { environments, deployments }
    }

    async fn environment(&self, ctx: &Ctx, wanted: EnvironmentIn, dry_run: bool) -> Result<Change> {
        if !dry_run {
            return self.environments.apply_environment(ctx, wanted).await;
        }
        let found = absent_is_none(self.environments.get_environment(ctx, &wanted.name).await)?;
        Ok(compare(found, |found| found.tier == wanted.tier && found.order == wanted.order))
    }

    async fn connection(&self, ctx: &Ctx, wanted: ConnectionIn, dry_run: bool) -> Result<Change> {
        if !dry_run {
            return self.environments.apply_connection(ctx, wanted).await;
        }
        let found = absent_is_none(self.environments.get_connection(ctx, &wanted.name).await)?;
        Ok(compare(found, |found| found.kind == wanted.kind && found.config == wanted.config))
    }

    async fn binding(&self, ctx: &Ctx, wanted: BindingIn, dry_run: bool) -> Result<Change> {
        if !dry_run {
            return self.environments.apply_binding(ctx, wanted).await;
        }
        let bindings =
            absent_is_none(self.environments.list_bindings(ctx, Some(&wanted.service)).await)?.unwrap_or_default();
        let found = bindings.into_iter().find(|binding| binding.environment == wanted.environment);
        Ok(compare(found, |found| {
            found.kind == wanted.kind && found.connection == wanted.connection && found.config == wanted.config
        }))
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
            note(&mut outcome, place, name, self.environment(ctx, value, dry_run).await);
        }
        for document in documents.connections {
            let (place, value) = split(document);
            let name = format!("connection:{}", value.name);
            note(&mut outcome, place, name, self.connection(ctx, value, dry_run).await);
        }
        for document in documents.bindings {
            let (place, value) = split(document);
            let name = format!("binding:{}@{}", value.service, value.environment);
            note(&mut outcome, place, name, self.binding(ctx, value, dry_run).await);
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

fn absent_is_none<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(AppError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn compare<T>(found: Option<T>, same: impl FnOnce(&T) -> bool) -> Change {
    match found {
        None => Change::Created,
        Some(found) if same(&found) => Change::Unchanged,
        Some(_) => Change::Updated,
    }
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
