//! What programs and platforms write, on its way to a page or a log; and the words of refused JSON.

use crate::lossy;
use passerelle_contract::{Locale, refused_json};
use passerelle_targets::masking::{MAX_LINE_BYTES, MAX_LOG_LINES, last_lines, literal, shown};

pub fn run(bytes: &[u8]) {
    let text = lossy(bytes);
    safe(&shown(&text));
    let lines = last_lines(&text, u32::MAX);
    assert!(lines.len() <= MAX_LOG_LINES);
    lines.iter().for_each(|line| safe(line));
    let (name, value) = text.split_once('=').unwrap_or((&text, ""));
    safe(&literal(name, value).value);
    drop(refused_json::words(&text));
    let _ = Locale::negotiate(&text);
}

fn safe(line: &str) {
    assert!(line.len() <= MAX_LINE_BYTES, "{} bytes", line.len());
    assert!(
        !line.chars().any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')),
        "{line:?}"
    );
}
