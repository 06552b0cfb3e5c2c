//! A service that is there comes under a golden path: its repository is read, what is missing is told, what was ticked is proposed, and later versions
//! are offered for what it follows.

use crate::onboarding::with_teams;
use crate::support::{Answer, TestPortal};
use passerelle_contract::access::Role;
use passerelle_server::config::Config;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const CATALOG: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: orders, namespace: shop, description: Takes orders}\nspec: {type: service, lifecycle: production, owner: 'group:shop/sellers', system: shop}\n";
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

/// The golden path moves on: what follows it is offered, what stands apart is left in peace.
async fn what_follows_is_offered(world: &Adopting, id: &str) {
    let test = &world.test;
    for (path, from, to) in [
        ("template.yaml", "version: 1.0.0", "version: 1.1.0"),
        ("files/run.sh", "exec serve", "exec serve --quiet"),
        ("files/README.md", "# <{ name }>", "# The <{ name }>"),
    ] {
        let path = world.templates.path().join("small-service").join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace(from, to)).unwrap();
    }
    let mut config = Config::default();
    config.onboarding.templates = world.templates.path().display().to_string();
    test.portal.onboarding.configure(&config);
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
