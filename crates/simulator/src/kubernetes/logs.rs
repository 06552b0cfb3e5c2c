//! What a container wrote.

use super::pod::{PodSim, Stage, is_job};
use super::refusal::Refusal;
use crate::behaviour::{self, Behaviour};
use crate::call::Call;
use crate::object::{list, text};
use crate::pace::{Pace, stamp};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// Access lines kept of a run; a real log is longer, nobody reads it here.
const LINES: i64 = 200;

/// Answers `GET .../pods/NAME/log`.
pub(crate) fn read(pod: &Value, sim: &PodSim, call: &Call, pace: Pace, now: OffsetDateTime) -> Result<String, Refusal> {
    let containers = list(pod, "/spec/containers");
    let wanted = call.parameter("container").unwrap_or_default();
    let name = text(pod, "/metadata/name");
    let at = match containers.iter().position(|container| text(container, "/name") == wanted) {
        Some(at) => at,
        None if wanted.is_empty() && containers.len() == 1 => 0,
        None if wanted.is_empty() => {
            let names: Vec<&str> = containers.iter().map(|container| text(container, "/name")).collect();
            let message =
                format!("a container name must be specified for pod {name}, choose one of: [{}]", names.join(" "));
            return Err(Refusal::bad_request(message));
        }
        None => return Err(Refusal::bad_request(format!("container {wanted} is not valid for pod {name}"))),
    };
    let container = text(&containers[at], "/name");
    let image = text(&containers[at], "/image");
    let focused = at == sim.focus;
    let behaviour = if focused { sim.behaviour } else { Behaviour::Healthy };
    if is_job(pod) && behaviour != Behaviour::Crash {
        let lines =
            of_task(sim, behaviour, image, now).ok_or_else(|| Refusal::bad_request(waiting(container, name, sim)))?;
        return Ok(told(lines, call));
    }
    let lines = if call.is_set("previous") {
        let run = sim.last_run.filter(|_| focused);
        let (from, to) = run.ok_or_else(|| {
            Refusal::bad_request(format!("previous terminated container \"{container}\" in pod \"{name}\" not found"))
        })?;
        written(image, behaviour, from, to, true, pace)
    } else {
        current(sim, behaviour, image, now, pace).ok_or_else(|| Refusal::bad_request(waiting(container, name, sim)))?
    };
    Ok(told(lines, call))
}

/// The last lines, as the parameters ask for them.
fn told(mut lines: Vec<Line>, call: &Call) -> String {
    if let Some(tail) = call.parameter("tailLines").and_then(|count| count.parse::<usize>().ok()) {
        lines.drain(..lines.len().saturating_sub(tail));
    }
    let stamped = call.is_set("timestamps");
    lines
        .into_iter()
        .map(|(at, line)| if stamped { format!("{} {line}\n", stamp(at)) } else { format!("{line}\n") })
        .collect()
}

/// What a migration writes.
fn of_task(sim: &PodSim, behaviour: Behaviour, image: &str, now: OffsetDateTime) -> Option<Vec<Line>> {
    let started = sim.started?;
    let (name, version) = (behaviour::short_name(image), behaviour::version_of(image));
    let mut lines = vec![
        (started, format!("INFO  migrating {name} to {version}")),
        (started, "INFO  applying 0042_add_total".to_owned()),
    ];
    let end = sim.last_run.map_or(now, |(_, end)| end);
    match (&sim.stage, behaviour) {
        (Stage::Finished { ok: true }, _) => lines.push((end, "INFO  done, 1 migration applied".to_owned())),
        (Stage::Finished { ok: false }, Behaviour::FailingTask) => {
            lines.push((end, "ERROR column \"total\" of relation \"orders\" already exists".to_owned()));
            lines.push((end, "FATAL migration failed, exiting with status 1".to_owned()));
        }
        _ => {}
    }
    Some(lines)
}

type Line = (OffsetDateTime, String);

fn current(sim: &PodSim, behaviour: Behaviour, image: &str, now: OffsetDateTime, pace: Pace) -> Option<Vec<Line>> {
    let started = sim.started?;
    Some(match (&sim.stage, sim.last_run) {
        (Stage::Ended | Stage::CrashBackOff | Stage::Finished { .. }, Some((from, to))) => {
            written(image, behaviour, from, to, true, pace)
        }
        _ => written(image, behaviour, started, now, false, pace),
    })
}

fn waiting(container: &str, pod: &str, sim: &PodSim) -> String {
    let why = match sim.stage {
        Stage::PullFailed | Stage::PullBackOff => "trying and failing to pull image",
        Stage::ConfigError(_) => "CreateContainerConfigError",
        _ => "ContainerCreating",
    };
    format!("container \"{container}\" in pod \"{pod}\" is waiting to start: {why}")
}

pub(crate) fn written(
    image: &str,
    behaviour: Behaviour,
    from: OffsetDateTime,
    to: OffsetDateTime,
    over: bool,
    pace: Pace,
) -> Vec<Line> {
    let (name, version) = (behaviour::short_name(image), behaviour::version_of(image));
    let mut lines = vec![(from, format!("INFO  {name} {version} starting"))];
    if behaviour == Behaviour::Crash {
        lines.push((from, "INFO  connecting to the database".into()));
        if over {
            lines.push((to, "ERROR database connection failed: connection refused (attempt 3 of 3)".into()));
            lines.push((to, format!("FATAL {name} cannot start without its database, exiting with status 1")));
        }
        return lines;
    }
    lines.push((from, "INFO  listening on 0.0.0.0:8080".into()));
    let period = pace.seconds(10.0).max(Duration::milliseconds(100));
    let count = ((to - from).as_seconds_f64() / period.as_seconds_f64()).floor() as i64;
    let failing = matches!(behaviour, Behaviour::Unready | Behaviour::Unhealthy);
    for turn in (count - LINES).max(0)..count {
        let at = from + period * i32::try_from(turn + 1).unwrap_or(i32::MAX);
        let line = if failing { "WARN  GET /readyz 503 1ms" } else { "INFO  GET /healthz 200 1ms" };
        lines.push((at, line.to_owned()));
    }
    lines
}
