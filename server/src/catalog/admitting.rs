//! Entities that another capability makes: they enter by the same reading and the same writing as an import, inside the transaction of
//! whoever makes them, and only as new ones.

use super::import::Parsed;
use super::plan::ImportPlan;
use super::portal::PortalDocuments;
use super::service::CatalogService;
use super::upload::Upload;
use super::{import, store};
use crate::kernel::{AppError, Result, ServiceScope, WriteTx};
use passerelle_contract::catalog::ImportError;
use passerelle_contract::{FieldError, text};
use std::sync::Arc;
use uuid::Uuid;

/// Documents that were read and found good, with the service that they are about.
#[derive(Debug)]
pub struct Admission {
    parsed: Parsed,
    service: usize,
    scope: ServiceScope,
}

impl Admission {
    /// The service, before it is there.
    #[must_use]
    pub const fn scope(&self) -> &ServiceScope {
        &self.scope
    }

    /// What came along about the portal itself.
    #[must_use]
    pub const fn portal(&self) -> &PortalDocuments {
        &self.parsed.portal
    }
}

/// A service that the catalog lays to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaidService {
    /// Ids grow: who was there before has the smaller one.
    pub id: Uuid,
    pub scope: ServiceScope,
    /// Only the answers that it was made with say so; no import has said it.
    pub answered: bool,
}

impl CatalogService {
    /// Reads documents whose first Component is a new service.
    ///
    /// # Errors
    /// `Invalid` with the place of every document that is refused, or when there is no Component.
    pub async fn read_new(self: &Arc<Self>, upload: Upload) -> Result<Admission> {
        let parsed = self.read(upload).await?;
        if !parsed.errors.is_empty() {
            return Err(AppError::Invalid(parsed.errors.into_iter().map(refused).collect()));
        }
        let service = parsed.entities.iter().position(|placed| placed.entity.reference.kind == "component");
        let Some((service, placed)) = service.and_then(|at| Some((at, parsed.entities.get(at)?))) else {
            return Err(AppError::field("", text!("the documents hold no Component, so there is no service")));
        };
        let entity = &placed.entity;
        let scope =
            ServiceScope { key: entity.reference.key(), team: entity.owner.clone(), system: entity.system.clone() };
        Ok(Admission { service, scope, parsed })
    }

    /// Writes them; the caller commits, and calls [`Self::refresh`] afterwards. Answers the id of the service.
    ///
    /// # Errors
    /// `AlreadyExists` with the first entity that is there, also as an archived one: its history is not another's.
    pub async fn admit_in(&self, tx: &mut WriteTx, admission: &Admission, source: &str) -> Result<Uuid> {
        let revision = store::lock(tx.conn()).await?;
        let entities = &admission.parsed.entities;
        let references: Vec<String> = entities.iter().map(|placed| placed.entity.reference.folded()).collect();
        let existing = store::existing(tx.conn(), &references).await?;
        if let Some(there) = references.iter().find(|reference| existing.contains_key(*reference)) {
            return Err(AppError::AlreadyExists(passerelle_contract::Text::verbatim(there.clone())));
        }
        ImportPlan::new(entities, &existing, source).write(tx.conn(), source, revision).await?;
        let service = references.get(admission.service).cloned().unwrap_or_default();
        let written = store::existing(tx.conn(), std::slice::from_ref(&service)).await?;
        written
            .get(&service)
            .map(|row| row.id)
            .ok_or_else(|| AppError::internal("an entity that was written is not there"))
    }

    /// What documents say about the portal itself, for whoever applies it later.
    #[must_use]
    pub fn portal_documents(upload: &Upload) -> PortalDocuments {
        import::parse(upload).portal
    }

    /// Whether an entity (`kind:namespace/name`) is there, for decisions. Does not check who asks.
    #[must_use]
    pub fn knows(&self, reference: &str) -> bool {
        self.snapshot().find(&reference.to_lowercase()).is_some()
    }

    /// Services of whose annotations one of these has one of the values, which are in lower case, for decisions. Does not check who asks.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn services_laid_to(&self, annotations: &[&str], values: &[String]) -> Result<Vec<LaidService>> {
        let rows = store::services_laid_to(self.db.pool(), annotations, values).await?;
        let laid = |row: store::LaidRow| {
            let scope = ServiceScope { key: row.key, team: row.owner, system: row.system };
            LaidService { id: row.id, scope, answered: row.answered }
        };
        Ok(rows.into_iter().map(laid).collect())
    }

    /// Whether a team (`namespace/name`) is there or owns something, for decisions. Does not check who asks.
    #[must_use]
    pub fn knows_team(&self, team: &str) -> bool {
        self.snapshot().knows_team(team)
    }
}

fn refused(error: ImportError) -> FieldError {
    let ImportError { document, line, pointer, message } = error;
    FieldError::new(pointer, text!("{document}, line {line}: {message}", document, line, message))
}
