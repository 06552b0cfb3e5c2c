//! `cargo xtask fuzz`: each parser of what strangers send, for a while under libFuzzer.
//!
//! Only our own crates are instrumented (`tests/fuzz/instrument.sh`), with stable options of the compiler: nothing of others is compiled twice. What
//! is found worth keeping stays in `target/fuzz/NAME/corpus` for the next run, and inputs that break something in `target/fuzz/NAME`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::install;
use crate::paths::Paths;
use crate::process::{cargo, run as run_command};

const PACKAGE: &str = "passerelle-fuzz";
const SEEDS: &str = "tests/fuzz/seeds";
/// Seconds for one input, and memory of the program in MB: more is a fault as much as a panic is.
const LIMITS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=8192"];

#[derive(Debug)]
pub struct Fuzz {
    /// For each parser.
    pub seconds: u64,
    /// All when empty.
    pub only: Vec<String>,
}

pub fn run(paths: &Paths, fuzz: &Fuzz) -> Result<()> {
    let program = build(paths)?;
    let all = names(&paths.root().join(SEEDS))?;
    if let Some(unknown) = fuzz.only.iter().find(|name| !all.contains(name)) {
        bail!("there is no parser {unknown}; there are {}", all.join(", "));
    }
    let mut wanted: Vec<String> = if fuzz.only.is_empty() { all } else { fuzz.only.clone() };
    wanted.reverse();
    let wanted = Mutex::new(wanted);
    let broken = Mutex::new(Vec::new());
    let next = || wanted.lock().ok().and_then(|mut wanted| wanted.pop());
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(name) = next() {
                    if let Err(error) = one(paths, &program, &name, fuzz.seconds)
                        && let Ok(mut broken) = broken.lock()
                    {
                        broken.push(format!("{name}: {error:#}"));
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap_or_default();
    if !broken.is_empty() {
        bail!("inputs that break a parser:\n    {}", broken.join("\n    "));
    }
    Ok(())
}

fn build(paths: &Paths) -> Result<PathBuf> {
    install::cpp()?;
    let mut command = cargo(paths);
    command.args(["build", "--package", PACKAGE, "--features", "libfuzzer"]);
    command.env("RUSTC_WORKSPACE_WRAPPER", paths.root().join("tests/fuzz/instrument.sh"));
    run_command(&mut command)?;
    Ok(paths.target().join("debug").join(PACKAGE))
}

/// Every parser has a folder of seeds by its name.
fn names(seeds: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(seeds).with_context(|| seeds.display().to_string())? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

fn one(paths: &Paths, program: &Path, name: &str, seconds: u64) -> Result<()> {
    let folder = paths.target().join("fuzz").join(name);
    let corpus = folder.join("corpus");
    std::fs::create_dir_all(&corpus).with_context(|| corpus.display().to_string())?;
    let start = Instant::now();
    let output = Command::new(program)
        .env("PASSERELLE_FUZZ", name)
        .arg(&corpus)
        .arg(paths.root().join(SEEDS).join(name))
        .args(LIMITS)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", folder.display()))
        .arg("-print_final_stats=1")
        .output()
        .with_context(|| program.display().to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let log = folder.join("log");
        std::fs::write(&log, said.as_bytes()).with_context(|| log.display().to_string())?;
        bail!("{}, see {}", found(&said).unwrap_or("it ended badly"), log.display());
    }
    let runs = figure(&said, "number_of_executed_units").unwrap_or(0);
    println!("      {name}: {runs} inputs in {} s, nothing found", start.elapsed().as_secs());
    Ok(())
}

/// A figure of the end, as `stat::number_of_executed_units: 12`.
fn figure(said: &str, name: &str) -> Option<u64> {
    let value = said.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':'));
    value?.trim().parse().ok()
}

/// Where the input that broke it was put.
fn found(said: &str) -> Option<&str> {
    said.lines().rev().find(|line| line.contains("Test unit written to"))
}

#[cfg(test)]
mod tests {
    use super::{figure, found};

    const SAID: &str = "#12 DONE\nartifact_prefix='x/'; Test unit written to x/crash-1\nstat::number_of_executed_units: 812\n\
                        stat::peak_rss_mb:              90\n";

    #[test]
    fn the_end_is_read() {
        assert_eq!(figure(SAID, "number_of_executed_units"), Some(812));
        assert_eq!(figure(SAID, "peak_rss_mb"), Some(90));
        assert_eq!(figure(SAID, "slowest_unit_time_sec"), None);
        assert!(found(SAID).is_some_and(|line| line.ends_with("x/crash-1")) && found("DONE").is_none());
    }
}
