//! Creating and patching services: new revisions, traffic, etags.

use super::resource::{LATEST, Operation, REVISION, State, revision_name};
use crate::object::{default, int, list, text};
use crate::pace::stamp_nanos;
use axum::http::StatusCode;
use serde_json::{Value, json};
use time::OffsetDateTime;

/// A refusal: HTTP status, Google's status name, text.
pub(crate) type Refused = (StatusCode, &'static str, String);

/// Fields that clients may change.
const FIELDS: [&str; 9] =
    ["annotations", "client", "clientVersion", "description", "ingress", "labels", "scaling", "template", "traffic"];

pub(crate) fn create(state: &mut State, name: &str, mut service: Value, now: OffsetDateTime) -> String {
    let short = name.rsplit('/').next().unwrap_or(name).to_owned();
    service["name"] = json!(name);
    service["uid"] = json!(state.dice.uuid());
    service["createTime"] = json!(stamp_nanos(now));
    service["uri"] = json!(format!("https://{short}-simulated-ew.a.run.app"));
    service["generation"] = json!("0");
    default(&mut service, &["traffic"], || json!([{"type": LATEST, "percent": 100}]));
    begin(state, name, service, true, now)
}

/// Changes the masked fields; answers the operation's name and whether anything that runs changed.
pub(crate) fn patch(
    state: &mut State,
    name: &str,
    body: &Value,
    mask: Option<&str>,
    validate_only: bool,
    now: OffsetDateTime,
) -> Result<(String, bool), Refused> {
    let Some(before) = state.services.get(name).cloned() else {
        return Err((StatusCode::NOT_FOUND, "NOT_FOUND", format!("Resource '{name}' was not found")));
    };
    let (asked, current) = (text(body, "/etag"), text(&before, "/etag"));
    if !asked.is_empty() && asked != current {
        let message = format!(
            "Conflict for resource '{name}': version '{asked}' was specified but current version is '{current}'."
        );
        return Err((StatusCode::CONFLICT, "ABORTED", message));
    }
    let mut after = before.clone();
    match mask.filter(|mask| !mask.is_empty() && *mask != "*") {
        None => FIELDS.iter().for_each(|field| copy(&mut after, body, &[field])),
        Some(mask) => {
            for path in mask.split(',') {
                let path = camel(path.trim());
                let parts: Vec<&str> = path.split('.').collect();
                if !FIELDS.contains(&parts[0]) {
                    return Err(invalid(format!("Invalid field path in update_mask: {path}")));
                }
                copy(&mut after, body, &parts);
            }
        }
    }
    check(state, name, &before, &mut after)?;
    let rolls = after["template"] != before["template"];
    let effect = rolls || after["traffic"] != before["traffic"];
    if validate_only {
        return Ok((String::new(), false));
    }
    Ok((begin(state, name, after, rolls, now), effect))
}

fn invalid(message: String) -> Refused {
    (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
}

/// Masks may come in snake case.
fn camel(path: &str) -> String {
    let mut up = false;
    let convert = |sign: char| match sign {
        '_' => {
            up = true;
            None
        }
        sign if std::mem::take(&mut up) => Some(sign.to_ascii_uppercase()),
        sign => Some(sign),
    };
    path.chars().filter_map(convert).collect()
}

fn copy(after: &mut Value, body: &Value, path: &[&str]) {
    let pointer: String = path.iter().map(|part| format!("/{part}")).collect();
    match body.pointer(&pointer) {
        Some(value) => crate::object::set(after, path, value.clone()),
        None => drop(crate::object::remove(after, path)),
    }
}

fn check(state: &State, name: &str, before: &Value, after: &mut Value) -> Result<(), Refused> {
    if text(after, "/template/containers/0/image").is_empty() {
        return Err(invalid("template.containers[0].image: is required".into()));
    }
    default(after, &["traffic"], || json!([{"type": LATEST, "percent": 100}]));
    let wanted = text(after, "/template/revision").to_owned();
    let known = |revision: &str| state.revisions.contains_key(&revision_name(name, revision));
    let short = name.rsplit('/').next().unwrap_or(name);
    if !wanted.is_empty() && after["template"] != before["template"] {
        if !wanted.starts_with(&format!("{short}-")) {
            return Err(invalid(format!("template.revision: must start with '{short}-'")));
        }
        if known(&wanted) {
            let message = format!("Revision named '{wanted}' with different configuration already exists.");
            return Err((StatusCode::CONFLICT, "ALREADY_EXISTS", message));
        }
    }
    let percent: i64 = list(after, "/traffic").iter().map(|target| int(target, "/percent", 0)).sum();
    if percent != 100 {
        return Err(invalid(format!("traffic: the percentages add up to {percent}, not 100")));
    }
    for target in list(after, "/traffic").iter().filter(|target| target["type"] == REVISION) {
        let revision = text(target, "/revision");
        if !known(revision) && revision != wanted {
            return Err(invalid(format!("traffic: Revision '{revision}' not found.")));
        }
    }
    Ok(())
}

fn begin(state: &mut State, name: &str, mut service: Value, rolls: bool, now: OffsetDateTime) -> String {
    let generation = text(&service, "/generation").parse::<u64>().unwrap_or(0) + 1;
    service["generation"] = json!(generation.to_string());
    service["updateTime"] = json!(stamp_nanos(now));
    service["etag"] = json!(format!("\"{}\"", state.dice.hex(12)));
    service["reconciling"] = json!(true);
    service["terminalCondition"] =
        json!({"type": "Ready", "state": "CONDITION_RECONCILING", "lastTransitionTime": stamp_nanos(now)});
    let revision = rolls.then(|| new_revision(state, name, &mut service, generation, now));
    let seconds = if rolls { 8.0 } else { 2.0 };
    let due = now + state.pace.seconds(state.dice.around(seconds));
    let place = name.split("/services/").next().unwrap_or(name);
    let operation = format!("{place}/operations/{}", state.dice.uuid());
    state.services.insert(name.to_owned(), service);
    state.operations.insert(operation.clone(), Operation { service: name.to_owned(), revision, due, outcome: None });
    operation
}

fn new_revision(state: &mut State, name: &str, service: &mut Value, generation: u64, now: OffsetDateTime) -> String {
    let short = name.rsplit('/').next().unwrap_or(name);
    let given = text(service, "/template/revision");
    let given =
        if given.is_empty() { format!("{short}-{generation:05}-{}", state.dice.suffix(3)) } else { given.to_owned() };
    let full = revision_name(name, &given);
    let mut revision = service["template"].clone();
    crate::object::remove(&mut revision, &["revision"]);
    for (field, value) in [
        ("name", json!(full)),
        ("uid", json!(state.dice.uuid())),
        ("service", json!(short)),
        ("generation", json!("1")),
        ("createTime", json!(stamp_nanos(now))),
        ("reconciling", json!(true)),
        ("etag", json!(format!("\"{}\"", state.dice.hex(12)))),
        (
            "conditions",
            json!([{"type": "Ready", "state": "CONDITION_RECONCILING", "lastTransitionTime": stamp_nanos(now)}]),
        ),
    ] {
        revision[field] = value;
    }
    state.revisions.insert(full.clone(), revision);
    service["latestCreatedRevision"] = json!(full);
    full
}
