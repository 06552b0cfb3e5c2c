//! A deployment that waits for approval: what was said so far, one's own decision, and changing what is asked for.

use crate::i18n::T;
use crate::ui::{Ago, Alert, ButtonKind, Flash, Hidden, Select, Status, Submit, Text, TextArea, Tone};
use crate::web::{AppState, Errors, Fields, Req, summary};
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::deployments::{DeploymentOut, DeploymentState};
use passerelle_contract::gates::{ApprovalDecision, ApprovalIn, ApprovalOut, ApprovalsOut};
use passerelle_server::kernel::{Action, AppError, Decision, EnvironmentScope, Object, decide};

/// What was typed into one of the forms of the page, and what was wrong with it.
#[derive(Debug, Default)]
pub struct Typed {
    fields: Fields,
    decision: Errors,
    change: Errors,
}

impl Typed {
    /// A decision that was refused.
    pub fn deciding(fields: Fields, decision: Errors) -> Self {
        Self { fields, decision, change: Errors::default() }
    }

    /// A change that was refused.
    pub fn changing(fields: Fields, change: Errors) -> Self {
        Self { fields, change, decision: Errors::default() }
    }
}

/// What is told after a decision.
pub fn flash(t: T, decision: &str, state: DeploymentState) -> Flash {
    let (ok, text) = match (decision, state) {
        ("reject", _) => (true, t.flash_rejected()),
        (_, DeploymentState::AwaitingApproval) => (true, t.flash_approved()),
        (_, DeploymentState::Blocked) => (false, t.flash_approved_blocked()),
        _ => (true, t.flash_approved_starts()),
    };
    Flash { ok, text: text.to_owned() }
}

/// What a form says.
///
/// # Errors
/// `Invalid` when neither button was pressed.
pub fn input(t: T, fields: &Fields) -> Result<ApprovalIn, AppError> {
    match ApprovalDecision::parse(fields.get("decision")) {
        Some(decision) => Ok(ApprovalIn { decision, reason: fields.some("note") }),
        None => Err(AppError::Invalid(vec![FieldError::said("/decision", t.required())])),
    }
}

/// All that was said, with how many are needed; part of what is live.
pub fn said(req: &Req, approvals: ApprovalsOut, state: DeploymentState) -> impl IntoView + use<> {
    let t = req.t;
    let waiting = state == DeploymentState::AwaitingApproval;
    let until = approvals
        .until
        .filter(|at| waiting && *at > req.now)
        .map(|at| view! { <p class="muted mt-3">{t.approvals_until(t.age((at - req.now).whole_seconds()))}</p> });
    let title = t.approvals_of(approvals.given, approvals.needed);
    let list = if approvals.all.is_empty() {
        view! { <p class="muted">{t.approvals_none()}</p> }.into_any()
    } else {
        let items = approvals.all.into_iter().map(|one| word(req, one)).collect::<Vec<_>>();
        view! { <ul class="gates">{items}</ul> }.into_any()
    };
    view! {
        <section class="panel">
            <h2>{title}</h2>
            {list}
            {until}
        </section>
    }
}

fn word(req: &Req, one: ApprovalOut) -> impl IntoView + use<> {
    let t = req.t;
    let (tone, text) = match (one.decision, one.void.is_some()) {
        (_, true) => (Tone::Off, if one.decision == ApprovalDecision::Approve { t.approved() } else { t.rejected() }),
        (ApprovalDecision::Approve, false) => (Tone::Ok, t.approved()),
        (ApprovalDecision::Reject, false) => (Tone::Bad, t.rejected()),
    };
    view! {
        <li class="plain-row">
            <div>
                <span class="strong">{one.by}</span>
                " "
                <Status tone=tone word=text />
                " "
                <span class="muted">
                    <Ago t=t at=one.at now=req.now />
                </span>
                {one.reason.map(|reason| view! { <div class="break">{reason}</div> })}
                {one.void.map(|why| view! { <div class="muted break">{t.approval_void(why)}</div> })}
            </div>
        </li>
    }
}

/// The forms beside a deployment that waits; nothing otherwise, but for the errors of a form that came too late.
pub async fn sections(
    app: &AppState,
    req: &Req,
    deployment: &DeploymentOut,
    typed: &Typed,
) -> Result<Option<AnyView>, AppError> {
    let t = req.t;
    let late = || summary(t, &typed.decision, &["/reason"]).or_else(|| summary(t, &typed.change, &[]));
    if deployment.state != DeploymentState::AwaitingApproval {
        return Ok(late());
    }
    let Some(object) = place(app, deployment) else { return Ok(late()) };
    let may = decide(&req.ctx, Action::DeploymentApprove, &object);
    let change = decide(&req.ctx, Action::DeploymentCreate, &object).allowed;
    let releases = if change {
        app.portal.deployments.list_releases(&req.ctx, &deployment.service, None, Some(50)).await?.items
    } else {
        Vec::new()
    };
    let releases = releases.into_iter().map(|release| release.version).collect();
    let decision = decision(req, deployment, &format!("/deployments/{}/approval", deployment.id), may, typed);
    let change =
        if change { Some(change_form(req, deployment, releases, typed)) } else { summary(t, &typed.change, &[]) };
    let view = view! {
        <div class="stack mb-4" data-while-waiting="">
            {decision} {change}
        </div>
    };
    Ok(Some(view.into_any()))
}

/// What is decided about, for asking who may.
pub fn place(app: &AppState, deployment: &DeploymentOut) -> Option<Object> {
    let service = app.portal.catalog.find_service(&deployment.service)?;
    let scope = EnvironmentScope { name: deployment.environment.clone(), tier: deployment.tier };
    Some(Object::service(service.scope).with_environment(scope))
}

fn why_not(t: T, req: &Req, deployment: &DeploymentOut, may: Decision) -> Option<String> {
    let me = &req.ctx.principal().name;
    let spoken = |one: &ApprovalOut| one.by == *me && one.void.is_none();
    if deployment.requested_by == *me {
        return Some(t.approval_own().to_owned());
    }
    if deployment.approvals.as_ref().is_some_and(|approvals| approvals.all.iter().any(spoken)) {
        return Some(t.approval_said().to_owned());
    }
    (!may.allowed).then(|| t.approval_not_you(may.because))
}

/// The form of one's own decision, sent to `action`, or why there is none.
pub fn decision(req: &Req, deployment: &DeploymentOut, action: &str, may: Decision, typed: &Typed) -> AnyView {
    let t = req.t;
    let version = deployment.version.clone().or_else(|| deployment.image.clone()).unwrap_or_default();
    let what = t.approval_what(version, &deployment.service, &deployment.environment);
    let asks = t.approval_asks(&deployment.requested_by, what);
    let problem = summary(t, &typed.decision, &["/reason"]);
    let act = match why_not(t, req, deployment, may) {
        Some(why) => view! { <Alert tone=Tone::Off>{why}</Alert> }.into_any(),
        None => view! {
            <form class="form" method="post" action=action.to_owned()>
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <p class="muted">{t.approval_effect()}</p>
                <TextArea t=t name="note" label=t.reason() value=typed.fields.text("note") hint=t.approval_reason_hint().to_owned() error=typed.decision.of("/reason") rows=2 />
                <div class="btns">
                    <Submit label=t.approve() name="decision" value="approve" />
                    <Submit label=t.reject() kind=ButtonKind::Danger name="decision" value="reject" />
                </div>
            </form>
        }
        .into_any(),
    };
    view! {
        <section class="panel">
            <h2>{t.approval_yours()}</h2>
            <p class="break mb-3">{asks} " " <span class="muted">{deployment.reason.clone()}</span></p>
            {problem}
            {act}
        </section>
    }
    .into_any()
}

fn change_form(req: &Req, deployment: &DeploymentOut, releases: Vec<String>, typed: &Typed) -> AnyView {
    let t = req.t;
    let errors = &typed.change;
    let bad = !errors.is_empty();
    let chosen = if bad { typed.fields.text("to") } else { deployment.version.clone().unwrap_or_default() };
    let mut choices = vec![(String::new(), t.change_same().to_owned())];
    choices.extend(releases.into_iter().map(|version| (version.clone(), version)));
    view! {
        <details class="panel disclose" open=bad>
            <summary>{t.change_title()}</summary>
            <form class="form" method="post" action=format!("/deployments/{}/change", deployment.id)>
                {summary(t, errors, &["/version", "/image", "/reason"])}
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <Alert tone=Tone::Warn>{t.change_effect()}</Alert>
                <div class="pair">
                    <Select t=t name="to" label=t.change_version() choices=choices value=chosen error=errors.of("/version") />
                    <Text t=t name="to_image" label=t.deploy_other_image() value=typed.fields.text("to_image") hint=t.deploy_image_hint().to_owned() error=errors.of("/image") code=true autocomplete="off" />
                </div>
                <TextArea t=t name="change_reason" label=t.reason() value=typed.fields.text("change_reason") hint=t.reason_hint().to_owned() error=errors.of("/reason") required=true rows=2 />
                <div class="btns">
                    <Submit label=t.change_submit() kind=ButtonKind::Plain />
                </div>
            </form>
        </details>
    }
    .into_any()
}
