//! Verifies an export away from the portal: with the file, the public key, and nothing else.

use super::store::micros;
use super::verify::{Verdict, read_checkpoints};
use crate::kernel::{AppError, Keys, Result};
use passerelle_audit_chain::{Checkpoint, Fault, Hash, Linked, Report, Row, Verifier, VerifyingKey};
use passerelle_contract::audit::ExportedEvent;
use passerelle_contract::{Text, text};
use serde_json::Value;
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

/// # Errors
/// When a line is no exported row, or there is none.
pub fn verify_lines(text: &str, key: &VerifyingKey, kept: Vec<Checkpoint>) -> Result<Verdict> {
    let mut links = Vec::new();
    let mut checkpoints = kept;
    let mut above = i64::MAX;
    for (index, line) in text.lines().enumerate() {
        let wrong = |what: Text| AppError::field(format!("/lines/{index}"), what);
        let exported: ExportedEvent = serde_json::from_str(line)
            .map_err(|error| wrong(text!("is not an exported row: {error}", error = error.to_string())))?;
        let event_id = exported.event.id;
        if event_id >= above {
            return Ok(bad(Fault::Order { event_id }));
        }
        above = event_id;
        let Some(chain) = &exported.chain else { return Ok(bad(Fault::Unsealed { event_id })) };
        let mut hash: Hash = [0; 32];
        hex::decode_to_slice(&chain.hash, &mut hash).map_err(|_| wrong(text!("holds a hash that is none")))?;
        if let Some(signed) = &chain.checkpoint {
            checkpoints.push(Checkpoint {
                position: chain.position,
                event_id,
                hash: chain.hash.clone(),
                signature: signed.signature.clone(),
                key_id: signed.key_id.clone(),
                at_us: signed.at_us,
            });
        }
        links.push(Linked { position: chain.position, event_id, hash, row: Some(row(exported)) });
    }
    if links.is_empty() {
        return Err(AppError::field("/lines", text!("holds no row, so there is nothing to verify")));
    }
    // Rows that were committed late stand behind younger ones in the chain.
    links.sort_by_key(|linked| (linked.position, linked.event_id));
    let signed = checkpoints.iter().map(|checkpoint| checkpoint.position).max().unwrap_or(0);
    let mut verifier = Verifier::new(key, checkpoints);
    for linked in &links {
        if !verifier.take(linked) {
            break;
        }
    }
    let mut report = verifier.finish();
    if report.fault.is_none() && signed < report.rows {
        report.fault = Some(Fault::Unsigned { signed, last: report.rows });
    }
    Ok(Verdict::new(report))
}

fn bad(fault: Fault) -> Verdict {
    Verdict::new(Report { rows: 0, checkpoints: 0, fault: Some(fault) })
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
