//! The database: one pool for the process, and the migrations, which are part of the program.

use crate::settings::Secret;
use sqlx::postgres::{PgPool, PgPoolOptions};
use std::time::Duration;

/// The pool.
#[derive(Debug, Clone)]
pub struct Database {
    pub pool: PgPool,
}

impl Database {
    /// Connects when it is first used, so that a service whose database is away starts, and says that it is not ready.
    ///
    /// # Errors
    /// The address cannot be read.
    pub fn new(url: &Secret) -> Result<Self, sqlx::Error> {
        // The pool times the number of instances must stay below what the server allows (max_connections).
        let options = PgPoolOptions::new().max_connections(10).acquire_timeout(Duration::from_secs(3));
        Ok(Self { pool: options.connect_lazy(&url.0)? })
    }

    pub async fn answers(&self) -> bool {
        match sqlx::query("SELECT 1").execute(&self.pool).await {
            Ok(_) => true,
            Err(error) => {
                // Its kind only: the text of the error can hold the address of the database.
                let kind = error.as_database_error().map_or("no connection", |_| "refused by the database");
                tracing::warn!(error = kind, "database does not answer");
                false
            }
        }
    }
}

/// Brings the database to the state of this release. A lock in the database keeps a second one from doing it at the same time.
///
/// # Errors
/// The database does not answer, or refuses a migration, or one that ran before was changed since.
pub async fn migrate(url: &Secret) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        // A statement that waits for a lock makes every request behind it wait: rather fail, and be tried again.
        .after_connect(|connection, _| {
            Box::pin(async move { sqlx::query("SET lock_timeout = '5s'").execute(connection).await.map(|_| ()) })
        })
        .connect(&url.0)
        .await?;
    sqlx::migrate!().run(&pool).await?;
    Ok(())
}
