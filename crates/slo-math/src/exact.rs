//! Fractions of integers.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A fraction in lowest terms with a positive denominator.
///
/// Comparison is exact for all values. Sums and products are exact as long as they fit into 128 bits; beyond that both parts lose low bits
/// (a relative error below 2^-60). No gate decision comes near: a count has 64 bits and an objective 30.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: i128,
    denominator: i128,
}

/// A text that is not a decimal number of at most 18 digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a decimal number such as 99.9")]
pub struct ParseRatioError(pub String);

const fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Ratio {
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// `numerator / denominator`; a denominator of 0 counts as 1, because no caller divides by what it has not looked at.
    #[must_use]
    pub const fn new(numerator: i128, denominator: i128) -> Self {
        if denominator == 0 {
            return Self { numerator, denominator: 1 };
        }
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs()) as i128;
        let sign = if denominator < 0 { -1 } else { 1 };
        Self { numerator: sign * (numerator / divisor), denominator: sign * (denominator / divisor) }
    }

    #[must_use]
    pub const fn whole(value: i128) -> Self {
        Self { numerator: value, denominator: 1 }
    }

    #[must_use]
    pub const fn percent(value: i128) -> Self {
        Self::new(value, 100)
    }

    #[must_use]
    pub const fn numerator(self) -> i128 {
        self.numerator
    }

    #[must_use]
    pub const fn denominator(self) -> i128 {
        self.denominator
    }

    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.numerator > 0
    }

    #[must_use]
    pub const fn negate(self) -> Self {
        Self { numerator: -self.numerator, denominator: self.denominator }
    }

    /// `None` for zero.
    #[must_use]
    pub const fn inverse(self) -> Option<Self> {
        if self.numerator == 0 { None } else { Some(Self::new(self.denominator, self.numerator)) }
    }

    #[must_use]
    pub fn times(self, other: Self) -> Self {
        // Reduced crosswise first, so that a product that fits is never cut.
        let (left, right) =
            (Self::new(self.numerator, other.denominator), Self::new(other.numerator, self.denominator));
        fit(|shift| {
            let numerator = (left.numerator >> shift).checked_mul(right.numerator)?;
            let denominator = (left.denominator >> shift).checked_mul(right.denominator)?;
            Some((numerator, denominator))
        })
    }

    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let divisor = gcd(self.denominator.unsigned_abs(), other.denominator.unsigned_abs()) as i128;
        let (own, others) = (self.denominator / divisor, other.denominator / divisor);
        fit(|shift| {
            let left = (self.numerator >> shift).checked_mul(others)?;
            let right = (other.numerator >> shift).checked_mul(own)?;
            Some((left.checked_add(right)?, (self.denominator >> shift).checked_mul(others)?))
        })
    }

    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.plus(other.negate())
    }

    /// The largest whole number that is not larger.
    #[must_use]
    pub const fn floor(self) -> i128 {
        self.numerator.div_euclid(self.denominator)
    }

    /// The smallest whole number that is not smaller.
    #[must_use]
    pub const fn ceil(self) -> i128 {
        -self.negate().floor()
    }

    /// With `places` digits after the point (at most 12), rounded half away from zero.
    #[must_use]
    pub fn decimal(self, places: u32) -> String {
        let places = places.min(12);
        let scale = 10_i128.pow(places);
        let magnitude = Self { numerator: self.numerator.abs(), denominator: self.denominator };
        let scaled = magnitude.times(Self::whole(scale)).plus(Self::new(1, 2)).floor();
        let sign = if self.numerator < 0 && scaled != 0 { "-" } else { "" };
        let (whole, rest) = (scaled / scale, scaled % scale);
        if places == 0 {
            return format!("{sign}{whole}");
        }
        format!("{sign}{whole}.{rest:0width$}", width = places as usize)
    }

    /// For charts and JSON only; nothing is decided by it.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what a chart wants")]
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

/// Calls `compute` with as many low bits cut from the left side as it takes to fit.
fn fit(compute: impl Fn(u32) -> Option<(i128, i128)>) -> Ratio {
    for shift in (0..127).step_by(4) {
        if let Some((numerator, denominator)) = compute(shift) {
            return Ratio::new(numerator, denominator);
        }
    }
    Ratio::ZERO
}

impl Ord for Ratio {
    /// By continued fractions, which never overflow.
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut left, mut right) = (*self, *other);
        let mut turned = false;
        loop {
            let (a, b) = (left.floor(), right.floor());
            let (rest_a, rest_b) =
                (left.numerator.rem_euclid(left.denominator), right.numerator.rem_euclid(right.denominator));
            let order = match (a.cmp(&b), rest_a, rest_b) {
                (Ordering::Equal, 0, 0) => Ordering::Equal,
                (Ordering::Equal, 0, _) => Ordering::Less,
                (Ordering::Equal, _, 0) => Ordering::Greater,
                (Ordering::Equal, _, _) => {
                    left = Self { numerator: left.denominator, denominator: rest_a };
                    right = Self { numerator: right.denominator, denominator: rest_b };
                    turned = !turned;
                    continue;
                }
                (order, _, _) => order,
            };
            return if turned { order.reverse() } else { order };
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Ratio {
    type Err = ParseRatioError;

    /// A decimal such as `99.9`, `-0.25` or `1e-3`; exactly what is written.
    fn from_str(text: &str) -> Result<Self, ParseRatioError> {
        parse(text.trim()).ok_or_else(|| ParseRatioError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Ratio> {
    let (text, exponent) = match text.split_once(['e', 'E']) {
        Some((text, exponent)) => (text, exponent.parse::<i32>().ok().filter(|e| (-18..=18).contains(e))?),
        None => (text, 0),
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = [whole, fraction].concat();
    if whole.is_empty() || all.len() > 18 || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: i128 = all.parse().ok()?;
    let value = if negative { -value } else { value };
    let places = i32::try_from(fraction.len()).ok()? - exponent;
    let power = 10_i128.checked_pow(places.unsigned_abs())?;
    Some(if places >= 0 { Ratio::new(value, power) } else { Ratio::whole(value.checked_mul(power)?) })
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.decimal(6))
    }
}

#[cfg(test)]
mod tests {
    use super::Ratio;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_read_and_written_to_the_digit() {
        for (text, numerator, denominator) in
            [("99.9", 999, 10), ("0.1", 1, 10), ("-0.250", -1, 4), ("1e-3", 1, 1000), ("2.5e3", 2500, 1), ("7", 7, 1)]
        {
            assert_eq!(text.parse::<Ratio>().unwrap(), Ratio::new(numerator, denominator), "{text}");
        }
        for bad in ["", ".", ".5", "1,5", "NaN", "inf", "--1", "1e99", "1.2.3", "0x10", "1234567890123456789", "٣"] {
            assert!(bad.parse::<Ratio>().is_err(), "{bad}");
        }
        assert_eq!(Ratio::new(2, 3).decimal(6), "0.666667");
        assert_eq!(Ratio::new(-1, 4).decimal(6), "-0.250000");
        assert_eq!(Ratio::new(-1, 3_000_000_000).decimal(6), "0.000000");
        assert_eq!(Ratio::new(5, 2).decimal(0), "3");
        assert_eq!((Ratio::new(-1, 2).floor(), Ratio::new(-1, 2).ceil(), Ratio::new(7, 7).ceil()), (-1, 0, 1));
    }

    proptest! {
        #[test]
        fn order_and_sums_agree_with_cross_multiplication(
            a in -1_000_000_000_000_i128..1_000_000_000_000, b in 1_i128..1_000_000_000_000,
            c in -1_000_000_000_000_i128..1_000_000_000_000, d in 1_i128..1_000_000_000_000,
        ) {
            let (left, right) = (Ratio::new(a, b), Ratio::new(c, d));
            prop_assert_eq!(left.cmp(&right), (a * d).cmp(&(c * b)));
            prop_assert_eq!(left.plus(right), Ratio::new(a * d + c * b, b * d));
            prop_assert_eq!(left.times(right), Ratio::new(a * c, b * d));
            prop_assert_eq!(left.minus(left), Ratio::ZERO);
        }

        #[test]
        fn huge_values_compare_without_overflow(a in 1_i128..i128::MAX, b in 1_i128..i128::MAX) {
            let (left, right) = (Ratio::new(a, b), Ratio::new(a, b - 1 + i128::from(b == 1)));
            prop_assert!(left <= right || b == 1);
            let product = left.times(Ratio::new(b, a));
            prop_assert!((product.to_f64() - 1.0).abs() < 1e-9);
        }
    }
}
