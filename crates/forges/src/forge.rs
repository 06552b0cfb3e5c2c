//! The trait, and which forge a connection leads to.

use crate::parcel::{Committed, Ground, Into, Left, Made, Parcel, Present, Proposal, ProposalState};
use crate::{github::Github, gitlab::Gitlab};
use async_trait::async_trait;
use passerelle_contract::text;
use passerelle_targets::TargetError;
use passerelle_targets::ci::{ConnectionConfig, GITHUB, GITLAB, Http, Kind, Repository};
use std::collections::BTreeMap;

/// A place of repositories. Every act may be done again and then finds what it did before.
#[async_trait]
pub trait Forge: Send + Sync + std::fmt::Debug {
    /// Finds the repository, or makes it.
    ///
    /// # Errors
    /// `Missing` for one that should be there, `Refused` for one that should not, `Unreachable` also while a new one is not ready.
    async fn ground(&self, repository: &Repository, into: &Into, parcel: &Parcel) -> Result<Ground, TargetError>;

    /// Brings all files in one commit: to a branch of its own, or to the first branch of a repository that we have made.
    ///
    /// # Errors
    /// `Refused` when the branch is somebody else's.
    async fn commit(&self, repository: &Repository, ground: &Ground, parcel: &Parcel)
    -> Result<Committed, TargetError>;

    /// Asks the repository's people to take the branch in; none where there is no such thing.
    ///
    /// # Errors
    /// As the forge says.
    async fn propose(
        &self,
        repository: &Repository,
        ground: &Ground,
        committed: &Committed,
        parcel: &Parcel,
    ) -> Result<Option<Proposal>, TargetError>;

    /// What became of what was proposed.
    ///
    /// # Errors
    /// As the forge says.
    async fn proposed(&self, repository: &Repository, made: &Made) -> Result<ProposalState, TargetError>;

    /// The newest commit of a branch; of the default branch when none is named.
    ///
    /// # Errors
    /// `Missing`.
    async fn head(&self, repository: &Repository, branch: Option<&str>) -> Result<Ground, TargetError>;

    /// Every file that is there at a commit, by its path.
    ///
    /// # Errors
    /// `Refused` for a repository with more files than one answer holds.
    async fn paths(&self, repository: &Repository, commit: &str) -> Result<Vec<String>, TargetError>;

    /// Those of `paths` that are there at a commit, as text.
    ///
    /// # Errors
    /// `Refused` for a file that is no text.
    async fn files(
        &self,
        repository: &Repository,
        commit: &str,
        paths: &[String],
    ) -> Result<BTreeMap<String, Present>, TargetError>;

    /// Takes back what we made, as far as it is ours alone.
    ///
    /// # Errors
    /// As the forge says; what is gone already is no error.
    async fn withdraw(&self, repository: &Repository, parcel: &Parcel, made: &Made) -> Result<Left, TargetError>;

    /// Whether a name can be one of its repositories.
    fn takes(&self, repository: &Repository) -> bool;
}

/// The forge of a connection to GitHub or GitLab.
///
/// # Errors
/// `Config` for a connection that cannot work.
pub fn open(config: ConnectionConfig) -> Result<Box<dyn Forge>, TargetError> {
    let api = config.api()?;
    Ok(match config.provider {
        Kind::Github | Kind::GithubEnterprise => Box::new(Github(Http::new(api, GITHUB, config.token)?)),
        Kind::Gitlab => Box::new(Gitlab(Http::new(api, GITLAB, config.token)?)),
    })
}

/// Nothing where something is missing.
pub(crate) fn if_there<T>(answer: Result<T, TargetError>) -> Result<Option<T>, TargetError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(TargetError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn exists_already(repository: &Repository) -> TargetError {
    TargetError::Refused(text!(
        "{repository} exists already and was not made by this delivery; deliver to an existing repository instead",
        repository = repository.as_str()
    ))
}

pub(crate) fn foreign_branch(branch: &str) -> TargetError {
    TargetError::Refused(text!("the branch {branch} holds commits that are not of this delivery", branch))
}

pub(crate) fn is_empty(repository: &Repository) -> TargetError {
    TargetError::Refused(text!(
        "{repository} is empty; give it a first commit, for example a README",
        repository = repository.as_str()
    ))
}

/// The newest commit of the branch `named`, which is the default one when none was asked for.
pub(crate) fn at_tip(
    repository: &Repository,
    asked: Option<&str>,
    named: &str,
    tip: Option<String>,
) -> Result<String, TargetError> {
    tip.ok_or_else(|| match asked {
        Some(_) => TargetError::Missing(text!("branch {branch}", branch = named)),
        None => is_empty(repository),
    })
}

pub(crate) fn no_text(path: &str) -> TargetError {
    TargetError::Refused(text!("{path} in the repository is no text", path))
}
