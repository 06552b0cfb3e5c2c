//! One database per test.

use async_trait::async_trait;
use passerelle_contract::access::{Role, RoleGrant, Scope};
use passerelle_contract::catalog::ImportReport;
use passerelle_server::catalog::{
    CatalogService, ImportOptions, PortalDocumentSink, PortalDocuments, PortalOutcome, Upload,
};
use passerelle_server::kernel::{Ctx, Db, Keys, Principal, PrincipalKind, Proof, Via};
use passerelle_test_db::Database;
use std::sync::Arc;
use uuid::Uuid;

pub struct Portal {
    pub db: Db,
    pub catalog: Arc<CatalogService>,
    pub url: String,
}

impl Portal {
    pub async fn new() -> Self {
        let url = Database::create().await.url;
        let db = Db::connect(&url, 4).await.unwrap();
        let catalog = CatalogService::open(db.clone(), Arc::new(Keys::from_bytes([7; 32]))).await.unwrap();
        Self { db, catalog, url }
    }

    /// A second process on the same database.
    pub async fn replica(&self) -> Arc<CatalogService> {
        let db = Db::connect_migrated(&self.url, 2).await.unwrap();
        CatalogService::open(db, Arc::new(Keys::from_bytes([7; 32]))).await.unwrap()
    }

    pub async fn import(&self, text: &str) -> ImportReport {
        self.import_as(&admin(), text, &ImportOptions::default()).await
    }

    pub async fn import_as(&self, ctx: &Ctx, text: &str, options: &ImportOptions) -> ImportReport {
        let upload = Upload::from_stream(text.as_bytes()).unwrap();
        self.catalog.import_catalog(ctx, upload, options, &EntitiesOnly).await.unwrap()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.db.pool()).await.unwrap()
    }
}

/// What an import says about the portal itself is nothing to these tests.
pub struct EntitiesOnly;

#[async_trait]
impl PortalDocumentSink for EntitiesOnly {
    async fn apply(&self, _: &Ctx, _: PortalDocuments, _: bool) -> PortalOutcome {
        PortalOutcome::default()
    }
}

pub fn ctx(role: Role, scope: Scope) -> Ctx {
    let principal = Principal {
        kind: PrincipalKind::Session {
            id: Uuid::nil(),
            csrf: String::new(),
            proof: Proof { at: time::OffsetDateTime::now_utc(), again: false },
        },
        user_id: Some(Uuid::nil()),
        name: "ann".to_owned(),
        display_name: "Ann".to_owned(),
        grants: vec![RoleGrant { role, scope }],
        cap: None,
    };
    Ctx::new(Arc::new(principal), Via::Api, "test".to_owned())
}

pub fn admin() -> Ctx {
    ctx(Role::Admin, Scope::Everything)
}

pub fn viewer() -> Ctx {
    ctx(Role::Viewer, Scope::Everything)
}

pub fn component(name: &str, more: &str) -> String {
    format!(
        "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n  namespace: shop\n  title: The {name}\n  tags: [one, two]\nspec:\n  type: service\n  lifecycle: production\n  owner: payments\n  system: till\n{more}"
    )
}
