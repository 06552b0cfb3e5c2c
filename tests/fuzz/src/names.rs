//! Names that become parts of requests, of addresses and of arguments.

use crate::lossy;
use passerelle_server::catalog::reference::EntityRef;
use passerelle_server::identity::token_id;
use passerelle_server::kernel::validate;
use passerelle_targets::ImageRef;
use passerelle_targets::ci::{FieldName, Label, Reference, Repository, Territory, Workflow};

pub fn run(bytes: &[u8]) {
    let text = lossy(bytes);
    let text = text.as_ref();
    if let Ok(image) = ImageRef::parse(text) {
        assert_eq!(image.to_string(), text);
        argument(text);
    }
    if validate::image(text).is_ok() {
        argument(text);
    }
    if let Ok(reference) = Reference::try_from(text.to_owned()) {
        argument(reference.as_str());
        assert!(!text.contains(".."), "{text:?}");
    }
    if Workflow::try_from(text.to_owned()).is_ok() || FieldName::try_from(text.to_owned()).is_ok() {
        argument(text);
    }
    if let (Ok(repository), Ok(territory)) =
        (Repository::try_from(text.to_owned()), Territory::try_from(text.to_owned()))
    {
        argument(text);
        assert!(territory.holds(&repository), "{text:?}");
    }
    drop(Label::try_from(text.to_owned()));
    if let Ok(reference) = EntityRef::parse(text, Some("component"), "default") {
        let whole = reference.to_string();
        let again = EntityRef::parse(&whole, None, "other");
        // With what the text leaves out it may be longer than a text may be.
        let same = again.is_ok_and(|again| again.folded() == reference.folded());
        assert!(same || whole.len() > 253, "{text:?}");
    }
    if validate::slug(text, 63).is_ok() || validate::service_key(text).is_ok() {
        argument(text);
    }
    if validate::line(text, 0, 2_000).is_ok() {
        assert!(!text.contains(['\n', '\r', '\0', '\u{1b}', '\u{202e}']), "{text:?}");
    }
    if let Some(id) = token_id(text) {
        assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()) || !id.is_empty(), "{text:?}");
    }
}

/// What may stand in a list of arguments, in a path and in a log line.
fn argument(text: &str) {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let quiet = !text.contains(['$', '`', ';', '|', '&', '<', '>', '"', '\'', '\\', '(', ')']);
    assert!(!text.is_empty() && !text.starts_with('-') && plain && quiet, "{text:?}");
}
