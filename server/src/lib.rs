//! The portal without its pages: one folder per capability, each with the same file names.
//!
//! Capabilities stand in an order (`kernel`, `config`, `identity`, `audit`, `secrets`, `catalog`, `environments`, `alerts`, `slo`,
//! `gates`, `deployments`, `webhooks`, `onboarding`, `notifications`, `http`) and import only what stands before them; `cargo xtask check` holds that.

pub mod alerts;
pub mod audit;
pub mod catalog;
pub mod config;
pub mod deployments;
pub mod environments;
pub mod gates;
pub mod http;
pub mod identity;
pub mod kernel;
pub mod notifications;
pub mod onboarding;
pub mod portal;
pub mod secrets;
pub mod slo;
pub mod webhooks;
