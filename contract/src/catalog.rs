//! Services and the other catalog entities, in Backstage's terms.

use crate::{Locale, Text};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// One row of the service list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceOut {
    pub id: Uuid,
    /// `namespace/name`.
    pub key: String,
    pub namespace: String,
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    /// The system it is part of, as `namespace/name`.
    pub system: Option<String>,
    /// The owning team, as `namespace/name`.
    pub owner: Option<String>,
    /// Backstage's `spec.type`, for example `service` or `website`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub lifecycle: Option<String>,
    pub tags: Vec<String>,
    /// The worst health over its environments; absent when it runs nowhere we know.
    pub health: Option<crate::deployments::Health>,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// Filters of the service list; all are optional and combine with "and", repeated values of one field with "or".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ServiceFilter {
    /// Words that must all occur in key, title, description, owner, system or tags.
    pub q: Option<String>,
    pub system: Option<String>,
    /// The owning team.
    pub team: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub lifecycle: Option<String>,
    pub tag: Option<String>,
    /// Only services bound to this environment.
    pub environment: Option<String>,
    pub health: Option<crate::deployments::Health>,
    pub sort: Option<ServiceSort>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServiceSort {
    /// By key, A to Z.
    #[default]
    Name,
    /// By key, Z to A.
    NameDesc,
    System,
    Owner,
    /// Last changed first.
    Updated,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetValue {
    pub value: String,
    pub count: u32,
}

/// For each field the values that occur in the filtered list, most frequent first; a field's own filter does not narrow its values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceFacets {
    pub system: Vec<FacetValue>,
    pub team: Vec<FacetValue>,
    #[serde(rename = "type")]
    pub kind: Vec<FacetValue>,
    pub lifecycle: Vec<FacetValue>,
    pub tag: Vec<FacetValue>,
    pub environment: Vec<FacetValue>,
    pub health: Vec<FacetValue>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkOut {
    pub url: String,
    pub title: Option<String>,
    pub icon: Option<String>,
}

/// One relation of an entity; inverse ones (`ownerOf`, `dependencyOf`, ...) are derived.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelationOut {
    /// Backstage's relation type, for example `dependsOn`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Full reference, `kind:namespace/name`, lower case kind.
    pub target: String,
    pub target_title: Option<String>,
    /// False when no entity with this reference has been imported.
    pub exists: bool,
}

/// Any catalog entity with all it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntityOut {
    pub id: Uuid,
    /// Full reference, `kind:namespace/name`.
    pub reference: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    #[serde(rename = "type")]
    pub entity_type: Option<String>,
    pub lifecycle: Option<String>,
    pub owner: Option<String>,
    pub system: Option<String>,
    pub tags: Vec<String>,
    pub links: Vec<LinkOut>,
    pub annotations: BTreeMap<String, String>,
    pub relations: Vec<RelationOut>,
    /// The document as it was imported, unknown fields included.
    pub document: Value,
    /// The file it came from, with the line its document starts at.
    pub source: String,
    pub source_line: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// One row of the list of entities of any kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EntityRow {
    pub id: Uuid,
    /// Full reference, `kind:namespace/name`.
    pub reference: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub title: Option<String>,
    #[serde(rename = "type")]
    pub entity_type: Option<String>,
    pub lifecycle: Option<String>,
    pub owner: Option<String>,
    pub system: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GraphNode {
    pub reference: String,
    pub title: String,
    pub kind: String,
    /// Steps from the service; negative for what depends on it.
    pub depth: i32,
    pub exists: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GraphEdge {
    pub from: String,
    pub to: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// What a service depends on, and what depends on it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GraphOut {
    pub nodes: Vec<GraphNode>,
    pub edges: Vec<GraphEdge>,
    /// True when nodes were left out because the graph is larger than one page can show.
    pub truncated: bool,
}

/// What an import did, or would do (dry run).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportReport {
    pub dry_run: bool,
    pub created: u32,
    pub updated: u32,
    pub unchanged: u32,
    pub archived: u32,
    /// The entities that change, at most 200 of them.
    pub changes: Vec<ImportChange>,
    /// What was refused, at most 500 places; everything else went in.
    pub errors: Vec<ImportError>,
    /// How many places were refused in all.
    #[serde(default)]
    pub errors_total: u32,
    /// What was noticed and refused nothing, for example a location outside the upload.
    #[serde(default)]
    pub warnings: Vec<ImportError>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportChange {
    pub reference: String,
    /// `created`, `updated` or `archived`.
    pub change: String,
    /// JSON pointers that differ, for an update.
    pub fields: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportError {
    /// The file and the number of the document in it, for example `catalog-info.yaml#3`.
    pub document: String,
    /// Line in the file, from 1.
    pub line: u32,
    /// JSON pointer inside the document.
    pub pointer: String,
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub message: Text,
}

impl ImportReport {
    /// The same in the language of its reader.
    #[must_use]
    pub fn into_said(mut self, locale: Locale) -> Self {
        for place in self.errors.iter_mut().chain(&mut self.warnings) {
            place.message = std::mem::take(&mut place.message).into_said(locale);
        }
        self
    }
}

/// What a service list page needs from `PATCH /services/{ns}/{name}`; absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ServicePatch {
    pub title: Option<String>,
    pub description: Option<String>,
    pub lifecycle: Option<String>,
    pub tags: Option<Vec<String>>,
}
