//! Sealing and opening with whatever keys there are.

use super::rotation::Sealed;
use super::vault::{Vault, VaultError};
use super::{fields, references, store};
use crate::config::{Config, SecretsConfig};
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Db, Keys, Object, Result, SealingKey};
use parking_lot::RwLock;
use passerelle_contract::{Text, text};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often the token for Vault is looked at.
const KEEP_EVERY: Duration = Duration::from_secs(20);

/// The keys of this installation, and what is sealed with them. Cheap to clone; clones share the keys that were read.
#[derive(Debug, Clone)]
pub struct Secrets {
    pub(super) db: Db,
    pub(super) keys: Keys,
    /// Keys of rotations by number. One that is missing here is looked for in the database: another process may have made it.
    known: Arc<RwLock<HashMap<i32, SealingKey>>>,
    rules: Arc<OnceLock<SecretsConfig>>,
    vault: Arc<OnceLock<Vault>>,
}

/// Why a stored configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RevealError {
    /// This secret, at its JSON pointer; it helps to give it again.
    #[error("{pointer} {why}")]
    Unusable { pointer: String, why: Text },
    /// Where it lies nobody answers; it may help to wait.
    #[error("{pointer} {why}")]
    Away { pointer: String, why: Text },
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<RevealError> for AppError {
    fn from(error: RevealError) -> Self {
        match error {
            RevealError::Unusable { pointer, why } | RevealError::Away { pointer, why } => {
                Self::Target(text!("{pointer} {message}", pointer, message = why))
            }
            RevealError::App(error) => error,
        }
    }
}

/// A secret that does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// `connection:c1`.
    pub owner: String,
    /// JSON pointer of the field.
    pub pointer: String,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.owner, self.pointer)
    }
}

/// What reading everything back has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Secrets that open.
    pub good: usize,
    pub unreadable: Vec<Unreadable>,
}

impl Secrets {
    #[must_use]
    pub fn new(db: Db, keys: Keys) -> Self {
        Self { db, keys, known: Arc::default(), rules: Arc::default(), vault: Arc::default() }
    }

    /// Says which references may be followed, and where Vault is. Only the first call counts; before it those of the default settings, and none.
    ///
    /// # Errors
    /// When the file with Vault's authority cannot be used, naming the setting.
    pub fn configure(&self, config: &Config) -> Result<()> {
        drop(self.rules.set(config.secrets.clone()));
        if !config.vault.address.is_empty() && self.vault.get().is_none() {
            let vault = Vault::new(&config.vault).map_err(AppError::internal)?;
            drop(self.vault.set(vault));
        }
        Ok(())
    }

    /// Keeps the token for Vault from ending, until `stop`.
    pub async fn keep_vault(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(KEEP_EVERY) => {}
            }
            if let Some(vault) = self.vault.get() {
                vault.keep().await;
            }
        }
    }

    fn rules(&self) -> SecretsConfig {
        self.rules.get().cloned().unwrap_or_default()
    }

    /// What an edit wants to save, as the adapter would take it: that all of its references may be followed and, where they lead to Vault, can be.
    ///
    /// # Errors
    /// `Invalid` at each secret whose reference leads where the settings do not allow, or to nothing; `Target` when Vault does not answer.
    pub async fn followed(&self, schema: &Value, opened: Value) -> Result<Value> {
        let errors = references::refused(&self.rules(), schema, &opened);
        if !errors.is_empty() {
            return Err(AppError::Invalid(errors));
        }
        self.read_in_vault(schema, opened).await.map_err(|error| match error {
            RevealError::Unusable { pointer, why } => AppError::field(pointer, why),
            other => other.into(),
        })
    }

    /// The configuration with what lies in Vault.
    async fn read_in_vault(&self, schema: &Value, mut opened: Value) -> Result<Value, RevealError> {
        for pointer in fields::places(schema, &opened) {
            let named = opened.pointer(&pointer).and_then(Value::as_object).filter(|secret| secret.len() == 1);
            let Some(reference) = named.and_then(|secret| secret.get("vault")).and_then(Value::as_str) else {
                continue;
            };
            let unusable = |why| RevealError::Unusable { pointer: format!("/config{pointer}"), why };
            let vault = self.vault.get().ok_or_else(|| {
                unusable(text!(
                    "names a secret in Vault, and the setting {setting} names none",
                    setting = "vault.address"
                ))
            })?;
            let plain = vault.read(reference).await.map_err(|error| match error {
                VaultError::Refused(why) => unusable(why),
                VaultError::Away(why) => RevealError::Away { pointer: format!("/config{pointer}"), why },
            })?;
            if let Some(why) = references::judged_value(&self.rules(), &plain) {
                return Err(unusable(why));
            }
            if let Some(secret) = opened.pointer_mut(&pointer) {
                *secret = json!({ "value": plain });
            }
        }
        Ok(opened)
    }

    /// For what is signed, such as cursors.
    pub(crate) const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The configuration as it is stored. Holds every rotation up until the transaction ends.
    ///
    /// # Errors
    /// When the database is away, or the newest key is another installation's.
    pub async fn seal(&self, db: &mut PgConnection, owner: Uuid, schema: &Value, config: &Value) -> Result<Value> {
        store::share(db).await?;
        let key = match store::newest(db).await? {
            Some(row) => self.unwrapped(&row)?,
            None => self.keys.sealing_key(),
        };
        fields::seal(&key, owner, schema, config)
    }

    /// The configuration with its secrets, for what uses them: never log it, never answer with it.
    ///
    /// # Errors
    /// The first secret that does not open, or whose reference may not be followed.
    pub async fn reveal(&self, owner: Uuid, schema: &Value, stored: &Value) -> Result<Value, RevealError> {
        let (opened, lost) = self.opened(owner, schema, stored).await?;
        if let Some(pointer) = lost.into_iter().next() {
            let why = text!("does not open with the key of this installation; give the secret again");
            return Err(RevealError::Unusable { pointer: format!("/config{pointer}"), why });
        }
        // Once more: the settings, or what a link leads to, may be others than when it was saved.
        match references::refused(&self.rules(), schema, &opened).into_iter().next() {
            Some(refused) => Err(RevealError::Unusable { pointer: refused.pointer, why: refused.message }),
            None => self.read_in_vault(schema, opened).await,
        }
    }

    /// The same for an edit: what does not open stays as it is, which no edit can keep, so that it has to be given again.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn for_edit(&self, owner: Uuid, schema: &Value, stored: &Value) -> Result<Value> {
        Ok(self.opened(owner, schema, stored).await?.0)
    }

    /// The configuration with what opens, and the places of what does not.
    async fn opened(&self, owner: Uuid, schema: &Value, stored: &Value) -> Result<(Value, Vec<String>)> {
        let (mut opened, mut lost) = (stored.clone(), Vec::new());
        let places = fields::places(schema, stored);
        for (pointer, number) in fields::sealed(stored).into_iter().filter(|(pointer, _)| places.contains(pointer)) {
            match self.open_at(owner, stored, &pointer, number).await? {
                Some(plain) => drop(opened.pointer_mut(&pointer).map(|secret| *secret = json!({ "value": plain }))),
                None => lost.push(pointer),
            }
        }
        Ok((opened, lost))
    }

    /// One secret; none when it does not open.
    pub(super) async fn open_at(
        &self,
        owner: Uuid,
        stored: &Value,
        pointer: &str,
        number: Option<i32>,
    ) -> Result<Option<String>> {
        let Some(key) = (match number {
            Some(number) => self.key(number).await?,
            None => None,
        }) else {
            return Ok(None);
        };
        Ok(fields::open_at(&key, owner, stored, pointer).ok())
    }

    /// A key by its number; none when there is none of this installation.
    async fn key(&self, number: i32) -> Result<Option<SealingKey>> {
        if number == 0 {
            return Ok(Some(self.keys.sealing_key()));
        }
        if let Some(known) = self.known.read().get(&number) {
            return Ok(Some(known.clone()));
        }
        for row in store::all(self.db.pool()).await? {
            if let Err(error) = self.unwrapped(&row) {
                tracing::error!(%error, number = row.number, "a sealing key does not open");
            }
        }
        Ok(self.known.read().get(&number).cloned())
    }

    pub(super) fn remember(&self, key: &SealingKey) {
        self.known.write().insert(key.number(), key.clone());
    }

    pub(super) fn unwrapped(&self, row: &store::Row) -> Result<SealingKey> {
        if let Some(known) = self.known.read().get(&row.number) {
            return Ok(known.clone());
        }
        let key = self.keys.unwrap(row.number, &row.wrapped)?;
        self.remember(&key);
        Ok(key)
    }

    /// Reads every key back, before anything is done with them.
    ///
    /// # Errors
    /// The number of a key that was wrapped by another `secret.key`.
    pub async fn check_keys(&self) -> Result<()> {
        for row in store::all(self.db.pool()).await? {
            self.unwrapped(&row).map_err(|_| {
                AppError::internal(format!(
                    "the sealing key {} of this database does not open with this secret.key: it is another installation's, or the row was changed",
                    row.number
                ))
            })?;
        }
        Ok(())
    }

    /// Reads everything back that is sealed.
    ///
    /// # Errors
    /// When the database is away; a secret that does not open is an answer.
    pub async fn check(&self, holders: &[&dyn Sealed]) -> Result<Checked> {
        let mut checked = Checked::default();
        let mut connection = self.db.pool().acquire().await?;
        for holder in holders {
            for row in holder.all(&mut connection).await? {
                for (pointer, number) in fields::sealed(&row.config) {
                    match self.open_at(row.id, &row.config, &pointer, number).await? {
                        Some(_) => checked.good += 1,
                        None => checked.unreadable.push(row.unreadable(*holder, pointer)),
                    }
                }
            }
        }
        Ok(checked)
    }

    /// Forgets the keys that were wrapped by a `secret.key` that is lost: nothing opens them any more.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_lost_keys(&self, ctx: &Ctx) -> Result<()> {
        let authorized = self.db.authorize(ctx, Action::SecretsRotate, Object::new("portal", "sealing-keys")).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        match store::forget_all(tx.conn()).await? {
            0 => Ok(()),
            count => {
                let why = format!("{count} sealing keys were lost with the secret.key that had wrapped them");
                tx.commit(AuditEntry::success().reason(why)).await
            }
        }
    }
}
