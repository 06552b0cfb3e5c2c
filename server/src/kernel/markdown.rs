//! Markdown that people write, as HTML. Every tag is written here: HTML in the text is shown as text, a link leads to `http`, `https` or
//! `mailto` or is none, and a picture is a link to it, so that looking at a page asks nobody else's server.

use super::validate;
use pulldown_cmark::{CowStr, Event, Parser, Tag};
use std::fmt::Write;

/// A longer text is shown as it was written.
const MAX_BYTES: usize = 64 << 10;
/// Quotes and lists in each other; those further in stand with the last.
const MAX_BLOCKS: usize = 8;
/// Elements of any kind in each other.
const MAX_DEPTH: usize = 30;

/// `top` is the level that the text's first headings get on the page.
#[must_use]
pub fn html(text: &str, top: u8) -> String {
    let mut out = Writer { html: String::with_capacity(text.len() * 2), top, ..Writer::default() };
    if text.len() > MAX_BYTES {
        out.html.push_str("<pre>");
        out.text(text);
        out.html.push_str("</pre>");
        return out.html;
    }
    for event in Parser::new(text) {
        out.event(event);
    }
    out.html
}

/// What a part of the text became: nothing, or an element by its name.
type Element = Option<&'static str>;

#[derive(Default)]
struct Writer {
    html: String,
    top: u8,
    open: Vec<Element>,
    /// Of those that are open: elements, quotes and lists, links.
    elements: usize,
    blocks: usize,
    links: usize,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => {
                let element = if self.elements < MAX_DEPTH { self.start(tag) } else { None };
                self.open.push(element);
                if let Some(name) = element {
                    self.elements += 1;
                    self.blocks += usize::from(is_block(name));
                    self.links += usize::from(name == "a");
                }
            }
            Event::End(_) => {
                if let Some(Some(name)) = self.open.pop() {
                    self.elements -= 1;
                    self.blocks -= usize::from(is_block(name));
                    self.links -= usize::from(name == "a");
                    // Writing into a text cannot fail.
                    let _ = write!(self.html, "</{name}>");
                }
            }
            Event::Code(words) => {
                self.html.push_str("<code>");
                self.text(&words);
                self.html.push_str("</code>");
            }
            Event::SoftBreak => self.html.push('\n'),
            Event::HardBreak => self.html.push_str("<br>"),
            Event::Rule => self.html.push_str("<hr>"),
            Event::TaskListMarker(done) => self.html.push_str(if done { "[x] " } else { "[ ] " }),
            Event::Text(words)
            | Event::Html(words)
            | Event::InlineHtml(words)
            | Event::InlineMath(words)
            | Event::DisplayMath(words)
            | Event::FootnoteReference(words) => self.text(&words),
        }
    }

    fn start(&mut self, tag: Tag<'_>) -> Element {
        let name = match tag {
            Tag::Paragraph | Tag::HtmlBlock => "p",
            Tag::Heading { level, .. } => {
                ["h1", "h2", "h3", "h4", "h5", "h6"][(usize::from(self.top) + level as usize).saturating_sub(2).min(5)]
            }
            Tag::Emphasis => "em",
            Tag::Strong => "strong",
            Tag::Strikethrough => "del",
            Tag::CodeBlock(_) => "pre",
            Tag::BlockQuote(_) => self.nested("blockquote")?,
            Tag::List(None) => self.nested("ul")?,
            Tag::List(Some(_)) => self.nested("ol")?,
            // Where its list is none, neither is it an item.
            Tag::Item => self.open.last().copied().flatten().map(|_| "li")?,
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => return self.link(&dest_url),
            _ => return None,
        };
        let _ = write!(self.html, "<{name}>");
        Some(name)
    }

    fn nested(&self, name: &'static str) -> Element {
        (self.blocks < MAX_BLOCKS).then_some(name)
    }

    fn link(&mut self, address: &CowStr<'_>) -> Element {
        if self.links > 0 || !leads_outside(address) {
            return None;
        }
        self.html.push_str("<a rel=\"nofollow noreferrer\" href=\"");
        self.text(address);
        self.html.push_str("\">");
        Some("a")
    }

    fn text(&mut self, words: &str) {
        for c in words.chars() {
            match c {
                '&' => self.html.push_str("&amp;"),
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '"' => self.html.push_str("&quot;"),
                '\'' => self.html.push_str("&#39;"),
                c => self.html.push(c),
            }
        }
    }
}

fn is_block(name: &str) -> bool {
    ["blockquote", "ul", "ol"].contains(&name)
}

fn leads_outside(address: &str) -> bool {
    match address.strip_prefix("mailto:") {
        Some(mailbox) => mailbox.contains('@') && mailbox.chars().all(|c| c.is_ascii_graphic()),
        None => validate::link(address),
    }
}

#[cfg(test)]
mod tests {
    use super::html;
    use std::time::{Duration, Instant};

    #[test]
    fn what_people_write_is_shown_as_they_meant_it() {
        let text = "# Changes\n\nA *new* **door**, by `api`:\n\n1. one\n2. two\n   - deeper\n\n> said\n\n```rust\nlet a = \"<b>\";\n```\n\n[page](https://shop.test/a?b=1&c=2) <mailto:ann@shop.test>";
        let shown = html(text, 3);
        for part in [
            "<h3>Changes</h3>",
            "<p>A <em>new</em> <strong>door</strong>, by <code>api</code>:</p>",
            "<ol><li>one</li><li>two<ul><li>deeper</li></ul></li></ol>",
            "<blockquote><p>said</p></blockquote>",
            "<pre>let a = &quot;&lt;b&gt;&quot;;\n</pre>",
            "<a rel=\"nofollow noreferrer\" href=\"https://shop.test/a?b=1&amp;c=2\">page</a>",
            "href=\"mailto:ann@shop.test\"",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert_eq!(html("###### far\n# near", 1), "<h6>far</h6><h1>near</h1>");
        assert_eq!(html("# a\n##### b", 6), "<h6>a</h6><h6>b</h6>");
    }

    /// The tags and the addresses of what comes out.
    fn tags(shown: &str) -> Vec<&str> {
        shown.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or(rest)).collect()
    }

    #[test]
    fn nothing_in_it_becomes_a_script_or_leads_astray() {
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<svg onload=alert(1)><a href=\"javascript:alert(1)\">x</a></svg>",
            "<svg><style><img src=x onerror=alert(1)></style></svg>\n\nmore",
            "[x](javascript:alert(1))",
            "[x](javascript&colon;alert(1))",
            "[x](&#106;avascript:alert(1))",
            "[x](java\tscript:alert(1))",
            "[x]( javascript:alert(1) )",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:x)",
            "[x](//evil.test)",
            "[x](/sign-out)",
            "[x](https://ok@evil.test)",
            "[x](mailto:a@b.test?\"onclick=alert(1))",
            "<javascript:alert(1)>",
            "![x](javascript:alert(1))",
            "![x](https://evil.test/\"onerror=\"alert(1))",
            "[x]: javascript:alert(1)\n\n[x]",
            "`</code><script>alert(1)</script>`",
            "```\"><script>alert(1)</script>\nx\n```",
            "# <b onclick=alert(1)>x",
        ] {
            let shown = html(text, 3);
            for tag in tags(&shown) {
                let ours = ["p", "/p", "pre", "/pre", "code", "/code", "h3", "/h3", "/a"].contains(&tag);
                let link =
                    tag.strip_prefix("a rel=\"nofollow noreferrer\" href=\"").and_then(|rest| rest.strip_suffix('"'));
                let outside = link.is_some_and(|link| {
                    (link.starts_with("https://") || link.starts_with("mailto:")) && !link.contains(['"', '<', '@'])
                        || link.starts_with("mailto:a@b.test?&quot;")
                });
                assert!(ours || outside, "{text:?} makes <{tag}>: {shown}");
            }
        }
    }

    #[test]
    fn a_picture_asks_nobody() {
        assert_eq!(
            html("![plan](https://shop.test/p.png)", 3),
            "<p><a rel=\"nofollow noreferrer\" href=\"https://shop.test/p.png\">plan</a></p>"
        );
        let both = html("[![a](https://shop.test/a.png)](https://shop.test/)", 3);
        assert_eq!(both, "<p><a rel=\"nofollow noreferrer\" href=\"https://shop.test/\">a</a></p>");
    }

    #[test]
    fn nesting_has_an_end_and_takes_no_time() {
        let start = Instant::now();
        for text in [
            ">".repeat(50_000),
            "> ".repeat(50_000) + "a",
            "*_".repeat(10_000) + "a" + &"_*".repeat(10_000),
            (">".repeat(250) + "\n").repeat(250),
            "* ".repeat(30_000),
            "[".repeat(60_000),
            "![".repeat(30_000),
            "*a_ ".repeat(16_000),
            "`".repeat(60_000),
            "<".repeat(60_000),
            "[a](".repeat(16_000),
            "&".repeat(60_000),
        ] {
            let shown = html(&text, 3);
            let mut depth = 0_i32;
            for tag in tags(&shown) {
                depth += if tag.starts_with('/') { -1 } else { i32::from(!["hr", "br"].contains(&tag)) };
                assert!((0..40).contains(&depth), "{tag}");
            }
            assert_eq!(depth, 0);
        }
        // All twelve of them; each alone may take 200 ms in a release build.
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
