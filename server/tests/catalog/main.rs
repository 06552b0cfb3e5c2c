//! The catalog against a real Postgres: importing, editing, following, reading by role.
#![expect(clippy::unwrap_used, reason = "tests")]

mod demo;
mod editing;
mod importing;
mod routes;
mod support;
