//! Importing, changing and reading back files; who may.

use crate::support::{Shop, ctx, options, pointers, root};
use passerelle_contract::access::{Role, Scope};
use passerelle_contract::slo::{CorrectionIn, RulesFilter, RulesForm, SloFilter, SloImportOptions, SloPatch};
use passerelle_server::environments::IfMatch;
use passerelle_server::kernel::AppError;
use time::{Duration, OffsetDateTime};

const ANNEX_C: &str = include_str!("../../../demo/systems/fil-rouge/slo-definitions.yaml");
const NOWHERE: &str = "http://127.0.0.1:9";

#[tokio::test(flavor = "multi_thread")]
async fn the_annex_is_imported_and_given_back_byte_for_byte() {
    let shop = Shop::open(NOWHERE).await;
    let ids = shop.import(ANNEX_C).await;
    assert_eq!(ids.len(), 4);
    for id in &ids {
        assert_eq!(shop.portal.slo.slo_source(&root(), *id).await.unwrap(), ANNEX_C);
    }
    let audited = shop.count("SELECT count(*) FROM audit_events WHERE action = 'slo.edit'").await;
    assert_eq!(audited, 4);
    let again = shop.portal.slo.import_slos(&root(), ANNEX_C, &options("shop/web")).await.unwrap();
    assert_eq!((again.created, again.updated, again.unchanged), (0, 0, 4));
    assert_eq!(shop.count("SELECT count(*) FROM audit_events WHERE action = 'slo.edit'").await, 4);
    let out = shop.slo(ids[1]).await;
    assert_eq!((out.objective, out.window.as_str(), out.format.as_str()), (95.0, "7d", "five_line"));
    assert_eq!(out.reads_as["fr"], "95 % des requêtes en moins de 500 ms sur 7 jours");
    let list = shop.portal.slo.list_slos(&root(), &SloFilter::default()).await.unwrap();
    assert_eq!((list.total, list.items.len()), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_implausible_file_changes_nothing_and_says_why() {
    let shop = Shop::open(NOWHERE).await;
    let text = ANNEX_C.replace("target: 0.1 ", "target: 99.9 ");
    let error = shop.portal.slo.import_slos(&root(), &text, &options("shop/web")).await.unwrap_err();
    assert!(
        error.detail().to_string().contains("line 16") && error.detail().to_string().contains("would have to succeed"),
        "{error}"
    );
    assert_eq!(pointers(error), ["/service_level_objectives/2/target"]);
    let dry = SloImportOptions { dry_run: true, ..options("shop/web") };
    assert_eq!(shop.portal.slo.import_slos(&root(), &text, &dry).await.unwrap().errors.len(), 1);
    let would = shop.portal.slo.import_slos(&root(), ANNEX_C, &dry).await.unwrap();
    assert_eq!((would.created, would.slos[0].id), (4, None));
    assert_eq!(shop.count("SELECT count(*) FROM slos").await, 0);
    for (options, pointer) in [
        (SloImportOptions { service: None, ..options("shop/web") }, "/service"),
        (options("shop/none"), "/service"),
        (SloImportOptions { connection: None, ..options("shop/web") }, "/connection"),
        (SloImportOptions { connection: Some("none".to_owned()), ..options("shop/web") }, "/connection"),
        (SloImportOptions { environment: Some("none".to_owned()), ..options("shop/web") }, "/environment"),
    ] {
        let error = shop.portal.slo.import_slos(&root(), ANNEX_C, &options).await.unwrap_err();
        assert_eq!(pointers(error), [pointer]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_scopes_hold_for_every_use_case() {
    let shop = Shop::open(NOWHERE).await;
    let id = shop.import(ANNEX_C).await[0];
    let slo = &shop.portal.slo;
    let viewer = ctx(Role::Viewer, Scope::Everything);
    let other = ctx(Role::Admin, Scope::Team("shop/cooks".to_owned()));
    assert!(slo.get_slo(&viewer, id).await.is_ok());
    assert!(matches!(slo.delete_slo(&viewer, id).await, Err(AppError::Forbidden(_))));
    assert!(matches!(slo.get_slo(&other, id).await, Err(AppError::NotFound(_))));
    assert!(matches!(slo.delete_slo(&other, id).await, Err(AppError::NotFound(_))));
    assert_eq!(slo.list_slos(&other, &SloFilter::default()).await.unwrap().total, 0);
    assert!(!slo.rules(&other, &RulesFilter::default()).await.unwrap().contains("api-gateway"));
    assert!(matches!(slo.import_slos(&viewer, ANNEX_C, &options("shop/web")).await, Err(AppError::Forbidden(_))));
    let operator = ctx(Role::Operator, Scope::Team("shop/sellers".to_owned()));
    let now = OffsetDateTime::now_utc();
    let correction = CorrectionIn {
        from: now - Duration::hours(2),
        to: now - Duration::hours(1),
        reason: "a load test of ours".to_owned(),
    };
    assert!(matches!(slo.add_correction(&operator, id, correction).await, Err(AppError::Forbidden(_))));
    slo.delete_slo(&operator, id).await.unwrap();
    assert_eq!(shop.count("SELECT count(*) FROM slos").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_needs_the_version_that_was_read() {
    let shop = Shop::open(NOWHERE).await;
    let id = shop.import(ANNEX_C).await[0];
    let patch = || SloPatch { min_bad_events: Some(5), ..SloPatch::default() };
    let slo = &shop.portal.slo;
    let stale = IfMatch::new(Some("\"1\""));
    assert!(matches!(slo.patch_slo(&root(), id, patch(), &stale).await, Err(AppError::Conflict(_))));
    slo.patch_slo(&root(), id, patch(), &IfMatch::default()).await.unwrap();
    let two = "service_level_objectives: [{name: A, sli: availability, target: 99, window: 7d}, {name: B, sli: availability, target: 99, window: 7d}]";
    let two = SloPatch { source: Some(two.to_owned()), ..SloPatch::default() };
    assert_eq!(pointers(slo.patch_slo(&root(), id, two, &IfMatch::default()).await.unwrap_err()), ["/source"]);
    let wanted = RulesFilter { form: Some(RulesForm::PrometheusRule), ..RulesFilter::default() };
    let rules = slo.rules(&root(), &wanted).await.unwrap();
    assert!(rules.contains("kind: PrometheusRule") && rules.contains(">= 5"), "{rules}");
    assert!(matches!(
        shop.portal.environments.delete_connection(&root(), "prom").await,
        Err(AppError::Conflict(text)) if text.to_string().contains("SLOs")
    ));
}
