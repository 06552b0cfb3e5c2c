//! Several processes of one installation: their key, their health, what stands before them.

use crate::support::{RunningPortal, TestPortal};
use axum::http::{Method, StatusCode};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_data_folder_gets_no_key_of_its_own() {
    let portal = RunningPortal::with_shop().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let refused = |why: &str| {
        let output = portal.command_in(elsewhere.path()).arg("migrate").output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && complaint.contains(why), "{complaint}");
    };
    refused("this database was used with a key: copy secret.key");
    assert!(!elsewhere.path().join("secret.key").exists());
    std::fs::write(elsewhere.path().join("secret.key"), "0".repeat(64)).unwrap();
    refused("is not the key that this database was used with");
    // The portal's own key, copied, is taken.
    std::fs::copy(portal.data().join("secret.key"), elsewhere.path().join("secret.key")).unwrap();
    let output = portal.command_in(elsewhere.path()).arg("migrate").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_replaced_on_request_and_noted() {
    let portal = RunningPortal::with_shop().await;
    let (code, _, complaint) = portal.run(&["admin", "new-key"]);
    assert!(code == Some(1) && complaint.contains("nothing is lost"), "{complaint}");
    let portal = portal.kill();
    std::fs::remove_file(portal.data().join("secret.key")).unwrap();
    let (code, _, complaint) = portal.run(&["migrate"]);
    assert!(code == Some(1) && complaint.contains("passerelle admin new-key"), "{complaint}");
    let (code, said, complaint) = portal.run(&["admin", "new-key"]);
    assert_eq!(code, Some(0), "{said}{complaint}");
    let (code, verdict, _) = portal.run(&["audit", "verify"]);
    assert!(code == Some(1) && verdict.contains("is not signed by this installation"), "{verdict}");
    let portal = portal.start_again().await;
    let audit = portal.get("/audit?action=access.edit").await.body;
    let reasons: Vec<_> = audit["items"].as_array().unwrap().iter().map(|row| row["reason"].as_str()).collect();
    let changes = reasons.iter().flatten().filter(|reason| reason.contains("is signed with the key"));
    assert_eq!(changes.count(), 2, "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_tells_its_health() {
    let portal = RunningPortal::idle(crate::support::WORLD).await;
    let mut worker = portal
        .command()
        .arg("worker")
        .env("PASSERELLE__WORKER__LISTEN", "127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(worker.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let url = said.trim().rsplit(' ').next().unwrap().to_owned();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(reqwest::get(format!("{url}{path}")).await.unwrap().status(), StatusCode::OK, "{path}");
    }
    assert_eq!(reqwest::get(format!("{url}/api/v1/services")).await.unwrap().status(), StatusCode::NOT_FOUND);
    terminate(worker.id());
    let ended = tokio::task::spawn_blocking(move || worker.wait().unwrap()).await.unwrap();
    assert!(ended.success(), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_says_that_it_is_not_ready_before_it_closes() {
    let portal = RunningPortal::with_shop().await;
    let mut second = portal
        .command()
        .arg("serve")
        .env("PASSERELLE__SERVER__LISTEN", "127.0.0.1:0")
        .env("PASSERELLE__SERVER__WORKER", "false")
        .env("PASSERELLE__SERVER__SHUTDOWN_DELAY_MS", "3000")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(second.stdout.take().unwrap()).lines();
    let said = lines.map_while(Result::ok).find(|line| line.contains("listens on")).unwrap();
    let url = said.rsplit(' ').next().unwrap().to_owned();
    assert_eq!(reqwest::get(format!("{url}/readyz")).await.unwrap().status(), StatusCode::OK);
    terminate(second.id());
    let start = Instant::now();
    while reqwest::get(format!("{url}/readyz")).await.unwrap().status() != StatusCode::SERVICE_UNAVAILABLE {
        assert!(start.elapsed() < Duration::from_secs(2), "still ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Whoever still comes is served.
    assert_eq!(reqwest::get(format!("{url}/healthz")).await.unwrap().status(), StatusCode::OK);
    let ended = tokio::task::spawn_blocking(move || second.wait().unwrap()).await.unwrap();
    assert!(ended.success(), "{ended}");
}

/// A header that never ends holds a connection only so long; whoever asks on time is answered, also twice on one connection.
#[tokio::test(flavor = "multi_thread")]
async fn who_never_ends_a_header_is_cut_off() {
    let portal = RunningPortal::idle(crate::support::WORLD).await;
    let mut server = portal
        .command()
        .arg("serve")
        .env("PASSERELLE__SERVER__LISTEN", "127.0.0.1:0")
        .env("PASSERELLE__SERVER__WORKER", "false")
        .env("PASSERELLE__SERVER__HEADER_TIMEOUT_MS", "1500")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = said.take(5).find(|line| line.starts_with("Passerelle listens on ")).unwrap();
    let address = line.rsplit_once("//").unwrap().1.to_owned();
    let mut asking = TcpStream::connect(&address).await.unwrap();
    let mut slow = TcpStream::connect(&address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: portal\r\nx-slow: ").await.unwrap();
    let started = Instant::now();
    for _ in 0..2 {
        asking.write_all(b"GET /healthz HTTP/1.1\r\nhost: portal\r\n\r\n").await.unwrap();
        let mut answer = [0; 4096];
        let length = asking.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..length]));
    }
    let (mut rest, limit) = (Vec::new(), Duration::from_secs(20));
    // One more byte now and then buys no time.
    let cut = tokio::time::timeout(limit, async {
        loop {
            tokio::select! {
                read = slow.read_to_end(&mut rest) => return read,
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
            if slow.write_all(b"a").await.is_err() {
                return Ok(0);
            }
        }
    });
    assert!(cut.await.is_ok(), "still open after {limit:?}");
    assert!(started.elapsed() >= Duration::from_millis(1400), "cut off after {:?}", started.elapsed());
    server.kill().unwrap();
    server.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_no_more_ends_no_command_badly() {
    let portal = RunningPortal::with_shop().await;
    let mut command = portal.command().arg("openapi").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(command.stdout.take());
    let output = command.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Thirty failures keep one address out, and nobody else behind the same proxy.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_everybody_has_their_own_limit() {
    let trusting = TestPortal::start_with(|config, _| config.server.trusted_proxies = "127.0.0.1/32".to_owned()).await;
    let plain = TestPortal::start().await;
    let failing = async |portal: &TestPortal, client: &str| {
        let body = json!({ "user": format!("nobody{}", rand_name()), "password": "wrong wrong wrong" });
        let request = portal.http.request(Method::POST, format!("{}/api/v1/sessions", portal.url));
        let request = request.header("origin", &portal.url).header("x-forwarded-for", client).json(&body);
        request.send().await.unwrap().status()
    };
    for portal in [&trusting, &plain] {
        for _ in 0..30 {
            assert_eq!(failing(portal, "198.51.100.1").await, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(failing(portal, "198.51.100.1").await, StatusCode::TOO_MANY_REQUESTS);
        // What the client wrote itself is left of what the proxy wrote.
        assert_eq!(failing(portal, "203.0.113.9, 198.51.100.1").await, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(failing(&trusting, "198.51.100.2").await, StatusCode::UNAUTHORIZED);
    assert_eq!(failing(&plain, "198.51.100.2").await, StatusCode::TOO_MANY_REQUESTS, "nobody is believed by default");
    let audit = trusting.get("/audit?action=access.sign_in&outcome=denied").await.body;
    assert!(audit.to_string().contains("from 198.51.100.2"), "{audit}");
}

fn rand_name() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// SIGTERM, as systemd and Kubernetes send it.
fn terminate(pid: u32) {
    assert!(std::process::Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap().success());
}
