//! Bindings.

use super::super::model::{
    BindingRow, Change, IfMatch, binding_object, check_storable, config_error, known_platform, locator,
};
use super::super::store::bindings::{self as store, NewBinding};
use super::super::store::{connections, environments};
use super::{EnvironmentService, absent, connection_name};
use crate::catalog::ServiceRef;
use crate::kernel::{
    Action, AppError, AuditEntry, Authorized, Ctx, Cursor, Object, Result, ServiceScope, WriteTx, decide,
    limit_or_default,
};
use passerelle_contract::environments::{BindingFilter, BindingIn, BindingOut, BindingPatch, EnvironmentOut};
use passerelle_contract::{Page, text};
use serde_json::Value;
use sqlx::postgres::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

const LIST: &str = "bindings";

/// The order of lists: service, then position of the environment.
type Position = (String, u16, Uuid);

impl EnvironmentService {
    /// The bindings that the caller may read, of one service (`namespace/name`) or of all.
    ///
    /// # Errors
    /// `NotFound` for a service that is not there or may not be read; `Unauthenticated`, `Unavailable`.
    pub async fn list_bindings(&self, ctx: &Ctx, service: Option<&str>) -> Result<Vec<BindingOut>> {
        let filter = BindingFilter { service: service.map(str::to_owned), ..BindingFilter::default() };
        let positions = self.readable_bindings(ctx, &filter).await?;
        self.bindings_at(&positions).await
    }

    /// One page of them.
    ///
    /// # Errors
    /// As [`Self::list_bindings`], and `Invalid` for a wrong cursor or limit.
    pub async fn page_bindings(&self, ctx: &Ctx, filter: &BindingFilter) -> Result<Page<BindingOut>> {
        let limit = limit_or_default(filter.limit)?;
        let after: Option<Position> =
            filter.cursor.as_deref().map(|text| Cursor::decode(self.secrets.keys(), LIST, text)).transpose()?;
        let all = self.readable_bindings(ctx, filter).await?;
        let start = after.map_or(0, |after| all.partition_point(|position| *position <= after));
        let rest = &all[start..];
        let page = &rest[..limit.min(rest.len())];
        let next_cursor = match page.last() {
            Some(last) if rest.len() > limit => Some(Cursor::encode(self.secrets.keys(), LIST, last)?),
            _ => None,
        };
        let total = u64::try_from(all.len()).map_err(AppError::internal)?;
        Ok(Page { items: self.bindings_at(page).await?, next_cursor, total })
    }

    /// # Errors
    /// `NotFound` when it is not there or may not be read.
    pub async fn get_binding(&self, ctx: &Ctx, id: Uuid) -> Result<BindingOut> {
        let row = self.binding_by_id(id).await?.filter(|row| decide(ctx, Action::BindingRead, &row.object()).allowed);
        match row {
            Some(row) => Ok(row.to_out()),
            None if ctx.is_anonymous() => Err(AppError::Unauthenticated),
            None => Err(absent("binding", &id.to_string())),
        }
    }

    /// # Errors
    /// `Invalid` by field, `Forbidden`, `AlreadyExists`, `Conflict` when another service is bound to the same object.
    pub async fn create_binding(&self, ctx: &Ctx, new: BindingIn) -> Result<BindingOut> {
        let (service, environment) = self.named_pair(ctx, &new).await?;
        let authorized = self.may_edit_binding(ctx, &service.scope, &environment).await?;
        self.insert_binding(ctx, authorized, &service, environment, &new).await
    }

    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound`, `Conflict` as in [`Self::create_binding`].
    pub async fn patch_binding(&self, ctx: &Ctx, id: Uuid, patch: BindingPatch) -> Result<BindingOut> {
        self.patch_binding_if(ctx, id, patch, &IfMatch::default()).await
    }

    /// As [`Self::patch_binding`], for a version that was read before.
    ///
    /// # Errors
    /// Also `Conflict` when it is another version now.
    pub async fn patch_binding_if(
        &self,
        ctx: &Ctx,
        id: Uuid,
        patch: BindingPatch,
        if_match: &IfMatch,
    ) -> Result<BindingOut> {
        let (row, authorized) = self.editable_binding(ctx, id).await?;
        let connection = patch.connection.unwrap_or_else(|| row.connection.clone());
        let config = patch.config.unwrap_or_else(|| row.config.clone());
        let wanted = Wanted { kind: None, connection: &connection, config: &config, dry_run: false };
        self.update_binding(ctx, authorized, row, &wanted, if_match).await.map(|(out, _)| out)
    }

    /// Creates or changes, for the importer. A dry run checks all of it and writes nothing; what the binding names may come with
    /// the same import, and is not missed then.
    ///
    /// # Errors
    /// As create and patch.
    pub async fn apply_binding(&self, ctx: &Ctx, wanted: BindingIn, dry_run: bool) -> Result<Change> {
        if dry_run && !self.all_there(&wanted).await? {
            return Ok(Change::Created);
        }
        let (service, environment) = self.named_pair(ctx, &wanted).await?;
        let authorized = self.may_edit_binding(ctx, &service.scope, &environment).await?;
        match store::by_pair(self.db.pool(), service.id, environment.id).await? {
            None if dry_run => {
                let mut tx = self.db.write(ctx, authorized).await?;
                self.checked(ctx, &mut tx, &Wanted::of(&wanted, dry_run), Uuid::nil()).await.map(|_| Change::Created)
            }
            None => self.insert_binding(ctx, authorized, &service, environment, &wanted).await.map(|_| Change::Created),
            Some(row) => {
                let row = row.with(service.scope, environment);
                let wanted = Wanted::of(&wanted, dry_run);
                let done = self.update_binding(ctx, authorized, row, &wanted, &IfMatch::default()).await;
                done.map(|(_, change)| change)
            }
        }
    }

    /// Nothing on the target changes.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `DeploymentActive` naming the deployment that runs through it.
    pub async fn delete_binding(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        let (row, authorized) = self.editable_binding(ctx, id).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        store::lock(tx.conn(), id).await?.ok_or_else(|| absent("binding", &id.to_string()))?;
        self.refuse_busy(&mut tx, id).await?;
        store::delete(tx.conn(), id).await?;
        tx.commit(AuditEntry::success().before(row.summary())).await
    }

    /// For the engine: the binding of a service in an environment. Decides nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn binding_for(&self, service: &ServiceRef, environment: &EnvironmentOut) -> Result<Option<BindingRow>> {
        let row = store::by_pair(self.db.pool(), service.id, environment.id).await?;
        Ok(row.map(|row| row.with(service.scope.clone(), environment.clone())))
    }

    /// The bindings of a connection, without those of archived services. Decides nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn bindings_through(&self, connection: Uuid) -> Result<Vec<BindingRow>> {
        let rows = store::on_connection(self.db.pool(), connection).await?;
        self.whole(rows, Archived::LeftOut).await
    }

    /// For the engine: one binding. Decides nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn binding_by_id(&self, id: Uuid) -> Result<Option<BindingRow>> {
        let row = store::by_id(self.db.pool(), id).await?;
        self.with_own_environment(row).await
    }

    /// For the observer: a page of all bindings by id, without those of archived services. The next page starts after the
    /// last id; an empty page is the end.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn all_bindings(&self, mut after: Option<Uuid>, limit: u32) -> Result<Vec<BindingRow>> {
        loop {
            let rows = store::page(self.db.pool(), after, i64::from(limit)).await?;
            let Some(last) = rows.last().map(|row| row.id) else { return Ok(Vec::new()) };
            let living = self.whole(rows, Archived::LeftOut).await?;
            // A page of nothing but archived services is not the end.
            if !living.is_empty() {
                return Ok(living);
            }
            after = Some(last);
        }
    }

    async fn with_own_environment(&self, row: Option<store::Row>) -> Result<Option<BindingRow>> {
        Ok(self.whole(row.into_iter().collect(), Archived::Kept).await?.pop())
    }

    /// Rows with the service and the environment that they belong to.
    async fn whole(&self, rows: Vec<store::Row>, archived: Archived) -> Result<Vec<BindingRow>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let environments = self.environments_by_id().await?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.service_id).collect();
        let services = self.catalog.known_services(&ids).await?;
        let whole = |row: store::Row| {
            let service = services.get(&row.service_id).filter(|s| !s.archived || archived == Archived::Kept)?;
            let environment = environments.get(&row.environment_id)?.clone();
            Some(row.with(service.scope.clone(), environment))
        };
        Ok(rows.into_iter().filter_map(whole).collect())
    }

    /// # Errors
    /// `DeploymentActive` while a deployment runs through the binding, whose row the transaction has locked.
    pub(super) async fn refuse_busy(&self, tx: &mut WriteTx, binding: Uuid) -> Result<()> {
        let Some(holder) = self.holder(tx.conn(), binding).await? else { return Ok(()) };
        let row = self.binding_by_id(binding).await?.ok_or_else(|| absent("binding", &binding.to_string()))?;
        let (service, environment) = (row.service_scope.key, row.environment.name);
        Err(AppError::DeploymentActive { holder, service, environment, attempt: None })
    }

    /// Whether everything that a binding names is there already.
    async fn all_there(&self, wanted: &BindingIn) -> Result<bool> {
        let connection = match connection_name(&wanted.connection) {
            Some(name) => connections::by_name(self.db.pool(), name).await?,
            None => None,
        };
        Ok(connection.is_some()
            && self.environment_by_name(&wanted.environment).await?.is_some()
            && self.service_by_key(&wanted.service).await?.is_some())
    }

    async fn environments_by_id(&self) -> Result<HashMap<Uuid, EnvironmentOut>> {
        let all = environments::list(self.db.pool()).await?;
        Ok(all.into_iter().map(|environment| (environment.id, environment)).collect())
    }

    /// The places of all bindings that match and may be read, in order.
    async fn readable_bindings(&self, ctx: &Ctx, filter: &BindingFilter) -> Result<Vec<Position>> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let service = match &filter.service {
            None => None,
            Some(key) => Some(self.readable_service(ctx, key).await?.id),
        };
        let environments = self.environments_by_id().await?;
        let environment = match &filter.environment {
            None => None,
            Some(name) => match environments.values().find(|environment| environment.name == *name) {
                Some(environment) => Some(environment.id),
                None => return Err(unknown_environment(&environments)),
            },
        };
        let connection = match &filter.connection {
            None => None,
            Some(name) => Some(connection_name(name).ok_or_else(|| no_connection(name))?),
        };
        let heads = store::heads(self.db.pool(), service, environment, connection).await?;
        let services: Vec<Uuid> = heads.iter().map(|head| head.service_id).collect();
        let services = self.catalog.known_services(&services).await?;
        let mut positions: Vec<Position> = heads
            .iter()
            .filter_map(|head| {
                let environment = environments.get(&head.environment_id)?;
                let scope = &services.get(&head.service_id).filter(|service| !service.archived)?.scope;
                decide(ctx, Action::BindingRead, &binding_object(scope, environment)).allowed.then_some((
                    scope.key.clone(),
                    environment.order,
                    head.id,
                ))
            })
            .collect();
        positions.sort_unstable();
        Ok(positions)
    }

    async fn readable_service(&self, ctx: &Ctx, key: &str) -> Result<ServiceRef> {
        let service = self.service_by_key(key).await?.ok_or_else(|| absent("service", key))?;
        ctx.permit(Action::CatalogRead, &Object::service(service.scope.clone()))?;
        Ok(service)
    }

    async fn bindings_at(&self, positions: &[Position]) -> Result<Vec<BindingOut>> {
        let ids: Vec<Uuid> = positions.iter().map(|(_, _, id)| *id).collect();
        let rows = self.whole(store::by_ids(self.db.pool(), &ids).await?, Archived::LeftOut).await?;
        let mut by_id: HashMap<Uuid, BindingRow> = rows.into_iter().map(|row| (row.id, row)).collect();
        Ok(ids.iter().filter_map(|id| by_id.remove(id)).map(|row| row.to_out()).collect())
    }

    /// The service and the environment that a body names.
    async fn named_pair(&self, ctx: &Ctx, body: &BindingIn) -> Result<(ServiceRef, EnvironmentOut)> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        crate::kernel::validate::service_key(&body.service).map_err(|message| AppError::field("/service", message))?;
        let Some(environment) = self.environment_by_name(&body.environment).await? else {
            return Err(unknown_environment(&self.environments_by_id().await?));
        };
        match self.service_by_key(&body.service).await? {
            Some(service) => Ok((service, environment)),
            None => {
                // To who may not read everything it must look like a service of somebody else.
                let scope = ServiceScope { key: body.service.clone(), team: None, system: None };
                self.may_edit_binding(ctx, &scope, &environment).await?;
                Err(AppError::field(
                    "/service",
                    text!("there is no service {service}; import it first", service = body.service),
                ))
            }
        }
    }

    async fn may_edit_binding(&self, ctx: &Ctx, service: &ServiceScope, on: &EnvironmentOut) -> Result<Authorized> {
        self.db.authorize(ctx, Action::BindingEdit, binding_object(service, on)).await
    }

    async fn editable_binding(&self, ctx: &Ctx, id: Uuid) -> Result<(BindingRow, Authorized)> {
        self.get_binding(ctx, id).await?;
        let row = self.binding_by_id(id).await?.ok_or_else(|| absent("binding", &id.to_string()))?;
        let authorized = self.may_edit_binding(ctx, &row.service_scope, &row.environment).await?;
        Ok((row, authorized))
    }

    async fn insert_binding(
        &self,
        ctx: &Ctx,
        authorized: Authorized,
        service: &ServiceRef,
        environment: EnvironmentOut,
        new: &BindingIn,
    ) -> Result<BindingOut> {
        let mut tx = self.db.write(ctx, authorized).await?;
        let wanted = Wanted::of(new, false);
        if store::by_pair(&mut *tx.conn(), service.id, environment.id).await?.is_some() {
            let text = text!(
                "the binding of {service} in {environment}",
                service = service.scope.key,
                environment = environment.name
            );
            return Err(AppError::AlreadyExists(text));
        }
        let id = Uuid::now_v7();
        let (connection, kind) = self.checked(ctx, &mut tx, &wanted, id).await?;
        let row = NewBinding {
            id,
            service: service.id,
            environment: environment.id,
            connection,
            kind: &kind,
            config: &new.config,
        };
        store::insert(tx.conn(), &row).await?;
        let row = stored(tx.conn(), id).await?.with(service.scope.clone(), environment);
        tx.commit(AuditEntry::success().after(row.summary())).await?;
        Ok(row.to_out())
    }

    async fn update_binding(
        &self,
        ctx: &Ctx,
        authorized: Authorized,
        row: BindingRow,
        wanted: &Wanted<'_>,
        if_match: &IfMatch,
    ) -> Result<(BindingOut, Change)> {
        let mut tx = self.db.write(ctx, authorized).await?;
        let environment = row.environment;
        let before = store::lock(tx.conn(), row.id)
            .await?
            .ok_or_else(|| absent("binding", &row.id.to_string()))?
            .with(row.service_scope.clone(), environment.clone());
        if_match.check(&before.to_out())?;
        let (connection, kind) = self.checked(ctx, &mut tx, wanted, before.id).await?;
        if connection == before.connection_id && kind == before.kind && *wanted.config == before.config {
            return Ok((before.to_out(), Change::Unchanged));
        }
        self.refuse_busy(&mut tx, before.id).await?;
        if wanted.dry_run {
            return Ok((before.to_out(), Change::Updated));
        }
        store::update(tx.conn(), before.id, connection, &kind, wanted.config).await?;
        let after = stored(tx.conn(), before.id).await?.with(row.service_scope, environment);
        tx.commit(AuditEntry::success().before(before.summary()).after(after.summary())).await?;
        Ok((after.to_out(), Change::Updated))
    }

    /// Checks connection, kind, configuration and that nobody else has the object; answers the connection's id and the
    /// kind. The connection stays locked until the transaction ends.
    async fn checked(&self, ctx: &Ctx, tx: &mut WriteTx, wanted: &Wanted<'_>, own: Uuid) -> Result<(Uuid, String)> {
        if let Some(kind) = wanted.kind {
            known_platform(kind)?;
        }
        let connection = match connection_name(wanted.connection) {
            Some(name) => connections::lock(tx.conn(), name).await?,
            None => None,
        };
        let connection = connection.ok_or_else(|| no_connection(wanted.connection))?;
        if let Some(kind) = wanted.kind.filter(|kind| *kind != connection.kind) {
            let text = text!(
                "is {kind}, but connection {name} is of kind {other}",
                kind,
                name = connection.name,
                other = connection.kind
            );
            return Err(AppError::field("/kind", text));
        }
        let platform = known_platform(&connection.kind)?;
        check_storable(wanted.config)?;
        platform.check_binding(wanted.config).map_err(config_error)?;
        let schema = platform.binding_schema();
        let place = locator(&schema, wanted.config);
        let others = store::on_connection(&mut *tx.conn(), connection.id).await?;
        let taken = others.into_iter().find(|other| other.id != own && locator(&schema, other.config()) == place);
        match taken {
            Some(other) => Err(self.taken(ctx, other).await?),
            None => Ok((connection.id, connection.kind)),
        }
    }

    /// Names who has the object, to those who may know.
    async fn taken(&self, ctx: &Ctx, other: store::Row) -> Result<AppError> {
        let name = match self.with_own_environment(Some(other)).await? {
            Some(row) if decide(ctx, Action::BindingRead, &row.object()).allowed => {
                text!("{service} in {environment}", service = row.service_scope.key, environment = row.environment.name)
            }
            _ => text!("another service"),
        };
        Ok(AppError::Conflict(text!("{name} is bound to the same object of this connection already", name)))
    }
}

/// What a binding shall be. Without `kind` it is what the connection says, but must be what it was.
struct Wanted<'a> {
    kind: Option<&'a str>,
    connection: &'a str,
    config: &'a Value,
    dry_run: bool,
}

impl<'a> Wanted<'a> {
    fn of(binding: &'a BindingIn, dry_run: bool) -> Self {
        Self { kind: Some(&binding.kind), connection: &binding.connection, config: &binding.config, dry_run }
    }
}

/// What becomes of bindings whose service is archived: their objects are still there, but lists do not show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Archived {
    Kept,
    LeftOut,
}

async fn stored(db: &mut PgConnection, id: Uuid) -> Result<store::Row> {
    store::lock(db, id).await?.ok_or_else(|| absent("binding", &id.to_string()))
}

fn no_connection(name: &str) -> AppError {
    AppError::field("/connection", text!("there is no connection {name}", name))
}

fn unknown_environment(known: &HashMap<Uuid, EnvironmentOut>) -> AppError {
    let mut names: Vec<&str> = known.values().map(|environment| environment.name.as_str()).collect();
    names.sort_unstable();
    AppError::field("/environment", text!("is not an environment; known are: {names}", names = names.join(", ")))
}
