//! The use cases that read, and the image in memory that they read from. Importing and editing are in [`super::importing`] and
//! [`super::editing`].

use super::detail::{DetailCache, Prepared};
use super::index::{CatalogIndex, Found, MAX_DEPTH, Position, ServiceQuery, Slice, Snapshot};
use super::{reference, store};
use crate::kernel::{
    Action, AppError, Ctx, Cursor, Db, Keys, Object, ReadScope, Result, ServiceScope, limit_or_default,
};
use bytes::Bytes;
use passerelle_contract::catalog::{
    EntityOut, EntityRow, GraphOut, RelationOut, ServiceFacets, ServiceFilter, ServiceOut,
};
use passerelle_contract::deployments::Health;
use passerelle_contract::{Page, text};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often the image looks for changes that other processes made.
const POLL: Duration = Duration::from_secs(1);
/// Entities read together when one is not at hand.
const READ_AHEAD: usize = 32;

/// What the authorisation of other capabilities asks about a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRef {
    pub id: Uuid,
    pub scope: ServiceScope,
    pub title: Option<String>,
}

/// A service that may be archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownService {
    pub scope: ServiceScope,
    pub archived: bool,
}

/// Filter of the list of entities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EntityFilter {
    pub kind: Option<String>,
    pub q: Option<String>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

/// The catalog.
pub struct CatalogService {
    pub(super) db: Db,
    keys: Arc<Keys>,
    index: CatalogIndex,
    details: DetailCache,
    /// Position of the last row taken in; the lock makes refreshes wait for each other.
    position: tokio::sync::Mutex<(i64, Uuid)>,
}

impl std::fmt::Debug for CatalogService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CatalogService").field("index", &self.index).finish_non_exhaustive()
    }
}

impl CatalogService {
    /// Opens the catalog and reads it into memory.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open(db: Db, keys: Arc<Keys>) -> Result<Arc<Self>> {
        let service = Self::unread(db, keys);
        service.refresh().await?;
        Ok(service)
    }

    /// The catalog before anything was read into memory.
    #[must_use]
    pub fn unread(db: Db, keys: Arc<Keys>) -> Arc<Self> {
        Arc::new(Self {
            db,
            keys,
            index: CatalogIndex::default(),
            details: DetailCache::default(),
            position: tokio::sync::Mutex::new((0, Uuid::nil())),
        })
    }

    /// The catalog as it is in memory.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.index.snapshot()
    }

    /// Takes in what changed in the table. Called after own writes, and every second for those of others.
    ///
    /// # Errors
    /// When the database is away; the image stays as it was.
    pub async fn refresh(self: &Arc<Self>) -> Result<()> {
        let mut position = self.position.lock().await;
        let first = self.snapshot().revision() == 0;
        let mut changed = false;
        loop {
            let (rows, next) = store::changed_after(self.db.pool(), *position).await?;
            if rows.is_empty() {
                break;
            }
            changed = true;
            *position = next;
            let service = self.clone();
            blocking(move || service.index.ingest(&rows)).await?;
        }
        if changed || first {
            let (service, revision) = (self.clone(), position.0);
            blocking(move || service.index.publish(revision)).await?;
        }
        Ok(())
    }

    /// Follows the table until told to stop. A database that is away is asked again.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(POLL) => {}
            }
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "the catalog in memory could not follow the database");
            }
        }
    }

    /// Notes how services do: service id, environment, health (`None`: not bound there any more).
    pub fn set_health(&self, changes: &[(Uuid, &str, Option<Health>)]) {
        self.index.set_health(changes);
    }

    fn permit(ctx: &Ctx) -> Result<ReadScope> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        // A scope that reaches nothing reads an empty catalog; single objects answer as absent.
        Ok(ctx.read_scope())
    }

    fn page_of(&self, ctx: &Ctx, filter: &ServiceFilter) -> Result<(Arc<Snapshot>, Slice, Option<String>)> {
        let query = ServiceQuery::new(filter, &Self::permit(ctx)?).map_err(AppError::Invalid)?;
        let limit = limit_or_default(filter.limit)?;
        let list = format!("services:{:?}", query.sort);
        let after =
            filter.cursor.as_deref().map(|cursor| Cursor::decode::<Position>(&self.keys, &list, cursor)).transpose()?;
        let snapshot = self.snapshot();
        let slice = snapshot.page(&query, after.as_ref(), limit);
        let next = slice.next.as_ref().map(|next| Cursor::encode(&self.keys, &list, next)).transpose()?;
        Ok((snapshot, slice, next))
    }

    /// A page of services.
    ///
    /// # Errors
    /// `Invalid` by field.
    pub fn list_services(&self, ctx: &Ctx, filter: &ServiceFilter) -> Result<Page<ServiceOut>> {
        let (snapshot, slice, next_cursor) = self.page_of(ctx, filter)?;
        Ok(Page { items: snapshot.page_items(&slice), next_cursor, total: slice.total as u64 })
    }

    /// The same page as JSON, made of ready pieces.
    ///
    /// # Errors
    /// `Invalid` by field.
    pub fn list_services_json(&self, ctx: &Ctx, filter: &ServiceFilter) -> Result<Vec<u8>> {
        let (snapshot, slice, next) = self.page_of(ctx, filter)?;
        Ok(snapshot.page_json(&slice, next.as_deref()))
    }

    /// How many services each value of each field has, within a filter.
    ///
    /// # Errors
    /// `Invalid` by field.
    pub fn facets(&self, ctx: &Ctx, filter: &ServiceFilter) -> Result<Arc<ServiceFacets>> {
        let query = ServiceQuery::new(filter, &Self::permit(ctx)?).map_err(AppError::Invalid)?;
        Ok(self.snapshot().facets(&query))
    }

    /// The same as JSON.
    ///
    /// # Errors
    /// `Invalid` by field.
    pub fn facets_json(&self, ctx: &Ctx, filter: &ServiceFilter) -> Result<Bytes> {
        let query = ServiceQuery::new(filter, &Self::permit(ctx)?).map_err(AppError::Invalid)?;
        Ok(self.snapshot().facets_json(&query))
    }

    /// Entities of one kind or of all, by reference.
    ///
    /// # Errors
    /// `Invalid` by field.
    pub fn list_entities(&self, ctx: &Ctx, filter: &EntityFilter) -> Result<Page<EntityRow>> {
        let scope = Self::permit(ctx)?;
        let limit = limit_or_default(filter.limit)?;
        let after: Option<String> =
            filter.cursor.as_deref().map(|cursor| Cursor::decode(&self.keys, "entities", cursor)).transpose()?;
        let (items, total, more) = self
            .snapshot()
            .entities(filter.kind.as_deref(), filter.q.as_deref(), &scope, after.as_deref(), limit)
            .map_err(AppError::Invalid)?;
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|last| Cursor::encode(&self.keys, "entities", &last.reference)).transpose()?;
        Ok(Page { items, next_cursor, total: total as u64 })
    }

    /// One entity as JSON, with the revision that `If-Match` wants.
    ///
    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn entity_json(&self, ctx: &Ctx, kind: &str, namespace: &str, name: &str) -> Result<(Vec<u8>, i64)> {
        let scope = Self::permit(ctx)?;
        let reference = format!("{}:{namespace}/{name}", kind.to_ascii_lowercase());
        let absent = || AppError::not_found(reference.clone());
        let (found, relations) = self.snapshot().entity(&reference, &scope).ok_or_else(absent)?;
        let prepared = self.prepared(&found).await?.ok_or_else(absent)?;
        Ok((prepared.with_relations(&relations), prepared.revision))
    }

    /// One entity.
    ///
    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn get_entity(&self, ctx: &Ctx, kind: &str, namespace: &str, name: &str) -> Result<EntityOut> {
        let (json, _) = self.entity_json(ctx, kind, namespace, name).await?;
        serde_json::from_slice(&json).map_err(AppError::internal)
    }

    /// One service.
    ///
    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn get_service(&self, ctx: &Ctx, namespace: &str, name: &str) -> Result<EntityOut> {
        self.get_entity(ctx, "component", namespace, name).await
    }

    async fn prepared(&self, found: &Found) -> Result<Option<Arc<Prepared>>> {
        if let Some(kept) = self.details.get(&found.id, found.revision) {
            return Ok(Some(kept));
        }
        let mut wanted = self.details.absent(self.snapshot().around(&found.id, READ_AHEAD));
        wanted.push(found.id);
        let mut own = None;
        for detail in store::details(self.db.pool(), &wanted).await? {
            let id = detail.id;
            let prepared = Arc::new(Prepared::new(detail));
            if id == found.id {
                own = Some(prepared.clone());
            }
            self.details.put(id, prepared);
        }
        Ok(own)
    }

    /// The relations of an entity that exists and may be seen.
    ///
    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub fn relations(&self, ctx: &Ctx, reference: &str) -> Result<Vec<RelationOut>> {
        let scope = Self::permit(ctx)?;
        let found = self.snapshot().entity(reference, &scope);
        found.map(|(_, relations)| relations).ok_or_else(|| AppError::not_found(reference))
    }

    /// What a service depends on and what depends on it, up to `depth` steps (1 to 3) each way.
    ///
    /// # Errors
    /// `Invalid` for another depth, `NotFound` also for what the caller may not see.
    pub fn graph(&self, ctx: &Ctx, namespace: &str, name: &str, depth: Option<u32>) -> Result<GraphOut> {
        let scope = Self::permit(ctx)?;
        let depth = depth.unwrap_or(1);
        if !(1..=MAX_DEPTH).contains(&depth) {
            return Err(AppError::field(
                "/depth",
                text!("is {count}; allowed is {min} to {max}", count = depth, min = 1, max = MAX_DEPTH),
            ));
        }
        let reference = format!("component:{namespace}/{name}");
        self.snapshot().graph(&reference, depth, &scope).ok_or(AppError::not_found(reference))
    }

    /// Services by id, as the list shows them; archived ones are left out. For other capabilities, which filter by the caller's scope.
    #[must_use]
    pub fn services_by_id(&self, ids: &[Uuid]) -> Vec<ServiceOut> {
        self.snapshot().services_by_id(ids)
    }

    /// A service by `namespace/name` (without a namespace: `default`), to decide about it. Does not check who asks.
    #[must_use]
    pub fn find_service(&self, key: &str) -> Option<ServiceRef> {
        let reference = if key.contains('/') {
            format!("component:{key}")
        } else {
            format!("component:{}/{key}", reference::DEFAULT_NAMESPACE)
        };
        self.snapshot().find(&reference).map(service_ref)
    }

    /// A service by id, to decide about it. Does not check who asks.
    #[must_use]
    pub fn find_service_by_id(&self, id: Uuid) -> Option<ServiceRef> {
        self.snapshot().find_by_id(&id).filter(|found| found.reference.starts_with("component:")).map(service_ref)
    }

    /// Services by id, archived ones too, to decide about what belongs to them. Does not check who asks.
    ///
    /// # Errors
    /// When the database is away; it is asked only for what is not in memory.
    pub async fn known_services(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, KnownService>> {
        let mut known = HashMap::with_capacity(ids.len());
        let mut absent = Vec::new();
        for id in ids {
            match self.find_service_by_id(*id) {
                Some(found) => drop(known.insert(*id, KnownService { scope: found.scope, archived: false })),
                None => absent.push(*id),
            }
        }
        if !absent.is_empty() {
            let rows = store::services_by_ids(self.db.pool(), &absent).await?;
            known.extend(rows.into_iter().map(|row| (row.id, known_service(row))));
        }
        Ok(known)
    }

    /// Services whose annotation has a value, in any case, with all their annotations. Does not check who asks.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn services_annotated(&self, name: &str, value: &str) -> Result<Vec<(String, Value)>> {
        let rows = store::services_annotated(self.db.pool(), name, value).await?;
        Ok(rows.into_iter().map(|row| (row.key, row.annotations.0)).collect())
    }

    /// A service by `namespace/name` unless it is archived, also one that another process made a moment ago. Does not check who
    /// asks.
    ///
    /// # Errors
    /// When the database is away; it is asked only for what is not in memory.
    pub async fn look_up_service(&self, key: &str) -> Result<Option<ServiceRef>> {
        if let Some(found) = self.find_service(key) {
            return Ok(Some(found));
        }
        let row = store::service_by_key(self.db.pool(), key).await?.filter(|row| !row.archived);
        Ok(row.map(|row| {
            let (id, title) = (row.id, row.title.clone());
            ServiceRef { id, title, scope: known_service(row).scope }
        }))
    }

    /// A service that the caller may read.
    ///
    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub fn service_for(&self, ctx: &Ctx, key: &str) -> Result<ServiceRef> {
        let absent = || AppError::not_found(format!("service:{key}"));
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let service = self.find_service(key).ok_or_else(absent)?;
        ctx.permit(Action::CatalogRead, &Object::service(service.scope.clone())).map_err(|_| absent())?;
        Ok(service)
    }
}

fn known_service(row: store::OwnedRow) -> KnownService {
    let key = format!("{}/{}", row.namespace, row.name);
    KnownService { scope: ServiceScope { key, team: row.owner, system: row.system }, archived: row.archived }
}

fn service_ref(found: Found) -> ServiceRef {
    let scope = ServiceScope { key: found.key, team: found.owner, system: found.system };
    ServiceRef { id: found.id, scope, title: found.title }
}

/// Runs work that takes more than a moment away from the threads that answer requests.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(AppError::internal)
}
