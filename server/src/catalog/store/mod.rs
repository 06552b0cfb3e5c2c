//! All SQL of the catalog.

mod read;
mod write;

pub(super) use read::{
    Detail, LaidRow, OwnedRow, changed_after, details, documents, existing, for_update, missing_from, service_by_key,
    services_annotated, services_by_ids, services_laid_to,
};
pub(super) use write::{Edited, archive, lock, move_place, override_fields, write_new, write_over};
