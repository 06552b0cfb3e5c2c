//! `/break-glass`: who skipped the gates, when and why.

use crate::shell::Section;
use crate::ui::{Columns, Empty, Head, Moment, Status, Table, Tone};
use crate::web::{AppState, OrPage, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::gates::BreakGlassOut;

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let found = app.portal.gates.list_break_glass(&req.ctx).await.or_page(&req)?;
    let content = if found.is_empty() {
        view! { <Empty icon="shield" title=t.glass_none() text=t.glass_none_text() /> }.into_any()
    } else {
        let rows = found.into_iter().map(|glass| line(&req, glass)).collect::<Vec<_>>();
        view! {
            <Table label=t.glass_see_log() columns=Columns::of([t.col_service(), t.col_reason(), t.col_by(), t.col_when(), t.col_used()])>{rows}</Table>
        }
        .into_any()
    };
    Ok(page(
        req.page(t.glass_see_log()).section(Section::Gates),
        view! {
            <Head title=t.glass_see_log() sub=t.glass_log_sub() />
            {super::tabs(&req, "/break-glass")}
            {content}
        },
    ))
}

fn line(req: &Req, glass: BreakGlassOut) -> impl IntoView + use<> {
    let t = req.t;
    let used = match (glass.used_by, glass.expires_at > req.now) {
        (Some(deployment), _) => {
            view! { <a class="link" href=format!("/deployments/{deployment}")>{t.open()}</a> }.into_any()
        }
        (None, true) => {
            let age = t.age((glass.expires_at - req.now).whole_seconds());
            view! { <Status tone=Tone::Warn word=t.glass_is_open(age) /> }.into_any()
        }
        (None, false) => view! { <Status tone=Tone::Off word=t.glass_unused() /> }.into_any(),
    };
    // Checked when it was stored; a link of another kind is shown as text.
    let incident = glass.incident.map(|link| {
        let safe = link.starts_with("https://") || link.starts_with("http://");
        let href = safe.then(|| link.clone());
        view! { <div class="under break"><a class="link" href=href rel="noreferrer">{link}</a></div> }
    });
    view! {
        <tr>
            <th scope="row">
                <a class="svc" href=format!("/services/{}", glass.service)>{glass.service.clone()}</a>
                <div class="under">{glass.environment}</div>
            </th>
            <td class="break">{glass.reason} {incident}</td>
            <td>{glass.opened_by}</td>
            <td class="nowrap">
                <Moment t=t at=glass.opened_at />
            </td>
            <td class="nowrap">{used}</td>
        </tr>
    }
}
