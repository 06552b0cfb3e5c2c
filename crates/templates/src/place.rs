//! Where a value stands in a file, found from the text around it; in doubt, the place that takes the least.

use crate::kind::FileKind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A whole value of YAML, JSON or TOML.
    Whole,
    /// Inside double quotes of YAML, JSON, TOML or HCL.
    Quoted,
    /// Where a quoted text of the file's language may stand (HCL and source code).
    Bare,
    /// Words only.
    Word,
    /// Text of Markdown.
    Prose,
    /// Text or an attribute of HTML.
    Markup,
    /// The name of a file.
    Path,
}

/// What stands in the same line before and after a value. Other values are `\u{1}`, and tags are gone.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    pub before: &'a str,
    pub after: &'a str,
    /// In a YAML block scalar or a Markdown fence, where the lines are somebody else's language.
    pub within_block: bool,
}

/// The place of a value.
pub fn of(kind: FileKind, around: Around<'_>) -> Place {
    match kind {
        FileKind::Markup => Place::Markup,
        FileKind::Markdown => prose(around),
        FileKind::Plain => Place::Word,
        _ if around.within_block => Place::Word,
        FileKind::Hcl | FileKind::Code => in_program(kind, around.before),
        FileKind::Yaml | FileKind::Json | FileKind::Toml => in_document(kind, around),
    }
}

fn prose(around: Around<'_>) -> Place {
    let in_code = around.before.matches('`').count() % 2 == 1;
    let in_link = around.before.rfind("](").is_some_and(|at| !around.before[at..].contains(')'));
    let in_tag = around.before.rfind('<').is_some_and(|at| !around.before[at..].contains('>'));
    let definition = around.before.trim_start().starts_with('[') && around.before.contains("]:");
    if around.within_block || in_code || in_link || in_tag || definition { Place::Word } else { Place::Prose }
}

/// Terraform and source code: what matters is whether a quoted text is open.
fn in_program(kind: FileKind, before: &str) -> Place {
    let mut chars = before.char_indices();
    let mut open: Option<(char, usize)> = None;
    while let Some((at, c)) = chars.next() {
        match (open, c) {
            (Some(_), '\\') => drop(chars.next()),
            (Some((quote, _)), c) if c == quote => open = None,
            (None, '"' | '\'' | '`') => open = Some((c, at)),
            (None, '#') if kind == FileKind::Hcl => return Place::Word,
            _ => {}
        }
    }
    match open {
        None if kind == FileKind::Hcl && before.contains("//") => Place::Word,
        None => Place::Bare,
        // Inside of `${` Terraform reads an expression again.
        Some(('"', at)) if kind == FileKind::Hcl && !before[at..].contains("${") && !before[at..].contains("%{") => {
            Place::Quoted
        }
        Some(_) => Place::Word,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A value may begin here.
    Start,
    /// In a text without quotes.
    Plain,
    Double,
    Single,
    /// After a value in quotes or brackets.
    After,
    Comment,
}

fn in_document(kind: FileKind, around: Around<'_>) -> Place {
    let mut scan = Scan { kind, state: State::Start, depth: u32::from(kind == FileKind::Json) };
    let chars: Vec<char> = around.before.chars().collect();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if scan.state == State::Double && c == '\\' {
            at += 1;
        } else {
            scan.step(c, at.checked_sub(1).and_then(|at| chars.get(at)).copied(), chars.get(at + 1).copied());
        }
        at += 1;
    }
    match scan.state {
        State::Double => Place::Quoted,
        State::Start if scan.ends(around.after) => Place::Whole,
        _ => Place::Word,
    }
}

struct Scan {
    kind: FileKind,
    state: State,
    /// Of brackets that are open in this line.
    depth: u32,
}

impl Scan {
    fn step(&mut self, c: char, before: Option<char>, next: Option<char>) {
        let spaced = before.is_none_or(char::is_whitespace);
        self.state = match (self.state, c) {
            (State::Comment, _) | (State::Double | State::Single, _)
                if self.state == State::Comment
                    || (self.state == State::Double && c != '"')
                    || (self.state == State::Single && c != '\'') =>
            {
                self.state
            }
            (State::Double | State::Single, _) => State::After,
            (_, '#') if spaced || self.kind == FileKind::Toml => State::Comment,
            (State::Start, c) if c.is_whitespace() => State::Start,
            (State::Start, '"') => State::Double,
            (State::Start | State::After, '\'') if self.kind != FileKind::Json => State::Single,
            (State::Start, '-') if self.kind == FileKind::Yaml && next == Some(' ') => State::Start,
            (State::Start, '[' | '{') => {
                self.depth += 1;
                State::Start
            }
            (State::Start | State::Plain | State::After, ']' | '}') if self.depth > 0 => {
                self.depth -= 1;
                State::After
            }
            (State::Start | State::Plain | State::After, ',') if self.depth > 0 => State::Start,
            (State::Plain | State::After, '=') if self.kind == FileKind::Toml => State::Start,
            (State::Plain, ':') if self.kind == FileKind::Yaml && next == Some(' ') => State::Start,
            (State::After, ':')
                if self.kind != FileKind::Toml && (next == Some(' ') || self.kind == FileKind::Json) =>
            {
                State::Start
            }
            (State::After, c) if c.is_whitespace() => State::After,
            _ => State::Plain,
        };
    }

    /// Whether nothing but the end of the value comes after it.
    fn ends(&self, after: &str) -> bool {
        let rest = after.trim_start();
        let spaced = rest.len() < after.len();
        rest.is_empty()
            || (rest.starts_with('#') && spaced && self.kind != FileKind::Json)
            || (self.depth > 0 && rest.starts_with([',', ']', '}']))
    }
}

/// For each line, whether it lies in a block scalar.
pub fn yaml_blocks(text: &str) -> Vec<bool> {
    let mut block: Option<usize> = None;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if block.is_some_and(|parent| line.trim().is_empty() || indent > parent) {
            lines.push(true);
            continue;
        }
        lines.push(false);
        block = block_parent(line);
    }
    lines
}

/// The column beyond which a line must begin to lie in the block scalar that a line opens.
fn block_parent(line: &str) -> Option<usize> {
    let content = line.split_once(" #").map_or(line, |(before, _)| before).trim_end();
    let opener = content.rsplit(' ').next()?;
    let mut marks = opener.chars();
    let opens = matches!(marks.next(), Some('|' | '>')) && marks.all(|c| matches!(c, '+' | '-' | '1'..='9'));
    let head = content.strip_suffix(opener)?.trim_end();
    if !opens || !(head.ends_with(':') || head.ends_with('-') || head.ends_with("---")) {
        return None;
    }
    let mut column = head.len() - head.trim_start_matches(' ').len();
    let mut rest = &head[column..];
    while let Some(inner) = rest.strip_prefix("- ") {
        let skipped = inner.len() - inner.trim_start_matches(' ').len();
        column += 2 + skipped;
        rest = &inner[skipped..];
    }
    Some(column)
}

/// For each line, whether it lies in a fence.
pub fn markdown_fences(text: &str) -> Vec<bool> {
    let mut open: Option<char> = None;
    let fence =
        |line: &str| ['`', '~'].into_iter().find(|mark| line.trim_start().starts_with(&String::from(*mark).repeat(3)));
    text.split('\n')
        .map(|line| match (open, fence(line)) {
            (None, Some(mark)) => {
                open = Some(mark);
                true
            }
            (Some(mark), Some(end)) if mark == end => {
                open = None;
                true
            }
            (open, _) => open.is_some() || line.starts_with("    "),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(kind: FileKind, line: &str) -> Place {
        let (before, after) = line.split_once('@').unwrap();
        of(kind, Around { before, after, within_block: false })
    }

    #[test]
    fn a_whole_value_of_a_document_is_told_from_a_part_of_one() {
        use FileKind::{Json, Toml, Yaml};
        for (kind, line, wanted) in [
            (Yaml, "key: @", Place::Whole),
            (Yaml, "  - @ # why", Place::Whole),
            (Yaml, "- key: @", Place::Whole),
            (Yaml, "on: {branches: [@, main]}", Place::Whole),
            (Yaml, "key: \"a @ b\"", Place::Quoted),
            (Yaml, "\"key\": @", Place::Whole),
            (Yaml, "key: 'a @'", Place::Word),
            (Yaml, "key: it's \"@\"", Place::Word),
            (Yaml, "key: a-@", Place::Word),
            (Yaml, "key: @-a", Place::Word),
            (Yaml, "key: @ and", Place::Word),
            (Yaml, "@: 1", Place::Word),
            (Yaml, "key:@", Place::Word),
            (Yaml, "# key: @", Place::Word),
            (Yaml, "key: 1 # \"@", Place::Word),
            (Yaml, "key: a, \"@\"", Place::Word),
            (Yaml, "key: \"a\\\"\" # @", Place::Word),
            (Json, "  \"a\": @,", Place::Whole),
            (Json, "  \"a\":@}", Place::Whole),
            (Json, "  \"a\": \"x@\"", Place::Quoted),
            (Json, "  \"@\": 1", Place::Quoted),
            (Toml, "a = @", Place::Whole),
            (Toml, "a = [@, \"b\"]", Place::Whole),
            (Toml, "a = \"@\"", Place::Quoted),
            (Toml, "a = '@'", Place::Word),
            (Toml, "@ = 1", Place::Word),
            (Toml, "a = 1 # @", Place::Word),
        ] {
            assert_eq!(place(kind, line), wanted, "{line}");
        }
    }

    #[test]
    fn a_program_takes_a_quoted_text_where_none_is_open() {
        use FileKind::{Code, Hcl, Plain};
        for (kind, line, wanted) in [
            (Hcl, "a = @", Place::Bare),
            (Hcl, "a = \"x-@\"", Place::Quoted),
            (Hcl, "a = \"${var.@}\"", Place::Word),
            (Hcl, "# @", Place::Word),
            (Code, "x = f(@)", Place::Bare),
            (Code, "x = f(\"@\")", Place::Word),
            (Code, "x = '@'", Place::Word),
            (Code, "\"\"\"@", Place::Word),
            (Plain, "RUN \"@\"", Place::Word),
        ] {
            assert_eq!(place(kind, line), wanted, "{line}");
        }
        for (line, wanted) in [
            ("# About @", Place::Prose),
            ("run `@`", Place::Word),
            ("[a](https://@/x)", Place::Word),
            ("[a](https://b) @", Place::Prose),
            ("<a href=\"@\">", Place::Word),
        ] {
            assert_eq!(place(FileKind::Markdown, line), wanted, "{line}");
        }
    }

    #[test]
    fn the_lines_of_a_block_scalar_are_known() {
        let text =
            "a: |\n  x: 1\n\n  y\nb: 2\nsteps:\n  - run: |-\n      echo\n    name: c\n  - >2\n      d\ne: '|'\n f";
        let wanted = [false, true, true, true, false, false, false, true, false, false, true, false, false];
        assert_eq!(yaml_blocks(text), wanted);
        assert_eq!(markdown_fences("a\n```sh\nb\n```\nc"), [false, true, true, true, false]);
    }
}
