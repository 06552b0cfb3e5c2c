//! What is due next, from what was read. Pure.

use super::super::annotations;
use super::super::rollout::{Stage, stage};
use super::super::snapshot::Snapshot;
use super::Settings;
use super::mark::Mark;
use crate::Fence;

/// The next write.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Due {
    /// Nothing yet.
    Wait,
    /// The second Deployment of an earlier deployment goes first.
    TakeAway,
    /// The second Deployment is made.
    Make,
    /// It gets so many pods.
    Resize(u32),
    /// The share is reached: the first Deployment gives way, and the pause begins.
    Reached(Mark),
    /// The pause is over: on to the next share.
    Next(Mark),
    /// The pauses are over: the first Deployment itself gets the new version.
    Finish(Mark),
    /// It runs there: the second Deployment goes.
    Clear,
    /// All is done: the mark goes.
    End,
}

impl Due {
    /// Whether the new version serves more after it than before.
    pub const fn gives_more(&self) -> bool {
        matches!(self, Self::Next(_) | Self::Finish(_))
    }
}

/// `now` in seconds since 1970.
pub(super) fn due(
    main: &Snapshot,
    canary: Option<&Snapshot>,
    mark: &Mark,
    fence: Fence,
    settings: &Settings,
    now: u64,
) -> Due {
    if mark.is_last() {
        return match (stage(main), canary) {
            (Stage::Complete, Some(_)) => Due::Clear,
            (Stage::Complete, None) => Due::End,
            _ => Due::Wait,
        };
    }
    let Some(canary) = canary else { return Due::Make };
    let writer = annotations::fence(canary.metadata.annotations.as_ref());
    if writer.is_none_or(|writer| writer.deployment != fence.deployment) {
        return Due::TakeAway;
    }
    if canary.replicas() != mark.pods() {
        return Due::Resize(mark.pods());
    }
    if stage(canary) != Stage::Complete {
        return Due::Wait;
    }
    if mark.since == 0 {
        return Due::Reached(Mark { since: now, ..mark.clone() });
    }
    if now.saturating_sub(mark.since) < settings.pause.duration().as_secs() {
        return Due::Wait;
    }
    match settings.steps.after(mark.percent) {
        100 => Due::Finish(Mark { percent: 100, since: now, ..mark.clone() }),
        percent => Due::Next(Mark { percent, since: 0, ..mark.clone() }),
    }
}
