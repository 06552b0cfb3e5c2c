//! What is known of a release: its vulnerabilities, its name, where it was healthy.

use super::{begins, gate, production, staged, to_production};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_fixable_vulnerability_blocks_until_it_is_waived() {
    let test = production(0).await;
    let release = json!({ "service": "shop/web", "version": "2.0.0", "image": "tinyweb:v2" });
    let id = test.post("/releases", &release).await.body["id"].as_str().unwrap().to_owned();
    staged(&test, "tinyweb:v2").await;
    let path = format!("/releases/{id}/vulnerabilities");
    assert_eq!(test.get(&path).await.status, StatusCode::NOT_FOUND);
    let decision = "/gates/decision?service=shop/web&environment=production&version=2.0.0";
    assert_eq!(test.get(decision).await.body["decision"], "warn", "there is no report, and none is required");

    let found = json!({ "VulnerabilityID": "CVE-2024-1", "PkgName": "openssl", "InstalledVersion": "3.0.1",
        "FixedVersion": "3.0.2", "Severity": "HIGH" });
    let report =
        json!({ "SchemaVersion": 2, "ArtifactName": "tinyweb:v2", "Results": [{ "Vulnerabilities": [found] }] });
    let sent = test.put(&path, &report).await;
    assert_eq!((sent.status, &sent.body["scan"]["high"]), (StatusCode::OK, &json!(1)), "{}", sent.body);
    assert_eq!(test.put(&path, &json!({ "hello": 1 })).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let asked = test.get(decision).await.body;
    assert_eq!(asked["decision"], "block", "{asked}");
    assert!(asked["reasons"][0].as_str().unwrap().contains("CVE-2024-1 (openssl 3.0.1 → 3.0.2)"), "{asked}");
    let mut wanted = to_production("x");
    wanted.as_object_mut().unwrap().remove("image");
    wanted["version"] = json!("2.0.0");
    let blocked = test.post("/deployments", &wanted).await;
    assert_eq!(blocked.body["state"], "blocked", "{}", blocked.body);
    assert!(!blocked.body["ended_at"].is_null());

    let far = json!({ "service": "shop/web", "vulnerability": "CVE-2024-1", "reason": "not reachable from outside",
        "expires_at": "2099-01-01T00:00:00Z" });
    assert_eq!(test.post("/waivers", &far).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mut waiver = far;
    let soon = time::OffsetDateTime::now_utc() + time::Duration::days(7);
    waiver["expires_at"] = json!(soon.format(&time::format_description::well_known::Rfc3339).unwrap());
    let made = test.post("/waivers", &waiver).await;
    assert_eq!((made.status, &made.body["active"]), (StatusCode::CREATED, &json!(true)), "{}", made.body);
    assert_eq!(test.get(decision).await.body["decision"], "allow");
    let goes = test.post("/deployments", &wanted).await;
    assert!(begins(&goes.body), "{}", goes.body);
    assert_eq!(test.ended(goes.body["id"].as_str().unwrap()).await["state"], "succeeded");

    let waiver = made.body["id"].as_str().unwrap();
    let revoked = test.call(Method::DELETE, &format!("/waivers/{waiver}"), &test.admin, None).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert_eq!(test.get(decision).await.body["decision"], "block");
    assert_eq!(test.get("/audit?action=release.scan").await.body["total"], 1);
}

/// The gates ask about the artifact, however its image is written.
#[tokio::test(flavor = "multi_thread")]
async fn another_spelling_of_an_image_opens_no_gate() {
    let test = production(0).await;
    let digest = format!("sha256:{}", "ab".repeat(32));
    let pinned = format!("ghcr.example/acme/web:2.0@{digest}");
    let release = json!({ "service": "shop/web", "version": "2.0.0", "image": pinned });
    let id = test.post("/releases", &release).await.body["id"].as_str().unwrap().to_owned();
    let found = json!({ "VulnerabilityID": "CVE-2024-1", "PkgName": "openssl", "InstalledVersion": "3.0.1",
        "FixedVersion": "3.0.2", "Severity": "HIGH" });
    let report = json!({ "SchemaVersion": 2, "ArtifactName": pinned, "Results": [{ "Vulnerabilities": [found] }] });
    let sent = test.put(&format!("/releases/{id}/vulnerabilities"), &report).await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.body);
    let spellings = [
        pinned.clone(),
        format!("ghcr.example/acme/web@{digest}"),
        format!("mirror.example/web:latest@{digest}"),
        "ghcr.example/acme/web:2.0".to_owned(),
    ];
    for image in spellings {
        let asked = test.post("/deployments", &to_production(&image)).await;
        assert_eq!((&asked.body["state"], &asked.body["version"]), (&json!("blocked"), &json!("2.0.0")), "{image}");
        assert_eq!(gate(&asked.body, "vulnerability")["verdict"], "block", "{image}: {}", asked.body);
    }
    // What ran under a bare tag is not known to be this digest.
    staged(&test, "tinyweb:v2").await;
    let other = test.post("/deployments", &to_production(&format!("tinyweb:v2@{digest}"))).await;
    assert_eq!(gate(&other.body, "promotion_order")["facts"]["code"], "promotion_never_ran", "{}", other.body);
    assert!(begins(&test.post("/deployments", &to_production("tinyweb:v2")).await.body));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_healthy_before_does_not_come_to_production() {
    let test = production(0).await;
    let skipped = test.post("/deployments", &to_production("tinyweb:v2")).await;
    assert_eq!(skipped.body["state"], "blocked", "{}", skipped.body);
    let never = gate(&skipped.body, "promotion_order");
    assert_eq!(never["facts"]["code"], "promotion_never_ran");
    assert!(never["reason"].as_str().unwrap().starts_with("v2 has not been healthy in staging"), "{never}");
    let crashed = test.ended(&test.deploy("tinyweb:v4").await).await;
    assert_eq!(crashed["state"], "rolled_back");
    assert_eq!(test.post("/deployments", &to_production("tinyweb:v4")).await.body["state"], "blocked");
    staged(&test, "tinyweb:v2").await;
    let goes = test.post("/deployments", &to_production("tinyweb:v2")).await;
    assert!(begins(&goes.body), "{}", goes.body);
    test.ended(goes.body["id"].as_str().unwrap()).await;
    let denied = test.get("/audit?outcome=denied&action=deployment.create").await;
    assert_eq!(denied.body["total"], 2, "{}", denied.body);
}
