//! Takes comments and needless white space out of a style sheet. Nothing else: the compression does the rest.

pub fn minify(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    let mut space = false;
    while let Some(character) = rest.chars().next() {
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.find("*/").map_or("", |end| &comment[end + 2..]);
            space = true;
            continue;
        }
        let length = match character {
            '"' | '\'' => string_length(rest, character),
            _ => character.len_utf8(),
        };
        if character.is_whitespace() {
            space = true;
        } else {
            push(&mut out, &rest[..length], std::mem::take(&mut space));
        }
        rest = &rest[length..];
    }
    out
}

/// White space means something except beside braces, semicolons and after commas. Around `:`, `>`, `+` and `(` it can
/// make a difference, so it stays.
fn push(out: &mut String, token: &str, space_before: bool) {
    if token == "}" && out.ends_with(';') {
        out.pop();
    }
    let after_separator = out.ends_with(['{', '}', ';', ',']) || out.is_empty();
    if space_before && !after_separator && !matches!(token, "{" | "}" | ";" | ",") {
        out.push(' ');
    }
    out.push_str(token);
}

fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::minify;

    #[test]
    fn only_needless_space_goes() {
        let css = "/* a */\n.a , .b:hover {\n  color: red;\n  margin: 0 auto; /* x */\n}\n\n.c :first-child { width: calc(1px + 2px) }\n";
        assert_eq!(minify(css), ".a,.b:hover{color: red;margin: 0 auto}.c :first-child{width: calc(1px + 2px)}");
    }

    #[test]
    fn strings_stay() {
        assert_eq!(minify(".a::before { content: \"/* ; } \\\" \" ; }"), ".a::before{content: \"/* ; } \\\" \"}");
        assert_eq!(minify("a { b: 'unfinished"), "a{b: 'unfinished");
    }
}
