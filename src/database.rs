//! Configuration file, keys, and the database: a given one, or the embedded Postgres.

use crate::key;
use anyhow::{Context, Result};
use passerelle_embedded_postgres::{DATABASE, EmbeddedPostgres, Options};
use passerelle_server::config::{Config, load};
use passerelle_server::kernel::{Db, Keys};
use passerelle_server::secrets::Secrets;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

const DEFAULT_FILE: &str = "passerelle.toml";

/// # Errors
/// A file that is named but missing, or wrong inside.
pub fn read_config(path: Option<&Path>) -> Result<Config> {
    let text = match path {
        Some(path) => Some(std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?),
        None => std::fs::read_to_string(DEFAULT_FILE).ok(),
    };
    let mut config = load(text.as_deref(), std::env::vars()).context("the configuration")?;
    if let Ok(url) = std::env::var("DATABASE_URL")
        && !url.is_empty()
    {
        config.database.url = Some(url);
    }
    Ok(config)
}

/// The database with what must live as long as it is used.
pub struct Opened {
    pub db: Db,
    pub keys: Keys,
    /// Dropped last: stops the embedded Postgres, if this process started it.
    _embedded: Option<EmbeddedPostgres>,
}

/// Opens the database, bringing its schema up to date.
///
/// # Errors
/// In words for a person: what is missing, and what to do.
pub async fn open(config: &Config) -> Result<Opened> {
    let (db, embedded) = connect(config).await?;
    let keys = key::of(&db, config).await?;
    Secrets::new(db.clone(), keys.clone()).check_keys().await.context("reading the sealing keys back")?;
    Ok(Opened { db, keys, _embedded: embedded })
}

/// The database alone, for what makes the key.
///
/// # Errors
/// As [`open`].
pub async fn connect(config: &Config) -> Result<(Db, Option<EmbeddedPostgres>)> {
    make_data_folder(&config.data.folder)?;
    let (url, embedded) = match &config.database.url {
        Some(url) => (url.clone(), None),
        None => {
            let options = Options { data_folder: config.data.folder.clone(), durable: true };
            let postgres = tokio::task::spawn_blocking(|| EmbeddedPostgres::start(options))
                .await?
                .context("the embedded Postgres")?;
            (postgres.url(DATABASE), Some(postgres))
        }
    };
    let db = Db::connect(&url, config.database.max_connections).await.context("opening the database")?;
    Ok((db, embedded))
}

/// Made when missing and readable by its owner only, but passable for the embedded Postgres, which may run as another user.
fn make_data_folder(folder: &Path) -> Result<()> {
    if !folder.exists() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(folder)
            .with_context(|| format!("making {}", folder.display()))?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711))?;
    }
    Ok(())
}
