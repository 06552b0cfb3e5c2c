//! Every page and every form by every role, on everything or on one team, on that team's things or another's, with a session or a token;
//! and without a credential or with one that does not hold.
//!
//! A token reaches pages too: `authenticate` takes a bearer wherever it comes from, and a form asks it for no token of its own, as no browser
//! sends one by itself. What holds for the API holds here: it is no person, and that of who may only read writes nothing.
//!
//! Every form is sent as its page would send it, so that a refusal is not that of a wrong field. Sessions are new: nobody is sent to `/confirm`.

use super::Who::{self, Anybody, Least, Proven, SignedIn};
use super::cells::{About, Caller, NOBODYS, Things, With, World};
use crate::onboarding::{self, TEAMS};
use crate::support::{FakePrometheus, PASSWORD, TestPortal, hidden};
use passerelle_contract::access::Role::{self, Admin, Developer, Operator};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// In the order in which they are tried: what takes something away comes after all that needs it.
const PAGES: &[(&str, &str, Who)] = &[
    ("get", "/", SignedIn),
    ("get", "/ui", Anybody),
    ("post", "/preferences", Anybody),
    ("get", "/sign-in", Anybody),
    ("post", "/sign-in", Anybody),
    ("post", "/sign-out", Anybody),
    ("get", "/confirm", SignedIn),
    ("post", "/confirm", SignedIn),
    ("get", "/auth/{provider}/confirm", SignedIn),
    ("get", "/auth/no-role", SignedIn),
    ("get", "/auth/{provider}/sign-in", Anybody),
    ("get", "/auth/{provider}/callback", Proven),
    ("get", "/auth/{provider}/sign-out", Anybody),
    ("post", "/auth/{provider}/backchannel-logout", Proven),
    ("get", "/setup", Anybody),
    ("post", "/setup", Proven),
    ("get", "/access", SignedIn),
    ("post", "/access/roles", Least(Admin)),
    ("post", "/access/roles/{id}/delete", Least(Admin)),
    ("get", "/access/users", Least(Admin)),
    ("post", "/access/users", Least(Admin)),
    ("get", "/access/users/{name}", Least(Admin)),
    ("post", "/access/users/{name}", Least(Admin)),
    ("get", "/access/tokens", SignedIn),
    ("post", "/access/tokens", SignedIn),
    ("post", "/access/tokens/{id}/delete", SignedIn),
    ("get", "/access/sessions", SignedIn),
    // Those of somebody else. One's own end for anybody who is signed in, and with them the other cells.
    ("post", "/access/sessions", Least(Admin)),
    ("post", "/access/sessions/{id}/delete", SignedIn),
    ("get", "/access/sign-in", SignedIn),
    ("post", "/access/sign-in/{provider}", SignedIn),
    ("get", "/access/why", SignedIn),
    ("get", "/access/simulate", Least(Admin)),
    ("get", "/access/who", Least(Admin)),
    ("get", "/alerts", SignedIn),
    ("get", "/audit", Least(Developer)),
    // The form is shown to everybody; the right is asked for when it is sent.
    ("get", "/catalog/import", SignedIn),
    ("post", "/catalog/import", Least(Admin)),
    ("get", "/services", SignedIn),
    ("get", "/services/{namespace}/{name}", SignedIn),
    ("get", "/services/{namespace}/{name}/waivers", SignedIn),
    ("post", "/services/{namespace}/{name}/waivers", Least(Operator)),
    ("post", "/waivers/{id}/revoke", Least(Operator)),
    ("get", "/systems", SignedIn),
    ("get", "/systems/{namespace}/{name}", SignedIn),
    ("get", "/entities/{kind}/{namespace}/{name}", SignedIn),
    ("get", "/deployments", SignedIn),
    ("get", "/deployments/{id}", SignedIn),
    ("get", "/deployments/{id}/live", SignedIn),
    ("post", "/deployments/{id}/cancel", Least(Developer)),
    ("post", "/deployments/{id}/approval", Least(Developer)),
    ("get", "/approve/{token}", SignedIn),
    ("post", "/approve/{token}", Least(Developer)),
    ("post", "/deployments/{id}/change", Least(Developer)),
    // Where to and what is chosen by everybody who may see the service; a plan is made for who may deploy.
    ("get", "/services/{namespace}/{name}/deploy", SignedIn),
    ("post", "/services/{namespace}/{name}/deploy", Least(Developer)),
    ("get", "/services/{namespace}/{name}/rollback", Least(Developer)),
    ("post", "/services/{namespace}/{name}/rollback", Least(Developer)),
    ("get", "/services/{namespace}/{name}/{act}", SignedIn),
    ("post", "/services/{namespace}/{name}/{act}", Least(Developer)),
    ("get", "/approvals", SignedIn),
    ("get", "/break-glass", SignedIn),
    ("get", "/gates", SignedIn),
    ("get", "/gates/{tier}", SignedIn),
    ("post", "/gates/{tier}", Least(Admin)),
    ("get", "/freezes", SignedIn),
    ("get", "/freezes/new", SignedIn),
    ("post", "/freezes/new", Least(Operator)),
    ("post", "/freezes/stop", Least(Operator)),
    // Everybody knows of every freeze.
    ("get", "/freezes/{id}", SignedIn),
    ("post", "/freezes/{id}", Least(Operator)),
    ("post", "/freezes/{id}/lift", Least(Operator)),
    ("get", "/releases/{id}", SignedIn),
    ("get", "/services/{namespace}/{name}/break-glass", SignedIn),
    ("post", "/services/{namespace}/{name}/break-glass", Least(Developer)),
    ("get", "/notifications", Least(Developer)),
    ("get", "/notifications/channels/new", Least(Admin)),
    ("post", "/notifications/channels/new", Least(Admin)),
    ("get", "/notifications/channels/{name}", Least(Developer)),
    ("post", "/notifications/channels/{name}", Least(Admin)),
    ("post", "/notifications/channels/{name}/test", Least(Admin)),
    ("post", "/notifications/channels/{name}/delete", Least(Admin)),
    ("get", "/notifications/rules", Least(Developer)),
    ("get", "/notifications/rules/new", Least(Admin)),
    ("post", "/notifications/rules/new", Least(Admin)),
    ("get", "/notifications/rules/{id}", Least(Developer)),
    ("post", "/notifications/rules/{id}", Least(Admin)),
    ("post", "/notifications/rules/{id}/delete", Least(Admin)),
    ("get", "/notifications/deliveries", Least(Developer)),
    ("post", "/notifications/deliveries/{id}/retry", Least(Operator)),
    ("get", "/onboard", SignedIn),
    ("get", "/onboard/{template}", Least(Developer)),
    ("post", "/onboard/{template}", Least(Developer)),
    ("get", "/onboard/{template}/adopt", Least(Developer)),
    ("post", "/onboard/{template}/adopt", Least(Developer)),
    ("get", "/onboarding/{id}", SignedIn),
    ("post", "/onboarding/{id}/retry", Least(Developer)),
    ("get", "/onboarding/{id}/update", SignedIn),
    ("post", "/onboarding/{id}/update", Least(Developer)),
    ("get", "/onboarding/{id}/deliveries", SignedIn),
    ("post", "/onboarding/{id}/deliveries", Least(Developer)),
    ("post", "/onboarding/{id}/deliveries/{delivery}/retry", Least(Developer)),
    ("post", "/onboarding/{id}/deliveries/{delivery}/undo", Least(Developer)),
    ("get", "/slos", SignedIn),
    // These three forms list connections, which whoever has a role on everything may read.
    ("get", "/slos/import", Least(Developer)),
    ("post", "/slos/import", Least(Operator)),
    ("get", "/slos/new", Least(Developer)),
    ("post", "/slos/new", Least(Operator)),
    ("get", "/slos/policies", SignedIn),
    ("post", "/slos/policies/{tier}", Least(Admin)),
    ("get", "/slos/{id}/edit", Least(Developer)),
    ("post", "/slos/{id}/edit", Least(Operator)),
    ("get", "/slos/{id}", SignedIn),
    ("get", "/slos/{id}/source", SignedIn),
    ("post", "/slos/{id}/corrections", Least(Admin)),
    ("post", "/slos/{id}/postmortems/{task}", Least(Developer)),
    ("post", "/slos/{id}/delete", Least(Operator)),
    ("get", "/environments", SignedIn),
    ("get", "/environments/new", SignedIn),
    ("post", "/environments/new", Least(Admin)),
    ("get", "/environments/{name}", SignedIn),
    ("post", "/environments/{name}", Least(Admin)),
    ("get", "/connections", Least(Developer)),
    ("get", "/connections/new", Least(Admin)),
    ("post", "/connections/new", Least(Admin)),
    ("get", "/connections/{name}", Least(Developer)),
    ("post", "/connections/{name}", Least(Admin)),
    ("post", "/connections/{name}/check", Least(Developer)),
    ("post", "/connections/{name}/delete", Least(Admin)),
    ("get", "/bindings", SignedIn),
    // Both read the connection, so a role on one team is not enough, other than through the API.
    ("get", "/bindings/new", Least(Developer)),
    ("post", "/bindings/new", Least(Admin)),
    ("get", "/bindings/{id}", SignedIn),
    ("post", "/bindings/{id}", Least(Admin)),
    ("post", "/bindings/{id}/delete", Least(Admin)),
];

const TEMPLATE: &str = "small-service";
const OBJECTIVES: &str = "service_level_objectives:\n  - name: \"Web Availability\"\n    sli: \"availability\"\n    target: 99.9\n    window: 7d\n";
const COMPONENT: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: { name: two, namespace: shop }\n\
                         spec: { type: service, lifecycle: production, owner: 'group:shop/sellers' }\n";

/// Answers that nobody gets who may.
const DENIED: [StatusCode; 3] = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::INTERNAL_SERVER_ERROR];

type Fields = Vec<(&'static str, String)>;

/// What belongs to a service and is asked about by pages only.
struct More {
    onboarding: String,
    slo: String,
    /// The name of that objective, which is typed to delete it.
    objective: String,
    freeze: String,
    waiver: String,
}

/// One of the two services, with all that belongs to it.
#[derive(Clone, Copy)]
struct Place<'s> {
    things: &'s Things,
    more: &'s More,
}

impl Place<'_> {
    fn name(self) -> &'static str {
        self.things.service.split_once('/').unwrap().1
    }
}

struct Site {
    world: World,
    own: More,
    other: More,
    rule: String,
    prometheus: String,
}

/// Somebody, with what the forms of their session carry.
struct Visitor {
    caller: Caller,
    csrf: String,
}

/// What was answered.
#[derive(Debug)]
struct Told {
    status: StatusCode,
    /// Where a redirect leads.
    to: String,
    /// Refused because of the form's own token, which no cell is about.
    cross_site: bool,
}

impl Told {
    fn leads(&self, path: &str) -> bool {
        let page = self.to.split('?').next().unwrap_or_default();
        self.status.is_redirection() && page == path
    }

    /// Nobody who is answered this has seen or done anything.
    fn refused(&self) -> bool {
        let statuses = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
        !self.cross_site && (statuses.contains(&self.status) || self.leads("/sign-in"))
    }

    /// What was asked for, or a refusal of something else than of who asks.
    fn taken(&self, exists: bool) -> bool {
        let hidden = exists && self.status == StatusCode::NOT_FOUND;
        !hidden && !DENIED.contains(&self.status) && !self.leads("/sign-in") && !self.leads("/confirm")
    }

    /// A page for everybody: the set-up leads on to the sign-in once it is done.
    fn open(&self) -> bool {
        !DENIED.contains(&self.status)
    }
}

impl More {
    async fn make(test: &TestPortal, service: &str, made: &str, team: &str) -> Self {
        let asked = onboarding::body(json!({ "name": made, "owner": format!("group:shop/{team}") }));
        let onboarding = id_of(test, "/onboardings", &asked).await;
        let import = format!("/slos/imports?service={service}&connection=prom");
        let imported = test.send(Method::POST, &import, "application/yaml", OBJECTIVES).await;
        assert_eq!(imported.status, StatusCode::OK, "{}", imported.body);
        let slo = imported.body["slos"][0]["id"].as_str().unwrap().to_owned();
        let objective = test.get(&format!("/slos/{slo}")).await.body["name"].as_str().unwrap().to_owned();
        // It begins later, so that nothing is held up here.
        let freeze = json!({ "scope": { "kind": "service", "value": service }, "title": "a test",
            "starts_at": after(30), "ends_at": after(31) });
        let waiver = json!({ "service": service, "vulnerability": "CVE-2026-1", "reason": "not reachable from outside",
            "expires_at": after(30) });
        let (freeze, waiver) = (id_of(test, "/freezes", &freeze).await, id_of(test, "/waivers", &waiver).await);
        Self { onboarding, slo, objective, freeze, waiver }
    }
}

impl Site {
    async fn make() -> Self {
        let world = World::make().await;
        let (test, prometheus) = (&world.test, FakePrometheus::start().await.url);
        assert_eq!(test.import(TEAMS).await.status, StatusCode::OK);
        let connection = json!({ "name": "prom", "kind": "prometheus", "config": { "url": prometheus } });
        assert_eq!(test.post("/connections", &connection).await.status, StatusCode::CREATED);
        let config = json!({ "url": "http://127.0.0.1:1/hook", "secret": { "value": "a secret of the test" } });
        let channel = json!({ "name": "n1", "kind": "webhook", "config": config });
        let channel = test.post("/notifications/channels", &channel).await;
        assert_eq!(channel.status, StatusCode::CREATED, "{}", channel.body);
        let rule = id_of(test, "/notifications/rules", &json!({ "channel": "n1", "enabled": false })).await;
        let own = More::make(test, world.own.service, "orders", "sellers").await;
        let other = More::make(test, world.other.service, "menus", "cooks").await;
        Self { world, own, other, rule, prometheus }
    }

    fn own(&self) -> Place<'_> {
        Place { things: &self.world.own, more: &self.own }
    }

    fn other(&self) -> Place<'_> {
        Place { things: &self.world.other, more: &self.other }
    }

    async fn visitors(&self) -> Vec<Visitor> {
        let mut visitors = Vec::new();
        for caller in self.world.callers().await {
            let csrf = match caller.with {
                With::Token => String::new(),
                With::Session => {
                    let page = self.world.test.http.get(format!("{}/access/tokens", self.world.test.url));
                    let answer = page.header("cookie", &caller.credential).send().await.unwrap();
                    assert_eq!(answer.status(), StatusCode::OK);
                    hidden(&answer.text().await.unwrap(), "csrf")
                }
            };
            visitors.push(Visitor { caller, csrf });
        }
        visitors
    }

    async fn ask(
        &self,
        method: &str,
        address: &str,
        credential: Option<(With, &str)>,
        fields: &[(&str, String)],
    ) -> Told {
        let test = &self.world.test;
        let url = format!("{}{address}", test.url);
        let mut request = if method == "get" { test.http.get(url) } else { test.http.post(url) };
        request = match credential {
            Some((With::Token, value)) => request.header("authorization", value),
            Some((With::Session, value)) => request.header("cookie", value),
            None => request,
        };
        if method != "get" {
            let mut body = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in fields {
                body.append_pair(name, value);
            }
            let form = request.header("origin", &test.url).header("content-type", "application/x-www-form-urlencoded");
            request = form.body(body.finish());
        }
        let answer = request.send().await.unwrap();
        let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default().to_owned();
        let status = answer.status();
        Told { status, to, cross_site: answer.text().await.unwrap().contains("cross_site") }
    }
}

async fn id_of(test: &TestPortal, path: &str, body: &Value) -> String {
    let made = test.post(path, body).await;
    assert!(made.status.is_success(), "{path}: {} {}", made.status, made.body);
    made.body["id"].as_str().unwrap().to_owned()
}

fn in_days(days: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::days(days)
}

fn after(days: i64) -> String {
    in_days(days).format(&Rfc3339).unwrap()
}

fn day(days: i64) -> String {
    in_days(days).date().to_string()
}

fn about(method: &str, path: &str, who: Who) -> About {
    let services = [
        "/services/{namespace}",
        "/waivers/{id}",
        "/deployments/{id}",
        "/releases/{id}",
        "/onboarding/{id}",
        "/slos/{id}",
        "/bindings/{id}",
    ];
    let in_form = ["/freezes/new", "/freezes/{id}", "/freezes/{id}/lift", "/slos/import", "/slos/new"];
    // Its form lists connections, which are the portal's.
    let edits = (method, path) == ("get", "/slos/{id}/edit");
    if !edits && (services.iter().any(|start| path.starts_with(start)) || (method == "post" && in_form.contains(&path)))
    {
        About::Service
    } else if matches!(who, Anybody | SignedIn) || path == "/audit" || path.starts_with("/onboard/") {
        About::Shared
    } else {
        About::Portal
    }
}

/// Only a person with a session may.
fn needs_session(method: &str, path: &str) -> bool {
    let acts = ["/deployments/{id}/approval", "/approve/{token}", "/services/{namespace}/{name}/break-glass"];
    let own = ["/confirm", "/auth/{provider}/confirm", "/access/sign-in/{provider}"];
    own.contains(&path) || (method == "post" && acts.contains(&path))
}

/// Whether the table allows it.
fn allowed(method: &str, path: &str, who: Who, caller: &Caller, own: bool) -> bool {
    let writes = method == "post";
    let token = caller.with == With::Token;
    if token && (needs_session(method, path) || (writes && caller.role == Role::Viewer)) {
        return false;
    }
    let reached = match about(method, path, who) {
        About::Service => caller.everything || own,
        About::Shared => true,
        About::Portal => caller.everything,
    };
    match who {
        Anybody => true,
        SignedIn => reached,
        Least(least) => caller.role >= least && reached,
        Proven => false,
    }
}

/// Whether all that a page or a form names is there, so that those who may are not told that it is not.
fn exists(method: &str, path: &str) -> bool {
    // The first one who may takes it away; what others need is not named at all.
    let taken = path.ends_with("/delete") || path == "/notifications/channels/{name}/test";
    let nobodys = ["{provider}", "{token}", "{delivery}", "{task}"].iter().any(|place| path.contains(place))
        || path.starts_with("/notifications/deliveries/{id}");
    // The attempt to go back to, and the user whose sessions end, are not there.
    let in_form = ["/services/{namespace}/{name}/rollback", "/access/sessions"];
    !(taken || nobodys || (method == "post" && in_form.contains(&path)))
}

/// The address, with something in each of its places.
fn address(site: &Site, method: &str, path: &str, place: Place<'_>) -> String {
    let id: &str = match path {
        _ if path.starts_with("/deployments/{id}") => &place.things.deployment,
        _ if path.starts_with("/bindings/{id}") => &place.things.binding,
        _ if path.starts_with("/releases/{id}") => &place.things.release,
        _ if path.starts_with("/onboarding/{id}") => &place.more.onboarding,
        _ if path.starts_with("/slos/{id}") => &place.more.slo,
        _ if path.starts_with("/freezes/{id}") => &place.more.freeze,
        _ if path.starts_with("/waivers/{id}") => &place.more.waiver,
        _ if path.starts_with("/notifications/rules/{id}") => &site.rule,
        _ => NOBODYS,
    };
    let (namespace, name) = match path {
        "/systems/{namespace}/{name}" => ("shop", "shop"),
        "/entities/{kind}/{namespace}/{name}" => ("shop", "sellers"),
        "/environments/{name}" => ("", "staging"),
        "/access/users/{name}" => ("", "viewer-all"),
        // What has to stay is not named.
        "/connections/{name}/delete"
        | "/notifications/channels/{name}/delete"
        | "/notifications/channels/{name}/test" => ("", "none"),
        _ if path.starts_with("/connections") => ("", "prom"),
        _ if path.starts_with("/notifications") => ("", "n1"),
        _ => place.things.service.split_once('/').unwrap(),
    };
    let filled = path
        .replace("{namespace}", namespace)
        .replace("{name}", name)
        .replace("{id}", id)
        .replace("{kind}", "group")
        .replace("{tier}", "staging")
        .replace("{act}", "resume")
        .replace("{template}", TEMPLATE)
        .replace("{provider}", "p0")
        .replace("{token}", "x")
        .replace("{delivery}", NOBODYS)
        .replace("{task}", NOBODYS);
    assert!(!filled.contains('{'), "nothing is known for a place in {path}");
    let acts = method == "get" && path.starts_with("/services/{namespace}/{name}/");
    if acts { format!("{filled}?environment=staging") } else { filled }
}

fn fields(pairs: &[(&'static str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// What the page of a form would send. The number makes names that nobody has taken.
fn form(site: &Site, path: &str, place: Place<'_>, number: usize) -> Fields {
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

/// Each caller has one session for all cells; `tests/it/sign_in` is about leaving.
fn ends_the_caller(path: &str) -> bool {
    path == "/sign-out"
}

/// The methods and addresses of all routes in a source file, also of those that are written over several lines.
fn routes_in(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for route in source.split(".route(").skip(1) {
        let mut depth = 1_i32;
        let end = route.find(|sign: char| {
            depth += match sign {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        let (_, rest) = route[..end.unwrap()].split_once('"').unwrap();
        let (path, handlers) = rest.split_once('"').unwrap();
        let before = found.len();
        for method in ["get", "post", "put", "patch", "delete"] {
            let call = format!("{method}(");
            let mut heads = handlers.match_indices(call.as_str()).map(|(at, _)| &handlers[..at]);
            if heads.any(|head| !head.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_')) {
                found.push((method.to_owned(), path.to_owned()));
            }
        }
        assert!(found.len() > before, "no method is read for {path}: {handlers}");
    }
    found
}

#[test]
fn no_page_is_forgotten() {
    let pages = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/app/src"));
    let mut routes = BTreeSet::new();
    for folder in std::fs::read_dir(pages).unwrap() {
        // Files beside the folders have no routes of their own.
        let Ok(source) = std::fs::read_to_string(folder.unwrap().path().join("mod.rs")) else { continue };
        routes.extend(routes_in(&source));
    }
    let listed: BTreeSet<(String, String)> =
        PAGES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(listed.len(), PAGES.len(), "one is listed twice");
    assert_eq!(routes, listed);
}

#[test]
fn routes_are_found_however_they_are_written() {
    let source = "Router::new().route(\"/a\", get(show)).route(\n \"/a/{id}\",\n get(widget(x))\n .post(a::delete),\n)\
                  } fn x() { map.get(1) }";
    let routes = [("get", "/a"), ("get", "/a/{id}"), ("post", "/a/{id}")];
    assert_eq!(routes_in(source), routes.map(|(method, path)| (method.to_owned(), path.to_owned())));
}

/// Whether nobody was answered as the table says.
fn nobody_is_answered(who: Who, credential: Option<(With, &str)>, told: &Told) -> bool {
    match (who, credential) {
        // A bad token never passes for nobody.
        (_, Some((With::Token, _))) => {
            matches!(told.status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS)
        }
        (Anybody, _) => told.open(),
        (Proven, _) => told.status.is_client_error(),
        _ => told.leads("/sign-in"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_and_form_is_as_the_table_says() {
    let site = Site::make().await;
    let visitors = site.visitors().await;
    let (mut wrong, mut cells) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for &(method, path, who) in PAGES.iter().filter(|(_, path, _)| !ends_the_caller(path)) {
        for Visitor { caller, csrf } in &visitors {
            // Whoever reaches everything, and pages without a service, know no other team.
            let both = about(method, path, who) == About::Service && !caller.everything;
            for (own, place) in [(true, site.own()), (false, site.other())].into_iter().take(if both { 2 } else { 1 }) {
                let mut fields = form(&site, path, place, cells.values().sum());
                fields.push(("csrf", csrf.clone()));
                let address = address(&site, method, path, place);
                let told = site.ask(method, &address, Some((caller.with, &caller.credential)), &fields).await;
                let expected = allowed(method, path, who, caller, own);
                let good = match (who, expected) {
                    (Anybody, true) => told.open(),
                    (Proven, _) => told.status.is_client_error() && !told.cross_site,
                    (_, true) => told.taken(exists(method, path)),
                    (_, false) => told.refused(),
                };
                *cells.entry(if expected { "allowed" } else { "refused" }).or_default() += 1;
                if !good {
                    let (role, with) = (caller.role.as_str(), caller.with);
                    let reach = if caller.everything { "everything" } else { "the team" };
                    wrong.push(format!(
                        "{method} {path} by {role} of {reach} ({with:?}), own {own}: {told:?}, allowed {expected}"
                    ));
                }
            }
        }
        for credential in
            [None, Some((With::Token, "Bearer psl_x_y")), Some((With::Session, "passerelle_session=AAAA"))]
        {
            let fields = form(&site, path, site.own(), cells.values().sum());
            let told = site.ask(method, &address(&site, method, path, site.own()), credential, &fields).await;
            *cells.entry("nobody").or_default() += 1;
            if !nobody_is_answered(who, credential, &told) {
                wrong.push(format!("{method} {path} by nobody ({credential:?}): {told:?}"));
            }
        }
    }
    let all: usize = cells.values().sum();
    println!("{all} cells: {cells:?}");
    assert!(wrong.is_empty(), "{} of {all} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(all >= 2500, "{all} cells");
}
