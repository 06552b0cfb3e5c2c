//! Names that become parts of addresses, of requests and of files: each a type that can hold nothing else.

use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;

/// Declares a checked text with its schema.
macro_rules! checked {
    ($(#[$doc:meta])* $name:ident, $max:literal, $is:expr, $wrong:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Text;

            fn try_from(text: String) -> Result<Self, Text> {
                let is: fn(&str) -> bool = $is;
                if (1..=$max).contains(&text.len()) && is(&text) { Ok(Self(text)) } else { Err($wrong) }
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                concat!("Ci", stringify!($name)).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "minLength": 1, "maxLength": $max })
            }
        }
    };
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn is_path(text: &str) -> bool {
    text.split('/').all(|part| !part.is_empty() && is_word(part) && !part.starts_with('.') && !part.starts_with('-'))
}

checked! {
    /// `owner/name`, or the path of a project with its groups.
    Repository, 255, |text| is_path(text) && text.contains('/'),
    text!("expected owner/name, or the path of a project: letters, digits, '.', '_', '-' with '/' between")
}

impl Repository {
    /// As GitHub names repositories.
    #[must_use]
    pub fn is_owner_and_name(&self) -> bool {
        self.0.matches('/').count() == 1
    }
}

checked! {
    /// A repository, or all that are below an owner or a group.
    Territory, 255, |text| text.strip_suffix("/*").map_or_else(|| is_path(text) && text.contains('/'), is_path),
    text!("expected owner/name or owner/*")
}

impl Territory {
    /// Names are compared as the providers do, without regard to case.
    #[must_use]
    pub fn holds(&self, repository: &Repository) -> bool {
        let (here, given) = (self.0.to_ascii_lowercase(), repository.0.to_ascii_lowercase());
        match here.strip_suffix('*') {
            Some(below) => given.starts_with(below),
            None => here == given,
        }
    }
}

checked! {
    /// The file of a workflow.
    Workflow, 100, |text| is_word(text) && !text.starts_with(['.', '-']) && (text.ends_with(".yml") || text.ends_with(".yaml")),
    text!("expected the name of a workflow's file, such as deploy.yml, without its folder")
}

checked! {
    /// A branch or a tag.
    Reference, 200, |text| is_path(text) && !text.contains("..") && !text.ends_with(".lock") && !text.ends_with('.'),
    text!("expected a branch or a tag: letters, digits, '.', '_', '-' with '/' between")
}

impl Default for Reference {
    fn default() -> Self {
        Self("main".to_owned())
    }
}

checked! {
    /// The name of an input or of a variable.
    FieldName, 100, |text| {
        text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    },
    text!("expected a name of 1 to 100 letters, digits, '_' and '-', not beginning with a digit or '-'")
}

checked! {
    /// The name of an environment or of a job.
    Label, 100, |text| text.trim() == text && !text.chars().any(char::is_control),
    text!("expected 1 to 100 characters without white space at an end")
}

checked! {
    /// An image with a placeholder in its tag.
    Template, 400, is_template,
    text!("expected an image with {{tag}}, {{version}}, {{sha}} or {{short_sha}} in its tag, for example ghcr.io/acme/web:{{tag}}")
}

/// What stands for the version in a template.
const PLACEHOLDERS: [&str; 4] = ["{tag}", "{version}", "{sha}", "{short_sha}"];

fn is_template(text: &str) -> bool {
    let named = PLACEHOLDERS.iter().filter(|name| text.contains(**name)).count();
    let Some((_, tag)) = text.rsplit_once(':') else { return false };
    let filled = PLACEHOLDERS.iter().fold(text.to_owned(), |text, name| text.replace(name, "1"));
    named == 1 && tag.contains('{') && crate::ImageRef::parse(&filled).is_ok_and(|image| image.tag.is_some())
}

/// Time that a run may take on top of the environment's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct Timeout(u32);

impl Timeout {
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Self(1800)
    }
}

impl TryFrom<i64> for Timeout {
    type Error = Text;

    fn try_from(seconds: i64) -> Result<Self, Text> {
        let allowed = u32::try_from(seconds).ok().filter(|seconds| (60..=14_400).contains(seconds));
        allowed
            .map(Self)
            .ok_or_else(|| text!("is {count}; allowed is {min} to {max}", count = seconds, min = 60, max = 14_400))
    }
}

impl JsonSchema for Timeout {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "CiTimeout".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 60, "maximum": 14400, "default": 1800 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<T: TryFrom<String>>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(T::try_from((*text).to_owned()).is_ok(), "{text}");
        }
        for text in bad {
            assert!(T::try_from((*text).to_owned()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_stay_within_their_part_of_a_path() {
        all::<Repository>(&["acme/shop", "a/b/c.d"], &["shop", "../x", "a//b", "a/b?c", "a/.git", "/a/b", ""]);
        all::<Workflow>(&["deploy.yml", "a-b_c.yaml"], &["deploy", "../deploy.yml", ".yml", "a/b.yml", "-a.yml"]);
        all::<Reference>(&["main", "release/1.2", "v1"], &["-x", "a..b", "a b", "x.lock", "a//b", "a/", "HEAD~1"]);
        all::<FieldName>(&["image", "IMAGE_TAG"], &["1a", "a b", "-a", ""]);
        all::<Label>(&["deploy to prod", "web-staging"], &["", " a", "a\n"]);
    }

    #[test]
    fn a_territory_ends_where_its_owner_does() {
        all::<Territory>(&["acme/shop", "acme/*", "acme/group/*"], &["*", "/*", "acme", "acme/*/x", "../*", "acme*"]);
        let holds = |territory: &str, repository: &str| {
            Territory::try_from(territory.to_owned())
                .unwrap()
                .holds(&Repository::try_from(repository.to_owned()).unwrap())
        };
        assert!(holds("acme/*", "Acme/shop") && holds("acme/*", "acme/group/shop") && holds("acme/shop", "acme/shop"));
        assert!(!holds("acme/*", "acme2/shop") && !holds("acme/shop", "acme/shop2") && !holds("acme/a/*", "acme/b/x"));
    }

    #[test]
    fn a_template_has_one_placeholder_and_it_is_in_the_tag() {
        all::<Template>(
            &["ghcr.io/acme/web:{tag}", "127.0.0.1:5000/web:{short_sha}", "web:v-{sha}"],
            &["ghcr.io/acme/web", "ghcr.io/acme/{tag}:1", "web:{tag}-{sha}", "web:{name}", "Web:{tag}", "web@{tag}"],
        );
    }

    #[test]
    fn limits_of_time() {
        assert!(Timeout::try_from(59).is_err() && Timeout::try_from(60).is_ok() && Timeout::try_from(14_401).is_err());
    }
}
