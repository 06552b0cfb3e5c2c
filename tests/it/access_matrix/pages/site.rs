//! A shop with all that pages and forms are about, and what they answer to whom.

use super::super::cells::{Caller, NOBODYS, Things, With, World};
use crate::onboarding::{self, TEAMS};
use crate::support::{FakePrometheus, TestPortal, hidden};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

const TEMPLATE: &str = "small-service";
pub const OBJECTIVES: &str = "service_level_objectives:\n  - name: \"Web Availability\"\n    sli: \"availability\"\n    target: 99.9\n    window: 7d\n";

/// Answers that nobody gets who may.
const DENIED: [StatusCode; 3] = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::INTERNAL_SERVER_ERROR];

/// What belongs to a service and is asked about by pages only.
pub struct More {
    pub onboarding: String,
    pub slo: String,
    /// The name of that objective, which is typed to delete it.
    pub objective: String,
    pub freeze: String,
    pub waiver: String,
}

/// One of the two services, with all that belongs to it.
#[derive(Clone, Copy)]
pub struct Place<'s> {
    pub things: &'s Things,
    pub more: &'s More,
}

impl Place<'_> {
    pub fn name(self) -> &'static str {
        self.things.service.split_once('/').unwrap().1
    }
}

pub struct Site {
    pub world: World,
    pub own: More,
    pub other: More,
    pub rule: String,
    pub prometheus: String,
}

/// Somebody, with what the forms of their session carry.
pub struct Visitor {
    pub caller: Caller,
    pub csrf: String,
}

/// What was answered.
#[derive(Debug)]
pub struct Told {
    pub status: StatusCode,
    /// Where a redirect leads.
    pub to: String,
    /// Refused because of the form's own token, which no cell is about.
    pub cross_site: bool,
}

impl Told {
    pub fn leads(&self, path: &str) -> bool {
        let page = self.to.split('?').next().unwrap_or_default();
        self.status.is_redirection() && page == path
    }

    /// Nobody who is answered this has seen or done anything.
    pub fn refused(&self) -> bool {
        let statuses = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
        !self.cross_site && (statuses.contains(&self.status) || self.leads("/sign-in"))
    }

    /// What was asked for, or a refusal of something else than of who asks.
    pub fn taken(&self, exists: bool) -> bool {
        let hidden = exists && self.status == StatusCode::NOT_FOUND;
        !hidden && !DENIED.contains(&self.status) && !self.leads("/sign-in") && !self.leads("/confirm")
    }

    /// A page for everybody: the set-up leads on to the sign-in once it is done.
    pub fn open(&self) -> bool {
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
    pub async fn make() -> Self {
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

    pub fn own(&self) -> Place<'_> {
        Place { things: &self.world.own, more: &self.own }
    }

    pub fn other(&self) -> Place<'_> {
        Place { things: &self.world.other, more: &self.other }
    }

    pub async fn visitors(&self) -> Vec<Visitor> {
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

    pub async fn ask(
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

pub fn in_days(days: i64) -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::days(days)
}

fn after(days: i64) -> String {
    in_days(days).format(&Rfc3339).unwrap()
}

/// The address, with something in each of its places.
pub fn address(site: &Site, method: &str, path: &str, place: Place<'_>) -> String {
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
