//! The portal put together: every capability's service, the background jobs, and the API.

mod budgets;
mod directory;
mod importer;

use crate::alerts::{self, AlertService};
use crate::audit::{self, AuditService, CHECKPOINT_FILE, Sealer, Stream};
use crate::catalog::{self, CatalogService, ImportOptions, Upload};
use crate::config::Config;
use crate::deployments::{self, DeploymentService, EngineOptions};
use crate::environments::{self, EnvironmentService, SealedConnections};
use crate::gates::{self, GateService};
use crate::http::{self, Health, HttpSettings, RateSettings, Stack};
use crate::identity::{self, IdentityService};
use crate::kernel::{Ctx, Db, Keys, Result};
use crate::notifications::{self, Courier, NotificationService, Outlook, SealedChannels};
use crate::onboarding::{self, Deliverer, OnboardingService};
use crate::secrets::{Checked, Rotated, Sealed, Secrets};
use crate::slo::{self, Measurer, SloService};
use crate::webhooks::{self, WebhookService};
use axum::Router;
use budgets::SloBudgets;
use directory::PortalDirectory;
use importer::PortalImporter;
use passerelle_contract::catalog::ImportReport;
use passerelle_targets::guard::Guard;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;

/// The use cases behind pages, API and command line. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Portal {
    pub db: Db,
    pub keys: Keys,
    pub identity: IdentityService,
    pub audit: AuditService,
    pub catalog: Arc<CatalogService>,
    pub environments: EnvironmentService,
    pub alerts: AlertService,
    pub slo: SloService,
    pub gates: GateService,
    pub deployments: DeploymentService,
    pub webhooks: WebhookService,
    pub onboarding: OnboardingService,
    pub notifications: NotificationService,
    pub health: Health,
}

/// Everything that holds sealed secrets. What is not listed here keeps its old key in a rotation.
const SEALED: [&dyn Sealed; 2] = [&SealedConnections, &SealedChannels];

/// Which background work this process does.
#[derive(Debug, Clone, Copy)]
pub struct Jobs {
    /// Drive deployments and observe targets.
    pub worker: bool,
}

impl Portal {
    /// # Errors
    /// When the database is away.
    pub async fn open(db: Db, keys: Keys) -> Result<Self> {
        let catalog = CatalogService::open(db.clone(), Arc::new(keys.clone())).await?;
        Ok(Self::assemble(db, keys, catalog))
    }

    /// For the description of the API, which no request goes through.
    fn unconnected() -> Result<Self> {
        let (db, keys) = (Db::unconnected()?, Keys::from_bytes([0; 32]));
        let catalog = CatalogService::unread(db.clone(), Arc::new(keys.clone()));
        Ok(Self::assemble(db, keys, catalog))
    }

    fn assemble(db: Db, keys: Keys, catalog: Arc<CatalogService>) -> Self {
        let secrets = Secrets::new(db.clone(), keys.clone());
        let environments = EnvironmentService::new(db.clone(), secrets, Arc::clone(&catalog));
        let alerts = AlertService::new(db.clone(), keys.clone(), Arc::clone(&catalog), environments.clone());
        let slo = SloService::new(db.clone(), keys.clone(), Arc::clone(&catalog), environments.clone());
        let identity = IdentityService::new(db.clone(), keys.clone());
        let gates =
            GateService::new(db.clone(), keys.clone(), Arc::clone(&catalog), environments.clone(), identity.clone());
        gates.set_budgets(Arc::new(SloBudgets(slo.clone())));
        let deployments =
            DeploymentService::new(db.clone(), keys.clone(), Arc::clone(&catalog), environments.clone(), gates.clone());
        let sink = Arc::new(PortalImporter::new(environments.clone(), deployments.clone()));
        let onboarding = OnboardingService::new(
            db.clone(),
            keys.clone(),
            Arc::clone(&catalog),
            slo.clone(),
            environments.clone(),
            sink,
        );
        let notifications =
            NotificationService::new(db.clone(), keys.clone(), Arc::clone(&catalog), environments.clone());
        let webhooks = WebhookService {
            db: db.clone(),
            identity: identity.clone(),
            catalog: Arc::clone(&catalog),
            environments: environments.clone(),
            deployments: deployments.clone(),
        };
        Self {
            identity,
            audit: AuditService::new(db.clone(), keys.clone()),
            health: Health::new(db.clone()),
            db,
            keys,
            catalog,
            environments,
            alerts,
            slo,
            gates,
            deployments,
            webhooks,
            onboarding,
            notifications,
        }
    }

    /// Starts the background work; it ends some time after `stop`.
    pub fn spawn_jobs(&self, jobs: Jobs, config: &Config, stop: CancellationToken) -> TaskTracker {
        let tasks = TaskTracker::new();
        match Outlook::of(config) {
            Ok(outlook) => {
                self.environments.set_guard(outlook.guard.clone());
                self.notifications.set_outlook(outlook);
            }
            // The configuration was checked when it was read, so this is a fault of ours.
            Err(error) => tracing::error!(%error, "nothing can be sent"),
        }
        if let Err(error) = self.configure_secrets(config) {
            tracing::error!(%error, "secrets in Vault cannot be read");
        }
        tasks.spawn(self.environments.secrets().clone().keep_vault(stop.clone()));
        self.onboarding.configure(config);
        tasks.spawn(identity::jobs::run(self.identity.clone(), stop.clone()));
        tasks.spawn(Arc::clone(&self.catalog).follow(stop.clone()));
        let sealer = Sealer::new(self.db.clone(), &self.keys, config.data.folder.join(CHECKPOINT_FILE));
        tasks.spawn(sealer.run(stop.clone()));
        self.audit.configure(&config.audit);
        let (deployments, feeding) = (self.deployments.clone(), stop.clone());
        tasks.spawn(async move { deployments.pump(feeding).await });
        let (observer, feeding) = (self.deployments.observer(), stop.clone());
        tasks.spawn(async move { observer.feed_index(feeding).await });
        let (db, sweeping) = (self.db.clone(), stop.clone());
        tasks.spawn(async move { sweep_keys(db, sweeping).await });
        if jobs.worker {
            // Checked when the configuration was read; without it only public addresses are asked.
            let guard = Guard::new(&config.outbound.allow_networks).unwrap_or_default();
            let verify_for = config.deployments.verify_for();
            let options = EngineOptions { verify_for, guard, ..EngineOptions::default() };
            tasks.spawn(self.deployments.engine(options, self.slo.clone()).run(stop.clone()));
            match Stream::all(&self.db, &config.audit) {
                Ok(streams) => {
                    for stream in streams {
                        tasks.spawn(stream.run(stop.clone()));
                    }
                }
                Err(error) => tracing::error!(%error, "the audit is not sent anywhere"),
            }
            tasks.spawn(Measurer::new(self.slo.clone()).run(stop.clone()));
            tasks.spawn(Courier::new(self.notifications.clone()).run(stop.clone()));
            tasks.spawn(Deliverer::new(self.onboarding.clone()).run(stop.clone()));
            let (observer, observing) = (self.deployments.observer(), stop.clone());
            tasks.spawn(async move { observer.run(observing).await });
            let (deployments, slo, watching) = (self.deployments.clone(), self.slo.clone(), stop.clone());
            tasks.spawn(async move { deployments.watch_burn(slo, watching).await });
            let (deployments, looking) = (self.deployments.clone(), stop.clone());
            tasks.spawn(async move { deployments.deploy_what_is_due(looking).await });
            let deployments = self.deployments.clone();
            tasks.spawn(async move { deployments.end_old_requests(stop).await });
        }
        tasks.close();
        tasks
    }

    /// Says which references to secrets may be followed, and where Vault is.
    ///
    /// # Errors
    /// As [`Secrets::configure`].
    pub fn configure_secrets(&self, config: &Config) -> Result<()> {
        self.environments.secrets().configure(config)
    }

    /// Gives everything that is sealed a new key.
    ///
    /// # Errors
    /// As [`Secrets::rotate`].
    pub async fn rotate_secrets(&self, ctx: &Ctx) -> Result<Rotated> {
        self.environments.secrets().rotate(ctx, &SEALED).await
    }

    /// Reads everything back that is sealed.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn check_secrets(&self) -> Result<Checked> {
        self.environments.secrets().check(&SEALED).await
    }

    /// Imports catalog entities, then the portal's own documents that came with them.
    ///
    /// # Errors
    /// When the caller may not, or the database is away.
    pub async fn import(&self, ctx: &Ctx, upload: Upload, options: ImportOptions) -> Result<ImportReport> {
        self.catalog.import_catalog(ctx, upload, &options, &self.importer()).await
    }

    fn importer(&self) -> PortalImporter {
        PortalImporter::new(self.environments.clone(), self.deployments.clone())
    }

    /// API, health and the given pages, behind the one stack of middleware.
    pub fn router(&self, pages: Router, config: &Config) -> Router {
        let routes =
            http::rest(self.api()).merge(pages).merge(http::health(self.health.clone())).merge(http::csp_reports());
        if let Err(error) = self.identity.set_providers(config) {
            // The configuration was checked when it was read, so this is a fault of ours.
            tracing::error!(%error, "nobody can sign in at a provider");
        }
        let settings = HttpSettings {
            public_origin: config.server.public_origin.clone(),
            trusted_proxies: config.server.trusted_proxies(),
            rates: RateSettings {
                requests: config.server.requests_per_minute,
                writes: config.server.writes_per_minute,
            },
            ..HttpSettings::default()
        };
        http::stack(routes, Stack { identity: self.identity.clone(), db: self.db.clone(), settings })
    }

    fn api(&self) -> OpenApiRouter {
        let directory =
            Arc::new(PortalDirectory { catalog: Arc::clone(&self.catalog), environments: self.environments.clone() });
        OpenApiRouter::new()
            .merge(identity::routes::routes(self.identity.clone(), directory))
            .merge(audit::routes::router().with_state(self.audit.clone()))
            .merge(catalog::routes::router(Arc::clone(&self.catalog), Arc::new(self.importer())))
            .merge(environments::router().with_state(self.environments.clone()))
            .merge(alerts::router().with_state(self.alerts.clone()))
            .merge(webhooks::router().with_state(self.webhooks.clone()))
            .merge(slo::router().with_state(self.slo.clone()))
            .merge(gates::routes::router().with_state(self.gates.clone()))
            .merge(deployments::routes::router().with_state(self.deployments.clone()))
            .merge(onboarding::router().with_state(self.onboarding.clone()))
            .merge(notifications::router().with_state(self.notifications.clone()))
    }
}

/// Forgets old idempotency keys once an hour.
async fn sweep_keys(db: Db, stop: CancellationToken) {
    loop {
        if let Err(error) = http::sweep_idempotency_keys(&db).await {
            tracing::warn!(%error, "old idempotency keys could not be swept");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(3600)) => {}
        }
    }
}

/// The description of the API, as `GET /api/v1/openapi.json` answers it. Needs no database: nothing is connected until it is used.
///
/// # Errors
/// Only when it cannot be written as JSON.
pub fn openapi_json() -> Result<String> {
    let portal = Portal::unconnected()?;
    serde_json::to_string_pretty(&http::document(portal.api())).map_err(crate::kernel::AppError::internal)
}
