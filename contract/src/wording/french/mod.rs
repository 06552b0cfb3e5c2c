//! The French of every template, one table per part of the portal.
//!
//! A line is the English template and the French one, with the same arguments. `cargo xtask check texts` holds that none is missing,
//! unused, or has other arguments.

mod alerts;
mod catalog;
mod delivery;
mod deployments;
mod environments;
mod gates;
mod identity;
mod kernel;
mod kubernetes;
mod manifests;
mod notifications;
mod onboarding;
mod pipelines;
pub(super) mod schemas;
mod secrets;
mod slo;
mod targets;
mod webhooks;

use std::collections::HashMap;
use std::sync::LazyLock;

type Table = &'static [(&'static str, &'static str)];

const TABLES: &[Table] = &[
    alerts::TEXTS,
    catalog::TEXTS,
    delivery::TEXTS,
    deployments::TEXTS,
    environments::TEXTS,
    gates::TEXTS,
    identity::TEXTS,
    kernel::TEXTS,
    kubernetes::TEXTS,
    manifests::TEXTS,
    notifications::TEXTS,
    onboarding::TEXTS,
    pipelines::TEXTS,
    schemas::TEXTS,
    secrets::TEXTS,
    slo::TEXTS,
    targets::TEXTS,
    webhooks::TEXTS,
];

/// Declares a table: `"English" => "French";`.
macro_rules! texts {
    ($($english:literal => $french:literal;)*) => {
        pub(in crate::wording) const TEXTS: super::Table = &[$(($english, $french)),*];
    };
}
use texts;

static FRENCH: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| TABLES.iter().flat_map(|table| table.iter().copied()).collect());

/// The French template for an English one.
pub(super) fn of(english: &str) -> Option<&'static str> {
    FRENCH.get(english).copied()
}

/// Every English template.
pub(super) fn templates() -> impl Iterator<Item = &'static str> {
    FRENCH.keys().copied()
}
