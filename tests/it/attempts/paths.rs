//! Attempt 17: every spelling of a way out of the one folder whose files are served, on a socket, since clients of HTTP put such paths right
//! before they ask.

use super::process::{Process, serve};
use super::raw;
use crate::support::{RunningPortal, WORLD};
use std::process::Stdio;

const INSIDE: &str = "what the site serves";
const OUTSIDE: &str = "what nobody may read";

/// A portal that serves a site of two files; one lies above it.
struct Site {
    url: String,
    _server: Process,
    _portal: RunningPortal,
    _folder: tempfile::TempDir,
}

async fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    std::fs::create_dir_all(site.join("static/sub")).unwrap();
    for (file, text) in [
        ("static/app.js", INSIDE),
        ("static/sub/app.js", INSIDE),
        ("assets.json", "{}"),
        ("secret.txt", OUTSIDE),
        ("../secret.txt", OUTSIDE),
    ] {
        std::fs::write(site.join(file), text).unwrap();
    }
    let portal = RunningPortal::idle(WORLD).await;
    let settings = [
        ("PASSERELLE__SERVER__SITE", site.to_str().unwrap()),
        ("PASSERELLE__SERVER__WORKER", "false"),
        ("PASSERELLE__SERVER__REQUESTS_PER_MINUTE", "0"),
    ];
    let (server, url) = serve(&portal, &settings, Stdio::inherit());
    Site { url, _server: server, _portal: portal, _folder: folder }
}

/// One step upwards, as somebody has tried to write it somewhere.
const UP: [&str; 16] = [
    "..",
    "%2e%2e",
    "%2E%2E",
    ".%2e",
    "%2e.",
    "%252e%252e",
    "%25252e%25252e",
    "..%00",
    "%00..",
    "..;",
    "...",
    "....",
    "%c0%ae%c0%ae",
    "%u002e%u002e",
    "%e2%80%a5",
    "..%20",
];
const BETWEEN: [&str; 9] = ["/", "//", "/./", "%2f", "%2F", "%252f", "%5c", "\\", "%c0%af"];
/// From below `static`, and from anywhere.
const WAYS: [(usize, &str); 3] = [(1, "secret.txt"), (2, "secret.txt"), (12, "etc/passwd")];

fn climbing(prefix: &str) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for up in UP {
        for between in BETWEEN {
            for (steps, file) in WAYS {
                let way = format!("{up}{between}").repeat(steps);
                all.push(format!("{prefix}{way}{}", file.replace('/', between)).into_bytes());
            }
        }
    }
    all
}

/// What is no climbing, and no name of a file either.
fn odd() -> Vec<Vec<u8>> {
    let texts = [
        "/static/%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/%5cetc%5cpasswd",
        "/static/~root/.profile",
        "/static/file:///etc/passwd",
        "/static/app.js%00",
        "/static/app.js%00.css",
        "/static/%00",
        "/static/app.js/..%2fapp.js",
        "/static/sub/../../secret.txt",
        "/static/sub%2f..%2f..%2fsecret.txt",
        "/static/app.js%2f..%2f..%2fsecret.txt",
        "/static/..",
        "/static/%2e%2e",
        "/static/%2e%2e/",
        "/static/..%5c",
        "/static/..%252f..%252fetc/passwd",
        "/static/%",
        "/static/%zz",
        "/static/%ff%fe",
        "/static/%0d%0ax",
        "/%2fstatic/..%2fsecret.txt",
        "/static%2f..%2fsecret.txt",
        "http://elsewhere/static/%2e%2e/secret.txt",
        "*",
        "secret.txt",
        "../secret.txt",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    // Bytes that no address has.
    for bytes in [&b"/static/..\0/secret.txt"[..], b"/static/\xff\xfe", b"/static/\x1b[31m", b"/static/..\t/secret.txt"]
    {
        all.push(bytes.to_vec());
    }
    all
}

fn shown(target: &[u8]) -> String {
    String::from_utf8_lossy(target).escape_debug().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_leads_out_of_the_folder_that_is_served() {
    let site = site().await;
    for inside in ["/static/app.js", "/static/sub/app.js"] {
        let heard = raw::get(&site.url, inside, b"").await;
        assert!(heard.status == Some(200) && heard.text.ends_with(INSIDE), "{inside}: {}", heard.text);
    }
    let targets = [climbing("/static/"), climbing("/static/sub/"), odd()].concat();
    assert!(targets.len() > 800, "{}", targets.len());
    for target in targets {
        let heard = raw::get(&site.url, &target, b"").await;
        let what = format!("{}: {}", shown(&target), heard.text);
        assert!(heard.status.is_some_and(|status| (300..500).contains(&status)), "{what}");
        assert!(!heard.text.contains(OUTSIDE) && !heard.text.contains("root:x:0:0"), "{what}");
    }
}

/// The pages of errors are chosen by a name in their address too; there is no file behind them.
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_errors_are_no_folder() {
    let site = site().await;
    let known = raw::get(&site.url, "/docs/errors/not_found", b"").await;
    assert_eq!(known.status, Some(200), "{}", known.text);
    for target in climbing("/docs/errors/") {
        let heard = raw::get(&site.url, &target, b"").await;
        let what = format!("{}: {}", shown(&target), heard.text);
        assert!(heard.status.is_some_and(|status| (300..500).contains(&status)), "{what}");
        assert!(!heard.text.contains(OUTSIDE) && !heard.text.contains("root:x:0:0"), "{what}");
    }
}

/// What the disk refuses to look for is absent like any other name; and a folder leads nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_no_file_can_have_and_a_folder_are_absent() {
    let site = site().await;
    let names = [
        format!("/static/{}", "a".repeat(256)),
        format!("/static/{}.js", "%41".repeat(300)),
        format!("/static/{}", "a/".repeat(3000)),
        "/static/".to_owned(),
        "/static/sub".to_owned(),
        "/static//sub".to_owned(),
        "/static///sub".to_owned(),
        "/static/sub/".to_owned(),
    ];
    for name in names {
        let heard = raw::get(&site.url, &name, b"").await;
        let short: String = name.chars().take(40).collect();
        assert!(heard.is_refused(), "{short}: {}", heard.text);
        assert!(!heard.text.to_lowercase().contains("\r\nlocation:"), "{short}: {}", heard.text);
    }
}
