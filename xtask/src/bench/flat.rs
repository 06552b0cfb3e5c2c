//! Whether a request costs the same in a catalog a hundred times as large. Measured in processor time, which a busy machine hardly
//! changes.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::catalog::Shape;
use super::importing;
use super::load;
use super::people::People;
use super::process::Watched;
use super::server::{Installation, Server};
use super::workload::Workload;

/// What one request costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub workload: Workload,
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

/// After an import Postgres tidies up for a while, which is no part of what a request costs.
const SETTLED: Duration = Duration::from_secs(60);

/// Costs at one size, on a server of its own.
pub fn costs(installation: &Installation, data: &Path, components: usize, duration: Duration) -> Result<Vec<Cost>> {
    let shape = Shape::of(components);
    let server = Server::start(&Installation { data: data.to_owned(), ..installation.clone() })?;
    let people = People::set_up(&server)?;
    let imported = importing::run(&server, &people, &shape)?;
    eprintln!("      {components} components imported in {:.1} s", imported.elapsed.as_secs_f64());
    settle(server.watched);
    let mut costs = Vec::new();
    for workload in Workload::API {
        let requests = workload.requests(&server, &shape, &people.token)?;
        // Once before, for what is read for the first time comes from Postgres whatever the size: more of it in a larger catalog.
        load::run(server.address, &requests, duration, server.watched)?;
        let measured = load::run(server.address, &requests, duration, server.watched)?;
        costs.push(Cost {
            workload,
            server: measured.server_us(),
            postgres: measured.postgres_us(),
            bytes: measured.bytes,
        });
    }
    Ok(costs)
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
