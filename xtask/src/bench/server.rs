//! A server of its own for each measurement, with its private Postgres and its data in a folder that is gone afterwards.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::http::Connection;
use super::process::Watched;
use super::request;

const LIMIT: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(2);

/// What is started, and where it keeps its data.
#[derive(Debug, Clone)]
pub struct Installation {
    pub binary: PathBuf,
    pub site: PathBuf,
    pub data: PathBuf,
    /// Variables of the environment beside the usual ones.
    pub settings: Vec<(String, String)>,
}

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    pub watched: Watched,
    /// From the start of the process to the first good answer of `/readyz`, Postgres included.
    pub ready_after: Duration,
    lines: mpsc::Receiver<String>,
    child: Child,
}

impl Server {
    pub fn start(installation: &Installation) -> Result<Self> {
        // Free now; nobody else is expected to take it within milliseconds.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let start = Instant::now();
        let log = installation.data.with_extension("log");
        let mut child = command(installation, address)
            // Not to a terminal, which would slow it down.
            .stderr(File::create(&log).with_context(|| format!("cannot make {}", log.display()))?)
            .spawn()
            .with_context(|| format!("cannot start {}", installation.binary.display()))?;
        let lines = follow(&mut child)?;
        let mut server = Self { address, watched: Watched { pid: child.id() }, ready_after: LIMIT, lines, child };
        while !server.is_ready() {
            if let Some(status) = server.child.try_wait()? {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("the server ended by itself with {status}: {}", said.trim());
            }
            if start.elapsed() > LIMIT {
                bail!("the server was not ready within {} s", LIMIT.as_secs());
            }
            std::thread::sleep(TICK);
        }
        server.ready_after = start.elapsed();
        Ok(server)
    }

    fn is_ready(&self) -> bool {
        let ready = Connection::open(self.address).and_then(|mut one| one.call(&request::plain("/readyz")));
        ready.is_ok_and(|answer| answer.status == 200)
    }

    /// The token of the link that makes the first administrator; the server prints it when it has none.
    pub fn set_up_token(&self) -> Result<String> {
        loop {
            let line = self.lines.recv_timeout(LIMIT).context("the server did not print a set-up link")?;
            if let Some((_, token)) = line.split_once("/setup?token=") {
                return Ok(token.trim().to_owned());
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // In order, since its private Postgres has to stop with it.
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(TICK);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(installation: &Installation, address: SocketAddr) -> Command {
    let mut command = Command::new(&installation.binary);
    command
        .arg("serve")
        .env_remove("DATABASE_URL")
        .env("PASSERELLE__SERVER__LISTEN", address.to_string())
        .env("PASSERELLE__SERVER__SITE", &installation.site)
        .env("PASSERELLE__DATA__FOLDER", &installation.data)
        // Counted as for anybody, but a load is more than a person sends.
        .env("PASSERELLE__SERVER__REQUESTS_PER_MINUTE", "100000000")
        .env("PASSERELLE__SERVER__WRITES_PER_MINUTE", "100000000")
        .envs(installation.settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

fn follow(child: &mut Child) -> Result<mpsc::Receiver<String>> {
    let output = child.stdout.take().context("a server without output")?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Read on when nobody listens any more: a full pipe would stop the server.
            let _ = sender.send(line);
        }
    });
    Ok(lines)
}

/// A folder for data that is gone when this is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Not in the target folder: as root, Postgres runs as another user, who may not be able to get there.
    pub fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("passerelle-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o711))?;
        Ok(Self(folder))
    }

    pub fn folder(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
