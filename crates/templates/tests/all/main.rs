//! The crate from outside.
#![expect(clippy::unwrap_used, reason = "tests")]

mod fixture;
mod generated;
mod golden;
mod hostile;
mod loading;
mod rendering;
mod validated;
