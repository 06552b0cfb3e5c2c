//! Verifies an export away from the portal: with the file, the public key, and nothing else.

use super::store::micros;
use super::verify::{Verdict, archive, read_checkpoints};
use crate::kernel::{AppError, Keys, Result};
use passerelle_audit_chain::{Checkpoint, Fault, Hash, Linked, Report, Row, Verifier, VerifyingKey};
use passerelle_contract::audit::ExportedEvent;
use passerelle_contract::text;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The public half of the key that this installation signs with.
#[must_use]
pub fn public_key(keys: &Keys) -> VerifyingKey {
    super::sealer::signing_key(keys).verifying_key()
}

/// Verifies a whole export (JSON lines, no filter). Checkpoints kept elsewhere also find rows that were cut off at its newest end.
///
/// # Errors
/// When a file cannot be read or is no export; rows that do not hold are a verdict.
pub async fn verify_export(file: &Path, key: &VerifyingKey, checkpoints: Option<&Path>) -> Result<Verdict> {
    let text = tokio::fs::read_to_string(file).await;
    let text = text.map_err(|error| AppError::internal(format!("{}: {error}", file.display())))?;
    let kept = match checkpoints {
        Some(path) => {
            let kept = read_checkpoints(path).await?;
            kept.ok_or_else(|| AppError::internal(format!("{} is not there", path.display())))?
        }
        None => Vec::new(),
    };
    verify_lines(&text, key, kept)
}

/// Lines as an export has them (newest first), or as a stream and an archive have them (in the order of the chain; a stream may repeat itself).
///
/// # Errors
/// When a line is no exported row, or there is none.
pub fn verify_lines(text: &str, key: &VerifyingKey, kept: Vec<Checkpoint>) -> Result<Verdict> {
    let read = read_lines(text)?;
    if let Some(fault) = order(&read) {
        return Ok(bad(fault));
    }
    let (mut links, mut checkpoints) = (BTreeMap::new(), kept);
    for (index, exported) in read.into_iter().enumerate() {
        let event_id = exported.event.id;
        let Some(chain) = exported.chain.clone() else { return Ok(bad(Fault::Unsealed { event_id })) };
        let mut hash: Hash = [0; 32];
        hex::decode_to_slice(&chain.hash, &mut hash)
            .map_err(|_| AppError::field(format!("/lines/{index}"), text!("holds a hash that is none")))?;
        if let Some(signed) = chain.checkpoint {
            checkpoints.push(Checkpoint {
                position: chain.position,
                event_id,
                hash: chain.hash,
                signature: signed.signature,
                key_id: signed.key_id,
                at_us: signed.at_us,
            });
        }
        let linked = Linked { position: chain.position, event_id, hash, row: Some(row(exported)) };
        // A row that was sent twice is there once.
        let before = links.insert((chain.position, event_id), (linked.clone(), chain.follows));
        if before.is_some_and(|(before, _)| before != linked) {
            return Ok(bad(Fault::Inserted { event_id, position: chain.position }));
        }
    }
    let signed = checkpoints.iter().map(|checkpoint| checkpoint.position).max().unwrap_or(0);
    let mut verifier = Verifier::new(key, checkpoints);
    // Behind which archive the chain begins, if the oldest row says so.
    if let Some((_, (_, Some(follows)))) = links.first_key_value() {
        verifier = verifier.after(key, &archive(follows.clone()));
    }
    for (linked, _) in links.values() {
        if !verifier.take(linked) {
            break;
        }
    }
    let mut report = verifier.finish();
    let last = report.archived + report.rows;
    if report.fault.is_none() && signed < last {
        report.fault = Some(Fault::Unsigned { signed, last });
    }
    Ok(Verdict::new(report))
}

fn read_lines(text: &str) -> Result<Vec<ExportedEvent>> {
    let read = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| {
            let what = text!("is not an exported row: {error}", error = error.to_string());
            AppError::field(format!("/lines/{index}"), what)
        })
    };
    let lines: Vec<ExportedEvent> = text.lines().enumerate().map(read).collect::<Result<_>>()?;
    if lines.is_empty() {
        return Err(AppError::field("/lines", text!("holds no row, so there is nothing to verify")));
    }
    Ok(lines)
}

/// The first row that does not stand where it was written.
fn order(lines: &[ExportedEvent]) -> Option<Fault> {
    let position = |exported: &ExportedEvent| exported.chain.as_ref().map(|chain| chain.position);
    let ends = lines.first().and_then(position).zip(lines.last().and_then(position));
    let wrong = |exported: &ExportedEvent| Fault::Order { event_id: exported.event.id };
    if ends.is_some_and(|(first, last)| first < last) {
        // In the order of the chain; a stream may send again what it sent before, and nothing that it did not.
        let (mut seen, mut furthest) = (BTreeSet::new(), i64::MIN);
        return lines.iter().find_map(|exported| {
            let position = position(exported)?;
            let late = position < furthest && !seen.contains(&position);
            furthest = furthest.max(position);
            seen.insert(position);
            late.then(|| wrong(exported))
        });
    }
    lines.windows(2).find(|pair| pair[1].event.id >= pair[0].event.id).map(|pair| wrong(&pair[1]))
}

fn bad(fault: Fault) -> Verdict {
    Verdict::new(Report { rows: 0, archived: 0, checkpoints: 0, fault: Some(fault) })
}

/// The row as it was hashed. Its JSON was written by the same program, so it reads and writes to the same text.
fn row(exported: ExportedEvent) -> Row {
    let event = exported.event;
    let text = |value: Option<Value>| value.map(|value| value.to_string());
    Row {
        id: event.id,
        at_us: micros(event.at),
        actor: event.actor,
        via: event.via,
        action: event.action,
        object: event.object,
        service: event.service,
        environment: event.environment,
        reason: event.reason,
        before: text(event.before),
        after: text(event.after),
        request_id: event.request_id,
        outcome: event.outcome.as_str().to_owned(),
    }
}
