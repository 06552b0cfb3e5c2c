//! Documentation as pages without scripts or anything from elsewhere; `/docs/api` is the description of the API.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

const STYLE: &str = "\
:root{color-scheme:light dark;background:Canvas;color:CanvasText;--line:color-mix(in srgb,currentColor 20%,transparent)}\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem}\
h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}\
details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.5rem .75rem}\
summary{cursor:pointer;min-height:24px}code{overflow-wrap:anywhere}table{display:block;overflow-x:auto}code,pre{font:13px/1.5 ui-monospace,monospace}\
pre{overflow:auto;padding:.75rem;border:1px solid var(--line);border-radius:6px}\
.m{display:inline-block;min-width:4.5rem;font-weight:700}table{border-collapse:collapse}\
td,th{text-align:left;padding:.25rem .75rem .25rem 0;vertical-align:top}";

/// How deep a schema is written out; what lies deeper, or refers to itself, is cut.
const MAX_STEPS: usize = 14;

/// A page with its headers, ready to be answered.
pub(super) type Page = (HeaderMap, String);

pub(super) fn render(document: &Value) -> Page {
    let mut html = format!(
        "<h1>Passerelle API</h1><p>{}</p><p>For machines: <a href=\"/api/v1/openapi.json\">openapi.json</a>.</p>",
        escaped(&document["info"]["description"])
    );
    for (tag, operations) in by_tag(document) {
        push(&mut html, format_args!("<h2>{}</h2>", escape(&tag)));
        for (path, method, operation) in operations {
            render_operation(&mut html, document, path, method, operation);
        }
    }
    around("Passerelle API", &html)
}

/// A page of the documentation around HTML that is ours.
pub(super) fn around(title: &str, html: &str) -> Page {
    in_language("en", title, html)
}

/// The same in the language that the HTML is in.
pub(super) fn in_language(language: &str, title: &str, html: &str) -> Page {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    let page = format!(
        "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{STYLE}</style></head><body><main>\
         {html}</main></body></html>",
        escape(language),
        escape(title)
    );
    (headers, page)
}

type Operation<'a> = (&'a str, &'a str, &'a Value);

fn by_tag(document: &Value) -> BTreeMap<String, Vec<Operation<'_>>> {
    let mut tags: BTreeMap<String, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if operation.get("responses").is_some() {
                let tag = operation["tags"][0].as_str().unwrap_or("other").to_owned();
                tags.entry(tag).or_default().push((path, method, operation));
            }
        }
    }
    tags
}

fn render_operation(html: &mut String, document: &Value, path: &str, method: &str, operation: &Value) {
    let title = operation["summary"].as_str().or_else(|| operation["description"].as_str()).unwrap_or_default();
    push(
        html,
        format_args!(
            "<details><summary><span class=\"m\">{}</span> <code>{}</code> {}</summary>",
            escape(&method.to_uppercase()),
            escape(path),
            escape(title)
        ),
    );
    if let Some(text) = operation["description"].as_str() {
        push(html, format_args!("<p>{}</p>", escape(text)));
    }
    if let Some(parameters) = operation["parameters"].as_array().filter(|list| !list.is_empty()) {
        html.push_str("<table><thead><tr><th>parameter</th><th>in</th><th>what</th></tr></thead><tbody>");
        for parameter in parameters {
            push(
                html,
                format_args!(
                    "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                    escaped(&parameter["name"]),
                    escaped(&parameter["in"]),
                    escaped(&parameter["description"])
                ),
            );
        }
        html.push_str("</tbody></table>");
    }
    render_content(html, document, "Body", &operation["requestBody"]["content"]);
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let label = format!("{status} {}", response["description"].as_str().unwrap_or_default());
        render_content(html, document, label.trim(), &response["content"]);
    }
    html.push_str("</details>");
}

fn render_content(html: &mut String, document: &Value, label: &str, content: &Value) {
    let Some((kind, media)) = content.as_object().and_then(|kinds| kinds.iter().next()) else {
        if label != "Body" {
            push(html, format_args!("<p><strong>{}</strong></p>", escape(label)));
        }
        return;
    };
    let mut shape = String::new();
    write_shape(&mut shape, document, &media["schema"], 0, MAX_STEPS);
    push(
        html,
        format_args!(
            "<p><strong>{}</strong> <code>{}</code></p><pre>{}</pre>",
            escape(label),
            escape(kind),
            escape(&shape)
        ),
    );
}

/// The schema as the JSON it stands for, with types in place of values.
fn write_shape(out: &mut String, document: &Value, schema: &Value, depth: usize, steps: usize) {
    let Some(steps) = steps.checked_sub(1) else { return out.push_str("...") };
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let target = &document["components"]["schemas"][name];
        return if target.is_null() {
            out.push_str(name);
        } else {
            write_shape(out, document, target, depth, steps);
        };
    }
    let pad = "  ".repeat(depth + 1);
    if let Some(properties) = schema["properties"].as_object() {
        out.push_str("{\n");
        for (name, property) in properties {
            push(out, format_args!("{pad}{name}: "));
            write_shape(out, document, property, depth + 1, steps);
            out.push('\n');
        }
        push(out, format_args!("{}}}", "  ".repeat(depth)));
    } else if schema["items"].is_object() {
        out.push('[');
        write_shape(out, document, &schema["items"], depth, steps);
        out.push(']');
    } else if let Some(values) = schema["enum"].as_array() {
        let texts: Vec<String> = values.iter().map(Value::to_string).collect();
        out.push_str(&texts.join(" | "));
    } else if let Some(choices) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        for (position, choice) in choices.iter().enumerate() {
            if position > 0 {
                out.push_str(" | ");
            }
            write_shape(out, document, choice, depth + 1, steps);
        }
    } else if let Some(parts) = schema["allOf"].as_array() {
        for (position, part) in parts.iter().enumerate() {
            if position > 0 {
                out.push_str(" & ");
            }
            write_shape(out, document, part, depth, steps);
        }
    } else {
        out.push_str(&type_name(schema));
    }
}

fn type_name(schema: &Value) -> String {
    let name = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ => "any".to_owned(),
    };
    match schema["format"].as_str() {
        Some(format) => format!("{name} ({format})"),
        None => name,
    }
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    _ = out.write_fmt(text);
}

fn escaped(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
