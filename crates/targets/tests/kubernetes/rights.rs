//! The shipped role is enough, and no more is asked for.

use crate::cluster::{Cluster, connect, typed};
use crate::connection::address;
use crate::contract::{Image, Peer, new_fence};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::PostParams;
use passerelle_contract::deployments::{Cause, Severity};
use passerelle_targets::{AnyConnection, Change, Fence, Rollout, TargetError};
use serde_json::{Value, json};
use std::time::Duration;

const ROLE: &str = include_str!("../../kubernetes-role.yaml");
const MANIFESTS: &str = include_str!("../../kubernetes-role-manifests.yaml");

async fn grant(cluster: &Cluster, role: &str) {
    let role: Value = serde_yaml_ng::from_str(role).expect("YAML");
    let name = role["metadata"]["name"].clone();
    cluster.api::<Role>().create(&PostParams::default(), &typed(role)).await.expect("role");
    cluster
        .make::<RoleBinding>(json!({"metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "portal", "namespace": cluster.namespace}]}))
        .await;
}

/// With the shipped roles alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shipped_roles_are_enough_for_manifests() {
    let Some(cluster) = Cluster::open("the_shipped_roles_are_enough_for_manifests").await else { return };
    let (server, ca) = address();
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("token"), token(&cluster, "portal").await).expect("write");
    let config = json!({"server": server, "ca": ca, "token": {"file": folder.path().join("token")}});
    let connection = connect(config).await.expect("connect");
    grant(&cluster, ROLE).await;
    grant(&cluster, MANIFESTS).await;
    let limited = Cluster { client: cluster.client.clone(), namespace: cluster.namespace.clone(), connection };
    // The API server takes a moment to learn of new roles.
    let settings = json!({"namespace": cluster.namespace, "deployment": "shop", "manifests": {"path": "deploy"}});
    for _ in 0..50 {
        if limited.connection.bind(settings.clone()).expect("bind").observe().await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    crate::manifests::a_life(&limited).await;
    cluster.close().await;
}

async fn token(cluster: &Cluster, account: &str) -> String {
    cluster.make::<ServiceAccount>(json!({"metadata": {"name": account}})).await;
    let request = TokenRequest {
        spec: TokenRequestSpec { audiences: Vec::new(), expiration_seconds: Some(600), ..TokenRequestSpec::default() },
        ..TokenRequest::default()
    };
    let accounts = cluster.api::<ServiceAccount>();
    let made = accounts.create_token_request(account, &PostParams::default(), &request).await.expect("token");
    made.status.expect("status").token
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shipped_role_is_enough() {
    let Some(cluster) = Cluster::open("the_shipped_role_is_enough").await else { return };
    let admin = cluster.create("rights", Image::First, 1).await;
    let (server, ca) = address();
    let token = token(&cluster, "portal").await;
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("token"), token).expect("write");
    let config = json!({"server": server, "ca": ca, "token": {"file": folder.path().join("token")}});
    let connection = connect(config).await.expect("connect");
    let target = connection.bind(json!({"namespace": cluster.namespace, "deployment": "rights"})).expect("bind");
    let refused = target.observe().await;
    assert!(matches!(refused, Err(TargetError::Forbidden(_))), "without a role: {refused:?}");

    grant(&cluster, ROLE).await;
    let workload = crate::contract::Workload { peer: &cluster, name: "rights".into(), target };
    // The API server takes a moment to learn of a new role.
    for _ in 0..50 {
        if workload.target.observe().await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    workload.complete().await;
    let change = Change::Image { image: "tinyweb:v4".into(), manifests: None };
    let plan = workload.target.plan(&change).await.expect("plan");
    assert!(plan.findings.iter().any(|finding| finding.code == "unchecked_object"), "{:?}", plan.findings);
    assert!(plan.findings.iter().all(|finding| finding.severity != Severity::Error), "{:?}", plan.findings);
    assert!(workload.target.surroundings().await.expect("surroundings").unseen.is_empty());
    let migration = json!({"namespace": cluster.namespace, "deployment": "rights", "migration": {"command": ["/tinyweb", "probe"]}});
    let migrating = connection.bind(migration).expect("bind");
    let plan = migrating.plan_task(&change).await.expect("plan");
    assert!(plan.findings.iter().all(|finding| finding.severity != Severity::Error), "{:?}", plan.findings);
    let fence = new_fence();
    migrating.start_task(&change, fence).await.expect("start");
    migrating.start_task(&change, Fence { epoch: 2, ..fence }).await.expect("take over");
    migrating.look_at_task(fence).await.expect("look");
    migrating.clear_task(fence).await.expect("clear");
    a_canary(&cluster, &*connection).await;
    let fence = new_fence();
    let applied = workload.target.apply(&change, fence).await.expect("apply");
    let (failure, seen) = workload.failed().await;
    assert!(failure.cause == Cause::CrashLoop && !failure.logs.is_empty(), "{failure:?}");
    let instance = seen.instances.iter().find(|instance| instance.updated).expect("an instance");
    assert!(!workload.target.logs(&instance.name, 10).await.expect("logs").is_empty());
    workload.target.apply(&Change::Restore { recorded: applied.before }, fence).await.expect("restore");
    assert_eq!(workload.complete().await.rollout, Rollout::Complete);
    assert_eq!(admin.observe().await.expect("observe").fence, Some(fence));
    cluster.close().await;
}

/// Made by its first step, and taken away on the way back.
async fn a_canary(cluster: &Cluster, connection: &dyn AnyConnection) {
    let settings = json!({"namespace": cluster.namespace, "deployment": "rights", "canary_steps": [50]});
    let target = connection.bind(settings).expect("bind");
    let change = Change::Image { image: "tinyweb:v2".into(), manifests: None };
    let plan = target.plan(&change).await.expect("plan");
    assert!(plan.findings.iter().all(|finding| finding.severity != Severity::Error), "{:?}", plan.findings);
    let fence = new_fence();
    let applied = target.apply(&change, fence).await.expect("apply");
    assert!(target.advance(fence, true).await.expect("advance").is_some());
    let beside = cluster.api::<Deployment>();
    assert!(beside.get_opt("rights-canary").await.expect("get").is_some());
    target.apply(&Change::RestoreVersion { recorded: applied.before }, fence).await.expect("restore");
    assert!(beside.get_opt("rights-canary").await.expect("get").is_none());
}
