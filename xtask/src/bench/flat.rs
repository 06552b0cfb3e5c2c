//! Whether a request costs the same in a catalog a hundred times as large. Measured in processor time, which a busy machine hardly
//! changes, and by turns on two servers that run side by side, so that what changes on the machine meanwhile changes both.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::catalog::Shape;
use super::importing;
use super::load;
use super::people::People;
use super::process::Watched;
use super::server::{Installation, Server};
use super::workload::Workload;

/// Turns of each size; the middle one counts.
const ROUNDS: usize = 5;
/// After an import Postgres tidies up for a while, which is no part of what a request costs.
const SETTLED: Duration = Duration::from_secs(60);

/// What one request costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Processor time in microseconds.
    pub server: f64,
    pub postgres: f64,
    /// Of the answer.
    pub bytes: usize,
}

impl Cost {
    pub fn both(&self) -> f64 {
        self.server + self.postgres
    }
}

/// A server with a catalog of some size.
#[derive(Debug)]
pub struct Side {
    server: Server,
    people: People,
    shape: Shape,
}

impl Side {
    pub fn start(installation: &Installation, data: &Path, components: usize) -> Result<Self> {
        let shape = Shape::of(components);
        let server = Server::start(&Installation { data: data.to_owned(), ..installation.clone() })?;
        let people = People::set_up(&server)?;
        let imported = importing::run(&server, &people, &shape)?;
        eprintln!("      {components} components imported in {:.1} s", imported.elapsed.as_secs_f64());
        settle(server.watched);
        Ok(Self { server, people, shape })
    }
}

/// The costs of one workload on both sides.
pub fn costs(sides: [&Side; 2], workload: Workload, duration: Duration) -> Result<[Cost; 2]> {
    let mut rounds: [Vec<Cost>; 2] = Default::default();
    let mut asked = Vec::new();
    for side in sides {
        let requests = workload.requests(&side.server, &side.shape, &side.people.token)?;
        // Once before, for what is read for the first time comes from Postgres whatever the size: more of it in a larger catalog.
        load::run(side.server.address, &requests, duration, side.server.watched)?;
        asked.push(requests);
    }
    for _ in 0..ROUNDS {
        for ((side, requests), rounds) in sides.iter().zip(&asked).zip(&mut rounds) {
            let measured = load::run(side.server.address, requests, duration, side.server.watched)?;
            rounds.push(Cost { server: measured.server_us(), postgres: measured.postgres_us(), bytes: measured.bytes });
        }
    }
    let [small, large] = rounds.map(middle);
    Ok([small.context("no rounds")?, large.context("no rounds")?])
}

/// The median, by what server and Postgres take together.
fn middle(mut costs: Vec<Cost>) -> Option<Cost> {
    costs.sort_by(|one, other| one.both().total_cmp(&other.both()));
    costs.get(costs.len() / 2).copied()
}

/// Waits until server and Postgres rest, or for as long as that may take.
fn settle(watched: Watched) {
    let (start, window) = (Instant::now(), Duration::from_secs(2));
    while start.elapsed() < SETTLED {
        let before = watched.cpu();
        std::thread::sleep(window);
        let used = watched.cpu().since(before);
        if used.server + used.postgres < window / 50 {
            return;
        }
    }
    eprintln!("      server and Postgres still work after {} s", SETTLED.as_secs());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_rounds_counts() {
        let cost = |server, postgres| Cost { server, postgres, bytes: 0 };
        let middle = middle(vec![cost(900.0, 0.0), cost(100.0, 1.0), cost(90.0, 40.0)]).unwrap();
        assert!((middle.both() - 130.0).abs() < 1e-9, "{middle:?}");
    }
}
