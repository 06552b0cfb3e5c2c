use super::{component, read};
use crate::catalog::text::safe_url;
use crate::catalog::upload::{MAX_UPLOAD_BYTES, Upload};
use std::time::Instant;

#[test]
fn an_anchor_bomb_is_refused_by_line_before_it_grows() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let before = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 9].join(", ")));
    }
    let start = Instant::now();
    let parsed = read(&format!("{text}{}", component("ok", "")));
    assert!(start.elapsed().as_secs() < 2);
    assert_eq!(parsed.entities.len(), 1);
    assert!(parsed.errors[0].message.to_string().contains("anchors and aliases"), "{:?}", parsed.errors[0]);
    assert!((3..=6).contains(&parsed.errors[0].line), "{}", parsed.errors[0].line);
}

#[test]
fn depth_size_and_repeated_keys_have_limits() {
    let cases = [
        ("[".repeat(10_000), "nested deeper"),
        (format!("a: {}{}", "{b: ".repeat(200), "}".repeat(200)), "nested deeper"),
        (format!("a: [{}]", "1,".repeat(150_000)), "more than 100000 values"),
        (format!("a: {}", "x".repeat(5 << 20)), "bytes"),
        ("a: 1\nb: 2\na: 3\n".to_owned(), "twice"),
        ("a: &a [*a]\n".to_owned(), "inside the value"),
        ("? [1]\n: 2\n".to_owned(), "key"),
        ("a: \"x\\0y\"\n".to_owned(), "NUL"),
        ("just text\n".to_owned(), "must be a mapping"),
    ];
    for (text, message) in cases {
        let parsed = read(&text);
        let found = parsed.errors.first().map(|error| error.message.to_string()).unwrap_or_default();
        assert!(found.contains(message), "{message}: {found}");
        assert_eq!(parsed.entities.len(), 0);
    }
}

#[test]
fn hostile_names_and_texts_are_refused_by_field() {
    let names = [
        "<script>",
        "=cmd()",
        "a\\u202eb",
        "../etc",
        "a/b",
        ":key",
        "",
        "-a",
        "a-",
        "é",
        "a b",
        &"x".repeat(64),
        &"x".repeat(10_000),
    ];
    for name in names {
        let parsed = read(&component(&format!("\"{name}\""), ""));
        assert_eq!(parsed.entities.len(), 0, "{name}");
        assert_eq!(parsed.errors[0].pointer, "/metadata/name", "{name}");
    }
    for plain in ["null", "true", "123", "1.5", "[a]", "{a: b}"] {
        let parsed = read(&component(plain, ""));
        assert_eq!((parsed.entities.len(), parsed.errors[0].pointer.as_str()), (0, "/metadata/name"), "{plain}");
    }
    for field in ["title", "description"] {
        for text in ["a\\u202eb", "a\\u2066b", "a\\eb", "a\\bb"] {
            let parsed =
                read(&format!("apiVersion: v1\nkind: Component\nmetadata:\n  name: a\n  {field}: \"{text}\"\n"));
            assert_eq!(parsed.errors[0].pointer, format!("/metadata/{field}"), "{text}");
            assert_eq!(parsed.errors[0].line, 5);
        }
    }
    let namespaces = ["Upper", "a.b", "-x", "x_y"];
    for namespace in namespaces {
        let parsed = read(&format!("apiVersion: v1\nkind: Component\nmetadata: {{name: a, namespace: {namespace}}}\n"));
        assert_eq!(parsed.errors[0].pointer, "/metadata/namespace", "{namespace}");
    }
}

#[test]
fn a_value_that_looks_like_yaml_stays_data() {
    let parsed =
        read("apiVersion: v1\nkind: Component\nmetadata:\n  name: a\n  description: \"x\\n  hostNetwork: true\"\n");
    assert_eq!(parsed.entities[0].entity.description.as_deref(), Some("x\n  hostNetwork: true"));
}

#[test]
fn links_are_http_https_or_mailto() {
    for good in ["https://example.org/a?b=c#d", "http://127.0.0.1:3000", "mailto:team@example.org"] {
        assert_eq!(safe_url(good), Ok(()), "{good}");
    }
    let bad = [
        "javascript:alert(1)",
        "data:text/html,x",
        " java\tscript:x",
        "java\nscript:x",
        "//host",
        "https://ok@host",
        "https:host",
        "https:///",
        "/path",
        "",
        "ftp://x",
        "vbscript:x",
        "https://ok:pw@host/",
        "\u{202e}https://x",
    ];
    for bad in bad {
        assert!(safe_url(bad).is_err(), "{bad}");
    }
}

#[test]
fn uploads_stay_inside_their_folder_and_their_size() {
    for path in ["../a.yaml", "/etc/passwd", "a/../../b", "C:\\x", "a\\b", "", ".", "a\0b", "a\nb"] {
        assert!(Upload::default().push(path, b"").is_err(), "{path:?}");
    }
    let mut upload = Upload::default();
    upload.push("a/./b.yaml", b"").unwrap();
    assert!(upload.push("a/b.yaml", b"").is_err(), "the same path twice");
    assert!(upload.push("c.yaml", &[0xff, 0xfe]).is_err(), "not UTF-8");
    assert!(Upload::from_stream(&vec![b'#'; MAX_UPLOAD_BYTES + 1]).is_err());
    assert!(Upload::from_stream(b"# passerelle-file: ../x\na: 1\n").is_err());
}
