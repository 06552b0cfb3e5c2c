//! From answers to files.

use super::fixture::{answers, content, files, template};
use passerelle_templates::{Library, RenderError, RenderedFile, digest, zip};
use serde_json::{Value, json};

fn rendered(changes: Value) -> Vec<RenderedFile> {
    let template = template();
    template.render(&template.answers(&answers(changes)).unwrap()).unwrap()
}

#[test]
fn conditions_computed_names_and_parts_choose_the_files() {
    let files = rendered(json!({"topics": ["orders"]}));
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert!(paths.contains(&"src/order_api/app.py") && paths.contains(&"terraform/main.tf"), "{paths:?}");
    assert_eq!(content(&files, "src/order_api/app.py"), "NAME = \"Takes orders\"\nPORT = 8080\n");
    assert!(content(&files, "README.md").starts_with("# order-api\n"), "the template's own file stands for the part's");
    let catalog: serde_yaml_ng::Value = serde_yaml_ng::from_str(content(&files, "catalog-info.yaml")).unwrap();
    assert_eq!(catalog["metadata"]["topics"][0].as_str(), Some("orders"));
    assert_eq!(catalog["metadata"]["link"], serde_yaml_ng::Value::Null);
    assert_eq!(content(&files, "Dockerfile"), "EXPOSE 8080\nLABEL name=order-api by=sample@1.2.0\n");
    let workflow = content(&files, ".github/workflows/ci.yml");
    assert!(
        workflow.contains("X: ${{ github.sha }}\n")
            && workflow.ends_with("make order-api\n      - run: terraform plan\n"),
        "{workflow}"
    );
    assert!(files.iter().all(|file| file.executable == (file.path == "run.sh")));

    let files = rendered(json!({"language": "rust", "terraform": false}));
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert!(!paths.iter().any(|path| path.starts_with("src/") || path.starts_with("terraform/")), "{paths:?}");
}

#[test]
fn wrong_answers_are_told_by_pointer_all_at_once() {
    let template = template();
    let wrong = answers(json!({
        "name": "No Good", "description": "", "language": "cobol", "port": "80", "ratio": 101, "host": "-x", "link": "javascript:x",
        "terraform": "yes", "topics": ["orders", "orders"], "colour": 1
    }));
    let errors = template.answers(&wrong).unwrap_err();
    let mut pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
    pointers.sort_unstable();
    let mut wanted = vec![
        "/colour",
        "/description",
        "/host",
        "/language",
        "/link",
        "/name",
        "/port",
        "/ratio",
        "/terraform",
        "/topics",
    ];
    wanted.sort_unstable();
    assert_eq!(pointers, wanted, "{errors:?}");
}

#[test]
fn what_is_not_asked_is_not_taken() {
    let template = template();
    let given = template.answers(&answers(json!({"terraform": false, "database": "NOT CHECKED"}))).unwrap();
    assert_eq!(given.given["database"], Value::Null);
    assert!(template.answers(&answers(json!({"terraform": true, "database": "NOT CHECKED"}))).is_err());
}

#[test]
fn a_template_that_grows_or_runs_without_end_is_stopped() {
    let nested = "<% for a in topics %>".repeat(30) + "x" + &"<% endfor %>".repeat(30);
    let many = format!("<% for a in topics %>{}<% endfor %>", "x".repeat(200_000));
    for (text, told) in [(nested.as_str(), "fuel"), (many.as_str(), "at most")] {
        let mut files = files();
        files.insert("sample/files/x.txt".to_owned(), text.to_owned());
        let library = Library::read(&files);
        assert_eq!(library.faults, []);
        let template = library.get("sample").unwrap();
        let given = template.answers(&answers(json!({"topics": ["orders", "users"]}))).unwrap();
        let Err(RenderError::Template(fault)) = template.render(&given) else { panic!("{told}") };
        assert!(fault.message.contains(told), "{fault}");
        assert_eq!(fault.file, "sample/files/x.txt");
    }
}

#[test]
fn an_archive_is_the_same_for_the_same_answers() {
    let (first, second) =
        (zip("order-api", &rendered(json!({}))).unwrap(), zip("order-api", &rendered(json!({}))).unwrap());
    assert_eq!(digest(&first), digest(&second));
    let other = zip("order-api", &rendered(json!({"port": 9090}))).unwrap();
    assert_ne!(digest(&first), digest(&other));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(first)).unwrap();
    let script = archive.by_name("order-api/run.sh").unwrap();
    assert_eq!(script.unix_mode().unwrap() & 0o777, 0o755);
}
