//! One deployment, live: what is true is rendered on the server; the page's script puts the newest rendering in place at each
//! event, so the page shows nothing that the server did not say.

use super::approval::{self, Typed};
use crate::gates::frozen::Frozen;
use crate::gates::glass::{self, Way};
use crate::shell::Section;
use crate::ui::{
    Ago, Alert, ButtonKind, CopyId, Crumb, Flash, GateList, Head, Hidden, InstanceDots, LinkButton, Said, Simulated,
    StateBadge, Steps, Submit, TierTag, Tone,
};
use crate::web::{AppState, OrPage, PageError, Posted, Req, fragment, page, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::deployments::{DeploymentEvent, DeploymentOut, DeploymentState, Failure, Operation, ReasonIn};
use uuid::Uuid;

pub async fn detail(State(app): State<AppState>, req: Req, Path(id): Path<String>) -> Result<Response, PageError> {
    let id = req.id("deployment", &id)?;
    show(&app, req, id, &Typed::default()).await
}

/// The page, with what was typed into its forms and refused.
pub async fn show(app: &AppState, req: Req, id: Uuid, typed: &Typed) -> Result<Response, PageError> {
    let (deployment, events) = read(app, &req, id).await?;
    let t = req.t;
    let frozen = Frozen::now(&app.portal, &req).await.or_page(&req)?;
    let decision = approval::sections(app, &req, &deployment, typed).await.or_page(&req)?;
    let past = (deployment.state == DeploymentState::Blocked && glass::helps(&deployment.gates))
        .then(|| Way {
            service: deployment.service.clone(),
            environment: deployment.environment.clone(),
            tier: deployment.tier,
            version: deployment.version.clone(),
            image: deployment.image.clone(),
        })
        .and_then(|way| glass::closed(&app.portal, &req, &way));
    let budgets = crate::slo::left_by(&app.portal, &req, &deployment).await?;
    let (namespace, name) = deployment.service.split_once('/').unwrap_or(("", &deployment.service));
    let title = t.dep_title(t.operation(deployment.operation), name, &deployment.environment);
    let crumbs = vec![
        Crumb::new("/deployments", t.deployments_title()),
        Crumb::new(format!("/services/{namespace}/{name}"), deployment.service.clone()),
    ];
    let sub = format!("{} · {}", t.dep_requested_by(&deployment.requested_by), deployment.reason);
    let settings = req
        .page(title.clone())
        .section(Section::Deployments)
        .crumbs(crumbs)
        .band(deployment.tier, deployment.environment.clone())
        .frozen(frozen.band(t, deployment.tier, &deployment.environment));
    let active = deployment.state.is_active();
    let (tier, environment, simulated, service) =
        (deployment.tier, deployment.environment.clone(), deployment.simulated, deployment.service.clone());
    let exempt = deployment.exempt.map(|class| view! { <span class="tag">{t.exemption(class)}</span> });
    let events_url = format!("/api/v1/deployments/{id}/events?after={}", deployment.last_event_id);
    let body = view! {
        <Head title=title sub=sub>
            <TierTag t=t tier=tier name=environment />
            {exempt}
            {simulated.then(|| view! { <Simulated t=t /> })}
            <LinkButton href=format!("/services/{service}") label=service kind=ButtonKind::Quiet />
        </Head>
        {decision}
        <div
            data-live=active.then(|| format!("/deployments/{id}/live"))
            data-events=active.then_some(events_url)
            data-stale=t.dep_stale("{}")
        >
            {panel(&req, deployment, events)}
        </div>
        {budgets.map(|budgets| view! { <div class="mt-4">{budgets}</div> })}
        {past.map(|past| view! { <div class="mt-4">{past}</div> })}
    };
    Ok(page(settings, body))
}

/// The inner part alone, as it is now.
pub async fn live(State(app): State<AppState>, req: Req, Path(id): Path<String>) -> Result<Response, PageError> {
    let id = req.id("deployment", &id)?;
    let (deployment, events) = read(&app, &req, id).await?;
    Ok(fragment(panel(&req, deployment, events)))
}

pub async fn cancel(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let id = req.id("deployment", &id)?;
    let reason = ReasonIn { reason: fields.some("reason") };
    app.portal.deployments.cancel(&req.ctx, id, reason).await.or_page(&req)?;
    let flash = Flash { ok: true, text: req.t.flash_cancel().to_owned() };
    Ok(see_other(&format!("/deployments/{id}"), Some(flash)))
}

async fn read(app: &AppState, req: &Req, id: Uuid) -> Result<(DeploymentOut, Vec<DeploymentEvent>), PageError> {
    let deployment = app.portal.deployments.get_deployment(&req.ctx, id).await.or_page(req)?;
    let events = app.portal.deployments.events(&req.ctx, id, 0).await.or_page(req)?;
    Ok((deployment, events))
}

fn panel(req: &Req, deployment: DeploymentOut, events: Vec<DeploymentEvent>) -> impl IntoView + use<> {
    let t = req.t;
    let next = next_steps(req, &deployment);
    let stopped = matches!(deployment.state, DeploymentState::Blocked | DeploymentState::AwaitingApproval);
    let failure = deployment.failure.clone().map(|failure| cause(req, failure));
    let gates = (!deployment.gates.is_empty()).then(|| {
        let gates = deployment.gates.clone();
        view! {
            <section class="panel">
                <h2>{t.deploy_gates()}</h2>
                <GateList t=t gates=gates now=req.now />
            </section>
        }
    });
    let approvals = deployment.approvals.clone().map(|approvals| approval::said(req, approvals, deployment.state));
    // What stands in the way is read first, then what can be done about it.
    let (first, later) = if stopped { (gates, None) } else { (None, gates) };
    let (before_steps, after_steps) = if stopped { (Some(next), None) } else { (None, Some(next)) };
    // Nothing was started yet, or nothing ever was.
    let seen = !deployment.instances.is_empty() || (deployment.state.is_active() && !stopped);
    let instances = seen.then(|| {
        view! {
            <section class="panel">
                <h2>{t.dep_instances()}</h2>
                <InstanceDots t=t instances=deployment.instances.clone() />
            </section>
        }
    });
    view! {
        {status_line(req, &deployment)}
        <div class="cols">
            <div class="stack">
                {failure}
                {first}
                {instances}
                <section class="panel">
                    <h2>{t.dep_events()}</h2>
                    {timeline(req, events)}
                </section>
            </div>
            <div class="stack">
                {approvals}
                {before_steps}
                <section class="panel">
                    <h2>{t.dep_steps()}</h2>
                    <Steps t=t steps=deployment.steps.clone() now=req.now />
                </section>
                {later}
                {after_steps}
            </div>
        </div>
    }
}

fn status_line(req: &Req, deployment: &DeploymentOut) -> impl IntoView + use<> {
    let t = req.t;
    let active = deployment.state.is_active();
    let elapsed = (deployment.ended_at.unwrap_or(req.now) - deployment.created_at).whole_seconds();
    let progress = deployment.progress.map(|progress| t.dep_updated_of(progress.updated, progress.desired));
    let change = change_line(deployment);
    let live = active.then(|| view! { <span class="muted" data-live-mark="">{t.dep_live()}</span> });
    let cancelling =
        (deployment.cancel_requested && active).then(|| view! { <span class="tag">{t.dep_cancelling()}</span> });
    // Who decides about it has a form beside this part; the script loads the page anew when nothing is waited for any more.
    let waits = (deployment.state == DeploymentState::AwaitingApproval).then_some("");
    view! {
        <div class="chips mb-3" role="status" data-waits=waits>
            <StateBadge t=t state=deployment.state />
            {cancelling}
            <span class="mono break">{change}</span>
            <span class="muted">{format!("{} {}", t.dep_elapsed(), t.elapsed(elapsed))}</span>
            {progress.map(|text| view! { <span class="muted">{text}</span> })}
            {live}
        </div>
    }
}

fn change_line(deployment: &DeploymentOut) -> String {
    let version = deployment.version.clone().or_else(|| deployment.image.clone());
    match (deployment.operation, &deployment.previous_version, version) {
        (Operation::Scale, _, _) => deployment.replicas.map(|count| format!("× {count}")).unwrap_or_default(),
        (Operation::Restart, _, version) => version.unwrap_or_default(),
        (_, Some(before), Some(after)) => format!("{before} → {after}"),
        (_, None, Some(after)) => after,
        (_, _, None) => String::new(),
    }
}

fn cause(req: &Req, failure: Failure) -> impl IntoView + use<> {
    let t = req.t;
    let logs = (!failure.logs.is_empty()).then(|| {
        let title = failure.instance.as_ref().map_or_else(|| t.dep_logs().to_owned(), |name| t.dep_last_logs(name));
        view! {
            <section class="panel">
                <h2>{title}</h2>
                <pre class="log" tabindex="0">{failure.logs.join("\n")}</pre>
            </section>
        }
    });
    view! {
        <Alert tone=Tone::Bad title=t.cause(failure.cause).to_owned()>
            <Said text=failure.message.to_string() />
        </Alert>
        {logs}
    }
}

fn next_steps(req: &Req, deployment: &DeploymentOut) -> impl IntoView + use<> {
    let t = req.t;
    let text = match deployment.state {
        DeploymentState::Succeeded => t.dep_next_ok(),
        DeploymentState::Failed => t.dep_next_failed(),
        DeploymentState::RolledBack => t.dep_next_rolled_back(),
        DeploymentState::Blocked => t.dep_next_blocked(),
        DeploymentState::NeedsPerson => t.dep_next_person(),
        DeploymentState::Cancelled => t.dep_next_cancelled(),
        DeploymentState::AwaitingApproval => t.dep_next_awaiting(),
        _ => t.dep_next_running(),
    };
    let place = format!("/services/{}", deployment.service);
    let environment = deployment.environment.clone();
    let buttons = if deployment.state.is_active() {
        let action = format!("/deployments/{}/cancel", deployment.id);
        let csrf = req.ctx.csrf_token();
        (!deployment.cancel_requested).then(|| {
            view! {
                <form method="post" action=action>
                    <Hidden name="csrf" value=csrf />
                    <Submit label=t.act_cancel() kind=ButtonKind::Danger />
                </form>
            }
            .into_any()
        })
    } else {
        let image = deployment.image.clone().unwrap_or_default();
        let mut again = crate::web::Query::default().with("environment", Some(&environment));
        match &deployment.version {
            Some(version) => again = again.with("version", Some(version)).with("image", Some(&image)),
            None => again = again.with("image", Some(&image)),
        }
        let back = crate::web::Query::default().with("environment", Some(&environment));
        Some(
            view! {
                <LinkButton href=back.href(&format!("{place}/rollback")) label=t.act_roll_back() kind=ButtonKind::Danger icon="back" />
                <LinkButton href=again.href(&format!("{place}/deploy")) label=t.act_retry() />
            }
            .into_any(),
        )
    };
    view! {
        <section class="panel">
            <h2>{t.dep_next()}</h2>
            <p class="mb-3">{text}</p>
            <div class="btns">{buttons}</div>
            <div class="muted mt-3">
                <CopyId t=t id=deployment.id.to_string() />
            </div>
        </section>
    }
}

fn timeline(req: &Req, events: Vec<DeploymentEvent>) -> AnyView {
    let t = req.t;
    if events.is_empty() {
        return view! { <p class="muted">{t.dep_events_none()}</p> }.into_any();
    }
    let mut events = events;
    // The same words again say that the state was seen again: once is enough to read.
    events.dedup_by(|later, earlier| later.message == earlier.message);
    let items = events
        .into_iter()
        .rev()
        .map(|event| {
            view! {
                <li>
                    <Ago t=t at=event.at now=req.now />
                    <Said text=event.message.to_string() />
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! { <ol class="timeline">{items}</ol> }.into_any()
}
