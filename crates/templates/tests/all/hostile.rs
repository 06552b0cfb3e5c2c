//! Answers that try to be more than data: each is refused with its parameter's name, or comes back out of every file as it went in.

use super::fixture::{answers, content, template};
use passerelle_templates::RenderError;
use serde_json::{Value, json};

/// Texts against shells, templates, YAML, JSON, TOML, Terraform, Markdown, HTML, paths and terminals.
const TEXTS: &[&str] = &[
    "../x",
    "../../etc/passwd",
    "/etc/passwd",
    "a/../../b",
    "..\\x",
    "C:\\x",
    "nul",
    "CON",
    ".git/config",
    "~root",
    "-rf",
    "--upload-pack=x",
    "a;b",
    "a && b",
    "a || b",
    "a | b",
    "a > b",
    "a & b",
    "`id`",
    "$(id)",
    "${IFS}id",
    "$HOME",
    "a\nb",
    "a\r\nb",
    "a\tb",
    "a\0b",
    "\u{1b}[31mred",
    "{{7*7}}",
    "{{ config }}",
    "{% raw %}",
    "<{ name }>",
    "<% include 'x' %>",
    "<# x #>",
    "${{ secrets.TOKEN }}",
    "#{7*7}",
    "%{ if x }",
    "${var.x}",
    "[[ .Values ]]",
    "@@x@@",
    "<%= 7*7 %>",
    "{{ \"up\" | query }}",
    "$$",
    "$$(x)",
    "%%",
    "%s%n",
    "\\x41",
    "\\u0041",
    "\\N{BULLET}",
    "a: b",
    "a:",
    ": a",
    "a #b",
    "#",
    "- a",
    "-",
    "? a",
    "&a",
    "*a",
    "!!python/object/apply:os.system [id]",
    "!include x",
    "|",
    ">",
    "|-\n  x",
    "\"",
    "'",
    "\"\"",
    "''",
    "\"a\"",
    "'a'",
    "a\"b",
    "a'b",
    "\\",
    "\\\"",
    "a\\",
    "a\n  hostNetwork: true",
    "x\nspec:\n  hostNetwork: true",
    "---",
    "...",
    "--- a",
    "%YAML 1.1",
    "<<: *x",
    "[a]",
    "[",
    "]",
    "{a: b}",
    "{",
    "}",
    ",",
    "yes",
    "no",
    "on",
    "off",
    "null",
    "~",
    "true",
    "1",
    "1.0",
    "1e3",
    "0x10",
    "0o7",
    "1_000",
    "12:30",
    "2026-11-21",
    ".inf",
    ".nan",
    "\"}, \"admin\": true, {\"",
    "\"\n[admin]\nx = 1",
    "\"\"\"",
    "'''",
    "\" }\nresource \"x\" \"y\" {",
    "EOT\n}",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](http://x)",
    "```\nrm -rf /\n```",
    "| a | b |",
    "# Title",
    "<!-- x -->",
    "]]>",
    "é",
    "日本語",
    "🚀",
    "a\u{202e}b",
    "a\u{200b}b",
    "a\u{2028}b",
    "a\u{85}b",
    "\u{feff}a",
    "a\u{ad}b",
    "\u{e0041}",
    "=cmd()",
    "+1",
    "@SUM(1)",
    "'; DROP TABLE services; --",
    "\\'; x",
    "__import__('os')",
    "f\"{x}\"",
    "{x}",
    "{}",
    "name",
    "__write",
    "loop",
    "self",
];

/// The same, and some that are only long.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
    texts.push("x".repeat(1 << 20));
    texts.push("{".repeat(200));
    texts.push("[".repeat(200));
    texts.push("é".repeat(200));
    texts
}

#[test]
fn a_free_text_is_refused_by_name_or_stays_a_text_in_every_file() {
    let (template, texts) = (template(), texts());
    assert!(texts.len() >= 100);
    let (mut kept, mut refused) = (0, 0);
    for text in texts {
        let given = match template.answers(&answers(json!({"description": text}))) {
            Ok(given) => given,
            Err(errors) => {
                assert!(errors.iter().all(|error| error.pointer == "/description"), "{text:?}: {errors:?}");
                refused += 1;
                continue;
            }
        };
        let files = match template.render(&given) {
            Ok(files) => files,
            Err(error) => panic!("{text:?}: {error}"),
        };
        kept += 1;
        let text = text.trim().replace("\r\n", "\n");
        let catalog: Value = serde_yaml_ng::from_str(content(&files, "catalog-info.yaml")).unwrap();
        assert_eq!(catalog["metadata"]["description"], text.as_str());
        assert_eq!(catalog["metadata"]["note"], format!("about {text}"));
        assert_eq!(catalog["spec"], json!({"owner": "group:default/team-a", "port": 8080}), "{text:?}");
        let package: Value = serde_json::from_str(content(&files, "package.json")).unwrap();
        assert_eq!(package, json!({"name": "order-api", "about": text, "x": format!("say {text}"), "r": 99.9}));
        let settings: toml::Table = toml::from_str(content(&files, "settings.toml")).unwrap();
        assert_eq!((settings["about"].as_str(), settings.len()), (Some(text.as_str()), 3));
        assert_eq!(settings["a"]["b"].as_str(), Some(format!("c {text}").as_str()));
        terraform_and_program(&text, content(&files, "terraform/main.tf"), content(&files, "src/order_api/app.py"));
        let page = content(&files, "site/index.html");
        assert_eq!((page.matches('<').count(), page.matches('"').count()), (2, 2), "{page}");
        let readme = content(&files, "README.md");
        assert_eq!((readme.lines().count(), readme.contains("<script")), (7, false), "{readme}");
    }
    assert!(kept >= 80 && refused >= 30, "{kept} kept, {refused} refused");
}

fn terraform_and_program(text: &str, terraform: &str, program: &str) {
    assert_eq!(terraform.lines().count(), 4, "{terraform}");
    for line in [terraform.lines().nth(1), terraform.lines().nth(2)] {
        let literal = line.unwrap().split_once(" = ").unwrap().1;
        let read: String = serde_json::from_str(literal).unwrap();
        assert_eq!(read.replace("$${", "${").replace("%%{", "%{"), text);
        assert!(!literal.replace("$${", "").contains("${") && !literal.replace("%%{", "").contains("%{"), "{literal}");
    }
    assert_eq!(program.lines().count(), 2);
    let literal = program.lines().next().unwrap().strip_prefix("NAME = ").unwrap();
    assert_eq!(serde_json::from_str::<String>(literal).unwrap(), text);
}

#[test]
fn names_choices_numbers_and_links_take_nothing_else() {
    let template = template();
    let words = ["name", "self", "loop", "yes", "no", "on", "off", "null", "true", "nul"];
    for text in texts() {
        for parameter in ["name", "owner", "language", "host", "link", "port", "terraform", "topics"] {
            let given = template.answers(&answers(json!({ parameter: text })));
            match given {
                Err(errors) => {
                    assert!(errors.iter().all(|error| error.pointer == format!("/{parameter}")), "{errors:?}")
                }
                Ok(given) => {
                    let blank = text.trim().is_empty();
                    let word = words.contains(&text.as_str())
                        || (parameter != "name"
                            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
                    assert!(blank || word, "{parameter}: {text:?}");
                    match template.render(&given) {
                        Ok(_) => {}
                        Err(RenderError::Answers(errors)) => {
                            assert!(errors.iter().all(|error| error.pointer == format!("/{parameter}")))
                        }
                        Err(error) => panic!("{parameter}: {text:?}: {error}"),
                    }
                }
            }
        }
    }
}

#[test]
fn a_name_that_reads_as_another_type_stays_a_text() {
    let template = template();
    for name in ["yes", "null", "true", "no", "y", "on"] {
        let files = template.render(&template.answers(&answers(json!({ "name": name }))).unwrap()).unwrap();
        let catalog: Value = serde_yaml_ng::from_str(content(&files, "catalog-info.yaml")).unwrap();
        assert_eq!(catalog["metadata"]["name"], name);
    }
}

#[test]
fn answers_of_other_shapes_are_refused_by_name() {
    let template = template();
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    for value in
        [json!({"a": 1}), json!([["orders"]]), json!([1]), json!(1e308), json!(-1), deep, json!([null]), json!(true)]
    {
        for parameter in ["name", "description", "port", "topics", "language"] {
            if let Err(errors) = template.answers(&answers(json!({ parameter: value }))) {
                assert!(errors.iter().all(|error| error.pointer == format!("/{parameter}")));
            } else {
                panic!("{parameter} took {value}");
            }
        }
    }
}
