//! The target: one service of one Swarm.

use super::config::ServiceName;
use super::engine::{Engine, Written};
use super::evidence::{self, Evidence};
use super::fence::LABELS;
use super::findings::{self, Facts};
use super::model::Service;
use super::observe::{self, Look};
use super::{change, diff, spec, watch};
use crate::fencing::Turn;
use crate::masking::MAX_LOG_LINES;
use crate::{Applied, Change, Fence, Observation, Rollout, Target, TargetError, TargetPlan};
use async_trait::async_trait;
use futures::stream::BoxStream;
use passerelle_contract::deployments::Failure;
use passerelle_contract::{Text, text};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// How often a write is tried again after somebody else wrote in between.
const ATTEMPTS: u32 = 5;

#[derive(Debug, Clone)]
pub(super) struct SwarmService {
    pub engine: Arc<Engine>,
    pub name: ServiceName,
}

impl SwarmService {
    pub fn new(engine: Arc<Engine>, name: ServiceName) -> Self {
        Self { engine, name }
    }

    /// Reads service and tasks; `known` is evidence from an earlier look that is used again for the same task.
    pub async fn look(&self, known: &mut Option<Evidence>) -> Result<Observation, TargetError> {
        let (service, now) = self.service().await?;
        let tasks = self.engine.tasks(&service).await?;
        let look = Look { service, tasks, now };
        if let Some(suspect) = look.suspect()
            && known.as_ref().is_none_or(|known| known.task != suspect.id)
        {
            *known = Some(evidence::gather(&self.engine, suspect).await);
        }
        let suspect = look.suspect().map(|task| task.id.as_str());
        let evidence = known.as_ref().filter(|known| Some(known.task.as_str()) == suspect);
        Ok(observe::observation(self.name.as_str(), &look, evidence))
    }

    async fn service(&self) -> Result<(Service, time::OffsetDateTime), TargetError> {
        let (service, now) = self.engine.service(self.name.as_str()).await?;
        if spec::is_job(&service.spec) {
            let message = text!("is a job, which ends by itself; only services that stay up can be deployed to");
            return Err(TargetError::Config { pointer: "/config/service".to_owned(), message });
        }
        Ok((service, now))
    }

    async fn facts(&self, spec: &Value) -> Facts {
        let mut facts = Facts { image: self.engine.image(spec::image(spec)).await, missing: Vec::new() };
        for kind in ["Secret", "Config"] {
            let wanted = spec::references(spec, kind);
            if wanted.is_empty() {
                continue;
            }
            let word = kind.to_ascii_lowercase();
            // Without an answer nothing is claimed; Swarm checks again when the change is written.
            if let Ok(there) = self.engine.ids(&format!("{word}s")).await {
                let missing = wanted.into_iter().filter(|(id, _)| !there.contains(id));
                facts.missing.extend(missing.map(|(_, name)| format!("{word} {name}")));
            }
        }
        facts
    }

    fn said(&self, change: &Change, turn: &Turn) -> Text {
        let name = self.name.as_str();
        match (turn, change) {
            (Turn::Done | Turn::Raise, _) => text!("service {name} has this change already", name),
            (Turn::Write, Change::Image { image, .. }) => text!("service {name} is to run {image}", name, image),
            (Turn::Write, Change::Restore { .. } | Change::RestoreVersion { .. }) => {
                text!("service {name} is to run what was recorded", name)
            }
            (Turn::Write, Change::Restart) => text!("service {name} is to replace its tasks", name),
            (Turn::Write, Change::Scale { replicas }) => {
                text!("service {name} is to run {replicas} tasks", name, replicas)
            }
        }
    }
}

#[async_trait]
impl Target for SwarmService {
    async fn observe(&self) -> Result<Observation, TargetError> {
        self.look(&mut None).await
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, TargetError>> {
        watch::stream(self.clone())
    }

    async fn undone(&self, period: Duration) -> Result<Option<Failure>, TargetError> {
        let (service, now) = self.service().await?;
        // By the engine's own clock, whose seconds are whole.
        let age = now - service.rollout_start() - time::Duration::SECOND;
        if !service.update_state().is_rollback() || age > period {
            return Ok(None);
        }
        Ok(match self.observe().await?.rollout {
            Rollout::Failed { failure } => Some(failure),
            Rollout::Progressing | Rollout::Complete => None,
        })
    }

    async fn plan(&self, change: &Change) -> Result<TargetPlan, TargetError> {
        let (service, _) = self.service().await?;
        let next = change::apply(&service.spec, change)?;
        let facts = self.facts(&next).await;
        Ok(TargetPlan {
            diff: diff::lines(&service.spec, &next),
            env: spec::env(&next),
            findings: findings::list(&next, &facts),
        })
    }

    async fn apply(&self, change: &Change, fence: Fence) -> Result<Applied, TargetError> {
        for _ in 0..ATTEMPTS {
            let (service, _) = self.service().await?;
            let before = change::record(&service.spec);
            let turn = LABELS.turn(&service.spec, change, fence)?;
            let unchanged = turn != Turn::Write;
            let applied = Applied { before, unchanged, message: self.said(change, &turn) };
            let mut next = match turn {
                Turn::Done => return Ok(applied),
                Turn::Raise => service.spec.clone(),
                Turn::Write => change::apply(&service.spec, change)?,
            };
            LABELS.stamp(&mut next, change, fence);
            if self.engine.update(&service, &next).await? == Written::Yes {
                return Ok(applied);
            }
        }
        Err(TargetError::Unreachable(text!(
            "service {name} was written by others {attempts} times in a row",
            name = self.name.as_str(),
            attempts = ATTEMPTS
        )))
    }

    async fn logs(&self, instance: &str, lines: u32) -> Result<Vec<String>, TargetError> {
        let (service, _) = self.service().await?;
        let tasks = self.engine.tasks(&service).await?;
        let task = tasks.iter().find(|task| task.name(self.name.as_str()) == instance);
        let task = task
            .ok_or_else(|| TargetError::Missing(text!("the instance of service {name}", name = self.name.as_str())))?;
        let most = u32::try_from(MAX_LOG_LINES).unwrap_or(u32::MAX);
        self.engine.task_logs(&task.id, lines.min(most)).await
    }
}
