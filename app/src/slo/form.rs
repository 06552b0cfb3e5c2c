//! Making and changing one objective by a form. It ends in the same document as an imported file.

use super::import::reading;
use super::{connections, environments, inputs};
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Crumb, Flash, Head, Hidden, LinkButton, Submit, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::slo::{SloImportReport, SloOut};
use passerelle_server::environments::{Etag, IfMatch};
use passerelle_server::kernel::AppError;
use passerelle_server::slo::{Draft, name_of};

pub async fn new(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    if req.ctx.is_anonymous() {
        return Err(req.fail(AppError::Unauthenticated));
    }
    let given = |name: &str| req.query.text(name).unwrap_or_default();
    let form = [
        ("service", given("service")),
        ("environment", given("environment")),
        ("indicator", "bad".to_owned()),
        ("objective", "99.9".to_owned()),
        ("window", "30d".to_owned()),
        ("method", "Occurrences".to_owned()),
        ("min_bad_events", "0".to_owned()),
    ];
    let form = form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    draw(&app, &req, None, &form, None, &Errors::default()).await
}

pub async fn edit(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let id = req.id("slo", &id)?;
    let slo = app.portal.slo.get_slo(&req.ctx, id).await.or_page(&req)?;
    let (draft, least) = app.portal.slo.draft_of(&req.ctx, id).await.or_page(&req)?;
    let form = inputs::fields(&draft, least, slo.etag());
    draw(&app, &req, Some(&slo), &form, None, &Errors::default()).await
}

pub async fn create(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let mut draft = inputs::draft(&fields);
    draft.name = name_of(&draft.title);
    let environment = fields.some("environment");
    let done = match checked(&req, &fields, &draft) {
        Err(error) => Err(error),
        Ok(_) if fields.get("act") == "check" => app.portal.slo.read_draft(&req.ctx, &draft, environment).await,
        Ok(least) => match app.portal.slo.create_from(&req.ctx, &draft, environment, least).await {
            Ok(report) => return Ok(saved(&req, report.slos.first().and_then(|slo| slo.id), &draft.title)),
            Err(error) => Err(error),
        },
    };
    answer(&app, &req, None, &fields, done).await
}

pub async fn save(State(app): State<AppState>, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let id = req.id("slo", &id)?;
    let slo = app.portal.slo.get_slo(&req.ctx, id).await.or_page(&req)?;
    let mut draft = inputs::draft(&fields);
    (draft.name, draft.service) = (slo.name.clone(), slo.service.clone());
    let done = match checked(&req, &fields, &draft) {
        Err(error) => Err(error),
        Ok(_) if fields.get("act") == "check" => {
            app.portal.slo.read_draft(&req.ctx, &draft, slo.environment.clone()).await
        }
        Ok(least) => {
            let read = IfMatch::new(Some(fields.get("etag")));
            match app.portal.slo.save_draft(&req.ctx, id, &draft, least, &read).await {
                Ok(now) => return Ok(saved(&req, Some(now.id), &now.title)),
                Err(error) => Err(error),
            }
        }
    };
    answer(&app, &req, Some(&slo), &fields, done).await
}

/// What the document cannot say, or would say less clearly.
fn checked(req: &Req, fields: &Fields, draft: &Draft) -> Result<u32, AppError> {
    let t = req.t;
    let least = fields.number("min_bad_events", t.not_a_number());
    let required = [("/service", &draft.service), ("/connection", &draft.connection), ("/part", &draft.part)];
    let mut errors: Vec<FieldError> = required
        .into_iter()
        .filter(|(_, value)| value.is_empty())
        .map(|(pointer, _)| FieldError::said(pointer, t.required()))
        .collect();
    if draft.name.is_empty() {
        errors.push(FieldError::said("/title", t.slo_form_title_needs()));
    }
    match least {
        Ok(least) if errors.is_empty() => Ok(least),
        least => Err(AppError::Invalid(errors.into_iter().chain(least.err()).collect())),
    }
}

fn saved(req: &Req, id: Option<uuid::Uuid>, title: &str) -> Response {
    let path = id.map_or_else(|| "/slos".to_owned(), |id| format!("/slos/{id}"));
    see_other(&path, Some(Flash { ok: true, text: req.t.slo_form_saved(title) }))
}

async fn answer(
    app: &AppState,
    req: &Req,
    slo: Option<&SloOut>,
    fields: &Fields,
    done: Result<SloImportReport, AppError>,
) -> Result<Response, PageError> {
    match done {
        Ok(report) => draw(app, req, slo, fields, Some(report), &Errors::default()).await,
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(app, req, slo, fields, None, &errors).await?))
        }
    }
}

async fn draw(
    app: &AppState,
    req: &Req,
    slo: Option<&SloOut>,
    form: &Fields,
    read: Option<SloImportReport>,
    errors: &Errors,
) -> Result<Response, PageError> {
    let t = req.t;
    let connections = connections(app, req, None).await?;
    let none = connections.is_empty().then(|| view! { <Alert tone=Tone::Warn>{t.slo_form_no_source()}</Alert> });
    let environments = environments(app, req).await?;
    let mut crumbs = vec![Crumb::new("/slos", t.slos_title())];
    let (title, action, back) = match slo {
        Some(slo) => {
            crumbs.push(Crumb::new(format!("/slos/{}", slo.id), slo.title.clone()));
            (t.slo_form_edit(&slo.title), format!("/slos/{}/edit", slo.id), format!("/slos/{}", slo.id))
        }
        None => (t.slo_new().to_owned(), "/slos/new".to_owned(), "/slos".to_owned()),
    };
    let preview = read.map(|read| {
        let mut draft = inputs::draft(form);
        draft.name = slo.map_or_else(|| name_of(&draft.title), |slo| slo.name.clone());
        draft.service = slo.map_or(draft.service, |slo| slo.service.clone());
        preview(req, read, &draft)
    });
    let csrf = req.ctx.csrf_token();
    let button = if slo.is_some() { t.save() } else { t.create() };
    let inputs = inputs::view(t, slo, form, errors, connections, environments);
    Ok(page(
        req.page(title.clone()).section(Section::Slos).crumbs(crumbs),
        view! {
            <Head title=title sub=t.slo_form_new_sub() />
            {summary(t, errors, &inputs::SHOWN)}
            <div class="stack">
                {none}
                {preview}
                <form class="panel form" method="post" action=action>
                    <Hidden name="csrf" value=csrf />
                    <Hidden name="etag" value=form.text("etag") />
                    {inputs}
                    <div class="btns">
                        <Submit label=t.slo_form_preview() kind=ButtonKind::Plain name="act" value="check" />
                        <Submit label=button name="act" value="save" />
                        <LinkButton href=back label=t.cancel() kind=ButtonKind::Quiet />
                    </div>
                </form>
            </div>
        },
    ))
}

/// The sentence, and the document that would be kept.
fn preview(req: &Req, read: SloImportReport, draft: &Draft) -> AnyView {
    let t = req.t;
    let slos = read.slos.into_iter().map(|slo| reading(t, slo)).collect::<Vec<_>>();
    let warnings = read
        .warnings
        .into_iter()
        .map(|note| view! { <li class="break">{note.message.to_string()}</li> })
        .collect::<Vec<_>>();
    let document = draft.document();
    view! {
        <Alert tone=Tone::Ok title=t.slo_form_reads()>
            <dl class="dl stacked">{slos}</dl>
            <ul>{warnings}</ul>
            <details class="disclose">
                <summary>{t.slo_form_document()}</summary>
                <pre class="log" tabindex="0">{document}</pre>
            </details>
        </Alert>
    }
    .into_any()
}
