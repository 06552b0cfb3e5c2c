//! Events in some stretch of time.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

/// Bad events of all events, in one unit. `bad` may exceed `total` for a moment, when two series were read at different
/// times; nothing here relies on the opposite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Counts {
    pub bad: u64,
    pub total: u64,
}

impl Counts {
    pub const ZERO: Self = Self { bad: 0, total: 0 };

    #[must_use]
    pub const fn new(bad: u64, total: u64) -> Self {
        Self { bad, total }
    }

    /// `total - bad`, at least 0.
    #[must_use]
    pub const fn good(self) -> u64 {
        self.total.saturating_sub(self.bad)
    }

    #[must_use]
    pub const fn is_idle(self) -> bool {
        self.total == 0
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { bad: self.bad.saturating_add(other.bad), total: self.total.saturating_add(other.total) }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Counts {
    type Output = Self;

    /// Of running totals: never below zero.
    fn sub(self, other: Self) -> Self {
        Self { bad: self.bad.saturating_sub(other.bad), total: self.total.saturating_sub(other.total) }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}
