//! What the page of each form would send.

use super::super::cells::NOBODYS;
use super::site::{OBJECTIVES, Place, Site, in_days};
use crate::support::PASSWORD;

const COMPONENT: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: { name: two, namespace: shop }\n\
                         spec: { type: service, lifecycle: production, owner: 'group:shop/sellers' }\n";

pub type Fields = Vec<(&'static str, String)>;

fn day(days: i64) -> String {
    in_days(days).date().to_string()
}

fn fields(pairs: &[(&'static str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// What the page of a form would send. The number makes names that nobody has taken.
pub fn form(site: &Site, path: &str, place: Place<'_>, number: usize) -> Fields {
    of_acts(path, place).or_else(|| of_service(path, place, number)).unwrap_or_else(|| of_portal(site, path))
}

/// The forms of deployments and of what stops them.
fn of_acts(path: &str, place: Place<'_>) -> Option<Fields> {
    let (service, stage) = (place.things.service, ("environment", "staging"));
    let (until, from, to) = (day(30), format!("{}T18:00", day(30)), format!("{}T18:00", day(31)));
    Some(match path {
        "/deployments/{id}/cancel" => fields(&[("reason", "a test")]),
        "/deployments/{id}/approval" | "/approve/{token}" => {
            fields(&[("decision", "approve"), ("note", "looks right")])
        }
        "/deployments/{id}/change" => fields(&[("to", ""), ("to_image", "tinyweb:v2"), ("change_reason", "a test")]),
        "/services/{namespace}/{name}/deploy" => fields(&[stage, ("image", "tinyweb:v2"), ("reason", "a test")]),
        "/services/{namespace}/{name}/rollback" => fields(&[stage, ("to", NOBODYS), ("reason", "a test")]),
        // Nothing is on hold, so nothing changes.
        "/services/{namespace}/{name}/{act}" => fields(&[stage, ("reason", "a test of ours")]),
        // With the right password the session would get another id.
        "/services/{namespace}/{name}/break-glass" => fields(&[
            stage,
            ("image", "tinyweb:v2"),
            ("why", "all is down now"),
            ("minutes", "30"),
            ("password", "x"),
            ("sure", place.name()),
        ]),
        "/services/{namespace}/{name}/waivers" => {
            fields(&[("vulnerability", "CVE-2026-2"), ("why", "not reachable from outside"), ("until", until.as_str())])
        }
        "/waivers/{id}/revoke" => fields(&[("service", service)]),
        "/freezes/new" | "/freezes/{id}" => fields(&[
            ("title", "a test"),
            ("scope_kind", "service"),
            ("scope", service),
            ("starts_at", from.as_str()),
            ("ends_at", to.as_str()),
            ("time_zone", "UTC"),
            ("repeats", ""),
        ]),
        _ => return None,
    })
}

/// The other forms about a service: its objectives, its bindings, its golden path.
fn of_service(path: &str, place: Place<'_>, number: usize) -> Option<Fields> {
    let (service, name) = (place.things.service, place.name());
    let (from, to) = (format!("{}T00:00", day(-1)), format!("{}T01:00", day(-1)));
    Some(match path {
        "/slos/import" => {
            fields(&[("yaml", OBJECTIVES), ("service", service), ("connection", "prom"), ("act", "import")])
        }
        "/slos/new" | "/slos/{id}/edit" => objective(service, name, number),
        "/slos/{id}/corrections" => {
            fields(&[("from", from.as_str()), ("to", to.as_str()), ("reason", "a load test of ours")])
        }
        "/slos/{id}/postmortems/{task}" => fields(&[("words", "it was the cable, and it is fixed now")]),
        "/slos/{id}/delete" => fields(&[("confirm", place.more.objective.as_str())]),
        "/bindings/new" => fields(&[
            ("service", service),
            ("environment", "staging"),
            ("connection", "c1"),
            ("config.namespace", "shop"),
            ("config.deployment", name),
        ]),
        "/bindings/{id}" => {
            fields(&[("etag", "*"), ("connection", "c1"), ("config.namespace", "shop"), ("config.deployment", name)])
        }
        "/onboarding/{id}/update" => fields(&[("act", "propose"), ("connection", "."), ("repository", "shop/orders")]),
        // No files go through a cluster, so nothing is delivered.
        "/onboarding/{id}/deliveries" => fields(&[("connection", "c1"), ("repository", "shop/orders")]),
        _ => return None,
    })
}

/// Each has a title of its own, and the connection can be asked: a form that is shown again lists connections, which not everybody who may
/// edit an objective may read.
fn objective(service: &str, name: &str, number: usize) -> Fields {
    let title = format!("Objective {number}");
    let total = format!("http_requests_total{{service=\"{name}\"}}");
    let bad = format!("http_requests_total{{code=~\"5..\",service=\"{name}\"}}");
    fields(&[
        ("etag", "*"),
        ("service", service),
        ("title", title.as_str()),
        ("description", "of a test"),
        ("connection", "prom"),
        ("indicator", "bad"),
        ("part", bad.as_str()),
        ("total", total.as_str()),
        ("objective", "99.5"),
        ("window", "30d"),
        ("zone", ""),
        ("method", "Occurrences"),
        ("min_bad_events", "3"),
        ("act", "save"),
    ])
}

/// The forms that are about no service.
fn of_portal(site: &Site, path: &str) -> Fields {
    let everything = [("role", "viewer"), ("scope_kind", "everything"), ("scope", "")];
    let environment = [("order", "1"), ("progress_deadline_s", "20"), ("auto_rollback", "true"), ("etag", "*")];
    let webhook = [("config.url", "http://127.0.0.1:1/hook"), ("language", "en"), ("etag", "*")];
    match path {
        // The right password would give the session another id.
        "/confirm" => fields(&[("password", "x"), ("next", "/")]),
        "/sign-in" => fields(&[("user", "nobody-here"), ("password", "x"), ("next", "/")]),
        "/access/sign-in/{provider}" => fields(&[("password", PASSWORD)]),
        "/setup" => {
            let secret = [("password", PASSWORD), ("password_again", PASSWORD)];
            fields(&[&[("token", "x"), ("user", "mallory"), ("display_name", "Mallory")][..], &secret[..]].concat())
        }
        "/preferences" => fields(&[("locale", "en"), ("next", "/")]),
        "/access/roles" => fields(&[&[("user", "admin-all")][..], &everything[..]].concat()),
        "/access/users" => fields(&[("name", "eve"), ("display_name", "Eve"), ("password", PASSWORD)]),
        "/access/users/{name}" => fields(&[("display_name", "viewer-all"), ("password", "")]),
        // No more than who has the least may do.
        "/access/tokens" => fields(&[
            ("name", "a test"),
            ("expires_in_days", "1"),
            ("role", "viewer"),
            ("scope_kind", "team"),
            ("scope", "shop/sellers"),
        ]),
        "/access/sessions" => fields(&[("user", "nobody-here")]),
        "/catalog/import" => fields(&[("yaml", COMPONENT), ("act", "check")]),
        "/gates/{tier}" => policy(),
        // A character is too few for a reason: the line is not stopped for the other cells, and the right is asked for before.
        "/freezes/stop" => fields(&[("why", "x")]),
        "/notifications/channels/new" => {
            let secret = ("config.secret", "a secret of the test");
            let new = [("kind", "webhook"), ("name", "n2"), ("config.secret:from", "value"), secret];
            fields(&[&new[..], &webhook[..]].concat())
        }
        "/notifications/channels/{name}" => fields(&[&[("config.secret:from", "keep")][..], &webhook[..]].concat()),
        // Not enabled: nothing is sent.
        "/notifications/rules/new" | "/notifications/rules/{id}" => fields(&[("channel", "n1")]),
        "/onboard/{template}" => fields(&[("act", "restart")]),
        // Without a repository, which only who may is told.
        "/onboard/{template}/adopt" => fields(&[("act", "look")]),
        "/slos/policies/{tier}" => fields(&[
            ("staging-warn_below", "25"),
            ("staging-approval_below", "10"),
            ("staging-block_at", "0"),
            ("staging-missing", "warn"),
        ]),
        "/environments/new" => fields(&[&[("name", "dev9"), ("tier", "development")][..], &environment[..]].concat()),
        "/environments/{name}" => fields(&[&[("tier", "staging")][..], &environment[..]].concat()),
        "/connections/new" => {
            fields(&[("kind", "prometheus"), ("name", "p9"), ("config.url", site.prometheus.as_str())])
        }
        "/connections/{name}" => fields(&[("config.url", site.prometheus.as_str()), ("etag", "*")]),
        _ => Vec::new(),
    }
}

/// That asks for nothing, so that the other cells are not held up.
fn policy() -> Fields {
    fields(&[
        ("etag", "*"),
        ("promotion_order", "off"),
        ("minutes", "0"),
        ("preflight", "off"),
        ("vulnerability", "off"),
        ("error_budget", "off"),
        ("freeze", "off"),
        ("needed", "0"),
        ("hours", "24"),
    ])
}
