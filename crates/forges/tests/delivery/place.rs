//! A place with `acme/shop` in it, which has the branches `main` and `taken`, and what other people do there.

use passerelle_forges::{Forge, GitFolder, Made, Repository, open};
use passerelle_simulator::{Side, Simulator, Trap, World};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const WORLD: &str = "
speed: 50
github:
  acme/shop: { branches: [main, taken], files: { README.md: 'old', keep.txt: \"kept\\n\" } }
gitlab:
  acme/shop: { branches: [main, taken], files: { README.md: 'old', keep.txt: \"kept\\n\" } }
";

pub enum Place {
    Forge { provider: &'static str, simulator: Box<Simulator> },
    Folder(tempfile::TempDir),
}

impl Place {
    pub async fn forge_of(provider: &'static str) -> Self {
        let simulator = Box::new(Simulator::start(World::parse(WORLD).unwrap()).await.unwrap());
        Self::Forge { provider, simulator }
    }

    pub async fn folder() -> Self {
        let root = tempfile::tempdir().unwrap();
        seed(root.path());
        Self::Folder(root)
    }

    pub fn forge(&self) -> Box<dyn Forge> {
        match self {
            Self::Forge { provider, simulator } => {
                let config = json!({ "provider": provider, "base_url": simulator.url(), "token": { "value": "t" } });
                open(serde_json::from_value(config).unwrap()).unwrap()
            }
            Self::Folder(root) => Box::new(GitFolder::new(root.path())),
        }
    }

    pub fn proposes(&self) -> bool {
        matches!(self, Self::Forge { .. })
    }

    pub fn simulator(&self) -> &Simulator {
        match self {
            Self::Forge { simulator, .. } => simulator,
            Self::Folder(_) => panic!("no simulator"),
        }
    }

    /// The nth write from now on is held after its effect.
    pub fn set_trap(&self, nth: Option<u32>) {
        if let Self::Forge { provider, simulator } = self {
            simulator.set_trap(nth.map(|nth| Trap { prefix: format!("/{provider}"), nth, side: Side::After }));
        }
    }

    /// Somebody's commit on a branch.
    pub async fn push(&self, forge: &dyn Forge, repository: &str, branch: &str) {
        let named = Repository::try_from(repository.to_owned()).unwrap();
        let tip = forge.head(&named, Some(branch)).await.unwrap().base.unwrap();
        match self {
            Self::Forge { provider: "github", .. } => {
                let path = format!("/repos/{repository}/git");
                let tree = json!({ "tree": [{ "path": "more", "mode": "100644", "type": "blob", "content": "more" }] });
                let tree = self.call(Method::POST, &format!("{path}/trees"), tree).await;
                let commit = json!({ "message": "more", "tree": tree["sha"], "parents": [tip] });
                let commit = self.call(Method::POST, &format!("{path}/commits"), commit).await;
                self.call(Method::PATCH, &format!("{path}/refs/heads/{branch}"), json!({ "sha": commit["sha"] })).await;
            }
            Self::Forge { .. } => {
                let path = format!("/api/v4/projects/{}/repository/commits", repository.replace('/', "%2F"));
                let actions = json!([{ "action": "create", "file_path": "more", "content": "more" }]);
                let body = json!({ "branch": branch, "commit_message": "more", "actions": actions });
                self.call(Method::POST, &path, body).await;
            }
            Self::Folder(root) => {
                let copy = tempfile::tempdir().unwrap();
                git(
                    copy.path(),
                    &["clone", "--quiet", "--branch", branch, path(root, repository).to_str().unwrap(), "."],
                );
                std::fs::write(copy.path().join("more"), "more").unwrap();
                git(copy.path(), &["add", "."]);
                git(copy.path(), &["commit", "--quiet", "--message", "more"]);
                git(copy.path(), &["push", "--quiet"]);
            }
        }
    }

    /// Takes in what was proposed.
    pub async fn merge(&self, repository: &str, made: &Made) {
        let number = made.proposal.as_ref().map_or(0, |proposal| proposal.number);
        match self {
            Self::Forge { provider: "github", .. } => {
                self.call(Method::PUT, &format!("/repos/{repository}/pulls/{number}/merge"), json!({})).await;
            }
            Self::Forge { .. } => {
                let project = repository.replace('/', "%2F");
                self.call(Method::PUT, &format!("/api/v4/projects/{project}/merge_requests/{number}/merge"), json!({}))
                    .await;
            }
            Self::Folder(root) => {
                let copy = tempfile::tempdir().unwrap();
                git(copy.path(), &["clone", "--quiet", path(root, repository).to_str().unwrap(), "."]);
                let branch = format!("origin/{}", made.committed.as_ref().unwrap().branch);
                git(copy.path(), &["merge", "--quiet", "--no-ff", "--message", "in", &branch]);
                git(copy.path(), &["push", "--quiet", "origin", "main"]);
            }
        }
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.simulator().url());
        let request = reqwest::Client::new().request(method, url).bearer_auth("t").header("private-token", "t");
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap_or_default()
    }
}

pub fn path(root: &tempfile::TempDir, repository: &str) -> PathBuf {
    root.path().join(repository)
}

/// As a person would, with a name of their own.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args([
        "-c",
        "user.name=Ada",
        "-c",
        "user.email=ada@example.org",
        "-c",
        "init.defaultBranch=main",
    ]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A bare repository with a first commit.
fn seed(root: &Path) {
    let bare = root.join("acme/shop");
    std::fs::create_dir_all(&bare).unwrap();
    git(&bare, &["init", "--quiet", "--bare"]);
    let copy = tempfile::tempdir().unwrap();
    git(copy.path(), &["clone", "--quiet", bare.to_str().unwrap(), "."]);
    std::fs::write(copy.path().join("README.md"), "old").unwrap();
    std::fs::write(copy.path().join("keep.txt"), "kept\n").unwrap();
    git(copy.path(), &["checkout", "--quiet", "-b", "main"]);
    git(copy.path(), &["add", "."]);
    git(copy.path(), &["commit", "--quiet", "--message", "first"]);
    git(copy.path(), &["push", "--quiet", "origin", "main", "main:taken"]);
}
