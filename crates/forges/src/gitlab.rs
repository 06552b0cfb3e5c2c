//! GitLab by its commits API: all files as actions of one commit, which makes the branch too.

use crate::forge::{foreign_branch, if_there};
use crate::hosted::{Hosted, told, unexpected, unpacked};
use crate::parcel::{AUTHOR, Committed, Ground, Mark, Parcel, Present};
use crate::proposal::{self, Shape};
use async_trait::async_trait;
use passerelle_contract::{Text, text};
use passerelle_targets::TargetError;
use passerelle_targets::ci::{GITLAB, Http, Repository};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Entries of a tree that are asked for at once, and pages of them at most.
const PAGE: usize = 100;
const PAGES: usize = 100;
/// The first branch of a project that we make.
const FIRST: &str = "main";

#[derive(Debug)]
pub struct Gitlab(pub(crate) Http);

/// A path as one part of an address.
fn part(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl Gitlab {
    /// A branch with its newest commit.
    async fn branch(&self, repository: &Repository, branch: &str) -> Result<Option<Value>, TargetError> {
        if_there(self.0.get(&Self::branch_path(repository, branch), &[], text!("branch {branch}", branch)).await)
    }

    /// Modes by path: whether a file is there, and whether it can be executed.
    async fn tree(&self, repository: &Repository, commit: &str) -> Result<BTreeMap<String, bool>, TargetError> {
        let path = format!("{}/repository/tree", Self::path_of(repository));
        let mut files = BTreeMap::new();
        for page in 1..=PAGES {
            let (page, size) = (page.to_string(), PAGE.to_string());
            let query = [("ref", commit), ("recursive", "true"), ("per_page", size.as_str()), ("page", page.as_str())];
            let found = self.0.get(&path, &query, text!("commit {id}", id = commit)).await?;
            let found = found.as_array().map(Vec::as_slice).unwrap_or_default();
            let blobs = found.iter().filter(|entry| entry["type"] == "blob");
            files.extend(blobs.map(|entry| (told(&entry["path"]), entry["mode"] == "100755")));
            if found.len() < PAGE {
                return Ok(files);
            }
        }
        Err(TargetError::Refused(text!("the repository has too many files to be read in one answer")))
    }

    /// What has to be done so that the files are as wanted. A file's right to be executed is an action of its own there.
    async fn actions(
        &self,
        repository: &Repository,
        ground: &Ground,
        parcel: &Parcel,
    ) -> Result<Vec<Value>, TargetError> {
        let there = match &ground.base {
            Some(base) => self.tree(repository, base).await?,
            None => BTreeMap::new(),
        };
        let mut actions = Vec::new();
        for file in &parcel.files {
            let before = there.get(&file.path).copied();
            let Some(content) = &file.content else {
                if before.is_some() {
                    actions.push(json!({ "action": "delete", "file_path": file.path }));
                }
                continue;
            };
            let action = if before.is_some() { "update" } else { "create" };
            actions.push(json!({ "action": action, "file_path": file.path, "content": content, "encoding": "text" }));
            if before.unwrap_or_default() != file.executable {
                actions.push(json!({ "action": "chmod", "file_path": file.path, "execute_filemode": file.executable }));
            }
        }
        Ok(actions)
    }
}

#[async_trait]
impl Hosted for Gitlab {
    const SHAPE: Shape = proposal::GITLAB;

    fn http(&self) -> &Http {
        &self.0
    }

    fn can_be(_: &Repository) -> bool {
        true
    }

    fn path_of(repository: &Repository) -> String {
        format!("/projects/{}", part(repository.as_str()))
    }

    fn branch_path(repository: &Repository, branch: &str) -> String {
        format!("{}/repository/branches/{}", Self::path_of(repository), part(branch))
    }

    fn named(repository: &Repository) -> Text {
        text!("project {name}", name = repository.as_str())
    }

    fn proposal_named(number: u64) -> Text {
        text!("merge request {number}", number)
    }

    async fn tip(&self, repository: &Repository, branch: &str) -> Result<Option<String>, TargetError> {
        Ok(self.branch(repository, branch).await?.map(|found| told(&found["commit"]["id"])))
    }

    async fn done_before(
        &self,
        repository: &Repository,
        branch: &str,
        mark: Mark,
    ) -> Result<Option<String>, TargetError> {
        let Some(found) = self.branch(repository, branch).await? else { return Ok(None) };
        if mark.is_in(&told(&found["commit"]["message"])) {
            Ok(Some(told(&found["commit"]["id"])))
        } else {
            Err(foreign_branch(branch))
        }
    }

    async fn make(&self, repository: &Repository, private: bool, parcel: &Parcel) -> Result<Value, TargetError> {
        let (group, name) = repository.as_str().rsplit_once('/').unwrap_or_default();
        let what = text!("group {name}", name = group);
        let found = self.0.get(&format!("/namespaces/{}", part(group)), &[], what.clone()).await?;
        let visibility = if private { "private" } else { "public" };
        let body = json!({ "name": name, "path": name, "namespace_id": found["id"], "visibility": visibility,
            "description": parcel.mark.description(&parcel.title), "initialize_with_readme": false });
        Ok(self.0.send(Method::POST, "/projects", Some(&body), what).await?.body)
    }

    async fn first(&self, _: &Repository, _: &Value) -> Result<(String, Option<String>), TargetError> {
        Ok((FIRST.to_owned(), None))
    }

    async fn commit_files(
        &self,
        repository: &Repository,
        ground: &Ground,
        parcel: &Parcel,
    ) -> Result<Committed, TargetError> {
        let branch = if ground.created { &ground.branch } else { &parcel.branch };
        let made = |commit: String| Committed { commit, branch: branch.clone() };
        if let Some(tip) = self.done_before(repository, branch, parcel.mark).await? {
            return Ok(made(tip));
        }
        let mut body = json!({ "branch": branch, "commit_message": parcel.message(), "author_name": AUTHOR.0, "author_email": AUTHOR.1,
            "actions": self.actions(repository, ground, parcel).await? });
        if let Some(base) = &ground.base {
            body["start_sha"] = base.as_str().into();
        }
        let path = format!("{}/repository/commits", Self::path_of(repository));
        let what = Self::named(repository);
        match self.0.send(Method::POST, &path, Some(&body), what).await {
            Ok(answer) => {
                answer.body["id"].as_str().map(|id| made(id.to_owned())).ok_or_else(|| unexpected(GITLAB, "id"))
            }
            // "A branch called ... already exists": made between our look and this.
            Err(error @ TargetError::Refused(_)) => {
                self.done_before(repository, branch, parcel.mark).await?.map(made).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn proposals(&self, repository: &Repository, branch: &str) -> Result<Value, TargetError> {
        let query = [("state", "all"), ("source_branch", branch), ("per_page", "100")];
        self.0.get(&Self::proposals_path(repository), &query, Self::named(repository)).await
    }

    fn opening(ground: &Ground, committed: &Committed, parcel: &Parcel) -> Value {
        json!({ "source_branch": committed.branch, "target_branch": ground.branch, "title": parcel.title,
            "description": parcel.body, "remove_source_branch": true })
    }

    fn closing() -> (Method, Value) {
        (Method::PUT, json!({ "state_event": "close" }))
    }

    async fn list(&self, repository: &Repository, commit: &str) -> Result<Vec<String>, TargetError> {
        Ok(self.tree(repository, commit).await?.into_keys().collect())
    }

    async fn read(
        &self,
        repository: &Repository,
        commit: &str,
        paths: &[String],
    ) -> Result<BTreeMap<String, Present>, TargetError> {
        let there = self.tree(repository, commit).await?;
        let mut files = BTreeMap::new();
        for (named, executable) in there.into_iter().filter(|(named, _)| paths.contains(named)) {
            let path = format!("{}/repository/files/{}", Self::path_of(repository), part(&named));
            let found = self.0.get(&path, &[("ref", commit)], text!("commit {id}", id = commit)).await?;
            let file = unpacked(&found["content"], &named, executable)?;
            files.insert(named, file);
        }
        Ok(files)
    }

    fn untouched(found: &Value) -> bool {
        // Absent where the project keeps no issues.
        ["open_issues_count", "forks_count"].iter().all(|count| found[count].as_u64().unwrap_or_default() == 0)
    }

    async fn holds_only(
        &self,
        repository: &Repository,
        ground: &Ground,
        ours: Option<&str>,
    ) -> Result<bool, TargetError> {
        let mut found = Vec::new();
        for kind in ["branches", "tags"] {
            let path = format!("{}/repository/{kind}", Self::path_of(repository));
            let what = Self::named(repository);
            let some = self.0.get(&path, &[("per_page", "2")], what).await?;
            found.extend(some.as_array().cloned().unwrap_or_default());
        }
        Ok(match found.as_slice() {
            [] => true,
            [one] => one["name"] == ground.branch.as_str() && ours.is_some() && one["commit"]["id"].as_str() == ours,
            _ => false,
        })
    }
}
