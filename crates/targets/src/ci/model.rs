//! What is known of the runs of one binding, in the same words for every provider. Pure.
//!
//! An attempt is one request to deploy an image. Its mark says who made it: the fence and a short name of the change. Attempts stand in
//! the order in which the provider numbered them.

use crate::{Change, Fence, TargetError, fencing};
use passerelle_contract::Text;
use uuid::Uuid;

/// Who asked, and for which change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub fence: Fence,
    pub change: String,
}

impl Mark {
    pub fn of(change: &Change, fence: Fence) -> Self {
        Self { fence, change: fencing::hash(change) }
    }

    /// The text by which a run is found again. Without the epoch, so that who takes over finds the run of who was before.
    pub fn correlation(&self) -> String {
        format!("passerelle-{}-{}", self.fence.deployment, self.change)
    }

    /// Reads what was written beside a run; what somebody spoiled is no mark.
    pub fn read(deployment: Option<&str>, epoch: Option<&str>, change: Option<&str>) -> Option<Self> {
        let fence = Fence { deployment: Uuid::try_parse(deployment?).ok()?, epoch: epoch?.parse().ok()? };
        Some(Self { fence, change: change?.to_owned() })
    }

    /// Whether it is of the same deployment and change, whatever the epoch.
    pub fn is_same_act(&self, other: &Self) -> bool {
        self.fence.deployment == other.fence.deployment && self.change == other.change
    }
}

/// One request to deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    /// The provider's number.
    pub id: u64,
    /// None when somebody started it without the portal.
    pub mark: Option<Mark>,
    pub image: String,
    /// Seconds since 1970, by the provider's clock.
    pub asked_at: i64,
    /// The provider has taken the order to run, even if no run is seen yet.
    pub ordered: bool,
    /// The end is written down at the provider.
    pub told: bool,
    pub run: Option<Run>,
}

/// A run of a workflow, or a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Run {
    pub id: u64,
    /// Its page; empty when the provider gave none that a browser may open.
    pub url: String,
    pub sha: String,
    pub state: RunState,
    /// Read for the newest attempt only.
    pub jobs: Vec<Job>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum RunState {
    /// What it is at, in a few words.
    Going(Text),
    #[default]
    Succeeded,
    /// How the provider calls the end.
    Failed(String),
    Cancelled,
}

impl RunState {
    pub const fn is_over(&self) -> bool {
        !matches!(self, Self::Going(_))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub id: u64,
    pub name: String,
    /// Empty on GitHub.
    pub stage: String,
    pub state: JobState,
    pub url: String,
    /// The step that failed, or what the provider says of the failure.
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobState {
    Pending,
    Running,
    /// Waits for somebody to start it.
    Manual,
    Succeeded,
    Failed,
    /// Cancelled, skipped, or failed where that is allowed.
    Passed,
}

impl Job {
    /// As it is listed: a name alone is not unique.
    pub fn label(&self) -> String {
        format!("{} #{}", self.name, self.id)
    }
}

/// All that was read of a binding's runs, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ledger(pub Vec<Attempt>);

/// What a writer may do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn<'a> {
    Write,
    /// Asked for already; the run was ordered.
    Done(&'a Attempt),
    /// The same, by a process before us.
    Raise(&'a Attempt),
    /// Asked for, and it is not known whether the run was ordered.
    Unsure(&'a Attempt),
}

impl Ledger {
    /// The attempt that decides: the newest, leaving out what an overtaken writer has started after a newer one.
    pub fn current(&self) -> Option<&Attempt> {
        self.0.get(self.place()?)
    }

    /// Where [`Self::current`] stands.
    pub fn place(&self) -> Option<usize> {
        (0..self.0.len()).reduce(|held, next| if is_stale(&self.0[next], &self.0[held]) { held } else { next })
    }

    /// Attempts of overtaken writers, and second ones of the same act.
    pub fn strays(&self) -> Vec<&Attempt> {
        let Some(place) = self.place() else { return Vec::new() };
        let number = |one: &Attempt| one.run.as_ref().map(|run| run.id);
        let held = &self.0[place];
        // Two records of one order lead to one run, which is nobody's stray.
        self.0.iter().skip(place + 1).filter(|one| is_stale(one, held) && number(one) != number(held)).collect()
    }

    fn newest_fence(&self) -> Option<Fence> {
        self.0.iter().filter_map(|attempt| attempt.mark.as_ref()).map(|mark| mark.fence).max()
    }

    /// # Errors
    /// [`TargetError::Fenced`] when a younger deployment or a later epoch has written.
    pub fn check(&self, fence: Fence) -> Result<(), TargetError> {
        fencing::check(self.newest_fence(), fence)
    }

    /// # Errors
    /// As [`Self::check`].
    pub fn turn(&self, mark: &Mark) -> Result<Turn<'_>, TargetError> {
        self.check(mark.fence)?;
        let current = self.current().filter(|one| one.mark.as_ref().is_some_and(|held| held.is_same_act(mark)));
        let Some(current) = current else { return Ok(Turn::Write) };
        if current.run.is_none() && !current.ordered {
            return Ok(Turn::Unsure(current));
        }
        let same = current.mark.as_ref().is_some_and(|held| held.fence == mark.fence);
        Ok(if same { Turn::Done(current) } else { Turn::Raise(current) })
    }

    /// The image that the last good run has deployed.
    pub fn deployed(&self) -> Option<&str> {
        let good = |one: &&Attempt| one.run.as_ref().is_some_and(|run| run.state == RunState::Succeeded);
        self.0.iter().rev().find(good).map(|one| one.image.as_str())
    }

    /// Runs under way, which a new one takes the place of.
    pub fn going(&self) -> impl Iterator<Item = &Run> {
        self.0.iter().filter_map(|one| one.run.as_ref()).filter(|run| !run.state.is_over())
    }
}

/// Started by a writer that another had overtaken by then, or a second time for the same act.
fn is_stale(next: &Attempt, held: &Attempt) -> bool {
    let (Some(next), Some(held)) = (&next.mark, &held.mark) else { return false };
    next.fence < held.fence || next.is_same_act(held)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn fence(deployment: u128, epoch: i64) -> Fence {
        Fence { deployment: Uuid::from_u128(deployment), epoch }
    }

    pub fn image(name: &str) -> Change {
        Change::Image { image: name.to_owned(), manifests: None }
    }

    pub fn attempt(id: u64, mark: Option<(&str, Fence)>, state: Option<RunState>) -> Attempt {
        let name = mark.map_or("web:0", |(name, _)| name);
        Attempt {
            id,
            mark: mark.map(|(name, fence)| Mark::of(&image(name), fence)),
            image: name.to_owned(),
            asked_at: 0,
            ordered: state.is_some(),
            told: false,
            run: state.map(|state| Run {
                id: id * 10,
                url: format!("https://ci.example/{id}"),
                sha: "abc".to_owned(),
                state,
                jobs: Vec::new(),
            }),
        }
    }

    fn going() -> Option<RunState> {
        Some(RunState::Going(Text::verbatim("at work")))
    }

    #[test]
    fn a_repeated_act_is_found_and_an_older_writer_refused() {
        let ledger = Ledger(vec![
            attempt(1, None, Some(RunState::Succeeded)),
            attempt(2, Some(("web:1", fence(5, 2))), going()),
        ]);
        let turn = |name: &str, fence| ledger.turn(&Mark::of(&image(name), fence)).map(|turn| format!("{turn:?}"));
        assert!(turn("web:1", fence(5, 2)).unwrap().starts_with("Done"));
        assert!(turn("web:1", fence(5, 3)).unwrap().starts_with("Raise"));
        assert_eq!(turn("web:2", fence(5, 2)).unwrap(), "Write");
        assert_eq!(turn("web:1", fence(6, 1)).unwrap(), "Write");
        assert!(matches!(turn("web:1", fence(5, 1)), Err(TargetError::Fenced(_))));
        assert!(matches!(turn("web:2", fence(4, 9)), Err(TargetError::Fenced(_))));
        assert_eq!(ledger.deployed(), Some("web:0"));
    }

    #[test]
    fn what_was_claimed_and_perhaps_not_ordered_is_told_apart() {
        let mut claim = attempt(1, Some(("web:1", fence(5, 1))), None);
        let unsure = Ledger(vec![claim.clone()]);
        assert!(matches!(unsure.turn(&Mark::of(&image("web:1"), fence(5, 2))), Ok(Turn::Unsure(_))));
        claim.ordered = true;
        assert!(matches!(Ledger(vec![claim]).turn(&Mark::of(&image("web:1"), fence(5, 1))), Ok(Turn::Done(_))));
    }

    #[test]
    fn what_an_overtaken_writer_started_does_not_count() {
        let late = attempt(3, Some(("web:1", fence(4, 1))), going());
        let twice = attempt(4, Some(("web:2", fence(5, 1))), going());
        let ledger = Ledger(vec![attempt(2, Some(("web:2", fence(5, 1))), going()), late, twice]);
        assert_eq!(ledger.current().map(|one| one.id), Some(2));
        assert_eq!(ledger.strays().iter().map(|one| one.id).collect::<Vec<_>>(), [3, 4]);
        // A run that somebody starts by hand counts: it deploys something else.
        let by_hand = Ledger(vec![attempt(2, Some(("web:2", fence(5, 1))), going()), attempt(3, None, going())]);
        assert_eq!(by_hand.current().map(|one| one.id), Some(3));
        assert!(by_hand.strays().is_empty());
    }

    #[test]
    fn a_spoiled_mark_is_none() {
        let id = Uuid::nil().to_string();
        assert!(Mark::read(Some(&id), Some("1"), Some("c")).is_some());
        assert_eq!(Mark::read(Some("x"), Some("1"), Some("c")), None);
        assert_eq!(Mark::read(Some(&id), Some("one"), Some("c")), None);
        assert_eq!(Mark::read(Some(&id), Some("1"), None), None);
    }
}
