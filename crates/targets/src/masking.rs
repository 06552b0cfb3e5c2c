//! Which values of environment variables are shown, and how text from a platform is made safe to show.

use passerelle_contract::deployments::EnvVar;

/// What stands in the place of a value that is not shown.
pub const MASK: &str = "***";
/// Longest log line or message that is kept, in bytes.
pub const MAX_LINE_BYTES: usize = 2048;
/// Most log lines that are kept with a failure.
pub const MAX_LOG_LINES: usize = 50;

/// Parts of a name, between separators, that say "this is a secret".
const SECRET_WORDS: [&str; 14] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASS",
    "PWD",
    "SECRET",
    "TOKEN",
    "KEY",
    "APIKEY",
    "DSN",
    "CREDENTIAL",
    "CREDENTIALS",
    "SIGNATURE",
    "SALT",
];

/// An environment variable with a literal value, masked where name or value look like a secret.
#[must_use]
pub fn literal(name: &str, value: &str) -> EnvVar {
    if is_secret_name(name) || is_secret_value(value) {
        return EnvVar { name: name.to_owned(), value: MASK.to_owned(), secret: true };
    }
    match without_credentials(value) {
        Some(masked) => EnvVar { name: name.to_owned(), value: masked, secret: true },
        None => EnvVar { name: name.to_owned(), value: shown(value), secret: false },
    }
}

/// Whether a name such as `DB_PASSWORD`, `api-key` or `sessionToken` speaks of a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    words(name).any(|word| {
        SECRET_WORDS.contains(&word.as_str())
            // Written together: DBPASSWORD, CLIENTSECRET, AUTHTOKENS, PRIVATEKEYS; but not MONKEY or KEYBOARD.
            || ["PASSWORD", "SECRET", "TOKEN"].iter().any(|end| word.trim_end_matches('S').ends_with(end))
            || ["APIKEYS", "PRIVATEKEY", "ACCESSKEY", "KEYS", "SECRETKEY"].contains(&word.as_str())
    })
}

/// Splits at anything that is not a letter or digit and where lower case turns to upper case.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_uppercase());
        }
        lower_before = c.is_lowercase();
    }
    words.into_iter().filter(|word| !word.is_empty())
}

fn is_secret_value(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    lower.contains("-----begin ") || lower.contains("password=") || lower.contains("pwd=") || is_json_web_token(value)
}

fn is_json_web_token(value: &str) -> bool {
    value.starts_with("eyJ") && value.matches('.').count() == 2
}

/// A URL with user information, shown without it; nothing for any other text.
fn without_credentials(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once("://")?;
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let at = rest[..authority_end].rfind('@')?;
    Some(shown(&format!("{scheme}://{MASK}@{}", &rest[at + 1..])))
}

/// One line that is safe to print: no control characters or direction marks, at most [`MAX_LINE_BYTES`].
#[must_use]
pub fn shown(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_LINE_BYTES));
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' && chars.peek() == Some(&'[') {
            // A terminal colour: up to its final letter.
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
            continue;
        }
        if is_direction_mark(c) {
            continue;
        }
        let c = if c.is_control() { ' ' } else { c };
        if line.len() + c.len_utf8() > MAX_LINE_BYTES {
            break;
        }
        line.push(c);
    }
    line.truncate(line.trim_end().len());
    line
}

/// Marks that turn the direction of the text around them, so that a line reads as something else.
const fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The last lines of a log, each made safe, at most [`MAX_LOG_LINES`].
#[must_use]
pub fn last_lines(log: &str, lines: u32) -> Vec<String> {
    let wanted = usize::try_from(lines).unwrap_or(MAX_LOG_LINES).min(MAX_LOG_LINES);
    let all: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    all[all.len().saturating_sub(wanted)..].iter().map(|line| shown(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names_are_masked_and_others_shown() {
        for name in ["DB_PASSWORD", "API_KEY", "apiKey", "CLIENTSECRET", "SENTRY_DSN", "sessionToken", "AUTH_TOKENS"] {
            assert_eq!(literal(name, "s3cr3t").value, MASK, "{name}");
        }
        for name in ["SESSION_TTL", "KEYBOARD", "MONKEY", "PORT", "PASSENGERS", "COMPASS"] {
            assert_eq!(literal(name, "42").value, "42", "{name}");
        }
    }

    #[test]
    fn credentials_in_values_are_masked() {
        let var = literal("DATABASE", "postgres://app:p@ss@db:5432/app?sslmode=on");
        assert_eq!((var.value.as_str(), var.secret), ("postgres://***@db:5432/app?sslmode=on", true));
        assert_eq!(literal("DATABASE", "host=db password=x").value, MASK);
        assert_eq!(literal("CERT", "-----BEGIN PRIVATE KEY-----\nMII").value, MASK);
        assert_eq!(literal("ID", "eyJhbGciOiJub25lIn0.e30.x").value, MASK);
        assert_eq!(literal("LINK", "https://example.test/@handle").value, "https://example.test/@handle");
    }

    #[test]
    fn lines_are_cut_and_cleaned() {
        assert_eq!(shown("user\u{202e}nimda"), "usernimda");
        assert_eq!(shown("\u{1b}[31mred\u{1b}[0m\r\nnext\u{7}"), "red  next");
        assert!(shown(&"é".repeat(5000)).len() <= MAX_LINE_BYTES);
        let log = (0..80).map(|n| format!("line {n}\n")).collect::<String>();
        let lines = last_lines(&log, 1000);
        assert_eq!((lines.len(), lines[0].as_str(), lines[49].as_str()), (50, "line 30", "line 79"));
        assert_eq!(last_lines("a\n\nb\n", 1), ["b"]);
    }
}
