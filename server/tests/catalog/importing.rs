use crate::support::{EntitiesOnly, Portal, admin, component, ctx, viewer};
use passerelle_contract::access::{Role, Scope};
use passerelle_contract::catalog::ServiceFilter;
use passerelle_server::catalog::{ImportOptions, Upload};
use passerelle_server::kernel::{AppError, Ctx, Via};

fn options(source: &str, prune: bool, dry_run: bool) -> ImportOptions {
    ImportOptions { source: source.to_owned(), prune, dry_run }
}

#[tokio::test]
async fn importing_twice_changes_nothing_and_a_changed_field_is_named() {
    let portal = Portal::new().await;
    let text = format!("{}{}", component("web", "  dependsOn: [resource:db, component:api]\n"), component("api", ""));
    let first = portal.import(&text).await;
    assert_eq!((first.created, first.updated, first.unchanged, first.errors_total), (2, 0, 0, 0));
    let rows = "SELECT sum(revision)::bigint + count(*) FROM entities";
    let before = (portal.count(rows).await, portal.count("SELECT count(*) FROM relations").await);
    assert_eq!(before.1, 6, "two owners, two systems, two dependencies");
    let second = portal.import(&text).await;
    assert_eq!((second.created, second.updated, second.unchanged), (0, 0, 2));
    assert!(second.changes.is_empty());
    assert_eq!((portal.count(rows).await, portal.count("SELECT count(*) FROM relations").await), before);

    let id = portal.catalog.find_service("shop/web").unwrap().id;
    let changed = text.replace("The web", "The shop window").replace("resource:db, ", "");
    let third = portal.import(&changed).await;
    assert_eq!((third.updated, third.unchanged), (1, 1));
    assert_eq!(third.changes[0].fields, ["/metadata/title", "/spec/dependsOn"]);
    assert_eq!(portal.catalog.find_service("shop/web").unwrap().id, id, "the id stays");
    assert_eq!(portal.count("SELECT count(*) FROM relations").await, 5);
    assert_eq!(
        portal.count("SELECT count(*) FROM audit_events WHERE action = 'catalog.import' AND outcome = 'success'").await,
        3
    );
}

#[tokio::test]
async fn a_dry_run_says_all_and_writes_nothing() {
    let portal = Portal::new().await;
    portal.import(&component("web", "")).await;
    let text = format!("{}{}---\nkind: [\n", component("web", "  x: 1\n"), component("new", ""));
    let dry = portal.import_as(&admin(), &text, &options("upload", false, true)).await;
    assert!(dry.dry_run);
    assert_eq!((dry.created, dry.updated, dry.errors_total), (1, 1, 1));
    assert_eq!(portal.count("SELECT count(*) FROM entities").await, 1);
    assert_eq!(portal.catalog.snapshot().service_count(), 1);
    let real = portal.import(&text).await;
    assert_eq!((real.created, real.updated, real.errors_total), (dry.created, dry.updated, dry.errors_total));
    assert_eq!(real.changes, dry.changes);
}

#[tokio::test]
async fn what_is_gone_from_its_source_is_archived_only_when_asked_and_comes_back_with_its_id() {
    let portal = Portal::new().await;
    let (web, api) = (component("web", ""), component("api", ""));
    portal.import_as(&admin(), &format!("{web}{api}"), &options("shop", false, false)).await;
    portal.import_as(&admin(), &component("other", ""), &options("bank", false, false)).await;
    let id = portal.catalog.find_service("shop/api").unwrap().id;
    assert_eq!(portal.import_as(&admin(), &web, &options("shop", false, false)).await.archived, 0);
    let broken = portal.import_as(&admin(), &format!("{web}---\nkind: [\n"), &options("shop", true, false)).await;
    assert_eq!((broken.archived, broken.warnings.len()), (0, 1), "what could not be read is not gone");
    let pruned = portal.import_as(&admin(), &web, &options("shop", true, false)).await;
    assert_eq!((pruned.archived, pruned.changes[0].change.as_str()), (1, "archived"));
    assert!(portal.catalog.find_service("shop/api").is_none());
    assert!(portal.catalog.find_service("shop/other").is_some(), "another source");
    let back = portal.import_as(&admin(), &format!("{web}{api}"), &options("shop", true, false)).await;
    assert_eq!((back.created, back.unchanged), (1, 1));
    assert_eq!(portal.catalog.find_service("shop/api").unwrap().id, id);
}

#[tokio::test]
async fn another_process_follows_and_a_restart_reads_the_same() {
    let portal = Portal::new().await;
    let replica = portal.replica().await;
    portal.import(&format!("{}{}", component("web", "  dependsOn: [component:api]\n"), component("api", ""))).await;
    assert_eq!(replica.snapshot().service_count(), 0);
    replica.refresh().await.unwrap();
    let relations = |catalog: &passerelle_server::catalog::CatalogService| {
        catalog.relations(&viewer(), "component:shop/api").unwrap()
    };
    assert_eq!(relations(&replica), relations(&portal.catalog));
    let restarted = portal.replica().await;
    let list = |catalog: &passerelle_server::catalog::CatalogService| {
        catalog.list_services(&viewer(), &ServiceFilter::default()).unwrap()
    };
    assert_eq!(list(&restarted), list(&portal.catalog));
    assert_eq!(list(&restarted).total, 2);
}

#[tokio::test]
async fn parallel_imports_lose_nothing_for_those_who_follow() {
    let portal = Portal::new().await;
    let replica = portal.replica().await;
    let imports = (0..8).map(|i| {
        let catalog = portal.catalog.clone();
        tokio::spawn(async move {
            let text: String = (0..20).map(|j| component(&format!("s{i}-{j}"), "")).collect();
            catalog
                .import_catalog(
                    &admin(),
                    Upload::from_stream(text.as_bytes()).unwrap(),
                    &ImportOptions::default(),
                    &EntitiesOnly,
                )
                .await
                .unwrap()
        })
    });
    let imports: Vec<_> = imports.collect();
    for _ in 0..10 {
        replica.refresh().await.unwrap();
    }
    for import in imports {
        assert_eq!(import.await.unwrap().created, 20);
    }
    replica.refresh().await.unwrap();
    assert_eq!((replica.snapshot().service_count(), portal.catalog.snapshot().service_count()), (160, 160));
}

#[tokio::test]
async fn only_admins_import_and_the_attempt_is_written_down() {
    let portal = Portal::new().await;
    let upload = || Upload::from_stream(component("web", "").as_bytes()).unwrap();
    for ctx in
        [viewer(), ctx(Role::Operator, Scope::Everything), ctx(Role::Admin, Scope::System("shop/till".to_owned()))]
    {
        let refused = portal.catalog.import_catalog(&ctx, upload(), &ImportOptions::default(), &EntitiesOnly).await;
        assert!(matches!(refused, Err(AppError::Forbidden(_))));
    }
    let nobody = Ctx::anonymous(Via::Api, "x".to_owned());
    let refused = portal.catalog.import_catalog(&nobody, upload(), &ImportOptions::default(), &EntitiesOnly).await;
    assert!(matches!(refused, Err(AppError::Unauthenticated)));
    assert!(matches!(portal.catalog.list_services(&nobody, &ServiceFilter::default()), Err(AppError::Unauthenticated)));
    // Nobody leaves no row: whoever has no credential could fill what nobody can empty.
    assert_eq!(portal.count("SELECT count(*) FROM audit_events WHERE outcome = 'denied'").await, 3);
    assert_eq!(portal.count("SELECT count(*) FROM entities").await, 0);
}

#[tokio::test]
async fn a_cycle_over_two_imports_is_refused_and_odd_texts_are_stored_as_they_are() {
    let portal = Portal::new().await;
    portal.import(&component("a", "  subcomponentOf: b\n")).await;
    let report = portal.import(&component("b", "  subcomponentOf: a\n")).await;
    assert_eq!((report.created, report.errors[0].pointer.as_str()), (0, "/spec/subcomponentOf"));
    let odd = component(
        "odd",
        "  big: 1e308\n  text: \"\\u0001 \\\\u0000 ' ; DROP TABLE entities; --\"\n  zeta: {b: 1, a: 2}\n",
    );
    assert_eq!(portal.import(&odd).await.created, 1);
    let entity = portal.catalog.get_service(&viewer(), "shop", "odd").await.unwrap();
    assert_eq!(entity.document["spec"]["text"], "\u{1} \\u0000 ' ; DROP TABLE entities; --");
    let keys: Vec<&String> = entity.document["spec"]["zeta"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["b", "a"], "fields keep their order");
    assert_eq!((entity.source.as_str(), entity.source_line), ("catalog-info.yaml", 2));
}
