//! The labels of a service that say who wrote it last.

use crate::fencing::Names;

pub(super) const LABELS: Names = Names {
    field: "Labels",
    deployment: "passerelle.deployment",
    epoch: "passerelle.epoch",
    change: "passerelle.change",
};
