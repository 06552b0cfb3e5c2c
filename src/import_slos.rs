//! `passerelle import-slos`: hands files of objectives to a server, or straight to the use case.

use crate::cli::ImportSlosArguments;
use crate::database;
use crate::remote::Remote;
use crate::say::say;
use anyhow::{Context, Result};
use passerelle_contract::slo::{SloImportOptions, SloImportReport};
use passerelle_server::config::Config;
use passerelle_server::kernel::{AppError, Ctx, Via};
use passerelle_server::portal::Portal;
use reqwest::Method;
use std::process::ExitCode;

/// One file after another; ends with 1 at the first that is refused.
///
/// # Errors
/// When a file cannot be read or the server does not answer.
pub async fn import(config: &Config, arguments: ImportSlosArguments) -> Result<ExitCode> {
    let options = SloImportOptions {
        service: arguments.service.clone(),
        namespace: arguments.namespace.clone(),
        environment: arguments.environment.clone(),
        connection: arguments.connection.clone(),
        dry_run: arguments.dry_run,
        ..SloImportOptions::default()
    };
    for path in &arguments.paths {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
        let report = match &arguments.server {
            Some(server) => through_server(server, &arguments, &options, text).await?,
            None => direct(config, &options, &text).await?,
        };
        print(path, &report)?;
        if !report.errors.is_empty() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn through_server(
    server: &str,
    arguments: &ImportSlosArguments,
    options: &SloImportOptions,
    text: String,
) -> Result<SloImportReport> {
    let remote = Remote::new(server, arguments.token.as_deref())?;
    let request = remote.request(Method::POST, "/slos/imports").query(options);
    remote.send(request.header("content-type", "application/yaml").body(text)).await
}

async fn direct(config: &Config, options: &SloImportOptions, text: &str) -> Result<SloImportReport> {
    let opened = database::open(config).await?;
    let portal = Portal::open(opened.db.clone(), opened.keys.clone()).await?;
    portal.configure_secrets(config)?;
    portal.slo.import_slos(&Ctx::system(Via::Cli, "cli"), text, options).await.map_err(|error| {
        if let AppError::Invalid(errors) = &error {
            errors.iter().for_each(|error| eprintln!("  {} {}", error.pointer, error.message));
        }
        anyhow::anyhow!("{error}")
    })
}

fn print(path: &str, report: &SloImportReport) -> Result<()> {
    say(format_args!(
        "{path}: {} created, {} updated, {} unchanged",
        report.created, report.updated, report.unchanged
    ))?;
    for slo in &report.slos {
        let reading = slo.reads_as.get("en").map_or("", String::as_str);
        say(format_args!("  {} {}/{}: {reading}", slo.change, slo.service, slo.name))?;
    }
    for note in report.warnings.iter().chain(&report.errors) {
        eprintln!("  line {} {}: {}", note.line, note.pointer, note.message);
    }
    Ok(())
}
