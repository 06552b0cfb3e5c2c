//! Audited changes: how many a second, how much of that the chain over them costs, and how fast the chain is verified.
//!
//! Releases are made over HTTP, each with its audit row in the same transaction, by turns with the sealer at work and with its lock held by somebody else, so
//! that it seals nothing. What was left over is sealed between two turns, and counted in none.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use passerelle_embedded_postgres::{DATABASE, SUPERUSER, find_binaries};
use serde_json::json;

use super::http::Connection;
use super::load::{self, Measured};
use super::people::People;
use super::report::{Figure, Target};
use super::request::{self, Credential};
use super::run::milliseconds;
use super::server::{Installation, Server};

/// That the sealer tries to take (`server/src/audit/store.rs`).
const LOCK: i64 = 0x0070_6173_7365_616c;
/// Turns of each kind.
const TURNS: usize = 3;
/// More than a turn can make, so that no release is asked for twice.
const RELEASES: usize = 40_000;
const LIMIT: Duration = Duration::from_secs(120);

pub fn run(
    installation: &Installation,
    server: &Server,
    people: &People,
    duration: Duration,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let services = services(server, &people.administrator)?;
    let turn = (duration / 2).max(Duration::from_secs(2));
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for at in 0..TURNS {
        let held = Held::take(installation)?;
        without.push(releases(server, people, &services, turn, &format!("w{at}"))?);
        drop(held);
        sealed(server, &people.administrator)?;
        with.push(releases(server, people, &services, turn, &format!("c{at}"))?);
        sealed(server, &people.administrator)?;
    }
    let (chained, unchained) = (middle(&with), middle(&without));
    figures.push(Figure::new("audited changes", chained.per_second, "tx/s", Target::AtLeast(1_500.0)).note(format!(
        "releases over HTTP; p95 {:.1} ms; CPU {:.0} µs server, {:.0} µs Postgres; generator {:.0} % of all CPU",
        milliseconds(chained.p95),
        chained.server_us(),
        chained.postgres_us(),
        chained.generator_share() * 100.0
    )));
    let share = chained.per_second / unchained.per_second * 100.0;
    figures.push(
        Figure::new("with the chain, of the rate without", share, "%", Target::AtLeast(80.0))
            .note(format!("{:.0} tx/s without; the middle of {TURNS} turns each", unchained.per_second)),
    );
    let (rows, elapsed) = verified(installation)?;
    figures.push(
        Figure::new(
            "verification of the chain",
            rows as f64 / elapsed.as_secs_f64(),
            "rows/s",
            Target::AtLeast(50_000.0),
        )
        .note(format!("{rows} rows by `passerelle audit verify`, with its start")),
    );
    Ok(())
}

fn middle(turns: &[Measured]) -> Measured {
    let mut sorted = turns.to_vec();
    sorted.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    sorted[sorted.len() / 2]
}

/// Several: teams release their own services, and do not wait for the row of one.
fn services(server: &Server, credential: &Credential) -> Result<Vec<String>> {
    let mut connection = Connection::open(server.address)?;
    let all = connection.call(&request::get("/api/v1/services?limit=200", credential, &[]))?.json()?;
    let items = all["items"].as_array().context("no list of services")?;
    items.iter().map(|one| Ok(one["key"].as_str().context("a service without its key")?.to_owned())).collect()
}

fn releases(server: &Server, people: &People, services: &[String], turn: Duration, name: &str) -> Result<Measured> {
    let one = |at: usize| {
        let service = &services[at % services.len()];
        let body = json!({ "service": service, "version": format!("{name}-{at}"), "image": format!("registry.test/bench:{name}-{at}") });
        request::post_json("/api/v1/releases", &people.administrator, &body)
    };
    let requests: Vec<Vec<u8>> = (0..RELEASES).map(one).collect();
    load::run(server.address, &requests, turn, server.watched)
}

/// Waits until the newest row has its place in the chain.
fn sealed(server: &Server, credential: &Credential) -> Result<()> {
    let mut connection = Connection::open(server.address)?;
    let start = Instant::now();
    loop {
        let newest = connection.call(&request::get("/api/v1/audit?limit=1", credential, &[]))?.json()?;
        if newest["items"][0]["sealed"] == true {
            return Ok(());
        }
        if start.elapsed() > LIMIT {
            bail!("the audit was not sealed within {} s", LIMIT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The sealer's lock, in somebody else's hand until this is dropped.
struct Held(Child);

impl Held {
    fn take(installation: &Installation) -> Result<Self> {
        let mut child = Command::new(find_binaries()?.program("psql"))
            .arg("--host")
            .arg(installation.data.join("postgres/run"))
            .args(["--username", SUPERUSER, "--dbname", DATABASE, "--no-psqlrc", "--quiet"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start psql")?;
        writeln!(child.stdin.as_mut().context("psql without input")?, "SELECT pg_advisory_lock({LOCK});")?;
        // Longer than a pass of the sealer, which holds the lock meanwhile.
        std::thread::sleep(Duration::from_secs(2));
        if let Some(status) = child.try_wait()? {
            bail!("psql ended with {status}");
        }
        Ok(Self(child))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // At the end of its input psql says goodbye; killed, its session would keep the lock for a while.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Rows, and how long the command took.
fn verified(installation: &Installation) -> Result<(u64, Duration)> {
    let start = Instant::now();
    let output = Command::new(&installation.binary)
        .args(["audit", "verify"])
        .env_remove("DATABASE_URL")
        .env("PASSERELLE__DATA__FOLDER", &installation.data)
        .output()
        .context("cannot start the verification")?;
    let elapsed = start.elapsed();
    let said = String::from_utf8_lossy(&output.stdout);
    let rows = said.split_once("The audit holds: ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    let Some(rows) = rows else { bail!("{said}{}", String::from_utf8_lossy(&output.stderr)) };
    Ok((rows, elapsed))
}
