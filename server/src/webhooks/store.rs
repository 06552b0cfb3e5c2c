//! Deliveries that were taken.

use crate::kernel::Result;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

pub async fn is_known(db: impl PgExecutor<'_>, connection: Uuid, delivery: &str) -> Result<bool> {
    let known =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM webhook_deliveries WHERE connection_id = $1 AND delivery = $2)")
            .bind(connection)
            .bind(delivery)
            .fetch_one(db)
            .await?;
    Ok(known)
}

pub async fn remember(db: &mut PgConnection, connection: Uuid, delivery: &str) -> Result<()> {
    sqlx::query("INSERT INTO webhook_deliveries (connection_id, delivery) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(connection)
        .bind(delivery)
        .execute(db)
        .await?;
    Ok(())
}

pub async fn forget(db: &mut PgConnection, before: OffsetDateTime) -> Result<()> {
    sqlx::query("DELETE FROM webhook_deliveries WHERE heard_at < $1").bind(before).execute(db).await?;
    Ok(())
}
