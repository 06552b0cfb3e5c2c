//! The YAML reader under all documents.

use crate::lossy;
use passerelle_lined_yaml::{Limits, parse};
use serde_json::Value;

const LIMITS: Limits = Limits { bytes: 1 << 16, depth: 50, nodes: 5_000, alias_nodes: 500 };

pub fn run(bytes: &[u8]) {
    let text = lossy(bytes);
    let Ok(Some(document)) = parse(&text, 1, &LIMITS) else { return };
    // YAML ends a line at a bare carriage return too.
    let most = text.split(['\n', '\r']).count() + 1;
    let mut nodes = 0;
    walk(&document.value, 0, &mut nodes);
    assert!(nodes <= LIMITS.nodes, "{nodes} nodes");
    for pointer in ["", "/a", "/0", "/a/0", "/a/b"] {
        assert!((1..=most).contains(&(document.line_of(pointer) as usize)), "{pointer}");
    }
}

fn walk(value: &Value, depth: usize, nodes: &mut usize) {
    *nodes += 1;
    assert!(depth <= LIMITS.depth, "deeper than allowed");
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, depth + 1, nodes)),
        Value::Object(fields) => fields.values().for_each(|field| walk(field, depth + 1, nodes)),
        Value::String(text) => assert!(!text.contains('\0')),
        _ => {}
    }
}
