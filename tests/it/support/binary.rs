//! The real program as a process of its own, to be killed.

use super::Database;
use passerelle_simulator::{Simulator, World};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server process with its database, data folder and simulated cluster, which outlive it.
pub struct RunningPortal {
    pub url: String,
    pub admin: String,
    pub simulator: Simulator,
    pub database: Database,
    data: tempfile::TempDir,
    port: u16,
    works: bool,
    child: Child,
    http: reqwest::Client,
}

/// Proof that the process has been killed.
pub struct Killed(RunningPortal);

impl RunningPortal {
    pub async fn with_shop() -> Self {
        Self::of(super::WORLD, true).await
    }

    /// Pages and API only: nothing is driven but by [`Self::worker`].
    pub async fn idle(world: &str) -> Self {
        Self::of(world, false).await
    }

    async fn of(world: &str, works: bool) -> Self {
        let http = super::client();
        let database = Database::create().await;
        let data = tempfile::tempdir().unwrap();
        let simulator = Simulator::start(World::parse(world).unwrap()).await.unwrap();
        let port = free_port();
        let child = spawn(&database, data.path(), port, works);
        let url = format!("http://127.0.0.1:{port}");
        let mut portal = Self { url, admin: String::new(), simulator, database, data, port, works, child, http };
        portal.ready().await;
        portal.admin = portal.new_token();
        super::seed(&portal.http, &portal.url, &portal.admin, &portal.simulator.kubernetes_url("test")).await;
        portal
    }

    fn new_token(&self) -> String {
        let create = ["admin", "token", "create", "--user", "checker", "--role", "admin", "--expires", "1d"];
        let (code, written, _) = self.run(&create);
        assert_eq!(code, Some(0));
        written.trim().to_owned()
    }

    /// Runs a command of the program on this portal: its exit code, output and complaints.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = self
            .command()
            .args(arguments)
            .env("PASSERELLE_SERVER", &self.url)
            .env("PASSERELLE_TOKEN", &self.admin)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// The program with this portal's settings, for a process of its own.
    pub fn command(&self) -> Command {
        self.command_in(self.data())
    }

    /// The same with another data folder.
    pub fn command_in(&self, data: &Path) -> Command {
        command(&self.database, data, self.port)
    }

    pub fn data(&self) -> &Path {
        self.data.path()
    }

    pub async fn ready(&self) {
        let start = Instant::now();
        loop {
            if let Ok(answer) = self.http.get(format!("{}/readyz", self.url)).send().await
                && answer.status().is_success()
            {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "the server did not come up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn post(&self, path: &str, body: &Value) -> super::Answer {
        super::call(&self.http, &self.url, reqwest::Method::POST, path, &self.admin, Some(body)).await
    }

    pub async fn post_with_key(&self, path: &str, body: &Value, key: &str) -> super::Answer {
        let request = self.http.post(format!("{}/api/v1{path}", self.url)).bearer_auth(&self.admin);
        super::answer(request.header("idempotency-key", key).json(body)).await
    }

    pub async fn get(&self, path: &str) -> super::Answer {
        super::call(&self.http, &self.url, reqwest::Method::GET, path, &self.admin, None).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> super::Answer {
        super::call(&self.http, &self.url, reqwest::Method::PATCH, path, &self.admin, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> super::Answer {
        super::call(&self.http, &self.url, reqwest::Method::DELETE, path, &self.admin, None).await
    }

    pub async fn ended(&self, id: &str) -> Value {
        super::ended(&self.http, &self.url, &self.admin, id).await
    }

    /// As the form behind the set-up link does.
    pub async fn make_administrator(&self, token: &str) {
        let secret = "password=correct+horse+battery&password_again=correct+horse+battery";
        let request = self.http.post(format!("{}/setup", self.url)).header("origin", &self.url);
        let form = request.header("content-type", "application/x-www-form-urlencoded");
        let body = format!("csrf=&token={token}&user=grace&display_name=Grace&{secret}");
        let made = form.body(body).send().await.unwrap();
        assert!(made.status().is_redirection(), "{}", made.text().await.unwrap());
    }

    /// One more process that drives deployments; whoever asks for it ends it.
    pub fn worker(&self) -> Child {
        self.command().arg("worker").stdout(Stdio::null()).spawn().unwrap()
    }

    /// SIGKILL.
    pub fn kill(mut self) -> Killed {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Killed(self)
    }
}

impl Killed {
    pub const fn database(&self) -> &Database {
        &self.0.database
    }

    pub fn data(&self) -> &Path {
        self.0.data()
    }

    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        self.0.run(arguments)
    }

    pub const fn simulator(&self) -> &Simulator {
        &self.0.simulator
    }

    pub async fn start_again(mut self) -> RunningPortal {
        self.0.child = spawn(&self.0.database, self.0.data.path(), self.0.port, self.0.works);
        self.0.ready().await;
        self.0
    }
}

impl Drop for RunningPortal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(database: &Database, data: &Path, port: u16, works: bool) -> Child {
    let worker = if works { "true" } else { "false" };
    command(database, data, port)
        .arg("serve")
        .env("PASSERELLE__SERVER__WORKER", worker)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn command(database: &Database, data: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passerelle"));
    command
        .env("DATABASE_URL", &database.url)
        // The site is built after these tests, which need none.
        .env_remove("PASSERELLE__SERVER__SITE")
        .env("PASSERELLE__DATA__FOLDER", data)
        .env("PASSERELLE__SERVER__LISTEN", format!("127.0.0.1:{port}"))
        // Many of them share one Postgres.
        .env("PASSERELLE__DATABASE__MAX_CONNECTIONS", "6")
        .env("PASSERELLE__DEPLOYMENTS__VERIFY_MS", "300")
        .env("PASSERELLE__OUTBOUND__ALLOW_NETWORKS", "127.0.0.0/8")
        .env("PASSERELLE__NOTIFICATIONS__RETRY_MS", "100")
        .env("PASSERELLE__ONBOARDING__TEMPLATES", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/templates"))
        .env("PASSERELLE__ONBOARDING__REPOSITORIES", data)
        .env("PASSERELLE__LOG__FILTER", "warn");
    command
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
