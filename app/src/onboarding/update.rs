//! `/onboarding/{id}/update`: what a later version of the golden path would change in the repository, file by file, and proposing it.

use super::answers::{asked, part_open, take};
use super::inputs::{Known, inputs, open_note};
use super::{delivery, made};
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Alert, Crumb, Flash, Head, Hidden, Status, Submit, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::delivery::{FileDeliveryIn, UpdateChange, UpdateIn, UpdateOut, UpdateOutcome};
use passerelle_server::kernel::AppError;
use passerelle_server::onboarding::{Parameter, Template};
use serde_json::{Map, Value};
use std::sync::Arc;
use uuid::Uuid;

/// What one looks at: the repository and the answers as they were typed.
struct Visit {
    id: Uuid,
    title: String,
    template: Arc<Template>,
    version: String,
    /// All answers, for the inputs.
    answers: Map<String, Value>,
    wanted: UpdateIn,
}

impl Visit {
    async fn open(app: &AppState, req: &Req, id: &str, fields: &Fields) -> Result<Self, PageError> {
        let id = req.id("onboarding", id)?;
        let made = app.portal.onboarding.get(&req.ctx, id).await.or_page(req)?;
        let template = app.portal.onboarding.template(&req.ctx, &made.onboarding.template).or_page(req)?;
        let mut given = Map::new();
        let shown: Vec<&Parameter> =
            fields.get("shown").split(',').filter_map(|name| template.parameter(name)).collect();
        take(&shown, fields, &mut given);
        // Only what differs is sent: the rest stays as it was kept.
        given.retain(|name, value| made.answers.get(name) != Some(value));
        let mut answers = made.answers.clone();
        answers.extend(given.clone());
        let to = match fields.get("repository") {
            "" => app.portal.onboarding.place_of(&req.ctx, id).await.or_page(req)?,
            _ => Some(FileDeliveryIn {
                into: passerelle_contract::delivery::DeliveryInto::Existing,
                private: None,
                ..delivery::wanted(fields)
            }),
        };
        let wanted = UpdateIn { answers: given, to };
        Ok(Self {
            id,
            title: made.onboarding.service,
            template,
            version: made.onboarding.template_version,
            answers,
            wanted,
        })
    }

    fn parameters(&self) -> Vec<&Parameter> {
        let names: Vec<String> = self.template.parameters().iter().map(|one| one.name.clone()).collect();
        asked(&self.template, &names, &self.answers)
    }
}

pub async fn show(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let visit = Visit::open(&app, &req, &id, &Fields::default()).await?;
    if visit.wanted.to.is_none() {
        return draw(&app, &req, &visit, None, &Errors::default()).await;
    }
    look(&app, &req, &visit).await
}

pub async fn submit(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let visit = Visit::open(&app, &req, &id, &fields).await?;
    if fields.get("act") != "propose" {
        return look(&app, &req, &visit).await;
    }
    match app.portal.onboarding.create_update(&req.ctx, visit.id, &visit.wanted).await {
        Ok(_) => Ok(see_other(&made::path(visit.id), Some(Flash { ok: true, text: req.t.update_asked().to_owned() }))),
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(&app, &req, &visit, None, &errors).await?))
        }
    }
}

async fn look(app: &AppState, req: &Req, visit: &Visit) -> Result<Response, PageError> {
    match app.portal.onboarding.preview_update(&req.ctx, visit.id, &visit.wanted).await {
        Ok(update) => draw(app, req, visit, Some(update), &Errors::default()).await,
        Err(AppError::Invalid(all)) => {
            // A question that is new in the later version is a hint: one has only looked.
            let (open, wrong) = part_open(&visit.template, &visit.answers, all);
            if wrong.is_empty() {
                return draw(app, req, visit, None, &Errors::default().leaving_open(open)).await;
            }
            let errors = req.shown(AppError::Invalid(wrong))?.leaving_open(open);
            Ok(errors.refuse(draw(app, req, visit, None, &errors).await?))
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
    update: Option<UpdateOut>,
    errors: &Errors,
) -> Result<Response, PageError> {
    let t = req.t;
    let known = Known::read(app, req).await?;
    let places = app.portal.onboarding.places(&req.ctx).await.or_page(req)?;
    let parameters = visit.parameters();
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let fields = inputs(t, &parameters, &known, &visit.answers, errors);
    let wrong = parameters.iter().any(|one| errors.of(&super::answers::pointer_of(one)).is_some());
    let unfolded = wrong || errors.leave_open();
    let to = visit.wanted.to.clone();
    let place = delivery::existing_inputs(t, &places, to.as_ref(), errors, "/to", true);
    let frame = req
        .page(t.update_title())
        .section(Section::Onboard)
        .crumbs(vec![Crumb::new("/onboard", t.onboard_title()), Crumb::new(made::path(visit.id), visit.title.clone())]);
    let sub = t.update_sub(visit.template.id(), &visit.version, visit.template.version());
    let propose = update.as_ref().map(|_| view! { <Submit label=t.update_propose() name="act" value="propose" /> });
    let shown = ["/to", "/answers"];
    let body = view! {
        <Head title=t.update_title() sub=sub />
        {summary(t, errors, &shown)}
        {open_note(t, errors)}
        <form class="stack" method="post" action=format!("/onboarding/{}/update", visit.id)>
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Hidden name="shown" value=names.join(",") />
            {update.map(|update| changes(t, update))}
            <section class="panel form">
                <h2>{t.update_where()}</h2>
                {place}
                <details class="disclose" open=unfolded>
                    <summary>{t.onboard_answers()}</summary>
                    <div class="form">{fields}</div>
                </details>
                <div class="btns">
                    {propose}
                    <Submit label=t.update_look() kind=crate::ui::ButtonKind::Plain name="act" value="look" />
                </div>
            </section>
        </form>
    };
    Ok(page(frame, body))
}

fn changes(t: T, update: UpdateOut) -> AnyView {
    let conflicts = update.changes.iter().filter(|change| change.outcome == UpdateOutcome::Conflict).count();
    let warning = (conflicts > 0).then(|| {
        view! {
            <Alert tone=Tone::Warn title=t.n_conflicts(u64::try_from(conflicts).unwrap_or(u64::MAX))>
                <p>{t.update_conflicts_text()}</p>
            </Alert>
        }
    });
    let rows = update.changes.into_iter().map(|change| file(t, change)).collect::<Vec<_>>();
    let list = if rows.is_empty() {
        view! { <p>{t.update_nothing()}</p> }.into_any()
    } else {
        view! { <ul class="tree">{rows}</ul> }.into_any()
    };
    view! {
        <section class="panel">
            <h2>{t.update_changes()}</h2>
            {warning} {list}
        </section>
    }
    .into_any()
}

fn file(t: T, change: UpdateChange) -> AnyView {
    let (tone, icon) = match change.outcome {
        UpdateOutcome::Conflict => (Tone::Warn, "warn"),
        UpdateOutcome::KeptChanged | UpdateOutcome::KeptDeleted => (Tone::Off, "skip"),
        UpdateOutcome::Removed => (Tone::Off, "off"),
        UpdateOutcome::Added | UpdateOutcome::Updated | UpdateOutcome::Merged => (Tone::Ok, "ok"),
    };
    let head = view! {
        <span class="mono break">{change.path.clone()}</span> " "
        <Status tone=tone icon=icon word=t.update_outcome(change.outcome) />
    };
    if change.difference.is_empty() {
        return view! { <li>{head}</li> }.into_any();
    }
    view! {
        <li>
            <details class="disclose" open=change.outcome == UpdateOutcome::Conflict>
                <summary>{head}</summary>
                <pre class="log" tabindex="0" role="region" aria-label=change.path>{change.difference}</pre>
            </details>
        </li>
    }
    .into_any()
}
