//! When a deployment that ended well is taken back by what it does to the error budget.

use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// After a deployment the burn of each error budget is watched for a while; above the rate it is rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBackOnBurn {
    /// How long after a deployment is watched, in minutes.
    pub minutes: WatchMinutes,
    /// Burn rate since the deployment at which it is taken back; 1 spends exactly the budget in its period.
    #[serde(default)]
    pub rate: BurnRate,
}

/// 5 to 1,440.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct WatchMinutes(u16);

impl WatchMinutes {
    const MIN: u16 = 5;
    const MAX: u16 = 1440;

    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for WatchMinutes {
    type Error = Text;

    fn try_from(minutes: u16) -> Result<Self, Text> {
        if (Self::MIN..=Self::MAX).contains(&minutes) {
            Ok(Self(minutes))
        } else {
            Err(text!("is {count}; allowed is {min} to {max}", count = minutes, min = Self::MIN, max = Self::MAX))
        }
    }
}

impl JsonSchema for WatchMinutes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "WatchMinutes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": Self::MIN, "maximum": Self::MAX, "examples": [60] })
    }
}

/// 1 to 1,000, in tenths, so that what is compared is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "f64")]
pub struct BurnRate(u16);

impl BurnRate {
    /// Two percent of a budget of thirty days in an hour, at which people are woken too.
    const USUAL: Self = Self(144);

    #[must_use]
    pub const fn tenths(self) -> u16 {
        self.0
    }
}

impl Default for BurnRate {
    fn default() -> Self {
        Self::USUAL
    }
}

impl TryFrom<f64> for BurnRate {
    type Error = Text;

    fn try_from(rate: f64) -> Result<Self, Text> {
        let tenths = (rate * 10.0).round();
        let exact = (rate.mul_add(10.0, -tenths)).abs() < 1e-6;
        if exact && (10.0..=10_000.0).contains(&tenths) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number up to 10,000"
            )]
            return Ok(Self(tenths as u16));
        }
        Err(text!("expected a burn rate of 1 to 1000 with one decimal, such as 14.4"))
    }
}

impl JsonSchema for BurnRate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "BurnRate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 1, "maximum": 1000, "default": 14.4 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rates_are_kept_in_exact_tenths() {
        let read = |value: serde_json::Value| serde_json::from_value::<RollBackOnBurn>(value);
        let usual = read(json!({"minutes": 60})).unwrap();
        assert_eq!((usual.minutes.get(), usual.rate.tenths()), (60, 144));
        for (rate, tenths) in [(json!(1), 10), (json!(14.4), 144), (json!(0.1 + 0.9), 10), (json!(1000), 10_000)] {
            assert_eq!(read(json!({"minutes": 5, "rate": rate})).unwrap().rate.tenths(), tenths);
        }
        for wrong in [json!(0.9), json!(14.44), json!(1000.1), json!(-3), json!("14.4")] {
            assert!(read(json!({"minutes": 5, "rate": wrong.clone()})).is_err(), "{wrong}");
        }
        assert!(read(json!({"minutes": 4})).is_err() && read(json!({"minutes": 1441})).is_err());
        assert!(read(json!({"rate": 2})).is_err());
    }
}
