//! GitHub: a deployment object is the record of an attempt, and a run of a workflow does it.
//!
//! The deployment is made first. Its payload holds the mark and the image, its statuses hold the epoch, the address of the run and the
//! end. So who takes over knows what was asked for before any run is seen; whether it was ordered says a first status.

use super::config::{BindingConfig, Kind};
use super::github_read::{self as read, Claim};
use super::http::{GITHUB, Http};
use super::model::{Attempt, Job, Ledger, Run, RunState};
use super::provider::{Order, Provider};
use super::workflow;
use crate::guard::Guard;
use crate::outbound::ANSWER_LIMIT;
use crate::{TargetError, masking};
use async_trait::async_trait;
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::{Text, text};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::time::Duration;
use uuid::Uuid;

/// Deployments of ours among others of the same environment: a workflow's own are called `deploy`.
const TASK: &str = "passerelle";
/// Attempts that are looked into until a good one is found.
const LOOKED_INTO: usize = 8;
/// How often a run is looked for right after its order, once a second.
const LOOKS: u32 = 5;

pub(super) struct Github {
    pub http: Http,
}

impl Github {
    fn repository(binding: &BindingConfig) -> String {
        format!("/repos/{}", binding.repository.as_str())
    }

    fn workflow(binding: &BindingConfig) -> String {
        let file = binding.workflow.as_ref().map_or("", super::Workflow::as_str);
        format!("{}/actions/workflows/{file}", Self::repository(binding))
    }

    fn what(binding: &BindingConfig) -> Text {
        text!("repository {name}", name = binding.repository.as_str())
    }

    /// Newest first.
    async fn claims(&self, binding: &BindingConfig) -> Result<Vec<Claim>, TargetError> {
        let path = format!("{}/deployments", Self::repository(binding));
        let query = [("task", TASK), ("environment", binding.environment.as_str()), ("per_page", "30")];
        Ok(read::claims(&self.http.get(&path, &query, Self::what(binding)).await?))
    }

    async fn run(&self, binding: &BindingConfig, id: u64) -> Result<Option<Run>, TargetError> {
        let path = format!("{}/actions/runs/{id}", Self::repository(binding));
        match self.http.get(&path, &[], text!("run {id}", id)).await {
            Ok(run) => Ok(read::run(&run)),
            // Runs are deleted after a while.
            Err(TargetError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs that show the id of a claim and were made after it, oldest first. The API could be asked for those made since a time, in
    /// a way that its documentation shows and its description does not allow; so the newest are read and compared here.
    async fn runs_of(&self, binding: &BindingConfig, claim: &Claim) -> Result<Vec<Run>, TargetError> {
        let Some(mark) = &claim.mark else { return Ok(Vec::new()) };
        let path = format!("{}/runs", Self::workflow(binding));
        let mut found = Vec::new();
        for page in ["1", "2", "3"] {
            let query = [("event", "workflow_dispatch"), ("per_page", "100"), ("page", page)];
            let what = text!("workflow of {name}", name = binding.repository.as_str());
            let list = self.http.get(&path, &query, what).await?;
            found.extend(read::runs_named(&list, &mark.correlation(), claim.asked_at));
            if !found.is_empty() || read::reaches(&list, claim.asked_at) {
                break;
            }
        }
        found.sort_by_key(|run| run.id);
        Ok(found)
    }

    /// One attempt with its run; further runs of the same order follow as attempts of their own.
    async fn attempts(&self, binding: &BindingConfig, claim: Claim) -> Result<Vec<Attempt>, TargetError> {
        let path = format!("{}/deployments/{}/statuses", Self::repository(binding), claim.id);
        let statuses = self.http.get(&path, &[("per_page", "30")], text!("deployment {id}", id = claim.id)).await?;
        let noted = read::noted(&statuses);
        let mut runs: Vec<Run> = match noted.run {
            Some(id) => self.run(binding, id).await?.into_iter().collect(),
            None => Vec::new(),
        };
        if noted.end.is_none() {
            // Also where one is known: who was overtaken may have ordered a second one.
            let known = runs.first().map(|run| run.id);
            runs.extend(self.runs_of(binding, &claim).await?.into_iter().filter(|run| Some(run.id) != known));
        }
        if runs.is_empty() {
            runs.extend(noted.end.clone().map(|state| Run { state, ..Run::default() }));
        }
        let mut mark = claim.mark;
        if let (Some(mark), Some(epoch)) = (&mut mark, noted.epoch) {
            mark.fence.epoch = mark.fence.epoch.max(epoch);
        }
        let told = |run: Option<&Run>| match run {
            Some(run) if run.state.is_over() => noted.end.is_some(),
            _ => noted.run.is_some(),
        };
        let attempt = |run: Option<Run>| Attempt {
            id: claim.id,
            mark: mark.clone(),
            image: claim.image.clone(),
            asked_at: claim.asked_at,
            ordered: noted.any,
            told: told(run.as_ref()),
            run,
        };
        if runs.is_empty() {
            return Ok(vec![attempt(None)]);
        }
        Ok(runs.into_iter().map(|run| attempt(Some(run))).collect())
    }

    async fn jobs(&self, binding: &BindingConfig, run: u64) -> Result<Vec<Job>, TargetError> {
        let path = format!("{}/actions/runs/{run}/jobs", Self::repository(binding));
        let jobs =
            self.http.get(&path, &[("filter", "latest"), ("per_page", "100")], text!("run {id}", id = run)).await?;
        Ok(read::jobs(&jobs))
    }

    /// The record of an attempt, made before anything is ordered; nothing when another process has made it meanwhile.
    async fn claim(&self, binding: &BindingConfig, order: &Order) -> Result<Option<Claim>, TargetError> {
        let fence = order.mark.fence;
        let description: String = format!("{} by Passerelle", order.image).chars().take(140).collect();
        let body = json!({
            "ref": binding.git_ref.as_str(), "task": TASK, "environment": binding.environment.as_str(),
            "auto_merge": false, "required_contexts": [], "description": description,
            "payload": { "passerelle": { "deployment": fence.deployment, "epoch": fence.epoch, "change": order.mark.change, "image": order.image } },
        });
        let path = format!("{}/deployments", Self::repository(binding));
        let what = text!("branch or tag {name}", name = binding.git_ref.as_str());
        let answer = self.http.send(Method::POST, &path, Some(&body), what).await?.body;
        let none = || TargetError::Unreachable(text!("{who} gave no number to a deployment", who = GITHUB));
        let made = Claim::made(&answer, order).ok_or_else(none)?;
        // Another process may have made its own between our look and this.
        let ledger = self.ledger(binding).await?;
        let newer = ledger.check(fence);
        let first = |one: &&Attempt| one.mark.as_ref().is_some_and(|mark| mark.is_same_act(&order.mark));
        let twice = ledger.0.iter().find(first).is_some_and(|one| one.id < made.id);
        if newer.is_err() || twice {
            self.status(binding, made.id, "inactive", fence.epoch, None).await?;
        }
        newer?;
        if twice {
            return Ok(None);
        }
        Ok(Some(made))
    }

    async fn status(
        &self,
        binding: &BindingConfig,
        deployment: u64,
        state: &str,
        epoch: i64,
        run: Option<&Run>,
    ) -> Result<(), TargetError> {
        let mut body = json!({ "state": state, "description": read::description(epoch), "auto_inactive": false });
        if let Some(url) = run.map(|run| run.url.as_str()).filter(|url| !url.is_empty()) {
            body["log_url"] = url.into();
        }
        let path = format!("{}/deployments/{deployment}/statuses", Self::repository(binding));
        self.http.send(Method::POST, &path, Some(&body), text!("deployment {id}", id = deployment)).await.map(drop)
    }

    async fn dispatch(&self, binding: &BindingConfig, order: &Order) -> Result<(), TargetError> {
        let mut inputs: Map<String, Value> =
            binding.inputs.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_str().into())).collect();
        inputs.insert(binding.image_field(Kind::Github).to_owned(), order.image.as_str().into());
        inputs.insert(binding.correlation_field().to_owned(), order.mark.correlation().into());
        let body = json!({ "ref": binding.git_ref.as_str(), "inputs": inputs });
        let path = format!("{}/dispatches", Self::workflow(binding));
        let what = text!("workflow {name}", name = binding.workflow.as_ref().map_or("", super::Workflow::as_str));
        self.http.send(Method::POST, &path, Some(&body), what).await.map(drop)
    }

    /// The run appears a moment after its order; when it takes longer, whoever looks next finds it.
    async fn first_sight(&self, binding: &BindingConfig, claim: &Claim) -> Result<Option<Run>, TargetError> {
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            if let Some(run) = self.runs_of(binding, claim).await?.into_iter().next() {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Provider for Github {
    async fn check(&self) -> Result<String, TargetError> {
        let limits = self.http.get("/rate_limit", &[], text!("the API")).await?;
        let (left, most) = (&limits["rate"]["remaining"], &limits["rate"]["limit"]);
        Ok(format!("GitHub REST API 2022-11-28, {left} of {most} calls left in this hour"))
    }

    async fn ledger(&self, binding: &BindingConfig) -> Result<Ledger, TargetError> {
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut good = None;
        for claim in self.claims(binding).await?.into_iter().take(LOOKED_INTO) {
            let deployment = claim.mark.as_ref().map(|mark| mark.fence.deployment);
            // What the same deployment did before it came to a good end is looked at too: its end is to be written down.
            if good.is_some_and(|of: Option<Uuid>| of.is_none() || of != deployment) {
                break;
            }
            let of_claim = self.attempts(binding, claim).await?;
            if of_claim.iter().any(|one| one.run.as_ref().is_some_and(|run| run.state == RunState::Succeeded)) {
                good = Some(deployment);
            }
            attempts.extend(of_claim.into_iter().rev());
        }
        attempts.reverse();
        let mut ledger = Ledger(attempts);
        if let Some(place) = ledger.place()
            && let Some(run) = &mut ledger.0[place].run
            && run.id != 0
        {
            run.jobs = self.jobs(binding, run.id).await?;
        }
        Ok(ledger)
    }

    async fn order(
        &self,
        binding: &BindingConfig,
        order: &Order,
        claim: Option<&Attempt>,
    ) -> Result<Option<String>, TargetError> {
        let claim = match claim {
            Some(attempt) => Claim::again(attempt),
            None => match self.claim(binding, order).await? {
                Some(made) => made,
                None => return Ok(None),
            },
        };
        let epoch = order.mark.fence.epoch;
        if let Err(error) = self.dispatch(binding, order).await {
            // Refused for certain: nothing runs, and nobody has to wait for it.
            if !error.is_transient() {
                self.status(binding, claim.id, "error", epoch, None).await?;
            }
            return Err(error);
        }
        self.status(binding, claim.id, "queued", epoch, None).await?;
        let run = self.first_sight(binding, &claim).await?;
        if let Some(run) = &run {
            self.status(binding, claim.id, "in_progress", epoch, Some(run)).await?;
        }
        Ok(run.map(|run| run.url).filter(|url| !url.is_empty()))
    }

    async fn raise(&self, binding: &BindingConfig, attempt: &Attempt, epoch: i64) -> Result<(), TargetError> {
        let run = attempt.run.as_ref();
        let state = run.map_or("queued", |run| read::status_of(&run.state));
        self.status(binding, attempt.id, state, epoch, run).await
    }

    async fn cancel(&self, binding: &BindingConfig, run: &Run) -> Result<(), TargetError> {
        let path = format!("{}/actions/runs/{}/cancel", Self::repository(binding), run.id);
        match self.http.send(Method::POST, &path, None, text!("run {id}", id = run.id)).await {
            // It was over by then.
            Ok(_) | Err(TargetError::Refused(_) | TargetError::Missing(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn log(&self, binding: &BindingConfig, job: &Job) -> Result<String, TargetError> {
        let path = format!("{}/actions/jobs/{}/logs", Self::repository(binding), job.id);
        let what = text!("the log of job {name}", name = &job.name);
        let url = match self.http.text(&path, what.clone()).await? {
            Ok(log) => return Ok(log),
            Err(url) => url,
        };
        // Where logs are kept is told by the answer: the address is judged like one that somebody typed, and gets no credentials.
        if let Some(own) = self.http.own(&url) {
            return self.http.elsewhere(own, &url).await;
        }
        let url = url::Url::parse(&url).map_err(|_| TargetError::Missing(what))?;
        let refused = |refusal: crate::guard::Refusal| TargetError::Refused(refusal.text().clone());
        let client = Guard::default().client(&url, ANSWER_LIMIT).await.map_err(refused)?;
        self.http.elsewhere(&client, url.as_str()).await
    }

    async fn findings(&self, binding: &BindingConfig) -> Result<Vec<Finding>, TargetError> {
        let file = binding.workflow.as_ref().map_or("", super::Workflow::as_str);
        let finding = |severity, code: &str, message| Finding { severity, code: code.to_owned(), message };
        let found = match self.http.get(&Self::workflow(binding), &[], text!("workflow {name}", name = file)).await {
            Ok(found) => found,
            Err(TargetError::Missing(_)) => {
                let message =
                    text!("{repository} has no workflow {name}", repository = binding.repository.as_str(), name = file);
                return Ok(vec![finding(Severity::Error, "missing_workflow", message)]);
            }
            Err(error) => return Err(error),
        };
        if let Some(state) = found["state"].as_str().filter(|state| *state != "active") {
            let message = text!("workflow {name} is not active: {state}", name = file, state = masking::shown(state));
            return Ok(vec![finding(Severity::Error, "inactive_workflow", message)]);
        }
        let path = format!("{}/contents/.github/workflows/{file}", Self::repository(binding));
        let query = [("ref", binding.git_ref.as_str())];
        match self.http.get(&path, &query, text!("workflow {name}", name = file)).await {
            Ok(content) => Ok(workflow::findings(&read::content(&content), binding)),
            Err(TargetError::Missing(_)) => {
                let branch = binding.git_ref.as_str();
                let message = text!("branch or tag {branch} has no workflow {name}", branch, name = file);
                Ok(vec![finding(Severity::Error, "missing_workflow", message)])
            }
            Err(TargetError::Forbidden(_)) => {
                let message =
                    text!("the token may not read workflow {name}, so its inputs were not looked at", name = file);
                Ok(vec![finding(Severity::Warning, "unread_workflow", message)])
            }
            Err(error) => Err(error),
        }
    }

    async fn tell(&self, binding: &BindingConfig, attempt: &Attempt) -> Result<bool, TargetError> {
        let Some(run) = attempt.run.as_ref().filter(|_| !attempt.told) else { return Ok(false) };
        let epoch = attempt.mark.as_ref().map_or(0, |mark| mark.fence.epoch);
        self.status(binding, attempt.id, read::status_of(&run.state), epoch, Some(run)).await?;
        Ok(true)
    }
}
