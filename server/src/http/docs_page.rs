//! The API for people: one page from its description, without scripts.

use std::fmt::Write;
use utoipa::openapi::OpenApi;

const STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}\
h2{margin-top:2rem}code{font:13px ui-monospace,monospace}li{margin:.3rem 0}.m{display:inline-block;min-width:4rem;font-weight:600}";

/// The page's HTML; every text from the description is escaped.
#[must_use]
pub fn render(document: &OpenApi) -> String {
    let value = serde_json::to_value(document).unwrap_or_default();
    let mut groups: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    for (path, item) in value["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let tag = operation["tags"][0].as_str().unwrap_or("other").to_owned();
            let text = operation["summary"].as_str().or(operation["description"].as_str()).unwrap_or_default();
            let line = groups.entry(tag).or_default();
            // Writing into a string cannot fail.
            let _ = write!(
                line,
                "<li><span class=m>{}</span> <code>{}</code><br>{}</li>",
                escape(&method.to_uppercase()),
                escape(path),
                escape(text)
            );
        }
    }
    let mut page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>Passerelle API</title>\
         <style>{STYLE}</style><h1>Passerelle API v1</h1><p>The whole description: <a href=\"/api/v1/openapi.json\">openapi.json</a>. \
         Errors are problem documents; the pages under <code>docs/errors</code> say what each code means.</p>"
    );
    for (tag, lines) in groups {
        let _ = write!(page, "<h2>{}</h2><ul>{lines}</ul>", escape(&tag));
    }
    page
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
