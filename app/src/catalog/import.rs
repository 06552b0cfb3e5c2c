//! Importing catalog files by hand: look first, then do it.

use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Head, Hidden, Submit, TextArea, Tone};
use crate::web::{AppState, OrPage, PageError, Posted, Req, page};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::catalog::ImportReport;
use passerelle_server::catalog::{ImportOptions, Upload};
use passerelle_server::kernel::AppError;

/// The name of the text in messages, and of the source for later imports.
const FILE: &str = "catalog-info.yaml";

pub async fn form(req: Req) -> Result<Response, PageError> {
    if req.ctx.is_anonymous() {
        return Err(req.fail(AppError::Unauthenticated));
    }
    Ok(show(&req, Shown::default()))
}

pub async fn submit(State(AppState { portal, .. }): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let yaml = fields.raw("yaml").to_owned();
    if yaml.trim().is_empty() {
        let mut response = show(&req, Shown { error: Some(req.t.required().to_owned()), ..Shown::default() });
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(response);
    }
    let mut upload = Upload::default();
    let pushed = upload.push(FILE, yaml.as_bytes()).map_err(|error| AppError::Invalid(vec![error]));
    pushed.or_page(&req)?;
    let options = ImportOptions { dry_run: fields.get("act") != "import", ..ImportOptions::default() };
    let report = portal.import(&req.ctx, upload, options).await.or_page(&req)?;
    let refused = u64::from(report.errors_total);
    let error = (refused > 0).then(|| req.t.import_errors(refused));
    let mut response = show(&req, Shown { yaml, report: Some(report), error });
    if refused > 0 {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// What the form shows: what was typed, what became of it, and the error beside the field.
#[derive(Default)]
struct Shown {
    yaml: String,
    report: Option<ImportReport>,
    error: Option<String>,
}

fn show(req: &Req, shown: Shown) -> Response {
    let t = req.t;
    let Shown { yaml, report, error } = shown;
    let frame = req.page(t.import_title()).section(Section::Import);
    let csrf = frame.csrf.clone();
    let told = report.map(|report| told(t, report));
    page(
        frame,
        view! {
            <Head title=t.import_title() sub=t.import_sub() />
            <div class="stack">
                {told}
                <form class="panel form" method="post" action="/catalog/import">
                    <Hidden name="csrf" value=csrf />
                    <TextArea t=t name="yaml" label=t.import_yaml() value=yaml error=error required=true code=true rows=16 />
                    <div class="btns">
                        <Submit label=t.import_check() kind=ButtonKind::Plain name="act" value="check" />
                        <Submit label=t.import_do() name="act" value="import" />
                    </div>
                </form>
            </div>
        },
    )
}

fn told(t: T, report: ImportReport) -> impl IntoView {
    let title = if report.dry_run { t.import_would() } else { t.import_did() };
    let counts = t.import_counts(report.created, report.updated, report.unchanged, report.archived);
    let changes = report
        .changes
        .into_iter()
        .map(|change| {
            let word = match change.change.as_str() {
                "created" => t.change_created(),
                "updated" => t.change_updated(),
                _ => t.change_archived(),
            };
            view! {
                <dt>{word}</dt>
                <dd class="mono">{change.reference} " " {change.fields.join(" ")}</dd>
            }
        })
        .collect::<Vec<_>>();
    let refused = u64::from(report.errors_total);
    let errors = report
        .errors
        .into_iter()
        .chain(report.warnings)
        .map(|error| {
            view! {
                <li class="break">
                    {t.import_line(error.line)} " " <span class="mono">{error.pointer}</span> " " {error.message.to_string()}
                </li>
            }
        })
        .collect::<Vec<_>>();
    let tone = if refused > 0 { Tone::Bad } else { Tone::Ok };
    view! {
        <Alert tone=tone title=title>
            <p>{counts}</p>
            {(refused > 0).then(|| t.import_errors(refused))}
            <ul>{errors}</ul>
            <dl class="dl">{changes}</dl>
        </Alert>
    }
}
