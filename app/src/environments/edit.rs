//! Making and changing an environment.

use crate::gates::frozen::Frozen;
use crate::gates::policies;
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Check, Crumb, Flash, Head, Hidden, LinkButton, Select, Submit, Text, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, Page, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::environments::{EnvironmentIn, EnvironmentOut, EnvironmentPatch, Tier};
use passerelle_server::environments::{Etag, IfMatch};
use passerelle_server::kernel::{Action, AppError, EnvironmentScope, Object, decide};

const SHOWN: [&str; 4] = ["/name", "/tier", "/order", "/progress_deadline_s"];

pub async fn new(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let known = app.portal.environments.list_environments(&req.ctx).await.or_page(&req)?;
    let order = known.iter().map(|environment| environment.order).max().unwrap_or(0).saturating_add(1);
    let form = values([
        ("order", order.to_string()),
        ("progress_deadline_s", "300".to_owned()),
        ("auto_rollback", "true".to_owned()),
    ]);
    Ok(draw(&req, None, &form, &Errors::default(), Beside::default()))
}

pub async fn show(State(app): State<AppState>, Path(name): Path<String>, req: Req) -> Result<Response, PageError> {
    let environment = app.portal.environments.get_environment(&req.ctx, &name).await.or_page(&req)?;
    let form = values([
        ("tier", environment.tier.as_str().to_owned()),
        ("order", environment.order.to_string()),
        ("progress_deadline_s", environment.progress_deadline_s.to_string()),
        ("auto_rollback", environment.auto_rollback.to_string()),
        ("etag", environment.etag()),
    ]);
    let beside = Beside::read(&app, &req, environment.tier, &name).await.or_page(&req)?;
    Ok(draw(&req, Some(&environment), &form, &Errors::default(), beside))
}

/// What stands beside the form of an environment that exists.
#[derive(Default)]
struct Beside {
    gates: Option<AnyView>,
    frozen: Option<String>,
}

impl Beside {
    async fn read(app: &AppState, req: &Req, tier: Tier, name: &str) -> Result<Self, AppError> {
        let policies = app.portal.gates.list_policies(&req.ctx).await?;
        let gates = policies.iter().find(|policy| policy.tier == tier).map(|policy| policies::panel(req, policy));
        let frozen = Frozen::now(&app.portal, req).await?.band(req.t, tier, name);
        Ok(Self { gates, frozen })
    }
}

pub async fn create(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let made = match read(&fields, &req) {
        Ok(values) => {
            let new = EnvironmentIn {
                name: fields.text("name"),
                tier: values.tier,
                order: values.order,
                auto_rollback: Some(fields.on("auto_rollback")),
                progress_deadline_s: Some(values.deadline),
            };
            app.portal.environments.create_environment(&req.ctx, new).await
        }
        Err(error) => Err(error),
    };
    let made = made.map(|environment| req.t.flash_created(environment.name));
    answer(&req, None, &fields, made, Beside::default())
}

pub async fn save(
    State(app): State<AppState>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let environment = app.portal.environments.get_environment(&req.ctx, &name).await.or_page(&req)?;
    let saved = match read(&fields, &req) {
        Ok(values) => {
            let patch = EnvironmentPatch {
                tier: Some(values.tier),
                order: Some(values.order),
                auto_rollback: Some(fields.on("auto_rollback")),
                progress_deadline_s: Some(values.deadline),
            };
            let read = IfMatch::new(Some(fields.get("etag")));
            app.portal.environments.patch_environment_if(&req.ctx, &name, patch, &read).await
        }
        Err(error) => Err(error),
    };
    // What stands beside the form is read only for a form that is shown again.
    let beside = match &saved {
        Ok(_) => Beside::default(),
        Err(_) => Beside::read(&app, &req, environment.tier, &name).await.or_page(&req)?,
    };
    let saved = saved.map(|environment| req.t.flash_saved(environment.name));
    answer(&req, Some(&environment), &fields, saved, beside)
}

fn answer(
    req: &Req,
    environment: Option<&EnvironmentOut>,
    fields: &Fields,
    done: Result<String, AppError>,
    beside: Beside,
) -> Result<Response, PageError> {
    match done {
        Ok(text) => Ok(see_other("/environments", Some(Flash { ok: true, text }))),
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(req, environment, fields, &errors, beside)))
        }
    }
}

struct Values {
    tier: Tier,
    order: u16,
    deadline: u32,
}

fn read(fields: &Fields, req: &Req) -> Result<Values, AppError> {
    let (order, deadline) =
        (fields.number("order", req.t.not_a_number()), fields.number("progress_deadline_s", req.t.not_a_number()));
    let tier = Tier::parse(fields.get("tier")).ok_or_else(|| FieldError::said("/tier", req.t.required()));
    match (tier, order, deadline) {
        (Ok(tier), Ok(order), Ok(deadline)) => Ok(Values { tier, order, deadline }),
        (tier, order, deadline) => {
            Err(AppError::Invalid([tier.err(), order.err(), deadline.err()].into_iter().flatten().collect()))
        }
    }
}

fn values<const N: usize>(pairs: [(&str, String); N]) -> Fields {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn frame(req: &Req, environment: Option<&EnvironmentOut>) -> Page {
    let t = req.t;
    let title = environment.map_or_else(|| t.environment_new().to_owned(), |known| t.environment_edit(&known.name));
    let crumbs = vec![Crumb::new("/environments", t.environments_title())];
    let page = req.page(title).section(Section::Environments).crumbs(crumbs);
    match environment {
        Some(known) => page.band(known.tier, known.name.clone()),
        None => page,
    }
}

fn draw(req: &Req, environment: Option<&EnvironmentOut>, form: &Fields, errors: &Errors, beside: Beside) -> Response {
    let t = req.t;
    let frame = frame(req, environment).frozen(beside.frozen);
    let object = environment.map_or_else(
        || Object::new("environment", "*"),
        |known| {
            let scope = EnvironmentScope { name: known.name.clone(), tier: known.tier };
            Object::new("environment", known.name.clone()).with_environment(scope)
        },
    );
    let may = decide(&req.ctx, Action::EnvironmentEdit, &object);
    let why_not = (!may.allowed).then(|| req.ctx.say(&may.because));
    let button = if environment.is_some() { t.save() } else { t.create() };
    let tiers = Tier::ALL.map(|tier| (tier.as_str().to_owned(), t.tier(tier).to_owned())).to_vec();
    let (csrf, etag) = (req.ctx.csrf_token(), form.text("etag"));
    let title = frame.title.clone();
    let name = environment.is_none().then(|| {
        view! { <Text t=t name="name" label=t.field_name() value=form.text("name") hint=t.field_name_hint().to_owned() error=errors.of("/name") required=true code=true autocomplete="off" /> }
    });
    let fields = view! {
        <form class="panel form" method="post">
            <Hidden name="csrf" value=csrf />
            <Hidden name="etag" value=etag />
            {name}
            <div class="pair">
                <Select t=t name="tier" label=t.field_tier() choices=tiers value=form.text("tier") error=errors.of("/tier") />
                <Text t=t name="order" label=t.field_order() kind="number" value=form.text("order") hint=t.field_order_hint().to_owned() error=errors.of("/order") required=true />
                <Text t=t name="progress_deadline_s" label=t.field_deadline() kind="number" value=form.text("progress_deadline_s") hint=t.field_deadline_hint().to_owned() error=errors.of("/progress_deadline_s") required=true />
            </div>
            <Check name="auto_rollback" label=t.field_auto_rollback() checked=form.on("auto_rollback") />
            <div class="btns">
                {may.allowed.then(|| view! { <Submit label=button /> })}
                <LinkButton href="/environments" label=t.cancel() kind=ButtonKind::Quiet />
            </div>
        </form>
    };
    let content = match beside.gates {
        Some(gates) => view! { <div class="cols"><div class="stack">{fields}</div> {gates}</div> }.into_any(),
        None => fields.into_any(),
    };
    page(
        frame,
        view! {
            <Head title=title />
            {summary(t, errors, &SHOWN)}
            {why_not.map(|why| view! { <Alert tone=Tone::Off>{why}</Alert> })}
            {content}
        },
    )
}
