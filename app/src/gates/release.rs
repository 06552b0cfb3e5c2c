//! `/releases/{id}`: one release with the report of its scanner.

use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Ago, ButtonKind, Columns, Crumb, Empty, Head, LinkButton, Moment, Status, Table, Tone};
use crate::web::{AppState, OrPage, PageError, Query, Req, page};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::deployments::ReleaseOut;
use passerelle_contract::gates::{ScanOut, Vulnerability, VulnerabilitySeverity, WaiverOut};
use passerelle_server::kernel::{Action, AppError, Object, decide, markdown};

/// As many as can be read; the worst come first.
const MOST: usize = 200;

pub async fn show(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let id = req.id("release", &id)?;
    let release = app.portal.deployments.get_release(&req.ctx, id).await.or_page(&req)?;
    let scan = match app.portal.deployments.get_scan(&req.ctx, id).await {
        Err(AppError::NotFound(_)) => None,
        other => Some(other.or_page(&req)?),
    };
    let waivers = app.portal.gates.list_waivers(&req.ctx, &release.service).await.or_page(&req)?;
    let may = app
        .portal
        .catalog
        .find_service(&release.service)
        .is_some_and(|service| decide(&req.ctx, Action::WaiverEdit, &Object::service(service.scope)).allowed);
    let report = match scan {
        Some(scan) => report(&req, &release, scan, &waivers, may),
        None => {
            let text = t.scan_empty_text(format!("/api/v1/releases/{id}/vulnerabilities"));
            view! { <Empty icon="shield" title=t.scan_empty() text=text /> }.into_any()
        }
    };
    let title = t.release_title(&release.version);
    let waivers = format!("/services/{}/waivers", release.service);
    let crumbs = vec![
        Crumb::new("/services", t.services_title()),
        Crumb::new(format!("/services/{}", release.service), release.service.clone()),
        Crumb::new(format!("/services/{}?tab=releases", release.service), t.tab_releases()),
    ];
    Ok(page(
        req.page(title.clone()).section(Section::Services).crumbs(crumbs),
        view! {
            <Head title=title>
                <LinkButton href=waivers label=t.tab_waivers() />
            </Head>
            <div class="stack">{about(&req, release)} {report}</div>
        },
    ))
}

fn about(req: &Req, release: ReleaseOut) -> impl IntoView + use<> {
    let t = req.t;
    let runs = if release.runs_in.is_empty() { t.release_nowhere().to_owned() } else { release.runs_in.join(", ") };
    let commit = release.commit.map(|commit| view! { <dt>{t.col_commit()}</dt> <dd class="mono">{commit}</dd> });
    view! {
        <section class="panel">
            <dl class="dl">
                <dt>{t.col_image()}</dt>
                <dd class="mono">{release.image}</dd>
                {commit}
                <dt>{t.release_runs()}</dt>
                <dd>{runs}</dd>
                <dt>{t.col_when()}</dt>
                <dd><Moment t=t at=release.created_at /></dd>
            </dl>
            {release.notes.map(|notes| view! { <div class="prose mt-3" inner_html=markdown::html(&notes, 2)></div> })}
        </section>
    }
}

fn severity(t: T, severity: VulnerabilitySeverity) -> impl IntoView + use<> {
    let (tone, word) = match severity {
        VulnerabilitySeverity::Critical => (Tone::Bad, "CRITICAL"),
        VulnerabilitySeverity::High => (Tone::Bad, "HIGH"),
        VulnerabilitySeverity::Medium => (Tone::Warn, "MEDIUM"),
        VulnerabilitySeverity::Low => (Tone::Off, "LOW"),
        VulnerabilitySeverity::Unknown => (Tone::Off, t.scan_fix_unknown()),
    };
    view! { <Status tone=tone word=word /> }
}

fn report(req: &Req, release: &ReleaseOut, found: ScanOut, waivers: &[WaiverOut], may: bool) -> AnyView {
    let t = req.t;
    let scan = found.scan;
    let all = scan.vulnerabilities.len();
    let rows = scan
        .vulnerabilities
        .into_iter()
        .take(MOST)
        .map(|vulnerability| line(t, release, vulnerability, waivers, may))
        .collect::<Vec<_>>();
    let by = t.scan_by(scan.scanner, found.uploaded_by);
    let more = all.checked_sub(MOST).filter(|more| *more > 0);
    let table = if all == 0 {
        view! { <p>{t.scan_nothing()}</p> }.into_any()
    } else {
        view! {
            <Table label=t.scan_title() columns=Columns::of([t.col_severity(), t.col_vulnerability(), t.col_package(), t.col_installed(), t.col_fixed()]).acts(t.waive())>{rows}</Table>
        }
        .into_any()
    };
    view! {
        <section class="stack">
            <div>
                <h2>{t.scan_title()}</h2>
                <p class="muted">{by} " · " <Ago t=t at=found.uploaded_at now=req.now /></p>
            </div>
            {table}
            {more.map(|more| view! { <p class="muted">{t.scan_more(more as u64)}</p> })}
        </section>
    }
    .into_any()
}

fn line(t: T, release: &ReleaseOut, found: Vulnerability, waivers: &[WaiverOut], may: bool) -> impl IntoView + use<> {
    let fits = |waiver: &&WaiverOut| {
        waiver.active
            && waiver.vulnerability.eq_ignore_ascii_case(&found.id)
            && waiver.package.as_ref().is_none_or(|package| *package == found.package)
    };
    let waived = waivers.iter().find(fits).map(|waiver| t.date_time(waiver.expires_at));
    let blocks = found.severity >= VulnerabilitySeverity::High && (found.fixed.is_some() || found.fix_unknown);
    let waive = match (&waived, may && blocks) {
        (Some(until), _) => {
            view! { <span title=until.clone()><Status tone=Tone::Ok icon="hold" word=t.scan_waived() /></span> }
                .into_any()
        }
        (None, true) => {
            let query = Query::default().with("vulnerability", Some(&found.id)).with("package", Some(&found.package));
            let href = query.href(&format!("/services/{}/waivers", release.service));
            view! { <LinkButton href=href label=t.waive() kind=ButtonKind::Small of=found.id.clone() /> }.into_any()
        }
        (None, false) => ().into_any(),
    };
    let fixed = match (found.fixed, found.fix_unknown) {
        (Some(version), _) => version,
        (None, true) => t.scan_fix_unknown().to_owned(),
        (None, false) => t.scan_no_fix().to_owned(),
    };
    view! {
        <tr>
            <td>{severity(t, found.severity)}</td>
            <th scope="row" class="break">
                <span class="mono">{found.id}</span>
                <div class="under">{found.title}</div>
            </th>
            <td class="mono break">{found.package}</td>
            <td class="mono">{found.installed}</td>
            <td class="mono">{fixed}</td>
            <td class="tight">{waive}</td>
        </tr>
    }
}
