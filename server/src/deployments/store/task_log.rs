//! What a migration wrote, line by line among the events. Each line knows its place, so that who takes over goes on after the last.

use super::Store;
use super::events::event;
use super::progress::{Claim, hold};
use crate::kernel::Result;
use passerelle_contract::Text;
use serde_json::json;
use uuid::Uuid;

impl Store {
    /// How many lines of an instance's log are events already.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn task_lines(&self, id: Uuid, instance: &str) -> Result<usize> {
        let lines: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM deployment_events WHERE deployment_id = $1 AND kind = 'log' AND data ->> 'instance' = $2
             AND data ? 'line'",
        )
        .bind(id)
        .bind(instance)
        .fetch_one(self.db.pool())
        .await?;
        Ok(usize::try_from(lines).unwrap_or(usize::MAX))
    }

    /// Writes the next lines; `from` is the place of the first.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn note_task_lines(&self, claim: &Claim, instance: &str, from: usize, lines: &[String]) -> Result<()> {
        let mut tx = self.db.pool().begin().await?;
        hold(&mut tx, claim).await?;
        for (line, place) in lines.iter().zip(from..) {
            let data = json!({ "instance": instance, "line": place });
            event(&mut tx, claim.id, "log", &Text::verbatim(line), data).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
