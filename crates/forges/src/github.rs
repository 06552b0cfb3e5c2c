//! GitHub by its Git data API: a tree with all contents in one request, a commit on it, a reference to that.
//!
//! The commit's author, times and parent are always the same, so a commit that is written again has the same id.

use crate::forge::{foreign_branch, if_there, is_empty};
use crate::hosted::{Hosted, told, unexpected, unpacked};
use crate::parcel::{AUTHOR, Committed, Ground, Mark, Parcel, Present};
use crate::proposal::{self, Shape};
use async_trait::async_trait;
use passerelle_contract::{Text, text};
use passerelle_targets::TargetError;
use passerelle_targets::ci::{GITHUB, Http, Repository};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::format_description::well_known::Rfc3339;

#[derive(Debug)]
pub struct Github(pub(crate) Http);

impl Github {
    async fn commit_of(&self, repository: &Repository, sha: &str) -> Result<Value, TargetError> {
        let path = format!("{}/git/commits/{sha}", Self::path_of(repository));
        self.0.get(&path, &[], text!("commit {id}", id = sha)).await
    }

    /// Stores one of Git's objects and tells its id.
    async fn put(&self, repository: &Repository, kind: &str, object: &Value) -> Result<String, TargetError> {
        let path = format!("{}/git/{kind}", Self::path_of(repository));
        let made = self.0.send(Method::POST, &path, Some(object), Self::named(repository)).await?;
        made.body["sha"].as_str().map(str::to_owned).ok_or_else(|| unexpected(GITHUB, "sha"))
    }

    async fn tree(
        &self,
        repository: &Repository,
        base: &str,
        grown: bool,
        parcel: &Parcel,
    ) -> Result<String, TargetError> {
        let entries: Vec<Value> = parcel
            .files
            .iter()
            .map(|file| {
                let mode = if file.executable { "100755" } else { "100644" };
                match &file.content {
                    Some(content) => json!({ "path": file.path, "mode": mode, "type": "blob", "content": content }),
                    None => json!({ "path": file.path, "mode": mode, "type": "blob", "sha": null }),
                }
            })
            .collect();
        let mut body = json!({ "tree": entries });
        if grown {
            body["base_tree"] = self.commit_of(repository, base).await?["tree"]["sha"].clone();
        }
        self.put(repository, "trees", &body).await
    }

    async fn write(
        &self,
        repository: &Repository,
        base: &str,
        grown: bool,
        parcel: &Parcel,
    ) -> Result<String, TargetError> {
        let tree = self.tree(repository, base, grown, parcel).await?;
        let at = parcel.at.replace_nanosecond(0).unwrap_or(parcel.at).format(&Rfc3339).unwrap_or_default();
        let who = json!({ "name": AUTHOR.0, "email": AUTHOR.1, "date": at });
        let body =
            json!({ "message": parcel.message(), "tree": tree, "parents": [base], "author": who, "committer": who });
        self.put(repository, "commits", &body).await
    }

    /// Onto the first branch of a repository that we have made.
    async fn fill(
        &self,
        repository: &Repository,
        ground: &Ground,
        base: &str,
        parcel: &Parcel,
    ) -> Result<String, TargetError> {
        let tip = self.tip(repository, &ground.branch).await?.unwrap_or_default();
        if parcel.mark.is_in(&told(&self.commit_of(repository, &tip).await?["message"])) {
            return Ok(tip);
        }
        if tip != base {
            return Err(foreign_branch(&ground.branch));
        }
        let commit = self.write(repository, base, false, parcel).await?;
        let path = format!("{}/git/refs/heads/{}", Self::path_of(repository), ground.branch);
        let body = json!({ "sha": commit, "force": false });
        self.0.send(Method::PATCH, &path, Some(&body), text!("branch {branch}", branch = &ground.branch)).await?;
        Ok(commit)
    }

    /// Onto a branch of its own.
    async fn branch(&self, repository: &Repository, base: &str, parcel: &Parcel) -> Result<String, TargetError> {
        if let Some(tip) = self.done_before(repository, &parcel.branch, parcel.mark).await? {
            return Ok(tip);
        }
        let commit = self.write(repository, base, true, parcel).await?;
        let body = json!({ "ref": format!("refs/heads/{}", parcel.branch), "sha": commit });
        let path = format!("{}/git/refs", Self::path_of(repository));
        let what = Self::named(repository);
        match self.0.send(Method::POST, &path, Some(&body), what).await {
            Ok(_) => Ok(commit),
            // "Reference already exists": made between our look and this.
            Err(error @ TargetError::Refused(_)) => {
                self.done_before(repository, &parcel.branch, parcel.mark).await?.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// The files of a commit: path, mode and id each.
    async fn listed(&self, repository: &Repository, commit: &str) -> Result<Vec<[String; 3]>, TargetError> {
        let tree = told(&self.commit_of(repository, commit).await?["tree"]["sha"]);
        let path = format!("{}/git/trees/{tree}", Self::path_of(repository));
        let found = self.0.get(&path, &[("recursive", "1")], text!("commit {id}", id = commit)).await?;
        if found["truncated"] == true {
            return Err(TargetError::Refused(text!("the repository has too many files to be read in one answer")));
        }
        // A link's content would be a path.
        let blob = |entry: &&Value| entry["type"] == "blob" && entry["mode"] != "120000";
        let entries = found["tree"].as_array().into_iter().flatten().filter(blob);
        Ok(entries.map(|entry| ["path", "mode", "sha"].map(|name| told(&entry[name]))).collect())
    }
}

#[async_trait]
impl Hosted for Github {
    const SHAPE: Shape = proposal::GITHUB;

    fn http(&self) -> &Http {
        &self.0
    }

    fn can_be(repository: &Repository) -> bool {
        repository.is_owner_and_name()
    }

    fn path_of(repository: &Repository) -> String {
        format!("/repos/{}", repository.as_str())
    }

    fn branch_path(repository: &Repository, branch: &str) -> String {
        format!("{}/git/refs/heads/{branch}", Self::path_of(repository))
    }

    fn named(repository: &Repository) -> Text {
        text!("repository {name}", name = repository.as_str())
    }

    fn proposal_named(number: u64) -> Text {
        text!("pull request {number}", number)
    }

    async fn tip(&self, repository: &Repository, branch: &str) -> Result<Option<String>, TargetError> {
        let path = format!("{}/git/ref/heads/{branch}", Self::path_of(repository));
        match if_there(self.0.get(&path, &[], text!("branch {branch}", branch)).await) {
            Ok(found) => Ok(found.map(|found| told(&found["object"]["sha"]))),
            // "Git Repository is empty."
            Err(TargetError::Refused(why)) if why.to_string().contains("empty") => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn done_before(
        &self,
        repository: &Repository,
        branch: &str,
        mark: Mark,
    ) -> Result<Option<String>, TargetError> {
        let Some(tip) = self.tip(repository, branch).await? else { return Ok(None) };
        let commit = self.commit_of(repository, &tip).await?;
        if mark.is_in(&told(&commit["message"])) { Ok(Some(tip)) } else { Err(foreign_branch(branch)) }
    }

    async fn make(&self, repository: &Repository, private: bool, parcel: &Parcel) -> Result<Value, TargetError> {
        let (owner, name) = repository.as_str().split_once('/').unwrap_or_default();
        let me = self.0.get("/user", &[], text!("the user of the token")).await;
        // A token of an App is no user's.
        let own = me.is_ok_and(|me| told(&me["login"]).eq_ignore_ascii_case(owner));
        let path = if own { "/user/repos".to_owned() } else { format!("/orgs/{owner}/repos") };
        let body = json!({ "name": name, "description": parcel.mark.description(&parcel.title), "private": private,
            // Without a first commit the Git data API answers 409.
            "auto_init": true });
        Ok(self.0.send(Method::POST, &path, Some(&body), text!("owner {name}", name = owner)).await?.body)
    }

    async fn first(&self, repository: &Repository, found: &Value) -> Result<(String, Option<String>), TargetError> {
        let branch = told(&found["default_branch"]);
        match self.tip(repository, &branch).await? {
            Some(base) => Ok((branch, Some(base))),
            None => Err(TargetError::Unreachable(text!("the new repository is not ready yet"))),
        }
    }

    async fn commit_files(
        &self,
        repository: &Repository,
        ground: &Ground,
        parcel: &Parcel,
    ) -> Result<Committed, TargetError> {
        let base = ground.base.as_deref().ok_or_else(|| is_empty(repository))?;
        Ok(if ground.created {
            Committed { commit: self.fill(repository, ground, base, parcel).await?, branch: ground.branch.clone() }
        } else {
            Committed { commit: self.branch(repository, base, parcel).await?, branch: parcel.branch.clone() }
        })
    }

    async fn proposals(&self, repository: &Repository, branch: &str) -> Result<Value, TargetError> {
        let (owner, _) = repository.as_str().split_once('/').unwrap_or_default();
        let head = format!("{owner}:{branch}");
        let query = [("state", "all"), ("head", head.as_str()), ("per_page", "100")];
        self.0.get(&Self::proposals_path(repository), &query, Self::named(repository)).await
    }

    fn opening(ground: &Ground, committed: &Committed, parcel: &Parcel) -> Value {
        json!({ "title": parcel.title, "head": committed.branch, "base": ground.branch, "body": parcel.body })
    }

    fn closing() -> (Method, Value) {
        (Method::PATCH, json!({ "state": "closed" }))
    }

    async fn list(&self, repository: &Repository, commit: &str) -> Result<Vec<String>, TargetError> {
        Ok(self.listed(repository, commit).await?.into_iter().map(|[path, ..]| path).collect())
    }

    async fn read(
        &self,
        repository: &Repository,
        commit: &str,
        paths: &[String],
    ) -> Result<BTreeMap<String, Present>, TargetError> {
        let mut files = BTreeMap::new();
        for [named, mode, sha] in self.listed(repository, commit).await? {
            if !paths.contains(&named) {
                continue;
            }
            let path = format!("{}/git/blobs/{sha}", Self::path_of(repository));
            let blob = self.0.get(&path, &[], Text::verbatim(named.clone())).await?;
            let file = unpacked(&blob["content"], &named, mode == "100755")?;
            files.insert(named, file);
        }
        Ok(files)
    }

    fn untouched(found: &Value) -> bool {
        found["open_issues_count"] == 0 && found["forks_count"] == 0
    }

    /// One branch, whose newest commit this is, and no tag.
    async fn holds_only(
        &self,
        repository: &Repository,
        ground: &Ground,
        ours: Option<&str>,
    ) -> Result<bool, TargetError> {
        // Before our own commit there is the one that GitHub begins with.
        let newest = ours.or(ground.base.as_deref());
        let what = || Self::named(repository);
        let path = format!("{}/branches", Self::path_of(repository));
        let branches = self.0.get(&path, &[("per_page", "2")], what()).await?;
        let branches = branches.as_array().map(Vec::as_slice).unwrap_or_default();
        let alone = match branches {
            [] => newest.is_none(),
            [one] => one["name"] == ground.branch.as_str() && one["commit"]["sha"].as_str() == newest,
            _ => false,
        };
        let path = format!("{}/git/matching-refs/tags", Self::path_of(repository));
        let tags = self.0.get(&path, &[], what()).await?;
        Ok(alone && tags.as_array().is_some_and(Vec::is_empty))
    }
}
