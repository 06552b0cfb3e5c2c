//! What a budget means for deployments: environment by environment, and whom it stopped.

use super::verdict_tone;
use crate::i18n::T;
use crate::ui::{Ago, StateBadge, Status, TierTag, Tone};
use crate::web::{OrPage, PageError, Req};
use leptos::prelude::*;
use passerelle_contract::deployments::{DeploymentFilter, DeploymentOut, DeploymentState, Verdict};
use passerelle_contract::gates::{GateMode, GatePolicyOut, kinds, sentence};
use passerelle_contract::slo::{BudgetVerdict, SloOut};
use passerelle_server::portal::Portal;

/// Stopped deployments that are looked at.
const LOOKED_AT: u32 = 10;

/// The gate of a tier may only warn, or not be asked at all; `modes` says which.
pub fn standing(t: T, slo: &SloOut, modes: &[GatePolicyOut]) -> impl IntoView + use<> {
    let items = slo
        .stands
        .iter()
        .map(|place| {
            let mode = modes.iter().find(|known| known.tier == place.tier).map(|known| known.policy.error_budget);
            let (tone, icon, word) = match mode {
                Some(GateMode::Off) | None => (Tone::Off, "off", t.slo_not_asked()),
                Some(mode) => {
                    let verdict =
                        if mode == GateMode::Warn { place.verdict.min(BudgetVerdict::Warn) } else { place.verdict };
                    let (tone, icon) = verdict_tone(verdict);
                    (tone, icon, t.budget_verdict(verdict))
                }
            };
            let why = place.causes.iter().map(|cause| t.slo_cause(*cause)).collect::<Vec<_>>().join(", ");
            view! {
                <li class="mb-3">
                    <div class="tags">
                        <TierTag t=t tier=place.tier name=place.environment.clone() />
                        <Status tone=tone icon=icon word=word />
                    </div>
                    <div class="muted">{why}</div>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let nowhere = items.is_empty().then(|| view! { <p class="muted mb-3">{t.slo_means_nowhere()}</p> });
    view! {
        <section class="panel">
            <h2>{t.slo_means()}</h2>
            <ul>{items}</ul>
            {nowhere}
            <p class="muted">{t.slo_rollback_free()}</p>
        </section>
    }
}

/// Deployments of the service that this budget stopped, the newest first.
pub async fn stopped(portal: &Portal, req: &Req, slo: &SloOut) -> Result<Vec<DeploymentOut>, PageError> {
    let mut found = Vec::new();
    for state in [DeploymentState::AwaitingApproval, DeploymentState::Blocked] {
        let filter = DeploymentFilter {
            service: Some(slo.service.clone()),
            environment: slo.environment.clone(),
            state: Some(state),
            limit: Some(LOOKED_AT),
            ..DeploymentFilter::default()
        };
        let rows = portal.deployments.list_deployments(&req.ctx, filter).await.or_page(req)?.items;
        for row in rows {
            let deployment = portal.deployments.get_deployment(&req.ctx, row.id).await.or_page(req)?;
            if by_this(&deployment, slo) {
                found.push(deployment);
            }
        }
    }
    Ok(found)
}

/// The gate names the objective with its target and period, "Availability (99.9 %, 30d)"; another title may begin with the same words.
fn by_this(deployment: &DeploymentOut, slo: &SloOut) -> bool {
    deployment.gates.iter().any(|gate| {
        let objective = gate.facts.get("objective").and_then(serde_json::Value::as_str).unwrap_or_default();
        let target = objective.strip_prefix(&slo.title).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("));
        gate.kind == kinds::ERROR_BUDGET && gate.verdict != Verdict::Pass && target
    })
}

pub fn panel(req: &Req, stopped: Vec<DeploymentOut>) -> impl IntoView + use<> {
    let t = req.t;
    let none = stopped.is_empty().then(|| view! { <p class="muted">{t.slo_blocked_none()}</p> });
    let items = stopped
        .into_iter()
        .map(|deployment| {
            let gate = deployment.gates.iter().find(|gate| gate.kind == kinds::ERROR_BUDGET);
            let why = gate.map(|gate| sentence(t.0, gate));
            view! {
                <li class="mb-3">
                    <div class="tags">
                        <a class="link mono break" href=format!("/deployments/{}", deployment.id)>
                            {deployment.version.clone().or(deployment.image)}
                        </a>
                        <TierTag t=t tier=deployment.tier name=deployment.environment.clone() />
                        <StateBadge t=t state=deployment.state />
                    </div>
                    <div class="muted">
                        {deployment.requested_by} " · " <Ago t=t at=deployment.created_at now=req.now />
                    </div>
                    {why.map(|why| view! { <div class="break">{why}</div> })}
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <section class="panel">
            <h2>{t.slo_blocked()}</h2>
            <ul>{items}</ul>
            {none}
        </section>
    }
}
