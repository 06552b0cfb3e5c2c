//! From a binding to a target that can be observed and changed; open connections are shared.

use super::super::model::{BindingRow, ConnectionRow, OpenError, undeployable};
use super::super::store::connections;
use super::EnvironmentService;
use crate::kernel::{Ctx, Result};
use parking_lot::Mutex;
use passerelle_contract::environments::ConnectionCheck;
use passerelle_contract::text;
use passerelle_targets::oci::{REGISTRY, open as open_registry};
use passerelle_targets::{AnyConnection, Target, TargetError, platform};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use uuid::Uuid;

const CHECK_TIMEOUT: Duration = Duration::from_secs(10);
/// After this a connection is opened anew, so that a credential rotated behind a reference takes effect.
const REOPEN_AFTER: Duration = Duration::from_secs(300);

type Cell = Arc<OnceCell<Arc<dyn AnyConnection>>>;

struct Entry {
    updated_at: OffsetDateTime,
    since: Instant,
    cell: Cell,
}

/// Open connections by id, each good for one `updated_at`.
#[derive(Clone, Default)]
pub(super) struct Opened(Arc<Mutex<HashMap<Uuid, Entry>>>);

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({})", self.0.lock().len())
    }
}

impl Opened {
    pub(super) fn forget(&self, connection: Uuid) {
        self.0.lock().remove(&connection);
    }

    fn cell(&self, connection: &ConnectionRow) -> Cell {
        let mut entries = self.0.lock();
        if let Some(entry) = entries.get(&connection.id)
            && entry.updated_at == connection.updated_at
            && entry.since.elapsed() < REOPEN_AFTER
        {
            return Arc::clone(&entry.cell);
        }
        let cell = Cell::default();
        let entry = Entry { updated_at: connection.updated_at, since: Instant::now(), cell: Arc::clone(&cell) };
        entries.insert(connection.id, entry);
        cell
    }
}

impl EnvironmentService {
    /// The target of a binding, and whether it is the simulator's. Decides nothing; reads the connection as it is now.
    ///
    /// # Errors
    /// [`OpenError::App`] when it is ours (database away), [`OpenError::Target`] when the connection or the binding does not
    /// work.
    pub async fn target(&self, binding: &BindingRow) -> Result<(Arc<dyn Target>, bool), OpenError> {
        let connection = connections::by_id(self.db.pool(), binding.connection_id).await?;
        let connection = connection.ok_or_else(|| {
            TargetError::Missing(text!("the connection {name} of the binding", name = binding.connection))
        })?;
        let open = self.open(&connection).await?;
        Ok((open.bind(binding.config.clone())?, connection.simulated()))
    }

    /// An open connection, shared by those who need it at the same time.
    pub(super) async fn open(&self, connection: &ConnectionRow) -> Result<Arc<dyn AnyConnection>, OpenError> {
        let cell = self.opened.cell(connection);
        cell.get_or_try_init(|| self.connect(connection)).await.cloned()
    }

    /// Tries a connection, opened anew, for at most 10 s. A connection that does not work is an answer, not an error.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `Unavailable`.
    pub async fn check_connection(&self, ctx: &Ctx, name: &str) -> Result<ConnectionCheck> {
        let connection = self.readable_connection(ctx, name).await?;
        let start = Instant::now();
        let answer = tokio::time::timeout(CHECK_TIMEOUT, async {
            let open = self.connect(&connection).await?;
            open.check().await.map_err(OpenError::from)
        })
        .await;
        let (reachable, message) = match answer {
            Err(_) => (false, ctx.say(&text!("no answer within {seconds} s", seconds = CHECK_TIMEOUT.as_secs()))),
            Ok(Ok(message)) => (true, message),
            Ok(Err(OpenError::Target(error))) => (false, ctx.say(&error.text())),
            Ok(Err(OpenError::App(error))) => return Err(error),
        };
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(ConnectionCheck { reachable, message, duration_ms })
    }

    /// The configuration with its secrets, for the adapter only: never log it, never answer with it.
    ///
    /// # Errors
    /// `Target` when a secret cannot be used, naming its field.
    pub async fn open_config(&self, connection: &ConnectionRow) -> Result<Value> {
        Ok(self.opened_config(connection).await?)
    }

    async fn connect(&self, connection: &ConnectionRow) -> Result<Arc<dyn AnyConnection>, OpenError> {
        let config = self.opened_config(connection).await?;
        if connection.kind == REGISTRY {
            return Ok(open_registry(config, self.guard())?);
        }
        let platform = match undeployable(&connection.kind) {
            Some(source) => source,
            None => platform(&connection.kind)?,
        };
        Ok(answered(platform.connect_through(config, self.guard())).await?)
    }
}

/// What a platform answers while somebody waits for it.
pub(super) async fn answered<T>(asked: impl Future<Output = Result<T, TargetError>>) -> Result<T, TargetError> {
    match tokio::time::timeout(CHECK_TIMEOUT, asked).await {
        Ok(answer) => answer,
        Err(_) => {
            Err(TargetError::Unreachable(text!("no answer within {seconds} s", seconds = CHECK_TIMEOUT.as_secs())))
        }
    }
}
