//! The annotations of a service that say who wrote it last.

use crate::fencing::Names;

pub(super) const ANNOTATIONS: Names = Names {
    field: "annotations",
    deployment: "passerelle.dev/deployment",
    epoch: "passerelle.dev/epoch",
    change: "passerelle.dev/change",
};
