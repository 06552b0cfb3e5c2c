//! Hearing of builds.

use super::model::{self, Built, Heard, Source};
use super::{github, gitlab, signature, store};
use crate::catalog::CatalogService;
use crate::deployments::DeploymentService;
use crate::environments::EnvironmentService;
use crate::identity::{Client, IdentityService};
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Db, Object, Result, Via, validate};
use passerelle_contract::deployments::ReleaseIn;
use passerelle_contract::webhooks::{WebhookRelease, WebhookReport, WebhookState};
use passerelle_contract::{Text, text};
use passerelle_targets::ci::{ConnectionConfig, Kind, Repository, Template, Territory};
use passerelle_targets::read_config;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// The kind of connection that is heard.
const SOURCE: &str = "ci";
/// Longer than a provider tries again.
const KEPT: Duration = Duration::days(30);
const LONGEST_DELIVERY: usize = 200;
/// In the catalog, for services that are bound to other kinds of targets: image, workflow and branch of their builds.
const IMAGE: &str = "passerelle.dev/release-image";
const WORKFLOW: &str = "passerelle.dev/build-workflow";
const BRANCH: &str = "passerelle.dev/release-branch";

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Github,
    Gitlab,
}

impl Sender {
    const fn is(self, kind: Kind) -> bool {
        matches!((self, kind), (Self::Github, Kind::Github | Kind::GithubEnterprise) | (Self::Gitlab, Kind::Gitlab))
    }

    /// The annotation that names a repository, as Backstage has it.
    const fn annotation(self) -> &'static str {
        match self {
            Self::Github => "github.com/project-slug",
            Self::Gitlab => "gitlab.com/project-slug",
        }
    }
}

/// A request as it came.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    pub sender: Sender,
    /// The name of a connection.
    pub connection: &'a str,
    /// What shows that the sender knows the secret.
    pub proof: &'a str,
    /// The kind of event, where a header says it.
    pub event: &'a str,
    /// The sender's name of this delivery.
    pub id: &'a str,
    pub body: &'a [u8],
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct WebhookService {
    pub db: Db,
    pub identity: IdentityService,
    pub catalog: Arc<CatalogService>,
    pub environments: EnvironmentService,
    pub deployments: DeploymentService,
}

impl WebhookService {
    /// Takes a delivery: makes the releases that come of it.
    ///
    /// # Errors
    /// `Unauthenticated` for a sender that does not know the secret, and `RateLimited` when one keeps trying; `Invalid` for a body that is
    /// no JSON, `Unavailable`.
    pub async fn hear(&self, ctx: &Ctx, client: &Client, delivery: Delivery<'_>) -> Result<WebhookReport> {
        let Some((connection, hears)) = self.proven(delivery).await? else {
            return self.identity.refuse_credential(ctx, client).await.map(|_| WebhookReport::default());
        };
        let event: Value = serde_json::from_slice(delivery.body)
            .map_err(|error| AppError::field("", text!("the body is not JSON: {error}", error = error.to_string())))?;
        let heard = match delivery.sender {
            Sender::Github => github::read(delivery.event, &event),
            Sender::Gitlab => gitlab::read(&event),
        };
        let built = match heard {
            Heard::Built(built) => built,
            Heard::Ignored(why) => return Ok(ignored(ctx, &why)),
        };
        if delivery.id.is_empty()
            || delivery.id.len() > LONGEST_DELIVERY
            || validate::line(delivery.id, 1, LONGEST_DELIVERY).is_err()
        {
            return Err(AppError::field(
                "/headers",
                text!("must name the delivery in 1 to {max} characters", max = LONGEST_DELIVERY),
            ));
        }
        if store::is_known(self.db.pool(), connection, delivery.id).await? {
            return Ok(WebhookReport { repeated: true, ..WebhookReport::default() });
        }
        let sources = self.sources(delivery, connection, &built.repository, &hears).await?;
        if sources.is_empty() {
            let why =
                text!("no service of the portal comes out of {repository}", repository = shown(&built.repository));
            return Ok(ignored(ctx, &why));
        }
        self.release_all(ctx, delivery, connection, &built, &sources).await
    }

    /// The connection's id, and what it may tell of, when the sender has shown that it knows the secret. Which part does not fit is told to nobody.
    async fn proven(&self, delivery: Delivery<'_>) -> Result<Option<(Uuid, Vec<Territory>)>> {
        let Some(row) = self.environments.connection_for(delivery.connection).await?.filter(|row| row.kind == SOURCE)
        else {
            return Ok(None);
        };
        let config =
            read_config::<ConnectionConfig>(self.environments.open_config(&row).await?).map_err(AppError::internal)?;
        let Some(secret) = config.webhook_secret.filter(|_| delivery.sender.is(config.provider)) else {
            tracing::warn!(connection = %row.name, "a webhook came for a connection that has no secret for it");
            return Ok(None);
        };
        let secret = secret.reveal().map_err(AppError::internal)?;
        let secret = secret.trim();
        // An empty secret would be known to everybody.
        let holds = !secret.is_empty()
            && match delivery.sender {
                Sender::Github => signature::github_holds(secret, delivery.body, delivery.proof),
                Sender::Gitlab => signature::gitlab_holds(secret, delivery.proof),
            };
        Ok(holds.then_some((row.id, config.hear_from)))
    }

    /// The services that come out of a repository: bound to a pipeline of it, or said to by the catalog. What the catalog says counts for the
    /// connection's own repositories only: whoever knows the secret of one team's connection makes no release of another team.
    async fn sources(
        &self,
        delivery: Delivery<'_>,
        connection: Uuid,
        repository: &str,
        hears: &[Territory],
    ) -> Result<Vec<Source>> {
        let mut found = BTreeMap::new();
        for binding in self.environments.bindings_through(connection).await? {
            let text = |field: &str| binding.config[field].as_str().map(str::to_owned);
            let same = text("repository").is_some_and(|name| name.eq_ignore_ascii_case(repository));
            let Some(image) = text("release_image").filter(|_| same) else { continue };
            let service = binding.service_scope.key;
            let branch = text("ref").unwrap_or_else(|| "main".to_owned());
            found.entry(service.clone()).or_insert(Source { service, image, workflow: text("build_workflow"), branch });
        }
        let own =
            Repository::try_from(repository.to_owned()).is_ok_and(|named| hears.iter().any(|one| one.holds(&named)));
        if !own {
            return Ok(found.into_values().collect());
        }
        for (service, annotations) in self.catalog.services_annotated(delivery.sender.annotation(), repository).await? {
            let text = |name: &str| annotations[name].as_str().map(str::to_owned);
            // A binding is checked when it is made; an annotation is whatever somebody wrote.
            let Some(image) = text(IMAGE).filter(|image| Template::try_from(image.clone()).is_ok()) else { continue };
            let branch = text(BRANCH).unwrap_or_else(|| "main".to_owned());
            found.entry(service.clone()).or_insert(Source { service, image, workflow: text(WORKFLOW), branch });
        }
        Ok(found.into_values().collect())
    }

    async fn release_all(
        &self,
        ctx: &Ctx,
        delivery: Delivery<'_>,
        connection: Uuid,
        built: &Built,
        sources: &[Source],
    ) -> Result<WebhookReport> {
        let portal = acting(ctx, delivery.connection);
        let mut report = WebhookReport::default();
        let mut left_out = None;
        for source in sources {
            match model::release(built, source, delivery.sender == Sender::Gitlab) {
                Ok(release) => report.releases.push(self.release(&portal, release).await?),
                Err(why) => left_out = left_out.or(Some(why)),
            }
        }
        if report.releases.is_empty() {
            return Ok(left_out.map_or(report, |why| ignored(ctx, &why)));
        }
        let object = Object::new("connection", delivery.connection);
        let authorized = self.db.authorize(&portal, Action::WebhookHear, object).await?;
        let mut tx = self.db.write(&portal, authorized).await?;
        store::remember(tx.conn(), connection, delivery.id).await?;
        store::forget(tx.conn(), OffsetDateTime::now_utc() - KEPT).await?;
        let told = json!({ "delivery": delivery.id, "repository": built.repository, "releases": report.releases });
        tx.commit(AuditEntry::success().after(told)).await?;
        Ok(report)
    }

    /// Makes one release; that it cannot be made keeps the others from nothing.
    async fn release(&self, portal: &Ctx, release: ReleaseIn) -> Result<WebhookRelease> {
        let (service, version, image) = (release.service.clone(), release.version.clone(), release.image.clone());
        let of = |state, reason| WebhookRelease { service, version, image, state, reason };
        match self.deployments.apply_release(portal, release, false).await {
            Ok(true) => Ok(of(WebhookState::Created, None)),
            Ok(false) | Err(AppError::AlreadyExists(_)) => Ok(of(WebhookState::Known, None)),
            Err(error @ (AppError::Invalid(_) | AppError::Conflict(_) | AppError::NotFound(_))) => {
                Ok(of(WebhookState::Refused, Some(portal.say(&error.detail()))))
            }
            Err(error) => Err(error),
        }
    }
}

/// The portal on behalf of a connection, in the request that came.
fn acting(ctx: &Ctx, connection: &str) -> Ctx {
    let portal = Ctx::system(Via::Webhook, &format!("webhook:{connection}"));
    Ctx { request_id: ctx.request_id.clone(), ..portal }.speaking(ctx.locale)
}

fn ignored(ctx: &Ctx, why: &Text) -> WebhookReport {
    WebhookReport { ignored: Some(ctx.say(why)), ..WebhookReport::default() }
}

fn shown(repository: &str) -> String {
    passerelle_targets::masking::shown(repository).chars().take(200).collect()
}
