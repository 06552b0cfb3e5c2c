//! The target of an SLO, as the decimal that a person wrote.

use crate::exact::{ParseRatioError, Ratio};
use std::fmt;

/// More digits than this after the point of a percentage are refused: 99.9999999 % of a month is 2.6 ms.
pub const MAX_PLACES: u32 = 7;

/// A share of good events between 0 and 1, both excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Objective(Ratio);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectiveError {
    #[error("{0}")]
    NotADecimal(#[from] ParseRatioError),
    #[error("an objective of {0} % leaves no budget: nothing could ever fail; give less than 100, for example 99.9")]
    NoBudget(String),
    #[error("an objective must be more than 0 %, and is {0}")]
    TooLow(String),
    #[error("{0} has more than {MAX_PLACES} digits after the point of the percentage")]
    TooPrecise(String),
}

impl Objective {
    /// From a percentage, for example `99.9`.
    ///
    /// # Errors
    /// When it is not a decimal between 0 and 100, both excluded.
    pub fn from_percent(text: &str) -> Result<Self, ObjectiveError> {
        let percent: Ratio = text.parse()?;
        Self::checked(percent.times(Ratio::percent(1)), text)
    }

    /// From a share, for example `0.999` as OpenSLO writes it.
    ///
    /// # Errors
    /// As [`Self::from_percent`].
    pub fn from_share(text: &str) -> Result<Self, ObjectiveError> {
        Self::checked(text.parse()?, text)
    }

    /// From a percentage of bad events, for example `0.1` for 99.9 %.
    ///
    /// # Errors
    /// As [`Self::from_percent`].
    pub fn from_bad_percent(text: &str) -> Result<Self, ObjectiveError> {
        let percent: Ratio = text.parse()?;
        Self::checked(Ratio::ONE.minus(percent.times(Ratio::percent(1))), text)
    }

    fn checked(share: Ratio, text: &str) -> Result<Self, ObjectiveError> {
        if share >= Ratio::ONE {
            return Err(ObjectiveError::NoBudget(text.to_owned()));
        }
        if !share.is_positive() {
            return Err(ObjectiveError::TooLow(text.to_owned()));
        }
        if 10_i128.pow(MAX_PLACES + 2) % share.denominator() != 0 {
            return Err(ObjectiveError::TooPrecise(text.to_owned()));
        }
        Ok(Self(share))
    }

    /// The share of good events, 0 to 1.
    #[must_use]
    pub const fn share(self) -> Ratio {
        self.0
    }

    /// `B = 1 - o`, the share of events that may be bad.
    #[must_use]
    pub const fn budget_ratio(self) -> Ratio {
        let of = self.0.denominator();
        Ratio::new(of - self.0.numerator(), of)
    }

    /// As a percentage without trailing zeros, for example `99.9`.
    #[must_use]
    pub fn percent(self) -> String {
        let text = self.0.times(Ratio::whole(100)).decimal(MAX_PLACES);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent())
    }
}

#[cfg(test)]
mod tests {
    use super::{Objective, ObjectiveError};
    use crate::Ratio;

    #[test]
    fn the_same_target_in_three_notations() {
        let objective = Objective::from_percent("99.9").unwrap();
        assert_eq!(objective, Objective::from_share("0.999").unwrap());
        assert_eq!(objective, Objective::from_bad_percent("0.1").unwrap());
        assert_eq!(objective.budget_ratio(), Ratio::new(1, 1000));
        assert_eq!(objective.to_string(), "99.9 %");
        assert_eq!(Objective::from_percent("95").unwrap().percent(), "95");
        assert_eq!(Objective::from_percent("99.9999999").unwrap().percent(), "99.9999999");
    }

    #[test]
    fn what_leaves_no_budget_or_no_objective_is_refused() {
        assert!(matches!(Objective::from_percent("100"), Err(ObjectiveError::NoBudget(_))));
        assert!(matches!(Objective::from_percent("100.0"), Err(ObjectiveError::NoBudget(_))));
        assert!(matches!(Objective::from_percent("101"), Err(ObjectiveError::NoBudget(_))));
        assert!(matches!(Objective::from_share("1"), Err(ObjectiveError::NoBudget(_))));
        assert!(matches!(Objective::from_percent("0"), Err(ObjectiveError::TooLow(_))));
        assert!(matches!(Objective::from_percent("-3"), Err(ObjectiveError::TooLow(_))));
        assert!(matches!(Objective::from_percent("99.99999999"), Err(ObjectiveError::TooPrecise(_))));
        assert!(matches!(Objective::from_percent("NaN"), Err(ObjectiveError::NotADecimal(_))));
    }
}
