//! The rules of the code that a machine can hold. Each is one file with tests that make it fail.

mod doc_paths;
mod files;
mod layers;
mod machine_paths;
mod no_unsafe;
mod openapi;
mod sizes;
mod texts;
mod use_paths;
mod wasm_tree;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::install;
use crate::paths::Paths;
use crate::process::{cargo, run as run_command};
use crate::steps::Steps;

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rule {
    /// rustfmt
    Format,
    /// Capabilities import to their left only
    Layers,
    /// Sizes of files
    Sizes,
    /// Paths named in the documents exist
    DocPaths,
    /// No path of somebody's machine in a file
    MachinePaths,
    /// Every package takes the lints of the workspace, which forbid unsafe code
    NoUnsafe,
    /// What the browser client links
    WasmTree,
    /// French for every sentence of the server
    Texts,
    /// clippy on everything, without a warning
    Lints,
    /// docs/openapi.json is what the server says
    Openapi,
}

/// Quick ones first.
const ALL: [Rule; 10] = [
    Rule::Format,
    Rule::Layers,
    Rule::Sizes,
    Rule::DocPaths,
    Rule::MachinePaths,
    Rule::NoUnsafe,
    Rule::WasmTree,
    Rule::Texts,
    Rule::Lints,
    Rule::Openapi,
];

/// Runs all the rules, even after one failed, so that one run shows everything.
pub fn run(paths: &Paths, only: &[Rule], write: bool) -> Result<()> {
    let rules = if only.is_empty() { &ALL[..] } else { only };
    let mut steps = Steps::new(rules.len());
    let mut failed = Vec::new();
    for rule in rules {
        let name = rule.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        if let Err(error) = steps.step(&format!("check {name}"), || apply(paths, *rule, write)) {
            eprintln!("{error:#}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("checks failed: {}", failed.join(", "));
    }
    eprintln!("all {} checks passed in {}", rules.len(), steps.elapsed());
    Ok(())
}

fn apply(paths: &Paths, rule: Rule, write: bool) -> Result<()> {
    match rule {
        Rule::Format => format(paths, write),
        Rule::Layers => layers::check(paths),
        Rule::Sizes => sizes::check(paths),
        Rule::DocPaths => doc_paths::check(paths),
        Rule::MachinePaths => machine_paths::check(paths),
        Rule::NoUnsafe => no_unsafe::check(paths),
        Rule::WasmTree => wasm_tree::check(paths),
        Rule::Texts => texts::check(paths),
        Rule::Lints => lints(paths),
        Rule::Openapi => openapi::check(paths, write),
    }
}

fn format(paths: &Paths, write: bool) -> Result<()> {
    install::lint_components(paths)?;
    let mut command = cargo(paths);
    command.args(["fmt", "--all"]);
    if !write {
        command.arg("--check");
    }
    run_command(&mut command)
}

/// The workspace as the server sees it, then the app as the browser does.
fn lints(paths: &Paths) -> Result<()> {
    install::lint_components(paths)?;
    install::wasm_target(paths)?;
    install::make()?;
    let deny = ["--", "-D", "warnings"];
    run_command(
        cargo(paths)
            .args(["clippy", "--quiet", "--workspace", "--all-targets", "--features", "passerelle/simulator"])
            .args(deny),
    )?;
    run_command(
        cargo(paths)
            .args([
                "clippy",
                "--quiet",
                "--package",
                "passerelle-app",
                "--no-default-features",
                "--features",
                "hydrate",
            ])
            .args(["--target", "wasm32-unknown-unknown", "--target-dir"])
            .arg(paths.client_target())
            .args(deny),
    )
}

/// All violations of a rule as one error.
fn report(rule: &str, violations: &[String]) -> Result<()> {
    if violations.is_empty() {
        return Ok(());
    }
    bail!("{rule}:\n    {}", violations.join("\n    "));
}
