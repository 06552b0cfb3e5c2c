//! Every request that is made of GitHub, against a server that refuses what GitHub's description does not have.

use crate::{existing, name, parcel};
use passerelle_forges::{Committed, Ground, Into, Made, Proposal, TargetError, open};
use serde_json::json;

/// The server answers with the description's examples, whatever was asked before: what is seen here is that each request is taken, since
/// one that is not as described comes back as 401, 404 or 422.
#[tokio::test]
async fn requests_are_as_described() {
    let Ok(base) = std::env::var("PASSERELLE_TEST_GITHUB") else {
        eprintln!("skipped: PASSERELLE_TEST_GITHUB is not the base URL of a server with GitHub's description");
        return;
    };
    let config = json!({ "provider": "github", "base_url": base, "token": { "value": "t" } });
    let forge = open(serde_json::from_value(config).unwrap()).unwrap();
    let repository = name("octocat/Hello-World");
    let ground = forge.ground(&repository, &existing(), &parcel(1)).await.unwrap();
    assert!(!ground.created && ground.base.is_some(), "{ground:?}");
    // The example repository is not ours.
    let new = forge.ground(&repository, &Into::New { private: true }, &parcel(1)).await;
    assert!(matches!(&new, Err(TargetError::Refused(why)) if why.to_string().contains("exists already")), "{new:?}");
    // Nor is the example branch; what would be written to one of our own is taken as it is.
    let taken = forge.commit(&repository, &ground, &parcel(1)).await;
    assert!(
        matches!(&taken, Err(TargetError::Refused(why)) if why.to_string().contains("not of this delivery")),
        "{taken:?}"
    );
    let base = ground.base.clone().unwrap();
    let created = Ground { created: true, ..ground.clone() };
    let filled = forge.commit(&repository, &created, &parcel(1)).await.unwrap();
    assert_eq!(filled.commit.len(), 40, "a tree, a commit, and a reference that is moved: {filled:?}");
    let committed = Committed { commit: base.clone(), branch: ground.branch.clone() };
    let proposal = forge.propose(&repository, &ground, &committed, &parcel(1)).await.unwrap();
    assert!(proposal.is_some());
    let made = Made {
        ground: Some(ground.clone()),
        committed: Some(committed.clone()),
        proposal: Some(Proposal { number: 1347, url: String::new() }),
    };
    forge.proposed(&repository, &made).await.unwrap();
    forge.files(&repository, &base, &["file.rb".to_owned()]).await.unwrap();
    // The example pull request is open and merged at once; without it the branch, whose tip the example is, goes.
    forge.withdraw(&repository, &parcel(1), &made).await.unwrap();
    forge
        .withdraw(&repository, &parcel(1), &Made { ground: Some(created), committed: Some(committed), proposal: None })
        .await
        .unwrap();
}
