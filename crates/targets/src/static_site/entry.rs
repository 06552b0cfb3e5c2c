//! The page that is the switch, and the mark at its end: who wrote it, and which release it is of. Pure.
//!
//! The mark is in the content, not in the object's metadata, so that every write by another writer has another ETag: that is what
//! makes a conditional write a fence on S3, where the ETag is a digest of the content.

use super::store::{Object, Version, When};
use crate::fencing::Names;
use crate::{Change, Fence, ImageRef, Recorded};
use serde_json::{Value, json};

const BEGIN: &[u8] = b"\n<!-- passerelle ";
const END: &[u8] = b" -->\n";
/// Largest page, in bytes.
pub(super) const MOST: usize = 4 * 1024 * 1024;
/// A page that was not deployed from here is kept inside the record up to this size.
const MOST_RECORDED: usize = 512 * 1024;

const MARK: Names = Names { field: "by", deployment: "deployment", epoch: "epoch", change: "change" };

/// What the bucket answers at the switch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    page: Option<Vec<u8>>,
    version: Option<Version>,
    mark: Value,
}

impl Entry {
    pub fn of(object: Option<Object>) -> Self {
        let Some(Object { bytes, version }) = object else {
            return Self { page: None, version: None, mark: Value::Null };
        };
        let (page, mark) = taken_apart(&bytes);
        let page = page.to_vec();
        Self { page: Some(page), version: Some(version), mark }
    }

    /// The condition that holds as long as nobody else has written.
    pub fn unchanged(&self) -> When {
        self.version.clone().map_or(When::Absent, When::Is)
    }

    pub const fn is_there(&self) -> bool {
        self.page.is_some()
    }

    pub fn image(&self) -> Option<&str> {
        self.mark["image"].as_str().filter(|image| ImageRef::parse(image).is_ok())
    }

    pub fn fence(&self) -> Option<Fence> {
        MARK.read(&self.mark)
    }

    /// # Errors
    /// [`crate::TargetError::Fenced`] when a younger deployment or a later epoch has written.
    pub fn turn(&self, change: &Change, fence: Fence) -> Result<crate::fencing::Turn, crate::TargetError> {
        MARK.turn(&self.mark, change, fence)
    }

    /// Enough to put it back: the image, or the page itself when it is not from here.
    pub fn record(&self) -> Recorded {
        let page =
            self.page.as_deref().filter(|_| self.image().is_none()).and_then(|page| std::str::from_utf8(page).ok());
        Recorded(json!({ "image": self.image(), "page": page.filter(|page| page.len() <= MOST_RECORDED) }))
    }

    /// The same page with a higher epoch.
    pub fn raised(&self, fence: Fence) -> Vec<u8> {
        let mut mark = self.mark.clone();
        MARK.raise(&mut mark, fence);
        put_together(self.page.as_deref().unwrap_or_default(), &mark)
    }
}

/// A page with the mark of its writer; `image` is absent when it is not from here.
pub(super) fn marked(page: &[u8], image: Option<&str>, change: &Change, fence: Fence) -> Vec<u8> {
    let mut mark = json!({ "image": image });
    MARK.stamp(&mut mark, change, fence);
    // A page that was once fetched from a site may bring a mark.
    put_together(taken_apart(page).0, &mark)
}

fn put_together(page: &[u8], mark: &Value) -> Vec<u8> {
    // Neither ids nor references hold `<` or `>`, so the comment ends where it should.
    [page, BEGIN, mark.to_string().as_bytes(), END].concat()
}

fn taken_apart(page: &[u8]) -> (&[u8], Value) {
    let found = page.windows(BEGIN.len()).rposition(|window| window == BEGIN);
    let mark = found.and_then(|at| {
        let inner = page[at + BEGIN.len()..].strip_suffix(END)?;
        serde_json::from_slice::<Value>(inner).ok().filter(Value::is_object)
    });
    match (found, mark) {
        (Some(at), Some(mark)) => (&page[..at], mark),
        _ => (page, Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fencing::Turn;
    use uuid::Uuid;

    fn image() -> String {
        format!("team/web:1--x@sha256:{}", "ab".repeat(32))
    }

    fn there(bytes: &[u8]) -> Entry {
        Entry::of(Some(Object { bytes: bytes.to_vec(), version: Version("1".to_owned()) }))
    }

    #[test]
    fn the_mark_is_at_the_end_and_the_page_is_as_it_was() {
        let (change, fence) =
            (Change::Image { image: image(), manifests: None }, Fence { deployment: Uuid::from_u128(5), epoch: 2 });
        let page = b"<!doctype html>\n<p>\xff".as_slice();
        let bytes = marked(page, Some(&image()), &change, fence);
        assert!(bytes.starts_with(page));
        let entry = there(&bytes);
        assert_eq!(
            (entry.image(), entry.fence(), entry.page.as_deref()),
            (Some(image().as_str()), Some(fence), Some(page))
        );
        assert_eq!(entry.turn(&change, fence), Ok(Turn::Done));
        let raised = there(&entry.raised(Fence { epoch: 3, ..fence }));
        assert_eq!((raised.fence().unwrap().epoch, raised.image()), (3, Some(image().as_str())));
        assert_eq!(raised.page, entry.page);
        assert_eq!(marked(&bytes, Some(&image()), &change, fence), bytes, "a mark is never marked again");
    }

    #[test]
    fn a_page_from_elsewhere_is_recorded_whole() {
        let entry = there(b"<p>by hand</p>");
        assert_eq!(entry.record().0, json!({ "image": null, "page": "<p>by hand</p>" }));
        assert_eq!((entry.fence(), entry.unchanged()), (None, When::Is(Version("1".to_owned()))));
        assert_eq!(Entry::of(None).record().0, json!({ "image": null, "page": null }));
        assert_eq!(Entry::of(None).unchanged(), When::Absent);
    }

    #[test]
    fn a_spoiled_mark_is_a_part_of_the_page() {
        for page in
            [&b"<p>\n<!-- passerelle {\"image\":3} -->\n"[..], b"\n<!-- passerelle x -->\n", b"\n<!-- passerelle {}"]
        {
            assert_eq!((there(page).image(), there(page).fence()), (None, None));
        }
    }
}
