//! What a plan says of what is waited for.

use super::super::workload::Workload;
use super::config::Dependency;
use super::look::{needs, standing};
use super::ready::{Standing, said};
use crate::{Change, TargetError};
use passerelle_contract::deployments::{DiffLine, Finding, Severity};
use passerelle_contract::{Text, text};

/// The line that shows it, and what is not ready now. Only a new version waits.
pub async fn plan(workload: &Workload, change: &Change) -> Result<(Option<DiffLine>, Vec<Finding>), TargetError> {
    let (Change::Image { .. }, Some(needs)) = (change, needs(workload)) else { return Ok((None, Vec::new())) };
    let seconds = needs.limit.as_secs();
    let after = text!("{title}, at most {seconds} s", title = needs.title, seconds);
    let line = DiffLine { field: "wait_for".to_owned(), before: None, after: Some(after) };
    let looks = workload.wait_for.all().iter().map(|one| finding(workload, one, seconds));
    let findings = futures::future::try_join_all(looks).await?;
    Ok((Some(line), findings.into_iter().flatten().collect()))
}

async fn finding(workload: &Workload, dependency: &Dependency, limit: u64) -> Result<Option<Finding>, TargetError> {
    let told = |severity, code: &str, message: Text| Some(Finding { severity, code: code.to_owned(), message });
    let standing = match standing(workload, dependency).await {
        Ok(standing) => standing,
        Err(TargetError::Forbidden(why)) => {
            let object = dependency.to_string();
            return Ok(told(Severity::Error, "no_right", text!("{object} cannot be waited for: {why}", object, why)));
        }
        Err(error) => return Err(error),
    };
    let said = said(dependency, &standing);
    Ok(match standing {
        Standing::Ready => None,
        Standing::Missing => {
            told(Severity::Error, "missing_object", text!("{said}, and the deployment waits for it", said))
        }
        Standing::Failed(_) => told(Severity::Error, "dependency_failed", said),
        Standing::Waiting(_) => {
            let message = text!("{said}; the deployment waits for it, at most {seconds} s", said, seconds = limit);
            told(Severity::Warning, "dependency_not_ready", message)
        }
    })
}
