//! All SQL of this capability.

pub(super) mod bindings;
pub(super) mod connections;
pub(super) mod environments;
