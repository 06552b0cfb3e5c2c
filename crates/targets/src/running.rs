//! What runs on a platform, whether or not the portal knows of it: what a service that is adopted is found among.

use crate::TargetError;
use passerelle_contract::text;
use serde_json::Value;

/// Most that one look tells.
pub const MOST_RUNNING: usize = 500;

/// Something that a binding could name, with what it tells of itself. Texts are as the platform has them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Running {
    /// Namespace or stack; empty where there is neither.
    pub group: String,
    pub name: String,
    /// Configuration of a binding to it.
    pub binding: Value,
    pub image: Option<String>,
    /// Wanted, where a number is fixed.
    pub replicas: Option<u32>,
    pub port: Option<u16>,
    /// Path of the probe that says whether it is ready.
    pub ready_path: Option<String>,
    /// Path of the probe that says whether it lives.
    pub health_path: Option<String>,
    /// Name that it is reached by from outside.
    pub host: Option<String>,
}

/// Of a kind that does not tell.
pub(crate) fn not_told() -> TargetError {
    TargetError::Refused(text!("a connection of this kind does not tell what runs there"))
}

/// In the order in which people look for something, and no more than [`MOST_RUNNING`].
#[must_use]
pub fn in_order(mut all: Vec<Running>) -> Vec<Running> {
    all.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    all.truncate(MOST_RUNNING);
    all
}

/// The host of a rule of Traefik such as ``Host(`a.example.org`)``, the first of several.
#[must_use]
pub fn host_of(rule: &str) -> Option<String> {
    let inner = rule.split("Host(").nth(1)?.split([')', ',']).next()?;
    let host = inner.trim_matches(['`', '"', '\'', ' ']);
    Some(host.to_owned()).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_traefik_names_its_first_host() {
        for (rule, host) in [
            ("Host(`a.example.org`)", Some("a.example.org")),
            ("PathPrefix(`/x`) && Host(\"b.org\", `c.org`)", Some("b.org")),
            ("Host()", None),
            ("PathPrefix(`/`)", None),
        ] {
            assert_eq!(host_of(rule).as_deref(), host, "{rule}");
        }
    }

    #[test]
    fn a_look_has_an_order_and_an_end() {
        let one = |at: usize| Running { name: format!("{:04}", 9999 - at), ..Running::default() };
        let all = in_order((0..MOST_RUNNING + 7).map(one).collect());
        assert_eq!(all.len(), MOST_RUNNING);
        assert!(all.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
