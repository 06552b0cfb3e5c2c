//! What is wrong with a template is told with its file, line and parameter.

use super::fixture::{fault_of, fault_with, template};
use passerelle_templates::Library;

#[test]
fn a_fault_of_the_description_names_its_line_and_parameter() {
    for (from, to, told) in [
        ("kind: Template", "kind: Form", "sample/template.yaml:3: kind must be `Template`"),
        ("name: sample", "name: other", "sample/template.yaml:5: metadata/name must be `sample`"),
        ("version: 1.2.0", "version: 1.2.x", "must be a version such as 1.0.0"),
        ("title: {en: A sample, fr: Un exemple}", "title: {en: A sample}", "metadata/title has no `fr`"),
        ("platform: kubernetes", "platfrom: kubernetes", "platfrom is not known here"),
        (
            "[name, description, notes, owner]",
            "[name, description, notes]",
            "parameter `owner`: spec/steps never ask for `owner`",
        ),
        ("[name, description, notes, owner]", "[name, nam, owner]", "parameter `nam`"),
        ("[name, description, notes, owner]", "[name, name, owner]", "a second time"),
        ("required: [name,", "required: [nme,", "parameter `nme`"),
        ("pattern: \"^[a-z](", "pattern: \"^[a-z]((", "parameter `name`"),
        (
            "examples: [gateway]",
            "examples: [Gateway]",
            "parameter `name`: spec/parameters/properties/name has a default or an example",
        ),
        (
            "examples: [Takes orders], ",
            "",
            "parameter `description`: spec/parameters/properties/description is required",
        ),
        ("port: {type: integer", "port: {type: int", "parameter `port`"),
        ("minimum: 1024", "minumum: 1024", "minumum is not known here"),
        ("default: 8080", "default: 80", "parameter `port`"),
        ("x-widget: owner", "x-widget: ownr", "parameter `owner`"),
        (
            "x-title: {en: Port, fr: Port}",
            "description: x",
            "parameter `port`: spec/parameters/properties/port has no `x-title`",
        ),
        ("x-when: terraform", "x-when: terrafrm", "uses `terrafrm`"),
        ("x-when: terraform", "x-when: \"terraform and\"", "parameter `database`"),
        ("module: \"name", "module: \"nme", "parameter `module`: spec/computed/module uses `nme`"),
        ("module: \"name", "name: \"name", "must be a new name"),
        ("module: \"name", "template_id: \"name", "must be a new name"),
        ("from: python", "from: pyton", "has no files in _shared/pyton/"),
        ("from: python", "from: ../python", "must be the name of a folder"),
        ("path: \"terraform/**\"", "path: \"terrafrm/**\"", "no file matches terrafrm/**"),
        ("when: \"language == 'python'\"", "when: \"langage == 'python'\"", "uses `langage`"),
        ("format: uri", "format: url", "known are uri and hostname"),
        ("apiVersion: passerelle.dev/v1", "a: &a [*a]", "sample/template.yaml:2"),
    ] {
        let fault = fault_of(from, to);
        assert!(fault.starts_with("sample/template.yaml:") && fault.contains(told), "{from} -> {to}: {fault:?}");
    }
}

#[test]
fn a_fault_of_a_file_names_its_line() {
    for (text, told) in [
        ("a\nb <{ nme }>", "sample/files/x.txt:2: uses `nme`"),
        ("a\n<{ name ", "sample/files/x.txt:2: `<{` without `}>`"),
        ("<{ name | upper | shell }>", "the filter `shell` does not exist"),
        ("a\n<% if name | shell %><% endif %>", "sample/files/x.txt:2: the filter `shell` does not exist"),
        ("<% include 'x' %>", "the tag `include` does not exist"),
        ("<% macro x() %><% endmacro %>", "the tag `macro` does not exist"),
        ("<% set x = name %>", "the tag `set` does not exist"),
        ("<% extends 'x' %>", "the tag `extends` does not exist"),
        ("<% if name %>", "sample/files/x.txt:1"),
        ("<{- name -}>", "without signs for spaces"),
        ("<{}>", "holds an expression"),
        ("<{ range(10) }>", "uses `range`"),
        ("<{ __write(name, 1) }>", "uses `__write`"),
        ("<{ name), 0) }><{ (name }>", "sample/files/x.txt:1"),
    ] {
        let fault = fault_with("sample/files/x.txt", text);
        assert!(fault.contains(told), "{text}: {fault:?}");
    }
}

#[test]
fn a_careless_place_is_found_by_the_canary() {
    for (path, text, told) in [
        ("sample/files/x.yaml", "a: x-<{ description }>", "parameter `description`"),
        ("sample/files/x.yaml", "a: |\n  <{ description }>", "parameter `description`"),
        ("sample/files/x.sh", "echo '<{ description }>'", "parameter `description`"),
        ("sample/files/x.py", "X = \"<{ description | literal }>\"", "no value that can stand here"),
        ("sample/files/x.yaml", "a: <{ description | literal }>", "belongs into"),
        ("sample/files/x.yaml", "a: &x <{ name }>\n b: 1", "cannot be read"),
        ("sample/files/<{ description }>.txt", "x", "parameter `description`"),
        ("sample/files/docker-compose.yml", "a: \"<{ description }>\"", "parameter `description`"),
        ("sample/files/x.txt", "<{ database }>", "parameter `database`"),
        ("sample/files/readme.MD", "x", "cannot stand beside each other"),
    ] {
        let mut files = super::fixture::files();
        files.insert(path.to_owned(), text.to_owned());
        let library = Library::read(&files);
        assert_eq!(library.faults, [], "{text}");
        let fault = library.get("sample").unwrap().prove().unwrap_err().to_string();
        assert!(fault.contains(told), "{path} {text}: {fault}");
    }
}

#[test]
fn a_careful_template_is_proved_over_its_options() {
    let template = template();
    assert_eq!(template.prove(), Ok(template.prove().unwrap()));
    assert!(template.prove().unwrap() >= 8);
    assert_eq!(template.schema()["properties"]["port"]["maximum"], 65535);
    assert_eq!(template.example()["name"], "gateway");
}

#[test]
fn a_folder_is_read_without_following_links() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in super::fixture::files() {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("sample/files/passwd")).unwrap();
    let library = Library::folder(folder.path()).unwrap();
    assert_eq!(library.faults, []);
    let template = library.get("sample").unwrap();
    let files = template.render(&template.answers(&template.example()).unwrap()).unwrap();
    assert!(files.iter().all(|file| file.path != "passwd"));
    assert!(Library::folder(&folder.path().join("absent")).is_err());
}
