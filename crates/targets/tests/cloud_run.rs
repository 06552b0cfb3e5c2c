//! Cloud Run against a peer that checks each request by Google's discovery documents.
//!
//! Runs when `PASSERELLE_TEST_CLOUD_RUN` is its base URL. There an image whose name contains `broken` never becomes ready, and one
//! with `no-such-image` is not found.

#![expect(clippy::unwrap_used, reason = "tests")]

use futures::StreamExt as _;
use passerelle_contract::deployments::{Cause, Health};
use passerelle_targets::{Change, Fence, Observation, Rollout, Target, TargetError};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

async fn settled(target: &Arc<dyn Target>) -> Observation {
    let mut watch = target.watch();
    let follow = async {
        loop {
            let seen = watch.next().await.unwrap().unwrap();
            if seen.rollout != Rollout::Progressing {
                return seen;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), follow).await.expect("settled in time")
}

fn image(name: &str) -> Change {
    Change::Image { image: format!("example.test/team/{name}") }
}

fn fence() -> Fence {
    Fence { deployment: Uuid::now_v7(), epoch: 1 }
}

async fn service(base: &str) -> Arc<dyn Target> {
    let name = format!("web-{}", &Uuid::new_v4().simple().to_string()[..8]);
    let url = format!("{base}/v2/projects/demo/locations/europe-west1/services?serviceId={name}");
    let body = json!({ "template": { "containers": [{ "image": "example.test/team/web:1", "env": [{ "name": "TTL", "value": "5" }] }] } });
    let answer = reqwest::Client::new().post(url).bearer_auth("t").json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    let key = include_str!("fixtures/service-account.pem");
    let account = json!({ "type": "service_account", "client_email": "portal@demo.iam", "private_key": key,
        "token_uri": format!("{base}/token") });
    // Without a token of its own: one is fetched for the account's key.
    let config = json!({ "project": "demo", "region": "europe-west1", "endpoint": base,
        "credentials": { "value": account.to_string() } });
    let connection = passerelle_targets::platform("cloud_run").unwrap().connect(config).await.unwrap();
    assert!(connection.check().await.unwrap().contains("europe-west1"));
    connection.bind(json!({ "service": name })).unwrap()
}

#[tokio::test]
async fn deploys_fail_with_a_cause_and_go_back() {
    let Ok(base) = std::env::var("PASSERELLE_TEST_CLOUD_RUN") else {
        eprintln!("skipped: PASSERELLE_TEST_CLOUD_RUN is not the base URL of a Cloud Run API");
        return;
    };
    drop(rustls::crypto::ring::default_provider().install_default());
    let target = service(&base).await;
    let first = settled(&target).await;
    assert_eq!((first.rollout.clone(), first.health), (Rollout::Complete, Health::Healthy));

    let second = Fence { epoch: 2, ..fence() };
    assert!(!target.apply(&image("web:2"), second).await.unwrap().unchanged);
    assert!(target.apply(&image("web:2"), second).await.unwrap().unchanged);
    let stale = target.apply(&image("web:1"), Fence { epoch: 1, ..second }).await;
    assert!(matches!(stale, Err(TargetError::Fenced(_))), "{stale:?}");
    let done = settled(&target).await;
    assert_eq!(
        (done.image.as_str(), done.rollout, done.fence),
        ("example.test/team/web:2", Rollout::Complete, Some(second))
    );

    for (name, expected) in [("broken:1", Cause::Probe), ("no-such-image:1", Cause::ImagePull)] {
        let next = fence();
        let applied = target.apply(&image(name), next).await.unwrap();
        let seen = settled(&target).await;
        let Rollout::Failed { failure } = &seen.rollout else { panic!("{:?}", seen.rollout) };
        assert_eq!((failure.cause, seen.health), (expected, Health::Degraded), "{failure:?}");
        assert_eq!(seen.image, "example.test/team/web:2", "the earlier revision serves on");
        target.apply(&Change::Restore { recorded: applied.before }, next).await.unwrap();
        let back = settled(&target).await;
        assert_eq!((back.rollout, back.image.as_str()), (Rollout::Complete, "example.test/team/web:2"));
    }

    let first_again = Change::Restore { recorded: first.recorded };
    target.apply(&first_again, fence()).await.unwrap();
    assert_eq!(settled(&target).await.image, "example.test/team/web:1");
    target.apply(&Change::Restart, fence()).await.unwrap();
    assert_eq!(settled(&target).await.rollout, Rollout::Complete);
    assert!(matches!(target.apply(&Change::Scale { replicas: 3 }, fence()).await, Err(TargetError::Refused(_))));
}
