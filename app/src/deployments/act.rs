//! Restart, scale, hold and resume: one small form each.

use super::confirmed;
use super::fields::{Field, confirm_field, reason_field};
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{ButtonKind, Crumb, Flash, Head, Hidden, Submit, Text};
use crate::web::{AppState, Errors, OrPage, PageError, Posted, Query, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::deployments::{CellOut, ReasonIn, ScaleIn};
use passerelle_contract::environments::Tier;
use passerelle_server::kernel::{AppError, Result as AppResult};

type Place = Path<(String, String, String)>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Restart,
    Scale,
    Hold,
    Resume,
}

impl Act {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "restart" => Some(Self::Restart),
            "scale" => Some(Self::Scale),
            "hold" => Some(Self::Hold),
            "resume" => Some(Self::Resume),
            _ => None,
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Scale => "scale",
            Self::Hold => "hold",
            Self::Resume => "resume",
        }
    }

    fn texts(self, t: T, name: &str, environment: &str) -> (String, &'static str, &'static str) {
        match self {
            Self::Restart => (t.restart_title(name, environment), t.restart_sub(), t.act_restart()),
            Self::Scale => (t.scale_title(name, environment), t.scale_sub(), t.act_scale()),
            Self::Hold => (t.hold_title(name, environment), t.hold_sub(), t.act_hold()),
            Self::Resume => (t.resume_title(name, environment), t.resume_sub(), t.act_resume()),
        }
    }

    /// It changes what runs, so production asks for the name.
    const fn changes_target(self) -> bool {
        matches!(self, Self::Restart | Self::Scale)
    }
}

#[derive(Debug, Default)]
struct Asked {
    replicas: Option<String>,
    reason: String,
    errors: Errors,
}

pub async fn ask(
    State(app): State<AppState>,
    req: Req,
    Path((namespace, name, act)): Place,
) -> Result<Response, PageError> {
    let environment = req.query.text("environment").unwrap_or_default();
    let asked = Asked {
        replicas: req.query.text("replicas"),
        reason: req.query.text("reason").unwrap_or_default(),
        errors: Errors::default(),
    };
    render(&app, req, &namespace, &name, &act, &environment, asked).await
}

pub async fn submit(
    State(app): State<AppState>,
    Path((namespace, name, act)): Place,
    posted: Posted,
) -> Result<Response, PageError> {
    let (req, fields) = (posted.req, posted.fields);
    let service = format!("{namespace}/{name}");
    let Some(kind) = Act::parse(&act) else { return Err(req.fail(AppError::not_found(act))) };
    let environment = fields.text("environment");
    let mut asked =
        Asked { replicas: fields.some("replicas"), reason: fields.text("reason"), errors: Errors::default() };
    let tier = app.portal.environments.get_environment(&req.ctx, &environment).await.or_page(&req)?.tier;
    let named = confirmed(fields.get("confirm"), &name, kind.changes_target() && tier == Tier::Production);
    if !named {
        asked.errors = FieldError::said("/confirm", req.t.confirm_wrong(&name)).into();
    }
    // The form again leads to where one shows who one is, with what was typed.
    if !named || (kind != Act::Hold && tier == Tier::Production && req.ctx.must_confirm()) {
        return render(&app, req, &namespace, &name, &act, &environment, asked).await;
    }
    let reason = ReasonIn { reason: Some(asked.reason.clone()).filter(|reason| !reason.is_empty()) };
    let replicas = fields.number::<i64>("replicas", req.t.scale_bad());
    match act_on(&app, &req, kind, (&service, &environment), replicas, reason).await {
        Ok(path) => {
            let text = match kind {
                Act::Restart | Act::Scale => req.t.flash_started().to_owned(),
                Act::Hold => req.t.flash_held(&environment),
                Act::Resume => req.t.flash_resumed(&environment),
            };
            Ok(see_other(&path, Some(Flash { ok: true, text })))
        }
        Err(error) => {
            asked.errors = req.shown(error)?;
            render(&app, req, &namespace, &name, &act, &environment, asked).await
        }
    }
}

/// Where to look at what was begun.
async fn act_on(
    app: &AppState,
    req: &Req,
    act: Act,
    (service, environment): (&str, &str),
    replicas: Result<i64, FieldError>,
    reason: ReasonIn,
) -> AppResult<String> {
    let (deployments, ctx) = (&app.portal.deployments, &req.ctx);
    let begun = match act {
        Act::Restart => deployments.restart(ctx, service, environment, reason).await?,
        Act::Scale => {
            let replicas = replicas.map_err(|error| AppError::Invalid(vec![error]))?;
            deployments.scale(ctx, service, environment, ScaleIn { replicas, reason: reason.reason }).await?
        }
        Act::Hold => {
            deployments.hold(ctx, service, environment, reason).await?;
            return Ok(format!("/services/{service}"));
        }
        Act::Resume => {
            deployments.resume(ctx, service, environment, reason).await?;
            return Ok(format!("/services/{service}"));
        }
    };
    Ok(format!("/deployments/{}", begun.id))
}

async fn render(
    app: &AppState,
    req: Req,
    namespace: &str,
    name: &str,
    act: &str,
    environment: &str,
    asked: Asked,
) -> Result<Response, PageError> {
    let service = format!("{namespace}/{name}");
    let Some(kind) = Act::parse(act) else { return Err(req.fail(AppError::not_found(act.to_owned()))) };
    let t = req.t;
    let cells = app.portal.deployments.cells(&req.ctx, &service).await.or_page(&req)?;
    let cell = cells.into_iter().find(|cell| cell.environment == environment && cell.binding.is_some());
    let Some(cell) = cell else { return Err(req.fail(AppError::not_found(format!("{service} in {environment}")))) };
    if kind != Act::Hold {
        let next = Query::default().with("environment", Some(environment)).with("reason", Some(&asked.reason));
        let next = next.with("replicas", asked.replicas.as_deref());
        req.confirmed_for(cell.tier, &next.href(&format!("/services/{service}/{act}")))?;
    }
    let (title, sub, label) = kind.texts(t, name, environment);
    let settings = req
        .page(title.clone())
        .section(Section::Services)
        .crumbs(vec![
            Crumb::new("/services", t.nav_services()),
            Crumb::new(format!("/services/{service}"), service.clone()),
        ])
        .band(cell.tier, environment);
    let body = view! {
        <Head title=title sub=sub />
        {form(&req, &service, name, kind, label, &cell, &asked)}
    };
    let response = page(settings, body);
    Ok(if asked.errors.is_empty() { response } else { asked.errors.refuse(response) })
}

fn form(
    req: &Req,
    service: &str,
    name: &str,
    act: Act,
    label: &'static str,
    cell: &CellOut,
    asked: &Asked,
) -> impl IntoView + use<> {
    let t = req.t;
    let told = summary(t, &asked.errors, &["/reason", "/confirm", "/replicas"]);
    let replicas = (act == Act::Scale).then(|| {
        let value = asked.replicas.clone().or_else(|| cell.replicas.map(|replicas| replicas.desired.to_string())).unwrap_or_default();
        let hint = t.scale_hint().to_owned();
        let error = asked.errors.of("/replicas");
        view! { <Text t=t name="replicas" label=t.scale_replicas() value=value kind="number" required=true hint=hint error=error /> }
    });
    let production = act.changes_target() && cell.tier == Tier::Production;
    let kind = if production { ButtonKind::Production } else { ButtonKind::Primary };
    let reason = Field { value: asked.reason.clone(), error: asked.errors.of("/reason") };
    view! {
        <form class="panel form" method="post" action=format!("/services/{service}/{}", act.path())>
            {told}
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Hidden name="environment" value=cell.environment.clone() />
            {replicas}
            {reason_field(t, reason, act == Act::Hold)}
            {production.then(|| confirm_field(t, name, asked.errors.of("/confirm")))}
            <div class="btns">
                <Submit label=label kind=kind />
            </div>
        </form>
    }
}
