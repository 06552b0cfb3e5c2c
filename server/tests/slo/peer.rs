//! A Prometheus of one's own, with a history.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The name of Prometheus' own file about TLS and sign-in.
pub const DOOR: &str = "web.yml";

pub struct Prometheus {
    child: Child,
    pub url: String,
    pub folder: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// With the series of an OpenMetrics text. Nothing when Prometheus is not installed.
    pub async fn with(history: &str) -> Option<Self> {
        Self::behind(history, tempfile::tempdir().unwrap()).await
    }

    /// The same behind the door that the folder's `web.yml` describes, if there is one.
    pub async fn behind(history: &str, folder: tempfile::TempDir) -> Option<Self> {
        std::fs::write(folder.path().join("history.om"), history).unwrap();
        std::fs::write(folder.path().join("prometheus.yml"), "global: {scrape_interval: 1h}\n").unwrap();
        let blocks = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet", "history.om", "data"])
            .current_dir(folder.path())
            .output();
        let Ok(blocks) = blocks else {
            println!("skipped: promtool and prometheus (Debian package prometheus) are not installed");
            return None;
        };
        assert!(blocks.status.success(), "{}", String::from_utf8_lossy(&blocks.stderr));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Self::start(folder.path(), port);
        let scheme = if folder.path().join(DOOR).exists() { "https" } else { "http" };
        let prometheus = Self { child, url: format!("{scheme}://127.0.0.1:{port}"), folder };
        prometheus.ready(port).await;
        Some(prometheus)
    }

    fn start(folder: &std::path::Path, port: u16) -> Child {
        let door = folder.join(DOOR).exists().then(|| format!("--web.config.file={DOOR}"));
        Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=90d"])
            .args(door)
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    async fn ready(&self, port: u16) {
        let start = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "prometheus does not listen");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // It answers 503 until its blocks are open.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub async fn start_again(&mut self) {
        let port: u16 = self.url.rsplit(':').next().unwrap().parse().unwrap();
        self.child = Self::start(self.folder.path(), port);
        self.ready(port).await;
    }
}
