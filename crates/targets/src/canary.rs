//! A new version that comes in steps, as a binding asks for it: the same settings on every platform that can.

use crate::seconds::Seconds;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;

/// Percentages that the new version gets, ascending, each 1 to 99. Empty: it comes all at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<i64>")]
pub struct Steps(Vec<u8>);

impl Steps {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The step after a percentage; 100 at the end.
    pub(crate) fn after(&self, percent: u8) -> u8 {
        self.0.iter().copied().find(|step| *step > percent).unwrap_or(100)
    }

    /// The greatest share before all; 100 where there are no steps.
    pub(crate) fn last(&self) -> u8 {
        self.0.last().copied().unwrap_or(100)
    }

    /// As a person reads them: `10 %, 50 %`.
    #[must_use]
    pub fn shown(&self) -> String {
        self.0.iter().map(|step| format!("{step} %")).collect::<Vec<_>>().join(", ")
    }

    /// How long all pauses are together.
    #[must_use]
    pub fn pauses(&self, pause: Pause) -> Duration {
        pause.duration().saturating_mul(u32::try_from(self.0.len()).unwrap_or(u32::MAX))
    }
}

/// From any numbers, so that one out of range is told at the list.
impl TryFrom<Vec<i64>> for Steps {
    type Error = Text;

    fn try_from(steps: Vec<i64>) -> Result<Self, Text> {
        let wrong = || text!("expected at most 10 percentages from 1 to 99, each greater than the one before");
        let ascending = steps.windows(2).all(|two| two[0] < two[1]);
        let percent = |step: &i64| u8::try_from(*step).ok().filter(|step| (1..100).contains(step));
        let steps: Option<Vec<u8>> = steps.iter().map(percent).collect();
        steps.filter(|steps| ascending && steps.len() <= 10).map(Self).ok_or_else(wrong)
    }
}

impl JsonSchema for Steps {
    fn schema_name() -> Cow<'static, str> {
        "CanarySteps".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "maxItems": 10, "examples": [[10, 50]],
            "items": { "type": "integer", "minimum": 1, "maximum": 99 } })
    }
}

/// Seconds between two steps.
pub type Pause = Seconds<5, 3600, 60>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_ascend_and_pauses_have_limits() {
        let steps = |steps: &[i64]| Steps::try_from(steps.to_vec());
        assert!(steps(&[]).is_ok() && steps(&[1, 50, 99]).is_ok());
        for bad in [&[0_i64][..], &[100], &[300], &[-1], &[50, 10], &[10, 10], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]] {
            assert!(steps(bad).is_err(), "{bad:?}");
        }
        assert!(Pause::try_from(4).is_err() && Pause::try_from(3601).is_err() && Pause::try_from(5).is_ok());
    }

    #[test]
    fn the_last_step_leads_to_all() {
        let steps = Steps::try_from(vec![10, 50]).unwrap();
        assert_eq!((steps.after(0), steps.after(10), steps.after(50)), (10, 50, 100));
        assert_eq!((steps.last(), Steps::default().last()), (50, 100));
        assert_eq!(steps.shown(), "10 %, 50 %");
        assert_eq!(steps.pauses(Pause::try_from(30).unwrap()), Duration::from_secs(60));
    }
}
