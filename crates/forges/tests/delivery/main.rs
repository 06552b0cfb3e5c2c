//! The same questions to all three forges: what arrives, what is found again, what is refused, what is taken back; lost answers; and every
//! request to GitHub against a server that checks it by GitHub's own OpenAPI description.

#![expect(clippy::unwrap_used, reason = "tests")]

mod described;
mod folder;
mod place;

use passerelle_forges::{Entry, Forge, Ground, Into, Made, Mark, Parcel, ProposalState, Repository, TargetError};
use place::Place;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use uuid::Uuid;

fn entry(path: &str, content: Option<&str>, executable: bool) -> Entry {
    Entry { path: path.to_owned(), content: content.map(str::to_owned), executable }
}

fn parcel(mark: u128) -> Parcel {
    Parcel {
        mark: Mark(Uuid::from_u128(mark)),
        branch: format!("passerelle/orders-{mark}"),
        title: "Orders \"of\" the shop".to_owned(),
        body: "Made by **Passerelle**.".to_owned(),
        at: OffsetDateTime::from_unix_timestamp(1_790_000_000).unwrap(),
        files: vec![
            entry("README.md", Some("# orders\n"), false),
            entry("bin/run.sh", Some("#!/bin/sh\nexec serve\n"), true),
            entry("src/ünï code.txt", Some("no end of line"), false),
        ],
    }
}

fn name(text: &str) -> Repository {
    Repository::try_from(text.to_owned()).unwrap()
}

fn existing() -> Into {
    Into::Existing { base: None }
}

/// All steps, each made twice, as after a crash between the act and its being written down.
async fn deliver(
    forge: &dyn Forge,
    repository: &Repository,
    into: &Into,
    parcel: &Parcel,
) -> Result<Made, TargetError> {
    let ground = forge.ground(repository, into, parcel).await?;
    if ground.created {
        assert_eq!(forge.ground(repository, into, parcel).await?, ground);
    }
    let committed = forge.commit(repository, &ground, parcel).await?;
    assert_eq!(forge.commit(repository, &ground, parcel).await?, committed, "found again");
    let mut made = Made { ground: Some(ground.clone()), committed: Some(committed.clone()), proposal: None };
    if !ground.created {
        made.proposal = forge.propose(repository, &ground, &committed, parcel).await?;
        assert_eq!(forge.propose(repository, &ground, &committed, parcel).await?, made.proposal, "found again");
    }
    Ok(made)
}

async fn read(forge: &dyn Forge, repository: &Repository, made: &Made) -> BTreeMap<String, (String, bool)> {
    let paths: Vec<String> = ["README.md", "bin/run.sh", "src/ünï code.txt", "keep.txt"].map(str::to_owned).to_vec();
    let commit = &made.committed.as_ref().unwrap().commit;
    let files = forge.files(repository, commit, &paths).await.unwrap();
    files.into_iter().map(|(path, file)| (path, (file.content, file.executable))).collect()
}

fn expected(keep: bool) -> BTreeMap<String, (String, bool)> {
    let mut files: BTreeMap<String, (String, bool)> =
        parcel(1).files.into_iter().map(|file| (file.path, (file.content.unwrap(), file.executable))).collect();
    if keep {
        files.insert("keep.txt".to_owned(), ("kept\n".to_owned(), false));
    }
    files
}

async fn new_repository(place: &Place) {
    let (forge, new) = (place.forge(), Into::New { private: true });
    let repository = name("acme/orders");
    let made = deliver(&*forge, &repository, &new, &parcel(1)).await.unwrap();
    assert_eq!(read(&*forge, &repository, &made).await, expected(false));
    assert!(made.ground.as_ref().unwrap().created && made.proposal.is_none());
    // The same name for another service.
    let other = forge.ground(&repository, &new, &parcel(2)).await;
    assert!(
        matches!(&other, Err(TargetError::Refused(why)) if why.to_string().contains("exists already")),
        "{other:?}"
    );
    let there = forge.ground(&name("acme/shop"), &new, &parcel(2)).await;
    assert!(matches!(there, Err(TargetError::Refused(_))), "{there:?}");
    // Somebody works in it: it stays.
    place.push(&*forge, "acme/orders", "main").await;
    let left = forge.withdraw(&repository, &parcel(1), &made).await.unwrap();
    assert!(left.taken_back.is_empty() && left.left.len() == 1, "{left:?}");
    assert!(forge.head(&repository, None).await.is_ok());
    // One that holds only what we brought goes, also when its commit was never written down.
    let repository = name("acme/stock");
    let mut made = deliver(&*forge, &repository, &new, &parcel(3)).await.unwrap();
    made.committed = None;
    let left = forge.withdraw(&repository, &parcel(3), &made).await.unwrap();
    assert!(left.taken_back.len() == 1 && left.left.is_empty(), "{left:?}");
    let gone = forge.head(&repository, None).await;
    assert!(matches!(gone, Err(TargetError::Missing(_))), "{gone:?}");
    let again = forge.withdraw(&repository, &parcel(3), &made).await.unwrap();
    assert!(again.taken_back.is_empty() && again.left.is_empty(), "what is gone is no error: {again:?}");
}

async fn existing_repository(place: &Place) {
    let (forge, repository) = (place.forge(), name("acme/shop"));
    let before = forge.head(&repository, None).await.unwrap();
    let made = deliver(&*forge, &repository, &existing(), &parcel(1)).await.unwrap();
    assert_eq!(
        read(&*forge, &repository, &made).await,
        expected(true),
        "what was there stays, what is ours is replaced"
    );
    assert_eq!(forge.head(&repository, None).await.unwrap(), before, "only a branch was made");
    assert_eq!(forge.proposed(&repository, &made).await.unwrap(), ProposalState::Open);
    assert_eq!(made.proposal.is_some(), place.proposes());
    // Without the words of the answers before, as after kill -9, all of it is found and taken back.
    let forgotten = Made { ground: made.ground.clone(), ..Made::default() };
    let left = forge.withdraw(&repository, &parcel(1), &forgotten).await.unwrap();
    assert!(left.left.is_empty() && left.taken_back.len() == 1 + usize::from(place.proposes()), "{left:?}");
    assert_eq!(forge.proposed(&repository, &made).await.unwrap(), ProposalState::Closed);
    // After that it can be delivered anew, and what was closed is not taken for it.
    let again = deliver(&*forge, &repository, &existing(), &parcel(1)).await.unwrap();
    assert!(again.proposal.is_none() || again.proposal != made.proposal);
    // Somebody else's commit on our branch is not deleted.
    place.push(&*forge, "acme/shop", &parcel(1).branch).await;
    let left = forge.withdraw(&repository, &parcel(1), &again).await.unwrap();
    assert!(left.left.iter().any(|why| why.to_string().contains("stays")), "{left:?}");
    assert!(forge.head(&repository, Some(&parcel(1).branch)).await.is_ok());
}

async fn foreign(place: &Place) {
    let (forge, repository) = (place.forge(), name("acme/shop"));
    let taken = Parcel { branch: "taken".to_owned(), ..parcel(1) };
    let refused = deliver(&*forge, &repository, &existing(), &taken).await;
    assert!(matches!(&refused, Err(TargetError::Refused(why)) if why.to_string().contains("taken")), "{refused:?}");
    let none = deliver(&*forge, &name("acme/none"), &existing(), &parcel(1)).await;
    assert!(matches!(none, Err(TargetError::Missing(_))), "{none:?}");
    let nowhere = Into::Existing { base: Some("nowhere".to_owned()) };
    let none = deliver(&*forge, &repository, &nowhere, &parcel(1)).await;
    assert!(matches!(none, Err(TargetError::Missing(_))), "{none:?}");
    let changed = Parcel { files: vec![entry("README.md", None, false)], ..parcel(5) };
    let made = deliver(&*forge, &repository, &existing(), &changed).await.unwrap();
    assert!(!read(&*forge, &repository, &made).await.contains_key("README.md"), "a file that goes");
}

/// The branch was taken in by its people: that is told, and not taken back.
async fn merged(place: &Place) {
    let (forge, repository) = (place.forge(), name("acme/shop"));
    let made = deliver(&*forge, &repository, &existing(), &parcel(1)).await.unwrap();
    place.merge("acme/shop", &made).await;
    assert_eq!(forge.proposed(&repository, &made).await.unwrap(), ProposalState::Merged);
    if place.proposes() {
        let left = forge.withdraw(&repository, &parcel(1), &made).await.unwrap();
        assert!(left.taken_back.is_empty() && left.left[0].to_string().contains("merged"), "{left:?}");
    }
    let base = forge.head(&repository, None).await.unwrap();
    let now = Made {
        committed: base.base.map(|commit| passerelle_forges::Committed { commit, branch: base.branch }),
        ..made
    };
    assert_eq!(read(&*forge, &repository, &now).await, expected(true));
}

async fn suite(place: fn() -> futures::future::BoxFuture<'static, Place>) {
    new_repository(&place().await).await;
    existing_repository(&place().await).await;
    foreign(&place().await).await;
    merged(&place().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn github() {
    suite(|| Box::pin(Place::forge_of("github"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gitlab() {
    suite(|| Box::pin(Place::forge_of("gitlab"))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn git_folder() {
    suite(|| Box::pin(Place::folder())).await;
}

/// The act with its caller gone after the first write, after the second, and so on, until it comes to its end.
async fn dying<T, F: Future<Output = Result<T, TargetError>>>(place: &Place, act: impl Fn() -> F) -> (T, u32) {
    for nth in 1.. {
        place.set_trap(Some(nth));
        let ended = tokio::select! {
            ended = act() => Some(ended),
            () = place.simulator().caught() => None,
        };
        place.set_trap(None);
        if let Some(ended) = ended {
            return (ended.unwrap(), nth - 1);
        }
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_dies_after_any_write_leaves_one_of_everything() {
    for provider in ["github", "gitlab"] {
        for (repository, into) in [("acme/shop", existing()), ("acme/orders", Into::New { private: true })] {
            let place = Place::forge_of(provider).await;
            let (forge, repository, parcel) = (place.forge(), name(repository), parcel(1));
            let (ground, made) = dying(&place, || forge.ground(&repository, &into, &parcel)).await;
            assert_eq!(made, u32::from(ground.created), "{provider}");
            let (committed, writes) = dying(&place, || forge.commit(&repository, &ground, &parcel)).await;
            assert_eq!(writes, if provider == "github" { 3 } else { 1 }, "{provider}");
            let mut made = Made { ground: Some(ground.clone()), committed: Some(committed.clone()), proposal: None };
            if !ground.created {
                let (proposal, writes) =
                    dying(&place, || forge.propose(&repository, &ground, &committed, &parcel)).await;
                assert!(proposal.is_some() && writes == 1, "{provider}");
                made.proposal = proposal;
            }
            assert_eq!(read(&*forge, &repository, &made).await, expected(!ground.created), "{provider}");
            for (object, count) in place.simulator().counts().effects {
                let once = ["branches/", "pulls/", "requests/", "repositories/", "projects/"];
                let once = once.iter().any(|kind| object.contains(kind));
                assert!(!once || count == 1, "{provider} {object} {count}");
            }
            let (left, _) = dying(&place, || forge.withdraw(&repository, &parcel, &made)).await;
            assert!(left.left.is_empty(), "{provider}: {left:?}");
            let gone = forge.head(&repository, Some(&committed.branch)).await;
            assert!(matches!(gone, Err(TargetError::Missing(_))), "{provider}: {gone:?}");
        }
    }
}

#[test]
fn a_ground_is_kept_as_it_was() {
    let ground = Ground { created: true, branch: "main".to_owned(), base: None, url: None };
    let kept = serde_json::to_value(&ground).unwrap();
    assert_eq!(serde_json::from_value::<Ground>(kept).unwrap(), ground);
}
