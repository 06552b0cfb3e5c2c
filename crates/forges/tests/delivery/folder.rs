//! What only a folder can get wrong: paths that lead out of it, links, settings of a repository, working trees.

use crate::place::{Place, git};
use crate::{deliver, existing, name, parcel};
use passerelle_forges::{Forge as _, GitFolder, Into, TargetError};

#[tokio::test]
async fn no_name_and_no_link_leads_out() {
    let outside = tempfile::tempdir().unwrap();
    git(outside.path(), &["init", "--quiet", "--bare", "victim"]);
    let root = tempfile::tempdir().unwrap();
    let forge = GitFolder::new(root.path());
    std::fs::create_dir(root.path().join("acme")).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join("acme/link")).unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join("group")).unwrap();
    for repository in ["acme/link/victim", "group/victim", "group/new", "acme/link/new"] {
        for into in [existing(), Into::New { private: true }] {
            let refused = forge.ground(&name(repository), &into, &parcel(1)).await;
            assert!(
                matches!(refused, Err(TargetError::Refused(_) | TargetError::Missing(_))),
                "{repository} {into:?}: {refused:?}"
            );
        }
    }
    // A working tree whose repository is elsewhere.
    std::fs::create_dir(root.path().join("acme/tree")).unwrap();
    std::fs::write(root.path().join("acme/tree/.git"), format!("gitdir: {}/victim\n", outside.path().display()))
        .unwrap();
    let refused = forge.ground(&name("acme/tree"), &existing(), &parcel(1)).await;
    assert!(matches!(refused, Err(TargetError::Refused(_))), "{refused:?}");
    assert_eq!(git(&outside.path().join("victim"), &["for-each-ref"]), "", "nothing arrived there");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_working_repository_gets_a_branch_and_keeps_its_tree() {
    let root = tempfile::tempdir().unwrap();
    let tree = root.path().join("acme/work");
    std::fs::create_dir_all(&tree).unwrap();
    git(&tree, &["init", "--quiet"]);
    let forge = GitFolder::new(root.path());
    let empty = deliver(&forge, &name("acme/work"), &existing(), &parcel(1)).await;
    assert!(matches!(&empty, Err(TargetError::Refused(why)) if why.to_string().contains("empty")), "{empty:?}");
    std::fs::write(tree.join("mine"), "mine").unwrap();
    git(&tree, &["add", "."]);
    git(&tree, &["commit", "--quiet", "--message", "first"]);
    // What a repository's own settings and hooks would start.
    let trap = root.path().join("trap");
    let hook = tree.join(".git/hooks/reference-transaction");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", trap.display())).unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    git(&tree, &["config", "core.fsmonitor", &format!("touch {}", trap.display())]);
    git(&tree, &["config", "gpg.program", &format!("touch {}", trap.display())]);
    git(&tree, &["config", "log.showSignature", "true"]);
    deliver(&forge, &name("acme/work"), &existing(), &parcel(1)).await.unwrap();
    assert!(!trap.exists(), "nothing was started");
    std::fs::remove_file(&hook).unwrap();
    git(&tree, &["config", "--unset", "core.fsmonitor"]);
    assert_eq!(git(&tree, &["status", "--porcelain"]), "", "the tree is as it was");
    assert_eq!(git(&tree, &["show", &format!("{}:bin/run.sh", parcel(1).branch)]), "#!/bin/sh\nexec serve");
}

#[tokio::test]
async fn the_same_delivery_is_the_same_commit_and_git_finds_no_fault() {
    let (first, second) = (Place::folder().await, Place::folder().await);
    let mut commits = Vec::new();
    for place in [&first, &second] {
        let made = deliver(&*place.forge(), &name("acme/new"), &Into::New { private: true }, &parcel(1)).await.unwrap();
        commits.push(made.committed.unwrap().commit);
        let Place::Folder(root) = place else { unreachable!() };
        git(&root.path().join("acme/new"), &["fsck", "--strict"]);
    }
    assert_eq!(commits[0], commits[1]);
}
