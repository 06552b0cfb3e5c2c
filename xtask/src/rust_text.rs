//! Reads Rust source as text: string literals, and code without comments.
//!
//! A full parser would know more; the rules that use this need only to tell code, comments and strings apart.

/// A piece of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Code, strings excluded.
    Code(&'a str),
    /// The inside of a string literal, escapes as written.
    Text(&'a str),
    /// A comment, its marks included.
    Comment(&'a str),
}

/// Splits source into pieces, in order and with the byte offset of each.
pub fn pieces(source: &str) -> Vec<(usize, Piece<'_>)> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut code) = (0, 0);
    while at < bytes.len() {
        let Some((end, piece)) = special(source, bytes, at) else {
            at += char_literal(bytes, at).unwrap_or(1);
            continue;
        };
        if code < at {
            found.push((code, Piece::Code(&source[code..at])));
        }
        found.push(piece);
        (at, code) = (end, end);
    }
    if code < bytes.len() {
        found.push((code, Piece::Code(&source[code..])));
    }
    found
}

/// The source with comments blanked out: every offset and line number stays.
pub fn without_comments(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    for (offset, piece) in pieces(source) {
        let Piece::Comment(comment) = piece else { continue };
        out.push_str(&source[at..offset]);
        out.extend(comment.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        at = offset + comment.len();
    }
    out.push_str(&source[at..]);
    out
}

/// Line number of a byte offset, from 1.
pub fn line_of(source: &str, offset: usize) -> usize {
    1 + source.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count()
}

/// A comment or a string that starts exactly here, and where it ends.
fn special<'a>(source: &'a str, bytes: &[u8], at: usize) -> Option<(usize, (usize, Piece<'a>))> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length);
        return Some((end, (at, Piece::Comment(&source[at..end]))));
    }
    if rest.starts_with(b"/*") {
        let end = block_comment_end(bytes, at);
        return Some((end, (at, Piece::Comment(&source[at..end]))));
    }
    if rest.starts_with(b"\"") {
        let end = string_end(bytes, at + 1);
        return Some(((end + 1).min(bytes.len()), (at + 1, Piece::Text(&source[at + 1..end]))));
    }
    let starts_word = at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest[0] == b'r' && starts_word {
        let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
        if rest.get(1 + hashes) == Some(&b'"') {
            let start = at + 2 + hashes;
            let close = format!("\"{}", "#".repeat(hashes));
            let end = source[start..].find(&close).map_or(bytes.len(), |length| start + length);
            return Some(((end + close.len()).min(bytes.len()), (start, Piece::Text(&source[start..end]))));
        }
    }
    None
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at < bytes.len() {
        match &bytes[at..(at + 2).min(bytes.len())] {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" => {
                (at, depth) = (at + 2, depth - 1);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Length of a character literal here; a lifetime is none.
fn char_literal(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes[at] != b'\'' {
        // A whole character, so that a slice never cuts one.
        let length = (1..4).find(|length| bytes.get(at + length).is_none_or(|byte| byte & 0xC0 != 0x80));
        return length;
    }
    if bytes.get(at + 1) == Some(&b'\\') {
        let close = bytes[(at + 3).min(bytes.len())..].iter().position(|byte| *byte == b'\'')?;
        return Some(3 + close + 1);
    }
    (2..=5)
        .find(|length| bytes.get(at + length) == Some(&b'\''))
        .filter(|length| {
            // 'a' and '"' and one character of several bytes, but not the two lifetimes of <'a, 'b>.
            *length == 2 || bytes[at + 1] >= 0x80
        })
        .map(|length| length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        pieces(source)
            .into_iter()
            .filter_map(|(_, piece)| match piece {
                Piece::Text(text) => Some(text),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn strings_are_found_and_comments_are_not_strings() {
        let source = r##"let a = "one \" two"; // "no"
            /* "no" /* "no" */ "no" */ let b = r#"raw " one"#; let c = '"'; let d: &'static str = "x";
            let e = 'é'; fn f<'a, 'b>(x: &'a str, y: &'b str) { g("y") }"##;
        assert_eq!(texts(source), [r#"one \" two"#, "raw \" one", "x", "y"]);
    }

    #[test]
    fn offsets_and_lines_survive_the_removal_of_comments() {
        let source = "a\n/* x\n y */ b // c\nd";
        let clean = without_comments(source);
        assert_eq!(clean.len(), source.len());
        assert_eq!(clean.split_whitespace().collect::<Vec<_>>(), ["a", "b", "d"]);
        assert_eq!(line_of(&clean, clean.find('d').unwrap()), 4);
    }

    #[test]
    fn unfinished_source_does_not_panic() {
        for source in ["\"", "r#\"", "/*", "'", "'\\", "\"\\", "é\"", "/* é"] {
            let _ = without_comments(source);
        }
    }
}
