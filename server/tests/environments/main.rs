//! Environments, connections and bindings against a real Postgres.
#![expect(clippy::unwrap_used, reason = "tests")]

mod objects;
mod routes;
mod schemas;
mod support;
