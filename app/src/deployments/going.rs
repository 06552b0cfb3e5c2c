//! What follows from the verdicts: the button says whether it goes, asks for approval, or stops at a gate.

use super::fields::{Field, confirm_field, reason_field};
use crate::gates::glass;
use crate::i18n::T;
use crate::ui::{Alert, ButtonKind, Flash, Hidden, Submit, Tone};
use crate::web::{Errors, Req};
use leptos::prelude::*;
use passerelle_contract::deployments::{DeploymentState, Exemption, GateOut, PlanOut, Verdict};
use passerelle_contract::environments::Tier;
use passerelle_contract::gates::{BreakGlassOut, GateFacts, kinds};
use passerelle_server::portal::Portal;
use serde::Deserialize;

/// What would happen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Going {
    Go,
    /// So many people have to approve first.
    Ask(u64),
    /// The names of the gates in the way.
    Stopped(Vec<String>),
    /// Gates stand in the way, and the caller has broken the glass.
    Past,
}

impl Going {
    #[must_use]
    pub fn of(t: T, gates: &[GateOut], glass: bool) -> Self {
        let running = |gate: &GateOut| gate.kind == kinds::ACTIVE_DEPLOYMENT;
        let stops = |gate: &&GateOut| match gate.verdict {
            Verdict::Pass | Verdict::Warn => false,
            Verdict::Wait => gate.kind != kinds::APPROVAL,
            Verdict::Block => true,
        };
        let names =
            |gates: Vec<&GateOut>| Self::Stopped(gates.into_iter().map(|gate| t.gate_kind(&gate.kind)).collect());
        let stopping: Vec<&GateOut> = gates.iter().filter(stops).collect();
        // Broken glass does not end what is running.
        let holding: Vec<&GateOut> = stopping.iter().copied().filter(|gate| running(gate)).collect();
        let asked = gates.iter().find(|gate| gate.kind == kinds::APPROVAL && gate.verdict == Verdict::Wait);
        match (stopping.is_empty(), asked, glass) {
            (true, None, _) => Self::Go,
            _ if glass && !holding.is_empty() => names(holding),
            (_, _, true) => Self::Past,
            (true, Some(gate), false) => Self::Ask(missing(gate)),
            (false, _, false) => names(stopping),
        }
    }
}

fn missing(gate: &GateOut) -> u64 {
    match GateFacts::deserialize(&gate.facts) {
        Ok(GateFacts::ApprovalMissing { needed, given, .. }) => needed.saturating_sub(given).into(),
        _ => 1,
    }
}

/// What the portal made of it, for the next page.
#[must_use]
pub fn flash(t: T, state: DeploymentState) -> Flash {
    let (ok, text) = match state {
        DeploymentState::AwaitingApproval => (true, t.flash_awaits()),
        DeploymentState::Blocked => (false, t.flash_blocked()),
        _ => (true, t.flash_started()),
    };
    Flash { ok, text: text.to_owned() }
}

/// What the form of the deploy page is about.
#[derive(Debug)]
pub struct Asked<'a> {
    pub service: &'a str,
    pub plan: &'a PlanOut,
    pub version: Option<String>,
    pub image: Option<String>,
    pub reason: String,
    pub exempt: Option<Exemption>,
    pub errors: &'a Errors,
    /// What the caller has open here.
    pub glass: Option<BreakGlassOut>,
}

/// The form, and below it the way past the gates when they stop it.
pub fn form(portal: &Portal, req: &Req, asked: Asked<'_>) -> impl IntoView + use<> {
    let t = req.t;
    let plan = asked.plan;
    let name = asked.service.rsplit('/').next().unwrap_or(asked.service).to_owned();
    let version = plan.incoming_version.clone().unwrap_or_else(|| plan.incoming_image.clone());
    let production = plan.tier == Tier::Production;
    let kind = if production { ButtonKind::Production } else { ButtonKind::Primary };
    let going = Going::of(t, &plan.gates, asked.glass.is_some());
    let (place, label) = (&plan.environment, t.deploy_submit(&version, &plan.environment));
    let submit = match &going {
        Going::Go => view! { <Submit label=label kind=kind /> }.into_any(),
        Going::Ask(people) => view! {
            <Submit label=t.deploy_ask(&version, place) kind=kind />
            <span class="muted">{t.deploy_ask_why(*people)}</span>
        }
        .into_any(),
        Going::Stopped(gates) => {
            view! { <Submit label=label kind=kind disabled_because=t.deploy_stopped(gates.join(", ")) /> }.into_any()
        }
        Going::Past => view! { <Submit label=t.deploy_past(&version, place) kind=kind /> }.into_any(),
    };
    let open = asked.glass.map(|glass| {
        view! { <Alert tone=Tone::Warn>{t.glass_open(t.date_time(glass.expires_at))}</Alert> }
    });
    let past = (matches!(going, Going::Stopped(_)) && glass::helps(&plan.gates)).then(|| {
        let to = glass::Way {
            service: asked.service.to_owned(),
            environment: plan.environment.clone(),
            tier: plan.tier,
            version: asked.version.clone(),
            image: asked.image.clone(),
        };
        glass::closed(portal, req, &to)
    });
    let reason = Field { value: asked.reason, error: asked.errors.of("/reason") };
    view! {
        <form class="panel form" method="post" action=format!("/services/{}/deploy", asked.service)>
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Hidden name="environment" value=plan.environment.clone() />
            <Hidden name="version" value=asked.version.unwrap_or_default() />
            <Hidden name="image" value=asked.image.unwrap_or_default() />
            <Hidden name="exempt" value=asked.exempt.map_or("", Exemption::as_str) />
            {open}
            {reason_field(t, reason, true)}
            {production.then(|| confirm_field(t, &name, asked.errors.of("/confirm")))}
            <div class="btns">{submit}</div>
        </form>
        {past.flatten()}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn gate(kind: &str, verdict: Verdict) -> GateOut {
        let facts = json!({ "code": "approval_missing", "needed": 2, "given": 0, "by": [], "until": null });
        GateOut { kind: kind.to_owned(), verdict, reason: String::new(), facts, frees_at: None, help: None }
    }

    #[test]
    fn the_button_says_what_the_gates_say() {
        let t = T::default();
        let (freeze, wait) = (gate(kinds::FREEZE, Verdict::Block), gate(kinds::APPROVAL, Verdict::Wait));
        let running = gate(kinds::ACTIVE_DEPLOYMENT, Verdict::Wait);
        assert_eq!(Going::of(t, &[gate(kinds::FREEZE, Verdict::Warn)], false), Going::Go);
        assert_eq!(Going::of(t, &[gate(kinds::FREEZE, Verdict::Pass)], true), Going::Go);
        assert_eq!(Going::of(t, std::slice::from_ref(&wait), false), Going::Ask(2));
        assert_eq!(Going::of(t, &[freeze.clone(), wait.clone()], false), Going::Stopped(vec!["Freezes".to_owned()]));
        assert_eq!(Going::of(t, &[freeze.clone(), wait], true), Going::Past);
        assert!(matches!(Going::of(t, &[running, freeze], true), Going::Stopped(names) if names.len() == 1));
    }
}
