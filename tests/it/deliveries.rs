//! Files of a new service on their way to GitHub, GitLab and a folder of repositories, over HTTP; refused, failed, tried again, taken back.

use crate::onboarding::{body, with_teams};
use crate::support::{Answer, TestPortal};
use passerelle_contract::access::{Role, Scope};
use passerelle_simulator::{Faults, Only};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

/// With connections to both, which deliver to `acme`, and a service that was made.
async fn start() -> (TestPortal, String) {
    let test = with_teams(TestPortal::with_shop().await).await;
    for provider in ["github", "gitlab"] {
        let config = json!({ "provider": provider, "base_url": test.simulator.pipelines_url(), "token": { "value": "t" },
            "deliver_to": ["acme/*"], "simulated": true });
        let made = test.post("/connections", &json!({ "name": provider, "kind": "ci", "config": config })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    }
    let made = test.post("/onboardings", &body(json!({}))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = made.body["id"].as_str().unwrap().to_owned();
    (test, id)
}

fn to(connection: Option<&str>, repository: &str, into: &str) -> Value {
    json!({ "connection": connection, "repository": repository, "into": into })
}

async fn deliver(test: &TestPortal, id: &str, to: &Value) -> Value {
    let asked = test.post(&format!("/onboardings/{id}/deliveries"), to).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    ended(test, &asked.body).await
}

async fn ended(test: &TestPortal, delivery: &Value) -> Value {
    let path = path(delivery);
    let start = Instant::now();
    loop {
        let seen = test.get(&path).await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
        if seen.body["state"] != "running" {
            return seen.body;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{}", seen.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn path(delivery: &Value) -> String {
    format!("/onboardings/{}/deliveries/{}", delivery["onboarding"].as_str().unwrap(), delivery["id"].as_str().unwrap())
}

async fn act(test: &TestPortal, delivery: &Value, act: &str) -> Answer {
    test.post(&format!("{}/{act}", path(delivery)), &json!({})).await
}

fn steps(delivery: &Value) -> Vec<(&str, &str)> {
    let steps = delivery["steps"].as_array().unwrap();
    steps.iter().map(|step| (step["step"].as_str().unwrap(), step["state"].as_str().unwrap())).collect()
}

async fn read(test: &TestPortal, path: &str) -> Value {
    let request = test.http.get(format!("{}{path}", test.simulator.url()));
    request.bearer_auth("t").header("private-token", "t").send().await.unwrap().json().await.unwrap()
}

fn pointers(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    answer.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_opened_followed_and_taken_back() {
    let (test, id) = start().await;
    let done = deliver(&test, &id, &to(Some("github"), "acme/shop", "existing")).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(steps(&done), [("repository", "done"), ("commit", "done"), ("proposal", "done")]);
    assert_eq!(done["proposal_url"], "https://github.com/acme/shop/pull/1");
    let branch = done["branch"].as_str().unwrap();
    assert!(branch.starts_with("passerelle/orders-") && branch.ends_with(&id[id.len() - 12..]), "{branch}");
    let commit = read(&test, &format!("/repos/acme/shop/git/commits/{}", done["commit"].as_str().unwrap())).await;
    let tree = read(&test, &format!("/repos/acme/shop/git/trees/{}", commit["tree"]["sha"].as_str().unwrap())).await;
    let files = test.get(&format!("/onboardings/{id}")).await.body["files"].clone();
    let mode = |file: &Value| if file["executable"] == true { "100755" } else { "100644" };
    for file in files.as_array().unwrap() {
        let there = tree["tree"].as_array().unwrap().iter().find(|entry| entry["path"] == file["path"]).unwrap();
        assert_eq!(there["mode"], mode(file), "{file}");
    }
    // The same again finds the same.
    let again = deliver(&test, &id, &to(Some("github"), "acme/shop", "existing")).await;
    assert_eq!((&again["commit"], &again["proposal_url"]), (&done["commit"], &done["proposal_url"]));
    assert_eq!(test.simulator.effects("/github", "pulls/acme/shop"), 1);
    assert_eq!(act(&test, &done, "retry").await.status, StatusCode::CONFLICT, "nothing failed");

    let undone = act(&test, &done, "undo").await;
    assert_eq!(undone.status, StatusCode::OK, "{}", undone.body);
    let undone = ended(&test, &done).await;
    assert_eq!(undone["state"], "undone", "{undone}");
    assert_eq!(steps(&undone).last(), Some(&("undo", "done")));
    assert_eq!(read(&test, "/repos/acme/shop/pulls/1").await["state"], "closed");
    assert_eq!(read(&test, "/repos/acme/shop/branches").await.as_array().unwrap().len(), 1, "the branch is gone");
    assert_eq!(act(&test, &done, "undo").await.status, StatusCode::CONFLICT, "it was taken back");
    let asked = test.get("/audit?action=onboarding.deliver&outcome=success").await.body;
    let ran = test.get("/audit?action=onboarding.run&outcome=success").await.body;
    assert_eq!((&asked["total"], &ran["total"]), (&json!(3), &json!(3)), "{asked} {ran}");
    assert_eq!(asked["items"][2]["after"]["destination"]["repository"], "acme/shop", "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_repository_goes_again_only_while_it_is_ours_alone() {
    let (test, id) = start().await;
    for (connection, shown, effects) in [
        ("github", "/repos/acme/orders", "repositories/acme/orders"),
        ("gitlab", "/api/v4/projects/acme%2Forders", "projects/acme/orders"),
    ] {
        let done = deliver(&test, &id, &to(Some(connection), "acme/orders", "new")).await;
        assert_eq!((&done["state"], &done["branch"]), (&json!("done"), &json!("main")), "{done}");
        assert_eq!(test.simulator.effects(&format!("/{connection}"), effects), 1);
        assert!(read(&test, shown).await["description"].as_str().unwrap().contains("orders"));
        act(&test, &done, "undo").await;
        assert_eq!(ended(&test, &done).await["state"], "undone");
        assert!(read(&test, shown).await["message"].as_str().unwrap().contains("Not Found"));
        // A repository of somebody else's is refused, with the step and the cause.
        let taken = deliver(&test, &id, &to(Some(connection), "acme/shop", "new")).await;
        assert_eq!((&taken["state"], steps(&taken)[0]), (&json!("failed"), ("repository", "failed")), "{taken}");
        assert!(taken["steps"][0]["message"].as_str().unwrap().contains("exists already"), "{taken}");
        act(&test, &taken, "undo").await;
        let undone = ended(&test, &taken).await;
        assert_eq!(undone["state"], "undone", "{undone}");
        assert!(read(&test, &shown.replace("orders", "shop")).await["description"].is_string(), "it stays");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_repositories_gets_them_by_git() {
    let (test, id) = start().await;
    let done = deliver(&test, &id, &to(None, "acme/orders.git", "new")).await;
    assert_eq!(done["state"], "done", "{done}");
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").arg("--git-dir").arg(test.data.path().join("acme/orders.git")).args(arguments).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    assert_eq!(git(&["show", "main:README.md"]), "# orders\n\nTakes: \\#orders\n");
    assert!(git(&["ls-tree", "main", "run.sh"]).starts_with("100755 "));
    assert!(git(&["log", "-1", "--format=%B"]).contains(&format!("Passerelle-Delivery: {id}")));
    let branch = deliver(&test, &id, &to(None, "acme/orders.git", "existing")).await;
    assert_eq!(steps(&branch), [("repository", "done"), ("commit", "done")]);
    act(&test, &branch, "undo").await;
    assert_eq!(ended(&test, &branch).await["state"], "undone");
    assert_eq!(git(&["branch", "--format=%(refname:short)"]).trim(), "main");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_told_by_field_and_by_step() {
    let (test, id) = start().await;
    let path = format!("/onboardings/{id}/deliveries");
    for (to, wanted) in [
        (to(Some("github"), "other/shop", "existing"), "/repository"),
        (to(Some("github"), "acme/group/shop", "existing"), "/repository"),
        (to(Some("github"), "../shop", "existing"), "/repository"),
        (to(None, "acme/../../etc", "existing"), "/repository"),
        (to(None, "acme/.git", "new"), "/repository"),
        (to(Some("none"), "acme/shop", "existing"), "/connection"),
        (to(Some("c1"), "acme/shop", "existing"), "/connection"),
        (json!({ "connection": "github", "repository": "acme/shop", "into": "existing", "base": "a..b" }), "/base"),
        (json!({ "connection": "github", "repository": "acme/new", "base": "main" }), "/base"),
        (json!({ "connection": "github", "repository": "acme/shop", "into": "existing", "private": true }), "/private"),
        (json!({ "connection": "github", "repository": "acme/shop", "into": "elsewhere" }), "/into"),
        (json!({ "connection": "github", "repository": "acme/shop", "brnch": "x" }), "/brnch"),
    ] {
        let refused = test.post(&path, &to).await;
        assert!(pointers(&refused).contains(&wanted), "{to}: {}", refused.body);
    }
    assert_eq!(test.get(&path).await.body["total"], 0);

    // The token is refused: a person repairs it, and the same delivery goes on.
    let refusing =
        Faults { prefix: "/github".to_owned(), fail_next: 1, status: 403, only: Only::Writes, ..Faults::default() };
    test.simulator.set_faults(refusing);
    let failed = deliver(&test, &id, &to(Some("github"), "acme/shop", "existing")).await;
    assert_eq!((&failed["state"], steps(&failed)[1]), (&json!("failed"), ("commit", "failed")), "{failed}");
    assert!(failed["steps"][1]["message"].as_str().unwrap().contains("simulated fault"), "{failed}");
    let audited = test.get("/audit?action=onboarding.run&outcome=failure").await.body;
    assert!(audited["items"][0]["reason"].as_str().unwrap().starts_with("commit: "), "{audited}");
    assert_eq!(act(&test, &failed, "retry").await.status, StatusCode::OK);
    let done = ended(&test, &failed).await;
    assert_eq!(steps(&done), [("repository", "done"), ("commit", "done"), ("proposal", "done")], "{done}");
    // One that is away for a moment is asked again by itself.
    let away =
        Faults { prefix: "/gitlab".to_owned(), fail_next: 1, status: 503, only: Only::Writes, ..Faults::default() };
    test.simulator.set_faults(away);
    let done = deliver(&test, &id, &to(Some("gitlab"), "acme/shop", "existing")).await;
    assert_eq!((&done["state"], &done["steps"][1]["attempts"]), (&json!("done"), &json!(2)), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_whose_service_it_is_may_deliver_and_one_at_a_time() {
    let (test, id) = start().await;
    let path = format!("/onboardings/{id}/deliveries");
    let wanted = to(Some("github"), "acme/shop", "existing");
    let mut tokens = Vec::new();
    for (name, role, team) in
        [("dev", Role::Developer, "sellers"), ("looker", Role::Viewer, "sellers"), ("cook", Role::Developer, "cooks")]
    {
        tokens.push(test.token(name, role, Scope::Team(format!("shop/{team}"))).await);
    }
    assert_eq!(test.call(Method::POST, &path, &tokens[1], Some(&wanted)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(test.call(Method::POST, &path, &tokens[2], Some(&wanted)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(test.call(Method::GET, &path, &tokens[2], None).await.status, StatusCode::NOT_FOUND);
    test.simulator.set_faults(Faults { prefix: "/github".to_owned(), freeze: true, ..Faults::default() });
    let all =
        futures::future::join_all((0..8).map(|_| test.call(Method::POST, &path, &tokens[0], Some(&wanted)))).await;
    assert_eq!(all.iter().filter(|answer| answer.status == StatusCode::CREATED).count(), 1);
    assert_eq!(all.iter().filter(|answer| answer.status == StatusCode::CONFLICT).count(), 7);
    let asked = all.iter().find(|answer| answer.status == StatusCode::CREATED).unwrap();
    assert_eq!(act(&test, &asked.body, "undo").await.status, StatusCode::CONFLICT, "steps are under way");
    test.simulator.clear_faults();
    assert_eq!(ended(&test, &asked.body).await["state"], "done");
    let send = || async {
        let request = test.http.post(format!("{}/api/v1{path}", test.url)).bearer_auth(&test.admin);
        let response = request.header("idempotency-key", "one").json(&wanted).send().await.unwrap();
        response.json::<Value>().await.unwrap()["id"].clone()
    };
    assert_eq!(send().await, send().await);
    assert_eq!(test.get(&path).await.body["total"], 2);
}

/// A service of which the catalog says that it comes out of `acme/shop` on GitHub.
fn laid(name: &str, team: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n  namespace: shop\n  annotations:\n    github.com/project-slug: acme/Shop\nspec: {{type: service, lifecycle: production, owner: 'group:shop/{team}', system: shop}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_of_another_team_wants_the_right_on_its_service_too() {
    let (test, id) = start().await;
    assert_eq!(test.import(laid("stove", "cooks")).await.status, StatusCode::OK);
    let seller = test.token("seller", Role::Developer, Scope::Team("shop/sellers".to_owned())).await;
    let path = format!("/onboardings/{id}/deliveries");
    let rows = test.rows().await;
    for (repository, into) in
        [("acme/shop", "existing"), ("acme/SHOP", "existing"), ("acme/shop.git", "existing"), ("acme/shop", "new")]
    {
        let wanted = to(Some("github"), repository, into);
        let refused = test.call(Method::POST, &path, &seller, Some(&wanted)).await;
        assert_eq!(pointers(&refused), ["/repository"], "{wanted}");
        assert!(!refused.body.to_string().contains("stove"), "{}", refused.body);
    }
    assert_eq!(test.rows().await, rows);
    assert_eq!(test.simulator.effects("/github", "pulls/acme/shop"), 0);
    let denied = test.get("/audit?action=onboarding.deliver&outcome=denied").await.body;
    assert_eq!((&denied["total"], &denied["items"][0]["object"]), (&json!(4), &json!("onboarding:shop/stove")));

    // The same name at another provider is another repository.
    let there = to(Some("gitlab"), "acme/shop", "existing");
    let asked = test.call(Method::POST, &path, &seller, Some(&there)).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    assert_eq!(ended(&test, &asked.body).await["state"], "done");
    // Whoever may deliver both may, and so may its own team once an import says that it is at home there.
    let here = to(Some("github"), "acme/shop", "existing");
    assert_eq!(deliver(&test, &id, &here).await["state"], "done");
    assert_eq!(test.import(laid("orders", "sellers")).await.status, StatusCode::OK);
    let asked = test.call(Method::POST, &path, &seller, Some(&here)).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    assert_eq!(ended(&test, &asked.body).await["state"], "done");
}

/// The page: asked for by a form without scripts, followed by reading it again, taken back; in French too.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_asks_shows_the_steps_and_takes_back() {
    let (test, id) = start().await;
    let person = test.person().await;
    let page = format!("/onboarding/{id}");
    let form = format!("{page}/deliveries");
    assert!(person.get(&page).await.html.contains("github (acme/*)"));
    let wrong = [("connection", "github"), ("repository", "other/shop"), ("into", "existing"), ("base", "")];
    let refused = person.post(&form, &wrong).await;
    refused.refused();
    assert!(refused.error_at("repository").contains("acme/*"), "{}", refused.html);
    assert!(refused.html.contains("value=\"other/shop\""), "what was typed stays");
    let right = [
        ("connection", "github"),
        ("repository", "acme/shop"),
        ("into", "existing"),
        ("base", ""),
        ("private", "true"),
    ];
    assert_eq!(person.post(&form, &right).await.led_to(), page);
    let delivery = test.get(&format!("/onboardings/{id}/deliveries")).await.body["items"][0].clone();
    assert_eq!(ended(&test, &delivery).await["state"], "done");
    let done = person.get(&page).await;
    for words in ["https://github.com/acme/shop/pull/1", "Request to take it in", "request 1 is open", "delivered"] {
        assert!(done.html.contains(words), "{words}: {}", done.html);
    }
    assert!(!done.html.contains("data-live="), "nothing is under way");
    let undo = format!("{form}/{}/undo", delivery["id"].as_str().unwrap());
    assert_eq!(person.post(&undo, &[]).await.led_to(), page);
    assert_eq!(ended(&test, &delivery).await["state"], "undone");
    let undone = person.get(&page).await;
    assert!(undone.html.contains("taken back") && undone.html.contains("request 1 is closed"), "{}", undone.html);
    let french = test.http.get(format!("{}/api/v1{}", test.url, path(&delivery))).bearer_auth(&test.admin);
    let french: Value = french.header("accept-language", "fr").send().await.unwrap().json().await.unwrap();
    assert!(french["steps"][2]["message"].as_str().unwrap().contains("demande 1 ouverte"), "{french}");
}
