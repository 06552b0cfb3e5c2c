//! Attempt 16: what a program would read as an option, a shell as a command, and a file as a second line, in every field that carries a Git
//! reference, a commit, a branch, an image, a tag or a repository.

use super::webhooks::{hear, released, releases, shop};
use crate::adoption;
use crate::onboarding::{body, with_teams};
use crate::support::{Answer, TestPortal};
use passerelle_server::config::Config;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::Path;

const REFERENCES: &[&str] = &["--upload-pack=x", "$(id)", "`id`", "main\nmore", "-main"];
const COMMITS: &[&str] = &["--upload-pack=x", "$(id)", "0123456789abcdef\n", "-0123456789abcdef"];
const REPOSITORIES: &[&str] =
    &["--upload-pack=x", "$(id)", "-acme/shop", "acme/--upload-pack=x", "acme/$(id)", "acme/shop\n", "-/-"];
const ADDRESSES: &[&str] = &[
    "--upload-pack=x",
    "$(id)",
    "-https://github.com/acme/shop",
    "https://github.com/acme/shop\nmore",
    "https://github.com/acme/shop --upload-pack=x",
    "ext::sh -c id",
    "file:///acme/shop",
];
const IMAGES: &[&str] =
    &["--upload-pack=x", "--upload-pack=x:1", "$(id)", "web:$(id)", "web:1\n", "web:1\nmore", "-web:1"];
const TEMPLATES: &[&str] =
    &["--upload-pack=x", "$(id):{tag}", "-web:{tag}", "web:{tag}\n", "web:--upload-pack={tag}", "web:-{tag}"];
const WORKFLOWS: &[&str] = &["--upload-pack=x.yml", "$(id).yml", "deploy.yml\n", "-deploy.yml"];
const HOSTS: &[&str] = &["--upload-pack=x", "$(id)", "ghcr.io\n", "-ghcr.io"];
/// The digest of a bundle.
const DIGESTS: &[&str] =
    &["--upload-pack=x", "$(id)", "-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"];

/// A body that is good but for what a field is given, where it goes, and the field.
struct Field {
    path: &'static str,
    good: Value,
    pointer: &'static str,
    values: &'static [&'static str],
}

impl Field {
    fn with(&self, value: &str) -> Value {
        let mut body = self.good.clone();
        *body.pointer_mut(self.pointer).unwrap() = json!(value);
        body
    }

    /// The field, or the list that it is in.
    fn named(&self) -> &'static str {
        self.pointer.trim_end_matches("/0")
    }
}

/// A typed refusal that names the field.
fn assert_named(answer: &Answer, pointer: &str, what: &str) {
    let told = (answer.status, &answer.body["code"]);
    assert_eq!(told, (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid_input")), "{what}: {}", answer.body);
    let errors = answer.body["errors"].as_array().unwrap();
    let named = errors.iter().any(|error| error["pointer"].as_str().unwrap().starts_with(pointer));
    assert!(named, "{what}: {pointer} is not named: {}", answer.body);
}

fn release() -> Value {
    json!({ "service": "shop/web", "version": "9", "image": "tinyweb:v9", "commit": "0123456789abcdef", "git_ref": "v9",
        "repository_url": "https://github.com/acme/shop",
        "manifests": { "url": "https://files.example/bundle.tar.gz", "sha256": "a".repeat(64) } })
}

fn binding(connection: &str, more: &Value) -> Value {
    let mut config = json!({ "repository": "acme/shop", "environment": "web-production", "ref": "main",
        "release_image": "ghcr.io/acme/web:{tag}" });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "service": "shop/web", "environment": "production", "kind": "ci", "connection": connection, "config": config })
}

fn fields() -> Vec<Field> {
    let mut all = Vec::new();
    let mut field = |path: &'static str, good: &Value, pointer: &'static str, values: &'static [&'static str]| {
        all.push(Field { path, good: good.clone(), pointer, values });
    };
    let release = release();
    field("/releases", &release, "/image", IMAGES);
    field("/releases", &release, "/commit", COMMITS);
    field("/releases", &release, "/git_ref", REFERENCES);
    field("/releases", &release, "/repository_url", ADDRESSES);
    field("/releases", &release, "/manifests/url", ADDRESSES);
    field("/releases", &release, "/manifests/sha256", DIGESTS);
    let deployment = crate::support::deployment("tinyweb:v2");
    field("/deployments", &deployment, "/image", IMAGES);
    field("/plans", &deployment, "/image", IMAGES);
    let hub = binding("hub", &json!({ "workflow": "deploy.yml", "build_workflow": "build.yml" }));
    let lab = binding("lab", &json!({ "manual_job": "deploy-prod" }));
    for good in [&hub, &lab] {
        field("/bindings", good, "/config/repository", REPOSITORIES);
        field("/bindings", good, "/config/ref", REFERENCES);
        field("/bindings", good, "/config/release_image", TEMPLATES);
    }
    field("/bindings", &hub, "/config/workflow", WORKFLOWS);
    field("/bindings", &hub, "/config/build_workflow", WORKFLOWS);
    let forge = json!({ "name": "forge", "kind": "ci", "config": { "provider": "github", "token": { "value": "t" },
        "hear_from": ["acme/*"], "deliver_to": ["acme/*"] } });
    field("/connections", &forge, "/config/hear_from/0", REPOSITORIES);
    field("/connections", &forge, "/config/deliver_to/0", REPOSITORIES);
    let registry = json!({ "name": "images", "kind": "registry", "config": { "host": "ghcr.io" } });
    field("/connections", &registry, "/config/host", HOSTS);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_takes_an_option_a_command_or_a_second_line() {
    let test = shop().await;
    let before = test.rows().await;
    for field in fields() {
        for value in field.values {
            let answer = test.post(field.path, &field.with(value)).await;
            assert_named(&answer, field.named(), &format!("{} {} {value:?}", field.path, field.pointer));
        }
    }
    assert_eq!(test.rows().await, before);
    assert_eq!(test.simulator.effects("/k8s/test", "deployments.apps/shop/web"), 0);
}

/// The same words in a file of the catalog, where they are values of YAML.
#[tokio::test(flavor = "multi_thread")]
async fn no_document_of_an_import_brings_them_in() {
    let test = shop().await;
    let before = test.rows().await;
    for field in fields() {
        let kind = match field.path {
            "/releases" => "Release",
            "/bindings" => "Binding",
            "/connections" => "Connection",
            _ => continue,
        };
        for value in [field.values[0], field.values[1]] {
            // JSON is YAML.
            let document = json!({ "apiVersion": "passerelle.dev/v1", "kind": kind, "spec": field.with(value) });
            let answer = test.import(format!("---\n{document}\n")).await;
            let what = format!("{kind} {} {value:?}", field.pointer);
            assert_named(&answer, &format!("/spec{}", field.named()), &what);
        }
    }
    assert_eq!(test.rows().await, before);
}

/// With a service that a golden path made, of which there is a later version now.
async fn onboarded() -> (TestPortal, tempfile::TempDir, String) {
    let templates = tempfile::tempdir().unwrap();
    crate::updates::copy(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/templates")), templates.path());
    let folder = templates.path().display().to_string();
    let test = TestPortal::start_with(move |config, _| config.onboarding.templates = folder).await;
    crate::support::seed(&test.http, &test.url, &test.admin, &test.simulator.kubernetes_url("test")).await;
    let test = with_teams(test).await;
    let config = json!({ "provider": "github", "base_url": test.simulator.pipelines_url(), "token": { "value": "t" },
        "deliver_to": ["acme/*"], "simulated": true });
    let made = test.post("/connections", &json!({ "name": "forge", "kind": "ci", "config": config })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let made = test.post("/onboardings", &body(json!({}))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = made.body["id"].as_str().unwrap().to_owned();
    let file = templates.path().join("small-service/template.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("version: 1.0.0", "version: 1.1.0")).unwrap();
    let mut config = Config::default();
    config.onboarding.templates = templates.path().display().to_string();
    test.portal.onboarding.configure(&config);
    (test, templates, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_to_no_repository_and_on_no_branch_of_that_name() {
    let (test, _templates, id) = onboarded().await;
    let before = test.rows().await;
    let deliveries = format!("/onboardings/{id}/deliveries");
    let mut asked: Vec<(String, Value, String)> = Vec::new();
    for connection in [Value::Null, json!("forge")] {
        for into in ["new", "existing"] {
            for name in REPOSITORIES {
                let to = json!({ "connection": connection, "repository": name, "into": into });
                asked.push((deliveries.clone(), to, "/repository".to_owned()));
            }
        }
        for base in REFERENCES {
            let to = json!({ "connection": connection, "repository": "acme/shop", "into": "existing", "base": base });
            asked.push((deliveries.clone(), to.clone(), "/base".to_owned()));
            for act in ["", "/preview"] {
                let update = json!({ "to": to });
                asked.push((format!("/onboardings/{id}/updates{act}"), update, "/to/base".to_owned()));
            }
        }
        for name in REPOSITORIES {
            let to = json!({ "to": { "connection": connection, "repository": name, "into": "existing" } });
            asked.push((format!("/onboardings/{id}/updates"), to, "/to/repository".to_owned()));
        }
    }
    for (path, body, pointer) in asked {
        let answer = test.post(&path, &body).await;
        assert_named(&answer, &pointer, &format!("{path} {body}"));
    }
    assert_eq!(test.rows().await, before);
    assert_eq!(test.get(&deliveries).await.body["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_adopted_from_a_repository_or_a_branch_of_that_name() {
    let world = adoption::start(&[("README.md", "# ours\n")]).await;
    let before = world.test.rows().await;
    for act in ["", "/preview"] {
        for name in REPOSITORIES {
            let answer = world.adopt(act, json!({ "from": { "repository": name } })).await;
            assert_named(&answer, "/from/repository", &format!("{act} {name:?}"));
        }
        for base in REFERENCES {
            let from = json!({ "from": { "repository": "team/orders.git", "base": base } });
            let answer = world.adopt(act, from).await;
            assert_named(&answer, "/from/base", &format!("{act} {base:?}"));
        }
    }
    assert_eq!(world.test.rows().await, before);
}

/// Somebody who may push tags knows no secret, but what they choose arrives in a signed event.
#[tokio::test(flavor = "multi_thread")]
async fn a_tag_of_that_name_becomes_no_release() {
    let test = shop().await;
    let before = test.rows().await;
    for (at, tag) in REFERENCES.iter().enumerate() {
        let answer = hear(&test, &format!("d-{at}"), None, released(tag).to_string().into_bytes()).await;
        assert_eq!(answer.status, StatusCode::OK, "{tag:?}: {}", answer.body);
        let why = answer.body["ignored"].as_str().unwrap_or_default();
        assert!(why.contains("is not an image reference"), "{tag:?}: {}", answer.body);
    }
    let mut elsewhere = released("v1");
    for repository in REPOSITORIES {
        elsewhere["repository"]["full_name"] = json!(repository);
        let answer = hear(&test, "d-9", None, elsewhere.to_string().into_bytes()).await;
        assert!(answer.body["ignored"].is_string(), "{repository:?}: {}", answer.body);
    }
    assert_eq!(releases(&test).await, 0);
    assert_eq!(test.rows().await, before);
    // Where commits name the images the tag is still the version's name, and that is one line.
    let binding = test.get("/bindings?service=shop/api").await.body["items"][0].clone();
    let mut config = binding["config"].clone();
    config["release_image"] = json!("ghcr.io/acme/api:{sha}");
    let path = format!("/bindings/{}", binding["id"].as_str().unwrap());
    let patched = test.call(Method::PATCH, &path, &test.admin, Some(&json!({ "config": config }))).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    let second = hear(&test, "d-10", None, released("main\nmore").to_string().into_bytes()).await;
    assert_eq!(second.body["releases"][0]["state"], "refused", "{}", second.body);
    assert_eq!(releases(&test).await, 0);
}
