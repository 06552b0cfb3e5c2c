use super::{Random, component, read};
use crate::catalog::upload::{Upload, split};
use crate::catalog::{import, yaml};
use serde_json::json;

fn value(text: &str) -> serde_json::Value {
    yaml::parse(text, 1, &yaml::Limits::default()).unwrap().unwrap().value
}

#[test]
fn scalars_follow_the_core_schema() {
    let read = value(
        "a: 1\nb: '1'\nc: 0x10\nd: true\ne: yes\nf: ~\ng: 1.5\nh: 1.2.3\ni: .nan\nj: 012\nk: !!str 5\nl: -7\nm: 1e3\n",
    );
    let expected = json!({"a": 1, "b": "1", "c": 16, "d": true, "e": "yes", "f": null, "g": 1.5, "h": "1.2.3", "i": ".nan", "j": 12,
        "k": "5", "l": -7, "m": 1000.0});
    assert_eq!(read, expected);
}

#[test]
fn every_value_knows_its_line() {
    let text = "a: 1\nb:\n  - x\n  - c: |\n      two\n      lines\n    d: 2\ne/f: 3\n";
    let document = yaml::parse(text, 10, &yaml::Limits::default()).unwrap().unwrap();
    for (pointer, line) in
        [("", 10), ("/a", 10), ("/b", 11), ("/b/0", 12), ("/b/1", 13), ("/b/1/c", 13), ("/b/1/d", 16), ("/e~1f", 17)]
    {
        assert_eq!(document.line_of(pointer), line, "{pointer}");
    }
    assert_eq!(document.line_of("/b/1/absent"), 13, "the nearest ancestor");
}

#[test]
fn aliases_keep_their_values_and_lines() {
    let document = yaml::parse("a: &x {k: [1, 2]}\nb: *x\nc: 3\n", 1, &yaml::Limits::default()).unwrap().unwrap();
    assert_eq!(document.value["b"], json!({"k": [1, 2]}));
    assert_eq!((document.line_of("/b/k/1"), document.line_of("/c")), (2, 3));
}

#[test]
fn a_file_is_cut_at_marks_at_the_start_of_a_line_only() {
    let text = "# only a comment\n---\na: |\n  ---\n  x\n---\n# empty\n---\nb: 1\n...\n%YAML 1.2\n---\nc: 2\n";
    let chunks = split(text);
    let found: Vec<(u32, serde_json::Value)> = chunks.iter().map(|c| (c.line, value(c.text))).collect();
    assert_eq!(found, [(2, json!({"a": "---\nx\n"})), (8, json!({"b": 1})), (12, json!({"c": 2}))]);
}

#[test]
fn a_broken_document_is_named_by_line_and_the_others_go_in() {
    let broken =
        ["---\nkind: [\n", "---\na: 1\n  b: 2\n", "---\nx: \"open\n", "---\nkind: Component\nmetadata: {name: x}\n"];
    for broken in broken {
        let text = format!("{}{broken}{}", component("one", ""), component("two", ""));
        let parsed = read(&text);
        let names: Vec<&str> = parsed.entities.iter().map(|placed| placed.entity.reference.name.as_str()).collect();
        assert_eq!(names, ["one", "two"], "{broken}");
        assert_eq!(parsed.errors[0].document, "catalog-info.yaml#2", "{broken}");
        assert!((8..=11).contains(&parsed.errors[0].line), "{broken}: line {}", parsed.errors[0].line);
        assert!(!parsed.errors[0].message.to_string().is_empty());
    }
}

#[test]
fn a_wrong_field_is_named_by_pointer_and_line() {
    let text = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: web\n  tags:\n    - good\n    - Bad Tag\nspec:\n  owner: [a]\n";
    let parsed = read(text);
    assert_eq!(parsed.entities.len(), 0);
    let places: Vec<(u32, &str)> = parsed.errors.iter().map(|e| (e.line, e.pointer.as_str())).collect();
    assert_eq!(places, [(7, "/metadata/tags/1")]);
    let parsed = read(&text.replace("    - Bad Tag\n", ""));
    let places: Vec<(u32, &str)> = parsed.errors.iter().map(|e| (e.line, e.pointer.as_str())).collect();
    assert_eq!(places, [(8, "/spec/owner")]);
}

#[test]
fn unknown_fields_and_kinds_are_kept_in_their_order() {
    let text = "apiVersion: example.org/v3\nkind: Robot\nzeta: 1\nmetadata:\n  name: r2\n  extra: {b: 1, a: 2}\nspec:\n  owner: {x: 1}\n  dependsOn: [component:web]\n";
    let parsed = read(text);
    assert_eq!(parsed.errors, []);
    let entity = &parsed.entities[0].entity;
    let expected = r#"{"apiVersion":"example.org/v3","kind":"Robot","zeta":1,"metadata":{"name":"r2","extra":{"b":1,"a":2}},"spec":{"owner":{"x":1},"dependsOn":["component:web"]}}"#;
    assert_eq!(entity.document, expected);
    assert_eq!(entity.reference.to_string(), "robot:default/r2");
    assert_eq!(entity.relations.len(), 1);
}

#[test]
fn the_same_entity_twice_names_both_places_whatever_its_case() {
    let parsed = read(&format!("{}{}", component("web", ""), component("WEB", "")));
    assert_eq!((parsed.entities.len(), parsed.errors.len()), (0, 2), "which one is meant cannot be known");
    for error in &parsed.errors {
        let message = &error.message;
        assert_eq!(error.pointer, "/metadata/name");
        assert!(
            message.to_string().contains("catalog-info.yaml#1 line 2")
                && message.to_string().contains("catalog-info.yaml#2 line 9"),
            "{message}"
        );
    }
}

#[test]
fn locations_lead_inside_the_upload_or_are_noted() {
    let mut upload = Upload::default();
    let location = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec:\n  targets:\n    - ./teams/*.yaml\n    - ../x.yaml\n    - ./web.yaml\n    - https://example.org/catalog-info.yaml\n";
    upload.push("sub/all.yaml", location.as_bytes()).unwrap();
    upload.push("./sub/web.yaml", component("web", "").as_bytes()).unwrap();
    upload.push("sub/teams/a.yaml", b"").unwrap();
    let parsed = import::parse(&upload);
    assert_eq!((parsed.entities.len(), parsed.errors.len()), (2, 0));
    let noted: Vec<(u32, &str)> = parsed.warnings.iter().map(|w| (w.line, w.pointer.as_str())).collect();
    assert_eq!(noted, [(7, "/spec/targets/1"), (9, "/spec/targets/3")]);
}

#[test]
fn a_folder_travels_as_one_stream() {
    let mut upload = Upload::default();
    upload.push("a/b.yaml", component("one", "").as_bytes()).unwrap();
    upload.push("c.yaml", b"# nothing").unwrap();
    let back = Upload::from_stream(upload.to_stream().as_bytes()).unwrap();
    let parsed = import::parse(&back);
    assert_eq!(parsed.entities[0].place.document(), "a/b.yaml#1");
    assert_eq!(parsed.entities[0].place.line, 2);
    assert!(back.contains("c.yaml"));
}

#[test]
fn portal_documents_of_one_name_are_all_refused() {
    let document =
        "apiVersion: passerelle.dev/v1\nkind: Environment\nspec: {name: staging, tier: staging, order: 1}\n---\n";
    let parsed = read(&document.repeat(2));
    assert!(parsed.portal.is_empty());
    let pointers: Vec<&str> = parsed.errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/spec/name", "/spec/name"]);
}

#[test]
fn portal_documents_are_handed_out_and_their_faults_named() {
    let text = "apiVersion: passerelle.dev/v1\nkind: Environment\nspec: {name: staging, tier: staging, order: 1}\n---\napiVersion: passerelle.dev/v1\nkind: Environment\nspec:\n  name: x\n  tier: moon\n  order: 1\n---\napiVersion: passerelle.dev/v1\nkind: Budget\n---\nservice_level_objectives: []\n";
    let parsed = read(text);
    assert_eq!(parsed.portal.environments[0].value.name, "staging");
    let faults: Vec<(&str, u32, &str)> =
        parsed.errors.iter().map(|e| (e.document.as_str(), e.line, e.pointer.as_str())).collect();
    assert_eq!(faults, [("catalog-info.yaml#2", 9, "/spec/tier"), ("catalog-info.yaml#3", 13, "/kind")]);
    assert_eq!(parsed.warnings.len(), 1);
}

#[test]
fn cut_and_stirred_documents_never_panic_and_never_lose_the_last_one() {
    let base = format!(
        "{}  dependsOn: [component:b]\n  links: &l [{{url: 'https://x.example'}}]\n  more: *l\n  text: >-\n    folded\n",
        component("a", "")
    );
    let last = component("last", "");
    let alphabet = [
        '{', '}', '[', ']', ':', '-', '\n', '"', '\'', '&', '*', '!', '|', '>', '#', '%', ' ', '\t', 'a', '?',
        '\u{feff}', '\\',
    ];
    let mut random = Random(0x1234_5678_9abc_def1);
    for _ in 0..2_000 {
        let mut text: Vec<char> = base.chars().collect();
        for _ in 0..=random.below(6) {
            let at = random.below(text.len().max(1));
            if text.is_empty() {
                break;
            }
            match random.below(3) {
                0 => drop(text.remove(at)),
                1 => text.insert(at, alphabet[random.below(alphabet.len())]),
                _ => text.truncate(at.max(1)),
            }
        }
        let text: String = text.into_iter().collect();
        let parsed = read(&format!("{text}\n{last}"));
        assert!(parsed.entities.iter().any(|placed| placed.entity.reference.name == "last"), "{text}");
    }
}
