//! Waiting for a target as the engine does, by looking and taking its steps.

use passerelle_targets::{Fence, Observation, Target};
use std::sync::Arc;
use std::time::Duration;

/// Looks, and takes the steps with a fence as the engine does, until it is so.
pub async fn reach(
    target: &Arc<dyn Target>,
    fence: Option<Fence>,
    wanted: impl Fn(&Observation) -> bool,
) -> Vec<String> {
    let (mut said, mut last) = (Vec::new(), None);
    for _ in 0..900 {
        let seen = target.observe().await.expect("observe");
        if wanted(&seen) {
            return said;
        }
        last = Some(seen);
        if let Some(fence) = fence {
            said.extend(target.advance(fence, true).await.expect("advance").map(|text| text.to_string()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not in time; last seen {last:#?}; said {said:?}");
}
