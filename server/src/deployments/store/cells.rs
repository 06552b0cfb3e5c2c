//! What runs where: the last observation of each binding with its deployments.

use super::events::said;
use super::{Store, known};
use crate::kernel::Result;
use passerelle_contract::deployments::{CellOut, DeploymentState, Drift, Health, Replicas};
use passerelle_contract::environments::{HoldOut, Tier};
use passerelle_contract::{Locale, Text};
use passerelle_targets::Recorded;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// A cell as the database has it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CellRow {
    pub service_id: Uuid,
    pub environment: String,
    tier: String,
    binding_id: Uuid,
    kind: String,
    simulated: bool,
    version: Option<String>,
    image: Option<String>,
    health: Option<String>,
    health_message: Option<String>,
    health_said: Option<Json<Text>>,
    replicas: Option<Json<Replicas>>,
    drift: Option<Json<Vec<Drift>>>,
    since: Option<OffsetDateTime>,
    by: Option<String>,
    observed_at: Option<OffsetDateTime>,
    hold_since: Option<OffsetDateTime>,
    hold_by: Option<String>,
    hold_reason: Option<String>,
    active: Option<Uuid>,
    active_state: Option<String>,
    last: Option<Uuid>,
    last_state: Option<String>,
}

/// What an observation leaves in the database.
#[derive(Debug, Clone)]
pub struct ObservedState {
    pub binding_id: Uuid,
    pub image: Option<String>,
    pub version: Option<String>,
    pub health: Health,
    pub health_message: Option<Text>,
    pub replicas: Option<Replicas>,
    pub deployment_id: Option<Uuid>,
    /// Unknown when absent: what was known stays.
    pub drift: Option<Vec<Drift>>,
}

/// What should run on a binding: what its last deployment left there.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DeployedHere {
    pub id: Uuid,
    #[sqlx(rename = "recorded_after")]
    pub recorded: Json<Recorded>,
}

const SELECT: &str = "SELECT b.service_id, e.name AS environment, e.tier, b.id AS binding_id, b.kind,
    coalesce((c.config ->> 'simulated')::boolean, false) AS simulated, s.version, s.image, s.health, s.health_message, s.health_said, s.replicas, s.drift,
    put.ended_at AS since, put.requested_by AS by, s.observed_at, b.hold_since, b.hold_by, b.hold_reason,
    act.id AS active, act.state AS active_state, prev.id AS last, prev.state AS last_state
  FROM bindings b JOIN environments e ON e.id = b.environment_id JOIN connections c ON c.id = b.connection_id
  LEFT JOIN binding_states s ON s.binding_id = b.id
  LEFT JOIN deployments put ON put.id = s.deployment_id
  LEFT JOIN LATERAL (SELECT id, state FROM deployments d WHERE d.service_id = b.service_id AND d.environment_id = b.environment_id
    AND d.state IN ('requested', 'awaiting_approval', 'queued', 'running', 'verifying') LIMIT 1) act ON true
  LEFT JOIN LATERAL (SELECT id, state FROM deployments d WHERE d.service_id = b.service_id AND d.environment_id = b.environment_id
    AND d.ended_at IS NOT NULL AND d.state <> 'blocked' ORDER BY d.created_at DESC, d.id DESC LIMIT 1) prev ON true";

impl Store {
    /// The bound cells of some services.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn cells(&self, services: &[Uuid]) -> Result<Vec<CellRow>> {
        Ok(sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} WHERE b.service_id = ANY ($1) ORDER BY e.position")))
            .bind(services)
            .fetch_all(self.db.pool())
            .await?)
    }

    /// Services where something is failing, degraded, on hold or being deployed.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn services_needing_attention(&self) -> Result<Vec<Uuid>> {
        Ok(sqlx::query_scalar(
            "SELECT b.service_id FROM bindings b LEFT JOIN binding_states s ON s.binding_id = b.id
             WHERE b.hold_since IS NOT NULL OR s.health IN ('failed', 'degraded', 'progressing')
             UNION SELECT service_id FROM deployments
             WHERE state IN ('requested', 'awaiting_approval', 'queued', 'running', 'verifying')",
        )
        .fetch_all(self.db.pool())
        .await?)
    }

    /// Services whose environments run different versions.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn services_that_differ(&self) -> Result<Vec<Uuid>> {
        Ok(sqlx::query_scalar(
            "SELECT b.service_id FROM bindings b JOIN binding_states s ON s.binding_id = b.id WHERE s.version IS NOT NULL
             GROUP BY b.service_id HAVING count(DISTINCT s.version) > 1",
        )
        .fetch_all(self.db.pool())
        .await?)
    }

    /// Replaces the last observation of a binding. Telemetry, so without an audit row.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn observed(&self, state: &ObservedState) -> Result<()> {
        sqlx::query(
            "INSERT INTO binding_states (binding_id, image, version, health, health_message, replicas, deployment_id, observed_at,
               healthy_since, health_said, drift)
             VALUES ($1, $2, $3, $4, $5, $6, (SELECT id FROM deployments WHERE id = $7 AND state = 'succeeded' AND operation IN ('deploy', 'roll_back')), now(),
               CASE WHEN $4 = 'healthy' THEN now() END, $8, $9)
             ON CONFLICT (binding_id) DO UPDATE SET image = coalesce(excluded.image, binding_states.image),
               version = coalesce(excluded.version, binding_states.version), health = excluded.health,
               health_message = excluded.health_message, health_said = excluded.health_said, replicas = coalesce(excluded.replicas, binding_states.replicas),
               deployment_id = coalesce(excluded.deployment_id, binding_states.deployment_id), observed_at = excluded.observed_at,
               drift = coalesce(excluded.drift, binding_states.drift),
               healthy_since = CASE WHEN excluded.health <> 'healthy' THEN NULL
                 WHEN binding_states.health = 'healthy' AND binding_states.image IS NOT DISTINCT FROM excluded.image
                   THEN coalesce(binding_states.healthy_since, now())
                 ELSE now() END",
        )
        .bind(state.binding_id)
        .bind(&state.image)
        .bind(&state.version)
        .bind(state.health.as_str())
        .bind(state.health_message.as_ref().map(Text::to_string))
        .bind(state.replicas.map(Json))
        .bind(state.deployment_id)
        .bind(state.health_message.as_ref().map(Json))
        .bind(state.drift.as_ref().map(Json))
        .execute(self.db.pool())
        .await?;
        Ok(())
    }

    /// What the last deployment left on a binding; nothing while one is active, and after one whose end is not certain.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn deployed_here(&self, binding: Uuid) -> Result<Option<DeployedHere>> {
        Ok(sqlx::query_as(
            "SELECT id, recorded_after FROM deployments d WHERE binding_id = $1 AND recorded_after IS NOT NULL
               AND NOT EXISTS (SELECT FROM deployments later WHERE later.binding_id = $1
                 AND (later.created_at, later.id) > (d.created_at, d.id)
                 AND later.state NOT IN ('blocked', 'cancelled', 'rolled_back')
                 AND NOT (later.state = 'failed' AND NOT EXISTS (SELECT FROM deployment_steps s
                   WHERE s.deployment_id = later.id AND s.name = 'apply' AND s.started_at IS NOT NULL)))
             ORDER BY created_at DESC, id DESC LIMIT 1",
        )
        .bind(binding)
        .fetch_optional(self.db.pool())
        .await?)
    }

    /// The health of every binding seen since a time, for the catalog's index.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn healths_since(&self, since: OffsetDateTime) -> Result<Vec<(Uuid, String, Health, OffsetDateTime)>> {
        let rows: Vec<(Uuid, String, String, OffsetDateTime)> = sqlx::query_as(
            "SELECT b.service_id, e.name, s.health, s.observed_at FROM binding_states s JOIN bindings b ON b.id = s.binding_id
             JOIN environments e ON e.id = b.environment_id WHERE s.observed_at > $1",
        )
        .bind(since)
        .fetch_all(self.db.pool())
        .await?;
        rows.into_iter()
            .map(|(id, name, health, at)| Ok((id, name, known(Health::parse(&health), "health", &health)?, at)))
            .collect()
    }

    /// Takes or keeps the lease of a periodic job.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn lease_job(&self, job: &str, owner: &str, ttl_s: u32) -> Result<bool> {
        let row: Option<(i32,)> = sqlx::query_as(
            "INSERT INTO job_leases (job, owner, until) VALUES ($1, $2, now() + make_interval(secs => $3))
             ON CONFLICT (job) DO UPDATE SET owner = $2, until = excluded.until
               WHERE job_leases.owner = $2 OR job_leases.until < now() RETURNING 1",
        )
        .bind(job)
        .bind(owner)
        .bind(f64::from(ttl_s))
        .fetch_optional(self.db.pool())
        .await?;
        Ok(row.is_some())
    }
}

impl CellRow {
    /// # Errors
    /// When a column holds a word that we do not know.
    pub fn into_out(self, locale: Locale) -> Result<CellOut> {
        let state =
            |text: Option<String>| text.map(|text| known(DeploymentState::parse(&text), "state", &text)).transpose();
        let hold = match (self.hold_since, self.hold_by, self.hold_reason) {
            (Some(since), Some(by), Some(reason)) => Some(HoldOut { since, by, reason }),
            _ => None,
        };
        Ok(CellOut {
            tier: known(Tier::parse(&self.tier), "tier", &self.tier)?,
            environment: self.environment,
            binding: Some(self.binding_id),
            target_kind: Some(self.kind),
            simulated: self.simulated,
            version: self.version,
            image: self.image,
            health: self.health.as_deref().and_then(Health::parse).unwrap_or(Health::Unknown),
            health_message: self.health_message.map(|words| said(self.health_said, words).into_said(locale)),
            replicas: self.replicas.map(|json| json.0),
            drift: self.drift.map(|json| json.0).unwrap_or_default(),
            since: self.since,
            by: self.by,
            observed_at: self.observed_at,
            hold,
            active: self.active,
            active_state: state(self.active_state)?,
            last: self.last,
            last_state: state(self.last_state)?,
        })
    }
}

/// A cell of a service that is not bound to an environment.
#[must_use]
pub fn unbound(environment: String, tier: Tier) -> CellOut {
    CellOut {
        environment,
        tier,
        binding: None,
        target_kind: None,
        simulated: false,
        version: None,
        image: None,
        health: Health::Unknown,
        health_message: None,
        replicas: None,
        drift: Vec::new(),
        since: None,
        by: None,
        observed_at: None,
        hold: None,
        active: None,
        active_state: None,
        last: None,
        last_state: None,
    }
}
