//! That the table has every route of the pages.

use super::PAGES;
use std::collections::BTreeSet;
use std::path::Path;

/// The methods and addresses of all routes in a source file, also of those that are written over several lines.
fn routes_in(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for route in source.split(".route(").skip(1) {
        let mut depth = 1_i32;
        let end = route.find(|sign: char| {
            depth += match sign {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        let (_, rest) = route[..end.unwrap()].split_once('"').unwrap();
        let (path, handlers) = rest.split_once('"').unwrap();
        let before = found.len();
        for method in ["get", "post", "put", "patch", "delete"] {
            let call = format!("{method}(");
            let mut heads = handlers.match_indices(call.as_str()).map(|(at, _)| &handlers[..at]);
            if heads.any(|head| !head.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_')) {
                found.push((method.to_owned(), path.to_owned()));
            }
        }
        assert!(found.len() > before, "no method is read for {path}: {handlers}");
    }
    found
}

#[test]
fn no_page_is_forgotten() {
    let pages = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/app/src"));
    let mut routes = BTreeSet::new();
    for folder in std::fs::read_dir(pages).unwrap() {
        // Files beside the folders have no routes of their own.
        let Ok(source) = std::fs::read_to_string(folder.unwrap().path().join("mod.rs")) else { continue };
        routes.extend(routes_in(&source));
    }
    let listed: BTreeSet<(String, String)> =
        PAGES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(listed.len(), PAGES.len(), "one is listed twice");
    assert_eq!(routes, listed);
}

#[test]
fn routes_are_found_however_they_are_written() {
    let source = "Router::new().route(\"/a\", get(show)).route(\n \"/a/{id}\",\n get(widget(x))\n .post(a::delete),\n)\
                  } fn x() { map.get(1) }";
    let routes = [("get", "/a"), ("get", "/a/{id}"), ("post", "/a/{id}")];
    assert_eq!(routes_in(source), routes.map(|(method, path)| (method.to_owned(), path.to_owned())));
}
