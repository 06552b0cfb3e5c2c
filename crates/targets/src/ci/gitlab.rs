//! GitLab: a pipeline is the record of its own attempt.
//!
//! The mark and the image are variables of the pipeline, which are given with the order and never change; a later epoch is written into
//! the pipeline's name. So there is no moment in which something was asked for and not ordered.

use super::config::{BindingConfig, wrong};
use super::gitlab_read as read;
use super::http::{GITLAB, Http};
use super::model::{Attempt, Job, Ledger, Run, RunState};
use super::provider::{Order, Provider};
use crate::static_site::address::encoded;
use crate::{Secret, TargetError, masking};
use async_trait::async_trait;
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::{Text, text};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// Pipelines that are looked through for ours.
const PAGE: &str = "30";
/// Attempts that are looked into until a good one is found.
const LOOKED_INTO: usize = 8;
/// Most pipelines whose variables are kept; they never change.
const MOST_KEPT: usize = 2_000;

pub(super) struct Gitlab {
    pub http: Http,
    pub trigger: Option<Secret>,
    /// By the number of the pipeline, which is unique on its server.
    pub variables: Mutex<HashMap<u64, Value>>,
}

impl Gitlab {
    fn project(binding: &BindingConfig) -> String {
        format!("/projects/{}", encoded(binding.repository.as_str(), false))
    }

    fn what(binding: &BindingConfig) -> Text {
        text!("project {name}", name = binding.repository.as_str())
    }

    async fn variables(&self, binding: &BindingConfig, pipeline: u64) -> Result<Value, TargetError> {
        let kept = self.variables.lock().unwrap_or_else(PoisonError::into_inner).get(&pipeline).cloned();
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let path = format!("{}/pipelines/{pipeline}/variables", Self::project(binding));
        let read = self.http.get(&path, &[("per_page", "100")], text!("pipeline {id}", id = pipeline)).await?;
        let mut all = self.variables.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_KEPT {
            all.clear();
        }
        all.insert(pipeline, read.clone());
        Ok(read)
    }

    async fn jobs(&self, binding: &BindingConfig, pipeline: u64) -> Result<Vec<Job>, TargetError> {
        let path = format!("{}/pipelines/{pipeline}/jobs", Self::project(binding));
        let mut jobs =
            read::jobs(&self.http.get(&path, &[("per_page", "100")], text!("pipeline {id}", id = pipeline)).await?);
        // They come newest first.
        jobs.sort_by_key(|job| job.id);
        Ok(jobs)
    }

    /// None for a pipeline that deploys something else.
    async fn attempt(&self, binding: &BindingConfig, pipeline: &Value) -> Result<Option<Attempt>, TargetError> {
        let Some(id) = pipeline["id"].as_u64() else { return Ok(None) };
        let variables = self.variables(binding, id).await?;
        let Some(mut attempt) = read::attempt(pipeline, &variables, binding) else { return Ok(None) };
        // Whether the manual job has run is not told by the pipeline, which may pass without it.
        if let (Some(job), Some(run)) = (&binding.manual_job, &mut attempt.run)
            && run.state == RunState::Succeeded
        {
            run.jobs = self.jobs(binding, id).await?;
            run.state = read::by_manual_job(&run.jobs, job.as_str());
        }
        Ok(Some(attempt))
    }

    /// Makes a pipeline and gives its number and page.
    async fn create(&self, binding: &BindingConfig, order: &Order) -> Result<(u64, String), TargetError> {
        let variables = read::variables_of(order, binding);
        let (what, reference) = (Self::what(binding), binding.git_ref.as_str());
        let made = match &self.trigger {
            None => {
                let list: Vec<Value> =
                    variables.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
                let body = json!({ "ref": reference, "variables": list });
                self.http.send(Method::POST, &format!("{}/pipeline", Self::project(binding)), Some(&body), what).await?
            }
            Some(token) => {
                let token = token.reveal().map_err(|error| wrong("/config/trigger_token", error.text()))?;
                let mut form =
                    vec![("token".to_owned(), token.trim().to_owned()), ("ref".to_owned(), reference.to_owned())];
                form.extend(variables.into_iter().map(|(key, value)| (format!("variables[{key}]"), value)));
                self.http.send_form(&format!("{}/trigger/pipeline", Self::project(binding)), &form, what).await?
            }
        };
        let none = || TargetError::Unreachable(text!("{who} gave no number to a pipeline", who = GITLAB));
        let id = made.body["id"].as_u64().ok_or_else(none)?;
        Ok((id, super::github_read::link(&made.body["web_url"])))
    }

    /// Servers before 16.6 cannot name pipelines: there the epoch stays the one it was ordered with.
    async fn name(&self, binding: &BindingConfig, pipeline: u64, image: &str, epoch: i64) -> Result<(), TargetError> {
        let path = format!("{}/pipelines/{pipeline}/metadata", Self::project(binding));
        let body = json!({ "name": read::name(binding.environment.as_str(), image, epoch) });
        match self.http.send(Method::PUT, &path, Some(&body), text!("pipeline {id}", id = pipeline)).await {
            Ok(_) | Err(TargetError::Missing(_) | TargetError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn end(&self, binding: &BindingConfig, pipeline: u64) -> Result<(), TargetError> {
        let path = format!("{}/pipelines/{pipeline}/cancel", Self::project(binding));
        match self.http.send(Method::POST, &path, None, text!("pipeline {id}", id = pipeline)).await {
            // It was over by then.
            Ok(_) | Err(TargetError::Refused(_) | TargetError::Missing(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What GitLab itself says of the pipeline's file.
    async fn lint(&self, binding: &BindingConfig) -> Result<Vec<Finding>, TargetError> {
        let finding = |severity, code: &str, message| Finding { severity, code: code.to_owned(), message };
        let query = [("content_ref", binding.git_ref.as_str()), ("include_jobs", "true")];
        let path = format!("{}/ci/lint", Self::project(binding));
        let lint = match self.http.get(&path, &query, Self::what(binding)).await {
            Ok(lint) => lint,
            Err(TargetError::Forbidden(_) | TargetError::Missing(_)) => {
                let message = text!("the token may not check the pipeline's file, so its jobs were not looked at");
                return Ok(vec![finding(Severity::Warning, "unread_pipeline", message)]);
            }
            Err(error) => return Err(error),
        };
        if lint["valid"] == false {
            let why =
                masking::shown(lint["errors"][0].as_str().unwrap_or_default()).chars().take(300).collect::<String>();
            return Ok(vec![finding(
                Severity::Error,
                "invalid_pipeline",
                text!("the pipeline's file is not valid: {why}", why),
            )]);
        }
        let Some(wanted) = binding.manual_job.as_ref().map(super::Label::as_str) else { return Ok(Vec::new()) };
        // The jobs of a push: what rules leave out then may still run, so a job that is not there is only a warning.
        let found = lint["jobs"].as_array().into_iter().flatten().find(|job| job["name"] == wanted);
        Ok(match found.map(|job| job["when"].as_str().unwrap_or_default()) {
            Some("manual") => Vec::new(),
            Some(_) => {
                let message = text!("job {name} is not manual, so it does not wait for the portal", name = wanted);
                vec![finding(Severity::Warning, "not_manual", message)]
            }
            None => {
                let message = text!(
                    "a pipeline of {branch} as it would be now has no job {name}",
                    branch = binding.git_ref.as_str(),
                    name = wanted
                );
                vec![finding(Severity::Warning, "missing_job", message)]
            }
        })
    }
}

#[async_trait]
impl Provider for Gitlab {
    async fn check(&self) -> Result<String, TargetError> {
        let version = self.http.get("/version", &[], text!("the API")).await?;
        Ok(format!("GitLab {}", masking::shown(version["version"].as_str().unwrap_or_default())))
    }

    async fn ledger(&self, binding: &BindingConfig) -> Result<Ledger, TargetError> {
        let source = if self.trigger.is_some() { "trigger" } else { "api" };
        let reference = binding.git_ref.as_str();
        let query = [("ref", reference), ("source", source), ("order_by", "id"), ("sort", "desc"), ("per_page", PAGE)];
        let path = format!("{}/pipelines", Self::project(binding));
        let list = self.http.get(&path, &query, Self::what(binding)).await?;
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut good = None;
        for pipeline in list.as_array().into_iter().flatten() {
            let Some(attempt) = self.attempt(binding, pipeline).await? else { continue };
            let deployment = attempt.mark.as_ref().map(|mark| mark.fence.deployment);
            // What the same deployment did before it came to a good end is looked at too: its end is to be written down.
            if attempts.len() == LOOKED_INTO || good.is_some_and(|of: Option<Uuid>| of.is_none() || of != deployment) {
                break;
            }
            if attempt.run.as_ref().is_some_and(|run| run.state == RunState::Succeeded) {
                good = Some(deployment);
            }
            attempts.push(attempt);
        }
        attempts.reverse();
        let mut ledger = Ledger(attempts);
        if let Some(place) = ledger.place()
            && let Some(run) = &mut ledger.0[place].run
            && run.jobs.is_empty()
        {
            run.jobs = self.jobs(binding, run.id).await?;
        }
        Ok(ledger)
    }

    async fn order(
        &self,
        binding: &BindingConfig,
        order: &Order,
        _: Option<&Attempt>,
    ) -> Result<Option<String>, TargetError> {
        let (id, url) = self.create(binding, order).await?;
        let fence = order.mark.fence;
        self.name(binding, id, &order.image, fence.epoch).await?;
        // Another process may have ordered between our look and our order.
        let ledger = self.ledger(binding).await?;
        let newer = ledger.check(fence);
        let first = |one: &&Attempt| one.mark.as_ref().is_some_and(|mark| mark.is_same_act(&order.mark));
        let twice = ledger.0.iter().find(first).is_some_and(|one| one.id < id);
        if newer.is_err() || twice {
            self.end(binding, id).await?;
        }
        newer?;
        Ok(Some(url).filter(|url| !url.is_empty() && !twice))
    }

    async fn raise(&self, binding: &BindingConfig, attempt: &Attempt, epoch: i64) -> Result<(), TargetError> {
        self.name(binding, attempt.id, &attempt.image, epoch).await
    }

    async fn cancel(&self, binding: &BindingConfig, run: &Run) -> Result<(), TargetError> {
        self.end(binding, run.id).await
    }

    async fn play(&self, binding: &BindingConfig, job: &Job) -> Result<(), TargetError> {
        let path = format!("{}/jobs/{}/play", Self::project(binding), job.id);
        self.http.send(Method::POST, &path, None, text!("job {name}", name = &job.name)).await.map(drop)
    }

    async fn log(&self, binding: &BindingConfig, job: &Job) -> Result<String, TargetError> {
        let path = format!("{}/jobs/{}/trace", Self::project(binding), job.id);
        let what = text!("the log of job {name}", name = &job.name);
        self.http.text(&path, what.clone()).await?.map_err(|_| TargetError::Missing(what))
    }

    async fn findings(&self, binding: &BindingConfig) -> Result<Vec<Finding>, TargetError> {
        let reference = binding.git_ref.as_str();
        let project = match self.http.get(&Self::project(binding), &[], Self::what(binding)).await {
            Ok(_) => None,
            Err(TargetError::Missing(_)) => Some((
                "missing_project",
                text!("there is no project {name}, or the token may not see it", name = binding.repository.as_str()),
            )),
            Err(error) => return Err(error),
        };
        let path = format!("{}/repository/commits/{}", Self::project(binding), encoded(reference, false));
        let missing = match project {
            Some(missing) => Some(missing),
            None => match self.http.get(&path, &[], Self::what(binding)).await {
                Ok(_) => None,
                Err(TargetError::Missing(_)) => {
                    Some(("missing_ref", text!("there is no branch or tag {name}", name = reference)))
                }
                Err(error) => return Err(error),
            },
        };
        match missing {
            Some((code, message)) => Ok(vec![Finding { severity: Severity::Error, code: code.to_owned(), message }]),
            None => self.lint(binding).await,
        }
    }

    /// Only the end: an unfinished status beside the commit would keep the pipeline itself from ending.
    async fn tell(&self, binding: &BindingConfig, attempt: &Attempt) -> Result<bool, TargetError> {
        let Some(run) = attempt.run.as_ref().filter(|run| run.state.is_over() && !run.sha.is_empty()) else {
            return Ok(false);
        };
        let path = format!("{}/statuses/{}", Self::project(binding), encoded(&run.sha, false));
        match self.http.send(Method::POST, &path, Some(&read::status(attempt, run, binding)), Self::what(binding)).await
        {
            Ok(_) => Ok(true),
            // The same status again is refused.
            Err(TargetError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
