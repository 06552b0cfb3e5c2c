//! How many of a service's events may fail while a new version comes, as a binding asks for it.

use crate::seconds::Seconds;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// The share of failed events since the rollout began judges a new version: before each next step of a canary, and when it is verified.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorRatio {
    /// Highest share of failed events since the rollout began: 0.01 is one in a hundred.
    pub most: ErrorShare,
    /// Fewest events before they are judged.
    #[serde(default)]
    pub fewest_events: FewestEvents,
    /// Names of the service's objectives that judge; all that count events when empty.
    #[serde(default)]
    pub objectives: Vec<String>,
    /// Seconds for which the events are watched after the rollout.
    #[serde(default)]
    pub watch_seconds: WatchSeconds,
    /// A version that cannot be judged (no data, too few events, no answer) does not go on. Otherwise it goes on, and the deployment says so.
    #[serde(default)]
    pub required: bool,
}

/// How long the events are watched after the rollout.
pub type WatchSeconds = Seconds<10, 3600, 120>;

/// 0 to 0.999999, in millionths, so that what is compared is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "f64")]
pub struct ErrorShare(u32);

impl ErrorShare {
    const WHOLE: u32 = 1_000_000;

    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// Whether so many of so many are more than this.
    #[must_use]
    pub fn is_exceeded(self, bad: u64, total: u64) -> bool {
        u128::from(bad) * u128::from(Self::WHOLE) > u128::from(total) * u128::from(self.0)
    }

    /// In percent, as short as it is exact: `1`, `0.25`.
    #[must_use]
    pub fn percent(self) -> String {
        let text = format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

impl TryFrom<f64> for ErrorShare {
    type Error = Text;

    fn try_from(share: f64) -> Result<Self, Text> {
        let millionths = (share * f64::from(Self::WHOLE)).round();
        // What a decimal of six places becomes as a floating point number is far nearer to it than this.
        let exact = share.mul_add(f64::from(Self::WHOLE), -millionths).abs() < 1e-6;
        if exact && (0.0..f64::from(Self::WHOLE)).contains(&millionths) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number below a million"
            )]
            return Ok(Self(millionths as u32));
        }
        Err(text!("expected a share from 0 to 0.999999 with at most six decimals, such as 0.01"))
    }
}

impl JsonSchema for ErrorShare {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ErrorShare".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "exclusiveMaximum": 1, "examples": [0.01] })
    }
}

/// 1 to 1,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct FewestEvents(u32);

impl FewestEvents {
    const MAX: u32 = 1_000_000_000;
    /// One bad event of so many is not more than two percent.
    const USUAL: Self = Self(50);

    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for FewestEvents {
    fn default() -> Self {
        Self::USUAL
    }
}

impl TryFrom<i64> for FewestEvents {
    type Error = Text;

    fn try_from(events: i64) -> Result<Self, Text> {
        let allowed = u32::try_from(events).ok().filter(|events| (1..=Self::MAX).contains(events));
        allowed
            .map(Self)
            .ok_or_else(|| text!("is {count}; allowed is {min} to {max}", count = events, min = 1, max = Self::MAX))
    }
}

impl JsonSchema for FewestEvents {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FewestEvents".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": Self::MAX, "default": Self::USUAL.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(value: Value) -> Result<ErrorRatio, serde_json::Error> {
        serde_json::from_value(value)
    }

    #[test]
    fn shares_are_kept_in_exact_millionths() {
        let usual = read(json!({"most": 0.01})).unwrap();
        assert_eq!((usual.most.millionths(), usual.fewest_events.get(), usual.required), (10_000, 50, false));
        for (share, millionths, percent) in [
            (json!(0), 0, "0"),
            (json!(0.1 + 0.2), 300_000, "30"),
            (json!(0.0025), 2500, "0.25"),
            (json!(0.000_001), 1, "0.0001"),
            (json!(0.999_999), 999_999, "99.9999"),
        ] {
            let most = read(json!({"most": share})).unwrap().most;
            assert_eq!((most.millionths(), most.percent().as_str()), (millionths, percent));
        }
        for wrong in [json!(1), json!(-0.01), json!(0.000_000_5), json!("0.01"), json!(1.5), Value::Null] {
            assert!(read(json!({"most": wrong.clone()})).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_boundary_itself_is_allowed() {
        let most = read(json!({"most": 0.01})).unwrap().most;
        assert!(!most.is_exceeded(4, 400) && most.is_exceeded(5, 499));
        assert!(most.is_exceeded(u64::MAX, u64::MAX), "nothing overflows");
        let none = read(json!({"most": 0})).unwrap().most;
        assert!(!none.is_exceeded(0, 1_000) && none.is_exceeded(1, 1_000));
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for wrong in [
            json!({}),
            json!({"most": 0.01, "fewest_events": 0}),
            json!({"most": 0.01, "watch_seconds": 9}),
            json!({"most": 0.01, "watch_seconds": 3601}),
            json!({"most": 0.01, "more": 1}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
