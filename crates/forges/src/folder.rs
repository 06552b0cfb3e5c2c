//! A folder of Git repositories on the portal's machine. No path leads out of it: names are checked, and where they lead is looked at
//! after every link was followed.
//!
//! Nothing is checked out: a commit is written by `git fast-import`, which writes all files in one go and refuses to move a branch that
//! holds other commits. Its times are fixed, so the same delivery is the same commit.

use crate::forge::{Forge, at_tip, exists_already, foreign_branch, no_text};
use crate::git::{self, Git};
use crate::parcel::{AUTHOR, Committed, Ground, Into, Left, Made, Mark, Parcel, Present, Proposal, ProposalState};
use async_trait::async_trait;
use passerelle_contract::text;
use passerelle_targets::TargetError;
use passerelle_targets::ci::Repository;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The first branch of a repository that we make.
const FIRST: &str = "main";
/// Where a repository says that we made it.
const MADE_BY: &str = "passerelle.delivery";

/// All repositories below one folder.
#[derive(Debug, Clone)]
pub struct GitFolder {
    root: PathBuf,
}

impl GitFolder {
    #[must_use]
    pub fn new(root: impl std::convert::Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn root(&self) -> Result<PathBuf, TargetError> {
        let gone =
            |_| TargetError::Missing(text!("the folder of the setting {name}", name = "onboarding.repositories"));
        self.root.canonicalize().map_err(gone)
    }

    /// The repository, when there is one; `Refused` when its name leads out of the folder.
    fn find(&self, repository: &Repository) -> Result<Option<Git>, TargetError> {
        let root = self.root()?;
        let Ok(place) = root.join(repository.as_str()).canonicalize() else { return Ok(None) };
        let inside = |place: &Path| place.starts_with(&root) && place != root;
        let working = place.join(".git");
        let folder = if working.exists() {
            // A file there would name a folder anywhere.
            working.canonicalize().ok().filter(|folder| folder.is_dir())
        } else {
            Some(place.clone())
        };
        match folder.filter(|folder| inside(&place) && inside(folder)) {
            Some(folder) => Ok(Some(Git(folder))),
            None => Err(TargetError::Refused(text!(
                "{path} leads out of the folder of repositories",
                path = repository.as_str()
            ))),
        }
    }

    fn known(&self, repository: &Repository) -> Result<Git, TargetError> {
        let missing = || TargetError::Missing(text!("repository {name}", name = repository.as_str()));
        self.find(repository)?.ok_or_else(missing)
    }

    /// Made aside and put in its place by one renaming, so that it is there whole or not at all.
    async fn make(&self, repository: &Repository, mark: Mark) -> Result<Git, TargetError> {
        let refused = |error: std::io::Error| {
            TargetError::Refused(text!("{path}: {error}", path = repository.as_str(), error = error.kind().to_string()))
        };
        let root = self.root()?;
        let place = root.join(repository.as_str());
        let parent = place.parent().unwrap_or(&root);
        std::fs::create_dir_all(parent).map_err(refused)?;
        if !parent.canonicalize().map_err(refused)?.starts_with(&root) {
            return Err(TargetError::Refused(text!(
                "{path} leads out of the folder of repositories",
                path = repository.as_str()
            )));
        }
        let aside = tempfile::Builder::new().prefix(".passerelle-").tempdir_in(parent).map_err(refused)?;
        let new = Git(aside.path().join("new.git"));
        git::init(&new.0, FIRST).await?;
        new.run(&["config", MADE_BY, &mark.0.to_string()]).await?.or_refused()?;
        std::fs::rename(&new.0, &place).map_err(refused)?;
        Ok(Git(place))
    }

    async fn is_ours(git: &Git, mark: Mark) -> Result<bool, TargetError> {
        Ok(git.run(&["config", "--local", MADE_BY]).await?.line() == mark.0.to_string())
    }

    async fn tip(git: &Git, branch: &str) -> Result<Option<String>, TargetError> {
        let name = format!("refs/heads/{branch}");
        let found = git.run(&["rev-parse", "--verify", "--quiet", &name]).await?;
        Ok(Some(found.line()).filter(|sha| found.good && !sha.is_empty()))
    }

    async fn done_before(git: &Git, branch: &str, mark: Mark) -> Result<Option<String>, TargetError> {
        let Some(tip) = Self::tip(git, branch).await? else { return Ok(None) };
        // Not `git log`: a repository's settings can make that run a program.
        let message = git.run(&["cat-file", "commit", &tip]).await?.or_refused()?.line();
        if mark.is_in(&message) { Ok(Some(tip)) } else { Err(foreign_branch(branch)) }
    }

    /// Whether there is one branch with this commit, or nothing at all.
    async fn holds_only(git: &Git, commit: Option<&str>) -> Result<bool, TargetError> {
        let all = git.run(&["for-each-ref", "--format=%(refname) %(objectname)"]).await?.or_refused()?.line();
        Ok(match commit {
            Some(commit) => all == format!("refs/heads/{FIRST} {commit}"),
            None => all.is_empty(),
        })
    }
}

impl GitFolder {
    /// The files of a commit: mode, id and path each.
    async fn listed(git: &Git, commit: &str) -> Result<Vec<[String; 3]>, TargetError> {
        let listed = git.run(&["ls-tree", "-r", "-z", commit]).await?.or_refused()?;
        let mut files = Vec::new();
        for entry in listed.text.split(|byte| *byte == 0) {
            // `mode blob id`, a tabulator, the path.
            let entry = String::from_utf8_lossy(entry);
            let Some((facts, named)) = entry.split_once('\t') else { continue };
            let facts: Vec<&str> = facts.split(' ').collect();
            // A link's content would be a path.
            if let [mode, "blob", id] = facts.as_slice()
                && mode.starts_with("100")
            {
                files.push([*mode, *id, named].map(str::to_owned));
            }
        }
        Ok(files)
    }

    /// Deletes a repository while it holds only this. It is moved aside first, so that nothing can be pushed to it after it was looked at.
    async fn drop_if_only(git: &Git, commit: Option<&str>, named: &str) -> Result<bool, TargetError> {
        let refused = |error: std::io::Error| {
            TargetError::Refused(text!("{path}: {error}", path = named, error = error.kind().to_string()))
        };
        if !Self::holds_only(git, commit).await? {
            return Ok(false);
        }
        let parent = git.0.parent().unwrap_or(&git.0);
        let aside = tempfile::Builder::new().prefix(".passerelle-").tempdir_in(parent).map_err(refused)?;
        let moved = Git(aside.path().join("old.git"));
        std::fs::rename(&git.0, &moved.0).map_err(refused)?;
        let only = Self::holds_only(&moved, commit).await;
        if !matches!(only, Ok(true)) {
            std::fs::rename(&moved.0, &git.0).map_err(refused)?;
        }
        only
    }
}

/// The commands of `git fast-import`.
fn stream(branch: &str, base: Option<&str>, parcel: &Parcel) -> Vec<u8> {
    let (name, email) = AUTHOR;
    let message = parcel.message();
    let mut out = format!(
        "feature done\ncommit refs/heads/{branch}\ncommitter {name} <{email}> {} +0000\ndata {}\n{message}\n",
        parcel.at.unix_timestamp(),
        message.len()
    );
    if let Some(base) = base {
        out.push_str(&format!("from {base}\n"));
    }
    for file in &parcel.files {
        let path = quoted(&file.path);
        match &file.content {
            Some(content) => {
                let mode = if file.executable { "100755" } else { "100644" };
                out.push_str(&format!("M {mode} inline {path}\ndata {}\n{content}\n", content.len()));
            }
            None => out.push_str(&format!("D {path}\n")),
        }
    }
    out.push_str("done\n");
    out.into_bytes()
}

/// As a string of C.
fn quoted(path: &str) -> String {
    let inner = path.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{inner}\"")
}

#[async_trait]
impl Forge for GitFolder {
    async fn ground(&self, repository: &Repository, into: &Into, parcel: &Parcel) -> Result<Ground, TargetError> {
        if let Into::Existing { base } = into {
            return self.head(repository, base.as_deref()).await;
        }
        let found = match self.find(repository)? {
            Some(found) => found,
            None => self.make(repository, parcel.mark).await?,
        };
        if !Self::is_ours(&found, parcel.mark).await? {
            return Err(exists_already(repository));
        }
        Ok(Ground { created: true, branch: FIRST.to_owned(), base: None, url: None })
    }

    async fn commit(
        &self,
        repository: &Repository,
        ground: &Ground,
        parcel: &Parcel,
    ) -> Result<Committed, TargetError> {
        let git = self.known(repository)?;
        let branch = if ground.created { &ground.branch } else { &parcel.branch };
        let made = |commit: String| Committed { commit, branch: branch.clone() };
        if let Some(tip) = Self::done_before(&git, branch, parcel.mark).await? {
            return Ok(made(tip));
        }
        let stream = stream(branch, ground.base.as_deref(), parcel);
        git.feed(&["fast-import", "--quiet", "--done", "--date-format=raw"], &stream).await?.or_refused()?;
        let tip = Self::tip(&git, branch).await?;
        tip.map(made).ok_or_else(|| TargetError::Missing(text!("branch {branch}", branch)))
    }

    async fn propose(
        &self,
        _: &Repository,
        _: &Ground,
        _: &Committed,
        _: &Parcel,
    ) -> Result<Option<Proposal>, TargetError> {
        Ok(None)
    }

    async fn proposed(&self, repository: &Repository, made: &Made) -> Result<ProposalState, TargetError> {
        let (Some(ground), Some(committed)) = (&made.ground, &made.committed) else { return Ok(ProposalState::Closed) };
        let git = self.known(repository)?;
        let base = format!("refs/heads/{}", ground.branch);
        if git.run(&["merge-base", "--is-ancestor", &committed.commit, &base]).await?.good {
            return Ok(ProposalState::Merged);
        }
        let there = Self::tip(&git, &committed.branch).await?.is_some();
        Ok(if there { ProposalState::Open } else { ProposalState::Closed })
    }

    async fn head(&self, repository: &Repository, branch: Option<&str>) -> Result<Ground, TargetError> {
        let git = self.known(repository)?;
        let named = match branch {
            Some(branch) => branch.to_owned(),
            None => git.run(&["symbolic-ref", "--short", "HEAD"]).await?.or_refused()?.line(),
        };
        let tip = at_tip(repository, branch, &named, Self::tip(&git, &named).await?)?;
        Ok(Ground { created: false, branch: named, base: Some(tip), url: None })
    }

    async fn paths(&self, repository: &Repository, commit: &str) -> Result<Vec<String>, TargetError> {
        let git = self.known(repository)?;
        Ok(Self::listed(&git, commit).await?.into_iter().map(|[_, _, path]| path).collect())
    }

    async fn files(
        &self,
        repository: &Repository,
        commit: &str,
        paths: &[String],
    ) -> Result<BTreeMap<String, Present>, TargetError> {
        let git = self.known(repository)?;
        let mut files = BTreeMap::new();
        for [mode, id, named] in Self::listed(&git, commit).await? {
            if !paths.contains(&named) {
                continue;
            }
            let content = git.run(&["cat-file", "blob", &id]).await?.or_refused()?.text;
            let content = String::from_utf8(content).map_err(|_| no_text(&named))?;
            files.insert(named, Present { content, executable: mode == "100755" });
        }
        Ok(files)
    }

    async fn withdraw(&self, repository: &Repository, parcel: &Parcel, made: &Made) -> Result<Left, TargetError> {
        let mut left = Left::nothing();
        let Some(git) = self.find(repository)? else { return Ok(left) };
        let created = made.ground.as_ref().is_some_and(|ground| ground.created);
        let branch = if created { FIRST } else { &parcel.branch };
        let found = match &made.committed {
            Some(committed) => Some(committed.commit.clone()),
            // Somebody else's is not ours to take back.
            None => Self::done_before(&git, branch, parcel.mark).await.unwrap_or_default(),
        };
        let named = repository.as_str();
        if created {
            if Self::is_ours(&git, parcel.mark).await? && Self::drop_if_only(&git, found.as_deref(), named).await? {
                left.taken_back.push(text!("the repository {name} is deleted", name = named));
            } else {
                left.left.push(text!("the repository {name} stays: it holds more than this delivery", name = named));
            }
            return Ok(left);
        }
        let Some(commit) = found else { return Ok(left) };
        let reference = format!("refs/heads/{branch}");
        if Self::tip(&git, branch).await?.is_none() {
            return Ok(left);
        }
        // Git itself compares what stands there.
        if git.run(&["update-ref", "-d", &reference, &commit]).await?.good {
            left.taken_back.push(text!("the branch {branch} is deleted", branch));
        } else {
            left.left.push(text!("the branch {branch} stays: it holds commits of others", branch));
        }
        Ok(left)
    }

    fn takes(&self, _: &Repository) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        assert_eq!(quoted("a b/c\"d\\e\nf"), r#""a b/c\"d\\e\nf""#);
    }
}
