//! Integration tests: the whole portal over HTTP, on a real Postgres, with simulated platforms behind the real adapters.

mod access_matrix;
mod deployments;
mod support;
mod survival;
