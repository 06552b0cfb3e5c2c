//! The worker that makes the steps of deliveries. Any number of processes may run one.
//!
//! A delivery is held by a lease that is said again while a step is made, and an epoch that grows with each claim: whoever was asleep writes
//! nothing any more. A step is written down as running before it is made and as done after it; the acts themselves find what they did
//! before, so a step may be made again.

use super::parcel;
use super::service::{OnboardingService, as_target};
use super::store::deliveries::{self, Facts, Row, StepEnd};
use crate::kernel::{Action, AuditEntry, Ctx, Object, Result, Via};
use passerelle_contract::audit::Outcome;
use passerelle_contract::delivery::{DeliveryPurpose, DeliveryStep, DeliveryStepState, FileDeliveryState};
use passerelle_contract::{Text, text};
use passerelle_forges::{Left, Made, Parcel, ProposalState, Repository, TargetError};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often to look without a signal.
const POLL: Duration = Duration::from_secs(1);
/// Deliveries that this process drives at the same time: a provider that is slow holds up no other.
const AT_ONCE: usize = 8;
/// How often the lease is said again.
const HOLD: Duration = Duration::from_secs(5);
/// Between two looks whether a request was taken in: a provider counts calls.
const WATCH: Duration = Duration::from_secs(60);
/// After this many tries of one step a person is asked.
const MOST_ATTEMPTS: u32 = 6;

/// Makes steps until it is stopped.
#[derive(Debug, Clone)]
pub struct Deliverer {
    service: OnboardingService,
    owner: String,
}

/// How a step ended.
enum Ended {
    Done(Text),
    Failed(Text),
    Later(Text),
    /// Somebody else has to do something.
    Waits(Text),
    /// Somebody else has the delivery.
    Lost,
}

impl Deliverer {
    #[must_use]
    pub fn new(service: OnboardingService) -> Self {
        Self { service, owner: Uuid::now_v7().to_string() }
    }

    /// Runs until `stop`; the steps under way then are made again by whoever comes next.
    pub async fn run(self, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.service.wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
            if let Err(error) = self.round(&slots, &stop).await {
                tracing::warn!(%error, "files could not be delivered; trying again");
            }
        }
    }

    async fn round(&self, slots: &Arc<Semaphore>, stop: &CancellationToken) -> Result<()> {
        while let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
            let Some(claim) = deliveries::claim(self.service.db.pool(), &self.owner).await? else { return Ok(()) };
            let (worker, stop) = (self.clone(), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    done = worker.drive(claim) => if let Err(error) = done {
                        // Its lease runs out and it is tried again.
                        tracing::warn!(%error, "a delivery could not go on");
                    }
                }
                drop(slot);
            });
        }
        Ok(())
    }

    async fn drive(&self, claim: Row) -> Result<()> {
        let mut facts = claim.facts().clone();
        loop {
            let steps = deliveries::steps(self.service.db.pool(), &[claim.id]).await?;
            let open = steps.into_iter().map(|(_, step)| step).find(|step| {
                step.state != DeliveryStepState::Done && (step.step == DeliveryStep::Undo) == claim.goes_back()
            });
            let Some(next) = open else {
                let state = if claim.goes_back() { FileDeliveryState::Undone } else { FileDeliveryState::Done };
                return self.end(&claim, state, None).await;
            };
            let running = StepEnd { state: DeliveryStepState::Running, message: next.message.clone() };
            if !self.write(&claim, next.step, &running, &facts).await? {
                return Ok(());
            }
            let ended = self.held(&claim, next.step, &mut facts).await?;
            let (state, message) = match ended {
                Ended::Lost => return Ok(()),
                Ended::Done(message) => (DeliveryStepState::Done, message),
                Ended::Waits(message) => {
                    let end = StepEnd { state: DeliveryStepState::Running, message: Some(message) };
                    self.write(&claim, next.step, &end, &facts).await?;
                    return deliveries::later(self.service.db.pool(), &claim, WATCH).await;
                }
                Ended::Later(message) if next.attempts + 1 < MOST_ATTEMPTS => {
                    let end = StepEnd { state: DeliveryStepState::Pending, message: Some(message) };
                    self.write(&claim, next.step, &end, &facts).await?;
                    let pause = Duration::from_secs(1 << next.attempts.min(6));
                    return deliveries::later(self.service.db.pool(), &claim, pause).await;
                }
                Ended::Later(message) | Ended::Failed(message) => (DeliveryStepState::Failed, message),
            };
            let end = StepEnd { state, message: Some(message.clone()) };
            if !self.write(&claim, next.step, &end, &facts).await? {
                return Ok(());
            }
            if state == DeliveryStepState::Failed {
                return self.end(&claim, FileDeliveryState::Failed, Some((next.step, message))).await;
            }
        }
    }

    async fn write(&self, claim: &Row, step: DeliveryStep, end: &StepEnd, facts: &Facts) -> Result<bool> {
        let mut tx = self.service.db.pool().begin().await?;
        let held = deliveries::write_step(&mut tx, claim, step, end, facts).await?;
        tx.commit().await?;
        Ok(held)
    }

    /// The outcome and its audit row are one transaction.
    async fn end(&self, claim: &Row, state: FileDeliveryState, failed: Option<(DeliveryStep, Text)>) -> Result<()> {
        let ctx = Ctx::system(Via::Job, "delivery");
        let object = Object::new("delivery", claim.id.to_string());
        let authorized = self.service.db.authorize(&ctx, Action::OnboardingRun, object).await?;
        let mut tx = self.service.db.write(&ctx, authorized).await?;
        if !deliveries::end(tx.conn(), claim, state).await? {
            return Ok(());
        }
        if state == FileDeliveryState::Done && claim.purpose()? == DeliveryPurpose::Update {
            deliveries::adopt(tx.conn(), claim.id).await?;
        }
        let outcome = if failed.is_some() { Outcome::Failure } else { Outcome::Success };
        let mut entry = AuditEntry::new(outcome)
            .after(json!({ "state": state, "onboarding": claim.onboarding_id, "destination": claim.destination() }));
        if let Some((step, why)) = failed {
            entry = entry.reason(format!("{}: {why}", step.as_str()));
        }
        tx.commit(entry).await
    }

    /// Makes a step while the lease is said again; gives it up when somebody else has taken over.
    async fn held(&self, claim: &Row, step: DeliveryStep, facts: &mut Facts) -> Result<Ended> {
        let lost = async {
            loop {
                tokio::time::sleep(HOLD).await;
                // A database that is away for a moment is no reason to stop; its lease runs out by itself.
                if let Ok(false) = deliveries::hold(self.service.db.pool(), claim).await {
                    return;
                }
            }
        };
        tokio::select! {
            () = lost => Ok(Ended::Lost),
            ended = self.make(claim, step, facts) => ended,
        }
    }

    async fn make(&self, claim: &Row, step: DeliveryStep, facts: &mut Facts) -> Result<Ended> {
        let parcel = self.service.parcel(claim).await?;
        let made = match self.service.open_place(claim.destination()).await {
            Ok((forge, repository)) => act(&*forge, &repository, claim, step, facts, &parcel).await,
            Err(error) => Err(as_target(error)?),
        };
        Ok(match made {
            Ok(Some(message)) => Ended::Done(message),
            Ok(None) => Ended::Waits(text!("waits for the people of the repository")),
            Err(error) if error.is_transient() => Ended::Later(error.text()),
            Err(error) => Ended::Failed(error.text()),
        })
    }
}

async fn act(
    forge: &dyn passerelle_forges::Forge,
    repository: &Repository,
    claim: &Row,
    step: DeliveryStep,
    facts: &mut Facts,
    parcel: &Parcel,
) -> std::result::Result<Option<Text>, TargetError> {
    let earlier =
        |what: &'static str| TargetError::Artifact(text!("the step before left nothing behind: {what}", what));
    match step {
        DeliveryStep::Repository => {
            let ground = forge.ground(repository, &parcel::into(claim.destination()), parcel).await?;
            let named = repository.as_str();
            let message = if ground.created {
                text!("the repository {name} is made", name = named)
            } else {
                text!("{name} is there; built on its branch {branch}", name = named, branch = ground.branch.clone())
            };
            facts.ground = Some(ground);
            Ok(Some(message))
        }
        DeliveryStep::Commit => {
            let ground = facts.ground.as_ref().ok_or_else(|| earlier("repository"))?;
            let committed = forge.commit(repository, ground, parcel).await?;
            let count = parcel.files.len();
            let message = text!("{count} files on the branch {branch}", count, branch = committed.branch.clone());
            facts.committed = Some(committed);
            Ok(Some(message))
        }
        DeliveryStep::Proposal => {
            let ground = facts.ground.as_ref().ok_or_else(|| earlier("repository"))?;
            let committed = facts.committed.as_ref().ok_or_else(|| earlier("commit"))?;
            facts.proposal = forge.propose(repository, ground, committed, parcel).await?;
            let number = facts.proposal.as_ref().map_or(0, |proposal| proposal.number);
            Ok(Some(text!("request {number} is open", number)))
        }
        DeliveryStep::Merge => match forge.proposed(repository, &made_by(facts)).await? {
            ProposalState::Merged => Ok(Some(text!("it was taken in"))),
            ProposalState::Open => Ok(None),
            ProposalState::Closed => Err(TargetError::Artifact(text!("it was closed without being taken in"))),
        },
        DeliveryStep::Undo => Ok(Some(said(forge.withdraw(repository, parcel, &made_by(facts)).await?))),
    }
}

fn made_by(facts: &Facts) -> Made {
    Made { ground: facts.ground.clone(), committed: facts.committed.clone(), proposal: facts.proposal.clone() }
}

fn said(left: Left) -> Text {
    let all: Vec<Text> = left.taken_back.into_iter().chain(left.left).collect();
    if all.is_empty() { text!("there was nothing to take back") } else { Text::List(all) }
}
