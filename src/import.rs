//! `passerelle import`: collects the files and hands them to a server, or straight to the use case.

use crate::cli::ImportArguments;
use crate::database;
use crate::remote::Remote;
use crate::say::say;
use anyhow::{Context, Result, bail};
use passerelle_contract::catalog::ImportReport;
use passerelle_server::catalog::{ImportOptions, Upload};
use passerelle_server::config::Config;
use passerelle_server::kernel::{Ctx, Via};
use passerelle_server::portal::Portal;
use reqwest::Method;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Ends with 1 when a document was refused.
///
/// # Errors
/// When nothing could be imported at all.
pub async fn import(config: &Config, arguments: ImportArguments) -> Result<ExitCode> {
    let body = read(&arguments.path)?;
    let source = arguments.source.clone().unwrap_or_else(|| arguments.path.clone());
    let report = match &arguments.server {
        Some(server) => through_server(server, &arguments, source, body).await?,
        None => direct(config, &arguments, source, &body).await?,
    };
    print(&report)?;
    Ok(if report.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One YAML stream, each file behind a marker line.
fn read(path: &str) -> Result<Vec<u8>> {
    if path == "-" {
        let mut body = Vec::new();
        std::io::stdin().lock().read_to_end(&mut body).context("reading standard input")?;
        return Ok(body);
    }
    let root = Path::new(path);
    if root.is_file() {
        return std::fs::read(root).with_context(|| format!("reading {path}"));
    }
    let mut files = Vec::new();
    collect(root, &mut files).with_context(|| format!("reading {path}"))?;
    files.sort();
    if files.is_empty() {
        bail!("{path} holds no .yaml or .yml file");
    }
    let mut body = Vec::new();
    for file in files {
        let relative = file.strip_prefix(root).unwrap_or(&file);
        body.extend_from_slice(format!("# passerelle-file: {}\n", relative.display()).as_bytes());
        body.extend_from_slice(&std::fs::read(&file).with_context(|| format!("reading {}", file.display()))?);
        body.push(b'\n');
    }
    Ok(body)
}

/// Documents of other formats lie beside the catalog: only files that hold `apiVersion:` with a `kind:` are taken, and no OpenSLO
/// files, which `import-slos` takes.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // A symlink could lead out of the folder.
        if entry.file_type()?.is_dir() {
            collect(&path, files)?;
        } else if entry.file_type()?.is_file()
            && path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
            && looks_like_entity(&std::fs::read(&path)?)
        {
            files.push(path);
        }
    }
    Ok(())
}

fn looks_like_entity(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    // Objectives have a command of their own.
    let entity = |line: &str| line.starts_with("apiVersion:") && !line.contains("openslo/");
    text.lines().any(entity) && text.lines().any(|line| line.starts_with("kind:"))
}

async fn through_server(
    server: &str,
    arguments: &ImportArguments,
    source: String,
    body: Vec<u8>,
) -> Result<ImportReport> {
    let remote = Remote::new(server, arguments.token.as_deref())?;
    let request = remote
        .request(Method::POST, "/catalog/imports")
        .query(&[
            ("dry_run", arguments.dry_run.to_string()),
            ("prune", arguments.prune.to_string()),
            ("source", source),
        ])
        .header("content-type", "application/yaml")
        .body(body);
    remote.send(request).await
}

async fn direct(config: &Config, arguments: &ImportArguments, source: String, body: &[u8]) -> Result<ImportReport> {
    let opened = database::open(config).await?;
    let portal = Portal::open(opened.db.clone(), opened.keys.clone()).await?;
    portal.configure_secrets(config)?;
    let upload = Upload::from_stream(body).map_err(|error| anyhow::anyhow!("{} {}", error.pointer, error.message))?;
    let options = ImportOptions { source, dry_run: arguments.dry_run, prune: arguments.prune };
    let ctx = Ctx::system(Via::Cli, "cli");
    portal.import(&ctx, upload, options).await.map_err(|error| anyhow::anyhow!("{error}"))
}

fn print(report: &ImportReport) -> Result<()> {
    let done = if report.dry_run { "would be " } else { "" };
    say(format_args!(
        "{} {done}created, {} {done}updated, {} unchanged, {} {done}archived, {} refused",
        report.created,
        report.updated,
        report.unchanged,
        report.archived,
        report.errors.len()
    ))?;
    if report.dry_run {
        for change in &report.changes {
            say(format_args!("  {} {} {}", change.change, change.reference, change.fields.join(" ")))?;
        }
    }
    for error in &report.errors {
        eprintln!("  {}, line {} {}: {}", error.document, error.line, error.pointer, error.message);
    }
    Ok(())
}
