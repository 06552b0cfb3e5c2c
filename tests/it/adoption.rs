//! A service that is there comes under a golden path: its repository is read, what is missing is told, what was ticked is proposed, and later versions
//! are offered for what it follows.

use crate::onboarding::{body, with_teams};
use crate::support::{Answer, TestPortal};
use passerelle_contract::access::{Role, Scope};
use passerelle_server::config::Config;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const CATALOG: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: orders, namespace: shop, description: Takes orders}\nspec: {type: service, lifecycle: production, owner: 'group:shop/sellers', system: shop}\n";
const STOVE: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: stove, namespace: shop, annotations: {github.com/project-slug: team/orders}}\nspec: {type: service, lifecycle: production, owner: 'group:shop/cooks'}\n";
const DOCKERFILE: &str = "FROM python:3.12\nCOPY . .\nEXPOSE 9000\n";

pub struct Adopting {
    pub test: TestPortal,
    repositories: tempfile::TempDir,
    templates: tempfile::TempDir,
}

/// With a folder of repositories in which `team/orders.git` has these files.
pub async fn start(files: &[(&str, &str)]) -> Adopting {
    let (repositories, templates) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    crate::updates::copy(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/templates")), templates.path());
    let (folder, own) = (repositories.path().display().to_string(), templates.path().display().to_string());
    let test = TestPortal::start_with(move |config, _| {
        config.onboarding.repositories = folder;
        config.onboarding.templates = own;
    })
    .await;
    crate::support::seed(&test.http, &test.url, &test.admin, &test.simulator.kubernetes_url("test")).await;
    let adopting = Adopting { test: with_teams(test).await, repositories, templates };
    adopting.repository(files);
    adopting
}

impl Adopting {
    fn git(&self, arguments: &[&str]) -> String {
        let place = self.repositories.path().join("team/orders.git");
        let output = Command::new("git")
            .args(["-C", place.to_str().unwrap()])
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn repository(&self, files: &[(&str, &str)]) {
        let place = self.repositories.path().join("team/orders.git");
        std::fs::create_dir_all(&place).unwrap();
        self.git(&["init", "--quiet"]);
        for (path, text) in files {
            let path = place.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "theirs"]);
    }

    pub async fn adopt(&self, act: &str, changes: Value) -> Answer {
        let mut wanted = json!({ "template": "small-service", "from": { "repository": "team/orders.git" } });
        wanted.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.test.post(&format!("/adoptions{act}"), &wanted).await
    }

    /// Changes files of the golden path, and has them read.
    fn moves_on(&self, changes: &[(&str, &str, &str)]) {
        for (path, from, to) in changes {
            let path = self.templates.path().join("small-service").join(path);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace(from, to)).unwrap();
        }
        let mut config = Config::default();
        config.onboarding.templates = self.templates.path().display().to_string();
        self.test.portal.onboarding.configure(&config);
    }

    async fn ended(&self, id: &str) -> Value {
        let start = Instant::now();
        loop {
            let all = self.test.get(&format!("/onboardings/{id}/deliveries")).await.body;
            if all["items"][0]["state"] != "running" {
                return all["items"][0].clone();
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{all}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn files(answer: &Value) -> Vec<(&str, &str, bool)> {
    let all = answer["files"].as_array().unwrap_or_else(|| panic!("{answer}"));
    all.iter()
        .map(|file| (file["path"].as_str().unwrap(), file["standing"].as_str().unwrap(), file["chosen"] == true))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_told_proposed_and_followed() {
    let world = start(&[
        ("catalog-info.yaml", CATALOG),
        ("Dockerfile", DOCKERFILE),
        ("README.md", "# Ours\n"),
        ("setup.py", ""),
    ])
    .await;
    let test = &world.test;
    let rows = test.rows().await;
    let seen = world.adopt("/preview", json!({})).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    let seen = seen.body;
    assert_eq!(
        (&seen["service"], &seen["known"], &seen["errors"]),
        (&json!("shop/orders"), &json!(false), &json!([])),
        "{seen}"
    );
    assert_eq!(seen["answers"]["port"], 9000);
    let told = |name: &str| {
        seen["found"].as_array().unwrap().iter().find(|one| one["parameter"] == name).unwrap()["told_by"].clone()
    };
    assert_eq!((told("owner"), told("port")), (json!("catalog-info.yaml"), json!("Dockerfile")));
    assert_eq!(
        files(&seen),
        [
            ("README.md", "differs", false),
            ("catalog-info.yaml", "differs", false),
            ("portal.yaml", "missing", true),
            ("run.sh", "missing", true)
        ]
    );
    assert_eq!(seen["files"][3]["difference"], "@@ -0,0 +1,2 @@\n+#!/bin/sh\n+exec serve --port 9000\n");
    assert_eq!(
        seen["practices"],
        json!([{ "practice": "catalog", "standing": "there", "path": "catalog-info.yaml", "brought_by": ["catalog-info.yaml"] }])
    );
    assert_eq!(test.rows().await, rows, "looking changes nothing");

    let made = world.adopt("", json!({ "files": ["run.sh"], "deliver": true })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert_eq!((&made.body["files"].as_array().unwrap().len(), &made.body["files"][0]["path"]), (&1, &json!("run.sh")));
    assert_eq!(made.body["adopted"]["base"].as_str().unwrap(), world.git(&["rev-parse", "main"]).trim());
    let service = test.get("/services/shop/orders").await.body;
    assert_eq!(service["owner"], "shop/sellers", "{service}");
    let done = world.ended(&id).await;
    assert_eq!(done["state"], "done", "{done}");
    let branch = done["branch"].as_str().unwrap();
    assert_eq!(world.git(&["show", &format!("{branch}:run.sh")]), "#!/bin/sh\nexec serve --port 9000\n");
    assert_eq!(world.git(&["diff", "--name-only", "main", branch]), "run.sh\n", "nothing but what was ticked");
    assert!(world.git(&["log", "-1", "--format=%s", branch]).starts_with("Bring orders onto small-service 1.0.0"));

    world.git(&["merge", "--quiet", "--ff-only", branch]);
    what_follows_is_offered(&world, &id).await;
}

/// A later version of the golden path.
const LATER: [(&str, &str, &str); 3] = [
    ("template.yaml", "version: 1.0.0", "version: 1.1.0"),
    ("files/run.sh", "exec serve", "exec serve --quiet"),
    ("files/README.md", "# <{ name }>", "# The <{ name }>"),
];

/// The golden path moves on: what follows it is offered, what stands apart is left in peace.
async fn what_follows_is_offered(world: &Adopting, id: &str) {
    let test = &world.test;
    world.moves_on(&LATER);
    let update = test.post(&format!("/onboardings/{id}/updates/preview"), &json!({})).await;
    assert_eq!(update.status, StatusCode::OK, "{}", update.body);
    let changes: Vec<_> =
        update.body["changes"].as_array().unwrap().iter().map(|one| (&one["path"], &one["outcome"])).collect();
    assert_eq!(changes, [(&json!("run.sh"), &json!("updated"))], "{}", update.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_the_catalog_stays_as_it_is_and_is_adopted_once() {
    let world = start(&[("README.md", "Serves pages.\n")]).await;
    let test = &world.test;
    let before = test.get("/services/shop/web").await.body;
    let missing = world.adopt("/preview", json!({})).await.body;
    let pointers: Vec<_> =
        missing["errors"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/answers/owner", "/answers/system"], "{missing}");
    assert_eq!((&missing["files"], missing["practices"].as_array().unwrap().len()), (&json!([]), 1));
    let answers =
        json!({ "name": "web", "description": "Serves pages.", "owner": "group:shop/sellers", "system": "shop/shop" });
    let seen = world.adopt("/preview", json!({ "answers": answers })).await.body;
    assert_eq!((&seen["known"], &seen["service"]), (&json!(true), &json!("shop/web")), "{seen}");
    let made = world.adopt("", json!({ "answers": answers, "files": [] })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(test.get("/services/shop/web").await.body, before);
    let id = made.body["id"].as_str().unwrap();
    let nothing = test
        .post(&format!("/onboardings/{id}/deliveries"), &json!({ "repository": "team/orders.git", "into": "existing" }))
        .await;
    assert_eq!(nothing.status, StatusCode::CONFLICT, "{}", nothing.body);
    let again = world.adopt("", json!({ "answers": answers })).await;
    assert_eq!(
        (again.status, &again.body["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/answers/name"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_adopted_is_told_where_it_was_given() {
    let world = start(&[("catalog-info.yaml", CATALOG)]).await;
    for (changes, pointer) in [
        (json!({ "template": "none" }), "/template"),
        (json!({ "from": { "repository": "../orders" } }), "/from/repository"),
        (json!({ "from": { "repository": "team/none.git" } }), "/from/repository"),
        (json!({ "from": { "repository": "team/orders.git", "base": "none" } }), "/from/repository"),
        (json!({ "from": { "repository": "team/orders.git", "base": "a..b" } }), "/from/base"),
        (json!({ "from": { "connection": "none", "repository": "team/orders" } }), "/from/connection"),
        (json!({ "files": ["run.sh", "etc/passwd"] }), "/files/1"),
        (json!({ "from": null, "deliver": true }), "/from"),
        (json!({ "answers": { "name": "../x" } }), "/answers/name"),
    ] {
        let rows = world.test.rows().await;
        let refused = world.adopt("", changes.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{changes}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{changes}: {}", refused.body);
        assert_eq!(world.test.rows().await, rows, "{changes}");
    }
    let viewer = world.test.another("vera", Role::Viewer).await;
    assert_eq!(viewer.get("/onboard/small-service/adopt").await.status, StatusCode::FORBIDDEN);
}

/// Refused, whether the service is out of sight or only out of reach.
fn anothers(answer: &Answer, pointer: &str) {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    let error = &answer.body["errors"][0];
    let words = "belongs to a service that your roles do not let you deliver";
    assert_eq!((&error["pointer"], &error["message"]), (&json!(pointer), &json!(words)), "{}", answer.body);
    assert!(!answer.body.to_string().contains("stove"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repository_of_another_team_is_not_proposed_to() {
    let world = start(&[("catalog-info.yaml", CATALOG), ("Dockerfile", DOCKERFILE)]).await;
    let test = &world.test;
    assert_eq!(test.import(STOVE).await.status, StatusCode::OK);
    let sellers = Scope::Team("shop/sellers".to_owned());
    let seller = test.token("seller", Role::Developer, sellers.clone()).await;
    // She may look at everything, and deliver for the sellers only.
    let ada = test.signed_in("ada", Role::Viewer).await;
    let role = json!({ "user": "ada", "role": Role::Developer, "scope": sellers });
    assert_eq!(test.post("/role-bindings", &role).await.status, StatusCode::CREATED);
    let mut wanted = json!({ "template": "small-service", "from": { "repository": "team/orders.git" },
        "files": ["run.sh"], "deliver": true });
    let rows = test.rows().await;
    anothers(&test.call(Method::POST, "/adoptions", &seller, Some(&wanted)).await, "/from/repository");
    anothers(&ada.post("/adoptions", &wanted).await, "/from/repository");
    assert_eq!(test.rows().await, rows);
    let denied = test.get("/audit?action=onboarding.deliver&outcome=denied").await.body;
    assert_eq!((&denied["total"], &denied["items"][0]["object"]), (&json!(2), &json!("onboarding:shop/stove")));

    // The tie alone writes nothing there; what comes later is asked then.
    wanted["deliver"] = json!(false);
    let made = test.call(Method::POST, "/adoptions", &seller, Some(&wanted)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let path = format!("/onboardings/{}", made.body["id"].as_str().unwrap());
    let to = json!({ "repository": "team/orders.git", "into": "existing" });
    anothers(&test.call(Method::POST, &format!("{path}/deliveries"), &seller, Some(&to)).await, "/repository");
    world.moves_on(&LATER);
    let updated = test.call(Method::POST, &format!("{path}/updates"), &seller, Some(&json!({}))).await;
    anothers(&updated, "/to/repository");
    assert_eq!(test.get(&format!("{path}/deliveries")).await.body["total"], 0);
    assert_eq!(world.git(&["branch", "--format=%(refname:short)"]).trim(), "main");
    let asked = test.post(&format!("{path}/deliveries"), &to).await;
    assert_eq!(asked.status, StatusCode::CREATED, "an administrator may: {}", asked.body);
    assert_eq!(world.ended(made.body["id"].as_str().unwrap()).await["state"], "done");
}

/// The golden path writes the annotation from an answer, so whoever makes a service can name any repository.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_says_of_itself_opens_no_repository_of_others() {
    let world = start(&[("README.md", "# Ours\n")]).await;
    let test = &world.test;
    let mark = "    passerelle.dev/template:";
    let annotation = format!("    github.com/project-slug: team/orders.git\n{mark}");
    world.moves_on(&[("files/catalog-info.yaml", mark, &annotation)]);
    let to = json!({ "repository": "team/orders.git", "into": "existing" });
    let mut made = Vec::new();
    for (name, team) in [("orders", "sellers"), ("oven", "cooks")] {
        let token = test.token(team, Role::Developer, Scope::Team(format!("shop/{team}"))).await;
        let wanted = body(json!({ "name": name, "owner": format!("group:shop/{team}") }));
        let onboarding = test.call(Method::POST, "/onboardings", &token, Some(&wanted)).await;
        assert_eq!(onboarding.status, StatusCode::CREATED, "{}", onboarding.body);
        made.push((token, onboarding.body["id"].as_str().unwrap().to_owned()));
    }
    let deliver = async |(token, id): &(String, String)| {
        test.call(Method::POST, &format!("/onboardings/{id}/deliveries"), token, Some(&to)).await
    };
    anothers(&deliver(&made[1]).await, "/repository");
    let first = deliver(&made[0]).await;
    assert_eq!(first.status, StatusCode::CREATED, "who comes later keeps nobody out: {}", first.body);
    assert_eq!(world.ended(&made[0].1).await["state"], "done");
    let home = STOVE.replace("stove", "oven").replace("team/orders", "team/orders.git");
    assert_eq!(test.import(home).await.status, StatusCode::OK);
    let asked = deliver(&made[1]).await;
    assert_eq!(asked.status, StatusCode::CREATED, "an import says that it is at home: {}", asked.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_is_told_what_is_still_to_be_answered() {
    const FORM: &str = "/onboard/small-service/adopt";
    const TOLD_OFF: &str = "Some fields need another look";
    let world = start(&[("README.md", "Serves pages.\n")]).await;
    let mut person = world.test.person().await;
    let place = [("connection", "."), ("repository", "team/orders.git")];
    let link = format!("{FORM}?connection=.&repository=team/orders.git");
    let linked = person.get(&link).await;
    let looked = person.post(FORM, &[("act", "look"), place[0], place[1]]).await;
    for look in [linked, looked] {
        assert_eq!(look.status, StatusCode::OK, "{}", look.html);
        for words in ["Some answers were not found", "Still to be answered."] {
            assert!(look.html.contains(words), "{words}: {}", look.html);
        }
        for words in [TOLD_OFF, "class=\"alert bad\"", "aria-invalid", "id=\"f-p.owner-err\""] {
            assert!(!look.html.contains(words), "{words}: {}", look.html);
        }
    }
    let answers = [
        ("shown", "name,description,owner,system,language,port,measured"),
        ("p.name", "orders"),
        ("p.description", "Serves pages."),
        ("p.owner", ""),
        ("p.system", ""),
        ("p.language", "python"),
    ];
    // What was typed and is wrong is told; what was not is still a hint.
    let typed = [vec![("act", "look"), place[0], place[1], ("p.port", "80")], answers.to_vec()].concat();
    let wrong = person.post(FORM, &typed).await;
    assert!(wrong.html.contains(TOLD_OFF) && wrong.error_at("p.port").contains("1024"), "{}", wrong.html);
    assert!(wrong.html.contains("Still to be answered.") && !wrong.html.contains("id=\"f-p.owner-err\""));
    // Whoever adopts is refused.
    let sent = [vec![("act", "adopt"), place[0], place[1], ("p.port", "8080")], answers.to_vec()].concat();
    let refused = person.post(FORM, &sent).await;
    refused.refused();
    assert!(refused.html.contains(TOLD_OFF) && !refused.error_at("p.owner").is_empty(), "{}", refused.html);
    assert!(!refused.html.contains("Still to be answered."), "one of both");
    person.speak("fr");
    let french = person.get(&link).await;
    assert!(french.html.contains("Encore à répondre.") && !french.html.contains("Certains champs"), "{}", french.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_leads_from_the_repository_to_the_branch_without_scripts() {
    const FORM: &str = "/onboard/small-service/adopt";
    let world = start(&[("catalog-info.yaml", CATALOG), ("Dockerfile", DOCKERFILE)]).await;
    let mut person = world.test.person().await;
    assert!(person.get("/onboard").await.html.contains(FORM));
    assert!(person.get(FORM).await.html.contains("The repository of the service"));
    let empty = person.post(FORM, &[("act", "look"), ("connection", ".")]).await;
    empty.refused();
    assert_eq!(empty.error_at("repository"), "is needed");
    let place = [("connection", "."), ("repository", "team/orders.git")];
    let seen = person.post(FORM, &[("act", "look"), place[0], place[1]]).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.html);
    for words in [
        "Adopt shop/orders",
        "name=\"file.run.sh\"",
        "exec serve --port 9000",
        "Described for the catalog",
        "value=\"9000\"",
    ] {
        assert!(seen.html.contains(words), "{words}: {}", seen.html);
    }
    let answers = [
        ("shown", "name,description,owner,system,language,port,image,measured"),
        ("p.name", "orders"),
        ("p.description", "Takes orders"),
        ("p.owner", "group:shop/sellers"),
        ("p.system", "shop/shop"),
        ("p.language", "python"),
        ("p.port", "9100"),
        ("listed", "README.md catalog-info.yaml run.sh"),
        ("file.run.sh", "true"),
        ("deliver", "true"),
    ];
    // Another answer, another look: the ticks stay.
    let again = person.post(FORM, &[vec![("act", "look"), place[0], place[1]], answers.to_vec()].concat()).await;
    let ticked = again.html.contains("name=\"file.run.sh\" value=\"true\" checked");
    assert!(
        ticked
            && again.html.contains("--port 9100")
            && !again.html.contains("name=\"file.README.md\" value=\"true\" checked"),
        "{}",
        again.html
    );
    person.speak("fr");
    let french = person.post(FORM, &[("act", "look"), place[0], place[1]]).await;
    assert!(french.html.contains("Adopter shop/orders") && french.html.contains("présent"), "{}", french.html);
    let made =
        person.post(FORM, &[vec![("act", "adopt"), place[0], place[1]], answers.to_vec()].concat()).await.led_to();
    let id = made.trim_start_matches("/onboarding/").to_owned();
    assert_eq!(world.ended(&id).await["state"], "done");
    let page = person.get(&made).await;
    assert!(page.html.contains("team/orders.git") && page.html.contains("run.sh"), "{}", page.html);
    let twice = person.post(FORM, &[vec![("act", "adopt"), place[0], place[1]], answers.to_vec()].concat()).await;
    twice.refused();
    assert_eq!(twice.error_at("p.name"), "il y a déjà un service shop/orders");
}
