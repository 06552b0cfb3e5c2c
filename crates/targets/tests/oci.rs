//! Looking images up: against a server of our own that asks as the large registries do, and against a real registry when one is named.
//!
//! `PASSERELLE_TEST_REGISTRY` is the `host:port` of a registry on this machine that holds `tinyweb:v1` and no `tinyweb:nope`.

use passerelle_targets::guard::Guard;
use passerelle_targets::oci::{Found, Images, RegistryConfig, finding, open};
use passerelle_targets::{ImageRef, TargetError};
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came: method and path, and the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call {
    line: String,
    authorization: Option<String>,
}

/// A status, headers and a body.
type Answer = (u16, String, &'static str);
type Answering = dyn Fn(&Call, &str) -> Answer + Send + Sync;

/// A server that remembers what it was asked.
struct Server {
    host: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Server {
    async fn start(answer: impl Fn(&Call, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let host = listener.local_addr().expect("address").to_string();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer, own): (_, Arc<Answering>, _) = (Arc::clone(&calls), Arc::new(answer), host.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer, own) = (Arc::clone(&seen), Arc::clone(&answer), own.clone());
                tokio::spawn(async move { serve(stream, &seen, &*answer, &own).await });
            }
        });
        Self { host, calls }
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("lock").clone()
    }
}

async fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Call>>, answer: &Answering, own: &str) {
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let Ok(read @ 1..) = stream.read(&mut chunk).await else { return };
        head.extend_from_slice(&chunk[..read]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    let authorization = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("authorization").then(|| value.to_owned())
    });
    let is_head = line.starts_with("HEAD ");
    let call = Call { line, authorization };
    let (status, headers, body) = answer(&call, own);
    seen.lock().expect("lock").push(call);
    let length = body.len();
    let body = if is_head { "" } else { body };
    let answer = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
    drop(stream.write_all(answer.as_bytes()).await);
}

fn images() -> Images {
    Images::new(Guard::new("127.0.0.0/8").expect("a network"))
}

fn image(host: &str, rest: &str) -> ImageRef {
    ImageRef::parse(&format!("{host}/{rest}")).expect("an image")
}

fn registry(config: Value) -> RegistryConfig {
    passerelle_targets::read_config(config).expect("a registry")
}

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// As Docker Hub, GHCR and Google do: a token for each repository, to anybody for public ones and by password for others.
fn with_tokens(call: &Call, own: &str) -> Answer {
    let ask = |name: &str| {
        format!(
            "www-authenticate: Bearer realm=\"http://{own}/token\",service=\"reg\",scope=\"repository:acme/{name}:pull\"\r\n"
        )
    };
    let authorization = call.authorization.as_deref();
    if call.line.starts_with("GET /token") {
        let secret = call.line.contains("scope=repository%3Aacme%2Fsecret%3Apull");
        assert!(call.line.contains("service=reg"), "{}", call.line);
        // ci:hunter2
        return match (secret, authorization) {
            (true, Some("Basic Y2k6aHVudGVyMg==")) => (200, String::new(), r#"{"access_token": "for-secret"}"#),
            (true, _) => (401, String::new(), "{}"),
            (false, _) => (200, String::new(), r#"{"token": "for-web", "expires_in": 300}"#),
        };
    }
    match (call.line.as_str(), authorization) {
        ("HEAD /v2/acme/web/manifests/1", Some("Bearer for-web"))
        | ("HEAD /v2/acme/secret/manifests/1", Some("Bearer for-secret")) => {
            (200, format!("docker-content-digest: {DIGEST}\r\n"), "")
        }
        ("HEAD /v2/acme/web/manifests/nope", Some("Bearer for-web")) => (404, String::new(), ""),
        (line, None) if line.contains("/acme/secret/") => (401, ask("secret"), ""),
        (_, None) => (401, ask("web"), ""),
        _ => (401, String::new(), ""),
    }
}

#[tokio::test]
async fn a_token_is_fetched_where_the_registry_says() {
    let server = Server::start(with_tokens).await;
    let host = server.host.as_str();
    let images = images();
    let there = Found::There { digest: Some(DIGEST.to_owned()) };
    assert_eq!(images.look_up(&image(host, "acme/web:1"), None).await, there);
    assert_eq!(images.look_up(&image(host, "acme/web:nope"), None).await, Found::Missing);
    let asked = server.calls().len();
    assert_eq!(images.look_up(&image(host, "acme/web:1"), None).await, there);
    assert_eq!(server.calls().len(), asked, "the answer is kept for a moment");
    // Not without a password, not with a wrong one, and the password goes to the token service only.
    let secret = image(host, "acme/secret:1");
    assert_eq!(images.look_up(&secret, None).await, Found::Denied);
    let with = |password: &str| registry(json!({"host": host, "username": "ci", "password": {"value": password}}));
    assert_eq!(images.look_up(&secret, Some(&with("wrong"))).await, Found::Denied);
    assert_eq!(images.look_up(&secret, Some(&with("hunter2"))).await, there);
    let basic = server
        .calls()
        .into_iter()
        .filter(|call| call.authorization.as_deref().is_some_and(|with| with.starts_with("Basic")));
    assert!(basic.into_iter().all(|call| call.line.starts_with("GET /token")));
    let told = finding(&secret, host, &there).expect("a finding").message.to_string();
    assert!(told.ends_with(DIGEST), "{told}");
}

/// As Amazon's does; and a registry that leaves the digest to be computed.
#[tokio::test]
async fn basic_credentials_go_to_the_registry_and_the_digest_is_that_of_the_bytes() {
    let server = Server::start(|call, _| match call.authorization.as_deref() {
        Some("Basic QVdTOnRva2Vu") => (200, String::new(), "{}"),
        _ => (401, "www-authenticate: Basic realm=\"ecr\"\r\n".to_owned(), ""),
    })
    .await;
    let host = server.host.as_str();
    let config = json!({"host": host, "username": "AWS", "password": {"value": "token\n"}});
    let found = images().look_up(&image(host, "web:1"), Some(&registry(config.clone()))).await;
    let digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(found, Found::There { digest: Some(digest.to_owned()) });
    let guard = || Guard::new("127.0.0.0/8").expect("a network");
    assert!(open(config, guard()).expect("open").check().await.is_ok());
    let anonymous = open(json!({"host": host}), guard()).expect("open");
    assert!(matches!(anonymous.check().await, Err(TargetError::Forbidden(_))));
    let outside = open(json!({"host": host}), Guard::default()).expect("open");
    assert!(matches!(outside.check().await, Err(TargetError::Unreachable(_))), "the guard holds");
}

#[tokio::test]
async fn what_a_registry_does_wrong_is_told_and_leads_nowhere() {
    let server = Server::start(|call, _| match call.line.as_str() {
        "HEAD /v2/redirect/manifests/1" => (307, "location: http://127.0.0.1:1/steal\r\n".to_owned(), ""),
        "HEAD /v2/metadata/manifests/1" => {
            (401, "www-authenticate: Bearer realm=\"http://169.254.169.254/token\"\r\n".to_owned(), "")
        }
        "HEAD /v2/nonsense/manifests/1" => (401, "www-authenticate: Bearer realm=\"nonsense\"\r\n".to_owned(), ""),
        "HEAD /v2/lies/manifests/1" => (200, "docker-content-digest: sha256:short\r\n".to_owned(), "x"),
        "GET /v2/lies/manifests/1" => (500, String::new(), ""),
        _ => (503, String::new(), ""),
    })
    .await;
    let host = server.host.as_str();
    let look = async |rest: &str| images().look_up(&image(host, rest), None).await;
    assert!(matches!(look("redirect:1").await, Found::Unreachable(_)));
    assert!(matches!(look("metadata:1").await, Found::NotAsked(_)), "a token service inside is not asked");
    assert!(matches!(look("nonsense:1").await, Found::Unreachable(_)));
    assert_eq!(look("lies:1").await, Found::There { digest: None });
    assert!(matches!(look("down:1").await, Found::Unreachable(_)));
    assert!(matches!(Images::default().look_up(&image(host, "web:1"), None).await, Found::NotAsked(_)));
    let nobody = images().look_up(&image("127.0.0.1:1", "web:1"), None).await;
    assert!(matches!(nobody, Found::Unreachable(_)), "{nobody:?}");
}

#[tokio::test]
async fn on_a_real_registry() {
    let Ok(host) = std::env::var("PASSERELLE_TEST_REGISTRY") else {
        drop(writeln!(std::io::stderr(), "on_a_real_registry: skipped, PASSERELLE_TEST_REGISTRY is not set"));
        return;
    };
    let images = images();
    let Found::There { digest: Some(digest) } = images.look_up(&image(&host, "tinyweb:v1"), None).await else {
        panic!("tinyweb:v1 is not found")
    };
    let pinned = image(&host, &format!("tinyweb@{digest}"));
    let found = images.look_up(&pinned, None).await;
    assert_eq!(found, Found::There { digest: Some(digest) });
    assert_eq!(finding(&pinned, &host, &found), None);
    assert_eq!(images.look_up(&image(&host, "tinyweb:nope"), None).await, Found::Missing);
    assert_eq!(images.look_up(&image(&host, "no/such/repository:1"), None).await, Found::Missing);
    let connection = open(json!({"host": host}), Guard::new("127.0.0.0/8").expect("a network")).expect("open");
    assert_eq!(connection.check().await, Ok(format!("OCI distribution, {host}")));
}
