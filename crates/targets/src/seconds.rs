//! How long something may take, as a setting.

use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;

/// `MIN` to `MAX` seconds; `USUAL` when absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct Seconds<const MIN: u32, const MAX: u32, const USUAL: u32>(u32);

impl<const MIN: u32, const MAX: u32, const USUAL: u32> Seconds<MIN, MAX, USUAL> {
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl<const MIN: u32, const MAX: u32, const USUAL: u32> Default for Seconds<MIN, MAX, USUAL> {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl<const MIN: u32, const MAX: u32, const USUAL: u32> TryFrom<i64> for Seconds<MIN, MAX, USUAL> {
    type Error = Text;

    fn try_from(seconds: i64) -> Result<Self, Text> {
        let allowed = u32::try_from(seconds).ok().filter(|seconds| (MIN..=MAX).contains(seconds));
        allowed
            .map(Self)
            .ok_or_else(|| text!("is {count}; allowed is {min} to {max}", count = seconds, min = MIN, max = MAX))
    }
}

impl<const MIN: u32, const MAX: u32, const USUAL: u32> JsonSchema for Seconds<MIN, MAX, USUAL> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX, "default": USUAL })
    }
}
