//! What the REST API says about itself.

use crate::support::TestPortal;
use serde_json::{Value, json};

/// Every `$ref` below a value.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_tells_its_parameters_and_its_errors() {
    let document = TestPortal::start().await.get("/openapi.json").await.body;
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
    }
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            seen += 1;
            let default = &operation["responses"]["default"]["content"];
            assert!(default["application/problem+json"].is_object(), "{method} {path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                if status.starts_with('4') {
                    assert_eq!(response["content"]["application/json"], json!(null), "{method} {path} {status}");
                }
            }
            let named = |name: &str| {
                let parameters = operation["parameters"].as_array();
                parameters.is_some_and(|all| all.iter().any(|one| one["name"] == name && one["in"] == "path"))
            };
            for part in path.split('/').filter(|part| part.starts_with('{')) {
                assert!(named(part.trim_matches(['{', '}'])), "{method} {path}: {part}");
            }
        }
    }
    assert!(seen > 80, "{seen} operations");
}
