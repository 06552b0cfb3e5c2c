//! Server and simulator as processes, with the five demo systems, on ports and data of their own.
//!
//! Invariant: both processes end with the [`Portal`], the server by SIGTERM, since its private Postgres has to stop with it.

use crate::{LIMIT, TICK};
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;

/// How the simulated rollouts run: long enough for a page to be seen while one is on its way.
const SPEED: &str = "speed: 2";

#[derive(Debug)]
pub struct Portal {
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    /// The one-use link that the server printed.
    pub set_up_link: String,
    token: String,
    http: reqwest::Client,
    _server: Process,
    _simulator: Process,
    folder: tempfile::TempDir,
}

impl Portal {
    /// Starts everything and imports the demo.
    ///
    /// # Errors
    /// When something does not start; says what is missing.
    pub async fn start() -> Result<Self> {
        let binary = binary()?;
        let folder = tempfile::tempdir()?;
        // Postgres may run as another user, who has to pass through.
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711))?;
        let [portal_port, kubernetes, swarm] = free_ports()?;
        let demo = folder.path().join("demo");
        copy_demo(&root().join("demo"), &demo, kubernetes, swarm)?;
        let mut simulator = Command::new(&binary);
        simulator.args(["simulator", "--listen", &format!("127.0.0.1:{kubernetes}"), "--world"]);
        let simulator = Process::start("the simulator", simulator.arg(demo.join("simulator.yaml")))?;

        let data = folder.path().join("data");
        let repositories = folder.path().join("repositories");
        std::fs::create_dir(&repositories)?;
        let command = |arguments: &[&str]| {
            let mut command = Command::new(&binary);
            command
                // A private Postgres of its own, whatever else is at hand.
                .env_remove("DATABASE_URL")
                .env("PASSERELLE__DATA__FOLDER", &data)
                .env("PASSERELLE__ONBOARDING__REPOSITORIES", &repositories)
                .env("PASSERELLE__SERVER__LISTEN", format!("127.0.0.1:{portal_port}"))
                .env("PASSERELLE__DEPLOYMENTS__VERIFY_MS", "1500")
                .env("PASSERELLE__LOG__FILTER", "warn")
                .args(arguments);
            command
        };
        let origin = format!("http://127.0.0.1:{portal_port}");
        let mut server = Process::start("the portal", &mut command(&["serve"]))?;
        let set_up_link = server.line_with("/setup?")?;
        simulator.listens(kubernetes)?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(LIMIT).build()?;
        ready(&http, &origin).await?;
        let token = output(&mut command(&["admin", "token", "create", "--user", "walker", "--role", "admin"]))?;
        let token = token.trim().to_owned();
        let imported = demo.to_string_lossy().into_owned();
        output(&mut command(&["import", &imported, "--server", &origin, "--token", &token]))?;
        for files in objectives(&demo) {
            let mut import = command(&["import-slos", "--server", &origin, "--token", &token]);
            output(import.args(files))?;
        }
        Ok(Self { origin, set_up_link, token, http, _server: server, _simulator: simulator, folder })
    }

    /// Asks the API as an administrator.
    ///
    /// # Errors
    /// When it does not answer well.
    pub async fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let url = format!("{}/api/v1{path}", self.origin);
        let method = reqwest::Method::from_bytes(method.as_bytes())?;
        let mut request = self.http.request(method, &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{url}: {status} {text}");
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// What an address of the portal answers an administrator.
    ///
    /// # Errors
    /// When it does not answer well.
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        let url = format!("{}{path}", self.origin);
        let answer = self.http.get(&url).bearer_auth(&self.token).send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// Makes a repository with these files, in the folder that the portal delivers to.
    ///
    /// # Errors
    /// When git does not.
    pub fn repository(&self, name: &str, files: &[(&str, &str)]) -> Result<()> {
        let place = self.folder.path().join("repositories").join(name);
        for (path, text) in files {
            let path = place.join(path);
            std::fs::create_dir_all(path.parent().context("a file without a folder")?)?;
            std::fs::write(path, text)?;
        }
        for arguments in [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--message", "theirs"]] {
            let who = ["-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"];
            let done = Command::new("git").arg("-C").arg(&place).args(who).args(arguments).status()?;
            ensure!(done.success(), "git {arguments:?}: {done}");
        }
        Ok(())
    }

    /// Deploys over the API and waits for the end, so that there is a version to go back to.
    ///
    /// # Errors
    /// When it does not succeed.
    pub async fn deploy(&self, service: &str, environment: &str, version: &str) -> Result<()> {
        let wanted = json!({
            "service": service, "environment": environment, "version": version, "reason": "before the walks"
        });
        let url = format!("{}/api/v1/deployments", self.origin);
        let answer = self.http.post(&url).bearer_auth(&self.token).json(&wanted).send().await?;
        let (status, body) = (answer.status(), answer.json::<Value>().await?);
        ensure!(status.is_success(), "{url}: {status} {body}");
        let id = body["id"].as_str().context("a deployment without id")?.to_owned();
        let start = Instant::now();
        loop {
            let now = self.http.get(format!("{url}/{id}")).bearer_auth(&self.token).send().await?;
            let now = now.json::<Value>().await?;
            if !now["ended_at"].is_null() {
                ensure!(now["state"] == "succeeded", "{now}");
                return Ok(());
            }
            ensure!(start.elapsed() < LIMIT, "not ended: {now}");
            tokio::time::sleep(TICK).await;
        }
    }

    /// Waits until every objective has figures.
    ///
    /// # Errors
    /// When some still has none.
    pub async fn measured(&self) -> Result<()> {
        let url = format!("{}/api/v1/slos?limit=200", self.origin);
        let start = Instant::now();
        loop {
            let found = self.http.get(&url).bearer_auth(&self.token).send().await?.json::<Value>().await?;
            let slos = found["items"].as_array().context("no list of objectives")?;
            if !slos.is_empty() && slos.iter().all(|slo| !slo["verdict"].is_null()) {
                return Ok(());
            }
            ensure!(start.elapsed() < LIMIT, "not measured: {found}");
            tokio::time::sleep(TICK).await;
        }
    }
}

/// What `cargo xtask demo` imports: the five-line file with what it does not say, and those that say everything.
fn objectives(demo: &Path) -> [Vec<String>; 2] {
    let file = |name: &str| demo.join("systems").join(name).to_string_lossy().into_owned();
    let named = ["--namespace", "fil-rouge", "--connection", "fil-rouge-prometheus"].map(str::to_owned);
    let five_lines = std::iter::once(file("fil-rouge/slo-definitions.yaml")).chain(named).collect();
    let others = ["cloudtaskhub", "exai", "gke-reactivite", "skillforge"];
    [five_lines, others.map(|system| file(&format!("{system}/slos.yaml"))).to_vec()]
}

#[derive(Debug)]
struct Process {
    name: &'static str,
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Process {
    fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Read on when nobody listens any more: a full pipe would stop the process.
                let _ = sender.send(line);
            }
        });
        Ok(Self { name, child, lines })
    }

    /// The last word of the first line with this text.
    fn line_with(&mut self, text: &str) -> Result<String> {
        let start = Instant::now();
        loop {
            let left = LIMIT.saturating_sub(start.elapsed());
            let line = self.lines.recv_timeout(left).with_context(|| format!("{} did not say {text:?}", self.name))?;
            if line.contains(text) {
                return Ok(line.split_whitespace().last().unwrap_or_default().to_owned());
            }
        }
    }

    fn listens(&self, port: u16) -> Result<()> {
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(start.elapsed() < LIMIT, "{} does not listen on {port}", self.name);
            std::thread::sleep(TICK);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let start = Instant::now();
        while asked.is_ok() && start.elapsed() < LIMIT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(TICK);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn ready(http: &reqwest::Client, origin: &str) -> Result<()> {
    let start = Instant::now();
    loop {
        if let Ok(answer) = http.get(format!("{origin}/readyz")).send().await
            && answer.status().is_success()
        {
            return Ok(());
        }
        ensure!(start.elapsed() < LIMIT, "the portal did not become ready");
        tokio::time::sleep(TICK).await;
    }
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The server, with the simulator in it, as `cargo xtask test` builds it.
fn binary() -> Result<PathBuf> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.parent()?.join("passerelle"));
    let binary = std::env::var_os("PASSERELLE_BIN").map(PathBuf::from).or_else(beside).unwrap_or_default();
    ensure!(binary.is_file(), "there is no server at {}: run `cargo xtask test`", binary.display());
    Ok(binary)
}

/// Held together until all are known, so that they differ.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut listeners = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(ports)
}

/// The demo with other ports, since its own may be taken by a demo that somebody looks at.
fn copy_demo(from: &Path, to: &Path, kubernetes: u16, swarm: u16) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_demo(&entry.path(), &target, kubernetes, swarm)?;
        } else {
            let text = std::fs::read_to_string(entry.path())?
                .replace("127.0.0.1:3900", &format!("127.0.0.1:{kubernetes}"))
                .replace("127.0.0.1:3910", &format!("127.0.0.1:{swarm}"))
                .replace("port: 3910", &format!("port: {swarm}"))
                .replace("speed: 1\n", &format!("{SPEED}\n"));
            std::fs::write(target, text)?;
        }
    }
    Ok(())
}
