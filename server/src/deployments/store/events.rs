//! Writing and reading what happens to a deployment. The English words stand beside the text that can be said in every language, so that
//! rows of before, and whoever reads the table, have words too.

use super::Store;
use crate::kernel::Result;
use passerelle_contract::Text;
use passerelle_contract::deployments::DeploymentEvent;
use serde_json::Value;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, sqlx::FromRow)]
struct EventRow {
    id: i64,
    deployment_id: Uuid,
    at: OffsetDateTime,
    kind: String,
    message: String,
    said: Option<Json<Text>>,
    data: Value,
}

impl From<EventRow> for DeploymentEvent {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id,
            deployment: row.deployment_id,
            at: row.at,
            kind: row.kind,
            message: said(row.said, row.message),
            data: row.data,
        }
    }
}

/// A text as it was kept; of a row of before, its words.
pub(super) fn said(said: Option<Json<Text>>, words: String) -> Text {
    said.map_or_else(|| Text::verbatim(words), |json| json.0)
}

pub(super) async fn event(
    connection: &mut sqlx::PgConnection,
    id: Uuid,
    kind: &str,
    message: &Text,
    data: Value,
) -> Result<()> {
    sqlx::query("INSERT INTO deployment_events (deployment_id, kind, message, said, data) VALUES ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(kind)
        .bind(message.to_string())
        .bind(Json(message))
        .bind(data)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// The events of one deployment after an id.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn events_of(&self, id: Uuid, after: i64, limit: i64) -> Result<Vec<DeploymentEvent>> {
        let rows: Vec<EventRow> = sqlx::query_as(
            "SELECT id, deployment_id, at, kind, message, said, data FROM deployment_events
             WHERE deployment_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(id)
        .bind(after)
        .bind(limit)
        .fetch_all(self.db.pool())
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The events of all deployments after an id.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn events_after(&self, after: i64) -> Result<Vec<DeploymentEvent>> {
        let rows: Vec<EventRow> = sqlx::query_as(
            "SELECT id, deployment_id, at, kind, message, said, data FROM deployment_events
             WHERE id > $1 ORDER BY id LIMIT 5000",
        )
        .bind(after)
        .fetch_all(self.db.pool())
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// # Errors
    /// When the database is away.
    pub async fn newest_event_id(&self) -> Result<i64> {
        Ok(sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM deployment_events").fetch_one(self.db.pool()).await?)
    }
}
