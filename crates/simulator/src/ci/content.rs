//! What is in a repository: files, commits, branches, and requests to take a branch in. Ids are digests, so the same commit has one id.

use crate::dice::digest_of;
use std::collections::BTreeMap;

/// Contents by path, with the right to be executed.
pub(super) type Files = BTreeMap<String, (String, bool)>;

#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub tree: String,
    pub parents: Vec<String>,
    pub message: String,
}

/// A pull request or a merge request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub title: String,
    pub head: String,
    pub base: String,
    pub text: String,
    /// `open`, `closed` or `merged`.
    pub state: &'static str,
    /// The newest commit of its branch, kept when the branch goes.
    pub commit: String,
}

#[derive(Debug, Default)]
pub(super) struct Content {
    pub description: String,
    pub trees: BTreeMap<String, Files>,
    pub commits: BTreeMap<String, Commit>,
    pub branches: BTreeMap<String, String>,
    /// Numbered from 1.
    pub asked: Vec<Asked>,
}

fn id_of(text: &str) -> String {
    digest_of(text.as_bytes())[..40].to_owned()
}

impl Content {
    /// The same files on every branch.
    pub fn new(branches: &[String], files: &BTreeMap<String, String>) -> Self {
        let mut content = Self::default();
        let files = files.iter().map(|(path, text)| (path.clone(), (text.clone(), false))).collect();
        let tree = content.tree(files);
        let first = content.commit(Commit { tree, parents: Vec::new(), message: "Initial commit".to_owned() });
        content.branches = branches.iter().map(|branch| (branch.clone(), first.clone())).collect();
        content
    }

    /// Nothing in it yet.
    pub fn described(description: &str) -> Self {
        Self { description: description.to_owned(), ..Self::default() }
    }

    /// What a provider puts into a new repository.
    pub fn first(&mut self, name: &str) {
        let tree = self.tree([("README.md".to_owned(), (format!("# {name}"), false))].into());
        let first = self.commit(Commit { tree, parents: Vec::new(), message: "Initial commit".to_owned() });
        self.branches.insert("main".to_owned(), first);
    }

    pub fn tree(&mut self, files: Files) -> String {
        let id = id_of(&format!("{files:?}"));
        self.trees.insert(id.clone(), files);
        id
    }

    pub fn commit(&mut self, commit: Commit) -> String {
        let id = id_of(&format!("{commit:?}"));
        self.commits.insert(id.clone(), commit);
        id
    }

    /// A branch, a commit, or nothing.
    pub fn resolve(&self, reference: &str) -> Option<String> {
        let branch = self.branches.get(reference).cloned();
        branch.or_else(|| self.commits.contains_key(reference).then(|| reference.to_owned()))
    }

    pub fn files_of(&self, commit: &str) -> Files {
        let tree = self.commits.get(commit).and_then(|commit| self.trees.get(&commit.tree));
        tree.cloned().unwrap_or_default()
    }

    pub fn blob(id: &str, files: &Files) -> Option<String> {
        files.values().find(|(text, _)| Self::blob_id(text) == id).map(|(text, _)| text.clone())
    }

    pub fn blob_id(text: &str) -> String {
        id_of(text)
    }

    /// Whether `old` is among those that `new` goes back to.
    pub fn is_ancestor(&self, old: &str, new: &str) -> bool {
        let mut todo = vec![new.to_owned()];
        while let Some(next) = todo.pop() {
            if next == old {
                return true;
            }
            todo.extend(self.commits.get(&next).map(|commit| commit.parents.clone()).unwrap_or_default());
        }
        false
    }

    /// Asks; when nothing would change, or it was asked already, says why not.
    pub fn ask(&mut self, asked: Asked) -> Result<usize, String> {
        let (Some(head), Some(base)) = (self.branches.get(&asked.head), self.branches.get(&asked.base)) else {
            return Err("head or base is invalid".to_owned());
        };
        if self.asked.iter().any(|one| one.state == "open" && one.head == asked.head && one.base == asked.base) {
            return Err(format!("A pull request already exists for {}", asked.head));
        }
        if self.commits[head].tree == self.commits[base].tree {
            return Err(format!("No commits between {} and {}", asked.base, asked.head));
        }
        let commit = head.clone();
        self.asked.push(Asked { commit, ..asked });
        Ok(self.asked.len())
    }

    /// Takes a branch in, as somebody does who presses the button.
    pub fn merge(&mut self, number: usize) -> bool {
        let Some(asked) = number.checked_sub(1).and_then(|place| self.asked.get(place)).cloned() else { return false };
        let (Some(head), Some(base)) =
            (self.branches.get(&asked.head).cloned(), self.branches.get(&asked.base).cloned())
        else {
            return false;
        };
        let tree = self.commits[&head].tree.clone();
        let message = format!("Merge {}", asked.head);
        let merged = self.commit(Commit { tree, parents: vec![base, head.clone()], message });
        self.branches.insert(asked.base, merged);
        let asked = &mut self.asked[number - 1];
        (asked.state, asked.commit) = ("merged", head);
        true
    }
}
