//! What is delivered, and what has been learned on the way.

use passerelle_contract::Text;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// The line of a commit's message by which it is known.
const TRAILER: &str = "Passerelle-Delivery: ";

/// By what our own work is told from everybody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(pub Uuid);

impl Mark {
    /// The last line of our commits.
    #[must_use]
    pub fn trailer(self) -> String {
        format!("{TRAILER}{}", self.0)
    }

    /// Whether a commit's message is ours.
    #[must_use]
    pub fn is_in(self, message: &str) -> bool {
        let trailer = self.trailer();
        message.lines().any(|line| line.trim_end() == trailer)
    }

    /// What a repository of ours says of itself; the description is one line.
    #[must_use]
    pub fn description(self, title: &str) -> String {
        let title: String = title.chars().filter(|one| !one.is_control()).take(200).collect();
        format!("{title} (passerelle {})", self.0)
    }

    /// Whether a repository's description is ours.
    #[must_use]
    pub fn describes(self, description: &str) -> bool {
        description.ends_with(&format!("(passerelle {})", self.0))
    }
}

/// A file as it is to be; without content it goes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub path: String,
    pub content: Option<String>,
    pub executable: bool,
}

/// Everything that one delivery brings.
#[derive(Debug, Clone)]
pub struct Parcel {
    pub mark: Mark,
    /// Of the commit where it is proposed; a new repository gets it on its first branch.
    pub branch: String,
    /// One line: of the commit and of the proposal, and what a new repository is about.
    pub title: String,
    /// Markdown, for the proposal.
    pub body: String,
    /// The commit's time, the same at every attempt.
    pub at: OffsetDateTime,
    pub files: Vec<Entry>,
}

impl Parcel {
    pub(crate) fn message(&self) -> String {
        format!("{}\n\n{}\n", self.title, self.mark.trailer())
    }
}

/// Whose name stands at our commits; `.invalid` is nobody's.
pub(crate) const AUTHOR: (&str, &str) = ("Passerelle", "passerelle@portal.invalid");

/// Which kind of place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Into {
    /// A repository that is made.
    New { private: bool },
    /// A branch in one that is there, proposed for `base` or for its default branch.
    Existing { base: Option<String> },
}

/// The repository as it was found or made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// We have made it.
    pub created: bool,
    /// The branch that is built on.
    pub branch: String,
    /// Its newest commit; none when nothing is in it.
    pub base: Option<String>,
    /// For people; none for a folder.
    pub url: Option<String>,
}

/// The one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    pub commit: String,
    pub branch: String,
}

/// A pull request or a merge request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub number: u64,
    pub url: String,
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalState {
    Open,
    Merged,
    Closed,
}

/// What is known to be ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    pub ground: Option<Ground>,
    pub committed: Option<Committed>,
    pub proposal: Option<Proposal>,
}

/// What was taken back, and what could not be because it is not ours alone any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Left {
    pub taken_back: Vec<Text>,
    pub left: Vec<Text>,
}

impl Left {
    pub(crate) const fn nothing() -> Self {
        Self { taken_back: Vec::new(), left: Vec::new() }
    }
}

/// A file of a repository as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    pub content: String,
    pub executable: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_where_it_was_left_and_nowhere_else() {
        let (mark, other) = (Mark(Uuid::from_u128(7)), Mark(Uuid::from_u128(8)));
        let parcel = Parcel {
            mark,
            branch: "b".to_owned(),
            title: "Orders".to_owned(),
            body: String::new(),
            at: OffsetDateTime::UNIX_EPOCH,
            files: Vec::new(),
        };
        assert!(mark.is_in(&parcel.message()) && !other.is_in(&parcel.message()));
        assert!(mark.is_in(&parcel.message().replace('\n', "\r\n")), "line ends of another system");
        assert!(!mark.is_in(&format!("Revert \"{}\"", mark.trailer())), "talking about it is not it");
        let description = mark.description("Takes\norders");
        assert_eq!(description.lines().count(), 1);
        assert!(mark.describes(&description) && !other.describes(&description) && !mark.describes("Takes orders"));
    }
}
