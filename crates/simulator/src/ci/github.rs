//! GitHub: workflows that are dispatched, their runs, and deployment objects with their statuses.

use super::content::Content;
use super::run::{Run, Start};
use super::{Said, Works, body, github_git, github_show as show, given, no, ok};
use crate::call::Call;
use crate::object::text;
use crate::pace::stamp;
use crate::world::{GithubRepositoryWorld, WorkflowWorld};
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::OffsetDateTime;

#[derive(Debug)]
pub(super) struct Github {
    works: Works,
    repositories: BTreeMap<String, Repository>,
}

#[derive(Debug)]
struct Repository {
    world: GithubRepositoryWorld,
    runs: Vec<Run>,
    deployments: Vec<Value>,
    /// By deployment, newest first.
    statuses: BTreeMap<u64, Vec<Value>>,
    content: Content,
}

impl Github {
    pub fn new(world: &BTreeMap<String, GithubRepositoryWorld>, works: Works, at: OffsetDateTime) -> Self {
        let mut github = Self { works, repositories: BTreeMap::new() };
        for (name, world) in world {
            let mut repository = Repository {
                world: world.clone(),
                runs: Vec::new(),
                deployments: Vec::new(),
                statuses: BTreeMap::new(),
                content: Content::new(&world.branches, &world.files),
            };
            for (environment, image) in &world.serving {
                repository.seed(&mut github.works, name, environment, image, at);
            }
            github.repositories.insert(name.clone(), repository);
        }
        github
    }

    pub fn answer(&mut self, call: &Call, now: OffsetDateTime) -> Said {
        if call.path == "/rate_limit" {
            return ok(
                json!({ "rate": { "limit": 5000, "remaining": 4999, "used": 1, "reset": now.unix_timestamp() + 3600 } }),
            );
        }
        let parts: Vec<&str> = call.path.trim_matches('/').split('/').collect();
        let (full, rest) = match parts.as_slice() {
            ["user"] => return ok(json!({ "login": LOGIN, "id": 1, "type": "User" })),
            ["user", "repos"] if call.method == Method::POST => return self.make(LOGIN, &body(call)),
            ["orgs", owner, "repos"] if call.method == Method::POST => return self.make(owner, &body(call)),
            ["repos", owner, name, rest @ ..] => (format!("{owner}/{name}"), rest.to_vec()),
            _ => return not_found(),
        };
        if call.method == Method::DELETE && rest.is_empty() && self.repositories.remove(&full).is_some() {
            return Ok((StatusCode::NO_CONTENT, Value::Null, Some((format!("repositories/{full}/deleted"), true))));
        }
        let Some(repository) = self.repositories.get_mut(&full) else { return not_found() };
        if let Some(said) = github_git::answer(&mut repository.content, &full, &rest, call) {
            return said;
        }
        match (&call.method, rest.as_slice()) {
            (&Method::GET, ["deployments"]) => repository.list_deployments(call),
            (&Method::POST, ["deployments"]) => repository.deploy(&mut self.works, &full, &body(call), now),
            (&Method::GET, ["deployments", id, "statuses"]) => repository.list_statuses(id),
            (&Method::POST, ["deployments", id, "statuses"]) => repository.note(&mut self.works, id, &body(call), now),
            (_, ["actions", "workflows", file, more @ ..]) => {
                let Some(workflow) = repository.world.workflows.get(*file).cloned() else { return not_found() };
                match (&call.method, more) {
                    (&Method::GET, []) => ok(show::workflow(file)),
                    (&Method::GET, ["runs"]) => repository.list_runs(&full, file, call, now),
                    (&Method::POST, ["dispatches"]) => {
                        repository.dispatch(&mut self.works, &full, file, &workflow, &body(call), now)
                    }
                    _ => not_found(),
                }
            }
            (_, ["actions", "runs", id, more @ ..]) => repository.run(&full, id, more, call, now),
            (&Method::GET, ["actions", "jobs", id, "logs"]) => {
                let host = call.header(header::HOST);
                ok(json!({ "elsewhere": format!("http://{host}/repos/{full}/_logs/{id}") }))
            }
            (&Method::GET, ["_logs", id]) => repository.log(id, now),
            (&Method::GET, ["contents", ".github", "workflows", file]) => repository.file(file, call),
            _ => not_found(),
        }
    }
}

/// Who the token is.
const LOGIN: &str = "simulated";

impl Github {
    /// A repository of an owner who has one already, or of the token's user.
    fn make(&mut self, owner: &str, body: &Value) -> Said {
        let full = format!("{owner}/{}", text(body, "/name"));
        let known = owner == LOGIN || self.repositories.keys().any(|name| name.starts_with(&format!("{owner}/")));
        if !known {
            return not_found();
        }
        if self.repositories.contains_key(&full) {
            return unprocessable("Repository creation failed.".to_owned());
        }
        let mut repository = Repository {
            world: GithubRepositoryWorld { branches: vec!["main".to_owned()], ..GithubRepositoryWorld::default() },
            runs: Vec::new(),
            deployments: Vec::new(),
            statuses: BTreeMap::new(),
            content: Content::described(text(body, "/description")),
        };
        if body["auto_init"] == true {
            repository.content.first(text(body, "/name"));
        }
        let shown = github_git::repository(&repository.content, &full);
        self.repositories.insert(full.clone(), repository);
        Ok((StatusCode::CREATED, shown, Some((format!("repositories/{full}"), true))))
    }
}

fn not_found() -> Said {
    no(StatusCode::NOT_FOUND, "Not Found")
}

fn unprocessable(message: String) -> Said {
    no(StatusCode::UNPROCESSABLE_ENTITY, message)
}

impl Repository {
    /// What a pipeline had left: a record with an image that no deployment of the portal made.
    fn seed(&mut self, works: &mut Works, full: &str, environment: &str, image: &str, at: OffsetDateTime) {
        let Some((file, workflow)) = self.world.workflows.iter().next() else { return };
        let id = works.number();
        let start = Start {
            id,
            reference: "main",
            origin: file,
            title: Some(image.to_owned()),
            given: given("image", image),
            jobs: &workflow.jobs,
            at,
        };
        self.runs.push(Run::new(start, &mut works.dice, works.pace).settled());
        let deployment = works.number();
        let payload = json!({ "passerelle": { "image": image } });
        self.deployments.push(show::deployment(deployment, full, environment, "passerelle", &payload, at));
        let url = show::run_url(full, id);
        let status = json!({ "id": works.number(), "state": "success", "description": "", "log_url": url, "created_at": stamp(at) });
        self.statuses.insert(deployment, vec![status]);
    }

    fn list_deployments(&self, call: &Call) -> Said {
        let fits = |field: &str, one: &Value| call.parameter(field).is_none_or(|wanted| one[field] == wanted);
        let most = call.parameter("per_page").and_then(|text| text.parse().ok()).unwrap_or(30);
        let found = self.deployments.iter().rev().filter(|one| fits("task", one) && fits("environment", one));
        ok(found.take(most).cloned().collect::<Vec<_>>().into())
    }

    fn deploy(&mut self, works: &mut Works, full: &str, body: &Value, now: OffsetDateTime) -> Said {
        let reference = text(body, "/ref");
        if !self.world.branches.iter().any(|branch| branch == reference) {
            return unprocessable(format!("No ref found for: {reference}"));
        }
        let (environment, task) = (text(body, "/environment"), text(body, "/task"));
        let id = works.number();
        let made = show::deployment(id, full, environment, task, &body["payload"], now);
        self.deployments.push(made.clone());
        Ok((StatusCode::CREATED, made, Some((format!("deployments/{full}/{environment}"), false))))
    }

    fn list_statuses(&self, id: &str) -> Said {
        let Ok(id) = id.parse::<u64>() else { return not_found() };
        if !self.deployments.iter().any(|one| one["id"] == id) {
            return not_found();
        }
        ok(self.statuses.get(&id).cloned().unwrap_or_default().into())
    }

    fn note(&mut self, works: &mut Works, id: &str, body: &Value, now: OffsetDateTime) -> Said {
        let known = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"];
        let Some(id) = id.parse::<u64>().ok().filter(|id| self.deployments.iter().any(|one| one["id"] == *id)) else {
            return not_found();
        };
        if !known.contains(&text(body, "/state")) || text(body, "/description").len() > 140 {
            return unprocessable("Validation Failed".to_owned());
        }
        let status = json!({ "id": works.number(), "state": body["state"], "description": body["description"],
            "log_url": body["log_url"], "created_at": stamp(now) });
        self.statuses.entry(id).or_default().insert(0, status.clone());
        Ok((StatusCode::CREATED, status, Some((format!("statuses/{id}"), false))))
    }

    fn list_runs(&self, full: &str, file: &str, call: &Call, now: OffsetDateTime) -> Said {
        let page = call.parameter("page").and_then(|text| text.parse::<usize>().ok()).unwrap_or(1).max(1);
        let found = self.runs.iter().rev().filter(|run| run.origin == file).skip((page - 1) * 100);
        let runs: Vec<Value> = found.take(100).map(|run| show::run(run, full, now)).collect();
        ok(json!({ "total_count": runs.len(), "workflow_runs": runs }))
    }

    fn dispatch(
        &mut self,
        works: &mut Works,
        full: &str,
        file: &str,
        workflow: &WorkflowWorld,
        body: &Value,
        now: OffsetDateTime,
    ) -> Said {
        let reference = text(body, "/ref");
        if !self.world.branches.iter().any(|branch| branch == reference) {
            return unprocessable(format!("No ref found for: {reference}"));
        }
        let inputs = body["inputs"].as_object().cloned().unwrap_or_default();
        let unexpected: Vec<&String> = inputs.keys().filter(|name| !workflow.inputs.contains(*name)).collect();
        if !unexpected.is_empty() {
            return unprocessable(format!("Unexpected inputs provided: {unexpected:?}"));
        }
        let given: Vec<(String, String)> =
            inputs.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
        let title = given.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ");
        let id = works.number();
        let start = Start { id, reference, origin: file, title: Some(title), given, jobs: &workflow.jobs, at: now };
        self.runs.push(Run::new(start, &mut works.dice, works.pace));
        Ok((StatusCode::NO_CONTENT, Value::Null, Some((format!("workflows/{full}/{file}"), true))))
    }

    fn run(&mut self, full: &str, id: &str, more: &[&str], call: &Call, now: OffsetDateTime) -> Said {
        let Some(run) = self.runs.iter_mut().find(|run| run.id.to_string() == id) else { return not_found() };
        match (&call.method, more) {
            (&Method::GET, []) => ok(show::run(run, full, now)),
            (&Method::GET, ["jobs"]) => ok(show::jobs(run, full, now)),
            (&Method::POST, ["cancel"]) if run.cancel(now) => {
                Ok((StatusCode::ACCEPTED, json!({}), Some((format!("runs/{full}/{id}"), true))))
            }
            (&Method::POST, ["cancel"]) => no(StatusCode::CONFLICT, "Cannot cancel a workflow run that is completed."),
            _ => not_found(),
        }
    }

    fn log(&self, id: &str, now: OffsetDateTime) -> Said {
        let Ok(id) = id.parse::<u64>() else { return not_found() };
        match self.runs.iter().find_map(|run| run.log(id, now)) {
            Some(log) => ok(json!({ "plain": log })),
            None => not_found(),
        }
    }

    fn file(&self, file: &str, call: &Call) -> Said {
        let branch = call.parameter("ref").unwrap_or("main");
        match self.world.workflows.get(file).filter(|_| self.world.branches.iter().any(|one| one == branch)) {
            Some(workflow) => ok(show::file(file, workflow)),
            None => not_found(),
        }
    }
}
