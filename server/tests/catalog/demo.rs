//! The five systems in `demo/` import as they stand, and everything they name exists.

use crate::support::{EntitiesOnly, Portal, admin, viewer};
use passerelle_contract::catalog::{EntityOut, ServiceFilter};
use passerelle_server::catalog::import::{Parsed, parse};
use passerelle_server::catalog::{ImportOptions, Upload};
use std::collections::BTreeSet;
use std::path::Path;

fn demo() -> Upload {
    let mut upload = Upload::default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
    add(&root, &root, &mut upload);
    upload
}

fn add(root: &Path, folder: &Path, upload: &mut Upload) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            add(root, &path, upload);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read(&path).unwrap();
            // Objectives are imported by themselves.
            if !text.starts_with(b"apiVersion: openslo/") && !name.ends_with("slos.yaml") {
                upload.push(&name, &text).unwrap();
            }
        }
    }
}

fn services(parsed: &Parsed) -> BTreeSet<String> {
    let components = parsed.entities.iter().filter(|placed| placed.entity.reference.kind == "component");
    components.map(|placed| placed.entity.reference.key()).collect()
}

#[test]
fn the_portal_documents_name_what_exists() {
    let parsed = parse(&demo());
    assert_eq!(parsed.errors, []);
    let services = services(&parsed);
    let portal = &parsed.portal;
    let environments: BTreeSet<&str> = portal.environments.iter().map(|e| e.value.name.as_str()).collect();
    assert_eq!(environments, BTreeSet::from(["production", "staging"]));
    let kinds = |name: &str| portal.connections.iter().find(|c| c.value.name == name).map(|c| c.value.kind.clone());
    for binding in portal.bindings.iter().map(|binding| &binding.value) {
        assert!(services.contains(&binding.service), "{}", binding.service);
        assert!(environments.contains(binding.environment.as_str()), "{}", binding.environment);
        assert_eq!(kinds(&binding.connection).as_ref(), Some(&binding.kind), "{}", binding.service);
        let platform = passerelle_targets::platform(&binding.kind).unwrap();
        platform.check_binding(&binding.config).unwrap();
        let releases = portal.releases.iter().filter(|release| release.value.service == binding.service).count();
        assert!(releases >= 3, "{} has something to deploy and something to go back to", binding.service);
    }
    for connection in portal.connections.iter().map(|connection| &connection.value) {
        // Where figures are read from is no platform to deploy to.
        if connection.kind != "prometheus" {
            passerelle_targets::platform(&connection.kind).unwrap().check_connection(&connection.config).unwrap();
        }
        assert_eq!(connection.config["simulated"], true, "{}", connection.name);
    }
    for release in portal.releases.iter().map(|release| &release.value) {
        passerelle_server::kernel::validate::image(&release.image).unwrap();
        assert!(services.contains(&release.service));
    }
}

#[tokio::test]
async fn every_relation_leads_somewhere_and_a_second_import_changes_nothing() {
    let portal = Portal::new().await;
    let options = ImportOptions { source: "demo".to_owned(), ..ImportOptions::default() };
    let report = portal.catalog.import_catalog(&admin(), demo(), &options, &EntitiesOnly).await.unwrap();
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let parsed = parse(&demo());
    let again = portal.catalog.import_catalog(&admin(), demo(), &options, &EntitiesOnly).await.unwrap();
    assert_eq!((again.created, again.updated, again.unchanged), (0, 0, report.created));
    for placed in &parsed.entities {
        let key = &placed.entity.reference;
        let entity: EntityOut =
            portal.catalog.get_entity(&viewer(), &key.kind, &key.namespace, &key.name).await.unwrap();
        let missing: Vec<_> = entity.relations.iter().filter(|relation| !relation.exists).collect();
        assert!(missing.is_empty(), "{key}: {missing:?}");
        assert!(
            placed.entity.owner.is_some() || ["group", "user", "location"].contains(&key.kind.as_str()),
            "{key} has no owner"
        );
    }
    let facets = portal.catalog.facets(&viewer(), &ServiceFilter::default()).unwrap();
    let mut systems: Vec<&str> = facets.system.iter().map(|value| value.value.as_str()).collect();
    systems.sort_unstable();
    let expected = [
        "cloudtaskhub/cloudtaskhub",
        "exai/exai",
        "fil-rouge/fil-rouge",
        "gke-reactivite/gke-reactivite",
        "skillforge/skillforge",
    ];
    assert_eq!(systems, expected);
    let user_service = portal.catalog.graph(&viewer(), "skillforge", "user-service", Some(3)).unwrap();
    assert!(user_service.nodes.iter().any(|node| node.reference == "component:skillforge/frontend" && node.depth < 0));
}
