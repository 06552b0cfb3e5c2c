//! All SQL of this capability.

pub mod definitions;
pub mod list;
pub mod policies;
pub mod postmortems;
pub mod samples;
pub mod status;
