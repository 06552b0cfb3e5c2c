//! The arithmetic of a rolling update, as the deployment controller of Kubernetes does it.

use serde_json::Value;

/// What may be scaled now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) desired: i64,
    /// Pods above `desired` during the update.
    pub(crate) surge: i64,
    /// Pods that may be missing during the update.
    pub(crate) unavailable: i64,
}

impl Limits {
    /// Percentages round up for the surge, down for the missing ones; both zero would never move.
    pub(crate) fn of(deployment: &Value) -> Self {
        let desired = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
        let strategy = &deployment["spec"]["strategy"]["rollingUpdate"];
        let surge = share(&strategy["maxSurge"], desired, true);
        let mut unavailable = share(&strategy["maxUnavailable"], desired, false);
        if surge == 0 && unavailable == 0 {
            unavailable = 1;
        }
        Self { desired, surge, unavailable: unavailable.min(desired.max(1)) }
    }

    /// Size of the new replica set.
    pub(crate) fn grow(self, new: i64, total: i64) -> i64 {
        let room = (self.desired + self.surge - total).max(0);
        if new >= self.desired { self.desired } else { (new + room).min(self.desired) }
    }

    /// How many pods the old replica sets may lose. `total`: wanted pods of all; `new_missing`: wanted but not available of the new.
    pub(crate) fn shrink(self, total: i64, new_missing: i64) -> i64 {
        (total - (self.desired - self.unavailable) - new_missing).max(0)
    }
}

fn share(value: &Value, desired: i64, up: bool) -> i64 {
    match value {
        Value::String(text) => {
            let percent = text.trim_end_matches('%').parse::<i64>().unwrap_or(25).clamp(0, 100);
            let scaled = percent * desired;
            if up { (scaled + 99) / 100 } else { scaled / 100 }
        }
        other => other.as_i64().unwrap_or(1).max(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn limits(replicas: i64, surge: Value, unavailable: Value) -> Limits {
        let rolling = json!({"maxSurge": surge, "maxUnavailable": unavailable});
        Limits::of(&json!({"spec": {"replicas": replicas, "strategy": {"rollingUpdate": rolling}}}))
    }

    #[test]
    fn percentages_round_as_the_platform_does() {
        let three = limits(3, json!("25%"), json!("25%"));
        assert_eq!((three.surge, three.unavailable), (1, 0));
        let eight = limits(8, json!("25%"), json!("25%"));
        assert_eq!((eight.surge, eight.unavailable), (2, 2));
        assert_eq!(limits(3, json!(0), json!(0)).unavailable, 1);
    }

    #[test]
    fn three_replicas_move_one_at_a_time() {
        let limits = limits(3, json!("25%"), json!("25%"));
        assert_eq!(limits.grow(0, 3), 1);
        assert_eq!(limits.shrink(4, 1), 0, "the new pod is not ready yet");
        assert_eq!(limits.shrink(4, 0), 1);
        assert_eq!(limits.grow(1, 3), 2);
    }
}
