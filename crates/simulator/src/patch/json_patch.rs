//! RFC 6902: add, remove, replace, move, copy, test.

use serde::Deserialize;
use serde_json::Value;

/// Why a JSON patch was refused; the text is for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatchError {
    #[error("the patch is not a list of operations: {0}")]
    Malformed(String),
    #[error("testing value {0} failed")]
    Test(String),
    #[error("path {0} does not exist")]
    Path(String),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Operation {
    Add { path: String, value: Value },
    Remove { path: String },
    Replace { path: String, value: Value },
    Move { from: String, path: String },
    Copy { from: String, path: String },
    Test { path: String, value: Value },
}

/// Applies all operations or none.
pub(crate) fn json_patch(target: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let operations: Vec<Operation> =
        serde_json::from_value(patch.clone()).map_err(|error| PatchError::Malformed(error.to_string()))?;
    let mut copy = target.clone();
    for operation in operations {
        apply(&mut copy, operation)?;
    }
    *target = copy;
    Ok(())
}

fn apply(target: &mut Value, operation: Operation) -> Result<(), PatchError> {
    let at =
        |target: &Value, path: &str| target.pointer(path).cloned().ok_or_else(|| PatchError::Path(path.to_owned()));
    match operation {
        Operation::Add { path, value } => add(target, &path, value),
        Operation::Remove { path } => remove(target, &path).map(drop),
        Operation::Replace { path, value } => match target.pointer_mut(&path) {
            Some(found) => {
                *found = value;
                Ok(())
            }
            None => Err(PatchError::Path(path)),
        },
        Operation::Move { from, path } => {
            let value = remove(target, &from)?;
            add(target, &path, value)
        }
        Operation::Copy { from, path } => {
            let value = at(target, &from)?;
            add(target, &path, value)
        }
        Operation::Test { path, value } => {
            if at(target, &path)? == value {
                Ok(())
            } else {
                Err(PatchError::Test(path))
            }
        }
    }
}

/// Splits a pointer into its parent and its last, unescaped, part.
fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), PatchError> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    let missing = || PatchError::Path(path.to_owned());
    let (parent, last) = split(path).ok_or_else(missing)?;
    match target.pointer_mut(parent).ok_or_else(missing)? {
        Value::Object(fields) => {
            fields.insert(last, value);
            Ok(())
        }
        Value::Array(items) if last == "-" => {
            items.push(value);
            Ok(())
        }
        Value::Array(items) => {
            let index = last.parse().ok().filter(|index| *index <= items.len()).ok_or_else(missing)?;
            items.insert(index, value);
            Ok(())
        }
        _ => Err(missing()),
    }
}

fn remove(target: &mut Value, path: &str) -> Result<Value, PatchError> {
    let missing = || PatchError::Path(path.to_owned());
    let (parent, last) = split(path).ok_or_else(missing)?;
    match target.pointer_mut(parent).ok_or_else(missing)? {
        Value::Object(fields) => fields.remove(&last).ok_or_else(missing),
        Value::Array(items) => {
            let index = last.parse().ok().filter(|index| *index < items.len()).ok_or_else(missing)?;
            Ok(items.remove(index))
        }
        _ => Err(missing()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_apply_in_order() {
        let mut target = json!({"a": [1, 3], "b/c": 1});
        let patch = json!([
            {"op": "test", "path": "/a/0", "value": 1},
            {"op": "add", "path": "/a/1", "value": 2},
            {"op": "add", "path": "/a/-", "value": 4},
            {"op": "remove", "path": "/b~1c"},
            {"op": "copy", "from": "/a/0", "path": "/x"},
            {"op": "move", "from": "/x", "path": "/y"},
            {"op": "replace", "path": "/y", "value": 9},
        ]);
        json_patch(&mut target, &patch).unwrap();
        assert_eq!(target, json!({"a": [1, 2, 3, 4], "y": 9}));
    }

    #[test]
    fn a_failed_test_changes_nothing() {
        let mut target = json!({"a": 1});
        let patch = json!([{"op": "add", "path": "/b", "value": 2}, {"op": "test", "path": "/a", "value": 5}]);
        assert_eq!(json_patch(&mut target, &patch), Err(PatchError::Test("/a".into())));
        assert_eq!(target, json!({"a": 1}));
        assert!(matches!(json_patch(&mut target, &json!({"op": "add"})), Err(PatchError::Malformed(_))));
    }
}
