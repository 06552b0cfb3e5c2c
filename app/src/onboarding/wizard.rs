//! `/onboard/{template}`: the form page by page, then every file, then "create". Each page is kept as a draft before anything is judged, so
//! that nothing typed is lost.

use super::answers::{asked, part_open, pointer_of, take};
use super::files::tree;
use super::inputs::{Known, inputs, open_note};
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Crumb, Flash, Head, Hidden, Submit, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, Page, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::onboarding::{Delivery, OnboardingIn, PreviewIn};
use passerelle_server::kernel::{Action, AppError, Object, decide};
use passerelle_server::onboarding::{Parameter, Step, Template};
use serde_json::{Map, Value};
use std::sync::Arc;

/// One visit: the template, what was answered, and which of its pages are asked.
struct Visit {
    template: Arc<Template>,
    answers: Map<String, Value>,
    /// From 1; one more than there are pages is the last look.
    at: usize,
}

impl Visit {
    async fn open(app: &AppState, req: &Req, template: &str, at: Option<&str>) -> Result<Self, PageError> {
        let template = app.portal.onboarding.template(&req.ctx, template).or_page(req)?;
        // Whoever may not make anything is told before filling in a form.
        let may = decide(&req.ctx, Action::OnboardingDraft, &Object::new("template", template.id()));
        if !may.allowed {
            return Err(req.fail(AppError::Forbidden(may.because)));
        }
        let answers = app.portal.onboarding.draft(&req.ctx, template.id()).await.or_page(req)?.unwrap_or_default();
        let mut visit = Self { template, answers, at: 1 };
        visit.at = at.and_then(|at| at.parse().ok()).unwrap_or(1).clamp(1, visit.last());
        Ok(visit)
    }

    fn steps(&self) -> Vec<&Step> {
        let asked = |step: &&Step| self.template.is_asked(step.when.as_deref(), &self.answers);
        self.template.steps().iter().filter(asked).collect()
    }

    fn last(&self) -> usize {
        self.steps().len() + 1
    }

    fn parameters(&self) -> Vec<&Parameter> {
        let steps = self.steps();
        let step = self.at.checked_sub(1).and_then(|at| steps.get(at));
        step.map(|step| asked(&self.template, &step.parameters, &self.answers)).unwrap_or_default()
    }

    /// The page that asks for what an error is about.
    fn page_of(&self, pointer: &str) -> Option<usize> {
        let name = pointer.strip_prefix("/answers/")?;
        self.steps().iter().position(|step| step.parameters.iter().any(|one| one == name)).map(|at| at + 1)
    }

    fn href(&self, at: usize) -> String {
        format!("/onboard/{}?step={at}", self.template.id())
    }

    fn frame(&self, req: &Req) -> Page {
        let title = self.template.title().said(req.t.0);
        let crumbs = vec![Crumb::new("/onboard", req.t.onboard_title())];
        req.page(title).section(Section::Onboard).crumbs(crumbs)
    }
}

pub async fn show(State(app): State<AppState>, Path(template): Path<String>, req: Req) -> Result<Response, PageError> {
    let visit = Visit::open(&app, &req, &template, req.query.get("step")).await?;
    if visit.at < visit.last() {
        return draw(&app, &req, &visit, &Errors::default()).await;
    }
    look(&app, &req, visit).await
}

pub async fn submit(
    State(app): State<AppState>,
    Path(template): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let mut visit = Visit::open(&app, &req, &template, Some(fields.get("step"))).await?;
    match fields.get("act") {
        "restart" => {
            app.portal.onboarding.drop_draft(&req.ctx, visit.template.id()).await.or_page(&req)?;
            let flash = Flash { ok: true, text: req.t.onboard_restarted().to_owned() };
            Ok(see_other(&visit.href(1), Some(flash)))
        }
        "create" => create(&app, &req, visit).await,
        act => {
            let back = act == "back";
            let grew = keep(&app, &req, &mut visit, &fields).await?;
            if back {
                return Ok(see_other(&visit.href(visit.at.saturating_sub(1).max(1)), None));
            }
            next(&app, &req, &visit, grew).await
        }
    }
}

/// Takes a page into the draft. Answers whether it now asks for more than was shown.
async fn keep(app: &AppState, req: &Req, visit: &mut Visit, fields: &Fields) -> Result<bool, PageError> {
    let shown: Vec<&str> = fields.get("shown").split(',').filter(|name| !name.is_empty()).collect();
    let template = Arc::clone(&visit.template);
    let posted: Vec<&Parameter> = shown.iter().filter_map(|name| template.parameter(name)).collect();
    take(&posted, fields, &mut visit.answers);
    app.portal.onboarding.save_draft(&req.ctx, template.id(), visit.answers.clone()).await.or_page(req)?;
    Ok(visit.parameters().iter().any(|parameter| !shown.contains(&parameter.name.as_str())))
}

async fn next(app: &AppState, req: &Req, visit: &Visit, grew: bool) -> Result<Response, PageError> {
    let all = app.portal.onboarding.check(&req.ctx, visit.template.id(), &visit.answers).await.or_page(req)?;
    let here: Vec<String> = visit.parameters().into_iter().map(pointer_of).collect();
    let wrong: Vec<_> = all.into_iter().filter(|error| here.contains(&error.pointer)).collect();
    if wrong.is_empty() && !grew {
        return Ok(see_other(&visit.href(visit.at + 1), None));
    }
    if wrong.is_empty() {
        let flash = Flash { ok: true, text: req.t.onboard_more().to_owned() };
        return Ok(see_other(&visit.href(visit.at), Some(flash)));
    }
    let errors = req.shown(AppError::Invalid(wrong))?;
    Ok(errors.refuse(draw(app, req, visit, &errors).await?))
}

/// The pages as a list, with where one is.
fn pages(t: T, visit: &Visit) -> impl IntoView + use<> {
    let titles = visit.steps().into_iter().map(|step| step.title.said(t.0).to_owned());
    let items = titles
        .chain([t.onboard_look().to_owned()])
        .enumerate()
        .map(|(index, title)| {
            let here = index + 1 == visit.at;
            let href = visit.href(index + 1);
            let text = format!("{}. {title}", index + 1);
            view! {
                <li>
                    <a class="chip" class:on=here href=href aria-current=here.then_some("step")>
                        {text}
                    </a>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <nav aria-label=t.onboard_steps()>
            <ol class="chips steps-of mb-3">{items}</ol>
        </nav>
    }
}

async fn draw(app: &AppState, req: &Req, visit: &Visit, errors: &Errors) -> Result<Response, PageError> {
    let t = req.t;
    let known = Known::read(app, req).await?;
    let parameters = visit.parameters();
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let pointers: Vec<String> = parameters.iter().map(|parameter| pointer_of(parameter)).collect();
    let shown: Vec<&str> = pointers.iter().map(String::as_str).collect();
    let fields = inputs(t, &parameters, &known, &visit.answers, errors);
    let title =
        visit.at.checked_sub(1).and_then(|at| visit.steps().get(at).map(|step| step.title.said(t.0).to_owned()));
    let frame = visit.frame(req);
    let (csrf, action) = (frame.csrf.clone(), visit.href(visit.at));
    let sub = t.onboard_step_of(visit.at, visit.last());
    let back = (visit.at > 1)
        .then(|| view! { <Submit label=t.onboard_back() kind=ButtonKind::Plain name="act" value="back" /> });
    Ok(page(
        frame,
        view! {
            <Head title=visit.template.title().said(t.0).to_owned() sub=sub />
            {pages(t, visit)}
            {summary(t, errors, &shown)}
            {open_note(t, errors)}
            <form class="panel form" method="post" action=action>
                <h2>{title}</h2>
                <Hidden name="csrf" value=csrf.clone() />
                <Hidden name="step" value=visit.at.to_string() />
                <Hidden name="shown" value=names.join(",") />
                {fields}
                // The first button of a form is the one that Enter presses.
                <div class="btns">
                    <Submit label=t.onboard_next() name="act" value="next" />
                    {back}
                </div>
                <p class="muted">{t.onboard_kept()}</p>
            </form>
            {restart(t, visit, csrf)}
        },
    ))
}

fn restart(t: T, visit: &Visit, csrf: String) -> Option<impl IntoView + use<>> {
    (!visit.answers.is_empty()).then(|| {
        view! {
            <details class="disclose mt-3">
                <summary>{t.onboard_restart()}</summary>
                <form class="panel danger form" method="post" action=visit.href(1)>
                    <Hidden name="csrf" value=csrf />
                    <Hidden name="step" value="1" />
                    <p>{t.onboard_restart_text()}</p>
                    <div class="btns">
                        <Submit label=t.onboard_restart() kind=ButtonKind::Danger name="act" value="restart" />
                    </div>
                </form>
            </details>
        }
    })
}

/// The last page: every file as it would be, and the button that makes the service.
async fn look(app: &AppState, req: &Req, mut visit: Visit) -> Result<Response, PageError> {
    let t = req.t;
    let wanted = PreviewIn { template: visit.template.id().to_owned(), answers: visit.answers.clone() };
    let preview = match app.portal.onboarding.preview(&req.ctx, &wanted).await {
        Ok(preview) => preview,
        Err(AppError::Invalid(errors)) => return unready(app, req, &mut visit, errors).await,
        Err(error) => return wrong(app, req, &mut visit, error).await,
    };
    let frame = visit.frame(req);
    let csrf = frame.csrf.clone();
    let count = t.n_files(u64::try_from(preview.files.len()).unwrap_or(u64::MAX));
    let size = t.onboard_size(t.number(preview.bytes.div_ceil(1000)));
    Ok(page(
        frame,
        view! {
            <Head title=visit.template.title().said(t.0).to_owned() sub=t.onboard_step_of(visit.at, visit.last()) />
            {pages(t, &visit)}
            <div class="stack">
                <form class="panel form" method="post" action=visit.href(visit.at)>
                    <h2>{t.onboard_look()}</h2>
                    <Hidden name="csrf" value=csrf.clone() />
                    <Hidden name="step" value=visit.at.to_string() />
                    <Alert tone=Tone::Off title=preview.service.clone()>
                        <p>{count} ", " {size} ". " {t.onboard_files_text()}</p>
                    </Alert>
                    <div class="btns">
                        <Submit label=t.onboard_create(&preview.service) name="act" value="create" />
                        <Submit label=t.onboard_back() kind=ButtonKind::Plain name="act" value="back" />
                    </div>
                </form>
                <section class="panel">
                    <h2>{t.onboard_files()}</h2>
                    {tree(t, &preview.files)}
                </section>
            </div>
            {restart(t, &visit, csrf)}
        },
    ))
}

/// A look that comes too early: what is wrong with the answers, or else the page with the first question that is still open.
async fn unready(app: &AppState, req: &Req, visit: &mut Visit, errors: Vec<FieldError>) -> Result<Response, PageError> {
    let (open, refused) = part_open(&visit.template, &visit.answers, errors);
    if !refused.is_empty() {
        return wrong(app, req, visit, AppError::Invalid(refused)).await;
    }
    visit.at = open.iter().filter_map(|pointer| visit.page_of(pointer)).min().unwrap_or(1);
    draw(app, req, visit, &Errors::default().leaving_open(open)).await
}

/// The page with the first answer that was refused, with what is wrong beside it.
async fn wrong(app: &AppState, req: &Req, visit: &mut Visit, error: AppError) -> Result<Response, PageError> {
    if let AppError::Invalid(errors) = &error {
        visit.at = errors.iter().filter_map(|error| visit.page_of(&error.pointer)).min().unwrap_or(1);
    } else {
        visit.at = visit.at.min(visit.last() - 1).max(1);
    }
    let errors = req.shown(error)?;
    Ok(errors.refuse(draw(app, req, visit, &errors).await?))
}

async fn create(app: &AppState, req: &Req, mut visit: Visit) -> Result<Response, PageError> {
    let wanted = OnboardingIn {
        template: visit.template.id().to_owned(),
        answers: visit.answers.clone(),
        delivery: Delivery::Archive,
    };
    match app.portal.onboarding.create(&req.ctx, &wanted).await {
        Ok(made) => {
            let flash = Flash { ok: true, text: req.t.onboard_made(&made.onboarding.service) };
            Ok(see_other(&format!("/onboarding/{}", made.onboarding.id), Some(flash)))
        }
        Err(error) => wrong(app, req, &mut visit, error).await,
    }
}
