//! After the rollout: the new version must stay healthy, answer the way its binding says that it does, and fail no more than that allows.

use super::follow::Wait;
use super::run::{Run, Step, Stop, followed};
use crate::environments::BindingRow;
use crate::kernel::Result;
use passerelle_contract::deployments::{Cause, DeploymentState, Failure, Operation, StepState};
use passerelle_contract::{Text, text};
use passerelle_targets::{Every, Observation, Target, Verification};
use std::time::Duration;
use tokio::time::Instant;

/// Good answers in a row that are believed.
const WANTED: u32 = 3;
const ASK_EVERY: Duration = Duration::from_secs(2);

impl Run<'_> {
    /// Brings what was seen last, and what is said of it.
    pub(super) async fn verified(&self, target: &dyn Target) -> Result<Step<(Observation, Text)>> {
        let said = text!("Verifying that it stays healthy");
        self.store().set_state(self.claim, DeploymentState::Verifying, None, &said).await?;
        self.step("verify", StepState::Running, text!("Watching that it stays healthy")).await?;
        let mut judge = self.judge().await?;
        let stable_for = judge.as_ref().map_or(self.verify_for, |judge| self.verify_for.max(judge.watch_for()));
        let wait = Wait {
            deadline: stable_for + Duration::from_secs(60).min(self.deadline()),
            stable_for,
            cancellable: true,
            staged: false,
        };
        let observation = match followed(self.follow(target, wait, judge.as_mut()).await?) {
            Ok(observation) => observation,
            Err(stop) => return Ok(Err(stop)),
        };
        let mut said = match self.answered(stable_for.as_secs()).await? {
            Ok(message) => vec![message],
            Err(stop) => return Ok(Err(stop)),
        };
        if let Some(judge) = judge {
            match self.judged(judge).await? {
                Ok(words) => said.extend(words),
                Err(stop) => return Ok(Err(stop)),
            }
        }
        Ok(Ok((observation, Text::List(said))))
    }

    /// Asks the address that the binding names, when it names one, and says how it went.
    async fn answered(&self, seconds: u64) -> Result<Step<Text>> {
        let Some(verification) = self.verification().await? else {
            return Ok(Ok(text!("Healthy for {seconds} s", seconds)));
        };
        let url = verification.url.as_str();
        let message = text!("Healthy for {seconds} s, and {url} answers as it should", seconds, url);
        Ok(self.answers(&verification).await?.map(|()| message))
    }

    /// What is to be asked; nothing after a change of the number of instances, which may be none.
    async fn verification(&self) -> Result<Option<Verification>> {
        if self.claim.operation == Operation::Scale.as_str() {
            return Ok(None);
        }
        Ok(self.binding().await?.and_then(|(_, every)| every.verify))
    }

    /// The binding as it is now, and what it says beside what is its platform's.
    pub(super) async fn binding(&self) -> Result<Option<(BindingRow, Every)>> {
        let binding = match self.claim.binding_id {
            Some(id) => self.engine.environments.binding_by_id(id).await?,
            None => None,
        };
        // What cannot be read was refused when it was saved; the target itself could not have been opened.
        Ok(binding.and_then(|mut binding| {
            let every = Every::taken_from(&mut binding.config).ok()?;
            Some((binding, every))
        }))
    }

    /// Asks until answers are good often enough in a row, or the time is over.
    async fn answers(&self, verification: &Verification) -> Result<Step<()>> {
        let (url, within) = (verification.url.as_str(), verification.within_seconds.duration());
        self.note(&text!("Asking {url}", url)).await?;
        let end = Instant::now() + within;
        let (mut good, mut said) = (0, None);
        loop {
            let asked = tokio::select! {
                asked = verification.ask(&self.engine.options.guard) => asked,
                by = self.cancelled() => return Ok(Err(Stop::Cancelled(by))),
            };
            match asked {
                Ok(()) => good += 1,
                Err(why) => {
                    good = 0;
                    if said.as_ref() != Some(&why) {
                        self.note(&text!("{why}; asking again", why = &why)).await?;
                        said = Some(why);
                    }
                }
            }
            if good == WANTED {
                return Ok(Ok(()));
            }
            if Instant::now() + ASK_EVERY > end {
                return Ok(Err(Stop::Failed(unanswered(url, within, said))));
            }
            tokio::select! {
                () = tokio::time::sleep(ASK_EVERY) => {}
                by = self.cancelled() => return Ok(Err(Stop::Cancelled(by))),
            }
        }
    }
}

fn unanswered(url: &str, within: Duration, said: Option<Text>) -> Failure {
    let seconds = within.as_secs();
    let message = match said {
        Some(why) => {
            text!(
                "{url} did not answer well {count} times in a row within {seconds} s: {why}",
                url,
                count = WANTED,
                seconds,
                why
            )
        }
        None => {
            text!("{url} did not answer well {count} times in a row within {seconds} s", url, count = WANTED, seconds)
        }
    };
    Failure { cause: Cause::Probe, message, instance: None, logs: Vec::new() }
}
