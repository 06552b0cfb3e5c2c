//! Figures beside what they should be.

use std::fmt::Write as _;

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Told because it explains the others.
    None,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    pub target: Target,
    /// What else is known of it.
    pub note: String,
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str, target: Target) -> Self {
        Self { name: name.into(), value, unit, target, note: String::new() }
    }

    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub fn passes(&self) -> bool {
        match self.target {
            Target::AtMost(limit) => self.value <= limit,
            Target::AtLeast(limit) => self.value >= limit,
            Target::None => true,
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.target, self.passes()) {
            (Target::None, _) => "",
            (_, true) => "pass",
            (_, false) => "FAIL",
        }
    }
}

/// A table in Markdown, so that it can go into a document as it is.
pub fn table(figures: &[Figure]) -> String {
    let mut out = String::from("| figure | measured | target | | |\n| --- | ---: | ---: | --- | --- |\n");
    for figure in figures {
        let target = match figure.target {
            Target::AtMost(limit) => format!("<= {}", number(limit)),
            Target::AtLeast(limit) => format!(">= {}", number(limit)),
            Target::None => String::new(),
        };
        let Figure { name, value, unit, note, .. } = figure;
        // Writing to a string does not fail.
        let _ = writeln!(out, "| {name} | {} {unit} | {target} | {} | {note} |", number(*value), figure.verdict());
    }
    out
}

/// With as many digits as mean something, thousands apart.
fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        let text = format!("{value:.2}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_held_against_its_target() {
        let slow = Figure::new("import", 9.5, "s", Target::AtMost(8.0));
        let fast = Figure::new("list", 6300.0, "req/s", Target::AtLeast(6300.0)).note("p95 2 ms");
        assert!(!slow.passes() && fast.passes());
        let table = table(&[slow, fast, Figure::new("load", 1.0, "", Target::None)]);
        assert!(table.contains("| import | 9.5 s | <= 8 | FAIL |  |"), "{table}");
        assert!(table.contains("| list | 6,300 req/s | >= 6,300 | pass | p95 2 ms |"), "{table}");
        assert!(table.contains("| load | 1  |  |  |  |"), "{table}");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0.456, 12.0, 99.999, 1234.5, 11_463.0].map(number), ["0.46", "12", "100", "1,234", "11,463"]);
    }
}
