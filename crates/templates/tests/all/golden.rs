//! The golden paths of the repository.

use passerelle_templates::Library;
use std::path::Path;

#[test]
fn every_service_says_which_template_it_is_from() {
    for template in Library::embedded().all() {
        let files = template.render(&template.answers(&template.example()).unwrap()).unwrap();
        let catalog = files.iter().find(|file| file.path == "catalog-info.yaml").unwrap();
        let document = catalog.content.split("\n---").next().unwrap();
        let document: serde_yaml_ng::Value = serde_yaml_ng::from_str(document).unwrap();
        let said = &document["metadata"]["annotations"]["passerelle.dev/template"];
        assert_eq!(
            said.as_str(),
            Some(format!("{}@{}", template.id(), template.version()).as_str()),
            "{}",
            template.id()
        );
    }
}

#[test]
fn every_golden_path_loads_and_keeps_free_text_whole_over_its_options() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
    let library = if root.is_dir() { Library::folder(&root).unwrap() } else { Library::default() };
    let faults: Vec<String> = library.faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let faults: Vec<String> =
        library.all().filter_map(|template| template.prove().err()).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let embedded = Library::embedded();
    let names =
        |library: &Library| library.all().map(|one| format!("{} {}", one.id(), one.version())).collect::<Vec<_>>();
    assert_eq!(names(&embedded), names(&library), "the program brings the folder along as it is");
}
