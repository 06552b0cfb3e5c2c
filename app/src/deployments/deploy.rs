//! The deploy page: choose a release, see what it changes, give a reason, confirm.

use super::confirmed;
use super::going::{self, Asked};
use crate::gates::frozen::Frozen;
use crate::gates::glass;
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{
    Ago, Alert, ButtonKind, Chip, Crumb, Diff, Empty, GateList, Head, Hidden, LinkButton, Select, Simulated, Status,
    Submit, Text, Tone,
};
use crate::web::{AppState, Errors, OrPage, PageError, Posted, Query, Req, page, see_other};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::deployments::{CellOut, DeploymentIn, Exemption, PlanOut, ReleaseOut, Severity};
use passerelle_contract::environments::Tier;
use passerelle_contract::gates::BreakGlassOut;
use passerelle_server::portal::Portal;

/// What has been chosen so far, from the URL or from the form.
#[derive(Debug, Clone, Default)]
struct Chosen {
    environment: Option<String>,
    version: Option<String>,
    image: Option<String>,
    reason: String,
    exempt: Option<Exemption>,
    errors: Errors,
}

impl Chosen {
    fn input(&self, service: &str) -> Option<DeploymentIn> {
        let environment = self.environment.clone()?;
        if self.version.is_none() && self.image.is_none() {
            return None;
        }
        let image = if self.version.is_some() { None } else { self.image.clone() };
        let reason = Some(self.reason.clone()).filter(|reason| !reason.is_empty());
        Some(DeploymentIn {
            service: service.to_owned(),
            environment,
            release: None,
            version: self.version.clone(),
            image,
            reason,
            exempt: self.exempt,
        })
    }
}

type Place = Path<(String, String)>;

pub async fn choose(
    State(app): State<AppState>,
    req: Req,
    Path((namespace, name)): Place,
) -> Result<Response, PageError> {
    let service = format!("{namespace}/{name}");
    let mut chosen = Chosen {
        environment: req.query.text("environment"),
        version: req.query.text("version"),
        image: req.query.text("image"),
        reason: req.query.text("reason").unwrap_or_default(),
        exempt: req.query.get("exempt").and_then(Exemption::parse),
        errors: Errors::default(),
    };
    // "Deploy again" names version and image; the version may never have been announced as a release.
    if let (Some(version), Some(_)) = (&chosen.version, &chosen.image) {
        let releases = app.portal.deployments.list_releases(&req.ctx, &service, None, Some(200)).await.or_page(&req)?;
        if !releases.items.iter().any(|release| &release.version == version) {
            chosen.version = None;
        }
    }
    render(&app, req, &service, chosen).await
}

pub async fn submit(
    State(app): State<AppState>,
    Path((namespace, name)): Place,
    posted: Posted,
) -> Result<Response, PageError> {
    let service = format!("{namespace}/{name}");
    let (req, fields) = (posted.req, posted.fields);
    let mut chosen = Chosen {
        environment: fields.some("environment"),
        version: fields.some("version"),
        image: fields.some("image"),
        reason: fields.text("reason"),
        exempt: Exemption::parse(fields.get("exempt")),
        errors: Errors::default(),
    };
    let production = match &chosen.environment {
        Some(environment) => {
            app.portal.environments.get_environment(&req.ctx, environment).await.or_page(&req)?.tier == Tier::Production
        }
        None => false,
    };
    if !confirmed(fields.get("confirm"), &name, production) {
        chosen.errors = FieldError::said("/confirm", req.t.confirm_wrong(&name)).into();
        return render(&app, req, &service, chosen).await;
    }
    let Some(input) = chosen.input(&service) else { return render(&app, req, &service, chosen).await };
    match app.portal.deployments.create_deployment(&req.ctx, input).await {
        Ok(deployment) => {
            let flash = going::flash(req.t, deployment.state);
            Ok(see_other(&format!("/deployments/{}", deployment.id), Some(flash)))
        }
        Err(error) if matches!(error.code().status(), 409 | 422) => {
            chosen.errors = error.problem(&req.ctx).into();
            render(&app, req, &service, chosen).await
        }
        Err(error) => Err(req.fail(error)),
    }
}

async fn render(app: &AppState, req: Req, service: &str, chosen: Chosen) -> Result<Response, PageError> {
    let t = req.t;
    let name = service.rsplit('/').next().unwrap_or(service).to_owned();
    let cells = app.portal.deployments.cells(&req.ctx, service).await.or_page(&req)?;
    let cell = cells.iter().find(|cell| Some(&cell.environment) == chosen.environment.as_ref()).cloned();
    let releases = app.portal.deployments.list_releases(&req.ctx, service, None, Some(50)).await.or_page(&req)?;
    let mut chosen = chosen;
    let plan = match chosen.input(service) {
        Some(input) if cell.is_some() => {
            match app.portal.deployments.plan(&req.ctx, DeploymentIn { reason: None, ..input }).await {
                Ok(plan) => Some(plan),
                Err(error) if error.code().status() == 422 => {
                    chosen.errors = error.problem(&req.ctx).into();
                    None
                }
                Err(error) => return Err(req.fail(error)),
            }
        }
        _ => None,
    };
    let glass = match &plan {
        Some(plan) => glass::open_here(&app.portal, &req, service, &plan.environment).await.or_page(&req)?,
        None => None,
    };
    let budgets = match &plan {
        Some(plan) => crate::slo::before_deploying(&app.portal, &req, service, &plan.environment).await?,
        None => None,
    };
    let bad = !chosen.errors.is_empty();
    let title = match &cell {
        Some(cell) => t.deploy_title(&name, &cell.environment),
        None => format!("{} {name}", t.act_deploy()),
    };
    let mut settings = req
        .page(title.clone())
        .section(Section::Services)
        .crumbs(vec![Crumb::new("/services", t.nav_services()), Crumb::new(format!("/services/{service}"), service)]);
    if let Some(cell) = &cell {
        let frozen = Frozen::now(&app.portal, &req).await.or_page(&req)?.band(t, cell.tier, &cell.environment);
        settings = settings.band(cell.tier, cell.environment.clone()).frozen(frozen);
    }
    let simulated = cell.as_ref().is_some_and(|cell| cell.simulated);
    let body = view! {
        <Head title=title>{simulated.then(|| view! { <Simulated t=t /> })}</Head>
        {errors(t, &chosen.errors)}
        <div class="cols">
            <div class="stack">{left(&req, service, &cells, cell.as_ref(), &chosen, releases.items, plan.as_ref())}</div>
            <div class="stack" data-part="act">
                {plan.map(|plan| right(&app.portal, &req, service, plan, &chosen, glass))}
                {budgets}
            </div>
        </div>
    };
    let mut response = page(settings, body);
    if bad {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

fn errors(t: T, errors: &Errors) -> Option<AnyView> {
    let general = errors
        .general
        .clone()
        .into_iter()
        .chain(errors.elsewhere(&["/reason", "/confirm", "/image"]))
        .collect::<Vec<_>>();
    (!general.is_empty()).then(|| {
        view! {
            <Alert tone=Tone::Bad title=t.active_elsewhere().to_owned()>
                {general.join(" ")}
            </Alert>
        }
        .into_any()
    })
}

fn left(
    req: &Req,
    service: &str,
    cells: &[CellOut],
    cell: Option<&CellOut>,
    chosen: &Chosen,
    releases: Vec<ReleaseOut>,
    plan: Option<&PlanOut>,
) -> impl IntoView + use<> {
    let t = req.t;
    let environments = environments(t, service, cells, chosen);
    let choice = cell.map(|cell| release_form(req, service, cell, chosen, releases));
    let changes = plan.map(|plan| changes(t, plan));
    view! {
        {environments}
        {choice}
        <div data-part="changes">{changes}</div>
    }
}

fn environments(t: T, service: &str, cells: &[CellOut], chosen: &Chosen) -> AnyView {
    let bound = cells.iter().filter(|cell| cell.binding.is_some()).collect::<Vec<_>>();
    if bound.is_empty() {
        return view! {
            <Empty icon="bind" title=t.deploy_choose_env() text=t.deploy_choose_env_text()>
                <LinkButton href="/bindings" label=t.nav_bindings() kind=ButtonKind::Primary />
            </Empty>
        }
        .into_any();
    }
    let links = bound
        .into_iter()
        .map(|cell| {
            let here = Some(&cell.environment) == chosen.environment.as_ref();
            let mut query = Query::default().with("environment", Some(&cell.environment));
            query = query.with("version", chosen.version.as_deref());
            let label = match &cell.version {
                Some(version) => format!("{} · {version}", cell.environment),
                None => cell.environment.clone(),
            };
            view! { <Chip href=query.href(&format!("/services/{service}/deploy")) label=label on=here one_of=true /> }
        })
        .collect::<Vec<_>>();
    view! { <div class="chips">{links}</div> }.into_any()
}

fn release_form(
    req: &Req,
    service: &str,
    cell: &CellOut,
    chosen: &Chosen,
    releases: Vec<ReleaseOut>,
) -> impl IntoView + use<> {
    let t = req.t;
    let none = releases.is_empty();
    let rows = releases
        .into_iter()
        .map(|release| {
            let checked = Some(&release.version) == chosen.version.as_ref();
            let commit = release.commit.as_ref().map(|commit| commit.chars().take(9).collect::<String>());
            let runs =
                (!release.runs_in.is_empty()).then(|| format!("{}: {}", t.col_runs_in(), release.runs_in.join(", ")));
            view! {
                <label class="check">
                    <input type="radio" name="version" value=release.version.clone() checked=checked />
                    <span>
                        <span class="mono">{release.version}</span>
                        <span class="muted">
                            " " {commit.map(|commit| view! { <span class="mono">{commit}</span> " · " })}
                            <Ago t=t at=release.created_at now=req.now />
                        </span>
                        {runs.map(|runs| view! { " " <span class="tag">{runs}</span> })}
                        {release.notes.map(|notes| view! { <span class="muted" style="display:block">{notes}</span> })}
                    </span>
                </label>
            }
        })
        .collect::<Vec<_>>();
    let image = if chosen.version.is_none() { chosen.image.clone().unwrap_or_default() } else { String::new() };
    let action = format!("/services/{service}/deploy");
    let image_error = chosen.errors.of("/image");
    view! {
        <form class="panel form" method="get" action=action data-preview="">
            <fieldset class="form">
                <legend>{t.deploy_choose_release()}</legend>
                {none.then(|| view! { <p class="muted">{t.deploy_no_release()}</p> })}
                <div class="choices">{rows}</div>
            </fieldset>
            <Hidden name="environment" value=cell.environment.clone() />
            {match image_error {
                Some(error) => view! {
                    <Text t=t name="image" label=t.deploy_other_image() hint=t.deploy_image_hint().to_owned() value=image code=true error=error />
                }.into_any(),
                None => view! {
                    <Text t=t name="image" label=t.deploy_other_image() hint=t.deploy_image_hint().to_owned() value=image code=true />
                }.into_any(),
            }}
            {exemption(t, chosen)}
            <div class="btns">
                <Submit label=t.deploy_show_plan() kind=ButtonKind::Plain />
            </div>
        </form>
    }
}

/// What kind of change it is, for the budgets.
fn exemption(t: T, chosen: &Chosen) -> impl IntoView + use<> {
    let classes = Exemption::ALL.map(|class| (class.as_str().to_owned(), t.exemption(class).to_owned()));
    let choices = std::iter::once((String::new(), t.exempt_none().to_owned())).chain(classes).collect();
    let set = chosen.exempt.map_or("", Exemption::as_str);
    view! { <Select t=t name="exempt" label=t.exempt_label() choices=choices value=set hint=t.exempt_hint().to_owned() required=false /> }
}

fn changes(t: T, plan: &PlanOut) -> impl IntoView + use<> {
    let incomplete =
        plan.incomplete.clone().map(|why| view! { <Alert tone=Tone::Warn>{t.deploy_incomplete(why)}</Alert> });
    let diff = plan.diff.clone();
    let nothing = diff.is_empty() && plan.incomplete.is_none();
    let env = plan
        .env
        .iter()
        .map(|variable| {
            let secret = variable.secret.then(|| view! { " " <span class="tag">{t.secret()}</span> });
            view! {
                <tr>
                    <th scope="row" class="mono">{variable.name.clone()}</th>
                    <td class="mono break">{variable.value.clone()} {secret}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    let variables = (!env.is_empty()).then(|| {
        view! {
            <details class="mt-3">
                <summary>{format!("{} ({})", t.deploy_env(), env.len())}</summary>
                <div class="wide mt-3" tabindex="0">
                    <table><tbody>{env}</tbody></table>
                </div>
            </details>
        }
    });
    view! {
        <section class="panel">
            <h2>{t.deploy_changes()}</h2>
            <dl class="dl mb-3">
                <dt>{t.deploy_now()}</dt>
                <dd class="mono">{plan.current_image.clone().unwrap_or_else(|| t.nothing().to_owned())}</dd>
                <dt>{t.deploy_incoming()}</dt>
                <dd class="mono">{plan.incoming_image.clone()}</dd>
                <dt>{t.deploy_replicas()}</dt>
                <dd>{plan.replicas.desired.to_string()}</dd>
            </dl>
            {incomplete}
            {nothing.then(|| view! { <p class="muted">{t.deploy_no_change()}</p> })}
            {(!diff.is_empty()).then(|| view! { <Diff lines=diff /> })}
            {variables}
        </section>
    }
}

fn right(
    portal: &Portal,
    req: &Req,
    service: &str,
    plan: PlanOut,
    chosen: &Chosen,
    glass: Option<BreakGlassOut>,
) -> impl IntoView + use<> {
    let t = req.t;
    let hold = plan.hold.clone().map(|hold| {
        view! { <Alert tone=Tone::Warn title=t.on_hold().to_owned()>{format!("{} · {}", hold.by, hold.reason)}</Alert> }
    });
    let findings = plan
        .findings
        .iter()
        .map(|finding| {
            let tone = match finding.severity {
                Severity::Info => Tone::Off,
                Severity::Warning => Tone::Warn,
                Severity::Error => Tone::Bad,
            };
            view! {
                <li class="mb-3">
                    <Status tone=tone word=t.severity(finding.severity) />
                    <div class="break">{finding.message.to_string()}</div>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let findings = (!findings.is_empty()).then(|| {
        view! {
            <section class="panel">
                <h2>{t.deploy_findings()}</h2>
                <ul>{findings}</ul>
            </section>
        }
    });
    let asked = Asked {
        service,
        plan: &plan,
        version: chosen.version.clone(),
        image: chosen.image.clone(),
        reason: chosen.reason.clone(),
        exempt: chosen.exempt,
        errors: &chosen.errors,
        glass,
    };
    let form = going::form(portal, req, asked);
    view! {
        {hold}
        <section class="panel">
            <h2>{t.deploy_gates()}</h2>
            <GateList t=t gates=plan.gates now=req.now />
        </section>
        {findings}
        {form}
    }
}
