//! Alerts as lines of a table, and as marks on a chart.

use crate::i18n::T;
use crate::ui::{Ago, Columns, Empty, Mark, Moment, Pager, Status, Table, Tone};
use crate::web::{OrPage, PageError, Req};
use leptos::prelude::*;
use passerelle_contract::alerts::{AlertFilter, AlertOut, AlertState};
use passerelle_contract::slo::SloOut;
use passerelle_server::portal::Portal;
use time::{Duration, OffsetDateTime};

/// An Alertmanager repeats what fires every few hours; one that is silent for longer may have forgotten to say that it is over.
const SILENT: Duration = Duration::hours(24);

const fn tone(state: AlertState) -> Tone {
    match state {
        AlertState::Firing => Tone::Bad,
        AlertState::Resolved => Tone::Ok,
    }
}

pub fn table(req: &Req, alerts: Vec<AlertOut>, services: bool) -> AnyView {
    let t = req.t;
    let columns = Columns::of([t.col_state(), t.col_alert()]);
    let columns = if services { columns.and([t.col_service()]) } else { columns };
    let columns = columns.and([t.col_severity(), t.col_since(), t.col_took()]);
    let rows = alerts.into_iter().map(|alert| line(req, alert, services)).collect::<Vec<_>>();
    view! { <Table label=t.nav_alerts() columns=columns>{rows}</Table> }.into_any()
}

fn line(req: &Req, alert: AlertOut, services: bool) -> impl IntoView + use<> {
    let (t, now) = (req.t, req.now);
    let took = (alert.ended_at.unwrap_or(now) - alert.started_at).whole_seconds().max(0);
    let silent = alert.state == AlertState::Firing && now - alert.heard_at > SILENT;
    let links = [(alert.source_url, t.alert_source()), (alert.runbook_url, t.alert_runbook())]
        .into_iter()
        .filter_map(|(url, text)| url.map(|url| view! { <a class="link" href=url rel="noreferrer">{text}</a> " " }))
        .collect::<Vec<_>>();
    let service = services.then(|| {
        let name = match alert.service {
            Some(key) => {
                view! { <a class="svc" href=format!("/services/{key}?tab=alerts")>{key.clone()}</a> }.into_any()
            }
            None => view! { <span class="muted">{t.alert_no_service()}</span> }.into_any(),
        };
        view! { <td>{name} <div class="under">{alert.environment.clone()}</div></td> }
    });
    let under = (!services).then(|| alert.environment.clone()).flatten();
    view! {
        <tr>
            <td class="nowrap">
                <Status tone=tone(alert.state) word=t.alert_state(alert.state) />
                {silent
                    .then(|| view! { <div class="under">{t.alert_silent()} " " <Ago t=t at=alert.heard_at now=now /></div> })}
            </td>
            <th scope="row" class="break">
                {alert.name}
                <div class="under">{alert.summary}</div>
                <div class="under">{links}</div>
            </th>
            {service}
            <td>{alert.severity} <div class="under">{under}</div></td>
            <td class="nowrap">
                <Moment t=t at=alert.started_at />
            </td>
            <td class="nowrap">{t.elapsed(took)}</td>
        </tr>
    }
}

/// The tab of a service.
pub async fn of_service(portal: &Portal, req: &Req, key: &str) -> Result<AnyView, PageError> {
    let t = req.t;
    let filter =
        AlertFilter { service: Some(key.to_owned()), cursor: req.query.text("cursor"), ..AlertFilter::default() };
    let found = portal.alerts.list_alerts(&req.ctx, &filter).await.or_page(req)?;
    if found.items.is_empty() {
        let view = view! { <Empty icon="warn" title=t.alerts_of_none() text=t.alerts_empty_text() /> };
        return Ok(view.into_any());
    }
    let pages = req.pages(&req.path, found.items.len(), found.total, found.next_cursor.as_deref());
    let view = view! {
        {table(req, found.items, false)}
        <Pager t=t pages=pages />
    };
    Ok(view.into_any())
}

/// Those that fired within the period of an objective.
pub async fn in_period(portal: &Portal, req: &Req, slo: &SloOut) -> Result<Vec<AlertOut>, PageError> {
    portal.alerts.alerts_since(&req.ctx, &slo.service, slo.environment.as_deref(), slo.period_from).await.or_page(req)
}

/// Alerts as marks; `place` gives where a moment stands.
pub fn marks(
    t: T,
    alerts: &[AlertOut],
    from: OffsetDateTime,
    place: impl Fn(OffsetDateTime) -> (f64, f64),
) -> Vec<Mark> {
    let mark = |alert: &AlertOut| {
        // One that began before the period stands at its edge.
        let (x, y) = place(alert.started_at.max(from));
        let text = t.alert_mark(&alert.name, t.date_time(alert.started_at), t.alert_state(alert.state));
        Mark { x, y, tone: Tone::Bad, icon: "warn", text }
    };
    alerts.iter().map(mark).collect()
}

/// The same in words, with the way to each.
pub fn list(t: T, alerts: &[AlertOut]) -> Option<AnyView> {
    let service = alerts.first()?.service.clone()?;
    let items = alerts
        .iter()
        .map(|alert| {
            let text = t.alert_mark(&alert.name, t.date_time(alert.started_at), t.alert_state(alert.state));
            view! { <li class="mb-2">{text} <div class="under">{alert.summary.clone()}</div></li> }
        })
        .collect::<Vec<_>>();
    let view = view! {
        <details class="disclose">
            <summary>{format!("{} ({})", t.alerts_in_period(), alerts.len())}</summary>
            <ul class="scroll-y">{items}</ul>
            <a class="link" href=format!("/services/{service}?tab=alerts")>{t.tab_alerts()}</a>
        </details>
    };
    Some(view.into_any())
}
