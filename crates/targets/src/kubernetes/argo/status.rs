//! Where a Rollout stands. Pure.

use super::super::rollout::{Stage, condition};
use super::super::snapshot::{Snapshot, container_named, count};
use passerelle_contract::{Text, text};

/// What only a Rollout has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::kubernetes) struct Argo {
    /// `Healthy`, `Progressing`, `Paused`, `Degraded`; empty before 1.0.
    pub phase: String,
    pub message: String,
    pub steps: Vec<Step>,
    /// The step that it is at; as many as there are steps when it is past all of them.
    pub index: Option<usize>,
    pub pauses: Vec<Pause>,
    /// The controller has paused it, as opposed to a person.
    pub controller_pause: bool,
    /// Of blue-green: it does not switch by itself, or only after so many seconds.
    pub waits_for_promotion: bool,
    pub promotes_itself_after: Option<u64>,
    pub aborted: bool,
    pub promote_full: bool,
    /// Hashes of templates: the one that serves when all else fails, and the newest.
    pub stable: String,
    pub current: String,
    /// Its pods are being replaced one by one.
    pub restarting: bool,
}

/// One step of a canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kubernetes) enum Step {
    /// Percent.
    Weight(u64),
    /// In seconds; without an end when absent.
    Pause(Option<u64>),
    /// What the controller judges by itself: an analysis, an experiment.
    Other(String),
}

/// Why it is paused, and since when in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kubernetes) struct Pause {
    pub reason: String,
    pub since: Option<i64>,
}

impl Argo {
    /// The newest template is the one that serves.
    pub fn is_promoted(&self) -> bool {
        !self.stable.is_empty() && self.stable == self.current
    }

    /// On its way to a new template, or stopped on it.
    pub fn is_under_way(&self) -> bool {
        !self.current.is_empty() && !self.stable.is_empty() && self.stable != self.current
    }

    /// Percent that the new template has by the steps so far.
    pub fn weight(&self) -> u64 {
        let passed = self.index.unwrap_or(0).saturating_add(1);
        let weights = self.steps.iter().take(passed).rev();
        weights
            .filter_map(|step| if let Step::Weight(weight) = step { Some(*weight) } else { None })
            .next()
            .unwrap_or(0)
    }

    /// The pause that it stands in and that ends only when somebody ends it: since when.
    pub fn endless_pause(&self) -> Option<i64> {
        let [pause] = self.pauses.as_slice() else { return None };
        let endless = match pause.reason.as_str() {
            "CanaryPauseStep" => matches!(self.steps.get(self.index.unwrap_or(0)), Some(Step::Pause(None))),
            "BlueGreenPause" => self.promotes_itself_after.is_none(),
            // An analysis that could not tell is for a person.
            _ => false,
        };
        endless.then_some(pause.since.unwrap_or(0))
    }

    /// So many pauses without an end, and how long the others are together, in seconds.
    pub fn planned_pauses(&self) -> (u64, u64) {
        let blue_green = u64::from(self.waits_for_promotion && self.promotes_itself_after.is_none());
        let timed = self.promotes_itself_after.unwrap_or(0);
        self.steps.iter().fold((blue_green, timed), |(endless, timed), step| match step {
            Step::Pause(None) => (endless + 1, timed),
            Step::Pause(Some(seconds)) => (endless, timed.saturating_add(*seconds)),
            Step::Weight(_) | Step::Other(_) => (endless, timed),
        })
    }

    /// The controller has not acted yet on a pause that was taken away.
    pub fn is_unpausing(&self) -> bool {
        self.controller_pause && self.pauses.is_empty()
    }
}

/// As the plug-in decides it: done is when the newest template is the stable one, and all of its pods serve.
pub(in crate::kubernetes) fn stage(snapshot: &Snapshot, argo: &Argo) -> Stage {
    if is_of_before(snapshot) {
        return Stage::Unseen;
    }
    let [all, updated, available] =
        [snapshot.status.replicas, snapshot.status.updated_replicas, snapshot.status.available_replicas]
            .map(|number| count(number.unwrap_or(0)));
    let served = updated >= snapshot.replicas() && available >= updated && available <= all;
    if argo.is_promoted() {
        let well = matches!(argo.phase.as_str(), "Healthy" | "");
        if served && well && !argo.restarting {
            return Stage::Complete;
        }
    } else if argo.aborted {
        return Stage::Stopped(said_by_controller(argo, "RolloutAborted"));
    }
    let invalid = condition(snapshot, "InvalidSpec").filter(|found| found.status == "True");
    if let Some(invalid) = invalid {
        return Stage::Stopped(invalid.message.clone().unwrap_or_default());
    }
    match condition(snapshot, "Progressing") {
        Some(progress) if progress.reason.as_deref() == Some("ProgressDeadlineExceeded") => {
            Stage::DeadlineExceeded(progress.message.clone().unwrap_or_default())
        }
        _ => Stage::Progressing,
    }
}

fn said_by_controller(argo: &Argo, otherwise: &str) -> String {
    if argo.message.is_empty() { otherwise.to_owned() } else { argo.message.clone() }
}

/// The status may still tell of the template before although it carries the new generation's number: conditions are written
/// before the hash is. Its ReplicaSet then runs another image.
fn is_of_before(snapshot: &Snapshot) -> bool {
    let image = |container: Option<&k8s_openapi::api::core::v1::Container>| container.and_then(|one| one.image.clone());
    let of_set = snapshot.current_set().and_then(|set| set.spec.as_ref()?.template.as_ref());
    of_set.is_some_and(|template| {
        image(container_named(template, &snapshot.container)) != image(snapshot.bound_container())
    })
}

/// What a person reads while it is on its way; nothing when the counts say enough.
pub(in crate::kubernetes) fn said(argo: &Argo) -> Option<Text> {
    let (step, steps, percent) = (argo.index.unwrap_or(0) + 1, argo.steps.len(), argo.weight());
    if argo.restarting {
        return Some(text!("the pods are replaced one by one"));
    }
    if !argo.is_under_way() {
        return None;
    }
    match argo.pauses.first() {
        Some(pause) if pause.reason == "CanaryPauseStep" => {
            Some(text!("paused at step {step} of {steps} ({percent} %)", step, steps, percent))
        }
        Some(pause) => Some(text!("paused by Argo Rollouts: {why}", why = &pause.reason)),
        None if argo.steps.len() > argo.index.unwrap_or(0) => {
            Some(text!("at step {step} of {steps} ({percent} %)", step, steps, percent))
        }
        None => None,
    }
}
