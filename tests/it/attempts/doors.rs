//! Attempt 2: people who may not, at both doors of another team's service. The API and the form of the page refuse the same, and nothing moves.

use crate::support::{Person, TestPortal, deployment};
use passerelle_contract::access::Role;
use reqwest::header::{COOKIE, ORIGIN};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PAGE: &str = "/services/shop/web";
const API: &str = "/services/shop/web/environments/staging";

type Field = (&'static str, &'static str);

/// One act: the operation of the API, and the form of the page.
struct Door {
    act: &'static str,
    method: Method,
    path: String,
    body: Value,
    form: String,
    fields: Vec<Field>,
}

/// Somebody who is signed in, and how each door answers them.
struct Caller<'t> {
    name: &'static str,
    person: Person<'t>,
    api: StatusCode,
    form: StatusCode,
}

/// An act on what runs in staging.
fn on_staging(act: &'static str, more: &[Field]) -> Door {
    Door {
        act,
        method: Method::POST,
        path: format!("{API}/{act}"),
        body: json!({ "reason": "a test" }),
        form: format!("{PAGE}/{act}"),
        fields: [("environment", "staging"), ("reason", "a test")].iter().chain(more).copied().collect(),
    }
}

/// In an order in which somebody who may can go through them one after the other.
fn doors(waiting: &str) -> Vec<Door> {
    let one = format!("/deployments/{waiting}");
    let wanted =
        json!({ "service": "shop/web", "environment": "production", "image": "tinyweb:v1", "reason": "a test" });
    vec![
        Door {
            path: "/deployments".to_owned(),
            body: deployment("tinyweb:v1"),
            ..on_staging("deploy", &[("image", "tinyweb:v1")])
        },
        on_staging("restart", &[]),
        Door { body: json!({ "replicas": 1, "reason": "a test" }), ..on_staging("scale", &[("replicas", "1")]) },
        on_staging("hold", &[]),
        on_staging("resume", &[]),
        on_staging("rollback", &[("config", "release")]),
        Door {
            act: "change",
            method: Method::PATCH,
            path: one.clone(),
            body: wanted,
            form: format!("{one}/change"),
            fields: vec![("to", ""), ("to_image", "tinyweb:v1"), ("change_reason", "a test")],
        },
        Door {
            act: "approve",
            method: Method::POST,
            path: format!("{one}/approvals"),
            body: json!({ "decision": "approve" }),
            form: format!("{one}/approval"),
            fields: vec![("decision", "approve")],
        },
        Door {
            act: "cancel",
            method: Method::POST,
            path: format!("{one}/cancel"),
            body: json!({ "reason": "a test" }),
            form: format!("{one}/cancel"),
            fields: vec![("reason", "a test")],
        },
    ]
}

/// `shop/web` of the team `shop/sellers` runs in staging, and waits for an approval in production.
async fn with_waiting() -> (TestPortal, String) {
    let test = TestPortal::with_shop().await;
    test.bind_production().await;
    let put = test.put("/gates/policies/production", &json!({ "approval": { "needed": 1 } })).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
    let ended = test.ended(&test.deploy("tinyweb:v2").await).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let wanted =
        json!({ "service": "shop/web", "environment": "production", "image": "tinyweb:v2", "reason": "a test" });
    let asked = test.post("/deployments", &wanted).await;
    assert_eq!(asked.body["state"], "awaiting_approval", "{}", asked.body);
    let id = asked.body["id"].as_str().unwrap().to_owned();
    (test, id)
}

/// Signed in, with a role on the services of the team `shop/cooks` and on nothing else.
async fn cook<'t>(test: &'t TestPortal, name: &str, role: Role) -> Person<'t> {
    let person = test.another(name, role).await;
    let bound = test.get(&format!("/role-bindings?user={name}")).await.body;
    let path = format!("/role-bindings/{}", bound["items"][0]["id"].as_str().unwrap());
    assert_eq!(test.call(Method::DELETE, &path, &test.admin, None).await.status, StatusCode::NO_CONTENT);
    let binding = json!({ "user": name, "role": role, "scope": { "kind": "team", "value": "shop/cooks" } });
    assert_eq!(test.post("/role-bindings", &binding).await.status, StatusCode::CREATED);
    person
}

async fn callers(test: &TestPortal) -> Vec<Caller<'_>> {
    let (forbidden, absent) = (StatusCode::FORBIDDEN, StatusCode::NOT_FOUND);
    vec![
        Caller { name: "vera", person: test.another("vera", Role::Viewer).await, api: forbidden, form: forbidden },
        // Whoever writes nothing anywhere is refused by the API before it looks at what the address names.
        Caller { name: "vic", person: cook(test, "vic", Role::Viewer).await, api: forbidden, form: absent },
        Caller { name: "dana", person: cook(test, "dana", Role::Developer).await, api: absent, form: absent },
        Caller { name: "olga", person: cook(test, "olga", Role::Operator).await, api: absent, form: absent },
    ]
}

async fn by_api(test: &TestPortal, person: &Person<'_>, door: &Door) -> (StatusCode, Value) {
    let request = test.http.request(door.method.clone(), format!("{}/api/v1{}", test.url, door.path));
    let request = request.header(COOKIE, &person.cookie).header(ORIGIN, &test.url).json(&door.body);
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.json().await.unwrap_or_default())
}

async fn audited(test: &TestPortal, actor: &str, outcome: &str) -> u64 {
    let rows = test.get(&format!("/audit?actor={actor}&outcome={outcome}")).await.body;
    rows["total"].as_u64().unwrap()
}

/// What no refused act may have moved: the rows, what runs on the cluster, the hold, and the deployment that waits.
async fn state(test: &TestPortal, waiting: &str) -> (BTreeMap<String, i64>, BTreeMap<String, u64>, Value) {
    let deployment = test.get(&format!("/deployments/{waiting}")).await.body;
    let fields = ["state", "image", "requested_by", "cancel_requested", "approvals", "last_event_id"];
    let waits: Vec<&Value> = fields.iter().map(|field| &deployment[*field]).collect();
    let bindings = test.get("/bindings?service=shop/web").await.body;
    (test.rows().await, test.simulator.counts().effects, json!([waits, bindings["items"]]))
}

/// Tries both doors; what is wrong with the answers.
async fn tried(test: &TestPortal, caller: &Caller<'_>, door: &Door) -> Option<String> {
    let before = audited(test, caller.name, "denied").await;
    let (status, problem) = by_api(test, &caller.person, door).await;
    let between = audited(test, caller.name, "denied").await;
    let page = caller.person.post(&door.form, &door.fields).await;
    let after = audited(test, caller.name, "denied").await;

    let code = if caller.api == StatusCode::FORBIDDEN { "forbidden" } else { "not_found" };
    let answered = (status, page.status) == (caller.api, caller.form) && problem["code"] == code;
    let sees = caller.form == StatusCode::FORBIDDEN;
    let words = if sees { "not allowed: " } else { "not_found" };
    let told = page.html.contains(words);
    // Who names a deployment does not learn whose it is.
    let whose = door.path.starts_with("/deployments/")
        && problem["detail"].as_str().is_some_and(|text| text.contains("shop/web"));
    let hidden = sees || !(page.html.contains("Web shop") || whose);
    // A refusal is a row, by either door, also for who may not see the service; but the page of a change reads the deployment first.
    let noted = between > before && (after > between || (door.act == "change" && !sees));
    let good = answered && told && hidden && noted;
    (!good).then(|| {
        format!(
            "{} by {}: {status} {problem}, rows {before} {between} {after}, the form {}: {}",
            door.act, caller.name, page.status, page.html
        )
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_and_the_forms_of_another_teams_service_refuse_the_same_and_nothing_moves() {
    let (test, waiting) = with_waiting().await;
    let all = callers(&test).await;
    let acts = doors(&waiting);
    let before = state(&test, &waiting).await;
    let mut wrong = Vec::new();
    for caller in &all {
        let done = audited(&test, caller.name, "success").await;
        for door in &acts {
            wrong.extend(tried(&test, caller, door).await);
        }
        assert_eq!(audited(&test, caller.name, "success").await, done, "{} has done something", caller.name);
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), all.len() * acts.len(), wrong.join("\n"));
    assert_eq!(state(&test, &waiting).await, before);
    who_may_gets_through(&test, &acts).await;
}

/// The same forms with the same fields: it was the right that was missing, and nothing else.
async fn who_may_gets_through(test: &TestPortal, acts: &[Door]) {
    let otto = test.another("otto", Role::Operator).await;
    for door in acts.iter().filter(|door| !["change", "cancel"].contains(&door.act)) {
        let page = otto.post(&door.form, &door.fields).await.led_to();
        if let Some(id) = page.strip_prefix("/deployments/") {
            let ended = test.ended(id).await;
            assert_eq!(ended["state"], "succeeded", "{}: {ended}", door.act);
        }
    }
}
