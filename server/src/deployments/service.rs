//! Use cases: asking for deployments, roll backs, restarts and scaling; cancelling; reading.

use super::engine::{Engine, EngineOptions};
use super::events::EventFeed;
use super::model::{self, Wanted, version_of_image};
use super::observer::Observer;
use super::store::{Artifact, ListFilter, Position, Store};
use crate::catalog::{CatalogService, ServiceRef};
use crate::environments::{BindingRow, EnvironmentService};
use crate::gates::GateService;
use crate::kernel::{
    Action, AppError, AuditEntry, Authorized, Ctx, Cursor, Db, EnvironmentScope, Keys, Object, Result,
    limit_or_default, validate,
};
use crate::slo::SloService;
use passerelle_contract::deployments::{
    ConfigChoice, DeploymentEvent, DeploymentFilter, DeploymentIn, DeploymentOut, DeploymentRow, Exemption,
    ManifestBundle, Operation, ReasonIn, ScaleIn,
};
use passerelle_contract::environments::EnvironmentOut;
use passerelle_contract::{Page, Text, text};
use passerelle_targets::Change;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const LIST: &str = "deployments";

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct DeploymentService {
    pub(super) store: Store,
    pub(super) keys: Keys,
    pub(super) catalog: Arc<CatalogService>,
    pub(super) environments: EnvironmentService,
    pub(super) gates: GateService,
    feed: EventFeed,
    wake: Arc<Notify>,
}

/// A service in an environment, found and bound.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub service: ServiceRef,
    pub environment: EnvironmentOut,
    pub binding: BindingRow,
}

/// What is to be done there.
#[derive(Debug)]
pub(super) struct Act {
    pub operation: Operation,
    pub release_id: Option<Uuid>,
    pub version: Option<String>,
    pub image: Option<String>,
    pub replicas: Option<u32>,
    pub config: Option<ConfigChoice>,
    pub change: Change,
    pub rolls_back_to: Option<Uuid>,
    pub reason: String,
    pub exempt: Option<Exemption>,
    /// For what nobody asked for: the newest deployment (or that there is none) that it was decided on, with no hold there.
    pub as_seen: Option<Option<Uuid>>,
}

impl DeploymentService {
    #[must_use]
    pub fn new(
        db: Db,
        keys: Keys,
        catalog: Arc<CatalogService>,
        environments: EnvironmentService,
        gates: GateService,
    ) -> Self {
        let (feed, wake) = (EventFeed::default(), Arc::new(Notify::new()));
        let store = Store::new(db);
        environments.set_busy_bindings(Arc::new(store.clone()));
        Self { store, keys, catalog, environments, gates, feed, wake }
    }

    /// `slo` tells how many events fail while a new version comes.
    #[must_use]
    pub fn engine(&self, options: EngineOptions, slo: SloService) -> Engine {
        let opens = (self.environments.clone(), self.gates.clone(), slo);
        Engine::new(self.store.clone(), opens, self.feed.clone(), Arc::clone(&self.wake), options)
    }

    #[must_use]
    pub fn observer(&self) -> Observer {
        Observer::new(self.store.clone(), self.catalog.clone(), self.environments.clone())
    }

    #[must_use]
    pub const fn feed(&self) -> &EventFeed {
        &self.feed
    }

    /// Something was written: wakes the engine and the live streams of this process.
    pub(super) fn stirred(&self) {
        self.wake.notify_one();
        self.feed.wake();
    }

    /// Feeds the live streams of this process until `stop`.
    pub async fn pump(&self, stop: CancellationToken) {
        self.feed.clone().pump(self.store.clone(), stop).await;
    }

    /// Asks for a deployment.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound`, or `DeploymentActive` naming the holder (the attempt is a row all the same).
    pub async fn create_deployment(&self, ctx: &Ctx, input: DeploymentIn) -> Result<DeploymentOut> {
        self.deploy(ctx, input, None).await
    }

    /// With `as_seen` only while no hold is there and the newest deployment is that one.
    pub(super) async fn deploy(
        &self,
        ctx: &Ctx,
        input: DeploymentIn,
        as_seen: Option<Option<Uuid>>,
    ) -> Result<DeploymentOut> {
        let wanted = model::wanted(&input, true)?;
        let place = self.place(ctx, Action::DeploymentCreate, &input.service, &input.environment).await?;
        let reason = model::reason(input.reason.as_deref()).map_err(|error| AppError::Invalid(vec![error]))?;
        model::exempt_reason(input.exempt, &reason)?;
        let found = self.resolve(&place, wanted).await?;
        let act = Act {
            operation: Operation::Deploy,
            change: found.change(),
            release_id: found.release_id,
            version: Some(found.version),
            image: Some(found.image),
            replicas: None,
            config: None,
            rolls_back_to: None,
            reason,
            exempt: input.exempt,
            as_seen,
        };
        self.start(ctx, Action::DeploymentCreate, place, act, None).await
    }

    /// Replaces all instances by new ones of the same version.
    ///
    /// # Errors
    /// As [`Self::create_deployment`].
    pub async fn restart(&self, ctx: &Ctx, service: &str, environment: &str, input: ReasonIn) -> Result<DeploymentOut> {
        let reason = reason_or(ctx, input.reason.as_deref(), &text!("Restart"))?;
        let place = self.place(ctx, Action::DeploymentRestart, service, environment).await?;
        let act = Act { operation: Operation::Restart, change: Change::Restart, ..Act::keeping(reason) };
        self.start(ctx, Action::DeploymentRestart, place, act, None).await
    }

    /// # Errors
    /// As [`Self::create_deployment`]; `Invalid` at `/replicas`.
    pub async fn scale(&self, ctx: &Ctx, service: &str, environment: &str, input: ScaleIn) -> Result<DeploymentOut> {
        let reason = reason_or(ctx, input.reason.as_deref(), &text!("Scale"))?;
        let place = self.place(ctx, Action::DeploymentScale, service, environment).await?;
        let replicas = model::replicas(input.replicas, place.environment.tier)?;
        let act = Act {
            operation: Operation::Scale,
            change: Change::Scale { replicas },
            replicas: Some(replicas),
            ..Act::keeping(reason)
        };
        self.start(ctx, Action::DeploymentScale, place, act, None).await
    }

    /// Keeps automation from changing the binding.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound`.
    pub async fn hold(&self, ctx: &Ctx, service: &str, environment: &str, input: ReasonIn) -> Result<()> {
        self.environments.hold(ctx, service, environment, input).await.map(drop)
    }

    /// Lifts a hold.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub async fn resume(&self, ctx: &Ctx, service: &str, environment: &str, input: ReasonIn) -> Result<()> {
        self.environments.resume(ctx, service, environment, input).await.map(drop)
    }

    /// Asks the engine to stop: before the effect nothing happens, after it what ran before is put back.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, or `Conflict` when it has ended.
    pub async fn cancel(&self, ctx: &Ctx, id: Uuid, input: ReasonIn) -> Result<DeploymentOut> {
        let reason = reason_or(ctx, input.reason.as_deref(), &text!("Cancel"))?;
        let (_, authorized) = self.authorize_for(ctx, Action::DeploymentCancel, id).await?;
        let mut tx = self.store.db.write(ctx, authorized).await?;
        if self.store.request_cancel(&mut tx, id, &ctx.principal().name).await?.is_none() {
            return Err(AppError::Conflict(text!("deployment {id} has ended, so it cannot be cancelled", id)));
        }
        tx.commit(AuditEntry::success().reason(reason)).await?;
        self.feed.wake();
        self.get_deployment(ctx, id).await
    }

    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn get_deployment(&self, ctx: &Ctx, id: Uuid) -> Result<DeploymentOut> {
        signed_in(ctx)?;
        let mut found = self.store.get(id).await?.ok_or_else(|| AppError::NotFound(text!("deployment {id}", id)))?;
        let hidden = |_| AppError::NotFound(text!("deployment {id}", id));
        let object = self.object(ctx, &found.service, &found.environment).await.map_err(hidden)?;
        ctx.permit(Action::DeploymentRead, &object)?;
        if let Some(shown) = found.approvals.take() {
            found.approvals = Some(self.approvals_of(id, shown).await?);
        }
        Ok(found.into_said(ctx.locale))
    }

    /// Newest first.
    ///
    /// # Errors
    /// `Invalid` by field.
    pub async fn list_deployments(&self, ctx: &Ctx, filter: DeploymentFilter) -> Result<Page<DeploymentRow>> {
        signed_in(ctx)?;
        let limit = limit_or_default(filter.limit)?;
        let after: Option<Position> =
            filter.cursor.as_deref().map(|text| Cursor::decode(&self.keys, LIST, text)).transpose()?;
        let filter = ListFilter {
            service: filter.service,
            environment: filter.environment,
            state: filter.state,
            operation: filter.operation,
            actor: filter.actor,
            active: filter.active,
            reaches: ctx.reaches(),
        };
        let (mut items, total) = self.store.list(&filter, after, limit + 1).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|row| Cursor::encode(&self.keys, LIST, &Position { id: row.id })).transpose()?;
        Ok(Page { items, next_cursor, total })
    }

    /// The events of one deployment after an id, at most 1,000.
    ///
    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn events(&self, ctx: &Ctx, id: Uuid, after: i64) -> Result<Vec<DeploymentEvent>> {
        self.get_deployment(ctx, id).await?;
        let events = self.store.events_of(id, after, 1000).await?;
        Ok(events.into_iter().map(|event| event.into_said(ctx.locale)).collect())
    }

    /// Finds a service to decide about; does not check who asks.
    pub(super) fn service(&self, ctx: &Ctx, key: &str) -> Result<ServiceRef> {
        signed_in(ctx)?;
        validate::service_key(key).map_err(|message| AppError::field("/service", message))?;
        self.catalog.find_service(key).ok_or_else(|| AppError::not_found(format!("service:{key}")))
    }

    pub(super) async fn owner_of(&self, id: Uuid) -> Result<(String, String)> {
        self.store.service_and_environment(id).await?.ok_or_else(|| AppError::NotFound(text!("deployment {id}", id)))
    }

    /// Decides an act on a deployment that is there; also gives its service and environment. Who may not see it is told what is told of one
    /// that is not there.
    pub(super) async fn authorize_for(
        &self,
        ctx: &Ctx,
        action: Action,
        id: Uuid,
    ) -> Result<((String, String), Authorized)> {
        signed_in(ctx)?;
        let hidden = || AppError::NotFound(text!("deployment {id}", id));
        let (service, environment) = self.owner_of(id).await?;
        // Who has no role at all may not even know of an environment.
        let on = self.environments.get_environment(ctx, &environment).await.map_err(|error| match error {
            AppError::NotFound(_) | AppError::Forbidden(_) => hidden(),
            other => other,
        })?;
        let scope = EnvironmentScope { name: on.name, tier: on.tier };
        let object = Object::service(self.service(ctx, &service)?.scope).with_environment(scope);
        let object = Object { kind: "deployment", key: id.to_string(), ..object };
        let authorized = self.store.db.authorize(ctx, action, object).await.map_err(|error| match error {
            AppError::NotFound(_) => hidden(),
            other => other,
        })?;
        Ok(((service, environment), authorized))
    }

    pub(super) async fn object(&self, ctx: &Ctx, service: &str, environment: &str) -> Result<Object> {
        let service = self.service(ctx, service)?;
        let environment = self.environments.get_environment(ctx, environment).await?;
        ctx.permit(Action::CatalogRead, &Object::service(service.scope.clone()))?;
        let scope = EnvironmentScope { name: environment.name, tier: environment.tier };
        Ok(Object::service(service.scope).with_environment(scope))
    }

    /// Finds a service in an environment for an act, and checks that the caller may do it there.
    pub(super) async fn place(&self, ctx: &Ctx, action: Action, service: &str, environment: &str) -> Result<Place> {
        let service = self.service(ctx, service)?;
        let environment = self.environments.get_environment(ctx, environment).await?;
        let scope = EnvironmentScope { name: environment.name.clone(), tier: environment.tier };
        let object = Object::service(service.scope.clone()).with_environment(scope);
        if action.is_read() {
            ctx.permit(action, &object)?;
        } else {
            self.store.db.authorize(ctx, action, object).await?;
        }
        let Some(binding) = self.environments.binding_for(&service, &environment).await? else {
            let message = text!(
                "{service} is not bound to {environment}; add a target binding first",
                service = &service.scope.key,
                environment = &environment.name
            );
            return Err(AppError::field("/environment", message));
        };
        Ok(Place { service, environment, binding })
    }

    pub(super) async fn resolve(&self, place: &Place, wanted: Wanted) -> Result<Found> {
        let service = &place.service;
        let release = match &wanted {
            Wanted::Release(id) => {
                self.store.release(*id).await?.filter(|release| release.service_key == service.scope.key)
            }
            Wanted::Version(version) => self.store.release_by_version(service.id, version).await?,
            // Spelt otherwise it is the same release, so that what is known of it (a scan, an approval) counts.
            Wanted::Image(image) => match self.store.release_by_image(service.id, image).await? {
                None => self.store.release_like_image(service.id, image).await?,
                exact => exact,
            },
        };
        match (release, wanted) {
            (Some(release), wanted) => {
                let manifests = release.manifests();
                // By digest it may be named in another registry, which is then where it comes from.
                let image = match wanted {
                    Wanted::Image(image) if image.contains('@') => image,
                    _ => release.image,
                };
                Ok(Found { release_id: Some(release.id), version: release.version, image, manifests })
            }
            (None, Wanted::Image(image)) => {
                Ok(Found { release_id: None, version: version_of_image(&image), image, manifests: None })
            }
            (None, Wanted::Version(version)) => Err(AppError::field(
                "/version",
                text!("{service} has no release {version}", service = &service.scope.key, version),
            )),
            (None, Wanted::Release(id)) => Err(AppError::field(
                "/release",
                text!("{service} has no release {version}", service = &service.scope.key, version = id),
            )),
        }
    }
}

/// What a request turned out to mean.
#[derive(Debug)]
pub(super) struct Found {
    pub release_id: Option<Uuid>,
    pub version: String,
    pub image: String,
    /// Of the release.
    pub manifests: Option<ManifestBundle>,
}

impl Found {
    /// What it means for a target.
    pub(super) fn change(&self) -> Change {
        Change::Image { image: self.image.clone(), manifests: self.manifests.clone() }
    }

    pub(super) fn artifact(&self) -> Artifact<'_> {
        Artifact { release_id: self.release_id, image: &self.image, version: Some(&self.version) }
    }
}

impl Act {
    /// The base of an act that keeps the version.
    pub(super) const fn keeping(reason: String) -> Self {
        Self {
            operation: Operation::Restart,
            release_id: None,
            version: None,
            image: None,
            replicas: None,
            config: None,
            change: Change::Restart,
            rolls_back_to: None,
            reason,
            exempt: None,
            as_seen: None,
        }
    }
}

/// The given reason, or the act's name when none is given, in the words of the one who acts.
pub(super) fn reason_or(ctx: &Ctx, text: Option<&str>, otherwise: &Text) -> Result<String> {
    match text.map(str::trim) {
        None | Some("") => Ok(ctx.say(otherwise)),
        text => model::reason(text).map_err(|error| AppError::Invalid(vec![error])),
    }
}

/// Nobody learns what exists and what does not.
fn signed_in(ctx: &Ctx) -> Result<()> {
    if ctx.is_anonymous() { Err(AppError::Unauthenticated) } else { Ok(()) }
}
