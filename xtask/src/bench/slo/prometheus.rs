//! A real Prometheus on a free port, which scrapes one target and is stopped when this is dropped.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::super::http::Connection;
use super::super::request;

const LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Prometheus {
    pub address: SocketAddr,
    child: Child,
}

impl Prometheus {
    pub fn start(folder: &Path, target: SocketAddr) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let config = folder.join("prometheus.yml");
        let scrape = format!("{{job_name: bench, static_configs: [{{targets: ['{target}']}}]}}");
        fs::write(&config, format!("global: {{scrape_interval: 5s}}\nscrape_configs: [{scrape}]\n"))?;
        // Free now; nobody else is expected to take it within milliseconds.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(File::create(folder.join("out"))?)
            .stderr(File::create(folder.join("log"))?)
            .spawn()
            .context("prometheus could not be started")?;
        let prometheus = Self { address, child };
        let start = Instant::now();
        while !prometheus.is_ready() {
            if start.elapsed() > LIMIT {
                bail!("Prometheus was not ready within {} s", LIMIT.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(prometheus)
    }

    fn is_ready(&self) -> bool {
        let ready = Connection::open(self.address).and_then(|mut one| one.call(&request::plain("/-/ready")));
        ready.is_ok_and(|answer| answer.status == 200)
    }

    /// Queries over a range that it has answered, by its own count.
    pub fn queries(&self) -> Result<f64> {
        let answer = Connection::open(self.address)?.call(&request::plain("/metrics"))?;
        let text = String::from_utf8(answer.body)?;
        let counts = text.lines().filter(|line| {
            line.starts_with("prometheus_http_requests_total{") && line.contains("handler=\"/api/v1/query_range\"")
        });
        Ok(counts.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
