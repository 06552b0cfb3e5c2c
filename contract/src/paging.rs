//! Cursor paging: a list answers `{items, next_cursor, total}`.

use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Opaque and signed; give it back unchanged to read the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
    /// How many items match the filter, over all pages. Deployments and audit events are counted to 10,000; 10,001 says that there
    /// are more.
    pub total: u64,
}

/// Where counting ends in lists that grow without end.
pub const MOST_COUNTED: u64 = 10_000;
/// The largest page a caller may ask for.
pub const MAX_LIMIT: u32 = 200;
/// The size of a page when the caller does not say.
pub const DEFAULT_LIMIT: u32 = 20;
