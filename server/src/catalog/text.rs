//! What names, texts and links may look like. The rules for names are Backstage's, so that its documents pass and others do not.

use crate::kernel::validate::{code_point, is_deceptive};
use passerelle_contract::{Text, text};
use url::Url;

/// Characters that make a text look like another one: controls, the marks that turn the direction of writing, and those without width.
#[must_use]
pub const fn is_unsafe(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || is_deceptive(c)
}

/// Joins or parts letters, which Persian, Indic scripts and emoji need; fit for prose, and not for a name.
const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// One line of text for people.
///
/// # Errors
/// A sentence that names the rule.
pub fn line(text: &str, max_chars: usize) -> Result<(), Text> {
    check(text, max_chars, |_| false)
}

/// Text for people that may have several lines.
///
/// # Errors
/// A sentence that names the rule.
pub fn paragraph(text: &str, max_chars: usize) -> Result<(), Text> {
    check(text, max_chars, |c| matches!(c, '\n' | '\t' | '\r') || is_joiner(c))
}

fn check(text: &str, max_chars: usize, allowed: impl Fn(char) -> bool) -> Result<(), Text> {
    if text.chars().nth(max_chars).is_some() {
        return Err(text!("at most {max} characters are allowed", max = max_chars));
    }
    match text.chars().find(|c| is_unsafe(*c) && !allowed(*c)) {
        Some(c) => Err(text!(
            "the character {code} (control, direction of writing or invisible) is not allowed",
            code = code_point(c)
        )),
        None => Ok(()),
    }
}

/// Letters and digits, with single or repeated `-`, `_`, `.` between them, 1 to 63 characters.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes[0].is_ascii_alphanumeric()
        && bytes[bytes.len() - 1].is_ascii_alphanumeric()
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Lower-case letters and digits with `-` between them, 1 to 63 characters.
#[must_use]
pub fn is_namespace(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&bytes.len())
        && plain(&bytes[0])
        && plain(&bytes[bytes.len() - 1])
        && bytes.iter().all(|b| plain(b) || *b == b'-')
}

/// Like a namespace, several of them with `.` between, at most 253 characters.
fn is_domain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_namespace)
}

/// `[domain/]name`, as in keys of labels and annotations.
#[must_use]
pub fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_domain(domain) && is_name(name),
        None => is_name(text),
    }
}

/// `[domain/]version`.
#[must_use]
pub fn is_api_version(text: &str) -> bool {
    let version = |text: &str| (1..=63).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
    match text.split_once('/') {
        Some((domain, name)) => is_domain(domain) && version(name),
        None => version(text),
    }
}

/// A letter, then letters and digits, 1 to 63 characters.
#[must_use]
pub fn is_kind(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphabetic()
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Lower-case letters, digits, `:`, `+`, `#`, with single `-` between them, 1 to 63 characters.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b':' | b'+' | b'#');
    (1..=63).contains(&text.len()) && text.split('-').all(|part| !part.is_empty() && part.bytes().all(plain))
}

/// A link a browser may follow: http, https or mailto, without credentials.
///
/// # Errors
/// A sentence that names the rule.
pub fn safe_url(text: &str) -> Result<(), Text> {
    line(text, 2_000)?;
    // The URL reader drops blanks and tabs, so they could hide a scheme.
    if text.chars().any(char::is_whitespace) {
        return Err(text!("a link holds no blanks"));
    }
    let url = Url::parse(text).map_err(|_| text!("not a link; it begins with http://, https:// or mailto:"))?;
    match url.scheme() {
        "mailto" => Ok(()),
        "http" | "https" if !url.username().is_empty() || url.password().is_some() => {
            Err(text!("a link holds no user name or password"))
        }
        "http" | "https" if text[url.scheme().len()..].starts_with("://") => Ok(()),
        other => Err(text!("links with {scheme}: are not allowed; use http://, https:// or mailto:", scheme = other)),
    }
}

#[cfg(test)]
mod tests {
    use super::{line, paragraph};

    #[test]
    fn what_has_no_width_is_in_no_name_and_joiners_are_in_prose_only() {
        for hidden in ['\u{200B}', '\u{200C}', '\u{200D}', '\u{2060}', '\u{FEFF}'] {
            assert!(line(&format!("pay{hidden}ments"), 100).is_err(), "{hidden:?} in a line");
        }
        for hidden in ['\u{200B}', '\u{2060}', '\u{FEFF}'] {
            assert!(paragraph(&format!("a{hidden}b"), 100).is_err(), "{hidden:?} in prose");
        }
        assert!(paragraph("می\u{200C}خواهم, 👩\u{200D}💻", 100).is_ok());
    }
}
