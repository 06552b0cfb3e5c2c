//! Integration tests: the whole portal over HTTP, on a real Postgres, with simulated platforms behind the real adapters.
#![expect(clippy::unwrap_used, reason = "tests")]

mod access_matrix;
mod alerts;
mod audit;
mod automatic;
mod bad_forms;
mod bad_input;
mod bindings;
mod budget_gate;
mod burn;
mod canaries;
mod command_line;
mod deploy_forms;
mod deployments;
mod description;
mod french;
mod gate_forms;
mod gates;
mod images;
mod imports;
mod kill_matrix;
mod live;
mod manifests;
mod migration;
mod notification_pages;
mod notifications;
mod onboarding;
mod onboarding_pages;
mod pipelines;
mod slo_pages;
mod stages;
mod support;
mod survival;
mod verification;
mod waiting;
mod webhooks;
