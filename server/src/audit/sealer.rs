//! The sealer: links committed rows into the chain each second, and signs checkpoints.
//!
//! Writers never wait for it: they insert into a stream without a lock. Any number of processes may run one; an advisory lock lets one work
//! at a time.

use super::store::sealing;
use crate::kernel::{AppError, Db, Keys, Result};
use passerelle_audit_chain::{Checkpoint, GENESIS, SigningKey, link};
use std::path::PathBuf;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

/// In the data folder: one JSON checkpoint a line, only ever appended to.
pub const CHECKPOINT_FILE: &str = "audit-checkpoints.jsonl";

const EVERY: Duration = Duration::from_secs(1);
/// The partitions of this month and the three after it are there long before they are needed.
const MONTHS_EVERY: Duration = Duration::from_secs(3600);
const BATCH: usize = 5000;

#[derive(Debug, Clone)]
pub struct Sealer {
    db: Db,
    key: SigningKey,
    file: PathBuf,
}

/// The key of this installation's checkpoints: derived from the secret that lies outside the database.
pub(super) fn signing_key(keys: &Keys) -> SigningKey {
    SigningKey::from_seed(&keys.derive("audit checkpoints"))
}

impl Sealer {
    #[must_use]
    pub fn new(db: Db, keys: &Keys, file: PathBuf) -> Self {
        Self { db, key: signing_key(keys), file }
    }

    /// Seals until `stop`, and once more then.
    pub async fn run(self, stop: CancellationToken) {
        let mut months_due = tokio::time::Instant::now();
        loop {
            let last = stop.is_cancelled();
            if tokio::time::Instant::now() >= months_due {
                months_due += MONTHS_EVERY;
                if let Err(error) = sealing::make_months(self.db.pool()).await {
                    tracing::warn!(%error, "the audit's next months could not be made; trying again in an hour");
                }
            }
            if let Err(error) = self.seal().await {
                tracing::warn!(%error, "sealing the audit failed; trying again");
            }
            if last {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Links what is committed; signs where the chain ends then. Answers how many rows were linked.
    ///
    /// # Errors
    /// When the database is away or the file cannot be written; what was linked before stays linked.
    pub async fn seal(&self) -> Result<usize> {
        let mut linked = 0;
        loop {
            let mut tx = self.db.pool().begin().await?;
            if !sealing::lock(&mut tx).await? {
                return Ok(linked);
            }
            let rows = sealing::unlinked(&mut tx, i64::try_from(BATCH).unwrap_or(i64::MAX)).await?;
            let Some(last) = rows.last().map(|row| row.id) else { return Ok(linked) };
            let (mut position, mut hash) = sealing::end(&mut tx).await?.unwrap_or((0, GENESIS));
            let links: Vec<_> = rows
                .iter()
                .map(|row| {
                    position += 1;
                    hash = link(&hash, row);
                    (position, row.id, hash)
                })
                .collect();
            sealing::append(&mut tx, &links).await?;
            let now_us = i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX);
            let checkpoint = self.key.sign(position, last, &hash, now_us);
            sealing::add_checkpoint(&mut tx, &checkpoint).await?;
            tx.commit().await?;
            // After the commit: the file must never promise what the database does not hold.
            self.append(&checkpoint).await?;
            linked += links.len();
            // What came meanwhile waits for the next second: under load there is always something.
            if links.len() < BATCH {
                return Ok(linked);
            }
        }
    }

    async fn append(&self, checkpoint: &Checkpoint) -> Result<()> {
        let line = serde_json::to_string(checkpoint).map_err(AppError::internal)? + "\n";
        let mut file = tokio::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.file)
            .await
            .map_err(AppError::internal)?;
        file.write_all(line.as_bytes()).await.map_err(AppError::internal)?;
        file.flush().await.map_err(AppError::internal)
    }
}
