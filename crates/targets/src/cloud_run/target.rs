//! The target: one service of one region.

use super::api::{Api, Written};
use super::config::BindingConfig;
use super::fence::ANNOTATIONS;
use super::{change, state};
use crate::fencing::Turn;
use crate::{Applied, Change, Fence, ImageRef, Observation, Rollout, Target, TargetError, TargetPlan};
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use passerelle_contract::deployments::{DiffLine, Finding, Severity};
use passerelle_contract::text;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

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
}

#[async_trait]
impl Target for RunService {
    async fn observe(&self) -> Result<Observation, TargetError> {
        let (service, revisions) = self.read().await?;
        Ok(state::observation(&service, &revisions, &self.binding))
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, TargetError>> {
        stream::unfold((self.clone(), None::<Observation>, false), |(service, last, ended)| async move {
            if ended {
                return None;
            }
            loop {
                if let Some(last) = &last {
                    let moving = last.rollout == Rollout::Progressing;
                    tokio::time::sleep(if moving { BUSY } else { IDLE }).await;
                }
                match service.observe().await {
                    Ok(seen) if last.as_ref() == Some(&seen) => {}
                    Ok(seen) => return Some((Ok(seen.clone()), (service, Some(seen), false))),
                    Err(error) => return Some((Err(error), (service, last, true))),
                }
            }
        })
        .boxed()
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
        let mut line = |field: String, before: Option<String>, after: Option<String>| {
            if before != after {
                diff.push(DiffLine { field, before, after });
            }
        };
        line("image".to_owned(), Some(image(&now["template"])), Some(image(&next)));
        let masked = |template: &Value| {
            state::env(template).into_iter().map(|var| (var.name, var.value)).collect::<BTreeMap<_, _>>()
        };
        let (old, new) = (masked(&now["template"]), masked(&next));
        for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
            line(format!("env {name}"), old.get(name).cloned(), new.get(name).cloned());
        }
        if *change == Change::Restart {
            line("restart".to_owned(), None, Some("a new revision of the same template".to_owned()));
        }
        let mut findings = Vec::new();
        if ImageRef::parse(&image(&next)).is_ok_and(|image| !image.is_pinned()) {
            let message =
                text!("{image} names a tag, which another push can move; a digest cannot change", image = image(&next));
            findings.push(Finding { severity: Severity::Info, code: "mutable_tag".to_owned(), message });
        }
        Ok(TargetPlan { diff, env: state::env(&next), findings })
    }

    async fn apply(&self, change: &Change, fence: Fence) -> Result<Applied, TargetError> {
        let name = self.binding.service.as_str();
        for _ in 0..ATTEMPTS {
            let (service, revisions) = self.read().await?;
            let before = change::record(&service, &revisions);
            let applied = |unchanged, message| Applied { before, unchanged, message };
            let there = text!("service {name} has this change already", name);
            let (body, applied) = match ANNOTATIONS.turn(&service, change, fence)? {
                Turn::Done => return Ok(applied(true, there)),
                Turn::Raise => (change::raise(&service, change, fence), applied(true, there)),
                Turn::Write => {
                    let body = change::body(&service, &revisions, &self.binding, change, fence)?;
                    (body, applied(false, text!("service {name} is to serve another revision", name)))
                }
            };
            if self.api.patch(name, &body).await? == Written::Yes {
                return Ok(applied);
            }
        }
        Err(TargetError::Unreachable(text!(
            "service {name} was written by others {attempts} times in a row",
            name,
            attempts = ATTEMPTS
        )))
    }

    async fn logs(&self, _: &str, _: u32) -> Result<Vec<String>, TargetError> {
        Err(TargetError::Refused(text!("Cloud Run keeps logs in Cloud Logging, which this connection does not read")))
    }
}
