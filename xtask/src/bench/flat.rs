//! Whether a request costs the same in a catalog a hundred times as large. Measured in processor time, which a busy machine hardly
//! changes.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::catalog::Shape;
use super::importing;
use super::load;
use super::people::People;
use super::server::{Installation, Server};
use super::workload::Workload;

/// Processor time of server and Postgres for one request of each workload, in microseconds.
pub type Costs = Vec<(Workload, f64)>;

/// Costs at one size, on a server of its own.
pub fn costs(installation: &Installation, data: &Path, components: usize, duration: Duration) -> Result<Costs> {
    let shape = Shape::of(components);
    let server = Server::start(&Installation { data: data.to_owned(), ..installation.clone() })?;
    let people = People::set_up(&server)?;
    let imported = importing::run(&server, &people, &shape)?;
    eprintln!("      {components} components imported in {:.1} s", imported.elapsed.as_secs_f64());
    let mut costs = Vec::new();
    for workload in Workload::API {
        let requests = workload.requests(&server, &shape, &people.token)?;
        // Once before, for what is read for the first time comes from Postgres whatever the size: more of it in a larger catalog.
        load::run(server.address, &requests, duration, server.watched)?;
        let measured = load::run(server.address, &requests, duration, server.watched)?;
        costs.push((workload, measured.server_us() + measured.postgres_us()));
    }
    Ok(costs)
}
