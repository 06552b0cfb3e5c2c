//! A new key for everything that is sealed, while other processes read and seal.
//!
//! Where a rotation stands is in the database only: the newest key has no end yet, and every sealed text names its key. So one that was killed is
//! taken up by the next, at whatever moment it died.

use super::service::{Secrets, Unreadable};
use super::{fields, store};
use crate::kernel::{Action, AppError, AuditEntry, Authorized, Ctx, Object, Result, SealingKey};
use async_trait::async_trait;
use passerelle_contract::text;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

/// Rows of one transaction.
const BATCH: i64 = 50;
/// A process of the version before this one seals with the key of before the first rotation: what it wrote meanwhile is taken once more.
const PASSES: u32 = 5;

/// Rows whose `config` holds sealed secrets. Implemented by the capability that owns them.
#[async_trait]
pub trait Sealed: Send + Sync {
    /// What a row is, as the audit names it: `connection`.
    fn kind(&self) -> &'static str;
    /// The next rows after an id, oldest id first, locked until the transaction ends.
    async fn locked(&self, db: &mut PgConnection, after: Uuid, limit: i64) -> Result<Vec<SealedRow>>;
    /// All of them, as they are now.
    async fn all(&self, db: &mut PgConnection) -> Result<Vec<SealedRow>>;
    /// Writes the configuration. To everybody but us the row is as it was.
    async fn put(&self, db: &mut PgConnection, id: Uuid, config: &Value) -> Result<()>;
}

/// A row that may hold sealed secrets.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SealedRow {
    pub id: Uuid,
    pub name: String,
    pub config: Value,
}

impl SealedRow {
    pub(super) fn unreadable(&self, holder: &dyn Sealed, pointer: String) -> Unreadable {
        Unreadable { owner: format!("{}:{}", holder.kind(), self.name), pointer }
    }
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The key that everything is sealed with now.
    pub key: i32,
    /// Another one had begun it.
    pub resumed: bool,
    /// Secrets that got the new key.
    pub resealed: usize,
    /// What no key of this installation opens; left as it was.
    pub unreadable: Vec<Unreadable>,
}

impl Secrets {
    /// Gives everything that is sealed a new key, or ends a rotation that did not come to its end.
    ///
    /// # Errors
    /// `Conflict` while another one runs; `Forbidden` to everybody but the portal itself; when the database is away. Then it can be
    /// asked for again.
    pub async fn rotate(&self, ctx: &Ctx, holders: &[&dyn Sealed]) -> Result<Rotated> {
        let authorized = self.may_rotate(ctx).await?;
        // Known beforehand, so that nobody waits for one while holding a row.
        self.check_keys().await?;
        let mut only = self.db.pool().begin().await?;
        if !store::only_rotation(&mut only).await? {
            return Err(AppError::Conflict(text!("another rotation of the sealing keys is under way")));
        }
        let (key, resumed) = self.begin(ctx, authorized).await?;
        let mut rotated = Rotated { key: key.number(), resumed, resealed: 0, unreadable: Vec::new() };
        for _ in 0..PASSES {
            rotated.unreadable.clear();
            for holder in holders {
                self.reseal(ctx, *holder, &key, &mut rotated).await?;
            }
            if self.end(ctx, holders, &rotated).await? {
                only.rollback().await?;
                return Ok(rotated);
            }
        }
        let why = "a process keeps sealing with an older key: it is of an earlier version; update it and rotate again";
        Err(AppError::internal(why))
    }

    async fn may_rotate(&self, ctx: &Ctx) -> Result<Authorized> {
        self.db.authorize(ctx, Action::SecretsRotate, Object::new("portal", "sealing-keys")).await
    }

    /// The key to seal with: that of a rotation that was begun, or a new one. Once it is committed nothing more is sealed with an older one.
    async fn begin(&self, ctx: &Ctx, authorized: Authorized) -> Result<(SealingKey, bool)> {
        let mut tx = self.db.write(ctx, authorized).await?;
        store::exclude(tx.conn()).await?;
        if let Some(row) = store::newest(&mut *tx.conn()).await?.filter(|row| !row.finished) {
            return Ok((self.unwrapped(&row)?, true));
        }
        let key = SealingKey::random(store::next_number(tx.conn()).await?);
        store::insert(tx.conn(), key.number(), &self.keys.wrap(&key)?).await?;
        let entry = AuditEntry::success().reason("a new key for everything sealed").after(json!({"key": key.number()}));
        tx.commit(entry).await?;
        self.remember(&key);
        Ok((key, false))
    }

    /// Seals the rows of one kind anew, a transaction and an audit row for each batch in which something changed.
    async fn reseal(&self, ctx: &Ctx, holder: &dyn Sealed, key: &SealingKey, rotated: &mut Rotated) -> Result<()> {
        let mut after = Uuid::nil();
        loop {
            let authorized = self.may_rotate(ctx).await?;
            let mut tx = self.db.write(ctx, authorized).await?;
            let rows = holder.locked(tx.conn(), after, BATCH).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            let mut names = Vec::new();
            for row in rows {
                let (config, count) = self.resealed(holder, &row, key, &mut rotated.unreadable).await?;
                if count > 0 {
                    holder.put(tx.conn(), row.id, &config).await?;
                    rotated.resealed += count;
                    names.push(format!("{}:{}", holder.kind(), row.name));
                }
            }
            if !names.is_empty() {
                let after = json!({"key": key.number(), "sealed_anew": names});
                tx.commit(AuditEntry::success().after(after)).await?;
            }
        }
    }

    /// The configuration under the new key, and how many secrets of it were under another one.
    async fn resealed(
        &self,
        holder: &dyn Sealed,
        row: &SealedRow,
        key: &SealingKey,
        unreadable: &mut Vec<Unreadable>,
    ) -> Result<(Value, usize)> {
        let (mut config, mut count) = (row.config.clone(), 0);
        for (pointer, number) in fields::sealed(&row.config) {
            match self.open_at(row.id, &row.config, &pointer, number).await? {
                None => unreadable.push(row.unreadable(holder, pointer)),
                Some(_) if number == Some(key.number()) => {}
                Some(plain) => {
                    fields::seal_at(key, row.id, &mut config, &pointer, &plain)?;
                    count += 1;
                }
            }
        }
        Ok((config, count))
    }

    /// Forgets the older keys, unless something that opens is still sealed with one.
    async fn end(&self, ctx: &Ctx, holders: &[&dyn Sealed], rotated: &Rotated) -> Result<bool> {
        let authorized = self.may_rotate(ctx).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        store::exclude(tx.conn()).await?;
        for holder in holders {
            for row in holder.all(tx.conn()).await? {
                for (pointer, number) in fields::sealed(&row.config) {
                    let left = number != Some(rotated.key);
                    if left && self.open_at(row.id, &row.config, &pointer, number).await?.is_some() {
                        return Ok(false);
                    }
                }
            }
        }
        store::finish(tx.conn(), rotated.key).await?;
        let unreadable: Vec<String> = rotated.unreadable.iter().map(ToString::to_string).collect();
        let after = json!({"key": rotated.key, "sealed_anew": rotated.resealed, "unreadable": unreadable});
        tx.commit(AuditEntry::success().reason("everything is sealed with the new key").after(after)).await?;
        Ok(true)
    }
}
