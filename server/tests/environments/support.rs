//! One database per test.

use passerelle_contract::access::{Role, RoleGrant, Scope};
use passerelle_contract::environments::{BindingIn, ConnectionIn, EnvironmentIn, Tier};
use passerelle_server::catalog::CatalogService;
use passerelle_server::environments::EnvironmentService;
use passerelle_server::kernel::{AppError, Ctx, Db, Keys, Principal, PrincipalKind, Proof, Via};
use passerelle_server::secrets::Secrets;
use passerelle_test_db::Database;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use uuid::Uuid;

pub struct Portal {
    pub service: EnvironmentService,
    admin: tokio::sync::Mutex<PgConnection>,
}

impl Portal {
    pub async fn new() -> Self {
        let url = Database::create().await.url;
        let db = Db::connect(&url, 4).await.unwrap();
        let admin = tokio::sync::Mutex::new(PgConnection::connect(&url).await.unwrap());
        let keys = Keys::from_bytes([7; 32]);
        let catalog = CatalogService::open(db.clone(), Arc::new(keys.clone())).await.unwrap();
        Self { service: EnvironmentService::new(db.clone(), Secrets::new(db, keys), catalog), admin }
    }

    /// With the services shop/web (team default/red) and shop/api (team default/blue), two environments and a connection.
    pub async fn furnished() -> Self {
        let portal = Self::new().await;
        portal.entity("web", "default/red").await;
        portal.entity("api", "default/blue").await;
        for (name, tier, order) in [("staging", Tier::Staging, 1), ("production", Tier::Production, 2)] {
            portal.service.create_environment(&admin(), environment(name, tier, order)).await.unwrap();
        }
        portal.service.create_connection(&admin(), connection("c1", server("t0k3n"))).await.unwrap();
        portal
    }

    pub async fn entity(&self, name: &str, owner: &str) {
        sqlx::query(
            "INSERT INTO entities (id, reference, api_version, kind, namespace, name, owner, document, content_hash,
                                   source, source_file, source_line, revision)
             VALUES ($1, 'component:shop/' || $2, 'v1', 'Component', 'shop', $2, $3, '{}', '\\x00', 'test', '', 1, 1)",
        )
        .bind(Uuid::now_v7())
        .bind(name)
        .bind(owner)
        .execute(&mut *self.admin.lock().await)
        .await
        .unwrap();
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut *self.admin.lock().await).await.unwrap()
    }

    pub async fn texts(&self, sql: &'static str) -> Vec<String> {
        sqlx::query_scalar(sql).fetch_all(&mut *self.admin.lock().await).await.unwrap()
    }

    pub async fn audit_rows(&self) -> i64 {
        self.count("SELECT count(*) FROM audit_events").await
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

pub fn environment(name: &str, tier: Tier, order: u16) -> EnvironmentIn {
    EnvironmentIn { name: name.to_owned(), tier, order, auto_rollback: None, progress_deadline_s: None }
}

pub fn server(token: &str) -> Value {
    json!({"server": "https://127.0.0.1:1", "token": {"value": token}})
}

pub fn connection(name: &str, config: Value) -> ConnectionIn {
    ConnectionIn { name: name.to_owned(), kind: "kubernetes".to_owned(), config }
}

pub fn binding(service: &str, environment: &str, deployment: &str) -> BindingIn {
    BindingIn {
        service: service.to_owned(),
        environment: environment.to_owned(),
        kind: "kubernetes".to_owned(),
        connection: "c1".to_owned(),
        config: json!({"namespace": "shop", "deployment": deployment}),
    }
}

pub fn pointers(error: AppError) -> Vec<String> {
    match error {
        AppError::Invalid(errors) => errors.into_iter().map(|error| error.pointer).collect(),
        other => panic!("not about a field: {other}"),
    }
}
