//! The words of the schemas that forms are drawn from exist in French, and no word of the table is left without its schema.

use passerelle_contract::Locale;
use passerelle_contract::wording::{say_schema, texts_of, translated};
use passerelle_metrics::{PROMETHEUS, connection_kind};
use passerelle_targets::platforms;
use serde_json::Value;
use std::collections::BTreeSet;

fn schemas() -> Vec<Value> {
    let registry = passerelle_targets::oci::connection_kind(passerelle_targets::oci::REGISTRY);
    let all = platforms().iter().copied().chain(connection_kind(PROMETHEUS)).chain(registry);
    let mut schemas: Vec<Value> = all.flat_map(|kind| [kind.connection_schema(), kind.binding_schema()]).collect();
    schemas.extend(passerelle_server::notifications::schemas());
    // No form shows what a configuration as a whole is called.
    for schema in schemas.iter_mut().filter_map(Value::as_object_mut) {
        schema.remove("title");
        schema.remove("description");
    }
    schemas
}

#[test]
fn every_title_and_description_has_its_french() {
    let mut words = Vec::new();
    schemas().iter().for_each(|schema| texts_of(schema, &mut words));
    let said: BTreeSet<&str> = words.iter().map(String::as_str).collect();
    let french: BTreeSet<&str> = translated().collect();
    // A secret's parts are drawn by the form itself.
    let parts = ["Value", "Env", "File", "Vault"];
    let missing: Vec<_> = said.difference(&french).filter(|words| !parts.contains(words)).collect();
    assert!(missing.is_empty(), "no French in contract/src/wording/french/schemas.rs for {missing:#?}");
    let unused: Vec<_> = french.difference(&said).collect();
    assert!(unused.is_empty(), "no schema says {unused:#?}");
}

#[test]
fn only_words_change_with_the_language() {
    for mut schema in schemas() {
        let before = schema.clone();
        say_schema(&mut schema, Locale::En);
        assert_eq!(schema, before);
        say_schema(&mut schema, Locale::Fr);
        let names =
            |schema: &Value| schema["properties"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
        assert_eq!(names(&schema), names(&before));
        assert_eq!(schema["required"], before["required"]);
    }
}
