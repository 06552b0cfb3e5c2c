//! What serde says of a document that it refuses, in words for people who do not write Rust, in every language.

use crate::{Text, text};

/// The sentence for a message of serde; one that is not known stays as it is.
pub fn words(message: &str) -> Text {
    // Where in the body it was; the pointer says it better.
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    known(message).unwrap_or_else(|| Text::recall(message))
}

fn known(message: &str) -> Option<Text> {
    if let Some(field) = quoted(message, "missing field ") {
        return Some(text!("missing field `{field}`", field));
    }
    if let Some(field) = quoted(message, "duplicate field ") {
        return Some(text!("duplicate field `{field}`", field));
    }
    if let Some((what, allowed)) = message.strip_prefix("unknown field ").map(|rest| split(rest, ", ")) {
        return Some(match choices(allowed) {
            Some(allowed) => text!("unknown field {field}; allowed: {allowed}", field = what, allowed),
            None => text!("unknown field {field}; there are no fields", field = what),
        });
    }
    if let Some((what, allowed)) = message.strip_prefix("unknown variant ").map(|rest| split(rest, ", ")) {
        let allowed = choices(allowed)?;
        return Some(text!("is {value}; allowed: {allowed}", value = what, allowed));
    }
    let rest = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
    let (found, wanted) = rest.rsplit_once(", expected ")?;
    Some(text!("is {found}; expected is {wanted}", found = self::found(found), wanted = self::wanted(wanted)))
}

fn split<'a>(text: &'a str, between: &str) -> (&'a str, &'a str) {
    text.split_once(between).unwrap_or((text, ""))
}

/// What stands in backticks after a prefix.
fn quoted<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    message.strip_prefix(prefix)?.strip_prefix('`')?.split('`').next()
}

/// The list behind `expected`; serde writes one, two and many differently.
fn choices(text: &str) -> Option<String> {
    let list = text.strip_prefix("expected ")?;
    let list = list.strip_prefix("one of ").unwrap_or(list);
    Some(list.replace(" or ", ", "))
}

fn found(words: &str) -> Text {
    let (kind, value) = split(words, " ");
    match (kind, value) {
        ("string", value) => text!("the text {value}", value),
        ("integer", value) => text!("the number {value}", value = value.trim_matches('`')),
        ("floating", value) => {
            text!("the number {value}", value = value.trim_start_matches("point ").trim_matches('`'))
        }
        ("boolean", value) => text!("{value}, a yes or no", value = value.trim_matches('`')),
        ("null", _) => text!("nothing (null)"),
        ("map", _) => text!("an object"),
        ("sequence", _) => text!("a list"),
        _ => Text::verbatim(words),
    }
}

fn wanted(words: &str) -> Text {
    match words {
        "u8" => text!("a whole number from {min} to {max}", min = 0, max = u8::MAX),
        "u16" => text!("a whole number from {min} to {max}", min = 0, max = u16::MAX),
        "u32" => text!("a whole number from {min} to {max}", min = 0, max = u32::MAX),
        "i32" => text!("a whole number from {min} to {max}", min = i32::MIN, max = i32::MAX),
        "u64" | "usize" => text!("a whole number from {min}", min = 0),
        "i64" => text!("a whole number"),
        "f64" => text!("a number"),
        "a string" | "string or map" => text!("a text"),
        "a boolean" => text!("true or false"),
        "a sequence" => text!("a list"),
        "a map" => text!("an object"),
        "unit" => text!("nothing (null)"),
        struct_name if struct_name.starts_with("struct ") || struct_name.starts_with("internally tagged enum ") => {
            text!("an object")
        }
        other => Text::recall(other),
    }
}

#[cfg(test)]
mod tests {
    use super::words;
    use crate::Locale;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "snake_case")]
    struct Wanted {
        #[serde(rename = "replicas")]
        _replicas: u32,
        #[serde(rename = "mode", default)]
        _mode: Option<Mode>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        One,
        Two,
    }

    fn said(body: &str) -> (String, String) {
        let error = serde_json::from_str::<Wanted>(body).unwrap_err();
        let words = words(&error.to_string());
        (words.to_string(), words.said(Locale::Fr))
    }

    #[test]
    fn what_serde_refuses_is_told_in_both_languages() {
        for (body, english, french) in [
            ("{}", "missing field `replicas`", "le champ « replicas » manque"),
            (
                r#"{"replicas": "x"}"#,
                r#"is the text "x"; expected is a whole number from 0 to 4294967295"#,
                r#"est le texte "x" ; attendu : un nombre entier de 0 à 4294967295"#,
            ),
            (
                r#"{"replicas": -1}"#,
                "is the number -1; expected is a whole number from 0 to 4294967295",
                "est le nombre -1 ; attendu : un nombre entier de 0 à 4294967295",
            ),
            (
                r#"{"replicas": 1, "x": 1}"#,
                "unknown field `x`; allowed: `replicas`, `mode`",
                "champ inconnu `x` ; autorisés : `replicas`, `mode`",
            ),
            (
                r#"{"replicas": 1, "mode": "three"}"#,
                "is `three`; allowed: `one`, `two`",
                "vaut `three` ; autorisés : `one`, `two`",
            ),
        ] {
            assert_eq!(said(body), (english.to_owned(), french.to_owned()), "{body}");
        }
    }
}
