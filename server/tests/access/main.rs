//! Access and the door against a real Postgres, through the whole stack of middleware.
#![expect(clippy::unwrap_used, reason = "tests")]

mod devices;
mod door;
mod people;
mod support;
mod tokens;
