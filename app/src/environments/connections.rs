//! `/connections`: where deployments go, and trying whether it answers.

use super::kind_title;
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Ago, ButtonKind, Columns, Empty, Flash, Head, Hidden, LinkButton, Simulated, Submit, Table};
use crate::web::{AppState, OrPage, PageError, Posted, Query, Req, page, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::environments::{ConnectionOut, TargetKindOut};
use passerelle_server::kernel::{Action, Object, decide};
use time::OffsetDateTime;

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let connections = app.portal.environments.list_connections(&req.ctx).await.or_page(&req)?;
    let kinds = app.portal.environments.connection_kinds(req.ctx.locale);
    let may = decide(&req.ctx, Action::ConnectionEdit, &Object::new("connection", "*"));
    let new = move || {
        may.allowed
            .then(|| view! { <LinkButton href="/connections/new" label=t.connection_new() kind=ButtonKind::Primary /> })
    };
    let content = if connections.is_empty() {
        view! {
            <Empty icon="plug" title=t.connections_empty_title() text=t.connections_empty_text()>
                {new()}
            </Empty>
        }
        .into_any()
    } else {
        table(t, &kinds, connections, &req.ctx.csrf_token(), req.now).into_any()
    };
    Ok(page(
        req.page(t.connections_title()).section(Section::Connections),
        view! {
            <Head title=t.connections_title() sub=t.connections_sub()>
                {new()}
            </Head>
            {content}
        },
    ))
}

fn table(
    t: T,
    kinds: &[TargetKindOut],
    connections: Vec<ConnectionOut>,
    csrf: &str,
    now: OffsetDateTime,
) -> impl IntoView + use<> {
    let rows = connections
        .into_iter()
        .map(|connection| {
            let kind = kind_title(kinds, &connection.kind);
            row(t, connection, kind, csrf.to_owned(), now)
        })
        .collect::<Vec<_>>();
    view! {
        <Table label=t.connections_title() columns=Columns::of([t.col_name(), t.col_kind()]).numbers([t.col_bindings()]).and([t.col_updated()]).acts(t.connection_check())>{rows}</Table>
    }
}

fn row(t: T, connection: ConnectionOut, kind: String, csrf: String, now: OffsetDateTime) -> impl IntoView {
    let href = format!("/connections/{}", connection.name);
    let bindings = Query::default().with("connection", Some(&connection.name)).href("/bindings");
    view! {
        <tr>
            <th scope="row">
                <span class="tags">
                    <a class="svc" href=href.clone()>
                        {connection.name.clone()}
                    </a>
                    {connection.simulated.then(|| view! { <Simulated t=t /> })}
                </span>
            </th>
            <td>{kind}</td>
            <td class="num">
                <a class="link" href=bindings>{t.number(u64::from(connection.bindings))} <span class="vh">{t.bindings_in(&connection.name)}</span></a>
            </td>
            <td>
                <Ago t=t at=connection.updated_at now=now />
            </td>
            <td class="tight">
                <form method="post" action=format!("{href}/check")>
                    <Hidden name="csrf" value=csrf />
                    <Submit label=t.connection_check() kind=ButtonKind::Small of=connection.name.clone() />
                </form>
            </td>
        </tr>
    }
}

/// Tries a connection and comes back with what it answered.
pub async fn check(
    State(app): State<AppState>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let (req, t) = (&posted.req, posted.req.t);
    let check = app.portal.environments.check_connection(&req.ctx, &name).await.or_page(req)?;
    let text = if check.reachable {
        t.connection_ok(&name, &check.message, check.duration_ms)
    } else {
        t.connection_bad(&name, &check.message)
    };
    // A cookie holds 4 kB.
    let text = text.chars().take(800).collect();
    let back = posted.fields.some("next").unwrap_or_else(|| "/connections".to_owned());
    Ok(see_other(&back, Some(Flash { ok: check.reachable, text })))
}
