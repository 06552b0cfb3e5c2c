//! The use cases.

use crate::support::{Portal, admin, binding, connection, ctx, environment, pointers, server};
use passerelle_contract::access::{Role, Scope};
use passerelle_contract::deployments::ReasonIn;
use passerelle_contract::environments::{BindingFilter, BindingPatch, ConnectionPatch, EnvironmentPatch, Tier};
use passerelle_server::catalog::ServiceRef;
use passerelle_server::environments::{Change, Etag, IfMatch};
use passerelle_server::kernel::AppError;
use serde_json::json;

#[tokio::test]
async fn environments_are_created_changed_and_listed_in_their_order() {
    let portal = Portal::new().await;
    let service = &portal.service;
    let production =
        service.create_environment(&admin(), environment("production", Tier::Production, 2)).await.unwrap();
    assert_eq!((production.auto_rollback, production.progress_deadline_s), (true, 300));
    service.create_environment(&admin(), environment("staging", Tier::Staging, 1)).await.unwrap();
    let again = service.create_environment(&admin(), environment("staging", Tier::Staging, 1)).await;
    assert!(matches!(again, Err(AppError::AlreadyExists(_))));
    let names = |list: Vec<_>| list.into_iter().map(|one: passerelle_contract::environments::EnvironmentOut| one.name);
    let viewer = ctx(Role::Viewer, Scope::Team("default/red".to_owned()));
    assert!(names(service.list_environments(&viewer).await.unwrap()).eq(["staging", "production"]));

    let patch = EnvironmentPatch { order: Some(3), ..EnvironmentPatch::default() };
    let stale = IfMatch::new(Some(&production.etag()));
    service.patch_environment_if(&admin(), "production", patch.clone(), &stale).await.unwrap();
    let rows = portal.audit_rows().await;
    service.patch_environment(&admin(), "production", patch).await.unwrap();
    assert_eq!(portal.audit_rows().await, rows, "nothing changed, so nothing is written");
    let late = EnvironmentPatch { order: Some(4), ..EnvironmentPatch::default() };
    let refused = service.patch_environment_if(&admin(), "production", late, &stale).await;
    assert!(matches!(refused, Err(AppError::Conflict(_))));
}

#[tokio::test]
async fn an_admin_of_staging_makes_no_production() {
    let portal = Portal::furnished().await;
    let staging = ctx(Role::Admin, Scope::Tier("staging".to_owned()));
    let to = |tier| EnvironmentPatch { tier: Some(tier), ..EnvironmentPatch::default() };
    for (name, tier) in [("staging", Tier::Production), ("production", Tier::Staging)] {
        let refused = portal.service.patch_environment(&staging, name, to(tier)).await;
        assert!(matches!(refused, Err(AppError::Forbidden(_))), "{name}");
    }
    assert_eq!(portal.count("SELECT count(*) FROM audit_events WHERE outcome = 'denied'").await, 2);
    let new = environment("qa", Tier::Staging, 3);
    assert_eq!(portal.service.apply_environment(&staging, new, false).await.unwrap(), Change::Created);
}

#[tokio::test]
async fn secrets_are_stored_sealed_kept_by_edits_and_never_shown() {
    let portal = Portal::furnished().await;
    let service = &portal.service;
    let shown = service.get_connection(&admin(), "c1").await.unwrap();
    assert_eq!(shown.config["token"], json!({"set": true}));
    let mut edited = shown.config.clone();
    edited["simulated"] = json!(true);
    let patch = ConnectionPatch { config: Some(edited.clone()) };
    let out = service.patch_connection(&admin(), "c1", patch.clone()).await.unwrap();
    assert!(out.simulated && out.updated_at > shown.updated_at);
    let rows = portal.audit_rows().await;
    service.patch_connection(&admin(), "c1", patch).await.unwrap();
    assert_eq!(portal.audit_rows().await, rows);

    edited["server"] = json!("https://elsewhere.test");
    let moved = service.patch_connection(&admin(), "c1", ConnectionPatch { config: Some(edited) }).await;
    assert_eq!(pointers(moved.unwrap_err()), ["/config/token"]);
    for text in portal.texts("SELECT config::text FROM connections").await {
        assert!(text.contains("sealed") && !text.contains("t0k3n"), "{text}");
    }
    let audit = portal.texts("SELECT coalesce(before::text, '') || coalesce(after::text, '') FROM audit_events").await;
    assert!(audit.iter().any(|text| text.contains("\"set\":true")));
    assert!(audit.iter().all(|text| !text.contains("t0k3n") && !text.contains("sealed")));
}

#[tokio::test]
async fn a_connection_is_checked_before_it_is_stored() {
    let portal = Portal::furnished().await;
    let service = &portal.service;
    let mut unknown = connection("c2", json!({}));
    unknown.kind = "nomad".to_owned();
    assert_eq!(pointers(service.create_connection(&admin(), unknown).await.unwrap_err()), ["/kind"]);
    for (config, pointer) in [
        (json!({"server": "https://a.test", "token": {"set": true}}), "/config/token"),
        (json!({"server": "https://a.test", "token": {"sealed": "v1:x"}}), "/config/token"),
        (json!({"kubeconfig": {"file": "/a\u{0}b"}}), "/config/kubeconfig/file"),
        (json!("text"), "/config"),
    ] {
        let error = service.create_connection(&admin(), connection("c2", config)).await.unwrap_err();
        assert!(pointers(error)[0].starts_with(pointer), "{pointer}");
    }
    let developer = ctx(Role::Developer, Scope::Everything);
    let refused = service.create_connection(&developer, connection("c2", server("x"))).await;
    assert!(matches!(refused, Err(AppError::Forbidden(_))));
    assert_eq!(portal.count("SELECT count(*) FROM connections").await, 1);
}

#[tokio::test]
async fn importing_twice_changes_nothing_and_writes_no_audit() {
    let portal = Portal::furnished().await;
    let service = &portal.service;
    assert_eq!(
        service.apply_binding(&admin(), binding("shop/web", "staging", "web"), false).await.unwrap(),
        Change::Created
    );
    let rows = portal.audit_rows().await;
    let same = [
        service.apply_environment(&admin(), environment("staging", Tier::Staging, 1), false).await.unwrap(),
        service.apply_connection(&admin(), connection("c1", server("t0k3n")), false).await.unwrap(),
        service.apply_binding(&admin(), binding("shop/web", "staging", "web"), false).await.unwrap(),
    ];
    assert_eq!((same, portal.audit_rows().await), ([Change::Unchanged; 3], rows));
    let changed = [
        service.apply_environment(&admin(), environment("staging", Tier::Staging, 5), false).await.unwrap(),
        service.apply_connection(&admin(), connection("c1", server("other")), false).await.unwrap(),
        service.apply_binding(&admin(), binding("shop/web", "staging", "web2"), false).await.unwrap(),
    ];
    assert_eq!((changed, portal.audit_rows().await), ([Change::Updated; 3], rows + 3));
}

#[tokio::test]
async fn one_object_belongs_to_one_binding() {
    let portal = Portal::furnished().await;
    let service = &portal.service;
    let web = service.create_binding(&admin(), binding("shop/web", "staging", "web")).await.unwrap();
    let again = service.create_binding(&admin(), binding("shop/web", "staging", "other")).await;
    assert!(matches!(again, Err(AppError::AlreadyExists(_))));
    let mut other = binding("shop/api", "staging", "web");
    other.config["container"] = json!("sidecar");
    let taken = service.create_binding(&admin(), other).await.unwrap_err();
    assert!(taken.to_string().contains("shop/web in staging"), "{taken}");
    let api = service.create_binding(&admin(), binding("shop/api", "staging", "api")).await.unwrap();
    let patch = BindingPatch { config: Some(web.config.clone()), ..BindingPatch::default() };
    assert!(matches!(service.patch_binding(&admin(), api.id, patch).await, Err(AppError::Conflict(_))));

    let held = service.delete_connection(&admin(), "c1").await.unwrap_err();
    assert!(held.to_string().contains("shop/api, shop/web"), "{held}");
    service.delete_binding(&admin(), web.id).await.unwrap();
    service.delete_binding(&admin(), api.id).await.unwrap();
    service.delete_connection(&admin(), "c1").await.unwrap();
    assert!(matches!(service.get_connection(&admin(), "c1").await, Err(AppError::NotFound(_))));
}

#[tokio::test]
async fn a_binding_names_the_field_that_is_wrong() {
    let portal = Portal::furnished().await;
    let good = || binding("shop/web", "staging", "web");
    let mut cases = vec![(good(), "/service"), (good(), "/environment"), (good(), "/connection"), (good(), "/kind")];
    cases.push((good(), "/config/namespace"));
    cases[0].0.service = "shop/none".to_owned();
    cases[1].0.environment = "qa".to_owned();
    cases[2].0.connection = "c9".to_owned();
    cases[3].0.kind = "docker_swarm".to_owned();
    cases[4].0.config["namespace"] = json!("Not A Name");
    for (body, pointer) in cases {
        let error = portal.service.create_binding(&admin(), body).await.unwrap_err();
        assert_eq!(pointers(error), [pointer]);
    }
}

#[tokio::test]
async fn bindings_are_seen_and_edited_within_a_role_only() {
    let portal = Portal::furnished().await;
    let service = &portal.service;
    let web = service.create_binding(&admin(), binding("shop/web", "staging", "web")).await.unwrap();
    let api = service.create_binding(&admin(), binding("shop/api", "production", "api")).await.unwrap();
    let red = ctx(Role::Admin, Scope::Team("default/red".to_owned()));
    let seen = service.list_bindings(&red, None).await.unwrap();
    assert_eq!(seen.iter().map(|one| one.id).collect::<Vec<_>>(), [web.id]);
    assert!(matches!(service.get_binding(&red, api.id).await, Err(AppError::NotFound(_))));
    assert!(matches!(service.delete_binding(&red, api.id).await, Err(AppError::NotFound(_))));
    assert!(matches!(service.list_bindings(&red, Some("shop/api")).await, Err(AppError::NotFound(_))));
    for key in ["shop/api", "shop/none"] {
        let refused = service.create_binding(&red, binding(key, "staging", "x")).await;
        assert!(matches!(refused, Err(AppError::NotFound(_))), "{key}");
    }
    let staging = ctx(Role::Viewer, Scope::Tier("staging".to_owned()));
    assert_eq!(service.list_bindings(&staging, None).await.unwrap().len(), 1);

    let first = BindingFilter { limit: Some(1), ..BindingFilter::default() };
    let page = service.page_bindings(&admin(), &first).await.unwrap();
    assert_eq!((page.items[0].id, page.total), (api.id, 2));
    let second = BindingFilter { cursor: page.next_cursor, ..first };
    let page = service.page_bindings(&admin(), &second).await.unwrap();
    assert_eq!((page.items[0].id, page.next_cursor), (web.id, None));
}

#[tokio::test]
async fn a_hold_needs_a_reason_and_is_lifted_once() {
    let portal = Portal::furnished().await;
    let service = &portal.service;
    service.create_binding(&admin(), binding("shop/web", "production", "web")).await.unwrap();
    let because = |reason: &str| ReasonIn { reason: Some(reason.to_owned()) };
    let missing = service.hold(&admin(), "shop/web", "production", ReasonIn::default()).await.unwrap_err();
    assert_eq!(pointers(missing), ["/reason"]);
    let developer = ctx(Role::Developer, Scope::Everything);
    let refused = service.hold(&developer, "shop/web", "production", because("stop")).await;
    assert!(matches!(refused, Err(AppError::Forbidden(_))), "production asks for an operator");
    let out = service.hold(&admin(), "shop/web", "production", because("looking into it")).await.unwrap();
    assert_eq!(out.hold.unwrap().by, "ann");
    let twice = service.hold(&admin(), "shop/web", "production", because("again")).await;
    assert!(matches!(twice, Err(AppError::Conflict(_))));
    let out = service.resume(&admin(), "shop/web", "production", ReasonIn::default()).await.unwrap();
    assert_eq!(out.hold, None);
    assert!(matches!(
        service.resume(&admin(), "shop/web", "production", ReasonIn::default()).await,
        Err(AppError::Conflict(_))
    ));
}

#[tokio::test]
async fn the_engine_finds_bindings_and_a_dead_connection_is_an_answer() {
    let portal = Portal::furnished().await;
    let service = &portal.service;
    let web = service.create_binding(&admin(), binding("shop/web", "staging", "web")).await.unwrap();
    service.create_binding(&admin(), binding("shop/api", "staging", "api")).await.unwrap();
    let row = service.binding_by_id(web.id).await.unwrap().unwrap();
    let of = ServiceRef { id: row.service_id, title: None, scope: row.service_scope.clone() };
    assert_eq!(service.binding_for(&of, &row.environment).await.unwrap(), Some(row.clone()));
    assert_eq!((row.service_scope.team.as_deref(), row.connection.as_str()), (Some("default/red"), "c1"));
    let first = service.all_bindings(None, 1).await.unwrap();
    assert_eq!(first, [row]);
    assert_eq!(service.all_bindings(Some(first[0].id), 10).await.unwrap().len(), 1);
    let check = service.check_connection(&admin(), "c1").await.unwrap();
    assert!(!check.reachable && !check.message.is_empty() && !check.message.contains("t0k3n"), "{check:?}");
}
