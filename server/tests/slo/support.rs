//! A portal with one service and a database of its own, without a network door.

use passerelle_contract::access::{Role, RoleGrant, Scope};
use passerelle_contract::environments::{ConnectionIn, EnvironmentIn, EnvironmentOut, Tier};
use passerelle_contract::slo::{SloImportOptions, SloOut};
use passerelle_server::config::{Config, SecretsConfig};
use passerelle_server::kernel::{AppError, Ctx, Db, Keys, Principal, PrincipalKind, Proof, Via};
use passerelle_server::portal::Portal;
use passerelle_server::slo::{BudgetReading, Measurer};
use passerelle_test_db::Database;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use uuid::Uuid;

pub struct Shop {
    pub portal: Portal,
    pub production: EnvironmentOut,
    admin: tokio::sync::Mutex<PgConnection>,
}

impl Shop {
    /// With the services shop/web and shop/api, two environments, and the connection `prom`.
    pub async fn open(prometheus: &str) -> Self {
        let url = Database::create().await.url;
        let db = Db::connect(&url, 4).await.unwrap();
        let mut admin = PgConnection::connect(&url).await.unwrap();
        for (service, owner) in [("web", "shop/sellers"), ("api", "shop/cooks")] {
            sqlx::query(
                "INSERT INTO entities (id, reference, api_version, kind, namespace, name, owner, document, content_hash,
                                       source, source_file, source_line, revision)
                 VALUES ($1, 'component:shop/' || $2, 'v1', 'Component', 'shop', $2, $3, '{\"spec\":{\"type\":\"service\"}}', '\\x00',
                         'test', '', 1, 1)",
            )
            .bind(Uuid::now_v7())
            .bind(service)
            .bind(owner)
            .execute(&mut admin)
            .await
            .unwrap();
        }
        let portal = Portal::open(db, Keys::from_bytes([7; 32])).await.unwrap();
        // Certificates of tests are written there.
        let folders = std::fs::canonicalize(std::env::temp_dir()).unwrap().display().to_string();
        let secrets = SecretsConfig { folders, ..SecretsConfig::default() };
        portal.configure_secrets(&Config { secrets, ..Config::default() }).unwrap();
        let environment = |name: &str, tier, order| EnvironmentIn {
            name: name.to_owned(),
            tier,
            order,
            auto_rollback: None,
            progress_deadline_s: None,
        };
        let root = ctx(Role::Admin, Scope::Everything);
        portal.environments.create_environment(&root, environment("staging", Tier::Staging, 1)).await.unwrap();
        let production = environment("production", Tier::Production, 2);
        let production = portal.environments.create_environment(&root, production).await.unwrap();
        let connection = ConnectionIn {
            name: "prom".to_owned(),
            kind: "prometheus".to_owned(),
            config: json!({"url": prometheus, "timeout_s": 5}),
        };
        portal.environments.create_connection(&root, connection).await.unwrap();
        Self { portal, production, admin: tokio::sync::Mutex::new(admin) }
    }

    pub async fn import(&self, text: &str) -> Vec<Uuid> {
        let report = self.portal.slo.import_slos(&root(), text, &options("shop/web")).await.unwrap();
        report.slos.iter().map(|slo| slo.id.unwrap()).collect()
    }

    pub async fn pass(&self) {
        self.pass_at(now()).await;
    }

    /// As if it were then, in seconds since 1970.
    pub async fn pass_at(&self, now: i64) {
        Measurer::new(self.portal.slo.clone()).pass(now).await.unwrap();
    }

    pub async fn slo(&self, id: Uuid) -> SloOut {
        self.portal.slo.get_slo(&root(), id).await.unwrap()
    }

    /// What the gate of production is told.
    pub async fn reading(&self, tier: Tier) -> BudgetReading {
        self.reading_at(tier, now()).await
    }

    pub async fn reading_at(&self, tier: Tier, now: i64) -> BudgetReading {
        let service = self.portal.catalog.find_service("shop/web").unwrap();
        let mut db = self.portal.db.pool().acquire().await.unwrap();
        self.portal.slo.reading_in(&mut db, service.id, self.production.id, tier, now).await.unwrap()
    }

    pub async fn execute(&self, sql: &'static str) {
        sqlx::query(sql).execute(&mut *self.admin.lock().await).await.unwrap();
    }

    /// All rows of a column of text.
    pub async fn texts(&self, sql: &'static str) -> String {
        let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *self.admin.lock().await).await.unwrap();
        rows.join("\n")
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut *self.admin.lock().await).await.unwrap()
    }
}

pub fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

pub fn options(service: &str) -> SloImportOptions {
    SloImportOptions {
        service: Some(service.to_owned()),
        connection: Some("prom".to_owned()),
        ..SloImportOptions::default()
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

pub fn root() -> Ctx {
    ctx(Role::Admin, Scope::Everything)
}

pub fn pointers(error: AppError) -> Vec<String> {
    match error {
        AppError::Invalid(errors) => errors.into_iter().map(|error| error.pointer).collect(),
        other => panic!("not about a field: {other}"),
    }
}
