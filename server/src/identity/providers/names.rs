//! A user name out of what a provider calls somebody.

/// Leaves room for a number behind it.
const MAX: usize = 48;
const NUMBERED: usize = 30;
/// These would read as something else in the audit.
const RESERVED: [&str; 3] = ["anonymous", "unknown", "system"];

/// Lower case, the characters of a user name, without what follows an `@`.
pub(super) fn wished(text: &str) -> String {
    let local = text.split('@').next().unwrap_or_default().to_lowercase();
    let kept: String = local
        .chars()
        .map(|c| if c.is_whitespace() { '.' } else { c })
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'))
        .take(MAX)
        .collect();
    let name = kept.trim_matches(['.', '_', '-']);
    if name.is_empty() || RESERVED.contains(&name) { "person".to_owned() } else { name.to_owned() }
}

/// In the order in which they are tried.
pub(super) fn candidates(wished: &str) -> Vec<String> {
    std::iter::once(wished.to_owned()).chain((2..NUMBERED).map(|number| format!("{wished}-{number}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::model::user_name;

    #[test]
    fn every_name_is_a_user_name() {
        for (given, name) in [
            ("Ada", "ada"),
            ("ada@example.org", "ada"),
            ("Ada Lovelace", "ada.lovelace"),
            ("--ada--", "ada"),
            ("Élodie", "lodie"),
            ("山田", "person"),
            ("", "person"),
            ("@x", "person"),
            ("System", "person"),
            ("a:b/c", "abc"),
        ] {
            assert_eq!(wished(given), name);
        }
        for text in ["x".repeat(500).as_str(), "-", "..a", "\u{202e}ab"] {
            for name in candidates(&wished(text)) {
                assert!(user_name(&name).is_ok(), "{name}");
            }
        }
    }
}
