use super::{CatalogIndex, Position, Row, ServiceQuery};
use crate::catalog::relations::RelationKind;
use crate::kernel::ReadScope;
use passerelle_contract::catalog::{ServiceFilter, ServiceOut, ServiceSort};
use passerelle_contract::deployments::Health;
use passerelle_contract::paging::Page;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

fn row(kind: &str, namespace: &str, name: &str) -> Row {
    Row {
        id: Uuid::now_v7(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        title: None,
        description: None,
        entity_type: None,
        lifecycle: None,
        owner: None,
        system: None,
        tags: Vec::new(),
        updated_at: OffsetDateTime::UNIX_EPOCH,
        revision: 1,
        archived: false,
        relations: Vec::new(),
    }
}

/// 200 services over 4 systems and 5 teams, with tags and descriptions.
fn services() -> Vec<Row> {
    (0..200)
        .map(|i| {
            let mut row = row("Component", if i % 2 == 0 { "shop" } else { "bank" }, &format!("svc-{i:03}"));
            row.system = (i % 7 != 0).then(|| format!("shop/system-{}", i % 4));
            row.owner = (i % 11 != 0).then(|| format!("default/team-{}", i % 5));
            row.entity_type = Some(if i % 3 == 0 { "website" } else { "service" }.to_owned());
            row.lifecycle = Some("production".to_owned());
            row.tags = vec![format!("tag-{}", i % 6), "all".to_owned()];
            row.description = Some(format!("Évalue les commandes, lot {}", i % 10));
            row.updated_at = OffsetDateTime::UNIX_EPOCH + Duration::minutes((i * 37) % 200);
            row
        })
        .collect()
}

fn index(rows: &[Row]) -> CatalogIndex {
    let index = CatalogIndex::default();
    index.ingest(rows);
    index.publish(1);
    index
}

fn query(filter: &ServiceFilter) -> ServiceQuery {
    ServiceQuery::new(filter, &ReadScope::All).unwrap()
}

fn keys(index: &CatalogIndex, query: &ServiceQuery) -> Vec<String> {
    let snapshot = index.snapshot();
    let (mut keys, mut after): (Vec<String>, Option<Position>) = (Vec::new(), None);
    loop {
        let page = snapshot.page(query, after.as_ref(), 7);
        keys.extend(snapshot.page_items(&page).into_iter().map(|service| service.key));
        match page.next {
            Some(next) => after = Some(next),
            None => {
                assert_eq!(keys.len(), page.total);
                return keys;
            }
        }
    }
}

#[test]
fn every_filter_and_order_is_what_a_plain_scan_says() {
    let rows = services();
    let index = index(&rows);
    let filters = [
        ServiceFilter::default(),
        ServiceFilter { system: Some("shop/system-1".into()), ..ServiceFilter::default() },
        ServiceFilter {
            system: Some("system-1,system-2".into()),
            team: Some("default/team-3".into()),
            ..ServiceFilter::default()
        },
        ServiceFilter { kind: Some("website".into()), tag: Some("tag-3".into()), ..ServiceFilter::default() },
        ServiceFilter { q: Some("EVALUE vc-01".into()), ..ServiceFilter::default() },
        ServiceFilter {
            q: Some("commandes lot".into()),
            lifecycle: Some("production".into()),
            ..ServiceFilter::default()
        },
        ServiceFilter { q: Some("nowhere".into()), ..ServiceFilter::default() },
        ServiceFilter { tag: Some("absent".into()), ..ServiceFilter::default() },
    ];
    let sorts =
        [ServiceSort::Name, ServiceSort::NameDesc, ServiceSort::System, ServiceSort::Owner, ServiceSort::Updated];
    for filter in &filters {
        for sort in sorts {
            let filter = ServiceFilter { sort: Some(sort), ..filter.clone() };
            let mut expected: Vec<&Row> = rows.iter().filter(|row| scan(row, &filter)).collect();
            expected.sort_by_key(|row| format!("{}/{}", row.namespace, row.name));
            match sort {
                ServiceSort::Name => {}
                ServiceSort::NameDesc => expected.reverse(),
                ServiceSort::System => expected.sort_by_key(|row| (row.system.is_none(), row.system.clone())),
                ServiceSort::Owner => expected.sort_by_key(|row| (row.owner.is_none(), row.owner.clone())),
                ServiceSort::Updated => expected.sort_by_key(|row| std::cmp::Reverse(row.updated_at)),
            }
            let expected: Vec<String> =
                expected.into_iter().map(|row| format!("{}/{}", row.namespace, row.name)).collect();
            // Twice: worked out, and from the cache.
            assert_eq!(keys(&index, &query(&filter)), expected, "{filter:?}");
            assert_eq!(keys(&index, &query(&filter)), expected, "{filter:?}");
        }
    }
}

fn scan(row: &Row, filter: &ServiceFilter) -> bool {
    let one_of = |wanted: &Option<String>, has: &[&str]| {
        wanted.as_ref().is_none_or(|wanted| {
            wanted
                .split(',')
                .any(|w| has.iter().any(|h| *h == w || (!w.contains('/') && h.ends_with(&format!("/{w}")))))
        })
    };
    let text =
        format!("{} {} {:?} {:?} {:?} {:?}", row.namespace, row.name, row.description, row.owner, row.system, row.tags);
    let text = text.to_lowercase().replace('é', "e");
    let words = filter.q.as_deref().unwrap_or_default().to_lowercase();
    one_of(&filter.system, &[row.system.as_deref().unwrap_or("-")])
        && one_of(&filter.team, &[row.owner.as_deref().unwrap_or("-")])
        && one_of(&filter.kind, &[row.entity_type.as_deref().unwrap_or("-")])
        && one_of(&filter.tag, &row.tags.iter().map(String::as_str).collect::<Vec<_>>())
        && words.split([' ', '-']).all(|word| text.contains(word))
}

#[test]
fn the_json_is_the_typed_page_and_hostile_texts_stay_texts() {
    let mut hostile = row("Component", "shop", "web");
    hostile.title = Some("\"health\":null,\"</script>".to_owned());
    hostile.description = Some("\u{1}\n\"health\":null".repeat(50));
    let index = index(&[hostile.clone(), row("API", "shop", "api")]);
    index.set_health(&[(hostile.id, "staging", Some(Health::Degraded))]);
    let snapshot = index.snapshot();
    let slice = snapshot.page(&query(&ServiceFilter::default()), None, 20);
    let page: Page<ServiceOut> = serde_json::from_slice(&snapshot.page_json(&slice, Some("abc"))).unwrap();
    assert_eq!(page.items, snapshot.page_items(&slice));
    assert_eq!((page.total, page.next_cursor.as_deref()), (1, Some("abc")));
    assert_eq!(page.items[0].health, Some(Health::Degraded));
    assert_eq!(page.items[0].title, hostile.title);
    assert_eq!(page.items[0].description.as_ref().unwrap().chars().count(), 281);
}

#[test]
fn facets_count_within_the_filter_but_not_within_their_own_field() {
    let rows = services();
    let index = index(&rows);
    let filter = ServiceFilter {
        system: Some("shop/system-1".into()),
        kind: Some("website".into()),
        ..ServiceFilter::default()
    };
    let facets = index.snapshot().facets(&query(&filter));
    let count = |keep: &dyn Fn(&Row) -> bool| u32::try_from(rows.iter().filter(|row| keep(row)).count()).unwrap();
    let system = |row: &Row| row.system.as_deref() == Some("shop/system-1");
    let website = |row: &Row| row.entity_type.as_deref() == Some("website");
    for value in &facets.system {
        assert_eq!(value.count, count(&|row| website(row) && row.system.as_deref() == Some(&value.value)));
    }
    assert_eq!(facets.system.len(), 4, "the other systems can still be chosen");
    for value in &facets.tag {
        assert_eq!(
            value.count,
            count(&|row| website(row) && system(row) && row.tags.contains(&value.value)),
            "{}",
            value.value
        );
    }
    assert_eq!(facets.kind.iter().map(|value| value.count).sum::<u32>(), count(&system));
    assert!(facets.tag.windows(2).all(|pair| pair[0].count >= pair[1].count));
}

#[test]
fn facets_as_json_are_the_callers_own_and_follow_the_catalog() {
    let mut rows = services();
    let index = index(&rows);
    let narrow = ReadScope::Only { teams: ["default/team-1".to_owned()].into(), systems: [].into() };
    let as_read = |scope: &ReadScope| {
        let query = ServiceQuery::new(&ServiceFilter::default(), scope).unwrap();
        let snapshot = index.snapshot();
        let read: serde_json::Value = serde_json::from_slice(&snapshot.facets_json(&query)).unwrap();
        assert_eq!(read, serde_json::to_value(&*snapshot.facets(&query)).unwrap());
        assert_eq!(snapshot.facets_json(&query), snapshot.facets_json(&query), "kept");
        read
    };
    let (all, few) = (as_read(&ReadScope::All), as_read(&narrow));
    assert_ne!(all, few, "a narrow role must not be given what was kept for others");
    for row in rows.iter_mut().take(100) {
        row.archived = true;
    }
    index.ingest(&rows);
    index.publish(2);
    assert_ne!(as_read(&ReadScope::All), all, "an import shows at once");
}

#[test]
fn health_is_filtered_where_it_is_and_follows_its_changes() {
    let rows = services();
    let index = index(&rows);
    index.set_health(&[
        (rows[0].id, "staging", Some(Health::Failed)),
        (rows[0].id, "production", Some(Health::Healthy)),
        (rows[1].id, "production", Some(Health::Failed)),
        (rows[2].id, "production", Some(Health::Healthy)),
    ]);
    let find = |environment: Option<&str>, health| {
        let filter = ServiceFilter { environment: environment.map(Into::into), health, ..ServiceFilter::default() };
        keys(&index, &query(&filter))
    };
    assert_eq!(find(Some("production"), None), ["bank/svc-001", "shop/svc-000", "shop/svc-002"]);
    assert_eq!(find(Some("production"), Some(Health::Failed)), ["bank/svc-001"]);
    assert_eq!(find(None, Some(Health::Failed)), ["bank/svc-001", "shop/svc-000"], "the worst one");
    let facets = index.snapshot().facets(&query(&ServiceFilter::default()));
    assert_eq!((facets.environment[0].value.as_str(), facets.environment[0].count), ("production", 3));
    index.set_health(&[(rows[1].id, "production", None), (rows[0].id, "staging", Some(Health::Progressing))]);
    assert_eq!(find(Some("production"), None), ["shop/svc-000", "shop/svc-002"]);
    assert_eq!(find(None, Some(Health::Failed)), Vec::<String>::new());
    index.publish(2);
    assert_eq!(find(None, Some(Health::Progressing)), ["shop/svc-000"], "it stays over a new snapshot");
}

#[test]
fn a_narrow_role_sees_its_services_only() {
    let rows = services();
    let index = index(&rows);
    let scope =
        ReadScope::Only { teams: ["default/team-1".to_owned()].into(), systems: ["shop/system-2".to_owned()].into() };
    let query = ServiceQuery::new(&ServiceFilter::default(), &scope).unwrap();
    let expected = rows.iter().filter(|row| scope.allows(row.owner.as_deref(), row.system.as_deref())).count();
    assert_eq!(index.snapshot().page(&query, None, 5).total, expected);
    let facets = index.snapshot().facets(&query);
    assert_eq!(facets.lifecycle[0].count as usize, expected);
    let nobody = ReadScope::Only { teams: [].into(), systems: [].into() };
    assert_eq!(
        index.snapshot().page(&ServiceQuery::new(&ServiceFilter::default(), &nobody).unwrap(), None, 5).total,
        0
    );
    let hidden = rows.iter().find(|row| !scope.allows(row.owner.as_deref(), row.system.as_deref())).unwrap();
    let reference = format!("component:{}/{}", hidden.namespace, hidden.name);
    assert!(index.snapshot().entity(&reference, &scope).is_none());
    assert!(index.snapshot().entity(&reference, &ReadScope::All).is_some());
    assert!(index.snapshot().graph(&reference, 2, &scope).is_none());
}

#[test]
fn pages_go_on_right_when_the_catalog_changes_between_them() {
    let mut rows = services();
    let index = index(&rows);
    let query = query(&ServiceFilter { sort: Some(ServiceSort::System), ..ServiceFilter::default() });
    let snapshot = index.snapshot();
    let first = snapshot.page(&query, None, 50);
    let seen: Vec<String> = snapshot.page_items(&first).into_iter().map(|service| service.key).collect();
    for row in rows.iter_mut().filter(|row| seen.contains(&format!("{}/{}", row.namespace, row.name))).skip(40) {
        row.archived = true;
    }
    index.ingest(&rows);
    index.publish(2);
    let snapshot = index.snapshot();
    let second = snapshot.page(&query, first.next.as_ref(), 500);
    assert_eq!(second.nodes.len(), 150, "the 150 that were not seen, none twice, none lost");
}

#[test]
fn wrong_filters_are_refused_by_field() {
    let values = (0..60).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    let filter = ServiceFilter { q: Some("x".repeat(300)), tag: Some(values), ..ServiceFilter::default() };
    let errors = ServiceQuery::new(&filter, &ReadScope::All).unwrap_err();
    let mut pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/q", "/tag"]);
    let signs = ServiceFilter { q: Some("***".into()), ..ServiceFilter::default() };
    assert_eq!(index(&services()).snapshot().page(&query(&signs), None, 5).total, 0);
}

fn related(kind: &str, name: &str, relations: &[(RelationKind, &str)]) -> Row {
    let mut row = row(kind, "d", name);
    let own = format!("{}:d/{name}", kind.to_lowercase());
    row.relations = relations.iter().map(|(kind, target)| (*kind, own.clone(), (*target).to_owned())).collect();
    row
}

#[test]
fn relations_are_read_from_both_ends_and_missing_ends_said_so() {
    let rows = [
        related(
            "Component",
            "Web",
            &[(RelationKind::DependsOn, "component:d/api"), (RelationKind::OwnedBy, "group:d/none")],
        ),
        related("Component", "api", &[(RelationKind::ProvidesApi, "api:d/rest")]),
        related("API", "rest", &[]),
    ];
    let snapshot = index(&rows).snapshot();
    assert_eq!(snapshot.relation_count(), 6);
    let of = |reference: &str| -> Vec<(String, String, bool)> {
        let (_, relations) = snapshot.entity(reference, &ReadScope::All).unwrap();
        relations.into_iter().map(|r| (r.kind, r.target, r.exists)).collect()
    };
    let relation = |kind: &str, target: &str, exists| (kind.to_owned(), target.to_owned(), exists);
    assert_eq!(
        of("component:d/web"),
        [relation("dependsOn", "component:d/api", true), relation("ownedBy", "group:d/none", false)]
    );
    assert_eq!(
        of("component:D/API"),
        [relation("dependencyOf", "component:d/Web", true), relation("providesApi", "api:d/rest", true)]
    );
    assert_eq!(of("api:d/rest"), [relation("apiProvidedBy", "component:d/api", true)]);
}

#[test]
fn what_stands_above_a_reference_is_found_by_every_statement_of_it() {
    let child = |name: &str, of: &str| (RelationKind::ChildOf, format!("group:d/{name}"), format!("group:d/{of}"));
    let group = |name: &str, relations: Vec<(RelationKind, String, String)>| {
        let mut row = row("Group", "d", name);
        row.relations = relations;
        row
    };
    let rows = [
        group("Low", vec![child("low", "gone")]),
        // Names its child, which has no document; and that child is a child of another.
        group("mid", vec![child("gone", "mid"), child("mid", "top")]),
        group("top", Vec::new()),
        group("side", vec![child("side", "top")]),
    ];
    let snapshot = index(&rows).snapshot();
    let above = |reference: &str| -> Vec<String> {
        let found = snapshot.hierarchy_above([reference]);
        let mut found: Vec<_> =
            found.into_iter().map(|(by, kind, from, to)| format!("{by} {} {from} {to}", kind.as_str())).collect();
        found.sort();
        found
    };
    assert_eq!(
        above("group:d/low"),
        [
            "group:d/low childOf group:d/low group:d/gone",
            "group:d/mid childOf group:d/gone group:d/mid",
            "group:d/mid childOf group:d/mid group:d/top",
        ]
    );
    assert_eq!(above("group:d/gone").len(), 2);
    assert_eq!(above("group:d/top"), [""; 0]);
    assert_eq!(above("group:d/nobody"), [""; 0]);
}

#[test]
fn the_graph_goes_through_apis_and_stops_at_its_limits() {
    let mut rows = vec![
        related("Component", "front", &[(RelationKind::ConsumesApi, "api:d/rest")]),
        related(
            "Component",
            "back",
            &[(RelationKind::ProvidesApi, "api:d/rest"), (RelationKind::DependsOn, "resource:d/db")],
        ),
        related("API", "rest", &[]),
        related("Component", "loop", &[(RelationKind::DependsOn, "component:d/loop")]),
    ];
    rows.extend(
        (0..100).map(|i| related("Component", &format!("user-{i}"), &[(RelationKind::DependsOn, "component:d/hub")])),
    );
    rows.push(related("Component", "hub", &[]));
    let snapshot = index(&rows).snapshot();
    let graph = snapshot.graph("component:d/front", 3, &ReadScope::All).unwrap();
    let depths: Vec<(&str, i32, bool)> =
        graph.nodes.iter().map(|n| (n.reference.as_str(), n.depth, n.exists)).collect();
    assert!(
        depths.contains(&("component:d/back", 2, true)) && depths.contains(&("resource:d/db", 3, false)),
        "{depths:?}"
    );
    assert!(
        graph.edges.iter().any(|e| e.from == "component:d/back" && e.to == "api:d/rest" && e.kind == "providesApi")
    );
    let up = snapshot.graph("component:d/back", 3, &ReadScope::All).unwrap();
    assert!(up.nodes.iter().any(|n| n.reference == "component:d/front" && n.depth == -2));
    let hub = snapshot.graph("component:d/hub", 3, &ReadScope::All).unwrap();
    assert_eq!((hub.nodes.len(), hub.truncated), (super::MAX_NODES, true));
    assert_eq!(snapshot.graph("component:d/loop", 3, &ReadScope::All).unwrap().nodes.len(), 1);
}
