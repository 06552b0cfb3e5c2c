//! Reading deployments and their events.

use super::events::said;
use super::{Store, known};
use crate::deployments::history::Healthy;
use crate::kernel::{Reach, Result};
use passerelle_contract::Text;
use passerelle_contract::deployments::{
    Cause, ConfigChoice, DeploymentOut, DeploymentRow, DeploymentState, Exemption, Failure, GateOut, Instance,
    Operation, Replicas, StepOut, StepState,
};
use passerelle_contract::environments::Tier;
use passerelle_contract::gates::ApprovalsOut;
use passerelle_contract::paging::MOST_COUNTED;
use passerelle_targets::Recorded;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

/// Where a page of the list ends. Ids are UUID v7, so they sort by age.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Position {
    pub id: Uuid,
}

/// The list's filter in the database's terms.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    pub service: Option<String>,
    pub environment: Option<String>,
    pub state: Option<DeploymentState>,
    pub operation: Option<Operation>,
    pub actor: Option<String>,
    pub active: Option<bool>,
    /// Only what each of these reaches.
    pub reaches: Vec<Reach>,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: Uuid,
    service_key: String,
    environment: String,
    tier: String,
    operation: String,
    state: String,
    target_kind: String,
    simulated: bool,
    version: Option<String>,
    image: Option<String>,
    replicas: Option<i32>,
    previous_version: Option<String>,
    previous_image: Option<String>,
    config_choice: Option<String>,
    reason: String,
    requested_by: String,
    created_at: OffsetDateTime,
    started_at: Option<OffsetDateTime>,
    ended_at: Option<OffsetDateTime>,
    gates: Json<Vec<GateOut>>,
    failure: Option<Json<Failure>>,
    instances: Json<Vec<Instance>>,
    progress: Option<Json<Replicas>>,
    cancel_requested_by: Option<String>,
    approvals_needed: i32,
    approval_until: Option<OffsetDateTime>,
    break_glass_id: Option<Uuid>,
    exempt: Option<String>,
    last_event_id: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct ListRow {
    id: Uuid,
    service_key: String,
    environment: String,
    tier: String,
    operation: String,
    state: String,
    version: Option<String>,
    image: Option<String>,
    reason: String,
    requested_by: String,
    cause: Option<String>,
    created_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
}

#[derive(Debug, sqlx::FromRow)]
struct StepRow {
    name: String,
    state: String,
    started_at: Option<OffsetDateTime>,
    ended_at: Option<OffsetDateTime>,
    message: Option<String>,
    said: Option<Json<Text>>,
}

/// What a roll back needs to know of an earlier deployment.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Earlier {
    pub release_id: Option<Uuid>,
    pub version: Option<String>,
    pub image: Option<String>,
    pub recorded_after: Option<Json<Recorded>>,
}

impl Store {
    /// # Errors
    /// When the database is away.
    pub async fn get(&self, id: Uuid) -> Result<Option<DeploymentOut>> {
        // Newest event first: what comes later than this answer comes through the feed.
        let row: Option<Row> = sqlx::query_as(
            "SELECT d.*, e.name AS environment, e.tier,
               (SELECT coalesce(max(v.id), 0) FROM deployment_events v WHERE v.deployment_id = d.id) AS last_event_id
             FROM deployments d JOIN environments e ON e.id = d.environment_id WHERE d.id = $1",
        )
        .bind(id)
        .fetch_optional(self.db.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let steps: Vec<StepRow> = sqlx::query_as(
            "SELECT name, state, started_at, ended_at, message, said FROM deployment_steps
             WHERE deployment_id = $1 ORDER BY position",
        )
        .bind(id)
        .fetch_all(self.db.pool())
        .await?;
        out(row, steps).map(Some)
    }

    /// The services's id and scope are checked by the caller; this answers whose deployment it is.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn service_and_environment(&self, id: Uuid) -> Result<Option<(String, String)>> {
        Ok(sqlx::query_as(
            "SELECT d.service_key, e.name FROM deployments d JOIN environments e ON e.id = d.environment_id WHERE d.id = $1",
        )
        .bind(id)
        .fetch_optional(self.db.pool())
        .await?)
    }

    /// Newest first, after a position; with how many there are, as far as [`MOST_COUNTED`] and one.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn list(
        &self,
        filter: &ListFilter,
        after: Option<Position>,
        limit: usize,
    ) -> Result<(Vec<DeploymentRow>, u64)> {
        let mut page = QueryBuilder::new(
            "SELECT d.id, d.service_key, e.name AS environment, e.tier, d.operation, d.state, d.version, d.image, d.reason,
               d.requested_by, d.failure ->> 'cause' AS cause, d.created_at, d.ended_at
             FROM deployments d JOIN environments e ON e.id = d.environment_id WHERE true",
        );
        push_filter(&mut page, filter);
        if let Some(position) = after {
            page.push(" AND d.id < ").push_bind(position.id);
        }
        page.push(" ORDER BY d.id DESC LIMIT ").push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows: Vec<ListRow> = page.build_query_as().fetch_all(self.db.pool()).await?;
        let mut count = QueryBuilder::new("SELECT count(*) FROM (SELECT FROM deployments d WHERE true");
        push_filter(&mut count, filter);
        count.push(format!(" LIMIT {}", MOST_COUNTED + 1)).push(") AS counted");
        let total: i64 = count.build_query_scalar().fetch_one(self.db.pool()).await?;
        Ok((rows.into_iter().map(list_row).collect::<Result<_>>()?, u64::try_from(total).unwrap_or(0)))
    }

    /// The deployments that ended well, oldest first, and whether the newest one that left a version behind left a broken one. What
    /// ended before the target was changed, or was put back, left none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn healthy_history(&self, service_id: Uuid, environment_id: Uuid) -> Result<(Vec<Healthy>, bool)> {
        let rows: Vec<(Uuid, Option<String>, Option<Uuid>)> = sqlx::query_as(
            "SELECT id, image || coalesce(' ' || manifests, ''), rolls_back_to FROM (
               SELECT id, image, change #>> '{manifests,sha256}' AS manifests, rolls_back_to FROM deployments
               WHERE service_id = $1 AND environment_id = $2 AND state = 'succeeded'
                 AND operation IN ('deploy', 'roll_back') AND recorded_after IS NOT NULL ORDER BY id DESC LIMIT 200) newest
             ORDER BY id",
        )
        .bind(service_id)
        .bind(environment_id)
        .fetch_all(self.db.pool())
        .await?;
        let newest: Option<(String,)> = sqlx::query_as(
            "SELECT state FROM deployments d WHERE service_id = $1 AND environment_id = $2 AND operation IN ('deploy', 'roll_back')
               AND ended_at IS NOT NULL AND state NOT IN ('blocked', 'cancelled', 'rolled_back')
               AND EXISTS (SELECT FROM deployment_steps s WHERE s.deployment_id = d.id AND s.name = 'apply' AND s.started_at IS NOT NULL)
             ORDER BY id DESC LIMIT 1",
        )
        .bind(service_id)
        .bind(environment_id)
        .fetch_optional(self.db.pool())
        .await?;
        let broken = newest.is_some_and(|(state,)| state == "failed" || state == "needs_person");
        let history = rows
            .into_iter()
            .map(|(id, image, rolls_back_to)| Healthy { id, image: image.unwrap_or_default(), rolls_back_to })
            .collect();
        Ok((history, broken))
    }

    /// An earlier deployment of this service and environment that ended well.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn earlier(&self, id: Uuid, service_id: Uuid, environment_id: Uuid) -> Result<Option<Earlier>> {
        Ok(sqlx::query_as(
            "SELECT release_id, version, image, recorded_after FROM deployments
             WHERE id = $1 AND service_id = $2 AND environment_id = $3 AND state = 'succeeded' AND recorded_after IS NOT NULL",
        )
        .bind(id)
        .bind(service_id)
        .bind(environment_id)
        .fetch_optional(self.db.pool())
        .await?)
    }

    /// What was on the target before the oldest deployment of ours: the way back when there is no earlier one.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn before_all(
        &self,
        service_id: Uuid,
        environment_id: Uuid,
    ) -> Result<Option<(Recorded, Option<String>)>> {
        let row: Option<(Json<Recorded>, Option<String>)> = sqlx::query_as(
            "SELECT recorded_before, previous_image FROM deployments
             WHERE service_id = $1 AND environment_id = $2 AND state = 'succeeded' AND recorded_before IS NOT NULL
               AND operation = 'deploy' ORDER BY id LIMIT 1",
        )
        .bind(service_id)
        .bind(environment_id)
        .fetch_optional(self.db.pool())
        .await?;
        Ok(row.map(|(recorded, image)| (recorded.0, image)))
    }
}

/// Only what is asked for stands in the query, so that an index serves it.
fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &ListFilter) {
    if let Some(service) = &filter.service {
        query.push(" AND d.service_key = ").push_bind(service.clone());
    }
    if let Some(environment) = &filter.environment {
        let same = " AND d.environment_id = (SELECT named.id FROM environments named WHERE named.name = ";
        query.push(same).push_bind(environment.clone()).push(")");
    }
    if let Some(state) = filter.state {
        query.push(" AND d.state = ").push_bind(state.as_str());
    }
    if let Some(operation) = filter.operation {
        query.push(" AND d.operation = ").push_bind(operation.as_str());
    }
    if let Some(actor) = &filter.actor {
        query.push(" AND d.requested_by = ").push_bind(actor.clone());
    }
    if let Some(active) = filter.active {
        let not = if active { "" } else { "NOT " };
        query
            .push(format!(" AND d.state {not}IN ('requested', 'awaiting_approval', 'queued', 'running', 'verifying')"));
    }
    for reach in &filter.reaches {
        query.push(" AND (EXISTS (SELECT FROM entities s WHERE s.id = d.service_id AND (s.owner = ANY (");
        query.push_bind(reach.teams.clone()).push(") OR s.system = ANY (").push_bind(reach.systems.clone());
        query.push("))) OR d.environment_id IN (SELECT tiered.id FROM environments tiered WHERE tiered.tier = ANY (");
        query.push_bind(reach.tiers.clone()).push(")))");
    }
}

fn list_row(row: ListRow) -> Result<DeploymentRow> {
    Ok(DeploymentRow {
        id: row.id,
        tier: known(Tier::parse(&row.tier), "tier", &row.tier)?,
        operation: known(Operation::parse(&row.operation), "operation", &row.operation)?,
        state: known(DeploymentState::parse(&row.state), "state", &row.state)?,
        service: row.service_key,
        environment: row.environment,
        version: row.version,
        image: row.image,
        reason: row.reason,
        requested_by: row.requested_by,
        cause: row.cause.and_then(|text| serde_json::from_value::<Cause>(Value::String(text)).ok()),
        created_at: row.created_at,
        ended_at: row.ended_at,
    })
}

fn out(row: Row, steps: Vec<StepRow>) -> Result<DeploymentOut> {
    let steps = steps
        .into_iter()
        .map(|step| {
            Ok(StepOut {
                state: known(StepState::parse(&step.state), "step state", &step.state)?,
                name: step.name,
                started_at: step.started_at,
                ended_at: step.ended_at,
                message: step.message.map(|words| said(step.said, words)),
            })
        })
        .collect::<Result<_>>()?;
    Ok(DeploymentOut {
        id: row.id,
        tier: known(Tier::parse(&row.tier), "tier", &row.tier)?,
        operation: known(Operation::parse(&row.operation), "operation", &row.operation)?,
        state: known(DeploymentState::parse(&row.state), "state", &row.state)?,
        service: row.service_key,
        environment: row.environment,
        target_kind: row.target_kind,
        simulated: row.simulated,
        version: row.version,
        image: row.image,
        replicas: row.replicas.and_then(|count| u32::try_from(count).ok()),
        previous_version: row.previous_version,
        previous_image: row.previous_image,
        config: match row.config_choice.as_deref() {
            Some("release") => Some(ConfigChoice::Release),
            Some("current") => Some(ConfigChoice::Current),
            _ => None,
        },
        reason: row.reason,
        requested_by: row.requested_by,
        created_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        gates: row.gates.0,
        steps,
        failure: row.failure.map(|json| json.0),
        instances: row.instances.0,
        progress: row.progress.map(|json| json.0),
        cancel_requested: row.cancel_requested_by.is_some(),
        approvals: u8::try_from(row.approvals_needed).ok().filter(|needed| *needed > 0).map(|needed| ApprovalsOut {
            needed,
            given: 0,
            until: row.approval_until,
            all: Vec::new(),
        }),
        break_glass: row.break_glass_id,
        exempt: row.exempt.as_deref().and_then(Exemption::parse),
        last_event_id: row.last_event_id,
    })
}
