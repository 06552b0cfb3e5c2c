//! What runs at this moment, place by place: pods, what scales them, what leads to them, what limits them, and where they differ from
//! what was deployed.

use crate::i18n::T;
use crate::ui::{Ago, Columns, Empty, HealthBadge, InstanceDots, Moment, Simulated, Status, Table, TierTag, Tone};
use crate::web::{OrPage, PageError, Req};
use leptos::prelude::*;
use passerelle_contract::deployments::{
    Autoscaler, Certificate, Drift, LiveOut, PlatformEvent, Quota, Route, Surroundings,
};
use passerelle_server::portal::Portal;
use time::{Duration, OffsetDateTime};

/// A certificate that ends sooner is a warning: its renewal should have happened.
const SOON: Duration = Duration::days(14);

pub async fn view(portal: &Portal, req: &Req, key: &str) -> Result<AnyView, PageError> {
    let t = req.t;
    let seen = portal.deployments.live_everywhere(&req.ctx, key).await.or_page(req)?;
    if seen.is_empty() {
        let view = view! { <Empty icon="bind" title=t.service_not_bound_title() text=t.service_not_bound_text() /> };
        return Ok(view.into_any());
    }
    let places = seen.into_iter().map(|live| place(req, live)).collect::<Vec<_>>();
    Ok(view! { <div class="stack">{places}</div> }.into_any())
}

fn place(req: &Req, live: LiveOut) -> impl IntoView + use<> {
    let t = req.t;
    let incomplete = live.incomplete.map(|why| {
        let word = t.live_incomplete(why.to_string());
        view! { <p><Status tone=Tone::Warn icon="warn" word=word /></p> }
    });
    let replicas = live.replicas.map(|replicas| t.ready_of(replicas.ready, replicas.desired));
    let id = format!("live-{}", live.environment);
    let title = id.clone();
    view! {
        <section class="panel" aria-labelledby=title>
            <h2 id=id>
                <TierTag t=t tier=live.tier name=live.environment />
            </h2>
            <div class="tags">
                <HealthBadge t=t health=live.health />
                {replicas.map(|text| view! { <span>{text}</span> })}
                {live.simulated.then(|| view! { <Simulated t=t /> })}
            </div>
            {live.image.map(|image| view! { <p class="mono break">{image}</p> })}
            {live.health_message.map(|message| view! { <p class="muted break">{message.to_string()}</p> })}
            {incomplete}
            {drift_table(req, &live.drift)}
            <h3>{t.dep_instances()}</h3>
            <InstanceDots t=t instances=live.instances />
            {around(req, live.surroundings)}
        </section>
    }
}

fn around(req: &Req, around: Surroundings) -> impl IntoView + use<> {
    let t = req.t;
    let unseen = around
        .unseen
        .into_iter()
        .map(|text| view! { <p class="muted break">{text.to_string()}</p> })
        .collect::<Vec<_>>();
    view! {
        {around.autoscaler.map(|scaler| autoscaler(t, &scaler))}
        {routes(t, around.routes)}
        {certificates(req, around.certificates)}
        {quotas(t, around.quotas)}
        {events(req, around.events)}
        {unseen}
    }
}

fn autoscaler(t: T, scaler: &Autoscaler) -> impl IntoView + use<> {
    let range = t.live_scaler(&scaler.name, scaler.min, scaler.max, scaler.current, scaler.desired);
    let metrics = scaler.metrics.join(", ");
    view! {
        <h3>{t.live_autoscaler()}</h3>
        <p class="break">{range}" "<span class="mono">{metrics}</span></p>
    }
}

fn routes(t: T, routes: Vec<Route>) -> Option<impl IntoView + use<>> {
    if routes.is_empty() {
        return None;
    }
    let rows = routes
        .into_iter()
        .map(|route| {
            let scheme = if route.tls { "https" } else { "http" };
            let address = match route.address {
                Some(address) => view! { <span class="mono">{address}</span> }.into_any(),
                None => view! { <Status tone=Tone::Warn icon="warn" word=t.live_no_address() /> }.into_any(),
            };
            view! {
                <tr>
                    <th scope="row" class="mono break">{format!("{scheme}://{}{}", route.host, route.path)}</th>
                    <td class="mono">{route.class}</td>
                    <td>{address}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    Some(view! {
        <h3>{t.live_routes()}</h3>
        <Table label=t.live_routes() columns=Columns::of([t.live_host(), t.live_class(), t.live_address()])>
            {rows}
        </Table>
    })
}

fn certificates(req: &Req, all: Vec<Certificate>) -> Option<impl IntoView + use<>> {
    let (t, now) = (req.t, req.now);
    if all.is_empty() {
        return None;
    }
    let rows = all
        .into_iter()
        .map(|certificate| {
            let (tone, icon, word) = standing(t, &certificate, now);
            view! {
                <tr>
                    <th scope="row">
                        <span class="mono">{certificate.name}</span>
                        <div class="under break">{certificate.hosts.join(", ")}</div>
                    </th>
                    <td>
                        <Status tone=tone icon=icon word=word />
                        {certificate.message.map(|message| view! { <div class="under break">{message}</div> })}
                    </td>
                    <td>{certificate.expires_at.map(|at| view! { <Moment t=t at=at /> })}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    Some(view! {
        <h3>{t.live_certificates()}</h3>
        <Table label=t.live_certificates() columns=Columns::of([t.live_certificate(), t.col_state(), t.live_expires()])>
            {rows}
        </Table>
    })
}

fn standing(t: T, certificate: &Certificate, now: OffsetDateTime) -> (Tone, &'static str, &'static str) {
    match certificate.expires_at {
        Some(at) if at <= now => (Tone::Bad, "bad", t.live_expired()),
        _ if !certificate.ready => (Tone::Warn, "warn", t.live_not_ready()),
        Some(at) if at - now < SOON => (Tone::Warn, "warn", t.live_expires_soon()),
        _ => (Tone::Ok, "ok", t.live_valid()),
    }
}

fn quotas(t: T, all: Vec<Quota>) -> Option<impl IntoView + use<>> {
    if all.is_empty() {
        return None;
    }
    let rows = all
        .into_iter()
        .map(|quota| {
            let (tone, icon) = if quota.used_ratio >= 1.0 {
                (Tone::Bad, "bad")
            } else if quota.used_ratio >= 0.9 {
                (Tone::Warn, "warn")
            } else {
                (Tone::Ok, "ok")
            };
            let used = t.live_used(&quota.used, &quota.hard);
            view! {
                <tr>
                    <th scope="row" class="mono break">{quota.resource}</th>
                    <td>
                        <Status tone=tone icon=icon word=used />
                    </td>
                    <td class="mono">{quota.name}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    Some(view! {
        <h3>{t.live_quotas()}</h3>
        <Table label=t.live_quotas() columns=Columns::of([t.live_resource(), t.live_used_title(), t.live_quota()])>
            {rows}
        </Table>
    })
}

fn events(req: &Req, all: Vec<PlatformEvent>) -> Option<impl IntoView + use<>> {
    let (t, now) = (req.t, req.now);
    if all.is_empty() {
        return None;
    }
    let rows = all
        .into_iter()
        .map(|event| {
            let (tone, icon) = if event.warning { (Tone::Warn, "warn") } else { (Tone::Ok, "ok") };
            let word = if event.count > 1 { format!("{} × {}", event.reason, event.count) } else { event.reason };
            view! {
                <tr>
                    <th scope="row">
                        <Status tone=tone icon=icon word=word />
                        <div class="under break mono">{event.object}</div>
                    </th>
                    <td class="break">{event.message}</td>
                    <td>{event.at.map(|at| view! { <Ago t=t at=at now=now /> })}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    Some(view! {
        <h3>{t.live_events()}</h3>
        <Table label=t.live_events() columns=Columns::of([t.live_event(), t.col_message(), t.col_when()])>
            {rows}
        </Table>
    })
}

fn drift_table(req: &Req, drift: &[Drift]) -> Option<impl IntoView + use<>> {
    let (t, now) = (req.t, req.now);
    if drift.is_empty() {
        return None;
    }
    let rows = drift
        .iter()
        .cloned()
        .map(|one| {
            let nothing = || t.nothing().to_owned();
            view! {
                <tr>
                    <th scope="row" class="mono break">{one.field}</th>
                    <td class="mono break">{one.deployed.unwrap_or_else(nothing)}</td>
                    <td class="mono break">{one.runs.unwrap_or_else(nothing)}</td>
                    <td>
                        <span class="mono">{one.by.unwrap_or_else(|| t.live_unknown_writer().to_owned())}</span>
                        {one.at.map(|at| view! { " " <Ago t=t at=at now=now /> })}
                    </td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    Some(view! {
        <h3>
            <Status tone=Tone::Warn icon="warn" word=t.live_drift() />
        </h3>
        <Table label=t.live_drift() columns=Columns::of([t.live_field(), t.live_deployed(), t.live_runs(), t.live_by()])>
            {rows}
        </Table>
    })
}

/// A line for the overview, with the way to the whole.
pub fn drifted(req: &Req, key: &str, drift: &[Drift]) -> Option<impl IntoView + use<>> {
    let t = req.t;
    let first = drift.first()?;
    let field = match &first.by {
        Some(by) => t.live_drift_by(&first.field, by),
        None => first.field.clone(),
    };
    let more = drift.len().saturating_sub(1);
    let href = format!("/services/{key}?tab=live");
    Some(view! {
        <div>
            <Status tone=Tone::Warn icon="warn" word=t.live_drift() />
            " "
            <a class="break" href=href>{field}{(more > 0).then(|| format!(" (+{more})"))}</a>
        </div>
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_ends_is_told_before_it_does() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let of = |days: i64, ready: bool| {
            let certificate = Certificate {
                name: String::new(),
                hosts: Vec::new(),
                ready,
                expires_at: Some(now + Duration::days(days)),
                renews_at: None,
                message: None,
            };
            standing(T::default(), &certificate, now).0
        };
        assert!(
            of(60, true) == Tone::Ok
                && of(3, true) == Tone::Warn
                && of(60, false) == Tone::Warn
                && of(0, true) == Tone::Bad
        );
    }
}
