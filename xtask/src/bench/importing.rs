//! The import: from the first byte sent until every service is listed and every relation can be read at both of its ends.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::catalog::{self, Shape};
use super::http::Connection;
use super::people::People;
use super::process::Cpu;
use super::request::{self, Credential};
use super::server::Server;

/// Components in one upload; the measured catalog is one.
const PART: usize = 10_000;
/// For what was imported to be readable.
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
pub struct Imported {
    pub elapsed: Duration,
    pub cpu: Cpu,
    pub bytes: usize,
}

/// Imports a catalog and waits until the viewer sees all of it.
pub fn run(server: &Server, people: &People, shape: &Shape) -> Result<Imported> {
    let starts = (0..shape.components).step_by(PART);
    let parts: Vec<String> =
        starts.map(|from| catalog::part(shape, from, (from + PART).min(shape.components))).collect();
    let mut connection = Connection::open(server.address)?;
    let (before, start) = (server.watched.cpu(), Instant::now());
    for (number, part) in parts.iter().enumerate() {
        // Each part under a name of its own, as files of a repository would come.
        let path = format!("/api/v1/catalog/imports?source=bench-{number}");
        let report = connection.call(&request::post_yaml(&path, &people.administrator, part))?.json()?;
        ensure!(report["errors_total"] == 0, "the import was refused in part: {}", report["errors"]);
    }
    wait_until_linked(&mut connection, &people.token, shape, start)?;
    let cpu = server.watched.cpu().since(before);
    Ok(Imported { elapsed: start.elapsed(), cpu, bytes: parts.iter().map(String::len).sum() })
}

fn wait_until_linked(connection: &mut Connection, viewer: &Credential, shape: &Shape, start: Instant) -> Result<()> {
    let last = shape.components - 1;
    let component = format!("/api/v1/services/default/{}", catalog::component(last));
    let store = format!("/api/v1/entities/resource/default/store-{}", last % shape.resources);
    loop {
        let list = connection.call(&request::get("/api/v1/services?limit=1", viewer, &[]))?.json()?;
        if list["total"].as_u64() == Some(shape.components as u64) {
            let there = has(connection, viewer, &component, "dependsOn")?;
            if there && has(connection, viewer, &store, "dependencyOf")? {
                return Ok(());
            }
        }
        ensure!(
            start.elapsed() < LIMIT * 10,
            "the import did not become readable: {} of {}",
            list["total"],
            shape.components
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn has(connection: &mut Connection, viewer: &Credential, path: &str, kind: &str) -> Result<bool> {
    let entity = connection.call(&request::get(path, viewer, &[]))?.json()?;
    Ok(relations(&entity).any(|relation| relation == kind))
}

fn relations(entity: &Value) -> impl Iterator<Item = &str> {
    entity["relations"].as_array().into_iter().flatten().filter_map(|relation| relation["type"].as_str())
}

/// Reads every entity and counts the relations that they show, by kind. A relation shows once at each of its ends.
pub fn count_relations(server: &Server, viewer: &Credential) -> Result<HashMap<String, usize>> {
    let mut connection = Connection::open(server.address)?;
    let mut counts = HashMap::new();
    let mut next = Some("/api/v1/entities?limit=200".to_owned());
    while let Some(path) = next {
        let page = connection.call(&request::get(&path, viewer, &[]))?.json()?;
        for row in page["items"].as_array().context("a page without items")? {
            let reference = row["reference"].as_str().context("a row without reference")?;
            let path = format!("/api/v1/entities/{}", reference.replacen(':', "/", 1));
            let entity = connection.call(&request::get(&path, viewer, &[]))?.json()?;
            for kind in relations(&entity) {
                *counts.entry(kind.to_owned()).or_default() += 1;
            }
        }
        let cursor = page["next_cursor"].as_str();
        next = cursor.map(|cursor| format!("/api/v1/entities?limit=200&cursor={}", request::encoded(cursor)));
    }
    Ok(counts)
}
