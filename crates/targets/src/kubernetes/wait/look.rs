//! Looking at what is waited for.

use super::super::error::call;
use super::super::workload::Workload;
use super::config::{Dependency, Kind};
use super::ready::{self, Standing, said};
use crate::{Needs, NeedsSeen, NeedsState, TargetError};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::Resource;
use kube::api::ListParams;
use kube::core::Selector;
use passerelle_contract::deployments::{Cause, Failure};
use passerelle_contract::{Text, text};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

const MAX_PODS: u32 = 100;

pub fn needs(workload: &Workload) -> Option<Needs> {
    let all = workload.wait_for.all();
    let title = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    (!all.is_empty()).then(|| Needs { title, limit: workload.wait_limit.duration() })
}

/// All of them, in the order of the binding.
pub async fn look(workload: &Workload) -> Result<NeedsSeen, TargetError> {
    let looks = workload
        .wait_for
        .all()
        .iter()
        .map(|dependency| async move { Ok::<_, TargetError>((dependency, standing(workload, dependency).await?)) });
    let found = futures::future::try_join_all(looks).await?;
    let missing: Vec<Text> = found
        .iter()
        .filter(|(_, standing)| *standing != Standing::Ready)
        .map(|(dependency, standing)| said(dependency, standing))
        .collect();
    if missing.is_empty() {
        return Ok(NeedsSeen { state: NeedsState::Ready, message: text!("everything that is waited for is ready") });
    }
    let message = if let [only] = missing.as_slice() { only.clone() } else { Text::List(missing) };
    let failed = found.iter().find(|(_, standing)| matches!(standing, Standing::Failed(_)));
    let state = match failed {
        Some((dependency, standing)) => NeedsState::Failed(Failure {
            cause: Cause::Dependency,
            message: said(dependency, standing),
            instance: Some(dependency.to_string()),
            logs: Vec::new(),
        }),
        None => NeedsState::Waiting,
    };
    Ok(NeedsSeen { state, message })
}

pub(super) async fn standing(workload: &Workload, dependency: &Dependency) -> Result<Standing, TargetError> {
    let (standing, selector) = match dependency.kind {
        Kind::StatefulSet => {
            let Some(set) = get::<StatefulSet>(workload, dependency).await? else { return Ok(Standing::Missing) };
            (ready::stateful_set(&set), set.spec.map(|spec| spec.selector))
        }
        Kind::Deployment => {
            let Some(found) = get::<Deployment>(workload, dependency).await? else { return Ok(Standing::Missing) };
            (ready::deployment(&found), found.spec.map(|spec| spec.selector))
        }
        Kind::Job => {
            let Some(job) = get::<Job>(workload, dependency).await? else { return Ok(Standing::Missing) };
            (ready::job(&job), None)
        }
    };
    let Standing::Waiting(why) = standing else { return Ok(standing) };
    let trouble = match selector.filter(|_| dependency.kind.has_ready_pods()) {
        Some(selector) => ready::trouble(&pods(workload, selector).await),
        None => None,
    };
    Ok(Standing::Waiting(match trouble {
        Some(trouble) => text!("{why}; {trouble}", why, trouble),
        None => why,
    }))
}

async fn get<K>(workload: &Workload, dependency: &Dependency) -> Result<Option<K>, TargetError>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    call(dependency.to_string(), workload.api::<K>().get_opt(dependency.name.as_str())).await
}

/// They only tell more; without them the counts have to do.
async fn pods(workload: &Workload, selector: LabelSelector) -> Vec<Pod> {
    let Ok(selector) = Selector::try_from(selector) else { return Vec::new() };
    let list = ListParams::default().labels(&selector.to_string()).limit(MAX_PODS);
    call(text!("the Pods"), workload.api::<Pod>().list(&list)).await.map(|found| found.items).unwrap_or_default()
}
