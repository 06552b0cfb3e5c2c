//! The ways in which clients change an object: JSON patch, merge patch and Kubernetes' strategic merge patch.

mod json_patch;
mod merge;
mod strategic;

pub(crate) use json_patch::json_patch;
pub(crate) use merge::merge_patch;
pub(crate) use strategic::{merge_key, strategic_merge};
