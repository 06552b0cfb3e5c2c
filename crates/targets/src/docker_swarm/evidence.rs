//! What the container of a failed task says, where this engine can see it: its last health probe, its end, its log.

use super::engine::Engine;
use super::model::Task;
use crate::masking::{self, MAX_LOG_LINES};
use serde_json::Value;

/// Found on the node of this engine, or empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    pub task: String,
    /// Output of the last failed probe.
    pub probe: Option<String>,
    pub out_of_memory: bool,
    pub logs: Vec<String>,
}

/// Looks at the task's container and log. What cannot be had is left out: it must not hide the failure itself.
pub(super) async fn gather(engine: &Engine, task: &Task) -> Evidence {
    let mut evidence = Evidence { task: task.id.clone(), ..Evidence::default() };
    let Some(container) = task.container() else { return evidence };
    if let Ok(state) = engine.container_state(container).await {
        evidence.probe = failed_probe(&state);
        evidence.out_of_memory = state["OOMKilled"] == true;
    }
    let lines = u32::try_from(MAX_LOG_LINES).unwrap_or(u32::MAX);
    evidence.logs = engine.task_logs(&task.id, lines).await.unwrap_or_default();
    evidence
}

/// A container that crashed is marked unhealthy as well, but with no failed probe in a row.
fn failed_probe(state: &Value) -> Option<String> {
    let health = &state["Health"];
    let failed = health["Status"] == "unhealthy" && health["FailingStreak"].as_u64().is_some_and(|streak| streak > 0);
    let last = health["Log"].as_array().and_then(|log| log.last());
    let output = last.and_then(|probe| probe["Output"].as_str()).unwrap_or_default();
    failed.then(|| masking::shown(output).chars().take(300).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_failed_probes_count() {
        let unhealthy =
            json!({ "Health": { "Status": "unhealthy", "FailingStreak": 2, "Log": [{ "Output": "probe: 503\n" }] } });
        assert_eq!(failed_probe(&unhealthy).as_deref(), Some("probe: 503"));
        let crashed = json!({ "Health": { "Status": "unhealthy", "FailingStreak": 0, "Log": [] } });
        assert_eq!(failed_probe(&crashed), None);
        assert_eq!(failed_probe(&Value::Null), None);
    }
}
