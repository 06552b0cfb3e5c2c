//! An artifact comes here after it was healthy in the environment before.
//!
//! Before means: the next lower order among the environments where the service is bound. The same artifact means: the same
//! digest, or the same release, or, where it is asked for by a bare tag, the same name and tag.

use super::model::{Evidence, Judged};
use passerelle_contract::deployments::{Health, Verdict};
use passerelle_contract::gates::{GateFacts, GateMode, GatePolicy, Help};
use time::{Duration, OffsetDateTime};

/// An observation that is older says nothing about now.
const FRESH: Duration = Duration::minutes(5);

/// What is known of the artifact in the environment before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// There is none before this one.
    First,
    Before {
        environment: String,
        image: String,
        /// The artifact's version, as people name it.
        version: Option<String>,
        /// Set when it runs there now.
        running: Option<Running>,
        /// Deployments of it there that ended well.
        runs: Vec<Run>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    pub health: Health,
    pub healthy_since: Option<OffsetDateTime>,
    pub seen_at: OffsetDateTime,
}

/// From the end of a deployment that went well to the start of the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub from: OffsetDateTime,
    /// Absent for what nothing has replaced yet.
    pub to: Option<OffsetDateTime>,
}

pub fn judge(policy: &GatePolicy, evidence: &Evidence) -> Option<Judged> {
    let mode = policy.promotion_order.mode;
    if mode == GateMode::Off {
        return None;
    }
    let needed = Duration::minutes(i64::from(policy.promotion_order.healthy_minutes));
    let against = |facts| Some(Judged::against(mode, Verdict::Block, facts, Help::Developers));
    let (environment, never_ran, running, runs) = match evidence.outside.history.as_ref()? {
        History::First => return Some(Judged::pass(GateFacts::PromotionFirst)),
        History::Before { environment, image, version, running, runs } => {
            let (image, version) = (image.clone(), version.clone());
            let never_ran = GateFacts::PromotionNeverRan { environment: environment.clone(), image, version };
            (environment.clone(), never_ran, running, runs)
        }
    };
    let longest = longest(runs);
    if let Some(long) = longest.filter(|long| *long >= needed) {
        let facts = GateFacts::PromotionHealthy { environment, healthy_s: seconds(long), needed_s: seconds(needed) };
        // It ran long enough and was replaced; if it runs there again it must be healthy there.
        if running.is_none_or(|running| running.health == Health::Healthy) {
            return Some(Judged::pass(facts));
        }
        return against(not_healthy(running, facts));
    }
    match running {
        None => match longest {
            Some(long) => {
                let (healthy_s, needed_s) = (seconds(long), seconds(needed));
                against(GateFacts::PromotionTooShort { environment, healthy_s, needed_s })
            }
            None => against(never_ran),
        },
        Some(seen) => Some(running_now(mode, environment, *seen, needed, evidence.now)),
    }
}

fn running_now(mode: GateMode, environment: String, seen: Running, needed: Duration, now: OffsetDateTime) -> Judged {
    let age = now - seen.seen_at;
    if age > FRESH {
        let facts = GateFacts::PromotionStale { environment, seen_s_ago: Some(seconds(age)) };
        return Judged::against(mode, Verdict::Block, facts, Help::Admins);
    }
    let (Health::Healthy, Some(since)) = (seen.health, seen.healthy_since) else {
        let facts = GateFacts::PromotionNotHealthy { environment, health: seen.health };
        return Judged::against(mode, Verdict::Block, facts, Help::Developers);
    };
    let (healthy_s, needed_s) = (seconds(now - since), seconds(needed));
    if healthy_s >= needed_s {
        return Judged::pass(GateFacts::PromotionHealthy { environment, healthy_s, needed_s });
    }
    let facts = GateFacts::PromotionSoaking { environment, healthy_s, needed_s };
    Judged::against(mode, Verdict::Wait, facts, Help::Developers).free_at(Some(since + needed))
}

fn not_healthy(running: &Option<Running>, otherwise: GateFacts) -> GateFacts {
    match (running, otherwise) {
        (Some(running), GateFacts::PromotionHealthy { environment, .. }) => {
            GateFacts::PromotionNotHealthy { environment, health: running.health }
        }
        (_, otherwise) => otherwise,
    }
}

/// Only runs that were replaced: of the one that goes on, observations say how it does.
fn longest(runs: &[Run]) -> Option<Duration> {
    runs.iter().filter_map(|run| Some(run.to? - run.from)).filter(|long| !long.is_negative()).max()
}

fn seconds(long: Duration) -> u64 {
    u64::try_from(long.whole_seconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::evidence;
    use super::*;

    fn judged(running: Option<Running>, runs: Vec<Run>) -> Judged {
        let mut policy = GatePolicy::default();
        policy.promotion_order.mode = GateMode::Block;
        policy.promotion_order.healthy_minutes = 10;
        let mut evidence = evidence();
        let (environment, image, version) = ("staging".to_owned(), "tinyweb:v2".to_owned(), Some("v2".to_owned()));
        evidence.outside.history = Some(History::Before { environment, image, version, running, runs });
        judge(&policy, &evidence).unwrap()
    }

    fn seen(health: Health, healthy_min: i64, seen_min: i64) -> Option<Running> {
        let now = evidence().now;
        let healthy_since = Some(now - Duration::minutes(healthy_min));
        Some(Running { health, healthy_since, seen_at: now - Duration::minutes(seen_min) })
    }

    #[test]
    fn it_must_have_been_healthy_long_enough() {
        assert_eq!(judged(seen(Health::Healthy, 11, 0), Vec::new()).verdict, Verdict::Pass);
        let soaking = judged(seen(Health::Healthy, 4, 0), Vec::new());
        assert_eq!(soaking.verdict, Verdict::Wait);
        assert_eq!(soaking.frees_at, Some(evidence().now + Duration::minutes(6)));
    }

    #[test]
    fn what_is_failing_or_unseen_or_never_ran_does_not_pass() {
        assert_eq!(judged(seen(Health::Degraded, 60, 0), Vec::new()).verdict, Verdict::Block);
        assert_eq!(judged(seen(Health::Unknown, 60, 0), Vec::new()).verdict, Verdict::Block);
        assert!(matches!(judged(seen(Health::Healthy, 60, 6), Vec::new()).facts, GateFacts::PromotionStale { .. }));
        assert!(matches!(judged(None, Vec::new()).facts, GateFacts::PromotionNeverRan { .. }));
    }

    #[test]
    fn an_earlier_run_counts_unless_it_is_back_and_failing() {
        let from = evidence().now - Duration::hours(5);
        let run = |minutes| vec![Run { from, to: Some(from + Duration::minutes(minutes)) }];
        assert_eq!(judged(None, run(30)).verdict, Verdict::Pass);
        assert!(matches!(judged(None, run(3)).facts, GateFacts::PromotionTooShort { .. }));
        assert_eq!(judged(seen(Health::Failed, 0, 0), run(30)).verdict, Verdict::Block);
    }
}
