//! The target: one site of one bucket.

use super::binding::BindingConfig;
use super::entry::Entry;
use super::publish::Wanted;
use super::release::Release;
use super::store::{Store, Written};
use crate::fencing::Turn;
use crate::{Applied, Change, Fence, Observation, Rollout, Target, TargetError, TargetPlan, polling};
use async_trait::async_trait;
use futures::stream::BoxStream;
use passerelle_contract::deployments::{DiffLine, Finding, Health, Instance, InstanceState, Replicas, Severity};
use passerelle_contract::{Text, text};
use std::sync::Arc;
use std::time::Duration;

const ATTEMPTS: u32 = 5;
/// Between two looks: only others change the site without our knowing.
const IDLE: Duration = Duration::from_secs(5);
/// What is shown for a site without a page, and for a page that was not deployed from here.
const NOTHING: &str = "site:nothing";
const UNKNOWN: &str = "site:unknown";

#[derive(Clone)]
pub(super) struct Site {
    pub store: Arc<dyn Store>,
    pub binding: Arc<BindingConfig>,
}

/// What is there is whole: a site is switched in one write, so it is never half-way.
fn observation(entry: &Entry) -> Observation {
    let image = entry.image().unwrap_or(if entry.is_there() { UNKNOWN } else { NOTHING });
    let there = entry.is_there();
    let name = Release::of(image).map_or_else(|_| "index.html".to_owned(), |release| release.id().to_owned());
    let instance = Instance {
        name,
        state: InstanceState::Ready,
        image: image.to_owned(),
        updated: true,
        restarts: 0,
        message: entry.image().is_none().then(|| text!("was not deployed from here")),
    };
    let count = u32::from(there);
    Observation {
        image: image.to_owned(),
        replicas: Replicas { desired: 1, updated: count, ready: count },
        instances: if there { vec![instance] } else { Vec::new() },
        env: Vec::new(),
        rollout: if there { Rollout::Complete } else { Rollout::Progressing },
        health: if there { Health::Healthy } else { Health::Unknown },
        health_message: (!there).then(|| text!("nothing has been deployed here yet")),
        fence: entry.fence(),
        recorded: entry.record(),
    }
}

impl Site {
    /// Whether the archive is there; one that is in the bucket already needs none.
    async fn archive_finding(&self, image: &str) -> Result<Option<Finding>, TargetError> {
        let release = Release::of(image)?;
        if self.manifest(release.id()).await?.is_some() {
            return Ok(None);
        }
        let bucket = self.binding.archive_bucket.as_ref().map(super::Bucket::as_str);
        for name in self.binding.archive_names(&release.digest) {
            if self.store.version(bucket, &name).await?.is_some() {
                return Ok(None);
            }
        }
        let message = self.no_archive(image).text();
        Ok(Some(Finding { severity: Severity::Error, code: "missing_archive".to_owned(), message }))
    }

    async fn fallback_finding(&self) -> Result<Option<Finding>, TargetError> {
        if !self.binding.single_page || self.store.falls_back().await? {
            return Ok(None);
        }
        let message = text!("the bucket is to answer with index.html for what is not found");
        Ok(Some(Finding { severity: Severity::Info, code: "fallback".to_owned(), message }))
    }

    async fn ensure_fallback(&self) -> Result<(), TargetError> {
        if self.binding.single_page && !self.store.falls_back().await? {
            self.store.fall_back().await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Target for Site {
    async fn observe(&self) -> Result<Observation, TargetError> {
        Ok(observation(&self.entry().await?))
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, TargetError>> {
        polling::watch(self.clone(), IDLE, IDLE)
    }

    async fn plan(&self, change: &Change) -> Result<TargetPlan, TargetError> {
        let entry = self.entry().await?;
        let next = match change {
            Change::Image { image, .. } => Some(image.as_str()),
            Change::Restore { recorded } | Change::RestoreVersion { recorded } => recorded.0["image"].as_str(),
            Change::Restart | Change::Scale { .. } => entry.image(),
        };
        let mut findings = Vec::new();
        if let Some(image) = next {
            findings.extend(self.archive_finding(image).await?);
        }
        findings.extend(self.fallback_finding().await?);
        let diff = DiffLine::of_values("image", entry.image().map(str::to_owned), next.map(str::to_owned));
        let diff = diff.into_iter().collect();
        Ok(TargetPlan { diff, env: Vec::new(), findings })
    }

    async fn apply(&self, change: &Change, fence: Fence) -> Result<Applied, TargetError> {
        let mut wanted = None;
        for _ in 0..ATTEMPTS {
            let seen = self.entry().await?;
            let before = seen.record();
            let applied = |unchanged, message: Text| Applied { before, unchanged, message };
            match seen.turn(change, fence)? {
                Turn::Done => return Ok(applied(true, text!("the site has this change already"))),
                Turn::Raise => {
                    let claimed = self.claim(fence).await? == Written::Yes;
                    if claimed && self.put_entry(&seen.raised(fence), &seen).await? == Written::Yes {
                        return Ok(applied(true, text!("the site has this change already")));
                    }
                    continue;
                }
                Turn::Write => {}
            }
            let wanted = match &mut wanted {
                Some(wanted) => wanted,
                none => none.insert(self.wanted(change).await?),
            };
            self.ensure_fallback().await?;
            if self.switch(wanted, change, fence).await? == Written::Conflict {
                continue;
            }
            let Wanted::Release(release, manifest, _) = wanted else {
                return Ok(applied(false, text!("the page from before is there again")));
            };
            self.tidy(seen.image(), release, manifest, fence).await;
            let (files, id) = (manifest.files.len(), release.id());
            return Ok(applied(false, text!("the site serves release {id}, {files} files", id, files)));
        }
        Err(TargetError::Unreachable(text!(
            "the site was written by others {attempts} times in a row",
            attempts = ATTEMPTS
        )))
    }

    async fn logs(&self, _: &str, _: u32) -> Result<Vec<String>, TargetError> {
        Err(TargetError::Refused(text!("a bucket runs nothing, so it has no logs")))
    }
}
