//! `/onboard/{template}/adopt`: a service that is there comes under a golden path. One form: where it is, what was found, what it would get.

use super::adopt_running::{self, Asked};
use super::answers::{asked, part_open, pointer_of, take};
use super::inputs::{Known, inputs};
use super::{adopt_found, delivery, made};
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Check, Crumb, Flash, Head, Hidden, Submit, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::adoption::{AdoptionIn, AdoptionOut, RepositoryIn};
use passerelle_server::kernel::{Action, AppError, Object, decide};
use passerelle_server::onboarding::{Parameter, Template};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Where errors stand beside their fields.
const SHOWN: [&str; 8] = [
    "/from/connection",
    "/from/repository",
    "/from/base",
    "/runs/connection",
    "/runs/group",
    "/runs/name",
    "/runs/environment",
    "/answers",
];

/// The check box of a file.
pub fn box_of(path: &str) -> String {
    format!("file.{path}")
}

/// What was typed so far.
struct Visit {
    template: Arc<Template>,
    given: Map<String, Value>,
    from: Option<RepositoryIn>,
    runs: Asked,
    /// Files that the page had a box for.
    listed: Vec<String>,
    ticked: Vec<String>,
    deliver: bool,
}

impl Visit {
    fn open(app: &AppState, req: &Req, template: &str, fields: &Fields) -> Result<Self, PageError> {
        let template = app.portal.onboarding.template(&req.ctx, template).or_page(req)?;
        // Whoever may not make anything is told before filling in a form.
        let may = decide(&req.ctx, Action::OnboardingDraft, &Object::new("template", template.id()));
        if !may.allowed {
            return Err(req.fail(AppError::Forbidden(may.because)));
        }
        let mut given = Map::new();
        let shown: Vec<&Parameter> =
            fields.get("shown").split(',').filter_map(|name| template.parameter(name)).collect();
        take(&shown, fields, &mut given);
        let wanted = delivery::wanted(fields);
        let from =
            RepositoryIn { connection: wanted.connection, repository: wanted.repository, base: fields.some("base") };
        let listed: Vec<String> =
            fields.get("listed").split(' ').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        let ticked = listed.iter().filter(|path| fields.on(&box_of(path))).cloned().collect();
        let deliver = listed.is_empty() || fields.on("deliver");
        Ok(Self {
            template,
            given,
            from: Some(from).filter(|from| !from.repository.is_empty()),
            runs: Asked::read(fields),
            listed,
            ticked,
            deliver,
        })
    }

    fn wanted(&self, files: Option<Vec<String>>) -> AdoptionIn {
        AdoptionIn {
            template: self.template.id().to_owned(),
            answers: self.given.clone(),
            from: self.from.clone(),
            runs: self.runs.wanted(),
            files,
            deliver: self.deliver && self.from.is_some(),
        }
    }

    /// Whether there is anything to look at.
    fn leads_somewhere(&self) -> bool {
        self.from.is_some() || self.runs.wanted().is_some()
    }

    /// What was ticked stays ticked, also after another look.
    fn keep_ticks(&self, out: &mut AdoptionOut) {
        for file in out.files.iter_mut().filter(|file| self.listed.contains(&file.path)) {
            file.chosen = self.ticked.contains(&file.path);
        }
    }
}

pub async fn show(State(app): State<AppState>, Path(template): Path<String>, req: Req) -> Result<Response, PageError> {
    // A link may name the repository: it is only read.
    let named = ["connection", "repository", "base", "runs.connection", "runs.group", "runs.name", "runs.environment"];
    let given = named.into_iter().filter_map(|name| Some((name.to_owned(), req.query.text(name)?)));
    let visit = Visit::open(&app, &req, &template, &given.collect())?;
    if visit.leads_somewhere() {
        return look(&app, &req, &visit, None).await;
    }
    draw(&app, &req, &visit, None, &Errors::default()).await
}

pub async fn submit(
    State(app): State<AppState>,
    Path(template): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let visit = Visit::open(&app, &req, &template, &fields)?;
    if !visit.leads_somewhere() {
        if !visit.runs.is_empty() {
            // The connection was chosen; now it tells what runs there.
            return draw(&app, &req, &visit, None, &Errors::default()).await;
        }
        let missing = AppError::field("/from/repository", passerelle_contract::text!("is needed"));
        let errors = req.shown(missing)?;
        return Ok(errors.refuse(draw(&app, &req, &visit, None, &errors).await?));
    }
    if fields.get("act") != "adopt" {
        return look(&app, &req, &visit, None).await;
    }
    match app.portal.onboarding.adopt(&req.ctx, &visit.wanted(Some(visit.ticked.clone()))).await {
        Ok(made) => {
            let flash = Flash { ok: true, text: req.t.adopt_done(&made.onboarding.service) };
            Ok(see_other(&made::path(made.onboarding.id), Some(flash)))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            look(&app, &req, &visit, Some(errors)).await
        }
    }
}

/// With what was refused before, if anything was.
async fn look(app: &AppState, req: &Req, visit: &Visit, refused: Option<Errors>) -> Result<Response, PageError> {
    match app.portal.onboarding.preview_adoption(&req.ctx, &visit.wanted(None)).await {
        Ok(mut out) => {
            visit.keep_ticks(&mut out);
            // What is still to be answered is a hint: one has only looked.
            let (open, wrong) = part_open(&visit.template, &out.answers, std::mem::take(&mut out.errors));
            let errors = match &refused {
                Some(errors) => errors.clone(),
                None if wrong.is_empty() => Errors::default(),
                None => req.shown(AppError::Invalid(wrong))?,
            };
            let errors = errors.leaving_open(open);
            let drawn = draw(app, req, visit, Some(out), &errors).await?;
            Ok(if refused.is_some() { errors.refuse(drawn) } else { drawn })
        }
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(app, req, visit, None, &errors).await?))
        }
    }
}

async fn draw(
    app: &AppState,
    req: &Req,
    visit: &Visit,
    out: Option<AdoptionOut>,
    errors: &Errors,
) -> Result<Response, PageError> {
    let t = req.t;
    let places = app.portal.onboarding.places(&req.ctx).await.or_page(req)?;
    let to = visit.from.as_ref().map(delivery::to_existing);
    let runs = adopt_running::inputs(app, req, &visit.template, &visit.runs, errors).await?;
    let place = if places.is_empty() {
        view! { <Alert tone=Tone::Off title=t.deliver_nowhere()><p>{t.deliver_nowhere_text()}</p></Alert> }.into_any()
    } else {
        delivery::existing_inputs(t, &places, to.as_ref(), errors, "/from", runs.is_none())
    };
    let title = t.adopt_title(visit.template.title().said(t.0));
    let frame =
        req.page(title.clone()).section(Section::Onboard).crumbs(vec![Crumb::new("/onboard", t.onboard_title())]);
    let label = if out.is_some() { t.adopt_look_again() } else { t.adopt_look() };
    let (found, asked_for, adopt) = match out {
        None => (None, None, None),
        Some(out) => {
            let asked_for = answers(app, req, visit, &out, errors).await?;
            let adopt = out.service.clone().map(|service| confirm(req, visit, &service));
            (Some(adopt_found::draw(t, &out)), Some(asked_for), adopt)
        }
    };
    let first = if adopt.is_some() { ButtonKind::Plain } else { ButtonKind::Primary };
    let looks = (!places.is_empty() || runs.is_some())
        .then(|| view! { <Submit label=label kind=first name="act" value="look" /> });
    // Without a place to look at there is nothing to do here.
    let acts = (adopt.is_some() || looks.is_some()).then(|| {
        view! {
            <div class="panel form">
                {adopt}
                <div class="btns">{looks}</div>
            </div>
        }
    });
    let body = view! {
        <Head title=title sub=t.adopt_sub() />
        {summary(t, errors, &SHOWN)}
        <form class="stack" method="post" action=format!("/onboard/{}/adopt", visit.template.id())>
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <section class="panel form">
                <h2>{t.adopt_where()}</h2>
                {place}
            </section>
            {runs}
            {found}
            {asked_for}
            {acts}
        </form>
    };
    Ok(page(frame, body))
}

/// The questions of the golden path with what was found or typed.
async fn answers(
    app: &AppState,
    req: &Req,
    visit: &Visit,
    out: &AdoptionOut,
    errors: &Errors,
) -> Result<AnyView, PageError> {
    let t = req.t;
    let known = Known::read(app, req).await?;
    let names: Vec<String> = visit.template.parameters().iter().map(|one| one.name.clone()).collect();
    let parameters = asked(&visit.template, &names, &out.answers);
    let shown: Vec<&str> = parameters.iter().map(|one| one.name.as_str()).collect();
    let fields = inputs(t, &parameters, &known, &out.answers, errors);
    let wrong = parameters.iter().any(|one| errors.of(&pointer_of(one)).is_some());
    let missing = errors.leave_open();
    let words = if missing { t.adopt_answers_missing() } else { t.adopt_answers_text() };
    let unfolded = wrong || missing;
    let view = view! {
        <section class="panel form">
            <h2>{t.adopt_answers()}</h2>
            <p class="muted">{words}</p>
            <Hidden name="shown" value=shown.join(",") />
            <details class="disclose" open=unfolded>
                <summary>{t.adopt_answers()}</summary>
                <div class="form">{fields}</div>
            </details>
        </section>
    };
    Ok(view.into_any())
}

fn confirm(req: &Req, visit: &Visit, service: &str) -> AnyView {
    let t = req.t;
    let deliver = visit.from.is_some();
    view! {
        {deliver.then(|| view! { <Check name="deliver" label=t.adopt_deliver() checked=visit.deliver /> })}
        <div class="btns">
            <Submit label=t.adopt_submit(service) name="act" value="adopt" />
        </div>
    }
    .into_any()
}
