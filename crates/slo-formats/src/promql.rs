//! The part of PromQL that can be batched: a metric with matchers.

use passerelle_contract::{Text, text};
use std::fmt;

/// A counter: `metric{label="value", ...}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector {
    pub metric: String,
    /// By label.
    pub matchers: Vec<Matcher>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Matcher {
    pub label: String,
    pub op: MatchOp,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchOp {
    Equal,
    NotEqual,
    Regex,
    NotRegex,
}

impl MatchOp {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

impl Selector {
    #[must_use]
    pub fn new(metric: impl Into<String>, mut matchers: Vec<Matcher>) -> Self {
        matchers.sort();
        Self { metric: metric.into(), matchers }
    }

    /// `metric{...}`, `sum(metric{...})` or `sum(metric{...}[range])`-free forms thereof.
    ///
    /// # Errors
    /// What was expected, and where.
    pub fn parse(text: &str) -> Result<Self, Text> {
        let text = text.trim();
        let inner = text.strip_prefix("sum(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(text);
        Parser { rest: inner.trim() }.selector()
    }
}

impl Matcher {
    #[must_use]
    pub fn new(label: impl Into<String>, op: MatchOp, value: impl Into<String>) -> Self {
        Self { label: label.into(), op, value: value.into() }
    }
}

/// A string as PromQL reads it.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.label, self.op.as_str(), quote(&self.value))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        if self.matchers.is_empty() {
            return Ok(());
        }
        let matchers: Vec<String> = self.matchers.iter().map(ToString::to_string).collect();
        write!(f, "{{{}}}", matchers.join(","))
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn selector(mut self) -> Result<Selector, Text> {
        let metric = self.name(true)?;
        let mut matchers = Vec::new();
        if self.eat("{") {
            while !self.eat("}") {
                matchers.push(self.matcher()?);
                if !self.eat(",") && !self.rest.starts_with('}') {
                    return Err(text!("expected ',' or '}}' before '{near}'", near = self.near()));
                }
            }
        }
        if self.rest.is_empty() {
            return Ok(Selector::new(metric, matchers));
        }
        Err(text!("expected the end before '{near}'", near = self.near()))
    }

    fn matcher(&mut self) -> Result<Matcher, Text> {
        let label = self.name(false)?;
        let op = [MatchOp::Regex, MatchOp::NotRegex, MatchOp::NotEqual, MatchOp::Equal]
            .into_iter()
            .find(|op| self.eat(op.as_str()))
            .ok_or_else(|| text!("expected =, !=, =~ or !~ before '{near}'", near = self.near()))?;
        Ok(Matcher { label, op, value: self.string()? })
    }

    fn name(&mut self, colons: bool) -> Result<String, Text> {
        let end = self
            .rest
            .char_indices()
            .find(|(i, c)| {
                let letter = c.is_ascii_alphabetic() || *c == '_' || (colons && *c == ':');
                !(letter || (*i > 0 && c.is_ascii_digit()))
            })
            .map_or(self.rest.len(), |(i, _)| i);
        if end == 0 {
            return Err(text!("expected a name before '{near}'", near = self.near()));
        }
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        Ok(name.to_owned())
    }

    fn string(&mut self) -> Result<String, Text> {
        let quote = self.rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quote = quote.ok_or_else(|| text!("expected a quoted value before '{near}'", near = self.near()))?;
        let mut value = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((index, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, c @ ('\\' | '"' | '\''))) => value.push(c),
                    Some((_, c)) => {
                        return Err(text!("'{escape}' is not an escape of PromQL", escape = format!("\\{c}")));
                    }
                    None => break,
                },
                c if c == quote => {
                    self.rest = self.rest[index + 1..].trim_start();
                    return Ok(value);
                }
                c => value.push(c),
            }
        }
        Err(text!("a quoted value does not end"))
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn near(&self) -> String {
        self.rest.chars().take(20).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_read_in_any_writing_and_written_in_one() {
        for (text, canonical) in [
            ("up", "up"),
            ("a:b{}", "a:b"),
            (
                r#"sum(http_requests_total{ service = "web", code =~ '5..' , })"#,
                r#"http_requests_total{code=~"5..",service="web"}"#,
            ),
            (r#"m{path="/a\"b\\c",x!="",y!~"z"}"#, r#"m{path="/a\"b\\c",x!="",y!~"z"}"#),
        ] {
            let selector = Selector::parse(text).unwrap();
            assert_eq!(selector.to_string(), canonical);
            assert_eq!(Selector::parse(canonical).unwrap(), selector);
        }
        for bad in [
            "",
            "rate(m[5m])",
            "m[5m]",
            "a + b",
            "m{x}",
            "m{x=1}",
            "m{x=\"a}",
            "{x=\"a\"}",
            "m{x=\"a\"} > 1",
            "m{x=\"\\d\"}",
            "m{x=\"a\" y=\"b\"}",
        ] {
            assert!(Selector::parse(bad).is_err(), "{bad}");
        }
    }
}
