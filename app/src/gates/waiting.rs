//! `/approvals`: the deployments that wait for one's decision.

use crate::shell::Section;
use crate::ui::{Ago, ButtonKind, Columns, Empty, Head, LinkButton, PlaceHead, Table};
use crate::web::{AppState, OrPage, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::deployments::DeploymentRow;

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let waiting = app.portal.deployments.waiting_for(&req.ctx).await.or_page(&req)?;
    let content = if waiting.is_empty() {
        view! { <Empty icon="ok" title=t.approvals_empty() text=t.approvals_empty_text() /> }.into_any()
    } else {
        let rows = waiting.into_iter().map(|row| line(&req, row)).collect::<Vec<_>>();
        view! {
            <Table label=t.approvals_title() columns=Columns::of([t.col_service(), t.col_operation(), t.col_reason(), t.col_by(), t.col_when()]).acts(t.approvals_look())>{rows}</Table>
        }
        .into_any()
    };
    Ok(page(
        req.page(t.approvals_title()).section(Section::Approvals),
        view! {
            <Head title=t.approvals_title() sub=t.approvals_sub() />
            {content}
        },
    ))
}

fn line(req: &Req, row: DeploymentRow) -> impl IntoView + use<> {
    let t = req.t;
    let what = row.version.clone().or(row.image).unwrap_or_default();
    let of = t.approval_what(&what, &row.service, &row.environment);
    view! {
        <tr>
            <PlaceHead t=t service=row.service tier=row.tier environment=row.environment />
            <td class="mono break">{what}</td>
            <td class="break">{row.reason}</td>
            <td>{row.requested_by}</td>
            <td class="nowrap">
                <Ago t=t at=row.created_at now=req.now />
            </td>
            <td class="tight">
                <LinkButton href=format!("/deployments/{}", row.id) label=t.approvals_look() kind=ButtonKind::Small of=of />
            </td>
        </tr>
    }
}
