//! What an apply of manifests would do, asked of the cluster by dry runs, and what speaks against it.

use super::super::change::Desired;
use super::super::diff;
use super::super::error::call;
use super::super::plan::{Outlook, judged, sort};
use super::super::references::{self, Reference};
use super::super::snapshot::Snapshot;
use super::super::workload::Workload;
use super::admit::template_pointer;
use super::apply::replicas;
use super::brought::Brought;
use super::config::Manifests;
use super::ledger::{self, Ledger};
use super::object::{BINDING, Object};
use super::prune::is_spared;
use super::source::{Prepared, prepare};
use super::write::{Writer, api, check, dry_run, title};
use super::{changes, namespace};
use crate::{Change, Fence, TargetError, TargetPlan};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::api::DynamicObject;
use passerelle_contract::deployments::{DiffLine, Finding, Severity};
use passerelle_contract::{Text, text};
use serde::Deserialize as _;
use uuid::Uuid;

/// Objects that are looked at at a time.
const AT_A_TIME: usize = 8;
/// Most lines of a plan.
const MOST_LINES: usize = 300;

/// Nothing when the change is no matter of manifests.
pub(in super::super) async fn plan(
    workload: &Workload,
    settings: &Manifests,
    change: &Change,
) -> Result<Option<TargetPlan>, TargetError> {
    let ledger = ledger::read(workload).await?;
    let (prepared, live) = tokio::join!(prepare(workload, settings, ledger.as_ref(), change), workload.found());
    let live = live?;
    let prepared = match prepared {
        Ok(Some(prepared)) => prepared,
        Ok(None) if live.is_none() && matches!(change, Change::Image { .. }) => {
            let why = text!("the release brings no manifests, and none were applied here before");
            return Ok(Some(refused(why)));
        }
        Ok(None) => return Ok(None),
        Err(error @ (TargetError::Unreachable(_) | TargetError::Forbidden(_) | TargetError::Fenced(_))) => {
            return Err(error);
        }
        // What is wrong with the manifests is found before the act like anything else.
        Err(error) => return Ok(Some(refused(error.text()))),
    };
    let there = namespace::is_there(workload).await?;
    // There is no deployment yet, and no object carries a younger one than this.
    let fence = Fence { deployment: Uuid::max(), epoch: 0 };
    let replicas = replicas(workload, &prepared, live.as_ref()).await;
    let writer = Writer { change, fence, revision: &prepared.revision, replicas };
    let there_or_unknown = there != Some(false);
    let each = prepared.objects.iter().map(|object| look(workload, object, &writer, there_or_unknown).boxed());
    let each: Vec<BoxFuture<'_, _>> = each.collect();
    let looked: Vec<Looked<'_>> = stream::iter(each).buffered(AT_A_TIME).try_collect().await?;
    let ledger = ledger.as_ref();
    let mut plan = whole(workload, change, (&prepared, ledger, live.as_ref()), looked).await?;
    plan.findings.extend(namespace::finding(workload, settings, there));
    sort(&mut plan.findings);
    Ok(Some(plan))
}

fn refused(why: Text) -> TargetPlan {
    let finding = Finding { severity: Severity::Error, code: "manifests".to_owned(), message: why };
    TargetPlan { diff: Vec::new(), env: Vec::new(), findings: vec![finding] }
}

/// One object, now and after.
struct Looked<'a> {
    object: &'a Object,
    live: Option<DynamicObject>,
    /// As the cluster would have it, or as the manifest says where that cannot be asked.
    after: DynamicObject,
    finding: Option<Finding>,
}

async fn look<'a>(
    workload: &Workload,
    object: &'a Object,
    writer: &Writer<'_>,
    there: bool,
) -> Result<Looked<'a>, TargetError> {
    let title = title(workload, object);
    let said = serde_json::from_value::<DynamicObject>(writer.body(workload, object))
        .map_err(|_| TargetError::Artifact(text!("{object} cannot be written", object = &title)))?;
    if !there {
        return Ok(Looked { object, live: None, after: said, finding: None });
    }
    let error = |code: &str, message| {
        let finding = Finding { severity: Severity::Error, code: code.to_owned(), message };
        Ok::<_, TargetError>(Some(finding))
    };
    let live = match call(&title, api(workload, object).get_opt(&object.id.name)).await {
        Err(why @ TargetError::Forbidden(_)) => {
            let finding = error("forbidden", why.text())?;
            return Ok(Looked { object, live: None, after: said, finding });
        }
        live => live?,
    };
    let foreign = match &live {
        Some(live) => match check(workload, &title, &live.metadata, writer.fence) {
            Err(TargetError::Refused(why)) => Some(why),
            _ => None,
        },
        None => None,
    };
    if let Some(why) = foreign {
        return Ok(Looked { object, live, after: said, finding: error("foreign_object", why)? });
    }
    Ok(match dry_run(workload, object, writer).await {
        Ok(after) => Looked { object, finding: taken_over(&title, live.as_ref()), live, after },
        Err(why @ TargetError::Unreachable(_)) => return Err(why),
        Err(TargetError::Forbidden(why)) => Looked { object, live, after: said, finding: error("forbidden", why)? },
        Err(why) => Looked { object, live, after: said, finding: error("refused", why.text())? },
    })
}

/// An object that was there before the manifests.
fn taken_over(title: &str, live: Option<&DynamicObject>) -> Option<Finding> {
    let live = live?;
    if live.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(BINDING)) {
        return None;
    }
    let message = text!("{object} is there and was not applied from here; the manifests take it over", object = title);
    Some(Finding { severity: Severity::Info, code: "taken_over".to_owned(), message })
}

async fn whole(
    workload: &Workload,
    change: &Change,
    (prepared, ledger, live): (&Prepared, Option<&Ledger>, Option<&Snapshot>),
    looked: Vec<Looked<'_>>,
) -> Result<TargetPlan, TargetError> {
    let bound = looked.iter().find(|looked| looked.object.is_deployment(&workload.name));
    let bound = bound.ok_or_else(|| TargetError::Missing(Text::verbatim(workload.title())))?;
    let container = workload.container.as_deref();
    let next = Snapshot::new(workload.kind, &bound.after, Vec::new(), Vec::new(), container)?;
    let after = Desired { template: next.template.clone(), replicas: next.replicas() };
    let mut lines = Vec::new();
    for one in &looked {
        match &one.live {
            None => lines.push(changes::made(&one.object.id)),
            Some(before) => {
                let whole = !one.object.is_deployment(&workload.name);
                lines.extend(changes::of(&one.object.id, before, &one.after, whole));
            }
        }
    }
    if let Some(live) = live {
        lines.extend(diff::lines(&Desired::present(live), &after, &live.container)?);
    }
    lines.extend(pruned(prepared, ledger));
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        let after = Some(text!("{count} more lines", count = more));
        lines.push(DiffLine { field: "…".to_owned(), before: None, after });
    }
    let outlook = Outlook {
        snapshot: live.unwrap_or(&next),
        runs: live.is_some(),
        after,
        brought: Brought::of(&prepared.objects),
        more: others(workload, &prepared.objects),
    };
    let mut plan = judged(workload, change, outlook, lines).await?;
    plan.findings.extend(looked.into_iter().filter_map(|looked| looked.finding));
    Ok(plan)
}

fn pruned(prepared: &Prepared, ledger: Option<&Ledger>) -> Vec<DiffLine> {
    let current: Vec<_> = prepared.objects.iter().map(|object| object.id.clone()).collect();
    let Some(ledger) = ledger else { return Vec::new() };
    ledger.content.gone(&current).map(|id| changes::gone(id, is_spared(id))).collect()
}

/// What the pods of the other workloads need.
fn others(workload: &Workload, objects: &[Object]) -> Vec<Reference> {
    let mut needs = Vec::new();
    for object in objects.iter().filter(|object| !object.is_deployment(&workload.name)) {
        let template = template_pointer(&object.value).and_then(|pointer| object.value.pointer(pointer));
        let Some(template) = template.and_then(|template| PodTemplateSpec::deserialize(template).ok()) else {
            continue;
        };
        for mut need in references::of(&template) {
            need.user = text!("{user} of {object}", user = &need.user, object = object.id.title());
            needs.push(need);
        }
    }
    needs
}
