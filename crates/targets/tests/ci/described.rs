//! Every request that is made of GitHub, against a server that refuses what GitHub's description does not have.

use passerelle_targets::{Change, Fence, TargetError, platform};
use serde_json::json;
use uuid::Uuid;

/// The server answers with the description's examples, whatever was asked before: what is seen here is that each request is taken, since
/// one that is not as described comes back as 401, 404 or 422.
#[tokio::test]
async fn requests_are_as_described() {
    let Ok(base) = std::env::var("PASSERELLE_TEST_GITHUB") else {
        eprintln!("skipped: PASSERELLE_TEST_GITHUB is not the base URL of a server with GitHub's description");
        return;
    };
    let config = json!({ "provider": "github", "base_url": base, "token": { "value": "t" } });
    let connection = platform("ci").unwrap().connect(config).await.unwrap();
    assert!(connection.check().await.unwrap().contains("calls left"));
    let binding = json!({ "repository": "octocat/Hello-World", "environment": "staging", "workflow": "deploy.yml", "ref": "topic-branch" });
    let target = connection.bind(binding).unwrap();
    // The example deployment is not ours: nothing is deployed here, and no claim of ours is found after it was made.
    assert_eq!(target.observe().await.unwrap().fence, None);
    let plan = target.plan(&Change::Image { image: "web:1".to_owned(), manifests: None }).await.unwrap();
    assert!(plan.findings.iter().all(|finding| finding.code != "missing_workflow"), "{:?}", plan.findings);
    let fence = Fence { deployment: Uuid::now_v7(), epoch: 1 };
    let applied = target.apply(&Change::Image { image: "web:1".to_owned(), manifests: None }, fence).await;
    assert!(applied.as_ref().is_ok_and(|applied| !applied.unchanged), "{applied:?}");
    let none = target.logs("deploy #1", 5).await;
    assert!(matches!(none, Err(TargetError::Missing(_))), "{none:?}");
}
