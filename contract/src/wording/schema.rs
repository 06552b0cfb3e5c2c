//! The titles and descriptions of a JSON Schema in the reader's language: they are their own keys in the table of schemas.

use super::french;
use crate::Locale;
use serde_json::Value;

/// The name that a form shows for a property without a title: `progress_deadline` becomes `Progress deadline`.
#[must_use]
pub fn title_of(property: &str) -> String {
    let spaced = property.replace(['_', '-'], " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Says every title and description of a schema, and gives the properties without a title one where the language has a word for it.
pub fn say_schema(schema: &mut Value, locale: Locale) {
    if locale == Locale::En {
        return;
    }
    match schema {
        Value::Object(fields) => {
            for key in ["title", "description"] {
                if let Some(Value::String(words)) = fields.get_mut(key)
                    && let Some(french) = french::of(words)
                {
                    french.clone_into(words);
                }
            }
            for (key, value) in fields.iter_mut() {
                match (key.as_str(), value) {
                    ("properties" | "$defs", Value::Object(named)) => {
                        let properties = key == "properties";
                        for (name, inner) in named.iter_mut() {
                            say_schema(inner, locale);
                            if properties
                                && let (Value::Object(inner), Some(title)) = (inner, french::of(&title_of(name)))
                            {
                                inner.entry("title").or_insert_with(|| title.into());
                            }
                        }
                    }
                    ("examples" | "default" | "enum" | "const" | "required" | "pattern", _) => {}
                    (_, inner) => say_schema(inner, locale),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| say_schema(item, locale)),
        _ => {}
    }
}

/// Every title and description of a schema, and the names that stand for a title, in English.
pub fn texts_of(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            found.extend(
                ["title", "description"].iter().filter_map(|key| fields.get(*key)?.as_str().map(str::to_owned)),
            );
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("properties" | "$defs", Value::Object(named)) => {
                        for (name, inner) in named {
                            texts_of(inner, found);
                            if key == "properties" && inner.get("title").is_none() {
                                found.push(title_of(name));
                            }
                        }
                    }
                    ("examples" | "default" | "enum" | "const" | "required" | "pattern", _) => {}
                    (_, inner) => texts_of(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts_of(item, found)),
        _ => {}
    }
}

/// The English of the table of schemas.
pub fn translated() -> impl Iterator<Item = &'static str> {
    french::schemas::TEXTS.iter().map(|(english, _)| *english)
}
