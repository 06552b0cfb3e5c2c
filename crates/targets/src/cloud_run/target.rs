//! The target: one service of one region.

use super::api::{Api, Written};
use super::config::BindingConfig;
use super::fence::ANNOTATIONS;
use super::{canary, change, migration, state};
use crate::fencing::Turn;
use crate::polling;
use crate::{Applied, Change, Fence, ImageRef, Observation, Target, TargetError, TargetPlan};
use async_trait::async_trait;
use futures::stream::BoxStream;
use passerelle_contract::deployments::{DiffLine, Finding, Severity};
use passerelle_contract::{Text, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const ATTEMPTS: u32 = 5;
/// Between two questions while Cloud Run is at work.
const BUSY: Duration = Duration::from_secs(1);
/// Between two questions while nothing moves.
const IDLE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(super) struct RunService {
    pub api: Arc<Api>,
    pub binding: BindingConfig,
}

impl RunService {
    async fn read(&self) -> Result<(Value, Vec<Value>), TargetError> {
        let name = self.binding.service.as_str();
        Ok((self.api.service(name).await?, self.api.revisions(name).await?))
    }

    /// Tells the traffic's way before it is gone.
    fn canary_finding(&self, change: &Change) -> Option<Finding> {
        let steps = &self.binding.canary_steps;
        let goes = matches!(change, Change::Image { .. }) && !steps.is_empty();
        goes.then(|| Finding {
            severity: Severity::Info,
            code: "canary".to_owned(),
            message: text!(
                "the traffic goes to the new revision in steps: {steps}, then all; {seconds} s in all",
                steps = steps.shown(),
                seconds = steps.pauses(self.binding.canary_pause_s).as_secs()
            ),
        })
    }

    fn contended(&self) -> TargetError {
        TargetError::Unreachable(text!(
            "service {name} was written by others {attempts} times in a row",
            name = self.binding.service.as_str(),
            attempts = ATTEMPTS
        ))
    }
}

#[async_trait]
impl Target for RunService {
    async fn observe(&self) -> Result<Observation, TargetError> {
        let (service, revisions) = self.read().await?;
        let mut seen = state::observation(&service, &revisions, &self.binding);
        if let Some(migration) = migration::read(&service) {
            let (_, standing) = self.migration(&migration).await?;
            migration::overlay(&mut seen, &migration, &standing);
        }
        Ok(seen)
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, TargetError>> {
        polling::watch(self.clone(), BUSY, IDLE)
    }

    async fn plan(&self, change: &Change) -> Result<TargetPlan, TargetError> {
        let (service, revisions) = self.read().await?;
        let none = Fence { deployment: uuid::Uuid::nil(), epoch: 0 };
        let body = change::body(&service, &revisions, &self.binding, change, none)?;
        let now = change::record(&service, &revisions).0;
        let next = match change {
            Change::Restore { recorded } | Change::RestoreVersion { recorded } => recorded.0["template"].clone(),
            _ => body["template"].clone(),
        };
        let index = change::container(&next, &self.binding)?;
        let image = |template: &Value| template["containers"][index]["image"].as_str().unwrap_or_default().to_owned();
        let mut diff = Vec::new();
        let mut line = |field: String, before, after| diff.extend(DiffLine::of_values(field, before, after));
        line("image".to_owned(), Some(image(&now["template"])), Some(image(&next)));
        let masked = |template: &Value| {
            state::env(template).into_iter().map(|var| (var.name, var.value)).collect::<BTreeMap<_, _>>()
        };
        let (old, new) = (masked(&now["template"]), masked(&next));
        for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
            line(format!("env {name}"), old.get(name).cloned(), new.get(name).cloned());
        }
        if *change == Change::Restart {
            let after = Some(text!("a new revision of the same template"));
            diff.push(DiffLine { field: "restart".to_owned(), before: None, after });
        }
        let mut findings = Vec::new();
        if ImageRef::parse(&image(&next)).is_ok_and(|image| !image.is_pinned()) {
            let message =
                text!("{image} names a tag, which another push can move; a digest cannot change", image = image(&next));
            findings.push(Finding { severity: Severity::Info, code: "mutable_tag".to_owned(), message });
        }
        if matches!(change, Change::Image { .. }) {
            findings.extend(self.migration_finding().await?);
        }
        findings.extend(self.canary_finding(change));
        Ok(TargetPlan { diff, env: state::env(&next), findings })
    }

    async fn apply(&self, change: &Change, fence: Fence) -> Result<Applied, TargetError> {
        let name = self.binding.service.as_str();
        for _ in 0..ATTEMPTS {
            let (service, revisions) = self.read().await?;
            let before = change::record(&service, &revisions);
            let applied = |unchanged, message| Applied { before, unchanged, message };
            let there = text!("service {name} has this change already", name);
            let (body, mask, applied) = match ANNOTATIONS.turn(&service, change, fence)? {
                Turn::Done => return Ok(applied(true, there)),
                Turn::Raise => (change::raise(&service, change, fence), "annotations", applied(true, there)),
                Turn::Write => {
                    // Also where a job comes first: what cannot become a revision needs none.
                    let body = change::body(&service, &revisions, &self.binding, change, fence)?;
                    match (change, self.binding.migration_job.as_ref()) {
                        (Change::Image { image, .. }, Some(job)) => {
                            let body = migration::begin(&service, job.as_str(), image, fence);
                            (
                                body,
                                "annotations",
                                applied(false, text!("migration job {job} is to run first", job = job.as_str())),
                            )
                        }
                        _ => (
                            body,
                            change::FIELDS,
                            applied(false, text!("service {name} is to serve another revision", name)),
                        ),
                    }
                }
            };
            if self.api.patch(name, &body, mask).await? == Written::Yes {
                return Ok(applied);
            }
        }
        Err(self.contended())
    }

    async fn stages(&self) -> Result<Option<Duration>, TargetError> {
        let (steps, job) = (&self.binding.canary_steps, self.binding.migration_job.as_ref());
        let pauses = (!steps.is_empty()).then(|| steps.pauses(self.binding.canary_pause_s));
        let migration = job.map(|_| self.binding.migration_timeout_s.duration());
        let any = pauses.or(migration);
        Ok(any.map(|_| pauses.unwrap_or_default() + migration.unwrap_or_default()))
    }

    async fn advance(&self, fence: Fence, agreed: bool) -> Result<Option<Text>, TargetError> {
        for _ in 0..ATTEMPTS {
            let (service, revisions) = self.read().await?;
            if let Some(migration) = migration::read(&service) {
                return self.migrate(&service, &revisions, &migration, fence).await;
            }
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let Some((body, said)) = canary::due(&service, &revisions, &self.binding, fence, now)? else {
                return Ok(None);
            };
            // The first share is what a judge sees the version by.
            if !agreed && canary::serves(&service) {
                return Ok(None);
            }
            // Without the template: a step never makes a revision.
            if self.api.patch(self.binding.service.as_str(), &body, "traffic,annotations").await? == Written::Yes {
                return Ok(Some(said));
            }
        }
        Err(self.contended())
    }

    async fn logs(&self, _: &str, _: u32) -> Result<Vec<String>, TargetError> {
        Err(TargetError::Refused(text!("Cloud Run keeps logs in Cloud Logging, which this connection does not read")))
    }
}
