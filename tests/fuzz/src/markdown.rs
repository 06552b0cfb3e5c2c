//! Markdown of users: every tag that comes out is one that the renderer has, each is closed in its order, and a link leads outside.

use crate::lossy;
use passerelle_server::kernel::markdown::html;

const NAMES: [&str; 16] =
    ["p", "pre", "code", "em", "strong", "del", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6"];
const LINK: &str = "a rel=\"nofollow noreferrer\" href=\"";

pub fn run(bytes: &[u8]) {
    let shown = html(&lossy(bytes), 2);
    let mut open = Vec::new();
    for part in shown.split('<').skip(1) {
        let tag = part.split_once('>').map(|(tag, _)| tag);
        match tag {
            Some("br" | "hr") => {}
            Some(end) if end.starts_with('/') => assert_eq!(open.pop(), end.get(1..), "{shown}"),
            Some(start) if NAMES.contains(&start) => open.push(start),
            Some(start) if start.starts_with(LINK) => {
                let address = start.trim_start_matches(LINK).trim_end_matches('"');
                let outside = ["http", "https", "mailto"].into_iter().any(|scheme| {
                    let begin = address.get(..=scheme.len()).unwrap_or_default();
                    begin.eq_ignore_ascii_case(&format!("{scheme}:"))
                });
                assert!(outside && !address.contains(['"', '\'', '<']), "{address}");
                open.push("a");
            }
            other => panic!("{other:?} in {shown}"),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
