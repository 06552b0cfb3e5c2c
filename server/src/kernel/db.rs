//! The database: reads from a pool, writes through [`WriteTx`].

use super::access::decide;
use super::{Action, AppError, Authorized, Ctx, Object, Result};
use passerelle_contract::audit::Outcome;
use serde_json::Value;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Postgres, Transaction};
use std::sync::LazyLock;
use std::time::Duration;
use time::OffsetDateTime;

/// The application's role; see `migrations/0001_access.sql`. And a limit for a transaction in which nothing happens: a process that sleeps, or a
/// machine that is gone, must not hold its rows while others wait to take over.
const EACH_CONNECTION: &str = "SET ROLE passerelle_app; SET idle_in_transaction_session_timeout = '30s'";

/// A connection that was used a moment ago is taken as it is; one that lay longer is asked first, since its server may be gone.
const ASKED_AFTER: Duration = Duration::from_secs(1);

/// The numbered SQL files, compiled in. The schema may be ahead of them: the version before this one starts on it, so that a roll back
/// of the portal itself needs no roll back of its database.
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("../migrations");
    migrations.set_ignore_missing(true);
    migrations
});

#[derive(Debug, Clone)]
pub struct Db {
    pool: PgPool,
}

impl Db {
    /// Runs the migrations under sqlx's advisory lock, then opens the application's pool.
    ///
    /// # Errors
    /// When the database does not answer or a migration fails.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self> {
        let owner =
            PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(10)).connect(url).await?;
        MIGRATIONS.run(&owner).await.map_err(AppError::internal)?;
        owner.close().await;
        Self::connect_migrated(url, max_connections).await
    }

    /// A pool that connects when it is first used: for what only describes itself.
    ///
    /// # Errors
    /// Never: the address is a constant.
    pub fn unconnected() -> Result<Self> {
        Ok(Self { pool: PgPoolOptions::new().connect_lazy("postgres://localhost/none")? })
    }

    /// Opens the pool without running migrations.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn connect_migrated(url: &str, max_connections: u32) -> Result<Self> {
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(|connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql(EACH_CONNECTION).execute(connection).await?;
                    Ok(())
                })
            })
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for >= ASKED_AFTER {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect(url)
            .await?;
        Ok(Self { pool })
    }

    /// Whether the database answers and knows every migration of this binary.
    ///
    /// # Errors
    /// `Unavailable` with what is missing.
    pub async fn ready(&self) -> Result<()> {
        let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
        let applied = sqlx::query_scalar::<_, Option<i64>>("SELECT max(version) FROM _sqlx_migrations WHERE success")
            .fetch_one(&self.pool)
            .await?;
        if applied.unwrap_or_default() < known {
            return Err(AppError::Unavailable(format!("migration {known} is not applied").into()));
        }
        Ok(())
    }

    /// For reads.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Decides a mutation; a refusal is written to the audit before it is answered.
    ///
    /// # Errors
    /// `Unauthenticated`, `Forbidden`, `ConfirmationNeeded`, or `NotFound` for a service that the caller may not even read.
    pub async fn authorize(&self, ctx: &Ctx, action: Action, object: Object) -> Result<Authorized> {
        // Before anything is written: whoever shows no credential at all must not be able to fill the audit, which nobody can empty.
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let decision = decide(ctx, action, &object);
        if decision.allowed {
            let tier = object.environment.as_ref().map(|environment| environment.tier);
            let authorized = Authorized { action, object };
            if !(action.needs_recent_proof(tier) && ctx.must_confirm()) {
                return Ok(authorized);
            }
            let entry = AuditEntry::new(Outcome::Denied).reason("showed too long ago who they are");
            self.record(ctx, &authorized, entry).await?;
            return Err(AppError::ConfirmationNeeded);
        }
        let hidden = object.service.is_some() && !decide(ctx, Action::CatalogRead, &object).allowed;
        let refused = Authorized { action, object };
        let mut connection = self.pool.acquire().await?;
        let entry = AuditEntry::new(Outcome::Denied).reason(decision.because.to_string());
        insert_audit(&mut connection, ctx, &refused, &entry).await?;
        if hidden {
            Err(AppError::not_found(refused.object.reference()))
        } else {
            Err(AppError::Forbidden(decision.because))
        }
    }

    /// Begins the only kind of transaction that may change anything.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn write(&self, ctx: &Ctx, authorized: Authorized) -> Result<WriteTx> {
        let tx = self.pool.begin().await?;
        Ok(WriteTx { tx, ctx: ctx.clone(), authorized })
    }

    /// One audit row that stands alone: an attempt that changed nothing.
    ///
    /// # Errors
    /// When the database is away; then the act must not go on.
    pub async fn record(&self, ctx: &Ctx, authorized: &Authorized, entry: AuditEntry) -> Result<i64> {
        let mut connection = self.pool.acquire().await?;
        insert_audit(&mut connection, ctx, authorized, &entry).await
    }
}

/// What the audit says about a change, beyond who, what and when.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    outcome: Outcome,
    reason: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
}

impl AuditEntry {
    #[must_use]
    pub const fn new(outcome: Outcome) -> Self {
        Self { outcome, reason: None, before: None, after: None }
    }

    #[must_use]
    pub const fn success() -> Self {
        Self::new(Outcome::Success)
    }

    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Secrets must be masked before they come here.
    #[must_use]
    pub fn before(mut self, value: Value) -> Self {
        self.before = Some(value);
        self
    }

    /// Secrets must be masked before they come here.
    #[must_use]
    pub fn after(mut self, value: Value) -> Self {
        self.after = Some(value);
        self
    }
}

/// A transaction that cannot commit without its audit row. Dropped without a commit it changes nothing.
#[derive(Debug)]
pub struct WriteTx {
    tx: Transaction<'static, Postgres>,
    ctx: Ctx,
    authorized: Authorized,
}

impl WriteTx {
    /// The connection, for the store's queries.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    #[must_use]
    pub const fn authorized(&self) -> &Authorized {
        &self.authorized
    }

    /// A further audit row inside the same transaction, for an act that touches several objects.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn also(&mut self, authorized: &Authorized, entry: AuditEntry) -> Result<()> {
        insert_audit(&mut self.tx, &self.ctx, authorized, &entry).await.map(drop)
    }

    /// Leaves a message for what delivers notifications, with the change itself: both are there or neither is.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn tell(&mut self, kind: &str, payload: &Value) -> Result<()> {
        let object = self.authorized.object();
        let service = object.service.as_ref().map(|service| service.key.as_str());
        let environment = object.environment.as_ref().map(|environment| environment.name.as_str());
        leave_message(&mut self.tx, kind, (service, environment), payload).await
    }

    /// Writes the audit row and commits both.
    ///
    /// # Errors
    /// When either fails; then neither is written.
    pub async fn commit(mut self, entry: AuditEntry) -> Result<()> {
        insert_audit(&mut self.tx, &self.ctx, &self.authorized, &entry).await?;
        self.tx.commit().await?;
        Ok(())
    }
}

/// What [`WriteTx::tell`] does, for the engine's own transactions, which write a state and no audit row.
///
/// # Errors
/// When the database is away.
pub async fn leave_message(
    connection: &mut PgConnection,
    kind: &str,
    (service, environment): (Option<&str>, Option<&str>),
    payload: &Value,
) -> Result<()> {
    sqlx::query("INSERT INTO outbox_events (kind, service, environment, payload) VALUES ($1, $2, $3, $4)")
        .bind(kind)
        .bind(service)
        .bind(environment)
        .bind(payload)
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_audit(
    connection: &mut PgConnection,
    ctx: &Ctx,
    authorized: &Authorized,
    entry: &AuditEntry,
) -> Result<i64> {
    let object = authorized.object();
    let id = sqlx::query_scalar::<_, i64>(
        "INSERT INTO audit_events (at, actor, via, action, object, service, environment, reason, before, after, request_id, outcome)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::json, $10::text::json, $11, $12) RETURNING id",
    )
    .bind(OffsetDateTime::now_utc())
    .bind(&ctx.principal().name)
    .bind(ctx.via.as_str())
    .bind(authorized.action().name())
    .bind(object.reference())
    .bind(object.service.as_ref().map(|service| service.key.as_str()))
    .bind(object.environment.as_ref().map(|environment| environment.name.as_str()))
    .bind(entry.reason.as_deref())
    .bind(entry.before.as_ref().map(Value::to_string))
    .bind(entry.after.as_ref().map(Value::to_string))
    .bind(&ctx.request_id)
    .bind(entry.outcome.as_str())
    .fetch_one(connection)
    .await?;
    Ok(id)
}
