use super::{component, read};
use crate::catalog::import::{Parsed, refuse_cycles};
use crate::catalog::reference::EntityRef;
use crate::catalog::relations::RelationKind;

fn entity(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"
    )
}

fn found(text: &str) -> Vec<String> {
    let parsed = read(text);
    assert_eq!(parsed.errors, [], "{text}");
    let relations = &parsed.entities[0].entity.relations;
    relations.iter().map(|r| format!("{} {} {}", r.source, r.kind.as_str(), r.target)).collect()
}

#[test]
fn references_take_what_they_leave_out_from_their_field() {
    let parse = |text: &str| EntityRef::parse(text, Some("group"), "shop").map(|r| r.to_string());
    assert_eq!(parse("a").unwrap(), "group:shop/a");
    assert_eq!(parse("User:a").unwrap(), "user:shop/a");
    assert_eq!(parse("other/a").unwrap(), "group:other/a");
    assert_eq!(parse("API:Other/A").unwrap(), "api:Other/A");
    for bad in ["", ":", "a:", "/a", "a/", "a/b/c", "a:b:c", "a b", "<script>", "a\u{202e}", &"x".repeat(300)] {
        assert!(parse(bad).is_err(), "{bad}");
    }
    assert!(EntityRef::parse("a", None, "shop").unwrap_err().to_string().contains("needs a kind"));
}

#[test]
fn every_field_of_every_kind_becomes_its_relation() {
    let spec = "{owner: payments, system: till, subcomponentOf: core, providesApis: [pay], consumesApis: [x/rates], dependsOn: [resource:db, 'Component:b'], dependencyOf: [component:c]}";
    assert_eq!(
        found(&entity("Component", "A", spec)),
        [
            "component:shop/a ownedBy group:shop/payments",
            "component:shop/a partOf component:shop/core",
            "component:shop/a partOf system:shop/till",
            "component:shop/a providesApi api:shop/pay",
            "component:shop/a consumesApi api:x/rates",
            "component:shop/a dependsOn component:shop/b",
            "component:shop/a dependsOn resource:shop/db",
            "component:shop/c dependsOn component:shop/a",
        ]
    );
    assert_eq!(
        found(&entity("Group", "g", "{parent: top, children: [low], members: [ann]}")),
        [
            "group:shop/g childOf group:shop/top",
            "group:shop/low childOf group:shop/g",
            "user:shop/ann memberOf group:shop/g",
        ]
    );
    assert_eq!(found(&entity("User", "ann", "{memberOf: [g]}")), ["user:shop/ann memberOf group:shop/g"]);
    assert_eq!(
        found(&entity("System", "s", "{owner: user:ann, domain: d}")),
        ["system:shop/s ownedBy user:shop/ann", "system:shop/s partOf domain:shop/d",]
    );
    assert_eq!(found(&entity("Domain", "d", "{subdomainOf: e}")), ["domain:shop/d partOf domain:shop/e"]);
    assert_eq!(found(&entity("Resource", "r", "{system: s, dependsOn: [resource:q]}")).len(), 2);
}

#[test]
fn a_field_of_the_wrong_shape_is_refused_by_its_place() {
    for (spec, pointer) in [
        ("{dependsOn: [b]}", "/spec/dependsOn/0"),
        ("{dependsOn: x}", "/spec/dependsOn"),
        ("{providesApis: [1]}", "/spec/providesApis/0"),
        ("[]", "/spec"),
    ] {
        let parsed = read(&entity("Component", "a", spec));
        assert_eq!(parsed.errors[0].pointer, pointer, "{spec}");
    }
}

fn without_cycles(text: &str, existing: &[(&str, RelationKind, &str, &str)]) -> Parsed {
    let mut parsed = read(text);
    refuse_cycles(&mut parsed, existing.iter().copied());
    parsed
}

#[test]
fn a_part_of_itself_is_refused_and_the_rest_goes_in() {
    let text = format!(
        "{}{}{}{}",
        component("a", "  subcomponentOf: b\n"),
        component("b", "  subcomponentOf: c\n"),
        component("c", "  subcomponentOf: a\n"),
        component("d", "  subcomponentOf: a\n")
    );
    let parsed = without_cycles(&text, &[]);
    assert_eq!(parsed.entities.len(), 1);
    assert_eq!(parsed.errors.len(), 3);
    let cycle = "component:default/a -> component:default/b -> component:default/c -> component:default/a";
    assert!(
        parsed
            .errors
            .iter()
            .all(|error| error.message.to_string().contains(cycle) && error.pointer == "/spec/subcomponentOf")
    );
    let own = without_cycles(&component("a", "  subcomponentOf: a\n"), &[]);
    assert_eq!(own.errors.len(), 1);
}

#[test]
fn dependencies_may_go_round() {
    let text =
        format!("{}{}", component("a", "  dependsOn: [component:b]\n"), component("b", "  dependsOn: [component:a]\n"));
    assert_eq!(without_cycles(&text, &[]).entities.len(), 2);
}

#[test]
fn a_cycle_through_what_is_there_already_is_seen() {
    let existing = [("group:default/top", RelationKind::ChildOf, "group:default/top", "group:default/low")];
    let low = "apiVersion: v1\nkind: Group\nmetadata: {name: low}\nspec: {parent: top}\n";
    let parsed = without_cycles(low, &existing);
    assert_eq!((parsed.entities.len(), parsed.errors[0].pointer.as_str()), (0, "/spec/parent"));
    let both = format!("{low}---\napiVersion: v1\nkind: Group\nmetadata: {{name: top}}\nspec: {{}}\n");
    assert_eq!(without_cycles(&both, &existing).entities.len(), 2, "the new document replaces the old relation");
}

#[test]
fn a_very_long_chain_is_no_cycle_and_no_stack_overflow() {
    let text: String =
        (0..20_000).map(|i| component(&format!("c{i}"), &format!("  subcomponentOf: c{}\n", i + 1))).collect();
    let parsed = without_cycles(&text, &[]);
    assert_eq!((parsed.entities.len(), parsed.errors_total), (20_000, 0));
}
