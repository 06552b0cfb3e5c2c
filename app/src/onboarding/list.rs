//! `/onboard`: the golden paths, and what was made by them.

use super::state_look;
use crate::shell::Section;
use crate::ui::{Ago, ButtonKind, Chip, Columns, Empty, Head, LinkButton, Pager, Status, Table};
use crate::web::{AppState, OrPage, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Page;
use passerelle_contract::onboarding::{OnboardingFilter, OnboardingRow};
use passerelle_server::kernel::markdown;
use passerelle_server::onboarding::Template;

const PATH: &str = "/onboard";

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let templates = app.portal.onboarding.templates(&req.ctx).or_page(&req)?;
    let behind = req.query.flag("behind").filter(|behind| *behind);
    let filter =
        OnboardingFilter { cursor: req.query.text("cursor"), limit: Some(20), behind, ..OnboardingFilter::default() };
    let made = app.portal.onboarding.list(&req.ctx, &filter).await.or_page(&req)?;
    let paths = if templates.is_empty() {
        view! { <Empty icon="path" title=t.onboard_none() text=t.onboard_none_text() /> }.into_any()
    } else {
        let paths = templates.iter().map(|template| path(&req, template)).collect::<Vec<_>>();
        view! { <div class="grid gap-4 lg:grid-cols-2">{paths}</div> }.into_any()
    };
    Ok(page(
        req.page(t.onboard_title()).section(Section::Onboard),
        view! {
            <Head title=t.onboard_title() sub=t.onboard_sub() />
            {paths}
            <h2 class="mt-8 mb-3">{t.onboard_recent()}</h2>
            <div class="chips mb-3">
                <Chip href=req.query.with("cursor", None).with("behind", behind.is_none().then_some("true")).href(PATH) label=t.update_behind() on=behind.is_some() />
            </div>
            {recent(&req, made)}
        },
    ))
}

fn path(req: &Req, template: &Template) -> impl IntoView + use<> {
    let t = req.t;
    let title = template.title().said(t.0).to_owned();
    let notes = template.notes().said(t.0);
    let better = (!notes.is_empty()).then(|| {
        view! {
            <details class="disclose">
                <summary>{t.onboard_better()}</summary>
                <div class="prose" inner_html=markdown::html(notes, 3)></div>
            </details>
        }
    });
    view! {
        <section class="panel">
            <h2>{title.clone()}</h2>
            <p>{template.description().said(t.0).to_owned()}</p>
            <p class="muted mono break">{format!("{} {}", template.id(), template.version())}</p>
            {better}
            <div class="btns mt-3">
                <LinkButton href=format!("/onboard/{}", template.id()) label=t.onboard_start() kind=ButtonKind::Primary of=title.clone() />
                <LinkButton href=format!("/onboard/{}/adopt", template.id()) label=t.adopt_open() of=title />
            </div>
        </section>
    }
}

fn recent(req: &Req, made: Page<OnboardingRow>) -> AnyView {
    let t = req.t;
    if made.items.is_empty() {
        return view! { <p class="muted">{t.onboard_recent_none()}</p> }.into_any();
    }
    let pages = req.pages(PATH, made.items.len(), made.total, made.next_cursor.as_deref());
    let rows = made.items.into_iter().map(|row| line(req, row)).collect::<Vec<_>>();
    view! {
        <Table label=t.onboard_recent() columns=Columns::of([t.col_service(), t.onboard_template(), t.col_state(), t.onboard_by(), t.col_when()])>{rows}</Table>
        <Pager t=t pages=pages />
    }
    .into_any()
}

fn line(req: &Req, row: OnboardingRow) -> impl IntoView + use<> {
    let t = req.t;
    let (tone, icon) = state_look(row.state);
    view! {
        <tr>
            <th scope="row">
                <a class="svc" href=format!("/onboarding/{}", row.id)>
                    {row.service}
                </a>
            </th>
            <td>
                {t.onboard_from(row.template, row.template_version)}
                {row.available.map(|version| view! { <div class="under">{t.update_available(version)}</div> })}
            </td>
            <td class="nowrap">
                <Status tone=tone icon=icon word=t.onboarding_state(row.state) />
            </td>
            <td>{row.created_by}</td>
            <td>
                <Ago t=t at=row.created_at now=req.now />
            </td>
        </tr>
    }
}
