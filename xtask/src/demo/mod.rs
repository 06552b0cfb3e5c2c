//! `cargo xtask demo`: from a clone to a portal with five systems in a browser.
//!
//! The real server with its real adapters; only the platforms that it deploys to are the simulator's.

mod api;
mod channel;
mod scans;
mod story;
mod warnings;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::build::{self, Client, Profile};
use crate::install;
use crate::paths::Paths;
use crate::process::{Companion, output, run as run_command};
use crate::signals::Signals;
use crate::steps::Steps;
use crate::waiting;
use api::Api;

/// Where the connections in `demo/` say that their platforms are.
const SIMULATOR: &str = "127.0.0.1:3900";

/// Systems whose objectives are OpenSLO documents.
const OPENSLO: [&str; 4] = ["cloudtaskhub", "exai", "gke-reactivite", "skillforge"];

/// What can be chosen.
#[derive(Debug)]
pub struct Demo {
    pub data: PathBuf,
    pub listen: String,
    pub profile: Profile,
}

pub fn run(paths: &Paths, demo: &Demo) -> Result<()> {
    let signals = Signals::catch()?;
    let mut steps = Steps::new(10);
    waiting::check_free(&demo.listen, Some("--listen"))?;
    waiting::check_free(SIMULATOR, None)?;
    steps.step("Rust's target for the browser", || install::wasm_target(paths))?;
    steps.step("Postgres", install::postgres)?;
    steps.step("browser client and styles", || build::build_site(paths, demo.profile, Client::Small))?;
    steps.step("server", || build::build_server(paths, demo.profile, true))?;
    let portal = Portal::new(paths, &demo.data, &demo.listen, demo.profile)?;
    let first_time = !portal.data.join("postgres").exists();

    let mut simulator = steps.step("start the simulator", || start_simulator(paths, &portal, SIMULATOR, &signals))?;
    let mut server = steps.step("start the portal", || portal.start(&signals))?;
    let token = steps.step("load the five systems", || import(paths, &portal))?;
    steps.step("load their objectives", || import_slos(paths, &portal, &token))?;
    let api = Api::new(&portal.listen, &token);
    steps.step("channels for messages, to the simulator", || channel::make(&api))?;
    let link =
        steps.step("sign-in link", || output(portal.command().args(["admin", "setup-token", "--or-sign-in"])))?;

    println!("\nPasserelle runs, with five systems on simulated platforms (ready after {}).", steps.elapsed());
    println!("\n  Sign in:  {}\n  Portal:   {}/\n", link.trim(), portal.address());
    println!("The database is in {}; without it the demo begins anew. Ctrl-C stops everything.", portal.data.display());
    if first_time {
        println!(
            "A few deployments run now, so that there is something to look at: one fails, some are stopped, one waits for your approval."
        );
        story::play(api);
    }
    wait(&signals, &mut server, &mut simulator)?;
    eprintln!("\nstopping");
    drop(server);
    drop(simulator);
    Ok(())
}

fn wait(signals: &Signals, server: &mut Companion, simulator: &mut Companion) -> Result<()> {
    while !signals.asked_to_stop(Duration::from_millis(500)) {
        server.still_runs()?;
        simulator.still_runs()?;
    }
    Ok(())
}

fn start_simulator(paths: &Paths, portal: &Portal, address: &str, signals: &Signals) -> Result<Companion> {
    let world = paths.root().join("demo/simulator.yaml");
    let mut simulator = Companion::start("the simulator", &portal.binary, |command| {
        command.args(["simulator", "--listen", address, "--world"]).arg(world);
    })?;
    waiting::until_listening(address, &mut simulator, signals, Duration::from_secs(30))?;
    Ok(simulator)
}

/// Over the API, as a person would; importing again changes nothing. Returns the token that it was done with.
fn import(paths: &Paths, portal: &Portal) -> Result<String> {
    let token = output(portal.command().args([
        "admin",
        "token",
        "create",
        "--user",
        "demo-import",
        "--role",
        "admin",
        "--expires",
        "1d",
    ]))?;
    let folder = paths.root().join("demo");
    let token = token.trim().to_owned();
    let mut command = portal.command();
    // Arguments can be read by everybody on the machine.
    command.arg("import").arg(folder).arg("--server").arg(portal.address()).env("PASSERELLE_TOKEN", &token);
    run_command(&mut command)?;
    Ok(token)
}

/// The five-line file as it stands, for the services that its objectives are named after, and the others, which name everything
/// themselves.
fn import_slos(paths: &Paths, portal: &Portal, token: &str) -> Result<()> {
    let systems = paths.root().join("demo/systems");
    let server = portal.address();
    let import = || {
        let mut command = portal.command();
        command.args(["import-slos", "--server", &server]).env("PASSERELLE_TOKEN", token);
        command
    };
    let five_lines = systems.join("fil-rouge/slo-definitions.yaml");
    run_command(import().arg(five_lines).args(["--namespace", "fil-rouge", "--connection", "fil-rouge-prometheus"]))?;
    let others = OPENSLO.map(|system| systems.join(system).join("slos.yaml"));
    run_command(import().args(others))
}

/// A built server and how to run it.
#[derive(Debug)]
pub struct Portal {
    binary: PathBuf,
    site: PathBuf,
    data: PathBuf,
    listen: String,
}

impl Portal {
    pub fn new(paths: &Paths, data: &Path, listen: &str, profile: Profile) -> Result<Self> {
        let data = paths.root().join(data);
        std::fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
        Ok(Self { binary: profile.binary(paths), site: profile.site(paths), data, listen: listen.to_owned() })
    }

    fn address(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// One of its commands, on this portal's data.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        self.configure(&mut command);
        command
    }

    /// Starts it and waits until it is ready.
    pub fn start(&self, signals: &Signals) -> Result<Companion> {
        let mut server = Companion::start("the portal", &self.binary, |command| {
            command.arg("serve");
            self.configure(command);
        })?;
        waiting::until_ready(&self.listen, "/readyz", &mut server, signals, Duration::from_secs(60))?;
        Ok(server)
    }

    fn configure(&self, command: &mut Command) {
        command
            // The demo has its own database even when the developer has another one at hand.
            .env_remove("DATABASE_URL")
            .env("PASSERELLE__SERVER__LISTEN", &self.listen)
            // The demo's channel leads to the simulator.
            .env("PASSERELLE__OUTBOUND__ALLOW_NETWORKS", "127.0.0.1/32")
            .env("PASSERELLE__SERVER__SITE", &self.site)
            .env("PASSERELLE__DATA__FOLDER", &self.data);
    }
}
