//! What GitHub and GitLab have in common: the questions that each puts in its own words, and the forge that is made of them.

use crate::forge::{Forge, at_tip, exists_already, if_there, no_text};
use crate::parcel::{Committed, Ground, Into, Left, Made, Mark, Parcel, Present, Proposal, ProposalState};
use crate::proposal::{self, Shape};
use crate::undo;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use passerelle_contract::{Text, text};
use passerelle_targets::TargetError;
use passerelle_targets::ci::{Http, Repository};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;

/// One forge behind HTTP.
#[async_trait]
pub(crate) trait Hosted: Send + Sync + std::fmt::Debug {
    const SHAPE: Shape;

    fn http(&self) -> &Http;

    /// Whether a name can be one of its repositories.
    fn can_be(repository: &Repository) -> bool;

    /// Where the repository is asked for.
    fn path_of(repository: &Repository) -> String;

    /// Where a branch is deleted.
    fn branch_path(repository: &Repository, branch: &str) -> String;

    /// What it calls its repositories.
    fn named(repository: &Repository) -> Text;

    /// What it calls its proposals.
    fn proposal_named(number: u64) -> Text;

    /// The newest commit of a branch.
    async fn tip(&self, repository: &Repository, branch: &str) -> Result<Option<String>, TargetError>;

    /// Ours from an attempt before, nothing, or somebody else's.
    async fn done_before(
        &self,
        repository: &Repository,
        branch: &str,
        mark: Mark,
    ) -> Result<Option<String>, TargetError>;

    /// Makes the repository; one that somebody made meanwhile is refused as the forge does.
    async fn make(&self, repository: &Repository, private: bool, parcel: &Parcel) -> Result<Value, TargetError>;

    /// The first branch of a repository that we have made, and its newest commit.
    async fn first(&self, repository: &Repository, found: &Value) -> Result<(String, Option<String>), TargetError>;

    /// All files in one commit, made once however often it is asked for.
    async fn commit_files(
        &self,
        repository: &Repository,
        ground: &Ground,
        parcel: &Parcel,
    ) -> Result<Committed, TargetError>;

    /// All proposals of a branch, the closed ones too.
    async fn proposals(&self, repository: &Repository, branch: &str) -> Result<Value, TargetError>;

    /// What it is asked to open a proposal.
    fn opening(ground: &Ground, committed: &Committed, parcel: &Parcel) -> Value;

    /// How it is asked to close one.
    fn closing() -> (Method, Value);

    /// Every file that is there at a commit, by its path.
    async fn list(&self, repository: &Repository, commit: &str) -> Result<Vec<String>, TargetError>;

    /// Those of `paths` that are there at a commit, as text.
    async fn read(
        &self,
        repository: &Repository,
        commit: &str,
        paths: &[String],
    ) -> Result<BTreeMap<String, Present>, TargetError>;

    /// Whether nobody has asked for anything in it, nor copied it.
    fn untouched(found: &Value) -> bool;

    /// Whether a repository that we have made holds our commit and nothing else.
    async fn holds_only(
        &self,
        repository: &Repository,
        ground: &Ground,
        ours: Option<&str>,
    ) -> Result<bool, TargetError>;

    async fn find(&self, repository: &Repository) -> Result<Value, TargetError> {
        self.http().get(&Self::path_of(repository), &[], Self::named(repository)).await
    }

    async fn proposal_of(
        &self,
        repository: &Repository,
        committed: &Committed,
    ) -> Result<Option<Proposal>, TargetError> {
        let all = self.proposals(repository, &committed.branch).await?;
        Ok(proposal::ours(&all, committed, &Self::SHAPE))
    }

    /// Where all proposals are asked for.
    fn proposals_path(repository: &Repository) -> String {
        format!("{}/{}", Self::path_of(repository), Self::SHAPE.proposals)
    }

    /// The proposal as it stands, and where it is asked for.
    async fn proposal(&self, repository: &Repository, number: u64) -> Result<(String, Option<Value>), TargetError> {
        let path = format!("{}/{number}", Self::proposals_path(repository));
        let found = if_there(self.http().get(&path, &[], Self::proposal_named(number)).await)?;
        Ok((path, found))
    }
}

fn ground_of(found: &Value, shape: &Shape, created: bool, branch: String, base: Option<String>) -> Ground {
    Ground { created, branch, base, url: found[shape.web].as_str().map(str::to_owned) }
}

#[async_trait]
impl<H: Hosted> Forge for H {
    async fn ground(&self, repository: &Repository, into: &Into, parcel: &Parcel) -> Result<Ground, TargetError> {
        let private = match into {
            Into::Existing { base } => return self.head(repository, base.as_deref()).await,
            Into::New { private } => *private,
        };
        let found = match if_there(self.find(repository).await)? {
            Some(found) => found,
            None => match self.make(repository, private, parcel).await {
                // Somebody was faster: perhaps ourselves.
                Err(error @ TargetError::Refused(_)) => if_there(self.find(repository).await)?.ok_or(error)?,
                made => made?,
            },
        };
        if !parcel.mark.describes(&told(&found["description"])) {
            return Err(exists_already(repository));
        }
        let (branch, base) = self.first(repository, &found).await?;
        Ok(ground_of(&found, &H::SHAPE, true, branch, base))
    }

    async fn commit(
        &self,
        repository: &Repository,
        ground: &Ground,
        parcel: &Parcel,
    ) -> Result<Committed, TargetError> {
        self.commit_files(repository, ground, parcel).await
    }

    async fn propose(
        &self,
        repository: &Repository,
        ground: &Ground,
        committed: &Committed,
        parcel: &Parcel,
    ) -> Result<Option<Proposal>, TargetError> {
        if let Some(found) = self.proposal_of(repository, committed).await? {
            return Ok(Some(found));
        }
        let body = H::opening(ground, committed, parcel);
        let path = H::proposals_path(repository);
        let made = self.http().send(Method::POST, &path, Some(&body), H::named(repository)).await?.body;
        proposal::of(&made, &H::SHAPE).ok_or_else(|| unexpected(H::SHAPE.who, "number")).map(Some)
    }

    async fn proposed(&self, repository: &Repository, made: &Made) -> Result<ProposalState, TargetError> {
        let Some(proposal) = &made.proposal else { return Ok(ProposalState::Closed) };
        let (_, found) = self.proposal(repository, proposal.number).await?;
        Ok(found.map_or(ProposalState::Closed, |found| proposal::state(&found)))
    }

    async fn head(&self, repository: &Repository, branch: Option<&str>) -> Result<Ground, TargetError> {
        let found = self.find(repository).await?;
        let named = branch.map_or_else(|| told(&found["default_branch"]), str::to_owned);
        // A repository without a commit may have no default branch either.
        let tip = if named.is_empty() { None } else { self.tip(repository, &named).await? };
        let tip = at_tip(repository, branch, &named, tip)?;
        Ok(ground_of(&found, &H::SHAPE, false, named, Some(tip)))
    }

    async fn paths(&self, repository: &Repository, commit: &str) -> Result<Vec<String>, TargetError> {
        self.list(repository, commit).await
    }

    async fn files(
        &self,
        repository: &Repository,
        commit: &str,
        paths: &[String],
    ) -> Result<BTreeMap<String, Present>, TargetError> {
        self.read(repository, commit, paths).await
    }

    async fn withdraw(&self, repository: &Repository, parcel: &Parcel, made: &Made) -> Result<Left, TargetError> {
        undo::take_back(self, repository, parcel, made).await
    }

    fn takes(&self, repository: &Repository) -> bool {
        H::can_be(repository)
    }
}

/// A text of an answer; empty when there is none.
pub(crate) fn told(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An answer without what it must have.
pub(crate) fn unexpected(who: &'static str, what: &'static str) -> TargetError {
    TargetError::Unreachable(text!("{who} answered without {what}", who, what))
}

/// A file as answers carry it, in base64 with or without line ends.
pub(crate) fn unpacked(content: &Value, named: &str, executable: bool) -> Result<Present, TargetError> {
    let packed: String = told(content).split_whitespace().collect();
    let bytes = STANDARD.decode(packed).map_err(|_| no_text(named))?;
    let content = String::from_utf8(bytes).map_err(|_| no_text(named))?;
    Ok(Present { content, executable })
}
