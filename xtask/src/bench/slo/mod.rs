//! Error budgets: what a pass over many objectives costs, with a real Prometheus that scrapes one series of each kind per service,
//! and how fast a gate and a page answer meanwhile.

mod exporter;
mod prometheus;

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::catalog::{self, Shape};
use super::http::Connection;
use super::importing;
use super::load;
use super::people::People;
use super::report::{Figure, Target};
use super::request::{self, Credential};
use super::server::{Installation, Scratch, Server};
use exporter::Exporter;
use prometheus::Prometheus;

/// Most objectives of one file that the portal takes.
const IN_A_FILE: usize = 1000;
/// Objectives, and the seconds that a pass over them may take.
const SIZES: [(usize, f64); 2] = [(1_000, 2.0), (10_000, 10.0)];
/// Passes that count, of which the middle one does; the first ones read history and are left out.
const PASSES: usize = 3;
const FIRST_PASSES: usize = 2;
/// A pass begins every fifteen seconds.
const LIMIT: Duration = Duration::from_secs(240);
/// Services with a binding, so that a gate has a place to decide about.
const BOUND: usize = 20;

pub fn run(
    installation: &Installation,
    scratch: &Scratch,
    duration: Duration,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    for (count, limit) in SIZES {
        let exporter = Exporter::start((0..count).map(catalog::component).collect())?;
        let prometheus = Prometheus::start(&scratch.folder(&format!("prometheus-{count}")), exporter.address)?;
        let measured = Measured::start(installation, &scratch.folder(&format!("slos-{count}")), count, &prometheus)?;
        measured.passes(&prometheus, count, limit, figures)?;
        if count == SIZES[0].0 {
            measured.answers(duration, figures)?;
        }
    }
    Ok(())
}

/// A server with so many services, each with one objective.
struct Measured {
    server: Server,
    people: People,
    log: std::path::PathBuf,
}

impl Measured {
    fn start(installation: &Installation, data: &Path, count: usize, prometheus: &Prometheus) -> Result<Self> {
        let server = Server::start(&Installation {
            data: data.to_owned(),
            // So that it says how long each pass took.
            settings: vec![("PASSERELLE__LOG__FILTER".to_owned(), "warn,passerelle_server::slo=debug".to_owned())],
            ..installation.clone()
        })?;
        let people = People::set_up(&server)?;
        importing::run(&server, &people, &Shape::of(count))?;
        let mut connection = Connection::open(server.address)?;
        let mut post = |path: &str, body: serde_json::Value| {
            let answer = connection.call(&request::post_json(path, &people.administrator, &body))?;
            answer.good().with_context(|| format!("POST {path}"))
        };
        post("/api/v1/environments", json!({ "name": "production", "tier": "production", "order": 1 }))?;
        let config = json!({ "url": format!("http://{}", prometheus.address) });
        post("/api/v1/connections", json!({ "name": "metrics", "kind": "prometheus", "config": config }))?;
        // Nobody answers there: a gate asks no target.
        let config = json!({ "endpoint": "tcp://127.0.0.1:1" });
        post("/api/v1/connections", json!({ "name": "swarm", "kind": "docker_swarm", "config": config }))?;
        for index in 0..BOUND {
            let name = catalog::component(index);
            let binding = json!({ "service": format!("default/{name}"), "environment": "production",
                "kind": "docker_swarm", "connection": "swarm", "config": { "service": name } });
            post("/api/v1/bindings", binding)?;
        }
        let path = "/api/v1/slos/imports?namespace=default&environment=production&connection=metrics";
        for first in (0..count).step_by(IN_A_FILE) {
            let part = first..count.min(first + IN_A_FILE);
            let sent = request::post_yaml(path, &people.administrator, &file(part.clone()));
            let answer = connection.call(&sent)?.json()?;
            ensure!(
                answer["created"].as_u64() == Some(part.len() as u64),
                "the objectives were not imported: {answer}"
            );
        }
        Ok(Self { server, people, log: data.with_extension("log") })
    }

    fn passes(&self, prometheus: &Prometheus, count: usize, limit: f64, figures: &mut Vec<Figure>) -> Result<()> {
        self.wait_for(count, FIRST_PASSES)?;
        let (start, before) = (Instant::now(), prometheus.queries()?);
        let cpu = self.server.watched.cpu();
        let mut times = self.wait_for(count, FIRST_PASSES + PASSES)?.split_off(FIRST_PASSES);
        let queries = (prometheus.queries()? - before) * 60.0 / start.elapsed().as_secs_f64();
        let cpu = self.server.watched.cpu().since(cpu);
        times.sort_unstable();
        let middle = times.get(times.len() / 2).context("no pass was counted")?;
        let name = |what: &str| format!("{what}, {count} objectives");
        figures.push(Figure::new(name("pass"), middle.as_secs_f64(), "s", Target::AtMost(limit)).note(format!(
            "slowest {:.2} s; CPU {:.2} s server, {:.2} s Postgres a pass",
            times.last().unwrap_or(middle).as_secs_f64(),
            cpu.server.as_secs_f64() / times.len() as f64,
            cpu.postgres.as_secs_f64() / times.len() as f64,
        )));
        let most = if count == SIZES[0].0 { Target::AtMost(200.0) } else { Target::None };
        figures.push(Figure::new(name("queries of Prometheus a minute"), queries, "", most));
        Ok(())
    }

    /// The times of all passes over all objectives, once there are so many.
    fn wait_for(&self, count: usize, passes: usize) -> Result<Vec<Duration>> {
        let start = Instant::now();
        loop {
            let log = std::fs::read_to_string(&self.log)?;
            let times: Vec<Duration> = log.lines().filter_map(|line| pass_in(line, count)).collect();
            if times.len() >= passes {
                return Ok(times);
            }
            ensure!(
                start.elapsed() < LIMIT,
                "{} of {passes} passes were seen; the log ends: {}",
                times.len(),
                tail(&log)
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// How fast a gate decides and a page is shown, while passes go on.
    fn answers(&self, duration: Duration, figures: &mut Vec<Figure>) -> Result<()> {
        let Self { server, people, .. } = self;
        let decision = |index: usize| {
            let service = format!("default/{}", catalog::component(index));
            format!("/api/v1/gates/decision?service={}&environment=production", request::encoded(&service))
        };
        let mut connection = Connection::open(server.address)?;
        let list = connection.call(&request::get("/api/v1/slos?limit=50", &people.token, &[]))?.json()?;
        let ids =
            list["items"].as_array().context("no list of objectives")?.iter().filter_map(|item| item["id"].as_str());
        let pages: Vec<String> = ids.map(|id| format!("/slos/{id}")).collect();
        let decisions: Vec<String> = (0..BOUND).map(decision).collect();
        for (name, paths, credential, limit) in [
            ("decision of the gates, p95", decisions, &people.token, 20.0),
            ("page of an objective, p95", pages, &people.session, 150.0),
        ] {
            figures.push(p95(server, name, &paths, credential, limit, duration)?);
        }
        Ok(())
    }
}

fn p95(
    server: &Server,
    name: &str,
    paths: &[String],
    credential: &Credential,
    limit: f64,
    duration: Duration,
) -> Result<Figure> {
    let requests: Vec<Vec<u8>> = paths.iter().map(|path| request::get(path, credential, &[])).collect();
    let measured = load::run(server.address, &requests, duration, server.watched)?;
    let note = format!(
        "{:.0} req/s at {} connections; CPU {:.0} µs server, {:.0} µs Postgres",
        measured.per_second,
        load::CONNECTIONS,
        measured.server_us(),
        measured.postgres_us()
    );
    Ok(Figure::new(name, measured.p95.as_secs_f64() * 1e3, "ms", Target::AtMost(limit)).note(note))
}

/// One objective for each service, in the five-line format.
fn file(services: Range<usize>) -> String {
    let mut out = String::from("service_level_objectives:\n");
    for index in services {
        out.push_str(&format!(
            "  - name: \"{} Availability\"\n    sli: \"availability\"\n    target: 99.9\n    window: 7d\n",
            catalog::component(index)
        ));
    }
    out
}

/// How long a pass took, when the line of the log is about one over so many objectives.
fn pass_in(line: &str, count: usize) -> Option<Duration> {
    let number = |name: &str| {
        let text = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
        text.parse::<u64>().ok()
    };
    (line.contains("objectives were measured") && number("slos") == Some(count as u64))
        .then(|| number("elapsed_ms"))
        .flatten()
        .map(Duration::from_millis)
}

fn tail(log: &str) -> &str {
    let start = log.char_indices().rev().nth(600).map_or(0, |(at, _)| at);
    &log[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_read_from_the_log() {
        let line = "2026-11-21T10:00:00Z DEBUG passerelle_server::slo::jobs: objectives were measured slos=1000 elapsed_ms=431";
        assert_eq!(pass_in(line, 1000), Some(Duration::from_millis(431)));
        assert_eq!(pass_in(line, 10_000), None);
        assert_eq!(pass_in("warn: objectives were not read slos=1000 elapsed_ms=4", 1000), None);
    }
}
