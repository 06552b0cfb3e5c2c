//! What a look-up means for whoever deploys. Pure.

use super::client::Found;
use crate::ImageRef;
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::{Text, text};

/// Nothing when the image is there and cannot change.
#[must_use]
pub fn finding(image: &ImageRef, registry: &str, found: &Found) -> Option<Finding> {
    let told = |severity, code: &str, message: Text| Some(Finding { severity, code: code.to_owned(), message });
    let image_text = image.to_string();
    match found {
        Found::There { .. } if image.is_pinned() => None,
        Found::There { digest: Some(digest) } => {
            let message =
                text!("{image} is a tag, which another push can move; now it is {digest}", image = image_text, digest);
            told(Severity::Warning, "mutable_tag", message)
        }
        Found::There { digest: None } => {
            let message = text!(
                "{image} is a tag, which another push can move; its registry does not say its digest",
                image = image_text
            );
            told(Severity::Warning, "mutable_tag", message)
        }
        Found::Missing => {
            let message =
                text!("{image} is not in the registry {registry}: nothing could pull it", image = image_text, registry);
            told(Severity::Error, "image_missing", message)
        }
        Found::Denied => {
            let message = text!(
                "whether {image} is there cannot be seen: the registry {registry} asks for other credentials",
                image = image_text,
                registry
            );
            told(Severity::Warning, "image_unseen", message)
        }
        Found::Unreachable(why) => {
            let message = text!("whether {image} is there cannot be seen: {why}", image = image_text, why);
            told(Severity::Warning, "image_unseen", message)
        }
        Found::NotAsked(why) => {
            let message = text!("{image} was not looked up: {why}", image = image_text, why);
            told(Severity::Info, "image_unseen", message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certainly_not_there_is_an_error() {
        let digest = format!("sha256:{}", "c".repeat(64));
        let tag = ImageRef::parse("ghcr.io/acme/web:1").unwrap();
        let pinned = ImageRef::parse(&format!("ghcr.io/acme/web:1@{digest}")).unwrap();
        let of = |image: &ImageRef, found: Found| {
            finding(image, "ghcr.io", &found).map(|found| (found.severity, found.code))
        };
        let there = || Found::There { digest: Some(digest.clone()) };
        assert_eq!(of(&pinned, there()), None);
        assert_eq!(of(&pinned, Found::There { digest: None }), None);
        assert_eq!(of(&tag, there()), Some((Severity::Warning, "mutable_tag".into())));
        let said = finding(&tag, "ghcr.io", &there()).unwrap().message.to_string();
        assert!(said.ends_with(&digest), "{said}");
        assert_eq!(of(&tag, Found::Missing), Some((Severity::Error, "image_missing".into())));
        assert_eq!(of(&pinned, Found::Missing), Some((Severity::Error, "image_missing".into())));
        for found in [Found::Denied, Found::Unreachable(text!("no answer in time"))] {
            assert_eq!(of(&tag, found), Some((Severity::Warning, "image_unseen".into())));
        }
        assert_eq!(
            of(&tag, Found::NotAsked(text!("no answer in time"))),
            Some((Severity::Info, "image_unseen".into()))
        );
    }
}
