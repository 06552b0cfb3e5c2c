//! What a binding is made of: where in the bucket the site is.

use super::config::Bucket;
pub use crate::folder::Folder;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// One site in the bucket.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BindingConfig {
    /// Folder of the site in the bucket; the whole bucket when absent.
    #[serde(default)]
    pub prefix: Folder,
    /// Folder in which releases lie as SHA256.tar.gz, SHA256.zip or SHA256.tar; `archives/` when absent.
    #[serde(default = "archives")]
    pub archives: Folder,
    /// Bucket of the archives, when it is another one.
    #[serde(default)]
    pub archive_bucket: Option<Bucket>,
    /// Folders whose files carry a hash in their name, so that browsers may keep them for ever; `assets/` when absent.
    #[serde(default = "assets")]
    pub assets: Vec<Folder>,
    /// What is not found is answered with index.html. Needs the whole bucket.
    #[serde(default)]
    pub single_page: bool,
    /// Versions that stay in the bucket to go back to, 2 to 50; 5 when absent.
    #[serde(default)]
    pub keep: Keep,
}

fn archives() -> Folder {
    Folder::below("archives")
}

fn assets() -> Vec<Folder> {
    vec![Folder::below("assets")]
}

/// How many versions stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct Keep(pub(super) usize);

impl Default for Keep {
    fn default() -> Self {
        Self(5)
    }
}

impl TryFrom<i64> for Keep {
    type Error = Text;

    fn try_from(count: i64) -> Result<Self, Text> {
        let allowed = usize::try_from(count).ok().filter(|count| (2..=50).contains(count));
        allowed.map(Self).ok_or_else(|| text!("is {count}; allowed is {min} to {max}", count, min = 2, max = 50))
    }
}

impl JsonSchema for Keep {
    fn schema_name() -> Cow<'static, str> {
        "Keep".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 2, "maximum": 50, "default": 5 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_versions_stay() {
        assert!(Keep::try_from(1).is_err() && Keep::try_from(2).is_ok() && Keep::try_from(-1).is_err());
    }
}
