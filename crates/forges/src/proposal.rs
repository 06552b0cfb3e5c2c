//! Pull requests and merge requests, which are told alike but for names.

use crate::parcel::{Committed, Proposal, ProposalState};
use passerelle_targets::ci;
use serde_json::Value;

/// Where things are in answers.
pub(crate) struct Shape {
    pub(crate) who: &'static str,
    /// The last part of the address of all proposals.
    pub(crate) proposals: &'static str,
    number: &'static str,
    /// The address for people, of proposals and of repositories.
    pub(crate) web: &'static str,
    /// Of the newest commit.
    commit: &'static str,
}

pub(crate) const GITHUB: Shape =
    Shape { who: ci::GITHUB, proposals: "pulls", number: "number", web: "html_url", commit: "/head/sha" };
pub(crate) const GITLAB: Shape =
    Shape { who: ci::GITLAB, proposals: "merge_requests", number: "iid", web: "web_url", commit: "/sha" };

pub(crate) fn of(value: &Value, shape: &Shape) -> Option<Proposal> {
    let number = value[shape.number].as_u64()?;
    let url = value[shape.web].as_str().unwrap_or_default();
    // It becomes a link of a page.
    let url = if url.starts_with("https://") || url.starts_with("http://") { url } else { "" };
    Some(Proposal { number, url: url.to_owned() })
}

pub(crate) fn state(value: &Value) -> ProposalState {
    let merged = value["merged_at"].is_string() || value["merged"] == true || value["state"] == "merged";
    match value["state"].as_str() {
        _ if merged => ProposalState::Merged,
        Some("open" | "opened" | "locked") => ProposalState::Open,
        _ => ProposalState::Closed,
    }
}

/// Of those of our branch, the one that was opened for this commit; what somebody has closed stays closed.
pub(crate) fn ours(all: &Value, committed: &Committed, shape: &Shape) -> Option<Proposal> {
    let all = all.as_array()?;
    let found = all.iter().find(|one| match state(one) {
        ProposalState::Open => true,
        ProposalState::Merged => one.pointer(shape.commit).and_then(Value::as_str) == Some(&committed.commit),
        ProposalState::Closed => false,
    })?;
    of(found, shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_one_of_our_commit_is_found_again() {
        let committed = Committed { commit: "c1".to_owned(), branch: "b".to_owned() };
        let closed = json!({ "number": 1, "state": "closed", "merged_at": null, "html_url": "https://a/1", "head": { "sha": "c1" } });
        let merged = json!({ "number": 2, "state": "closed", "merged_at": "2026-01-01T00:00:00Z", "html_url": "javascript:x", "head": { "sha": "c1" } });
        let open = json!({ "number": 3, "state": "open", "merged_at": null, "html_url": "https://a/3", "head": { "sha": "c2" } });
        let found = |all: &[&Value]| ours(&json!(all), &committed, &GITHUB).map(|one| (one.number, one.url));
        assert_eq!(found(&[&closed]), None);
        assert_eq!(found(&[&closed, &open]), Some((3, "https://a/3".to_owned())));
        assert_eq!(found(&[&merged, &closed]), Some((2, String::new())), "no address that a page could not link to");
        let other = Committed { commit: "c9".to_owned(), branch: "b".to_owned() };
        assert!(ours(&json!([merged]), &other, &GITHUB).is_none());
        assert_eq!(state(&json!({ "state": "merged" })), ProposalState::Merged);
        assert_eq!(state(&json!({ "state": "opened" })), ProposalState::Open);
    }
}
