//! Reading JSON objects by pointer, where an absent field reads as empty.

use serde_json::{Map, Value};

pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn int(object: &Value, pointer: &str, absent: i64) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(absent)
}

pub(crate) fn flag(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer).and_then(Value::as_bool).unwrap_or(false)
}

pub(crate) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Sets a field of an object; what is not an object becomes one.
pub(crate) fn set(object: &mut Value, path: &[&str], value: Value) {
    let mut at = object;
    for part in path {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(map) = at else { return };
        at = map.entry((*part).to_owned()).or_insert(Value::Null);
    }
    *at = value;
}

/// Sets a field that is absent or null.
pub(crate) fn default(object: &mut Value, path: &[&str], value: impl FnOnce() -> Value) {
    let pointer: String = path.iter().map(|part| format!("/{part}")).collect();
    if object.pointer(&pointer).is_none_or(Value::is_null) {
        set(object, path, value());
    }
}

pub(crate) fn remove(object: &mut Value, path: &[&str]) -> Option<Value> {
    let (last, parents) = path.split_last()?;
    let mut at = object;
    for part in parents {
        at = at.get_mut(*part)?;
    }
    at.as_object_mut()?.remove(*last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_set_defaulted_and_removed() {
        let mut object = json!({"a": {"b": null}});
        default(&mut object, &["a", "b"], || json!(1));
        default(&mut object, &["a", "b"], || json!(2));
        set(&mut object, &["x", "y"], json!("z"));
        assert_eq!(object, json!({"a": {"b": 1}, "x": {"y": "z"}}));
        assert_eq!(text(&object, "/x/y"), "z");
        assert_eq!(remove(&mut object, &["x", "y"]), Some(json!("z")));
        assert_eq!(remove(&mut object, &["q", "y"]), None);
    }
}
