//! `cargo xtask test`: everything that has to hold before a change goes in.
//!
//! One private Postgres without fsync serves all integration tests; each makes a database of its own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use passerelle_embedded_postgres::{DATABASE, EmbeddedPostgres, Options};

use crate::build::{self, Client, Profile};
use crate::check;
use crate::fuzz;
use crate::install;
use crate::paths::Paths;
use crate::process::{cargo, run as run_command, works};
use crate::steps::Steps;
use crate::supply;

/// The browser tests are a package of their own, since they need a browser and a built site.
const BROWSER_TESTS: &str = "passerelle-e2e";

/// Seconds for each parser.
const FUZZED: u64 = 60;

pub fn run(paths: &Paths, full: bool) -> Result<()> {
    let mut steps = Steps::new(if full { 11 } else { 9 });
    steps.step("Rust's target for the browser", || install::wasm_target(paths))?;
    steps.step("Postgres", install::postgres)?;
    let chromium = steps.step("Chromium", install::chromium)?;
    steps.step("Prometheus", || {
        // Its tests say that they are left out; everything else can be told without it.
        install::prometheus().or_else(|error| {
            println!("tests against Prometheus will be skipped: {error:#}");
            Ok(())
        })
    })?;
    steps.step("checks", || check::run(paths, &[], false))?;
    if full {
        steps.step("dependencies", || supply::run(paths))?;
    }
    let database = steps.step("private Postgres for the tests", TestDatabase::start)?;
    let settings = Settings { url: database.postgres.url(DATABASE), chromium, full };
    steps.step("unit and integration tests", || rust_tests(paths, &settings))?;
    steps.step("browser client, styles and server", || {
        build::build_site(paths, Profile::Dev, Client::Small)?;
        build::build_server(paths, Profile::Dev, true)
    })?;
    steps.step("browser tests", || {
        run_command(settings.apply(paths, cargo(paths).args(["test", "--package", BROWSER_TESTS])))
    })?;
    database.stop();
    if full {
        steps.step("fuzzing", || fuzz::run(paths, &fuzz::Fuzz { seconds: FUZZED, only: Vec::new() }))?;
    }
    println!("\nall checks and tests passed in {}", steps.elapsed());
    Ok(())
}

/// nextest runs the tests of all packages side by side; it leaves out the examples in documentation.
fn rust_tests(paths: &Paths, settings: &Settings) -> Result<()> {
    let all = ["--workspace", "--exclude", BROWSER_TESTS, "--features", "passerelle/simulator"];
    if works("cargo-nextest", &["--version"]) {
        run_command(settings.apply(paths, cargo(paths).args(["nextest", "run"]).args(all)))?;
        run_command(settings.apply(paths, cargo(paths).args(["test", "--doc"]).args(all)))
    } else {
        run_command(settings.apply(paths, cargo(paths).arg("test").args(all)))
    }
}

/// What tests read from their environment.
struct Settings {
    url: String,
    chromium: String,
    full: bool,
}

impl Settings {
    fn apply<'a>(&self, paths: &Paths, command: &'a mut Command) -> &'a mut Command {
        command
            .env("DATABASE_URL", &self.url)
            .env("PASSERELLE_CHROMIUM", &self.chromium)
            .env("PASSERELLE_BIN", Profile::Dev.binary(paths))
            .env("PASSERELLE__SERVER__SITE", Profile::Dev.site(paths));
        if let Some(script) = linters(paths) {
            command.env("PASSERELLE_TEST_VALIDATE", script);
        }
        if self.full {
            command.env("PASSERELLE_TEST_FULL", "1");
        }
        command
    }
}

/// The script that lints what golden paths make, where it lies beside the checkout; one that is named goes first.
fn linters(paths: &Paths) -> Option<PathBuf> {
    let beside = paths.root().join("../shared/peers/validate/validate.sh");
    (std::env::var_os("PASSERELLE_TEST_VALIDATE").is_none() && beside.is_file()).then_some(beside)
}

/// Its folder goes with it.
struct TestDatabase {
    postgres: EmbeddedPostgres,
    folder: PathBuf,
}

impl TestDatabase {
    fn start() -> Result<Self> {
        // Not in the target folder: as root, Postgres runs as a user who may not be able to get there.
        let folder = std::env::temp_dir().join(format!("passerelle-test-{}", std::process::id()));
        let postgres = EmbeddedPostgres::start(Options { data_folder: folder.clone(), durable: false })?;
        Ok(Self { postgres, folder })
    }

    fn stop(self) {
        self.postgres.stop();
        if let Err(error) = std::fs::remove_dir_all(&self.folder).context("the tests' database") {
            eprintln!("cannot remove {}: {error:#}", self.folder.display());
        }
    }
}
