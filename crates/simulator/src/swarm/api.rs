//! Calls to the Engine API.

use super::engine::Engine;
use super::model::{State, Task};
use super::{logs, orchestrator};
use crate::behaviour::Behaviour;
use crate::call::{self, Call};
use crate::object::text;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// The version of the API, and the oldest that clients may ask for.
const API: &str = "1.49";

fn refuse(status: StatusCode, message: &str) -> Response {
    call::json(status, &json!({"message": message}))
}

pub(crate) fn injected(status: u16) -> Response {
    refuse(StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE), "simulated fault")
}

pub(crate) fn answer(engine: &Arc<Engine>, call: &Call) -> Response {
    let parts: Vec<&str> = call.path.split('/').filter(|part| !part.is_empty()).collect();
    // `/v1.49/services` and `/services` are the same.
    let versioned = parts.first().is_some_and(|first| {
        first.strip_prefix('v').is_some_and(|rest| rest.starts_with(|sign: char| sign.is_ascii_digit()))
    });
    let parts = if versioned { &parts[1..] } else { &parts[..] };
    match (&call.method, parts) {
        (&Method::GET | &Method::HEAD, ["_ping"]) => call::plain(StatusCode::OK, "OK"),
        (&Method::POST, ["services", "create"]) => create(engine, call),
        (&Method::POST, ["services", id, "update"]) => update(engine, id, call),
        (&Method::DELETE, ["services", id]) => remove(engine, id),
        (&Method::GET, ["events"]) => events(engine, call),
        (&Method::GET, parts) => read(engine, parts, call),
        _ => refuse(StatusCode::NOT_FOUND, "page not found"),
    }
}

fn read(engine: &Engine, parts: &[&str], call: &Call) -> Response {
    let state = engine.state.lock();
    let found = match parts {
        ["version"] => {
            Some(json!({"Version": engine.world.version, "ApiVersion": API, "MinAPIVersion": "1.24", "Os": "linux",
                                   "Arch": "amd64", "Platform": {"Name": "Docker Engine (simulated)"}}))
        }
        ["info"] => {
            Some(json!({"ID": "simulated", "Name": "simulated", "ServerVersion": engine.world.version, "Swarm": {
            "NodeID": "simulatednode1", "LocalNodeState": "active", "ControlAvailable": true, "Error": "",
            "Nodes": engine.world.nodes, "Managers": 1}}))
        }
        ["secrets" | "configs" | "networks"] => Some(json!([])),
        ["nodes"] => Some(nodes(&engine.world.version, engine.world.nodes)),
        ["services"] => Some(services(&state, call)),
        ["services", id] => state.find(id).map(super::model::Service::show),
        ["services", id, "logs"] => return service_logs(&state, id, call),
        ["tasks"] => Some(tasks(&state, call)),
        ["tasks", id] => state.tasks.iter().find(|task| task.id == *id).map(Task::show),
        ["tasks", id, "logs"] => match state.tasks.iter().find(|task| task.id == *id) {
            Some(task) => return frames(logs::read(task, call)),
            None => None,
        },
        ["images", name @ .., "json"] => image(&name.join("/")),
        ["containers", id, "json"] => state.tasks.iter().find(|task| task.container == *id).map(container),
        _ => None,
    };
    match found {
        Some(value) => call::json(StatusCode::OK, &value),
        None => refuse(StatusCode::NOT_FOUND, &not_found(parts)),
    }
}

fn not_found(parts: &[&str]) -> String {
    match parts {
        ["services", id, ..] => format!("service {id} not found"),
        ["tasks", id, ..] => format!("task {id} not found"),
        ["images", name @ .., "json"] => format!("No such image: {}", name.join("/")),
        ["containers", id, ..] => format!("No such container: {id}"),
        _ => "page not found".into(),
    }
}

/// `filters` is a JSON object of lists, or of objects with true values from older clients.
fn filter(call: &Call, name: &str) -> Option<Vec<String>> {
    let filters: Value = serde_json::from_str(call.parameter("filters")?).ok()?;
    match &filters[name] {
        Value::Array(all) => Some(all.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        Value::Object(all) => Some(all.keys().cloned().collect()),
        _ => None,
    }
}

fn services(state: &State, call: &Call) -> Value {
    let (ids, names, labels) = (filter(call, "id"), filter(call, "name"), filter(call, "label"));
    let found = state.services.values().filter(|service| {
        let by_id = ids.as_ref().is_none_or(|ids| ids.iter().any(|id| service.id.starts_with(id)));
        let by_name = names.as_ref().is_none_or(|names| names.iter().any(|name| service.name().starts_with(name)));
        let has = |label: &String| match label.split_once('=') {
            Some((key, value)) => service.spec["Labels"][key] == value,
            None => service.spec["Labels"].get(label).is_some(),
        };
        by_id && by_name && labels.as_ref().is_none_or(|labels| labels.iter().all(has))
    });
    let with_status = call.is_set("status");
    found
        .map(|service| {
            let mut shown = service.show();
            if with_status {
                let running = state.tasks.iter().filter(|task| task.service == service.id && task.state == "running");
                shown["ServiceStatus"] = json!({"RunningTasks": running.count(), "DesiredTasks": service.replicas()});
            }
            shown
        })
        .collect()
}

fn tasks(state: &State, call: &Call) -> Value {
    let (ids, services, desired) = (filter(call, "id"), filter(call, "service"), filter(call, "desired-state"));
    let of_service = |task: &Task, wanted: &String| {
        task.service == *wanted || state.find(wanted).is_some_and(|service| service.id == task.service)
    };
    let found = state.tasks.iter().filter(|task| {
        ids.as_ref().is_none_or(|ids| ids.iter().any(|id| task.id.starts_with(id)))
            && services.as_ref().is_none_or(|all| all.iter().any(|wanted| of_service(task, wanted)))
            && desired.as_ref().is_none_or(|all| all.iter().any(|wanted| wanted == task.desired))
    });
    found.map(Task::show).collect()
}

fn nodes(version: &str, count: u32) -> Value {
    let node = |number: u32| {
        json!({"ID": format!("simulatednode{number}"), "Spec": {"Role": if number == 1 { "manager" } else { "worker" }, "Availability": "active"},
               "Description": {"Hostname": format!("node-{number}"), "Engine": {"EngineVersion": version}},
               "Status": {"State": "ready", "Addr": "127.0.0.1"}})
    };
    (1..=count.max(1)).map(node).collect()
}

fn image(name: &str) -> Option<Value> {
    if Behaviour::of(name) == Behaviour::Missing {
        return None;
    }
    let digest = crate::dice::digest(name);
    Some(json!({
        "Id": digest, "RepoTags": [name], "RepoDigests": [format!("{}@{digest}", name.split('@').next().unwrap_or(name))],
        "Architecture": "amd64", "Os": "linux", "Config": {"User": "10001", "ExposedPorts": {"8080/tcp": {}}},
    }))
}

fn container(task: &Task) -> Value {
    let unhealthy = matches!(task.behaviour(), Behaviour::Unready | Behaviour::Unhealthy);
    let health = if unhealthy {
        json!({"Status": "unhealthy", "FailingStreak": 3, "Log": [{"ExitCode": 1, "Output": "GET /healthz: 503 Service Unavailable"}]})
    } else {
        json!({"Status": if task.is_over() { "unhealthy" } else { "healthy" }, "FailingStreak": 0, "Log": []})
    };
    json!({"Id": task.container, "Image": task.image(), "State": {
        "Status": if task.is_over() { "exited" } else { "running" }, "Running": !task.is_over(), "OOMKilled": false,
        "ExitCode": task.exit_code, "Health": health}})
}

fn frames(bytes: Vec<u8>) -> Response {
    call::with_type(StatusCode::OK, "application/vnd.docker.multiplexed-stream", Body::from(bytes))
}

fn service_logs(state: &State, id: &str, call: &Call) -> Response {
    let Some(service) = state.find(id) else {
        return refuse(StatusCode::NOT_FOUND, &format!("service {id} not found"));
    };
    let tasks = state.tasks.iter().filter(|task| task.service == service.id);
    frames(tasks.flat_map(|task| logs::read(task, call)).collect())
}

/// The specification in the body, with what Swarm insists on.
fn spec(call: &Call) -> Result<Value, Box<Response>> {
    let spec: Value = serde_json::from_slice(&call.body)
        .map_err(|error| Box::new(refuse(StatusCode::BAD_REQUEST, &format!("invalid JSON: {error}"))))?;
    let bad =
        |message: &str| refuse(StatusCode::BAD_REQUEST, &format!("rpc error: code = InvalidArgument desc = {message}"));
    if text(&spec, "/Name").is_empty() {
        return Err(Box::new(bad("meta: name must be provided")));
    }
    if text(&spec, "/TaskTemplate/ContainerSpec/Image").is_empty() {
        return Err(Box::new(bad("ContainerSpec: image reference must be provided")));
    }
    Ok(spec)
}

fn create(engine: &Engine, call: &Call) -> Response {
    let spec = match spec(call) {
        Ok(spec) => spec,
        Err(response) => return *response,
    };
    let name = text(&spec, "/Name").to_owned();
    let mut state = engine.state.lock();
    if state.services.values().any(|service| service.name() == name) {
        let message = format!(
            "rpc error: code = AlreadyExists desc = name conflicts with an existing object: service {name} already exists"
        );
        return call::wrote(refuse(StatusCode::CONFLICT, &message), format!("services/{name}"), false);
    }
    let id = state.create(spec, OffsetDateTime::now_utc());
    engine.changed.notify_one();
    call::wrote(call::json(StatusCode::CREATED, &json!({"ID": id})), format!("services/{name}"), true)
}

fn update(engine: &Engine, id: &str, call: &Call) -> Response {
    let now = OffsetDateTime::now_utc();
    let mut state = engine.state.lock();
    let Some(service) = state.find(id).cloned() else {
        return refuse(StatusCode::NOT_FOUND, &format!("service {id} not found"));
    };
    let object = format!("services/{}", service.name());
    let refused = |status, message: &str| call::wrote(refuse(status, message), object.clone(), false);
    if call.parameter("version").and_then(|version| version.parse::<u64>().ok()) != Some(service.index) {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "rpc error: code = Unknown desc = update out of sequence");
    }
    let rollback = call.parameter("rollback") == Some("previous");
    let spec = match (rollback, &service.previous) {
        (true, Some(previous)) => previous.clone(),
        (true, None) => {
            let message = format!(
                "rpc error: code = FailedPrecondition desc = service {} does not have a previous spec",
                service.id
            );
            return refused(StatusCode::BAD_REQUEST, &message);
        }
        (false, _) => match spec(call) {
            Ok(spec) => spec,
            Err(response) => return call::wrote(*response, object, false),
        },
    };
    if text(&spec, "/Name") != service.name() {
        let message = "rpc error: code = Unimplemented desc = renaming services is not supported";
        return refused(StatusCode::INTERNAL_SERVER_ERROR, message);
    }
    let effect = spec["TaskTemplate"] != service.spec["TaskTemplate"] || spec["Mode"] != service.spec["Mode"];
    orchestrator::change(&mut state, &service.id, spec, rollback, now);
    engine.changed.notify_one();
    call::wrote(call::json(StatusCode::OK, &json!({"Warnings": null})), object.clone(), effect)
}

fn remove(engine: &Engine, id: &str) -> Response {
    let mut state = engine.state.lock();
    let Some(service) = state.find(id).cloned() else {
        return refuse(StatusCode::NOT_FOUND, &format!("service {id} not found"));
    };
    state.services.remove(&service.id);
    state.events.service("remove", &service, OffsetDateTime::now_utc());
    engine.changed.notify_one();
    call::wrote(call::json(StatusCode::OK, &json!({})), format!("services/{}", service.name()), true)
}

fn events(engine: &Arc<Engine>, call: &Call) -> Response {
    let (kinds, actions) = (filter(call, "type"), filter(call, "event"));
    let mut incoming = engine.state.lock().events.subscribe();
    let (send, receive) = mpsc::channel::<Result<Bytes, Infallible>>(64);
    let engine = Arc::clone(engine);
    tokio::spawn(async move {
        let faults = Arc::clone(&engine.faults);
        let forward = async {
            while let Ok(event) = incoming.recv().await {
                let wanted = |list: &Option<Vec<String>>, field: &str| {
                    list.as_ref().is_none_or(|list| list.iter().any(|one| event[field] == one.as_str()))
                };
                if wanted(&kinds, "Type") && wanted(&actions, "Action") {
                    faults.thawed(&engine.prefix, false).await;
                    if send.send(Ok(Bytes::from(format!("{event}\n")))).await.is_err() {
                        return;
                    }
                }
            }
        };
        tokio::select! {
            () = forward => {}
            () = send.closed() => {}
            () = faults.cut_asked() => {}
        }
    });
    call::with_type(StatusCode::OK, "application/json", Body::from_stream(ReceiverStream::new(receive)))
}
