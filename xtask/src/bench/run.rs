//! The measurements in their order, each of which adds its figures.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::catalog::Shape;
use super::flat::{self, Side};
use super::load::{self, CONNECTIONS, Measured};
use super::people::People;
use super::report::{Figure, Target};
use super::request::Credential;
use super::server::{Installation, Scratch, Server};
use super::workload::Workload;
use super::{first_load, importing};

const MEGABYTE: f64 = 1e6;
/// Starts on the existing database; the middle one counts.
const STARTS: usize = 3;
/// After a start, before its memory is called idle.
const SETTLED: Duration = Duration::from_secs(4);
/// Relations of the measured catalog, both directions counted.
const RELATIONS: std::ops::RangeInclusive<usize> = 80_000..=82_000;

/// Sets a new portal up and imports the catalog.
pub fn import(installation: &Installation, shape: &Shape, figures: &mut Vec<Figure>) -> Result<People> {
    let server = Server::start(installation)?;
    figures.push(
        Figure::new("first start, empty", server.ready_after.as_secs_f64(), "s", Target::None)
            .note("with the making of its database"),
    );
    let people = People::set_up(&server)?;
    let imported = importing::run(&server, &people, shape)?;
    figures.push(
        Figure::new("import until readable and linked", imported.elapsed.as_secs_f64(), "s", Target::AtMost(8.0)).note(
            format!(
                "{:.1} MB, {} entities; CPU {:.1} s server, {:.1} s Postgres",
                imported.bytes as f64 / MEGABYTE,
                shape.entities(),
                imported.cpu.server.as_secs_f64(),
                imported.cpu.postgres.as_secs_f64()
            ),
        ),
    );
    let kinds = importing::count_relations(&server, &people.token)?;
    let relations: usize = kinds.values().sum();
    ensure!(RELATIONS.contains(&relations), "{relations} relations were derived: {kinds:?}");
    figures.push(
        Figure::new("relations, both directions", relations as f64, "", Target::AtLeast(*RELATIONS.start() as f64))
            .note(format!("{} kinds, counted by reading every entity", kinds.len())),
    );
    std::thread::sleep(SETTLED);
    figures.push(
        memory("memory after the import", server.watched.resident(), Target::None)
            .note(format!("{:.0} MB at most meanwhile", server.watched.resident_peak() as f64 / MEGABYTE)),
    );
    Ok(people)
}

/// Starts on the existing database.
pub fn start(installation: &Installation, figures: &mut Vec<Figure>) -> Result<Server> {
    let mut starts = Vec::new();
    for _ in 1..STARTS {
        starts.push(Server::start(installation)?.ready_after);
    }
    let server = Server::start(installation)?;
    starts.push(server.ready_after);
    starts.sort_unstable();
    let ready = starts[STARTS / 2].as_secs_f64();
    figures.push(
        Figure::new("ready on an existing database", ready, "s", Target::AtMost(1.0))
            .note("with the start of Postgres"),
    );
    std::thread::sleep(SETTLED);
    figures.push(
        memory("memory idle", server.watched.resident(), Target::AtMost(80.0))
            .note(format!("server alone; its Postgres {:.0} MB", server.watched.postgres_memory() as f64 / MEGABYTE)),
    );
    Ok(server)
}

/// Reads as a viewer, by session and by token.
pub fn reads(
    server: &Server,
    shape: &Shape,
    people: &People,
    duration: Duration,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let mut most = 0;
    for workload in Workload::API {
        for (credential, how) in [(&people.session, "session"), (&people.token, "token")] {
            let requests = workload.requests(server, shape, credential)?;
            let measured = load::run(server.address, &requests, duration, server.watched)?;
            most = most.max(measured.resident);
            figures.extend(rates(workload, how, &measured));
        }
    }
    pages(server, shape, &people.session, duration, figures, &mut most)?;
    figures.push(
        memory("memory under load", most, Target::AtMost(140.0))
            .note(format!("server alone; its Postgres {:.0} MB", server.watched.postgres_memory() as f64 / MEGABYTE)),
    );
    Ok(())
}

fn rates(workload: Workload, how: &str, measured: &Measured) -> Vec<Figure> {
    let least = match workload {
        Workload::List => 6_300.0,
        Workload::Sorted => 5_520.0,
        Workload::Search => 6_810.0,
        Workload::Facets => 2_520.0,
        Workload::Entity | Workload::Page => 11_463.0,
    };
    let name = format!("{}, {how}", workload.name());
    let mut figures =
        vec![Figure::new(name.clone(), measured.per_second, "req/s", Target::AtLeast(least)).note(described(measured))];
    if workload == Workload::List {
        figures.push(Figure::new(format!("{name}, p95"), milliseconds(measured.p95), "ms", Target::AtMost(10.0)));
    }
    figures
}

fn pages(
    server: &Server,
    shape: &Shape,
    person: &Credential,
    duration: Duration,
    figures: &mut Vec<Figure>,
    most: &mut u64,
) -> Result<()> {
    let requests = Workload::Page.requests(server, shape, person)?;
    let measured = load::run(server.address, &requests, duration, server.watched)?;
    *most = (*most).max(measured.resident);
    figures.push(
        Figure::new("list page (HTML), p95", milliseconds(measured.p95), "ms", Target::AtMost(50.0)).note(format!(
            "{:.0} req/s; {}",
            measured.per_second,
            described(&measured)
        )),
    );
    let loaded = first_load::run(server, person)?;
    let bytes: usize = loaded.iter().map(|file| file.bytes).sum();
    let page = loaded.iter().find(|file| file.path == "/services").context("the page itself was not loaded")?.bytes;
    figures.push(Figure::new("first load of the list page", bytes as f64 / 1e3, "kB", Target::AtMost(200.0)).note(
        format!("{} files, compressed, with their headers; the page itself {:.1} kB", loaded.len(), page as f64 / 1e3),
    ));
    Ok(())
}

/// Compares what a request costs in catalogs of different sizes.
pub fn flatness(
    installation: &Installation,
    scratch: &Scratch,
    sizes: (usize, usize),
    duration: Duration,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let small = Side::start(installation, &scratch.folder("small"), sizes.0)?;
    let large = Side::start(installation, &scratch.folder("large"), sizes.1)?;
    // At least a second a turn: processor time is counted in hundredths of one.
    let turn = (duration / 3).max(Duration::from_secs(1));
    for workload in Workload::API {
        let [few, many] = flat::costs([&small, &large], workload, turn)?;
        let name = format!("{}, {} to {} components", workload.name(), sizes.0, sizes.1);
        figures.push(Figure::new(name, many.both() / few.both(), "x", Target::AtMost(1.5)).note(format!(
            "CPU of the server {:.0} and {:.0} µs, of Postgres {:.0} and {:.0} µs a request; {} and {} bytes",
            few.server, many.server, few.postgres, many.postgres, few.bytes, many.bytes
        )));
    }
    Ok(())
}

fn memory(name: &str, bytes: u64, target: Target) -> Figure {
    Figure::new(name, bytes as f64 / MEGABYTE, "MB", target)
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The rest of a measurement.
pub fn described(measured: &Measured) -> String {
    format!(
        "p50 {:.1}, p95 {:.1}, p99 {:.1} ms at {CONNECTIONS} connections; CPU {:.0} µs server, {:.0} µs Postgres; generator {:.0} % of all CPU; {} bytes",
        milliseconds(measured.p50),
        milliseconds(measured.p95),
        milliseconds(measured.p99),
        measured.server_us(),
        measured.postgres_us(),
        measured.generator_share() * 100.0,
        measured.bytes
    )
}
