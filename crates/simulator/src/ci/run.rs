//! Runs of both providers: jobs one after the other, each for a while, some only when somebody starts them.
//!
//! Nothing moves by itself: how far a run is follows from the time that is asked for.

use crate::behaviour::Behaviour;
use crate::dice::Dice;
use crate::pace::Pace;
use crate::world::PipelineJobWorld;
use time::{Duration, OffsetDateTime};

/// Simulated seconds until a runner takes the first job, and that a job takes.
const QUEUE_S: f64 = 2.0;
const JOB_S: f64 = 6.0;

#[derive(Debug)]
pub(super) struct Run {
    pub id: u64,
    pub reference: String,
    pub sha: String,
    /// The workflow's file on GitHub, how it was started on GitLab.
    pub origin: String,
    /// The title on GitHub, the name on GitLab.
    pub title: Option<String>,
    pub given: Vec<(String, String)>,
    pub created: OffsetDateTime,
    pub cancelled: Option<OffsetDateTime>,
    pub jobs: Vec<Job>,
}

#[derive(Debug)]
pub(super) struct Job {
    pub id: u64,
    pub name: String,
    pub stage: String,
    pub manual: bool,
    played: Option<OffsetDateTime>,
    takes: Duration,
    fails: bool,
}

/// Where a job is at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Created,
    Pending,
    Manual,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Skipped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overall {
    Pending,
    Running,
    Manual,
    Succeeded,
    Failed,
    Cancelled,
}

/// What a new run is made of.
pub(super) struct Start<'a> {
    pub id: u64,
    pub reference: &'a str,
    pub origin: &'a str,
    pub title: Option<String>,
    pub given: Vec<(String, String)>,
    pub jobs: &'a [PipelineJobWorld],
    pub at: OffsetDateTime,
}

impl Run {
    /// The job that deploys, else the last one, fails when the image that is given is one that does not come up.
    pub fn new(start: Start<'_>, dice: &mut Dice, pace: Pace) -> Self {
        let sound = |text: &String| matches!(Behaviour::of(text), Behaviour::Healthy | Behaviour::FailingTask);
        let broken = start.given.iter().any(|(_, value)| !sound(value));
        let deploys = start.jobs.iter().rposition(|job| job.stage.starts_with("deploy"));
        let failing = deploys.unwrap_or(start.jobs.len().saturating_sub(1));
        let jobs = start.jobs.iter().enumerate().map(|(place, job)| Job {
            // Numbers of jobs follow those of runs, so that both are unique.
            id: start.id * 100 + place as u64,
            name: job.name.clone(),
            stage: job.stage.clone(),
            manual: job.manual,
            played: None,
            takes: pace.seconds(dice.around(JOB_S)),
            fails: broken && place == failing,
        });
        Self {
            id: start.id,
            reference: start.reference.to_owned(),
            sha: crate::dice::digest_of(start.reference.as_bytes())[..40].to_owned(),
            origin: start.origin.to_owned(),
            title: start.title,
            jobs: jobs.collect(),
            given: start.given,
            created: start.at + pace.seconds(QUEUE_S),
            cancelled: None,
        }
    }

    /// One that was over long ago: its manual jobs were started too.
    pub fn settled(mut self) -> Self {
        let at = self.created;
        self.jobs.iter_mut().for_each(|job| job.played = Some(at));
        self
    }

    pub fn stands(&self, now: OffsetDateTime) -> Vec<Stand> {
        let mut free = Some(self.created);
        let mut all = Vec::with_capacity(self.jobs.len());
        let mut over = false;
        for job in &self.jobs {
            let begin = free.map(|free| job.played.map_or(free, |played| played.max(free)));
            let end = begin.map(|begin| begin + job.takes);
            let cut = |at: OffsetDateTime| self.cancelled.is_some_and(|cancelled| cancelled < at);
            let stand = match (begin, end) {
                _ if over => Stand::Skipped,
                (Some(begin), Some(end)) if job.manual && job.played.is_none() => match () {
                    () if cut(begin.max(now)) => Stand::Cancelled,
                    () if now >= begin && end > begin => Stand::Manual,
                    () => Stand::Created,
                },
                (Some(begin), Some(end)) => match () {
                    () if now >= end && !cut(end) => {
                        if job.fails {
                            Stand::Failed
                        } else {
                            Stand::Succeeded
                        }
                    }
                    () if self.cancelled.is_some() => Stand::Cancelled,
                    () if now >= begin => Stand::Running,
                    () if all.is_empty() => Stand::Pending,
                    () => Stand::Created,
                },
                _ if self.cancelled.is_some() => Stand::Cancelled,
                _ => Stand::Created,
            };
            over |= stand == Stand::Failed;
            free = if stand == Stand::Succeeded { end } else { None };
            all.push(stand);
        }
        all
    }

    pub fn overall(&self, now: OffsetDateTime) -> Overall {
        let stands = self.stands(now);
        let any = |stand| stands.contains(&stand);
        match () {
            () if any(Stand::Failed) => Overall::Failed,
            () if any(Stand::Cancelled) => Overall::Cancelled,
            () if stands.iter().all(|stand| *stand == Stand::Succeeded) => Overall::Succeeded,
            () if any(Stand::Running) => Overall::Running,
            () if any(Stand::Manual) => Overall::Manual,
            () if any(Stand::Succeeded) => Overall::Running,
            () => Overall::Pending,
        }
    }

    /// False when it was over.
    pub fn cancel(&mut self, now: OffsetDateTime) -> bool {
        let over = matches!(self.overall(now), Overall::Succeeded | Overall::Failed | Overall::Cancelled);
        if !over {
            self.cancelled = Some(now);
        }
        !over
    }

    /// False when the job does not wait for it.
    pub fn play(&mut self, job: u64, now: OffsetDateTime) -> bool {
        let place = self.jobs.iter().position(|one| one.id == job);
        let Some(place) = place.filter(|place| self.stands(now)[*place] == Stand::Manual) else { return false };
        self.jobs[place].played = Some(now);
        true
    }

    /// What a job has written.
    pub fn log(&self, job: u64, now: OffsetDateTime) -> Option<String> {
        let place = self.jobs.iter().position(|one| one.id == job)?;
        let given: String = self.given.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let end = match self.stands(now)[place] {
            Stand::Succeeded => "done\n",
            Stand::Failed => {
                "error: the new version did not become healthy\n##[error]Process completed with exit code 1.\n"
            }
            _ => "",
        };
        Some(format!("$ deploy\n{given}rolling out ...\n{end}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(image: &str) -> Run {
        let job = |name: &str, manual| PipelineJobWorld {
            name: name.to_owned(),
            stage: "deploy".to_owned(),
            manual,
            environment: None,
        };
        let jobs = [job("test", false), job("deploy", true)];
        let start = Start {
            id: 1,
            reference: "main",
            origin: "api",
            title: None,
            given: vec![("IMAGE".to_owned(), image.to_owned())],
            jobs: &jobs,
            at: OffsetDateTime::UNIX_EPOCH,
        };
        Run::new(start, &mut Dice::new(1, "ci"), Pace::new(1.0))
    }

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)
    }

    #[test]
    fn a_manual_job_waits_for_its_turn_and_for_somebody() {
        let mut run = run("web:1");
        assert_eq!((run.overall(at(0)), run.stands(at(0))[1]), (Overall::Pending, Stand::Created));
        assert!(!run.play(101, at(1)), "not before the job before it");
        assert_eq!(run.overall(at(60)), Overall::Manual);
        assert!(run.play(101, at(60)) && !run.play(101, at(61)));
        assert_eq!((run.overall(at(61)), run.overall(at(90))), (Overall::Running, Overall::Succeeded));
        assert!(!run.cancel(at(90)));
    }

    #[test]
    fn a_broken_image_fails_the_last_job_and_a_cancelled_run_stays_so() {
        let mut failing = run("web:crash").settled();
        assert_eq!((failing.overall(at(90)), failing.stands(at(90))[0]), (Overall::Failed, Stand::Succeeded));
        assert!(failing.log(101, at(90)).unwrap().contains("exit code 1") && !failing.cancel(at(90)));
        let mut cancelled = run("web:1");
        assert!(cancelled.cancel(at(3)));
        assert_eq!(cancelled.overall(at(90)), Overall::Cancelled);
    }
}
