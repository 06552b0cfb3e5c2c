//! `/environments`: the stages in order.

use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{ButtonKind, Columns, Empty, Head, LinkButton, Table, TierTag};
use crate::web::{AppState, OrPage, PageError, Query, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::environments::EnvironmentOut;
use passerelle_server::kernel::{Action, Object, decide};

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let environments = app.portal.environments.list_environments(&req.ctx).await.or_page(&req)?;
    let may = decide(&req.ctx, Action::EnvironmentEdit, &Object::new("environment", "*"));
    let new = move || {
        may.allowed.then(
            || view! { <LinkButton href="/environments/new" label=t.environment_new() kind=ButtonKind::Primary /> },
        )
    };
    let content = if environments.is_empty() {
        view! {
            <Empty icon="env" title=t.environments_empty_title() text=t.environments_empty_text()>
                {new()}
            </Empty>
        }
        .into_any()
    } else {
        table(t, environments).into_any()
    };
    Ok(page(
        req.page(t.environments_title()).section(Section::Environments),
        view! {
            <Head title=t.environments_title() sub=t.environments_sub()>
                {new()}
            </Head>
            {content}
        },
    ))
}

fn table(t: T, environments: Vec<EnvironmentOut>) -> impl IntoView {
    let rows = environments.into_iter().map(|environment| row(t, environment)).collect::<Vec<_>>();
    view! {
        <Table label=t.environments_title() columns=Columns::default().numbers([t.col_order()]).and([t.col_name(), t.col_tier(), t.col_auto()]).numbers([t.col_deadline(), t.col_bindings()])>{rows}</Table>
    }
}

fn row(t: T, environment: EnvironmentOut) -> impl IntoView {
    let bindings = Query::default().with("environment", Some(&environment.name)).href("/bindings");
    let href = format!("/environments/{}", environment.name);
    view! {
        <tr>
            <td class="num">{environment.order}</td>
            <th scope="row">
                <a class="svc" href=href>
                    {environment.name.clone()}
                </a>
            </th>
            <td>
                <TierTag t=t tier=environment.tier name=t.tier(environment.tier) />
            </td>
            <td>{if environment.auto_rollback { t.yes() } else { t.no() }}</td>
            <td class="num">{t.elapsed(i64::from(environment.progress_deadline_s))}</td>
            <td class="num">
                <a class="link" href=bindings>{t.number(u64::from(environment.bindings))} <span class="vh">{t.bindings_in(&environment.name)}</span></a>
            </td>
        </tr>
    }
}
