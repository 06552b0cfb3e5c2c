//! Where files are delivered to: one trait, and GitHub, GitLab and a folder of Git repositories behind it.
//!
//! Invariants, the same everywhere:
//! - All files arrive in one commit. Its branch and its message derive from the [`Mark`], so that whoever comes again finds what was done
//!   before and does nothing twice.
//! - A branch, a repository or a proposal without our mark is somebody else's: it is refused, never moved. Nothing is ever forced.
//! - Taking back deletes what we made and only that: a branch while our commit is its newest, a repository while it holds nothing but our commit.
//!
//! A crate of its own without the server, so that it is compiled and tried by itself.

mod folder;
mod forge;
mod git;
mod github;
mod gitlab;
mod hosted;
mod parcel;
mod proposal;
mod undo;

pub use folder::GitFolder;
pub use forge::{Forge, open};
pub use parcel::{Committed, Entry, Ground, Into, Left, Made, Mark, Parcel, Present, Proposal, ProposalState};
pub use passerelle_targets::TargetError;
pub use passerelle_targets::ci::{ConnectionConfig, Reference, Repository};
