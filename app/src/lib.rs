//! Placeholder doc, replaced as the crate is written.
