//! Task logs in the engine's frames: stream, three zero bytes, length, line.

use super::model::Task;
use crate::behaviour::{Behaviour, short_name, version_of};
use crate::call::Call;
use crate::pace::stamp_nanos;

/// Standard output and standard error, in the engine's numbers.
const OUT: u8 = 1;
const ERR: u8 = 2;

pub(crate) fn read(task: &Task, call: &Call) -> Vec<u8> {
    let wanted = |name: &str| call.is_set(name);
    let mut lines: Vec<(u8, String)> = written(task)
        .into_iter()
        .filter(|(stream, _)| wanted(if *stream == OUT { "stdout" } else { "stderr" }))
        .collect();
    if let Some(tail) = call.parameter("tail").and_then(|count| count.parse::<usize>().ok()) {
        lines.drain(..lines.len().saturating_sub(tail));
    }
    let stamp = stamp_nanos(task.started.unwrap_or(task.created));
    let mut bytes = Vec::new();
    for (stream, line) in lines {
        let line = if wanted("timestamps") { format!("{stamp} {line}\n") } else { format!("{line}\n") };
        let length = u32::try_from(line.len()).unwrap_or(u32::MAX).to_be_bytes();
        bytes.extend_from_slice(&[stream, 0, 0, 0]);
        bytes.extend_from_slice(&length);
        bytes.extend_from_slice(line.as_bytes());
    }
    bytes
}

fn written(task: &Task) -> Vec<(u8, String)> {
    if task.started.is_none() {
        return Vec::new();
    }
    let (name, version) = (short_name(task.image()), version_of(task.image()));
    let mut lines = vec![(OUT, format!("INFO  {name} {version} starting"))];
    match task.behaviour() {
        Behaviour::Crash => {
            lines.push((OUT, "INFO  connecting to the database".into()));
            if task.is_over() {
                lines.push((ERR, "ERROR database connection failed: connection refused (attempt 3 of 3)".into()));
                lines.push((ERR, format!("FATAL {name} cannot start without its database, exiting with status 1")));
            }
        }
        Behaviour::Unready | Behaviour::Unhealthy => {
            lines.push((OUT, "INFO  listening on 0.0.0.0:8080".into()));
            lines.push((ERR, "WARN  GET /healthz 503 1ms".into()));
        }
        _ => {
            lines.push((OUT, "INFO  listening on 0.0.0.0:8080".into()));
            lines.push((OUT, "INFO  GET /healthz 200 1ms".into()));
        }
    }
    lines
}
