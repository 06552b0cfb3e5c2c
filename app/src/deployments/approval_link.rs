//! `/approve/{token}`: where the link in a message leads. Reading it changes nothing; the form decides, by the rules that hold
//! everywhere, and only about what the message was about.

use super::approval::{self, Typed};
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Crumb, GateList, Head, LinkButton, StateBadge, TierTag, Tone};
use crate::web::{AppState, OrPage, PageError, Posted, Req, page, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_server::kernel::{self, Action};

pub async fn show(State(app): State<AppState>, Path(token): Path<String>, req: Req) -> Result<Response, PageError> {
    draw(&app, &req, &token, &Typed::default()).await
}

pub async fn decide(
    State(app): State<AppState>,
    Path(token): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let said = match approval::input(req.t, &fields) {
        Ok(input) => app.portal.deployments.decide_linked(&req.ctx, &token, input).await,
        Err(error) => Err(error),
    };
    match said {
        Ok(deployment) => {
            let flash = approval::flash(req.t, fields.get("decision"), deployment.state);
            Ok(see_other(&format!("/deployments/{}", deployment.id), Some(flash)))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            let page = draw(&app, &req, &token, &Typed::deciding(fields, errors.clone())).await?;
            Ok(errors.refuse(page))
        }
    }
}

async fn draw(app: &AppState, req: &Req, token: &str, typed: &Typed) -> Result<Response, PageError> {
    let t = req.t;
    let linked = app.portal.deployments.linked_approval(&req.ctx, token).await.or_page(req)?;
    let deployment = linked.deployment;
    let href = format!("/deployments/{}", deployment.id);
    let act = match (linked.closed, approval::place(app, &deployment)) {
        (Some(why), _) => {
            let why = t.linked_closed(req.ctx.say(&why));
            view! { <Alert tone=Tone::Off>{why}</Alert> }.into_any()
        }
        (None, None) => ().into_any(),
        (None, Some(object)) => {
            let may = kernel::decide(&req.ctx, Action::DeploymentApprove, &object);
            approval::decision(req, &deployment, &format!("/approve/{token}"), may, typed)
        }
    };
    let said = deployment.approvals.clone().map(|said| approval::said(req, said, deployment.state));
    let settings = req
        .page(t.linked_title())
        .section(Section::Approvals)
        .crumbs(vec![Crumb::new("/approvals", t.approvals_title())])
        .band(deployment.tier, deployment.environment.clone());
    let body = view! {
        <Head title=t.linked_title() sub=deployment.service.clone()>
            <TierTag t=t tier=deployment.tier name=deployment.environment.clone() />
            <StateBadge t=t state=deployment.state />
            <LinkButton href=href label=t.linked_open() kind=ButtonKind::Quiet />
        </Head>
        <div class="stack">
            {act}
            <section class="panel">
                <h2>{t.gates_here()}</h2>
                <GateList t=t gates=deployment.gates.clone() now=req.now />
            </section>
            {said}
        </div>
    };
    Ok(page(settings, body))
}
