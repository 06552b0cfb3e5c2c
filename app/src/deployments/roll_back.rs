//! The roll-back page: one decision, the last healthy version by default.

use super::confirmed;
use super::fields::{Field, confirm_field, reason_field};
use crate::shell::Section;
use crate::ui::{Ago, ButtonKind, Check, Choice, Crumb, Flash, Head, Hidden, Simulated, Submit};
use crate::web::{AppState, Errors, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::deployments::{
    CellOut, ConfigChoice, DeploymentFilter, DeploymentRow, DeploymentState, Operation, ReplicasChoice, RollBackIn,
};
use passerelle_contract::environments::Tier;
use passerelle_server::kernel::AppError;
use uuid::Uuid;

type Place = Path<(String, String)>;

#[derive(Debug, Default)]
struct Asked {
    to: Option<Uuid>,
    current: bool,
    /// Also the number of instances of that time.
    then: bool,
    reason: String,
    errors: Errors,
}

pub async fn choose(
    State(app): State<AppState>,
    req: Req,
    Path((namespace, name)): Place,
) -> Result<Response, PageError> {
    let environment = req.query.text("environment").unwrap_or_default();
    render(&app, req, &format!("{namespace}/{name}"), &environment, Asked::default()).await
}

pub async fn submit(
    State(app): State<AppState>,
    Path((namespace, name)): Place,
    posted: Posted,
) -> Result<Response, PageError> {
    let service = format!("{namespace}/{name}");
    let (req, fields) = (posted.req, posted.fields);
    let environment = fields.text("environment");
    let to = fields.get("to");
    let mut asked = Asked {
        to: to.parse().ok(),
        current: fields.get("config") == "current",
        then: fields.on("instances"),
        reason: fields.text("reason"),
        errors: Errors::default(),
    };
    let tier = app.portal.environments.get_environment(&req.ctx, &environment).await.or_page(&req)?.tier;
    if !confirmed(fields.get("confirm"), &name, tier == Tier::Production) {
        asked.errors = FieldError::said("/confirm", req.t.confirm_wrong(&name)).into();
        return render(&app, req, &service, &environment, asked).await;
    }
    // An empty choice is the last healthy version; one that nobody offered is nothing to guess at.
    if asked.to.is_none() && !to.is_empty() {
        asked.errors = FieldError::said("/to", req.t.rollback_to_wrong()).into();
        return render(&app, req, &service, &environment, asked).await;
    }
    let input = RollBackIn {
        to: asked.to,
        config: if asked.current { ConfigChoice::Current } else { ConfigChoice::Release },
        replicas: if asked.then { ReplicasChoice::Release } else { ReplicasChoice::Current },
        reason: Some(asked.reason.clone()).filter(|reason| !reason.is_empty()),
    };
    match app.portal.deployments.roll_back(&req.ctx, &service, &environment, input).await {
        Ok(deployment) => {
            let flash = Flash { ok: true, text: req.t.flash_started().to_owned() };
            Ok(see_other(&format!("/deployments/{}", deployment.id), Some(flash)))
        }
        Err(error) => {
            asked.errors = req.shown(error)?;
            render(&app, req, &service, &environment, asked).await
        }
    }
}

async fn render(
    app: &AppState,
    req: Req,
    service: &str,
    environment: &str,
    asked: Asked,
) -> Result<Response, PageError> {
    let t = req.t;
    let name = service.rsplit('/').next().unwrap_or(service).to_owned();
    let cells = app.portal.deployments.cells(&req.ctx, service).await.or_page(&req)?;
    let cell = cells.into_iter().find(|cell| cell.environment == environment && cell.binding.is_some());
    let Some(cell) = cell else { return Err(req.fail(AppError::not_found(format!("{service} in {environment}")))) };
    let filter = DeploymentFilter {
        service: Some(service.to_owned()),
        environment: Some(environment.to_owned()),
        state: Some(DeploymentState::Succeeded),
        limit: Some(50),
        ..DeploymentFilter::default()
    };
    let earlier = app.portal.deployments.list_deployments(&req.ctx, filter).await.or_page(&req)?;
    let default = app.portal.deployments.roll_back_target(&req.ctx, service, environment).await.or_page(&req)?;
    let title = t.rollback_title(&name, environment);
    let settings = req
        .page(title.clone())
        .section(Section::Services)
        .crumbs(vec![Crumb::new("/services", t.nav_services()), Crumb::new(format!("/services/{service}"), service)])
        .band(cell.tier, environment);
    let simulated = cell.simulated;
    let body = view! {
        <Head title=title sub=t.rollback_sub()>{simulated.then(|| view! { <Simulated t=t /> })}</Head>
        {form(&req, service, &name, &cell, earlier.items, default, &asked)}
    };
    let response = page(settings, body);
    Ok(if asked.errors.is_empty() { response } else { asked.errors.refuse(response) })
}

fn form(
    req: &Req,
    service: &str,
    name: &str,
    cell: &CellOut,
    earlier: Vec<DeploymentRow>,
    default: Option<String>,
    asked: &Asked,
) -> impl IntoView + use<> {
    let t = req.t;
    let told = summary(t, &asked.errors, &["/reason", "/confirm"]);
    let (choices, none) = choices(req, cell, earlier, default, asked.to);
    let nowhere = none.then(|| t.rollback_none());
    let production = cell.tier == Tier::Production;
    let kind = if production { ButtonKind::Production } else { ButtonKind::Danger };
    let reason = Field { value: asked.reason.clone(), error: asked.errors.of("/reason") };
    let instances = cell.replicas.map_or_else(|| "?".to_owned(), |replicas| replicas.desired.to_string());
    let now = cell.version.clone().unwrap_or_else(|| t.nothing().to_owned());
    view! {
        <form class="panel form" method="post" action=format!("/services/{service}/rollback")>
            {told}
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Hidden name="environment" value=cell.environment.clone() />
            <p>{t.deploy_now()} ": " <span class="mono">{now}</span></p>
            <fieldset class="form">
                <legend>{t.rollback_to()}</legend>
                {choices}
            </fieldset>
            <fieldset class="form">
                <legend>{t.rollback_config()}</legend>
                <Choice name="config" value="release" label=t.rollback_config_release() hint=t.rollback_config_release_hint() checked=!asked.current />
                <Choice name="config" value="current" label=t.rollback_config_current() hint=t.rollback_config_current_hint() checked=asked.current />
                <p class="hint">{t.rollback_instances_stay(instances)}</p>
                <Check name="instances" label=t.rollback_instances_then() checked=asked.then />
            </fieldset>
            {reason_field(t, reason, false)}
            {production.then(|| confirm_field(t, name, asked.errors.of("/confirm")))}
            <div class="btns">
                {match nowhere {
                    Some(why) => view! { <Submit label=t.act_roll_back() kind=kind disabled_because=why /> }.into_any(),
                    None => view! { <Submit label=t.act_roll_back() kind=kind /> }.into_any(),
                }}
            </div>
        </form>
    }
}

/// Where one may go back to, the default first; and whether that is nowhere.
fn choices(
    req: &Req,
    cell: &CellOut,
    earlier: Vec<DeploymentRow>,
    default: Option<String>,
    chosen: Option<Uuid>,
) -> (AnyView, bool) {
    let t = req.t;
    let choices = earlier
        .into_iter()
        .filter(|row| matches!(row.operation, Operation::Deploy | Operation::RollBack) && row.image != cell.image)
        .map(|row| {
            let version = row.version.or(row.image).unwrap_or_default();
            view! {
                <label class="check">
                    <input type="radio" name="to" value=row.id.to_string() checked=chosen == Some(row.id) />
                    <span>
                        <span class="mono">{version}</span>
                        <span class="muted">" " <Ago t=t at=row.created_at now=req.now /> {format!(" · {} · {}", row.requested_by, row.reason)}</span>
                    </span>
                </label>
            }
        })
        .collect::<Vec<_>>();
    let none = default.is_none() && choices.is_empty();
    let last = default.map(|version| {
        view! {
            <label class="check">
                <input type="radio" name="to" value="" checked=chosen.is_none() />
                <span>{t.rollback_last()} ": " <span class="mono">{version}</span></span>
            </label>
        }
    });
    (view! { {last} {choices} }.into_any(), none)
}
