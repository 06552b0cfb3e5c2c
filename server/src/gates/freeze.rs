//! Times in which nothing is deployed.

use super::calendar::Schedule;
use super::model::{Evidence, Judged};
use passerelle_contract::deployments::Verdict;
use passerelle_contract::gates::{FreezeScope, FreezeWindow, FrozenBy, GateFacts, GateMode, GatePolicy, Help};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How far ahead one looks for the end of a chain of freezes.
const HORIZON: Duration = Duration::days(400);
const MAX_WINDOWS: usize = 400;
/// A freeze that begins so soon is told to those who may still deploy.
const SOON: Duration = Duration::days(14);

/// A freeze that is not lifted and whose scope reaches the service and environment in question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    pub id: Uuid,
    pub title: String,
    pub scope: FreezeScope,
    pub by: String,
    pub schedule: Schedule,
}

pub fn judge(policy: &GatePolicy, evidence: &Evidence) -> Option<Judged> {
    let mode = policy.freeze;
    if mode == GateMode::Off {
        return None;
    }
    let now = evidence.now;
    let read: Vec<(&Freeze, Vec<FreezeWindow>)> =
        evidence.freezes.iter().map(|freeze| (freeze, windows(freeze, now))).collect();
    let active: Vec<FrozenBy> = read
        .iter()
        .filter(|(_, windows)| windows.iter().any(|window| covers(window, now)))
        .map(|(freeze, _)| FrozenBy {
            id: freeze.id,
            title: freeze.title.clone(),
            scope: freeze.scope.clone(),
            by: freeze.by.clone(),
        })
        .collect();
    if active.is_empty() {
        let next = read
            .iter()
            .flat_map(|(freeze, windows)| windows.iter().map(|window| (window.starts_at, freeze.title.clone())))
            .filter(|(at, _)| *at <= now + SOON)
            .min();
        let (next, title) = next.map_or((None, None), |(at, title)| (Some(at), Some(title)));
        return Some(Judged::pass(GateFacts::NotFrozen { next, title }));
    }
    let recurs = evidence.freezes.iter().any(|freeze| freeze.schedule.recurrence.is_some());
    let all: Vec<FreezeWindow> = read.into_iter().flat_map(|(_, windows)| windows).collect();
    // Beyond the horizon a recurring freeze may go on, unseen from here.
    let frees_at = end_of_chain(&all, now).filter(|at| !recurs || *at <= now + HORIZON);
    Some(
        Judged::against(mode, Verdict::Block, GateFacts::Frozen { freezes: active }, Help::Operators).free_at(frees_at),
    )
}

/// What cannot be told holds, and nobody knows until when.
fn windows(freeze: &Freeze, now: OffsetDateTime) -> Vec<FreezeWindow> {
    freeze
        .schedule
        .windows(now, now + HORIZON, MAX_WINDOWS)
        .unwrap_or_else(|_| vec![FreezeWindow { starts_at: OffsetDateTime::UNIX_EPOCH, ends_at: None }])
}

fn covers(window: &FreezeWindow, at: OffsetDateTime) -> bool {
    window.starts_at <= at && window.ends_at.is_none_or(|end| end > at)
}

/// The first moment from now that no window covers; `None` when one has no end.
fn end_of_chain(windows: &[FreezeWindow], now: OffsetDateTime) -> Option<OffsetDateTime> {
    let mut at = now;
    while let Some(window) = windows.iter().find(|window| covers(window, at)) {
        at = window.ends_at?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::evidence;
    use super::*;

    fn freeze(from_h: i64, to_h: Option<i64>) -> Freeze {
        let now = evidence().now;
        Freeze {
            id: Uuid::nil(),
            title: format!("from {from_h}"),
            scope: FreezeScope::Global,
            by: "ada".into(),
            schedule: Schedule {
                starts_at: now + Duration::hours(from_h),
                ends_at: to_h.map(|hours| now + Duration::hours(hours)),
                recurrence: None,
                time_zone: "UTC".into(),
            },
        }
    }

    fn judged(freezes: Vec<Freeze>) -> Judged {
        let policy = GatePolicy { freeze: GateMode::Block, ..GatePolicy::default() };
        judge(&policy, &Evidence { freezes, ..evidence() }).unwrap()
    }

    #[test]
    fn freezes_that_follow_each_other_end_with_the_last() {
        let judged = judged(vec![freeze(-1, Some(2)), freeze(2, Some(5)), freeze(9, Some(10))]);
        assert_eq!(judged.verdict, Verdict::Block);
        assert_eq!(judged.frees_at, Some(evidence().now + Duration::hours(5)));
        let GateFacts::Frozen { freezes } = judged.facts else { panic!("not frozen") };
        assert_eq!(freezes.len(), 1, "only the one that holds now is named");
    }

    #[test]
    fn a_far_end_is_told_unless_something_recurs() {
        let far = freeze(-1, Some(24 * 1000));
        assert_eq!(judged(vec![far.clone()]).frees_at, Some(evidence().now + Duration::hours(24_000)));
        let mut daily = freeze(-2, Some(-1));
        daily.schedule.recurrence = Some("FREQ=DAILY".into());
        assert_eq!(judged(vec![far, daily]).frees_at, None);
    }

    #[test]
    fn the_red_button_has_no_end() {
        let judged = judged(vec![freeze(-1, None), freeze(-1, Some(2))]);
        assert_eq!((judged.verdict, judged.frees_at), (Verdict::Block, None));
    }

    #[test]
    fn one_to_come_is_told_and_one_that_is_over_is_not() {
        let judged = judged(vec![freeze(3, Some(4)), freeze(-3, Some(-2)), freeze(24 * 20, None)]);
        assert_eq!(judged.verdict, Verdict::Pass);
        let title = Some("from 3".to_owned());
        assert_eq!(judged.facts, GateFacts::NotFrozen { next: Some(evidence().now + Duration::hours(3)), title });
    }

    #[test]
    fn a_rule_that_cannot_be_read_freezes() {
        let mut broken = freeze(-1, Some(1));
        broken.schedule.recurrence = Some("FREQ=NEVER".into());
        let judged = judged(vec![broken]);
        assert_eq!((judged.verdict, judged.frees_at), (Verdict::Block, None));
    }
}
