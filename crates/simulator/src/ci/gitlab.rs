//! GitLab: pipelines made with variables, their jobs, and statuses beside a commit.

use super::content::Content;
use super::run::{Overall, Run, Stand, Start};
use super::{Said, Works, body, gitlab_git, no, ok};
use crate::call::Call;
use crate::object::{list, text};
use crate::pace::stamp;
use crate::storage::decoded;
use crate::world::{GitlabProjectWorld, PipelineJobWorld};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::OffsetDateTime;

#[derive(Debug)]
pub(super) struct Gitlab {
    works: Works,
    projects: BTreeMap<String, Project>,
}

#[derive(Debug)]
struct Project {
    world: GitlabProjectWorld,
    pipelines: Vec<Run>,
    /// By commit, newest last.
    statuses: Vec<(String, Value)>,
    content: Content,
}

impl Gitlab {
    pub fn new(world: &BTreeMap<String, GitlabProjectWorld>, works: Works, at: OffsetDateTime) -> Self {
        let mut gitlab = Self { works, projects: BTreeMap::new() };
        for (name, world) in world {
            let mut project = Project {
                world: world.clone(),
                pipelines: Vec::new(),
                statuses: Vec::new(),
                content: Content::new(&world.branches, &world.files),
            };
            for (environment, image) in &world.serving {
                let variables = [("PASSERELLE_ENVIRONMENT", environment), ("IMAGE", image)];
                let given = variables.map(|(name, value)| (name.to_owned(), value.clone())).to_vec();
                let run = project.start(&mut gitlab.works, "main", "api", given, at).settled();
                project.pipelines.push(run);
            }
            gitlab.projects.insert(name.clone(), project);
        }
        gitlab
    }

    pub fn answer(&mut self, call: &Call, now: OffsetDateTime) -> Said {
        let parts: Vec<String> = call.path.trim_matches('/').split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let [_, _, rest @ ..] = parts.as_slice() else { return not_found() };
        match rest {
            ["projects"] if call.method == Method::POST => return self.make(&body(call)),
            ["namespaces", group] => return self.namespace(group),
            _ => {}
        }
        let ["projects", name, rest @ ..] = rest else {
            return if rest == ["version"] {
                ok(json!({ "version": "17.5.1", "revision": "simulated" }))
            } else {
                not_found()
            };
        };
        if call.method == Method::DELETE && rest.is_empty() && self.projects.remove(*name).is_some() {
            let answer = json!({ "message": "202 Accepted" });
            return Ok((StatusCode::ACCEPTED, answer, Some((format!("projects/{name}/deleted"), true))));
        }
        let Some(project) = self.projects.get_mut(*name) else {
            return no(StatusCode::NOT_FOUND, "404 Project Not Found");
        };
        if let Some(said) = gitlab_git::answer(&mut project.content, name, rest, call) {
            return said;
        }
        match (&call.method, rest) {
            (&Method::GET, ["repository", "commits", reference]) => project.commit(reference),
            (&Method::GET, ["ci", "lint"]) => ok(project.lint()),
            (&Method::GET, ["pipelines"]) => project.list(name, call, now),
            (&Method::POST, ["pipeline"]) => {
                let body = body(call);
                let given = list(&body, "/variables")
                    .iter()
                    .map(|one| (text(one, "/key").to_owned(), text(one, "/value").to_owned()));
                project.create(&mut self.works, name, text(&body, "/ref"), "api", given.collect(), now)
            }
            (&Method::POST, ["trigger", "pipeline"]) => project.trigger(&mut self.works, name, call, now),
            (_, ["pipelines", id, more @ ..]) => project.pipeline(name, id, more, call, now),
            (&Method::POST, ["jobs", id, "play"]) => project.play(name, id, now),
            (&Method::GET, ["jobs", id, "trace"]) => project.trace(id, now),
            (&Method::POST, ["statuses", sha]) => project.note(sha, body(call)),
            (&Method::GET, ["repository", "commits", sha, "statuses"]) => ok(project
                .statuses
                .iter()
                .filter(|(of, _)| of == sha)
                .map(|(_, status)| status.clone())
                .collect::<Vec<_>>()
                .into()),
            _ => not_found(),
        }
    }
}

impl Gitlab {
    /// The groups are those that have projects, numbered by their place.
    fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> =
            self.projects.keys().filter_map(|name| Some(name.rsplit_once('/')?.0.to_owned())).collect();
        groups.dedup();
        groups
    }

    fn namespace(&self, group: &str) -> Said {
        match self.groups().iter().position(|known| known == group) {
            Some(place) => ok(json!({ "id": place + 1, "full_path": group, "kind": "group" })),
            None => no(StatusCode::NOT_FOUND, "404 Namespace Not Found"),
        }
    }

    fn make(&mut self, body: &Value) -> Said {
        let place = body["namespace_id"].as_u64().and_then(|id| usize::try_from(id).ok()).unwrap_or_default();
        let Some(group) = place.checked_sub(1).and_then(|place| self.groups().get(place).cloned()) else {
            return no(StatusCode::BAD_REQUEST, "namespace is not valid");
        };
        let name = format!("{group}/{}", text(body, "/path"));
        if self.projects.contains_key(&name) {
            return no(StatusCode::BAD_REQUEST, "path has already been taken");
        }
        let content = Content::described(text(body, "/description"));
        let shown = gitlab_git::project(&content, &name);
        let project =
            Project { world: GitlabProjectWorld::default(), pipelines: Vec::new(), statuses: Vec::new(), content };
        self.projects.insert(name.clone(), project);
        Ok((StatusCode::CREATED, shown, Some((format!("projects/{name}"), true))))
    }
}

fn not_found() -> Said {
    no(StatusCode::NOT_FOUND, "404 Not Found")
}

fn show(run: &Run, name: &str, now: OffsetDateTime) -> Value {
    let status = match run.overall(now) {
        Overall::Pending => "pending",
        Overall::Running => "running",
        Overall::Manual => "manual",
        Overall::Succeeded => "success",
        Overall::Failed => "failed",
        Overall::Cancelled => "canceled",
    };
    json!({ "id": run.id, "iid": run.id, "project_id": 1, "status": status, "source": run.origin, "ref": run.reference, "sha": run.sha,
        "name": run.title, "web_url": format!("https://gitlab.com/{name}/-/pipelines/{}", run.id), "created_at": stamp(run.created),
        "updated_at": stamp(run.created) })
}

impl Project {
    fn start(
        &self,
        works: &mut Works,
        reference: &str,
        origin: &str,
        given: Vec<(String, String)>,
        at: OffsetDateTime,
    ) -> Run {
        let id = works.number();
        let environment = given.iter().find(|(name, _)| name == "PASSERELLE_ENVIRONMENT").map(|(_, value)| value);
        let belongs = |job: &&PipelineJobWorld| job.environment.is_none() || job.environment.as_ref() == environment;
        let jobs: Vec<_> = self.world.jobs.iter().filter(belongs).cloned().collect();
        let start = Start { id, reference, origin, title: None, given, jobs: &jobs, at };
        Run::new(start, &mut works.dice, works.pace)
    }

    fn commit(&self, reference: &str) -> Said {
        if !self.world.branches.iter().any(|branch| branch == reference) {
            return no(StatusCode::NOT_FOUND, "404 Commit Not Found");
        }
        ok(json!({ "id": crate::dice::digest_of(reference.as_bytes())[..40], "title": "simulated" }))
    }

    fn lint(&self) -> Value {
        let when = |manual| if manual { "manual" } else { "on_success" };
        let jobs: Vec<Value> = self
            .world
            .jobs
            .iter()
            .map(|job| json!({ "name": job.name, "stage": job.stage, "when": when(job.manual) }))
            .collect();
        json!({ "valid": true, "errors": [], "warnings": [], "jobs": jobs })
    }

    fn list(&self, name: &str, call: &Call, now: OffsetDateTime) -> Said {
        let fits = |run: &&Run| {
            call.parameter("ref").is_none_or(|wanted| run.reference == wanted)
                && call.parameter("source").is_none_or(|wanted| run.origin == wanted)
        };
        let most = call.parameter("per_page").and_then(|text| text.parse().ok()).unwrap_or(20);
        ok(self
            .pipelines
            .iter()
            .rev()
            .filter(fits)
            .take(most)
            .map(|run| show(run, name, now))
            .collect::<Vec<_>>()
            .into())
    }

    fn create(
        &mut self,
        works: &mut Works,
        name: &str,
        reference: &str,
        origin: &str,
        given: Vec<(String, String)>,
        now: OffsetDateTime,
    ) -> Said {
        if !self.world.branches.iter().any(|branch| branch == reference) {
            return no(StatusCode::BAD_REQUEST, "Reference not found");
        }
        let run = self.start(works, reference, origin, given, now);
        let shown = show(&run, name, now);
        self.pipelines.push(run);
        Ok((StatusCode::CREATED, shown, Some((format!("pipelines/{name}"), true))))
    }

    fn trigger(&mut self, works: &mut Works, name: &str, call: &Call, now: OffsetDateTime) -> Said {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&call.body).into_owned().collect();
        let value = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        if value("token").is_none_or(|token| token.is_empty()) {
            return no(StatusCode::NOT_FOUND, "404 Not Found");
        }
        let variable = |name: &str| name.strip_prefix("variables[")?.strip_suffix(']').map(str::to_owned);
        let given = form.iter().filter_map(|(name, value)| Some((variable(name)?, value.clone()))).collect();
        self.create(works, name, &value("ref").unwrap_or_default(), "trigger", given, now)
    }

    fn pipeline(&mut self, name: &str, id: &str, more: &[&str], call: &Call, now: OffsetDateTime) -> Said {
        let Some(run) = self.pipelines.iter_mut().find(|run| run.id.to_string() == id) else { return not_found() };
        match (&call.method, more) {
            (&Method::GET, []) => ok(show(run, name, now)),
            (&Method::GET, ["variables"]) => {
                let variable =
                    |(key, value): &(String, String)| json!({ "key": key, "variable_type": "env_var", "value": value });
                ok(run.given.iter().map(variable).collect::<Vec<_>>().into())
            }
            (&Method::GET, ["jobs"]) => {
                let shown: Vec<Value> =
                    run.jobs.iter().zip(run.stands(now)).rev().map(|(job, stand)| show_job(job, stand, name)).collect();
                ok(shown.into())
            }
            (&Method::POST, ["cancel"]) => {
                let effect = run.cancel(now);
                Ok((StatusCode::OK, show(run, name, now), Some((format!("cancelled/{name}/{id}"), effect))))
            }
            (&Method::PUT, ["metadata"]) => {
                run.title = body(call)["name"].as_str().map(str::to_owned);
                Ok((StatusCode::OK, show(run, name, now), Some((format!("metadata/{name}/{id}"), false))))
            }
            _ => not_found(),
        }
    }

    fn play(&mut self, name: &str, id: &str, now: OffsetDateTime) -> Said {
        let Ok(number) = id.parse::<u64>() else { return not_found() };
        let Some(run) = self.pipelines.iter_mut().find(|run| run.jobs.iter().any(|job| job.id == number)) else {
            return not_found();
        };
        if !run.play(number, now) {
            return no(StatusCode::BAD_REQUEST, "Unplayable Job");
        }
        Ok((StatusCode::OK, json!({ "id": number, "status": "pending" }), Some((format!("jobs/{name}/{id}"), true))))
    }

    fn trace(&self, id: &str, now: OffsetDateTime) -> Said {
        let Ok(id) = id.parse::<u64>() else { return not_found() };
        match self.pipelines.iter().find_map(|run| run.log(id, now)) {
            Some(log) => ok(json!({ "plain": log })),
            None => not_found(),
        }
    }

    fn note(&mut self, sha: &str, status: Value) -> Said {
        let key = |status: &Value| {
            (text(status, "/name").to_owned(), text(status, "/state").to_owned(), status["pipeline_id"].clone())
        };
        if self.statuses.iter().any(|(of, held)| of == sha && key(held) == key(&status)) {
            return no(StatusCode::BAD_REQUEST, "Cannot transition status via :enqueue");
        }
        self.statuses.push((sha.to_owned(), status.clone()));
        Ok((StatusCode::CREATED, status, Some((format!("statuses/{sha}"), false))))
    }
}

fn show_job(job: &super::run::Job, stand: Stand, name: &str) -> Value {
    let status = match stand {
        Stand::Created => "created",
        Stand::Pending => "pending",
        Stand::Manual => "manual",
        Stand::Running => "running",
        Stand::Succeeded => "success",
        Stand::Failed => "failed",
        Stand::Cancelled => "canceled",
        Stand::Skipped => "skipped",
    };
    let reason = if stand == Stand::Failed { json!("script_failure") } else { Value::Null };
    json!({ "id": job.id, "name": job.name, "stage": job.stage, "status": status, "allow_failure": false, "failure_reason": reason,
        "web_url": format!("https://gitlab.com/{name}/-/jobs/{}", job.id) })
}
