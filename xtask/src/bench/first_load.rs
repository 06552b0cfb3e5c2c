//! What a browser with nothing in its cache loads for the list page: the page, its styles, its scripts and the islands' program.

use std::collections::BTreeSet;

use anyhow::Result;
use regex::Regex;

use super::http::Connection;
use super::request::{self, Credential};
use super::server::Server;

/// What browsers say that they take.
const ENCODINGS: &str = "accept-encoding: gzip, deflate, br, zstd";

/// Bytes on the wire of one file, with and without the head of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    pub path: String,
    pub bytes: usize,
}

pub fn run(server: &Server, person: &Credential) -> Result<Vec<Loaded>> {
    let mut connection = Connection::open(server.address)?;
    let mut plain = |path: &str, headers: &[&str]| -> Result<(usize, String)> {
        let answer = connection.call(&request::get(path, person, headers))?;
        answer.good()?;
        Ok((answer.head.len() + answer.body.len(), String::from_utf8_lossy(&answer.body).into_owned()))
    };
    let mut open = vec!["/services".to_owned()];
    let (mut known, mut loaded) = (BTreeSet::new(), Vec::new());
    while let Some(path) = open.pop() {
        if !known.insert(path.clone()) {
            continue;
        }
        // Read once as it is, to see what it loads, and once compressed, to see what it weighs.
        let (_, text) = plain(&path, &[])?;
        let (bytes, _) = plain(&path, &[ENCODINGS])?;
        open.extend(references(&path, &text));
        loaded.push(Loaded { path, bytes });
    }
    Ok(loaded)
}

/// Addresses of files that a page or a script loads.
fn references(path: &str, text: &str) -> Vec<String> {
    let expression = match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css" | "wasm" | "svg") => return Vec::new(),
        Some("js") => r#"from\s*['"]\./([^'"]+)['"]"#,
        _ => r#""(/static/[^"]+)""#,
    };
    let Ok(expression) = Regex::new(expression) else { return Vec::new() };
    let folder = if path.ends_with(".js") { path.rsplit_once('/').map_or("", |(folder, _)| folder) } else { "" };
    let found = expression.captures_iter(text).filter_map(|capture| Some(capture.get(1)?.as_str().to_owned()));
    found.map(|name| if folder.is_empty() { name } else { format!("{folder}/{name}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::references;

    #[test]
    fn pages_name_their_files_and_scripts_their_snippets() {
        let page = r#"<link href="/static/a.css"><script src="/static/b.js" data-wasm="/static/c.wasm"><a href="/x">"#;
        assert_eq!(references("/services", page), ["/static/a.css", "/static/b.js", "/static/c.wasm"]);
        let glue = "import { a } from './snippets/x-1/inline0.js';\n";
        assert_eq!(references("/static/client.js", glue), ["/static/snippets/x-1/inline0.js"]);
        assert!(references("/static/a.css", page).is_empty());
    }
}
