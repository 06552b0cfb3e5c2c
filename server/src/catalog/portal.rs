//! Documents about the portal itself in an import: environments, connections, bindings and releases.
//!
//! ```yaml
//! apiVersion: passerelle.dev/v1
//! kind: Environment          # or Connection, Binding, Release
//! spec: {name: staging, tier: staging, order: 1}   # the body of the REST call that makes one
//! ```
//! The catalog reads them, so that one import pass covers a folder, and hands them to a [`PortalDocumentSink`]: the capabilities that
//! own these things come after the catalog and may not be called from it.

use crate::kernel::Ctx;
use async_trait::async_trait;
use passerelle_contract::catalog::{ImportChange, ImportError};
use passerelle_contract::deployments::ReleaseIn;
use passerelle_contract::environments::{BindingIn, ConnectionIn, EnvironmentIn};
use passerelle_contract::{FieldError, Text, text};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;

/// The `apiVersion` of these documents.
pub const API_VERSION: &str = "passerelle.dev/v1";

/// A value with the place it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sourced<T> {
    /// File and number of the document, for example `portal.yaml#3`.
    pub document: String,
    pub line: u32,
    pub value: T,
}

/// Everything of one import that is not a catalog entity, in the order of the files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PortalDocuments {
    pub environments: Vec<Sourced<EnvironmentIn>>,
    pub connections: Vec<Sourced<ConnectionIn>>,
    pub bindings: Vec<Sourced<BindingIn>>,
    pub releases: Vec<Sourced<ReleaseIn>>,
}

impl PortalDocuments {
    #[must_use]
    pub fn len(&self) -> usize {
        self.environments.len() + self.connections.len() + self.bindings.len() + self.releases.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a document in.
    ///
    /// # Errors
    /// The pointer and what is wrong there.
    pub(super) fn add(&mut self, document: &str, line: u32, value: &Value) -> Result<(), (String, Text)> {
        let spec = value.get("spec").cloned().unwrap_or(Value::Null);
        match value.get("kind").and_then(Value::as_str) {
            Some("Environment") => self.environments.push(read(document, line, spec)?),
            Some("Connection") => self.connections.push(read(document, line, spec)?),
            Some("Binding") => self.bindings.push(read(document, line, spec)?),
            Some("Release") => self.releases.push(read(document, line, spec)?),
            _ => {
                let message = text!(
                    "is not a kind of {api_version}; known are Environment, Connection, Binding and Release",
                    api_version = API_VERSION
                );
                return Err(("/kind".to_owned(), message));
            }
        }
        Ok(())
    }

    /// Takes out the documents that say who they are in the same words as another one: which of them is meant cannot be known.
    pub(super) fn take_repeated(&mut self) -> Vec<ImportError> {
        let mut errors = take_repeated(&mut self.environments, "/spec/name", |it| it.name.clone());
        errors.extend(take_repeated(&mut self.connections, "/spec/name", |it| it.name.clone()));
        errors.extend(take_repeated(&mut self.bindings, "/spec/environment", |it| {
            format!("{}@{}", it.service, it.environment)
        }));
        errors
            .extend(take_repeated(&mut self.releases, "/spec/version", |it| format!("{}@{}", it.service, it.version)));
        errors
    }
}

fn take_repeated<T>(all: &mut Vec<Sourced<T>>, pointer: &str, name: impl Fn(&T) -> String) -> Vec<ImportError> {
    let mut places: HashMap<String, Vec<Text>> = HashMap::new();
    for one in all.iter() {
        let place = text!("{document} line {line}", document = &one.document, line = one.line);
        places.entry(name(&one.value)).or_default().push(place);
    }
    let mut errors = Vec::new();
    all.retain(|one| {
        let name = name(&one.value);
        let Some(places) = places.get(&name).filter(|places| places.len() > 1) else { return true };
        let message = text!(
            "{reference} is in this import more than once ({all}), so none of them goes in",
            reference = name,
            all = places.clone()
        );
        let (document, line) = (one.document.clone(), one.line);
        errors.push(ImportError { document, line, pointer: pointer.to_owned(), message });
        false
    });
    errors
}

fn read<T: DeserializeOwned>(document: &str, line: u32, spec: Value) -> Result<Sourced<T>, (String, Text)> {
    let value = serde_path_to_error::deserialize(spec).map_err(|error| {
        let FieldError { pointer, message } = crate::kernel::web::field_error(&error);
        (format!("/spec{pointer}"), message)
    })?;
    Ok(Sourced { document: document.to_owned(), line, value })
}

/// What became of the documents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PortalOutcome {
    pub created: u32,
    pub updated: u32,
    pub unchanged: u32,
    pub changes: Vec<ImportChange>,
    pub errors: Vec<ImportError>,
}

/// Applies the documents; implemented by the capabilities that own the things.
#[async_trait]
pub trait PortalDocumentSink: Send + Sync {
    /// With `dry_run` only says what would change. Refused documents are in the outcome's errors.
    async fn apply(&self, ctx: &Ctx, documents: PortalDocuments, dry_run: bool) -> PortalOutcome;
}
