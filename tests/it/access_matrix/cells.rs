//! Every route by every role, on everything or on one team, on that team's things or another's, with a session or a token; and without a
//! credential or with one that does not hold.
//!
//! What is expected is reckoned from the table of routes alone, not from the portal's policy.

use super::Who::{Anybody, Least, Proven, SignedIn};
use super::{MATRIX, Who, body};
use crate::support::{PASSWORD, TestPortal};
use passerelle_contract::access::{Role, Scope};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TEAM: &str = "shop/sellers";
const ROLES: [Role; 4] = [Role::Viewer, Role::Developer, Role::Operator, Role::Admin];
pub(super) const NOBODYS: &str = "00000000-0000-7000-8000-000000000000";

/// What a route is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// A service and what belongs to it.
    Service,
    /// Lists and shared things: whoever has the role anywhere sees what they may.
    Shared,
    /// The portal: a role on everything is needed.
    Portal,
}

/// The service of the team, and that of another team, with what belongs to each.
pub(super) struct Things {
    pub service: &'static str,
    pub deployment: String,
    pub binding: String,
    pub release: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum With {
    Token,
    Session,
}

pub(super) struct Caller {
    pub role: Role,
    pub everything: bool,
    pub with: With,
    /// The header's value.
    pub credential: String,
}

fn about(method: &str, path: &str, who: Who) -> About {
    let services = ["/services/{namespace}", "/deployments/{id}", "/bindings/{id}", "/releases/{id}"];
    let in_body = ["/bindings", "/deployments", "/plans", "/releases", "/break-glass", "/waivers", "/slos/imports"];
    // A draft and a preview name no service yet; whose it will be is judged by what is rendered.
    if path.starts_with("/onboardings") || path.starts_with("/adoptions") {
        About::Shared
    } else if services.iter().any(|start| path.starts_with(start))
        || (method == "post" && in_body.contains(&path))
        || path == "/gates/decision"
    {
        About::Service
    } else if who == SignedIn || (method == "get" && ["/audit", "/audit/export"].contains(&path)) {
        About::Shared
    } else {
        About::Portal
    }
}

/// Only a person may.
fn needs_person(path: &str) -> bool {
    ["/approvals", "/approve", "/reject", "/break-glass", "/sessions/current/confirmation"]
        .iter()
        .any(|end| path.ends_with(end))
}

/// Whether the table allows it.
fn allowed(method: &str, path: &str, who: Who, caller: &Caller, own: bool) -> bool {
    // A token never acts for a person, and who may only read has one that writes nothing at all.
    if method != "get" && caller.with == With::Token && (needs_person(path) || caller.role == Role::Viewer) {
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

/// The address, about these things; whether all that it names exists.
fn address(method: &str, path: &str, things: &Things) -> (String, bool) {
    let (namespace, name) = things.service.split_once('/').unwrap();
    let kept = match path {
        // What is there has to stay for the other cells; a release has no report.
        _ if method == "delete" || path.ends_with("/vulnerabilities") => None,
        _ if path.starts_with("/deployments/{id}") => Some(&things.deployment),
        _ if path.starts_with("/bindings/{id}") => Some(&things.binding),
        _ if path.starts_with("/releases/{id}") => Some(&things.release),
        _ => None,
    };
    let exists = kept.is_some() || !path.contains("{id}");
    let of_service = path.starts_with("/services") || path.starts_with("/entities");
    let name = if of_service { name } else { "c1" };
    let path = match path {
        "/slos/imports" => format!("/slos/imports?service={}&connection=c1", things.service),
        "/gates/decision" => format!("/gates/decision?service={}&environment=staging&version=1", things.service),
        _ => path.to_owned(),
    };
    let address = path
        .replace("{namespace}", namespace)
        .replace("{name}", name)
        .replace("{kind}", "component")
        .replace("{tier}", "staging")
        .replace("{environment}", "staging")
        .replace("{connection}", "c1")
        .replace("{delivery}", NOBODYS)
        .replace("{id}", kept.map_or(NOBODYS, String::as_str));
    (address, exists && (of_service || !path.contains("{name}")))
}

fn sent(path: &str, things: &Things) -> Value {
    let mut body = body(path);
    if body.get("service").is_some() {
        body["service"] = json!(things.service);
    }
    body
}

pub(super) struct World {
    pub test: TestPortal,
    pub own: Things,
    pub other: Things,
}

impl World {
    pub async fn make() -> Self {
        let test = TestPortal::with_shop().await;
        let binding = json!({ "service": "shop/api", "environment": "staging", "kind": "kubernetes", "connection": "c1",
            "config": { "namespace": "shop", "deployment": "api" } });
        assert_eq!(test.post("/bindings", &binding).await.status, StatusCode::CREATED);
        let (own, other) = (Self::things(&test, "shop/web").await, Self::things(&test, "shop/api").await);
        Self { test, own, other }
    }

    async fn things(test: &TestPortal, service: &'static str) -> Things {
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        let release = json!({ "service": service, "version": "1", "image": "tinyweb:v2" });
        let release = id(&test.post("/releases", &release).await.body);
        let bindings = test.get(&format!("/bindings?service={service}")).await.body;
        let deployment =
            json!({ "service": service, "environment": "staging", "image": "tinyweb:v2", "reason": "a test" });
        let deployment = id(&test.post("/deployments", &deployment).await.body);
        test.ended(&deployment).await;
        Things { service, deployment, binding: id(&bindings["items"][0]), release }
    }

    pub async fn callers(&self) -> Vec<Caller> {
        let mut callers = Vec::new();
        for role in ROLES {
            for everything in [true, false] {
                let scope = if everything { Scope::Everything } else { Scope::Team(TEAM.to_owned()) };
                let name = format!("{}-{}", role.as_str(), if everything { "all" } else { "team" });
                let token = self.test.token(&format!("bot-{name}"), role, scope.clone()).await;
                callers.push(Caller { role, everything, with: With::Token, credential: format!("Bearer {token}") });
                let user = json!({ "name": name, "display_name": name, "password": PASSWORD });
                assert_eq!(self.test.post("/users", &user).await.status, StatusCode::CREATED);
                let grant = json!({ "user": name, "role": role, "scope": scope });
                assert_eq!(self.test.post("/role-bindings", &grant).await.status, StatusCode::CREATED);
                callers.push(Caller { role, everything, with: With::Session, credential: self.session(&name).await });
            }
        }
        callers
    }

    async fn session(&self, name: &str) -> String {
        let request =
            self.test.http.post(format!("{}/api/v1/sessions", self.test.url)).header("origin", &self.test.url);
        let answer = request.json(&json!({ "user": name, "password": PASSWORD })).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    async fn status(&self, method: &str, path: &str, credential: Option<(With, &str)>, things: &Things) -> StatusCode {
        let (address, _) = address(method, path, things);
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let url = format!("{}/api/v1{}", self.test.url, address);
        let mut request = self.test.http.request(method.clone(), url);
        request = match credential {
            Some((With::Token, value)) => request.header("authorization", value),
            Some((With::Session, value)) => request.header("cookie", value).header("origin", &self.test.url),
            None => request,
        };
        if method != Method::GET {
            request = request.json(&sent(path, things));
        }
        request.send().await.unwrap().status()
    }
}

/// These end or change what the other cells need; each is tried by hand elsewhere (`server/tests/access`).
fn ends_the_caller(method: &str, path: &str) -> bool {
    (method, path) == ("delete", "/sessions") || (method == "get" && path.ends_with("/events"))
}

fn refused(path: &str, status: StatusCode) -> bool {
    // A file of objectives names its service, which is answered as a field that is wrong.
    (path == "/slos/imports" && status == StatusCode::UNPROCESSABLE_ENTITY)
        || matches!(
            status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::TOO_MANY_REQUESTS
        )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_is_as_the_table_says() {
    let world = World::make().await;
    let callers = world.callers().await;
    let (mut wrong, mut cells) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for &(method, path, who) in MATRIX.iter().filter(|(method, path, _)| !ends_the_caller(method, path)) {
        for caller in &callers {
            // Whoever reaches everything, and routes without a service, know no other team.
            let both = about(method, path, who) == About::Service && !caller.everything;
            for (own, things) in [(true, &world.own), (false, &world.other)].into_iter().take(if both { 2 } else { 1 })
            {
                let status = world.status(method, path, Some((caller.with, &caller.credential)), things).await;
                let expected = allowed(method, path, who, caller, own);
                // What does not exist answers like what may not be seen.
                let exists = address(method, path, things).1;
                let good = if expected {
                    let hidden = exists && status == StatusCode::NOT_FOUND;
                    !hidden && !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
                } else {
                    refused(path, status)
                };
                *cells.entry(if expected { "allowed" } else { "refused" }).or_default() += 1;
                if !good {
                    let (role, with) = (caller.role.as_str(), caller.with);
                    let reach = if caller.everything { "everything" } else { "the team" };
                    wrong.push(format!(
                        "{method} {path} by {role} of {reach} ({with:?}), own {own}: {status}, allowed {expected}"
                    ));
                }
            }
        }
        for credential in
            [None, Some((With::Token, "Bearer psl_x_y")), Some((With::Session, "passerelle_session=AAAA"))]
        {
            let status = world.status(method, path, credential, &world.own).await;
            let good = match (who, credential) {
                // A good answer, or a refusal of what was sent; a bad token never passes for nobody.
                (Anybody, None | Some((With::Session, _))) => !matches!(status, StatusCode::FORBIDDEN),
                _ => matches!(status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS),
            };
            *cells.entry("nobody").or_default() += 1;
            if !good {
                wrong.push(format!("{method} {path} by nobody ({credential:?}): {status}"));
            }
        }
    }
    let all: usize = cells.values().sum();
    println!("{all} cells: {cells:?}");
    assert!(wrong.is_empty(), "{} of {all} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(all >= 2000, "{all} cells");
}
