//! The groups of a person, as the provider's claim tells them.

use serde_json::Value;

/// More than a claim can sensibly hold; Microsoft stops at 200.
const MAX_GROUPS: usize = 1000;
const MAX_CHARS: usize = 256;

/// What became of the claim. Only [`Groups::Read`] can give roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Groups {
    /// No claim is configured.
    NotAsked,
    /// The claim is configured and did not come.
    Absent,
    /// It came in a shape that is not believed: no list of texts, or too long a one.
    Odd,
    /// Ids in the order of the claim.
    Read(Vec<String>),
}

impl Groups {
    pub(crate) fn read(claim: Option<&Value>) -> Self {
        match claim {
            None | Some(Value::Null) => Self::Absent,
            Some(Value::Array(items)) if items.len() <= MAX_GROUPS => {
                // One odd entry makes the whole odd: half a list of rights is nobody's intention.
                items.iter().map(id).collect::<Option<Vec<_>>>().map_or(Self::Odd, Self::Read)
            }
            Some(_) => Self::Odd,
        }
    }
}

fn id(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let good = !text.is_empty() && text.chars().count() <= MAX_CHARS && !text.chars().any(char::is_control);
    good.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_list_of_texts_is_a_list_of_groups() {
        assert_eq!(Groups::read(Some(&json!(["a", "b"]))), Groups::Read(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(Groups::read(Some(&json!([]))), Groups::Read(Vec::new()));
        assert_eq!(Groups::read(None), Groups::Absent);
        assert_eq!(Groups::read(Some(&Value::Null)), Groups::Absent);
        let long = "x".repeat(MAX_CHARS + 1);
        let many = vec!["a"; MAX_GROUPS + 1];
        for odd in [json!("admins"), json!(7), json!({ "a": ["b"] }), json!(["a", 1]), json!([["a"]]), json!([""])] {
            assert_eq!(Groups::read(Some(&odd)), Groups::Odd, "{odd}");
        }
        for odd in [json!([long]), json!(many), json!(["a\u{0}"]), json!(true)] {
            assert_eq!(Groups::read(Some(&odd)), Groups::Odd);
        }
    }
}
