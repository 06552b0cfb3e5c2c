//! The other tabs of a service: error budgets, releases, deployments, dependencies, audit.

use crate::ui::{
    Ago, Chip, Columns, DependencyGraph, Empty, OutcomeBadge, Pager, StateBadge, Status, Table, TierTag, Tone,
};
use crate::web::{OrPage, PageError, Req};
use leptos::prelude::*;
use passerelle_contract::audit::{AuditEventOut, AuditFilter};
use passerelle_contract::deployments::{DeploymentFilter, DeploymentRow, ReleaseOut};
use passerelle_server::portal::Portal;

pub async fn slos(portal: &Portal, req: &Req, key: &str) -> Result<AnyView, PageError> {
    let t = req.t;
    let found = portal.slo.slos_of(&req.ctx, key).await.or_page(req)?;
    if found.is_empty() {
        let view = view! { <Empty icon="budget" title=t.slos_of_none() text=t.slos_empty_text() /> };
        return Ok(view.into_any());
    }
    let to_write = crate::slo::to_write(portal, req, key).await?;
    let table = crate::slo::table(t, found, false);
    Ok(view! { {to_write} {table} }.into_any())
}

pub async fn releases(portal: &Portal, req: &Req, key: &str) -> Result<AnyView, PageError> {
    let t = req.t;
    let found = portal.deployments.list_releases(&req.ctx, key, req.query.text("cursor"), None).await.or_page(req)?;
    if found.items.is_empty() {
        let view = view! { <Empty icon="deploy" title=t.releases_empty() text=t.releases_empty_text() /> };
        return Ok(view.into_any());
    }
    let pages = req.pages(&req.path, found.items.len(), found.total, found.next_cursor.as_deref());
    let scans = portal.deployments.scan_counts(&req.ctx, &found.items).await.or_page(req)?;
    let rows = found
        .items
        .into_iter()
        .map(|release| {
            let scan = scans.get(&release.id).copied();
            release_row(req, release, scan)
        })
        .collect::<Vec<_>>();
    let view = view! {
        <Table label=t.tab_releases() columns=Columns::of([t.col_version(), t.col_runs_in(), t.col_vulnerabilities(), t.col_commit(), t.col_image(), t.col_when()])>{rows}</Table>
        <Pager t=t pages=pages />
    };
    Ok(view.into_any())
}

fn release_row(req: &Req, release: ReleaseOut, scan: Option<(i64, i64)>) -> impl IntoView + use<> {
    let (t, now) = (req.t, req.now);
    let (tone, icon, word) = match scan {
        None => (Tone::Off, "skip", t.scan_none().to_owned()),
        Some((0, 0)) => (Tone::Ok, "ok", t.scan_clean().to_owned()),
        Some((critical, high)) => (Tone::Bad, "bad", t.scan_counts(critical, high)),
    };
    let build = release.build_url.filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    view! {
        <tr>
            <th scope="row" class="mono">
                <a class="svc" href=format!("/releases/{}", release.id)>{release.version}</a>
            </th>
            <td>{release.runs_in.join(", ")}</td>
            <td>
                <Status tone=tone icon=icon word=word />
            </td>
            <td class="mono">
                {release.commit}
                {build
                    .map(|url| {
                        view! {
                            " "
                            <a href=url rel="noreferrer">
                                {t.build()}
                            </a>
                        }
                    })}
            </td>
            <td class="mono break">{release.image}</td>
            <td>
                <Ago t=t at=release.created_at now=now />
            </td>
        </tr>
    }
}

pub async fn history(portal: &Portal, req: &Req, key: &str) -> Result<AnyView, PageError> {
    let t = req.t;
    let filter = DeploymentFilter {
        service: Some(key.to_owned()),
        cursor: req.query.text("cursor"),
        ..DeploymentFilter::default()
    };
    let found = portal.deployments.list_deployments(&req.ctx, filter).await.or_page(req)?;
    let pages = req.pages(&req.path, found.items.len(), found.total, found.next_cursor.as_deref());
    let table = deployments(req, found.items);
    let pager = (pages.shown > 0).then(|| view! { <Pager t=t pages=pages /> });
    Ok(view! { {table} {pager} }.into_any())
}

/// Deployments of one service, newest first.
pub fn deployments(req: &Req, rows: Vec<DeploymentRow>) -> AnyView {
    let (t, now) = (req.t, req.now);
    if rows.is_empty() {
        return view! { <Empty icon="deploy" title=t.deployments_empty_title() text=t.deployments_empty_text() /> }
            .into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            view! {
                <tr>
                    <th scope="row">
                        <a class="svc" href=format!("/deployments/{}", row.id)>
                            {t.operation(row.operation)}
                            " "
                            <span class="mono">{row.version}</span>
                        </a>
                        <div class="under break">{row.reason}</div>
                    </th>
                    <td>
                        <TierTag t=t tier=row.tier name=row.environment />
                    </td>
                    <td>
                        <StateBadge t=t state=row.state />
                        {row.cause.map(|cause| view! { <div class="under">{t.cause(cause)}</div> })}
                    </td>
                    <td>{row.requested_by}</td>
                    <td>
                        <Ago t=t at=row.created_at now=now />
                    </td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <Table label=t.deployments_title() columns=Columns::of([t.col_operation(), t.col_environment(), t.col_state(), t.col_by(), t.col_when()])>{rows}</Table>
    }
    .into_any()
}

pub async fn dependencies(portal: &Portal, req: &Req, namespace: &str, name: &str) -> Result<AnyView, PageError> {
    let t = req.t;
    let depth = req.query.get("depth").and_then(|text| text.parse().ok()).unwrap_or(1_u32);
    let graph = portal.catalog.graph(&req.ctx, namespace, name, Some(depth)).or_page(req)?;
    let depths = [1_u32, 2, 3]
        .map(|steps| {
            let href = req.query.with("depth", Some(&steps.to_string())).href(&req.path);
            view! { <Chip href=href label=t.graph_depth(steps) on=steps == depth one_of=true /> }
        })
        .into_iter()
        .collect::<Vec<_>>();
    let view = view! {
        <div class="chips mb-3">{depths}</div>
        <DependencyGraph t=t graph=graph name=name />
    };
    Ok(view.into_any())
}

pub async fn audit(portal: &Portal, req: &Req, key: &str) -> Result<AnyView, PageError> {
    let t = req.t;
    let filter =
        AuditFilter { service: Some(key.to_owned()), cursor: req.query.text("cursor"), ..AuditFilter::default() };
    let found = portal.audit.list_events(&req.ctx, filter).await.or_page(req)?;
    if found.items.is_empty() {
        return Ok(view! { <p class="muted">{t.audit_none()}</p> }.into_any());
    }
    let pages = req.pages(&req.path, found.items.len(), found.total, found.next_cursor.as_deref());
    let rows = found.items.into_iter().map(|event| audit_row(req, event)).collect::<Vec<_>>();
    let view = view! {
        <Table label=t.audit_title() columns=Columns::of([t.col_action(), t.col_outcome(), t.col_environment(), t.col_actor(), t.col_when()])>{rows}</Table>
        <Pager t=t pages=pages />
    };
    Ok(view.into_any())
}

fn audit_row(req: &Req, event: AuditEventOut) -> impl IntoView + use<> {
    let (t, now) = (req.t, req.now);
    view! {
        <tr>
            <th scope="row">
                <span class="mono">{event.action}</span>
                <div class="under break">{event.reason}</div>
            </th>
            <td>
                <OutcomeBadge t=t outcome=event.outcome />
            </td>
            <td>{event.environment}</td>
            <td>{event.actor}</td>
            <td>
                <Ago t=t at=event.at now=now />
            </td>
        </tr>
    }
}
