//! All SQL of the gates, one file per table.

pub mod approvals;
pub mod break_glass;
pub mod freezes;
pub mod policies;
pub mod scans;
pub mod waivers;
