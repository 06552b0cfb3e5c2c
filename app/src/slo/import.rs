//! `/slos/import`: a file of objectives, looked at before it is saved.

use super::{connections, environments};
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Crumb, Flash, Head, Hidden, LinkButton, Select, Submit, Text, TextArea, Tone};
use crate::web::{AppState, Errors, Fields, PageError, Posted, Req, no_text, page, see_other, summary};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::slo::{ImportedSlo, SloFileNote, SloImportOptions, SloImportReport};
use passerelle_server::kernel::AppError;

const SHOWN: [&str; 6] = ["/service", "/namespace", "/environment", "/connection", "/file", "/yaml"];

pub async fn form(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    if req.ctx.is_anonymous() {
        return Err(req.fail(AppError::Unauthenticated));
    }
    let values = ["service", "environment", "connection"]
        .map(|name| (name.to_owned(), req.query.text(name).unwrap_or_default()));
    draw(&app, &req, &values.into_iter().collect(), None, &Errors::default()).await
}

pub async fn submit(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let refused = |field: &str, why: &str| Errors::from(passerelle_contract::FieldError::said(field, why));
    if !fields.get(&no_text("file")).is_empty() {
        let errors = refused("/file", req.t.slo_import_no_text());
        return Ok(errors.refuse(draw(&app, &req, &fields, None, &errors).await?));
    }
    let fields = with_file(fields);
    if fields.raw("yaml").trim().is_empty() {
        let errors = refused("/yaml", req.t.slo_import_nothing());
        return Ok(errors.refuse(draw(&app, &req, &fields, None, &errors).await?));
    }
    let (text, wanted) = (fields.raw("yaml"), fields.get("act") == "import");
    // Looked at first in any case, so that all problems of the file are shown with their lines.
    let look = SloImportOptions { dry_run: true, ..options(&fields) };
    let mut done = app.portal.slo.import_slos(&req.ctx, text, &look).await;
    if wanted && done.as_ref().is_ok_and(|report| report.errors.is_empty()) {
        done = app.portal.slo.import_slos(&req.ctx, text, &options(&fields)).await;
        if let Ok(report) = &done {
            let text = req.t.slo_import_done(report.created, report.updated);
            return Ok(see_other("/slos", Some(Flash { ok: true, text })));
        }
    }
    match done {
        Ok(report) if report.errors.is_empty() => draw(&app, &req, &fields, Some(report), &Errors::default()).await,
        Ok(report) => {
            let refused = passerelle_contract::FieldError::said("/yaml", req.t.slo_import_refused());
            let errors = Errors::from(refused);
            Ok(errors.refuse(draw(&app, &req, &fields, Some(report), &errors).await?))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(&app, &req, &fields, None, &errors).await?))
        }
    }
}

/// A chosen file takes the place of what was pasted: a browser does not keep the choice, so it comes back as text. What was pasted has the
/// ends of lines that browsers give to every text; a file is taken byte for byte.
fn with_file(fields: Fields) -> Fields {
    let text = match fields.raw("file") {
        none if none.trim().is_empty() => fields.raw("yaml").replace("\r\n", "\n"),
        file => file.to_owned(),
    };
    let rest = fields.into_iter().filter(|(name, _)| name != "file" && name != "yaml");
    rest.chain([("yaml".to_owned(), text)]).collect()
}

fn options(fields: &Fields) -> SloImportOptions {
    SloImportOptions {
        service: fields.some("service"),
        namespace: fields.some("namespace"),
        environment: fields.some("environment"),
        connection: fields.some("connection"),
        ..SloImportOptions::default()
    }
}

async fn draw(
    app: &AppState,
    req: &Req,
    form: &Fields,
    report: Option<SloImportReport>,
    errors: &Errors,
) -> Result<Response, PageError> {
    let t = req.t;
    let connections = connections(app, req, Some(t.slo_import_as_told())).await?;
    let environments = environments(app, req).await?;
    let told = report.map(|report| told(t, report));
    let frame = req.page(t.slo_import_title()).section(Section::Slos).crumbs(vec![Crumb::new("/slos", t.slos_title())]);
    let text = |name: &'static str, label: &'static str, hint: &'static str| {
        view! { <Text t=t name=name label=label value=form.text(name) hint=hint.to_owned() error=errors.of(&format!("/{name}")) code=true autocomplete="off" /> }
    };
    let csrf = frame.csrf.clone();
    Ok(page(
        frame,
        view! {
            <Head title=t.slo_import_title() sub=t.slo_import_sub() />
            {summary(t, errors, &SHOWN)}
            <div class="stack">
                {told}
                <form class="panel form" method="post" action="/slos/import" enctype="multipart/form-data">
                    <Hidden name="csrf" value=csrf />
                    <Text t=t name="file" label=t.slo_import_file() kind="file" hint=t.slo_import_file_hint().to_owned() error=errors.of("/file") />
                    <TextArea
                        t=t
                        name="yaml"
                        label=t.slo_import_yaml()
                        value=form.raw("yaml").to_owned()
                        error=errors.of("/yaml")
                        code=true
                        rows=16
                    />
                    <div class="pair">
                        {text("service", t.slo_import_service(), t.slo_import_service_hint())}
                        {text("namespace", t.slo_import_namespace(), t.slo_import_namespace_hint())}
                    </div>
                    <div class="pair">
                        <Select t=t name="connection" label=t.slo_import_connection() choices=connections value=form.text("connection") error=errors.of("/connection") required=false />
                        <Select t=t name="environment" label=t.col_environment() choices=environments value=form.text("environment") error=errors.of("/environment") required=false />
                    </div>
                    <div class="btns">
                        <Submit label=t.slo_import_read() kind=ButtonKind::Plain name="act" value="check" />
                        <Submit label=t.slo_import_do() name="act" value="import" />
                        <LinkButton href="/slos" label=t.cancel() kind=ButtonKind::Quiet />
                    </div>
                </form>
            </div>
        },
    ))
}

fn told(t: T, report: SloImportReport) -> impl IntoView {
    let refused = !report.errors.is_empty();
    let (tone, title) = if refused { (Tone::Bad, t.slo_import_refused()) } else { (Tone::Ok, t.slo_import_would()) };
    let counts =
        (!refused).then(|| view! { <p>{t.slo_import_counts(report.created, report.updated, report.unchanged)}</p> });
    let notes = report.errors.into_iter().chain(report.warnings).map(|note| line(t, note)).collect::<Vec<_>>();
    let slos = report.slos.into_iter().map(|slo| reading(t, slo)).collect::<Vec<_>>();
    view! {
        <Alert tone=tone title=title>
            {counts}
            <ul>{notes}</ul>
            <dl class="dl stacked">{slos}</dl>
        </Alert>
    }
}

fn line(t: T, note: SloFileNote) -> impl IntoView {
    view! {
        <li class="break">
            {t.import_line(note.line)} " " <span class="mono">{note.pointer}</span> " " {note.message.to_string()}
        </li>
    }
}

/// What becomes of one, and the sentence that it is read as.
pub fn reading(t: T, slo: ImportedSlo) -> impl IntoView {
    let change = match slo.change.as_str() {
        "created" => t.change_created(),
        "updated" => t.change_updated(),
        _ => t.slo_change_unchanged(),
    };
    let sentence = slo.reads_as.get(t.0.tag()).cloned().unwrap_or_default();
    view! {
        <dt class="mono break">{slo.service} "/" {slo.name} " · " {change}</dt>
        <dd>{sentence}</dd>
    }
}
