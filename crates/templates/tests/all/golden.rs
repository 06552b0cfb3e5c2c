//! The golden paths of the repository.

use passerelle_templates::Library;
use std::path::Path;

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
