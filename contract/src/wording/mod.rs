//! What the server says to a person, before it is known in which language.
//!
//! A [`Text`] made by [`text!`](crate::text!) is an English template with its arguments; [`Text::said`] fills the same arguments into
//! the template of the reader's language. The English template is the key of the tables in `french/`, and `cargo xtask check texts`
//! holds that each template has its French one, with the same arguments.
//!
//! Invariant: what leaves the server as a [`Text`] was put through [`Text::into_said`] for its reader, and so is one plain string on the
//! wire. A text that is kept (an event, a failure) is kept with its template, and an older row with a plain string is read as such.

mod argument;
mod french;
mod recall;
mod schema;

pub use argument::Argument;
pub use schema::{say_schema, texts_of, title_of, translated};

use crate::Locale;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Words for a person. No string turns into one by itself: a sentence is made by [`text!`](crate::text!), and whoever has words that are
/// nobody's to translate says so with [`Text::verbatim`].
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// Nobody's to translate: a name, a number, what another system said, what was said already.
    Verbatim(String),
    Template(Template),
    /// Said in each language already, for a sentence that is more than a template.
    Both(Both),
    /// Several sentences, one after the other.
    List(Vec<Text>),
}

/// A template of [`text!`](crate::text!) with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The English template.
    said: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    with: BTreeMap<Cow<'static, str>, Text>,
}

/// A sentence in each language.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Both {
    en: String,
    fr: String,
}

/// Makes a [`Text`](crate::Text): `text!("must be at most {max} characters", max = 40)`. An argument that is a variable of its
/// placeholder's name needs no value: `text!("there is no environment {name}", name)`. That placeholders and arguments fit each other is
/// checked when it is compiled; that there is French for it, by `cargo xtask check texts`.
#[macro_export]
macro_rules! text {
    (@value $name:ident) => { &$name };
    (@value $name:ident = $value:expr) => { &$value };
    ($template:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {{
        // A literal behind `concat!` captures no variables, so every placeholder must be among the arguments.
        const _: fn() = || {
            let _ = ::std::format_args!(::std::concat!($template) $(, $name = "")*);
        };
        $crate::wording::Text::template($template)$(.with(::std::stringify!($name), $crate::text!(@value $name $(= $value)?)))*
    }};
}

impl Text {
    /// The way of the macro `text!`, which checks what this does not.
    #[must_use]
    pub const fn template(said: &'static str) -> Self {
        Self::Template(Template { said: Cow::Borrowed(said), with: BTreeMap::new() })
    }

    /// Words that stay as they are in every language.
    #[must_use]
    pub fn verbatim(words: impl Into<String>) -> Self {
        Self::Verbatim(words.into())
    }

    /// A sentence that is made in each language by itself.
    #[must_use]
    pub fn both(say: impl Fn(Locale) -> String) -> Self {
        Self::Both(Both { en: say(Locale::En), fr: say(Locale::Fr) })
    }

    /// A template with one more argument.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Argument) -> Self {
        if let Self::Template(template) = &mut self {
            template.with.insert(Cow::Borrowed(name), value.to_text());
        }
        self
    }

    /// The words in a language.
    #[must_use]
    pub fn said(&self, locale: Locale) -> String {
        match self {
            Self::Verbatim(words) => words.clone(),
            Self::Both(both) => if locale == Locale::Fr { &both.fr } else { &both.en }.clone(),
            Self::List(texts) => {
                let between = if locale == Locale::Fr { " ; " } else { "; " };
                texts.iter().map(|text| text.said(locale)).collect::<Vec<_>>().join(between)
            }
            Self::Template(template) => {
                let words = match locale {
                    Locale::En => &template.said,
                    // A row of a later or an earlier version may hold a template that this one does not know.
                    Locale::Fr => french::of(&template.said).unwrap_or(&template.said),
                };
                fill(words, |name| template.with.get(name).map(|argument| argument.said(locale)))
            }
        }
    }

    /// The same, said in a language: fit to leave the server.
    #[must_use]
    pub fn into_said(self, locale: Locale) -> Self {
        match self {
            Self::Verbatim(_) => self,
            other => Self::Verbatim(other.said(locale)),
        }
    }
}

/// Says every kept text inside a document, where it stands.
pub fn say_all(document: &mut Value, locale: Locale) {
    match document {
        Value::Object(fields) if fields.contains_key("said") || fields.contains_key("fr") => {
            if let Ok(text) = Text::deserialize(&*document) {
                *document = Value::String(text.said(locale));
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(|value| say_all(value, locale)),
        Value::Array(items) => items.iter_mut().for_each(|item| say_all(item, locale)),
        _ => {}
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Verbatim(String::new())
    }
}

/// English.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.said(Locale::En))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.said(Locale::En), f)
    }
}

/// By the English words.
impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.said(Locale::En) == *other
    }
}

/// Puts arguments in the place of `{name}`; a brace that stands for itself is written twice, as in `format!`.
fn fill(template: &str, argument: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        filled.push_str(&rest[..at]);
        let brace = &rest[at..];
        let doubled = brace.starts_with("{{") || brace.starts_with("}}");
        let end = if doubled { None } else { brace.strip_prefix('{').and_then(|inner| inner.find('}')) };
        let value = end.and_then(|end| Some((argument(&brace[1..=end])?, end + 2)));
        let (words, length) = value.unwrap_or_else(|| (brace[..1].to_owned(), if doubled { 2 } else { 1 }));
        filled.push_str(&words);
        rest = &brace[length..];
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_arguments_are_filled_into_both_languages() {
        let max = 40;
        let text = text!("is {count}; allowed is {min} to {max}", count = 41, min = "1", max);
        assert_eq!(text.to_string(), "is 41; allowed is 1 to 40");
        assert_eq!(text.said(Locale::Fr), "vaut 41 ; autorisé : de 1 à 40");
    }

    #[test]
    fn an_argument_may_be_a_text_and_names_are_never_translated() {
        let inner = text!("must be one line");
        let text = text!("line {line}: {message}", line = 3, message = &inner);
        assert_eq!(text.said(Locale::Fr), "ligne 3 : doit tenir sur une ligne");
        let name = text!("line {line}: {message}", line = 3, message = "must be one line");
        assert_eq!(name.said(Locale::Fr), "ligne 3 : must be one line");
    }

    #[test]
    fn what_an_argument_says_is_not_filled_again() {
        let text = text!("line {line}: {message}", line = "{message} {", message = "}} {line} {{x}");
        assert_eq!(text.to_string(), "line {message} {: }} {line} {{x}");
        assert_eq!(fill("{{a}} {b} {", |_| None), "{a} {b} {");
    }

    #[test]
    fn a_kept_text_comes_back_and_an_older_row_is_read_as_it_was_written() {
        let text =
            text!("line {line}: {message}", line = 3, message = vec![text!("must be one line"), Text::verbatim("x")]);
        let kept = serde_json::to_value(&text).unwrap();
        let back: Text = serde_json::from_value(kept).unwrap();
        assert_eq!(back, text);
        assert_eq!(back.said(Locale::Fr), "ligne 3 : doit tenir sur une ligne ; x");
        let older: Text = serde_json::from_str("\"Changing the target\"").unwrap();
        assert_eq!(older.said(Locale::Fr), "Changing the target");
        let unknown: Text = serde_json::from_str(r#"{"said": "of {n} moons", "with": {"n": "2"}}"#).unwrap();
        assert_eq!(unknown.said(Locale::Fr), "of 2 moons");
    }

    #[test]
    fn texts_inside_a_document_are_said_where_they_stand() {
        let failure = serde_json::json!({ "message": text!("must be one line"), "other": { "said": 3 } });
        let mut data = serde_json::json!({ "failure": failure, "all": [Text::both(|locale| locale.tag().to_owned())] });
        say_all(&mut data, Locale::Fr);
        let said = serde_json::json!({
            "failure": { "message": "doit tenir sur une ligne", "other": { "said": 3 } }, "all": ["fr"]
        });
        assert_eq!(data, said);
    }

    #[test]
    fn what_leaves_the_server_is_a_plain_string() {
        let said = text!("line {line}: {message}", line = 3, message = "x").into_said(Locale::Fr);
        assert_eq!(serde_json::to_string(&said).unwrap(), "\"ligne 3 : x\"");
    }
}
