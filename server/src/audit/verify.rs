//! `passerelle audit verify`: walks the chain against every checkpoint that can be found.

use super::sealer::signing_key;
use super::store::Store;
use crate::kernel::{AppError, Db, Keys, Result};
use passerelle_audit_chain::{Archive, Checkpoint, Fault, Linked, Report, Verifier};
use passerelle_contract::audit::ArchiveOut;
use std::path::Path;

const BATCH: i64 = 5000;

/// What verification found, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict(Report);

impl Verdict {
    pub(super) const fn new(report: Report) -> Self {
        Self(report)
    }

    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.0.fault.is_none()
    }

    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.0
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0.fault {
            None => {
                write!(f, "The audit holds: {} rows, {} checkpoints.", self.0.rows, self.0.checkpoints)?;
                match self.0.archived {
                    0 => Ok(()),
                    last => write!(f, " The {last} rows before them are in archives."),
                }
            }
            Some(fault) => write!(f, "The audit does NOT hold after {} good rows: {fault}.", self.0.rows),
        }
    }
}

/// Verifies the database against the checkpoints in its table and in the file: the newest rows have to be signed, and the file has to be there once
/// something was.
///
/// # Errors
/// When rows or file cannot be read; a broken chain is a verdict.
pub async fn verify(db: &Db, keys: &Keys, file: &Path) -> Result<Verdict> {
    let store = Store { db: db.clone() };
    // Links are committed with the checkpoint that signs them: what the chain has now is signed by what is read after.
    let end = store.chain_end().await?;
    let kept = read_checkpoints(file).await?;
    let stored = store.checkpoints(i64::MAX).await?;
    if kept.is_none() && !stored.is_empty() {
        let fault = Fault::NoCopy { file: file.display().to_string() };
        return Ok(Verdict(Report { rows: 0, archived: 0, checkpoints: stored.len(), fault: Some(fault) }));
    }
    let mut checkpoints = kept.unwrap_or_default();
    checkpoints.extend(stored.into_iter().map(|checkpoint| Checkpoint {
        position: checkpoint.position,
        event_id: checkpoint.event_id,
        hash: checkpoint.hash,
        signature: checkpoint.signature,
        key_id: checkpoint.key_id,
        at_us: i64::try_from(checkpoint.at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX),
    }));
    let signed = checkpoints.iter().map(|checkpoint| checkpoint.position).max().unwrap_or(0);
    let key = signing_key(keys).verifying_key();
    let mut verifier = Verifier::new(&key, checkpoints);
    let mut archived = 0;
    for archive in store.archives(i64::MAX).await?.into_iter().rev().map(archive) {
        // Each begins where the one before ended.
        if archive.first != archived + 1 {
            let fault = Fault::Archive { last: archive.last, key_id: archive.key_id };
            return Ok(Verdict(Report { fault: Some(fault), ..verifier.finish() }));
        }
        archived = archive.last;
        verifier = verifier.after(&key, &archive);
    }
    // From the first that is there: one that came back behind an archive's end is none of ours. The next rows are read while these are hashed.
    let read = |after: i64| {
        let store = store.clone();
        tokio::spawn(async move { store.linked(after, BATCH).await })
    };
    let mut next = read(0);
    loop {
        let links = next.await.map_err(AppError::internal)??;
        let Some(last) = links.last() else { break };
        next = read(last.0);
        for (position, event_id, hash, row) in links {
            let hash = hash.try_into().map_err(|_| AppError::internal("a link is not 32 bytes"))?;
            if !verifier.take(&Linked { position, event_id, hash, row }) {
                return Ok(Verdict(verifier.finish()));
            }
        }
    }
    let mut report = verifier.finish();
    if report.fault.is_none() && signed < end {
        report.fault = Some(Fault::Unsigned { signed, last: end });
    }
    if report.fault.is_none()
        && let Some(event_id) = store.never_linked().await?
    {
        report.fault = Some(Fault::Unsealed { event_id });
    }
    Ok(Verdict(report))
}

/// As it was signed.
pub(super) fn archive(out: ArchiveOut) -> Archive {
    let ArchiveOut { first, last, event_id, hash, sha256, at_us, signature, key_id } = out;
    Archive { first, last, event_id, hash, sha256, at_us, signature, key_id }
}

/// The id of the key that signed the newest checkpoint; none before the first.
///
/// # Errors
/// When the database is away.
pub async fn last_key_id(db: &Db) -> Result<Option<String>> {
    let newest = Store { db: db.clone() }.checkpoints(1).await?;
    Ok(newest.into_iter().next().map(|checkpoint| checkpoint.key_id))
}

/// None when the file is not there.
pub(super) async fn read_checkpoints(file: &Path) -> Result<Option<Vec<Checkpoint>>> {
    let text = match tokio::fs::read_to_string(file).await {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(AppError::internal(format!("{}: {error}", file.display()))),
    };
    // The last line may be half written after a power cut.
    let mut lines: Vec<&str> = text.lines().collect();
    if !text.ends_with('\n') {
        lines.pop();
    }
    let read = |line: &str| {
        serde_json::from_str(line).map_err(|error| AppError::internal(format!("{}: {error}", file.display())))
    };
    lines.into_iter().map(read).collect::<Result<Vec<_>>>().map(Some)
}
