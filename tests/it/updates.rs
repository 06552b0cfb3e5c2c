//! A template moves on: the service is behind, the update keeps what people changed, is proposed by the same steps, and ends when it is taken in.

use crate::onboarding::{body, with_teams};
use crate::support::TestPortal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use passerelle_server::config::Config;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

struct Moved {
    test: TestPortal,
    templates: tempfile::TempDir,
    id: String,
}

/// A service of version 1.0.0 that was delivered to a new repository, by `provider` or into the folder.
async fn start(provider: Option<&str>) -> Moved {
    let templates = tempfile::tempdir().unwrap();
    copy(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/templates")), templates.path());
    let folder = templates.path().display().to_string();
    let test = TestPortal::start_with(move |config, _| config.onboarding.templates = folder).await;
    crate::support::seed(&test.http, &test.url, &test.admin, &test.simulator.kubernetes_url("test")).await;
    let test = with_teams(test).await;
    if let Some(provider) = provider {
        let config = json!({ "provider": provider, "base_url": test.simulator.pipelines_url(), "token": { "value": "t" },
            "deliver_to": ["acme/*"], "simulated": true });
        let made = test.post("/connections", &json!({ "name": "forge", "kind": "ci", "config": config })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    }
    let made = test.post("/onboardings", &body(json!({}))).await;
    let id = made.body["id"].as_str().unwrap().to_owned();
    let connection = provider.map(|_| "forge");
    let to = json!({ "connection": connection, "repository": "acme/orders", "into": "new" });
    let asked = test.post(&format!("/onboardings/{id}/deliveries"), &to).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    let moved = Moved { test, templates, id };
    assert_eq!(moved.until(&asked.body, |seen| seen["state"] != "running").await["state"], "done");
    moved
}

pub fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, to) = (entry.as_ref().unwrap(), to.join(entry.as_ref().unwrap().file_name()));
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Moved {
    fn edit(&self, path: &str, change: impl Fn(&str) -> String) {
        let path = self.templates.path().join("small-service").join(path);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(path, change(&text)).unwrap();
    }

    /// The later version: a line more in `run.sh`, another head of the README, a new file; read by the portal.
    fn release(&self, version: &str) {
        self.edit("template.yaml", |text| text.replace("version: 1.0.0", &format!("version: {version}")));
        self.edit("files/run.sh", |text| format!("{text}# of {version}\n"));
        self.edit("files/README.md", |text| text.replace("# <{ name }>", "# Service <{ name }>"));
        self.edit("files/NOTICE.txt", |_| "new\n".to_owned());
        let mut config = Config::default();
        config.onboarding.templates = self.templates.path().display().to_string();
        self.test.portal.onboarding.configure(&config);
    }

    async fn until(&self, delivery: &Value, looks: fn(&Value) -> bool) -> Value {
        let path = format!("/onboardings/{}/deliveries/{}", self.id, delivery["id"].as_str().unwrap());
        let start = Instant::now();
        loop {
            let seen = self.test.get(&path).await.body;
            if looks(&seen) {
                return seen;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{seen}");
            tokio::time::sleep(Duration::from_millis(200)).await;
            self.look_now().await;
        }
    }

    /// The next look whether it was taken in, without waiting for its minute.
    async fn look_now(&self) {
        let mut database = self.test.database.superuser().await;
        sqlx::query("UPDATE onboarding_deliveries SET next_at = now()").execute(&mut database).await.unwrap();
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self.test.http.request(method, format!("{}{path}", self.test.simulator.url()));
        let answer = request.bearer_auth("t").header("private-token", "t").json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap_or_default()
    }

    /// Somebody's commit on the first branch, on GitHub.
    async fn push(&self, files: &[(&str, Option<&str>)]) {
        let git = "/repos/acme/orders/git";
        let tip = self.call(Method::GET, &format!("{git}/ref/heads/main"), &json!({})).await["object"]["sha"].clone();
        let commit = self.call(Method::GET, &format!("{git}/commits/{}", tip.as_str().unwrap()), &json!({})).await;
        let entry = |(path, content): &(&str, Option<&str>)| match content {
            Some(content) => json!({ "path": path, "mode": "100644", "type": "blob", "content": content }),
            None => json!({ "path": path, "mode": "100644", "type": "blob", "sha": null }),
        };
        let tree = json!({ "base_tree": commit["tree"]["sha"], "tree": files.iter().map(entry).collect::<Vec<_>>() });
        let tree = self.call(Method::POST, &format!("{git}/trees"), &tree).await;
        let commit = json!({ "message": "mine", "tree": tree["sha"], "parents": [tip] });
        let commit = self.call(Method::POST, &format!("{git}/commits"), &commit).await;
        self.call(Method::PATCH, &format!("{git}/refs/heads/main"), &json!({ "sha": commit["sha"] })).await;
    }

    /// A file as it is on GitHub's first branch.
    async fn on_main(&self, path: &str) -> String {
        let git = "/repos/acme/orders/git";
        let tip = self.call(Method::GET, &format!("{git}/ref/heads/main"), &json!({})).await;
        let commit = format!("{git}/commits/{}", tip["object"]["sha"].as_str().unwrap());
        let commit = self.call(Method::GET, &commit, &json!({})).await;
        let tree = format!("{git}/trees/{}", commit["tree"]["sha"].as_str().unwrap());
        let tree = self.call(Method::GET, &tree, &json!({})).await;
        let file = tree["tree"].as_array().unwrap().iter().find(|entry| entry["path"] == path).unwrap();
        let blob = self.call(Method::GET, &format!("{git}/blobs/{}", file["sha"].as_str().unwrap()), &json!({})).await;
        String::from_utf8(STANDARD.decode(blob["content"].as_str().unwrap()).unwrap()).unwrap()
    }

    async fn updates(&self, act: &str, wanted: &Value) -> crate::support::Answer {
        self.test.post(&format!("/onboardings/{}/updates{act}", self.id), wanted).await
    }
}

fn outcomes(update: &Value) -> Vec<(&str, &str)> {
    let changes = update["changes"].as_array().unwrap_or_else(|| panic!("{update}"));
    changes.iter().map(|change| (change["path"].as_str().unwrap(), change["outcome"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_version_is_told_proposed_and_keeps_what_people_changed() {
    let moved = start(Some("github")).await;
    let (test, id) = (&moved.test, moved.id.clone());
    assert_eq!(moved.updates("/preview", &json!({})).await.status, StatusCode::CONFLICT, "there is no later version");
    assert_eq!(test.get("/onboardings?behind=true").await.body["total"], 0);
    // What people did since: a line before theirs, the same line as theirs, and a file that they deleted.
    moved
        .push(&[
            ("run.sh", Some("#!/bin/sh\nset -e\nexec serve --port 8080\n")),
            ("README.md", Some("# Our orders\n\nTakes: \\#orders\n")),
        ])
        .await;
    moved.release("1.1.0");
    let behind = test.get("/onboardings?behind=true").await.body;
    assert_eq!((&behind["total"], &behind["items"][0]["available"]), (&json!(1), &json!("1.1.0")), "{behind}");
    assert_eq!(test.get("/onboardings?behind=false").await.body["total"], 0);

    let rows = test.rows().await;
    let preview = moved.updates("/preview", &json!({})).await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.body);
    assert_eq!(
        outcomes(&preview.body),
        [("NOTICE.txt", "added"), ("README.md", "conflict"), ("catalog-info.yaml", "updated"), ("run.sh", "merged")]
    );
    assert_eq!(
        preview.body["changes"][3]["difference"],
        "@@ -1,3 +1,4 @@\n #!/bin/sh\n set -e\n exec serve --port 8080\n+# of 1.1.0\n"
    );
    assert_eq!(test.rows().await, rows, "looking changes nothing");

    let asked = moved.updates("", &json!({})).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    assert_eq!((&asked.body["purpose"], &asked.body["template_version"]), (&json!("update"), &json!("1.1.0")));
    // Somebody pushes while it is under way: theirs is merged by the forge, not overwritten by us.
    moved.push(&[("later.txt", Some("later\n"))]).await;
    let open = moved.until(&asked.body, |seen| seen["steps"][3]["state"] == "running").await;
    assert_eq!(open["proposal_url"], "https://github.com/acme/orders/pull/1", "{open}");
    let pull = moved.call(Method::GET, "/repos/acme/orders/pulls/1", &json!({})).await;
    assert_eq!(pull["title"], "Update orders to small-service 1.1.0 (with conflicts)");
    assert!(pull["body"].as_str().unwrap().contains("- `README.md`"), "{pull}");
    assert_eq!(moved.updates("", &json!({})).await.status, StatusCode::CONFLICT, "one at a time");
    assert_eq!(
        test.get(&format!("/onboardings/{id}")).await.body["template_version"],
        "1.0.0",
        "not before it is taken in"
    );

    moved.call(Method::PUT, "/repos/acme/orders/pulls/1/merge", &json!({})).await;
    let done = moved.until(&asked.body, |seen| seen["state"] != "running").await;
    assert_eq!(done["state"], "done", "{done}");
    let made = test.get(&format!("/onboardings/{id}")).await.body;
    assert_eq!((&made["template_version"], &made["available"]), (&json!("1.1.0"), &Value::Null));
    assert_eq!(made["files"].as_array().unwrap().iter().filter(|file| file["path"] == "NOTICE.txt").count(), 1);
    assert_eq!(test.get("/onboardings?behind=true").await.body["total"], 0);
    assert_eq!(moved.on_main("run.sh").await, "#!/bin/sh\nset -e\nexec serve --port 8080\n# of 1.1.0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_closed_leaves_the_service_where_it_was() {
    let moved = start(Some("gitlab")).await;
    moved.release("1.1.0");
    let elsewhere = json!({ "to": { "connection": "forge", "repository": "other/orders", "into": "existing" } });
    let refused = moved.updates("/preview", &elsewhere).await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/to/repository", "{}", refused.body);
    let wrong = moved.updates("/preview", &json!({ "answers": { "port": 80, "colour": "red" } })).await;
    let pointers: Vec<&str> =
        wrong.body["errors"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    assert!(pointers.contains(&"/answers/port") && pointers.contains(&"/answers/colour"), "{}", wrong.body);
    let asked = moved.updates("", &json!({ "answers": { "port": 9000 } })).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    let open = moved.until(&asked.body, |seen| seen["steps"][3]["state"] == "running").await;
    assert!(open["proposal_url"].as_str().unwrap().ends_with("/merge_requests/1"), "{open}");
    moved
        .call(Method::PUT, "/api/v4/projects/acme%2Forders/merge_requests/1", &json!({ "state_event": "close" }))
        .await;
    let closed = moved.until(&asked.body, |seen| seen["state"] != "running").await;
    assert_eq!((&closed["state"], &closed["steps"][3]["state"]), (&json!("failed"), &json!("failed")), "{closed}");
    let undone = moved
        .test
        .post(&format!("/onboardings/{}/deliveries/{}/undo", moved.id, closed["id"].as_str().unwrap()), &json!({}))
        .await;
    assert_eq!(undone.status, StatusCode::OK, "{}", undone.body);
    assert_eq!(moved.until(&asked.body, |seen| seen["state"] != "running").await["state"], "undone");
    let made = moved.test.get(&format!("/onboardings/{}", moved.id)).await.body;
    assert_eq!((&made["template_version"], &made["answers"]["port"]), (&json!("1.0.0"), &json!(8080)), "{made}");
    // Taken back while its people have not answered yet.
    let asked = moved.updates("", &json!({})).await;
    moved.until(&asked.body, |seen| seen["steps"][3]["state"] == "running").await;
    let undo = format!("/onboardings/{}/deliveries/{}/undo", moved.id, asked.body["id"].as_str().unwrap());
    assert_eq!(moved.test.post(&undo, &json!({})).await.status, StatusCode::OK);
    assert_eq!(moved.until(&asked.body, |seen| seen["state"] != "running").await["state"], "undone");
}

/// A question that is new in the later version: a hint for whoever only looks, an error for whoever proposes without an answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_question_is_asked_before_anybody_is_told_off() {
    let moved = start(None).await;
    moved.edit("files/README.md", |text| format!("{text}\nLevel: <{{ level }}>\n"));
    moved.edit("template.yaml", |text| {
        let level =
            "level: {type: string, minLength: 2, maxLength: 20, examples: [high], x-title: {en: Level, fr: Niveau}}";
        text.replace("required: [name,", "required: [level, name,")
            .replace("[language, image, port]", "[language, image, port, level]")
            .replace("      measured: {", &format!("      {level}\n      measured: {{"))
    });
    moved.release("1.1.0");
    let person = moved.test.person().await;
    let page = format!("/onboarding/{}/update", moved.id);
    let look = person.get(&page).await;
    assert_eq!(look.status, StatusCode::OK, "{}", look.html);
    for words in ["name=\"p.level\"", "Still to be answered.", "Some questions are still open"] {
        assert!(look.html.contains(words), "{words}: {}", look.html);
    }
    for words in ["Some fields need another look", "aria-invalid", "Propose the update"] {
        assert!(!look.html.contains(words), "{words}: {}", look.html);
    }
    let place = [("connection", "."), ("repository", "acme/orders"), ("base", "main"), ("shown", "level")];
    let without = person.post(&page, &[vec![("act", "propose")], place.to_vec()].concat()).await;
    without.refused();
    assert!(without.html.contains("Some fields need another look") && !without.error_at("p.level").is_empty());
    let answered = [vec![("act", "propose"), ("p.level", "high")], place.to_vec()].concat();
    assert_eq!(person.post(&page, &answered).await.led_to(), format!("/onboarding/{}", moved.id));
}

/// The page: what would change, proposed by a form without scripts; in a folder of repositories, where the people merge by git.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_the_difference_and_proposes_it() {
    let moved = start(None).await;
    moved.release("1.1.0");
    let person = moved.test.person().await;
    let (made, page) = (format!("/onboarding/{}", moved.id), format!("/onboarding/{}/update", moved.id));
    assert!(person.get(&made).await.html.contains("Version 1.1.0 of the golden path is there"));
    assert!(person.get("/onboard?behind=true").await.html.contains("shop/orders"));
    let look = person.get(&page).await;
    for words in ["from 1.0.0 to 1.1.0", "NOTICE.txt", "+# of 1.1.0", "Propose the update", "value=\"acme/orders\""] {
        assert!(look.html.contains(words), "{words}: {}", look.html);
    }
    let wrong = [
        ("act", "look"),
        ("shown", "port"),
        ("p.port", "80"),
        ("connection", "."),
        ("repository", "acme/none"),
        ("base", "main"),
    ];
    let refused = person.post(&page, &wrong).await;
    refused.refused();
    assert!(refused.error_at("p.port").contains("1024"), "{}", refused.html);
    let right =
        [("act", "propose"), ("shown", ""), ("connection", "."), ("repository", "acme/orders"), ("base", "main")];
    assert_eq!(person.post(&page, &right).await.led_to(), made);
    let delivery = moved.test.get(&format!("/onboardings/{}/deliveries", moved.id)).await.body["items"][0].clone();
    let open = moved.until(&delivery, |seen| seen["steps"][2]["state"] == "running").await;
    let bare = moved.test.data.path().join("acme/orders");
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git").arg("--git-dir").arg(&bare).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["update-ref", "refs/heads/main", open["commit"].as_str().unwrap()]);
    assert_eq!(moved.until(&delivery, |seen| seen["state"] != "running").await["state"], "done");
    assert!(!person.get(&made).await.html.contains("Version 1.1.0 of the golden path is there"));
    // A version that changes nothing that the repository has not got already is noted at once.
    moved.edit("template.yaml", |text| text.replace("version: 1.1.0", "version: 1.1.1"));
    moved.edit("files/catalog-info.yaml", |text| {
        text.replace("<{ template_id ~ \"@\" ~ template_version }>", "\"small-service@1.1.0\"")
    });
    let mut config = Config::default();
    config.onboarding.templates = moved.templates.path().display().to_string();
    moved.test.portal.onboarding.configure(&config);
    let asked = moved.updates("", &json!({})).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    let noted = moved.until(&asked.body, |seen| seen["state"] != "running").await;
    assert!(noted["state"] == "done" && noted["steps"].as_array().unwrap().is_empty(), "{noted}");
    assert_eq!(moved.test.get(&format!("/onboardings/{}", moved.id)).await.body["template_version"], "1.1.1");
}
