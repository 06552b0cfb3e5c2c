//! Breaking the glass: a closed, dangerous section where a gate stops something, and a page of its own when a value is refused.

use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Crumb, Flash, Head, Hidden, Submit, Text, TextArea, Tone, TypedName};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Query, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::deployments::{GateOut, Verdict};
use passerelle_contract::environments::{EnvironmentOut, Tier};
use passerelle_contract::gates::{BreakGlassIn, BreakGlassOut, kinds};
use passerelle_server::gates::CONFIRMED_FOR;
use passerelle_server::kernel::{Action, AppError, EnvironmentScope, Object, decide};
use passerelle_server::portal::Portal;
use time::Duration;
use tower_sessions::Session;

const SHOWN: [&str; 5] = ["/reason", "/incident", "/minutes", "/password", "/confirm"];

/// How long others are told on the home page.
const TOLD: Duration = Duration::DAY;
const MOST_TOLD: usize = 5;

/// What the glass would be broken for.
#[derive(Debug, Clone)]
pub struct Way {
    pub service: String,
    pub environment: String,
    pub tier: Tier,
    pub version: Option<String>,
    pub image: Option<String>,
}

impl Way {
    fn name(&self) -> &str {
        self.service.rsplit('/').next().unwrap_or(&self.service)
    }

    /// The deploy page of the same.
    fn deploy(&self) -> String {
        self.query().href(&format!("/services/{}/deploy", self.service))
    }

    fn query(&self) -> Query {
        let query = Query::default().with("environment", Some(&self.environment));
        query.with("version", self.version.as_deref()).with("image", self.image.as_deref())
    }
}

/// What the caller has open for this place and has not used.
pub async fn open_here(
    portal: &Portal,
    req: &Req,
    service: &str,
    environment: &str,
) -> Result<Option<BreakGlassOut>, AppError> {
    let me = &req.ctx.principal().name;
    let mine = |glass: &BreakGlassOut| {
        glass.opened_by == *me
            && glass.used_by.is_none()
            && glass.expires_at > req.now
            && glass.service == service
            && glass.environment == environment
    };
    Ok(portal.gates.list_break_glass(&req.ctx).await?.into_iter().find(mine))
}

/// What others opened within a day where the caller could approve: a second person has to know.
pub async fn told(portal: &Portal, req: &Req, environments: &[EnvironmentOut]) -> Result<Option<AnyView>, AppError> {
    let t = req.t;
    let me = &req.ctx.principal().name;
    let operates = |glass: &BreakGlassOut| {
        let place = environments.iter().find(|known| known.name == glass.environment);
        let service = portal.catalog.find_service(&glass.service);
        place.zip(service).is_some_and(|(place, service)| {
            let scope = EnvironmentScope { name: place.name.clone(), tier: place.tier };
            let object = Object::service(service.scope).with_environment(scope);
            decide(&req.ctx, Action::DeploymentApprove, &object).allowed
        })
    };
    let found = portal.gates.list_break_glass(&req.ctx).await?;
    let lines = found
        .into_iter()
        .filter(|glass| glass.opened_by != *me && req.now - glass.opened_at < TOLD)
        .filter(operates)
        .take(MOST_TOLD)
        .map(|glass| {
            let age = t.ago((req.now - glass.opened_at).whole_seconds());
            let words = t.glass_told(&glass.opened_by, &glass.service, &glass.environment, age);
            let href = glass.used_by.map_or_else(|| "/break-glass".to_owned(), |id| format!("/deployments/{id}"));
            view! {
                <p>
                    <a class="link" href=href>{words}</a>
                    <span class="muted break">{format!(" · {}", glass.reason)}</span>
                </p>
            }
        })
        .collect::<Vec<_>>();
    Ok((!lines.is_empty())
        .then(|| view! { <div class="flash"><Alert tone=Tone::Warn>{lines}</Alert></div> }.into_any()))
}

/// Whether broken glass would help: it does not end what is running.
#[must_use]
pub fn helps(gates: &[GateOut]) -> bool {
    let stands = |gate: &GateOut| matches!(gate.verdict, Verdict::Block | Verdict::Wait);
    gates.iter().any(|gate| stands(gate) && gate.kind != kinds::ACTIVE_DEPLOYMENT)
}

/// The closed section; nothing for those who may not.
pub fn closed(portal: &Portal, req: &Req, way: &Way) -> Option<AnyView> {
    let service = portal.catalog.find_service(&way.service)?;
    let place = EnvironmentScope { name: way.environment.clone(), tier: way.tier };
    let may = decide(&req.ctx, Action::BreakGlass, &Object::service(service.scope).with_environment(place));
    may.allowed.then(|| {
        let form = form(req, way, &blank(), &Errors::default());
        view! {
            <details class="panel danger disclose">
                <summary>{req.t.glass_summary()}</summary>
                {form}
            </details>
        }
        .into_any()
    })
}

fn blank() -> Fields {
    [("minutes".to_owned(), "60".to_owned())].into_iter().collect()
}

pub async fn ask(
    State(app): State<AppState>,
    req: Req,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let (query, service) = (&req.query, format!("{namespace}/{name}"));
    let environment = query.text("environment").unwrap_or_default();
    let way =
        way(&app, &req, &service, &environment, query.text("version"), query.text("image")).await.or_page(&req)?;
    Ok(draw(&req, &way, &blank(), &Errors::default()))
}

pub async fn submit(
    State(app): State<AppState>,
    Path((namespace, name)): Path<(String, String)>,
    session: Session,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let (t, service) = (req.t, format!("{namespace}/{name}"));
    let (environment, version, image) = (fields.text("environment"), fields.some("version"), fields.some("image"));
    let way = way(&app, &req, &service, &environment, version, image).await.or_page(&req)?;
    let broken = match (fields.get("sure") == way.name(), fields.number::<u32>("minutes", t.glass_minutes_hint())) {
        (true, Ok(minutes)) => {
            let input = BreakGlassIn {
                service: way.service.clone(),
                environment: way.environment.clone(),
                reason: fields.text("why"),
                incident: fields.some("incident"),
                minutes: Some(minutes),
                password: fields.raw("password").to_owned(),
            };
            app.portal.gates.break_glass(&req.ctx, &session, input).await
        }
        (sure, minutes) => {
            let unsure = (!sure).then(|| FieldError::said("/confirm", t.confirm_wrong(way.name())));
            Err(AppError::Invalid(unsure.into_iter().chain(minutes.err()).collect()))
        }
    };
    let errors = match broken {
        Ok(_) => {
            let text = t.glass_opened(&way.environment);
            return Ok(see_other(&way.deploy(), Some(Flash { ok: true, text })));
        }
        Err(AppError::RateLimited { retry_after_s }) => {
            FieldError::said("/password", t.glass_limited(retry_after_s)).into()
        }
        Err(error @ (AppError::Invalid(_) | AppError::Conflict(_))) => Errors::from(error.problem(&req.ctx)),
        Err(other) => return Err(req.fail(other)),
    };
    Ok(errors.refuse(draw(&req, &way, &fields, &errors)))
}

/// The service has to be one that the caller may see, in an environment that exists.
async fn way(
    app: &AppState,
    req: &Req,
    service: &str,
    environment: &str,
    version: Option<String>,
    image: Option<String>,
) -> Result<Way, AppError> {
    let service = app.portal.catalog.service_for(&req.ctx, service)?.scope.key;
    let environment = app.portal.environments.get_environment(&req.ctx, environment).await?;
    Ok(Way { service, environment: environment.name, tier: environment.tier, version, image })
}

fn draw(req: &Req, way: &Way, fields: &Fields, errors: &Errors) -> Response {
    let t = req.t;
    let title = t.glass_title(way.name(), &way.environment);
    let crumbs = vec![
        Crumb::new("/services", t.nav_services()),
        Crumb::new(format!("/services/{}", way.service), way.service.clone()),
        Crumb::new(way.deploy(), t.act_deploy()),
    ];
    let frame = req.page(title.clone()).section(Section::Services).crumbs(crumbs);
    let form = form(req, way, fields, errors);
    page(
        frame.band(way.tier, way.environment.clone()),
        view! {
            <Head title=title />
            {summary(t, errors, &SHOWN)}
            <div class="panel danger">{form}</div>
        },
    )
}

/// The password again, unless who it is was shown a moment ago; without a password here there is the provider.
fn proof(req: &Req, way: &Way, errors: &Errors) -> AnyView {
    let t = req.t;
    if req.ctx.confirmed_within(CONFIRMED_FOR) {
        return view! { <p class="muted">{t.confirm_known()}</p> }.into_any();
    }
    let here = way.query().href(&format!("/services/{}/break-glass", way.service));
    let confirm = Query::default().with("next", Some(&here)).href("/confirm");
    view! {
        <div>
            <Text t=t name="password" label=t.glass_password() kind="password" error=errors.of("/password") autocomplete="current-password" />
            <a class="link" href=confirm>{t.confirm_first()}</a>
        </div>
    }
    .into_any()
}

fn form(req: &Req, way: &Way, fields: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    let effect = t.glass_effect(way.name(), &way.environment);
    view! {
        <form class="form" method="post" action=format!("/services/{}/break-glass", way.service)>
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Hidden name="environment" value=way.environment.clone() />
            <Hidden name="version" value=way.version.clone().unwrap_or_default() />
            <Hidden name="image" value=way.image.clone().unwrap_or_default() />
            <Alert tone=Tone::Warn>{effect}</Alert>
            <TextArea t=t name="why" label=t.glass_reason() value=fields.text("why") hint=t.glass_reason_hint().to_owned() error=errors.of("/reason") required=true />
            <Text t=t name="incident" label=t.glass_incident() kind="url" value=fields.text("incident") hint=t.glass_incident_hint().to_owned() error=errors.of("/incident") autocomplete="off" />
            <div class="pair">
                <Text t=t name="minutes" label=t.glass_minutes() kind="number" value=fields.text("minutes") hint=t.glass_minutes_hint().to_owned() error=errors.of("/minutes") required=true />
                {proof(req, way, errors)}
            </div>
            <TypedName t=t name="sure" of=way.name() hint=t.glass_confirm_hint() error=errors.of("/confirm") />
            <div class="btns">
                <Submit label=t.glass_submit(&way.environment) kind=ButtonKind::Danger />
            </div>
        </form>
    }
}
