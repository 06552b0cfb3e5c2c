//! The connection: what is wrong with it is told apart, and a broken one does not hang.

use crate::cluster::{Cluster, VARIABLE, connect};
use crate::contract::{Image, Peer, new_fence, say};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use kube::config::Kubeconfig;
use passerelle_targets::{Change, TargetError};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Address and certificate authority of the cluster under test.
pub fn address() -> (String, String) {
    let path = std::env::var(VARIABLE).expect("set");
    let kubeconfig = Kubeconfig::read_from(path).expect("kubeconfig");
    let cluster = kubeconfig.clusters[0].cluster.clone().expect("cluster");
    let pem = STANDARD.decode(cluster.certificate_authority_data.expect("ca")).expect("base64");
    (cluster.server.expect("server"), String::from_utf8(pem).expect("PEM"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_addresses_credentials_and_names_are_told_apart() {
    let Some(cluster) = Cluster::open("wrong_addresses_credentials_and_names_are_told_apart").await else { return };
    let missing = cluster.bind("nowhere");
    assert!(matches!(missing.observe().await, Err(TargetError::Missing(_))));
    let change = Change::Restart;
    assert!(matches!(missing.apply(&change, new_fence()).await, Err(TargetError::Missing(_))));
    cluster.create("names", Image::First, 0).await;
    let config = json!({"namespace": cluster.namespace, "deployment": "names", "container": "other"});
    let wrong = cluster.connection.bind(config).expect("bind").observe().await;
    assert!(
        matches!(&wrong, Err(TargetError::Config { message, .. }) if message.to_string().contains("it has: web")),
        "{wrong:?}"
    );
    let (server, ca) = address();
    let stranger = connect(json!({"server": server, "ca": ca, "token": {"value": "nobody"}})).await.expect("connect");
    assert!(matches!(stranger.check().await, Err(TargetError::Forbidden(_))));
    let untrusted = connect(json!({"server": server, "token": {"value": "nobody"}})).await.expect("connect");
    let error = untrusted.check().await.expect_err("an unknown authority");
    assert!(error.is_transient() && error.to_string().contains("certificate"), "{error}");
    let closed = connect(json!({"server": "http://127.0.0.1:9", "token": {"value": "t"}})).await.expect("connect");
    assert!(matches!(closed.check().await, Err(TargetError::Unreachable(_))));
    cluster.close().await;
}

/// Passes bytes on to the API server until it is dropped; then every connection through it is cut.
struct Line {
    port: u16,
    task: JoinHandle<()>,
}

impl Line {
    async fn open(server: &str) -> Self {
        let target = server.trim_start_matches("https://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let port = listener.local_addr().expect("address").port();
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let target = target.clone();
                open.spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(target).await {
                        drop(copy_bidirectional(&mut near, &mut far).await);
                    }
                });
            }
        });
        Self { port, task }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_ends_the_watch_with_an_error() {
    let Some(cluster) = Cluster::open("a_cut_connection_ends_the_watch_with_an_error").await else { return };
    cluster.create("cut", Image::First, 0).await;
    let (server, _) = address();
    let line = Line::open(&server).await;
    let text = std::fs::read_to_string(std::env::var(VARIABLE).expect("set")).expect("kubeconfig");
    let through = text.replace(&server, &format!("https://127.0.0.1:{}", line.port));
    let connection = connect(json!({"kubeconfig": {"value": through}})).await.expect("connect");
    let config = json!({"namespace": cluster.namespace, "deployment": "cut"});
    let target = connection.bind(config).expect("bind");
    let mut watch = target.watch();
    watch.next().await.expect("an item").expect("observe");
    drop(line);
    let begun = Instant::now();
    let end = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            match watch.next().await {
                Some(Ok(_)) => {}
                other => return other,
            }
        }
    });
    let error = end.await.expect("in time").expect("an item").expect_err("an error");
    assert!(error.is_transient() && begun.elapsed() < Duration::from_secs(10), "{error}");
    assert!(watch.next().await.is_none(), "the stream goes on after its error");
    assert!(target.observe().await.is_err_and(|error| error.is_transient()));
    cluster.close().await;
}

/// A server that takes the connection and never answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_is_given_up() {
    // It takes its 15 seconds, so it goes with the slow tests.
    if std::env::var(VARIABLE).is_err() {
        return say("a_silent_server_is_given_up: skipped with the other slow tests");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let config = json!({"server": format!("http://127.0.0.1:{port}"), "token": {"value": "t"}});
    let connection = connect(config).await.expect("connect");
    let begun = Instant::now();
    let error = connection.check().await.expect_err("no answer");
    assert!(error.is_transient() && begun.elapsed() < Duration::from_secs(20), "{error}");
    drop(listener);
}
