//! Rules for texts that people give us. Each answers with what is allowed; the caller adds the field.

use passerelle_contract::{Text, text};
use serde_json::Value;

/// A name of ours (environment, connection, user): a-z, 0-9 and `-`, starting with a letter.
///
/// # Errors
/// What is allowed.
pub fn slug(text: &str, max_chars: usize) -> Result<(), Text> {
    let good = text.len() <= max_chars
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if good {
        Ok(())
    } else {
        Err(text!("must be 1 to {max_chars} characters a-z, 0-9 and '-', starting with a letter", max_chars))
    }
}

/// One line of free text.
///
/// # Errors
/// What is wrong with it.
pub fn line(text: &str, min_chars: usize, max_chars: usize) -> Result<(), Text> {
    if text.contains(['\n', '\r']) {
        return Err(text!("must be one line"));
    }
    paragraph(text, min_chars, max_chars)
}

/// Free text over several lines, without characters that hide or turn around what is written.
///
/// # Errors
/// What is wrong with it.
pub fn paragraph(text: &str, min_chars: usize, max_chars: usize) -> Result<(), Text> {
    let count = text.trim().chars().count();
    if count < min_chars || text.chars().count() > max_chars {
        return Err(text!(
            "must be {min_chars} to {max_chars} characters long, and has {count}",
            min_chars,
            max_chars,
            count
        ));
    }
    match text.chars().find(|&c| is_deceptive(c)) {
        Some(c) => Err(text!("holds the character {code}, which is not shown; take it out", code = code_point(c))),
        None => Ok(()),
    }
}

/// An http or https address that looks like where it leads: the reader of addresses drops line ends and tabs, and a name before the
/// host hides it.
#[must_use]
pub fn link(text: &str) -> bool {
    let plain = !text.chars().any(|c| c.is_whitespace() || is_deceptive(c));
    let good = |url: url::Url| {
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
    };
    text.len() <= 2000 && plain && url::Url::parse(text).is_ok_and(good)
}

/// `U+200B`.
#[must_use]
pub fn code_point(c: char) -> String {
    format!("U+{:04X}", c as u32)
}

/// Why a text with U+0000 is refused: Postgres cannot store it.
#[must_use]
pub fn nul() -> Text {
    text!("holds the character U+0000, which cannot be stored; take it out")
}

/// The pointer of the first text in a document that holds U+0000; `at` is the pointer of the document itself.
#[must_use]
pub fn nul_at(value: &Value, at: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| at.to_owned()),
        Value::Array(items) => items.iter().enumerate().find_map(|(i, item)| nul_at(item, &format!("{at}/{i}"))),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if name.contains('\0') { Some(at.to_owned()) } else { nul_at(value, &format!("{at}/{name}")) }
        }),
        _ => None,
    }
}

/// Control characters (but tab and line ends), bidirectional marks, and invisible characters.
#[must_use]
pub const fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// `namespace/name`.
///
/// # Errors
/// What is allowed.
pub fn service_key(text: &str) -> Result<(&str, &str), Text> {
    let part = |part: &str| {
        (1..=63).contains(&part.len())
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.ends_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    match text.split_once('/') {
        Some((namespace, name)) if part(namespace) && part(name) => Ok((namespace, name)),
        _ => Err(text!("must be namespace/name, each 1 to 63 letters and digits with '-', '_' and '.' between them")),
    }
}

/// An image reference such as `registry/path/name:tag` or `...@sha256:...`; never starts with `-`.
///
/// # Errors
/// What is allowed.
pub fn image(text: &str) -> Result<(), Text> {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let good_name = !name.is_empty()
        && text.len() <= 512
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':'))
        && !name.contains("//")
        && !name.ends_with(['/', ':']);
    let good_digest = digest.is_none_or(|digest| {
        digest.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit()))
    });
    if good_name && good_digest {
        Ok(())
    } else {
        Err(text!(
            "must be an image reference such as registry.example/team/name:tag or name@sha256:<64 hexadecimal digits>"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{image, line, link, service_key, slug};

    #[test]
    fn names_images_and_lines_are_held_to_their_rules() {
        assert!(slug("staging-2", 40).is_ok());
        for bad in ["", "2nd", "Prod", "a_b", "é"] {
            assert!(slug(bad, 40).is_err(), "{bad}");
        }
        assert!(image("127.0.0.1:15000/tinyweb:v1").is_ok());
        assert!(image(&format!("a/b@sha256:{}", "0".repeat(64))).is_ok());
        for bad in ["", "--upload-pack=x", "a b", "a@sha256:12", "a//b", "a;b", "$(id)", "a:"] {
            assert!(image(bad).is_err(), "{bad}");
        }
        assert!(line("release 24", 2, 100).is_ok());
        assert!(line("a\u{202e}b", 2, 100).is_err());
        assert!(line("a\nb", 2, 100).is_err());
        assert!(service_key("shop/web").is_ok());
        assert!(service_key("shop").is_err());
    }

    #[test]
    fn a_link_looks_like_where_it_leads() {
        assert!(link("https://incidents.example/4711?a=b#c"));
        for bad in [
            "javascript:alert(1)",
            "java\tscript:alert(1)",
            "https://a.example/\nb",
            "https://a.example/\u{202e}b",
            "https://bank.example@evil.example/",
            "ftp://a.example/",
            "/relative",
        ] {
            assert!(!link(bad), "{bad:?}");
        }
    }
}
