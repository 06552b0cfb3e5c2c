//! `passerelle audit archive`: moves the oldest rows into a signed file and takes them out of the tables.
//!
//! The chain is verified first, the file is on disk and verified before anything goes, and the portal signs where the chain goes on. It is the
//! only way in which rows leave the tables; the owner of the tables does it, the application cannot.

use super::formats::Format;
use super::offline::verify_export;
use super::sealer::signing_key;
use super::store::{Store, archives, sealing};
use super::verify::verify;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Db, Keys, Object, Result};
use passerelle_audit_chain::Archive;
use passerelle_contract::Text;
use passerelle_contract::audit::{ArchiveOut, ExportedEvent, Outcome, SignatureOut};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

const BATCH: i64 = 1000;
/// Rows are committed seconds after their time; whatever is younger may still get neighbours.
const LEAST_AGE: Duration = Duration::days(1);

/// What is to be archived, and where to.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Rows that are older go.
    pub before: OffsetDateTime,
    pub folder: PathBuf,
    /// The file of checkpoints in the data folder.
    pub checkpoints: PathBuf,
    /// Ids of the streams of the configuration, which must have had the rows.
    pub streams: Vec<String>,
}

/// What went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    pub file: PathBuf,
    pub rows: i64,
    /// Partitions that were dropped as a whole.
    pub months: usize,
}

/// Archives every row from the beginning of the chain that is older than wanted; `None` when there is none.
///
/// # Errors
/// When the audit does not hold, a stream has not had the rows, the file cannot be written, or the database's role owns no tables. Nothing is
/// gone then.
pub async fn archive(db: &Db, keys: &Keys, ctx: &Ctx, wanted: &Wanted) -> Result<Option<Archived>> {
    if wanted.before > OffsetDateTime::now_utc() - LEAST_AGE {
        return Err(refused("rows of the last day stay: name an earlier time".to_owned()));
    }
    let verdict = verify(db, keys, &wanted.checkpoints).await?;
    if !verdict.is_good() {
        return Err(refused(format!("nothing is archived: {verdict}")));
    }
    let store = Store { db: db.clone() };
    let before = store.archives(1).await?.into_iter().next();
    let first = before.as_ref().map_or(1, |archive| archive.last + 1);
    let Some(last) = store.older_to(wanted.before).await?.filter(|last| *last >= first) else { return Ok(None) };
    for stream in &wanted.streams {
        let had = store.progress().await?.iter().find(|progress| &progress.id == stream).map_or(0, |p| p.position);
        if had < last {
            let why = format!("nothing is archived: the stream {stream} has had the rows to {had} only, of {last}");
            return Err(refused(why));
        }
    }
    let authorized = db.authorize(ctx, Action::AuditArchive, Object::new("audit", format!("{first}-{last}"))).await?;
    db.record(ctx, &authorized, AuditEntry::new(Outcome::Intent)).await?;
    let file = wanted.folder.join(format!("audit-{first}-{last}.jsonl"));
    let done = move_out(&store, keys, before, (first, last), &file, wanted.before).await;
    let entry = match &done {
        Ok((archive, rows, _)) => {
            let told = json!({"file": file.display().to_string(), "sha256": archive.sha256, "rows": rows});
            AuditEntry::success().after(told)
        }
        Err(error) => AuditEntry::new(Outcome::Failure).reason(error.to_string()),
    };
    db.record(ctx, &authorized, entry).await?;
    done.map(|(_, rows, months)| Some(Archived { file, rows, months }))
}

async fn move_out(
    store: &Store,
    keys: &Keys,
    before: Option<ArchiveOut>,
    (first, last): (i64, i64),
    file: &Path,
    moment: OffsetDateTime,
) -> Result<(Archive, i64, usize)> {
    let key = signing_key(keys);
    if file.exists() && !verify_export(file, &key.verifying_key(), None).await?.is_good() {
        return Err(refused(format!("{} is there already, and is not ours", file.display())));
    }
    // One of ours was left by an attempt that moved nothing: with these positions it holds the same rows.
    let mut writing = Writing::begin(file)?;
    let mut end = None;
    let mut after = first - 1;
    while after < last {
        let mut batch = store.chained(after, last, BATCH).await?;
        let Some(newest) = batch.last_mut() else {
            return Err(AppError::internal(format!("the row at position {} is not there", after + 1)));
        };
        let (position, event_id, hash) = place(newest)?;
        after = position;
        if position == last {
            sign(newest, &key, (position, event_id, &hash));
            end = Some((event_id, hash));
        }
        archives::tell_what_follows(&mut batch, before.as_slice());
        writing.lines(&batch)?;
    }
    let sha256 = writing.end(file)?;
    let verdict = verify_export(file, &key.verifying_key(), None).await?;
    let (Some((event_id, hash)), true) = (end, verdict.is_good()) else {
        return Err(AppError::internal(format!("{} was not written well: {verdict}", file.display())));
    };
    let unsigned = Archive {
        first,
        last,
        event_id,
        hash,
        sha256,
        at_us: now_us(),
        signature: String::new(),
        key_id: String::new(),
    };
    let archive = key.sign_archive(unsigned);
    // The role that the pool signs in as, which owns the tables, before it becomes the application's.
    let mut owner = PgConnection::connect_with(&store.db.pool().connect_options()).await?;
    let mut tx = owner.begin().await?;
    sealing::wait_for_lock(&mut tx).await?;
    let (rows, months) = archives::take_out(&mut tx, &archive, moment).await?;
    if rows != last - first + 1 {
        let why = format!("{rows} rows would go, but {} are in the file: nothing is gone", last - first + 1);
        return Err(refused(why));
    }
    tx.commit().await?;
    Ok((archive, rows, months))
}

/// Said on the command line, which speaks English only.
fn refused(why: String) -> AppError {
    AppError::Conflict(Text::verbatim(why))
}

fn place(exported: &ExportedEvent) -> Result<(i64, i64, String)> {
    let chain = exported.chain.as_ref().ok_or_else(|| AppError::internal("a row of the chain has no place in it"))?;
    Ok((chain.position, exported.event.id, chain.hash.clone()))
}

/// The last row of a file is signed, so that the file can be verified by itself.
fn sign(
    exported: &mut ExportedEvent,
    key: &passerelle_audit_chain::SigningKey,
    (position, event_id, hash): (i64, i64, &str),
) {
    let mut bytes = [0; 32];
    if let (Some(chain), Ok(())) = (exported.chain.as_mut(), hex::decode_to_slice(hash, &mut bytes)) {
        let signed = key.sign(position, event_id, &bytes, now_us());
        let signature = SignatureOut { signature: signed.signature, key_id: signed.key_id, at_us: signed.at_us };
        chain.checkpoint = Some(signature);
    }
}

fn now_us() -> i64 {
    i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

/// A file that has its name only once it is whole.
struct Writing {
    part: PathBuf,
    file: std::fs::File,
    digest: Sha256,
}

impl Writing {
    fn begin(file: &Path) -> Result<Self> {
        let part = file.with_extension("part");
        let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let opened = opened.map_err(|error| refused(format!("{}: {error}", part.display())))?;
        Ok(Self { part, file: opened, digest: Sha256::new() })
    }

    fn lines(&mut self, batch: &[ExportedEvent]) -> Result<()> {
        let lines: String = batch.iter().map(|exported| Format::Jsonl.line(exported)).collect();
        self.digest.update(&lines);
        self.file.write_all(lines.as_bytes()).map_err(AppError::internal)
    }

    /// On disk, under its name; its SHA-256.
    fn end(self, file: &Path) -> Result<String> {
        self.file.sync_all().map_err(AppError::internal)?;
        std::fs::rename(&self.part, file).map_err(AppError::internal)?;
        Ok(hex::encode(self.digest.finalize()))
    }
}
