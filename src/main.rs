//! The `passerelle` binary: server, worker and tools in one program.

mod admin;
mod cli;
mod database;
mod deploy;
mod import;
mod import_slos;
mod key;
mod listen;
mod logging;
mod remote;
mod say;
mod secrets;
mod serve;
mod site;

use anyhow::{Context, Result};
use clap::Parser;
use cli::{AdminCommand, AuditCommand, Cli, Command, SecretsCommand, TokenCommand};
use say::say;
use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// glibc's allocator spends a third more on a request once an import of a large catalog has left its heap in pieces, and keeps
/// more of what the import took (`docs/benchmarks.md`). Its settings are in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            // The chain of causes on one line each; no backtrace for what a person did.
            eprintln!("passerelle: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    // reqwest and kube take whatever TLS provider the process has chosen.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        anyhow::bail!("another TLS provider is installed already");
    }
    let config = database::read_config(cli.config.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async move {
        match cli.command {
            Command::Serve => serve::serve(config).await.map(|()| ExitCode::SUCCESS),
            Command::Worker => serve::worker(config).await.map(|()| ExitCode::SUCCESS),
            Command::Migrate => admin::migrate(&config).await.map(|()| ExitCode::SUCCESS),
            Command::Import(arguments) => import::import(&config, arguments).await,
            Command::Deploy(arguments) => deploy::deploy(arguments).await,
            Command::ImportSlos(arguments) => import_slos::import(&config, arguments).await,
            Command::Audit(AuditCommand::Verify(arguments)) => admin::verify_audit(&config, arguments).await,
            Command::Audit(AuditCommand::Archive(arguments)) => {
                admin::archive_audit(&config, arguments).await.map(|()| ExitCode::SUCCESS)
            }
            Command::Audit(AuditCommand::Key) => admin::audit_key(&config).map(|()| ExitCode::SUCCESS),
            Command::Secrets(SecretsCommand::Rotate) => secrets::rotate(&config).await,
            Command::Secrets(SecretsCommand::Check) => secrets::check(&config).await,
            Command::Admin(AdminCommand::Token(TokenCommand::Create(arguments))) => {
                admin::create_token(&config, arguments).await.map(|()| ExitCode::SUCCESS)
            }
            Command::Admin(AdminCommand::SetupToken { or_sign_in }) => {
                admin::setup_token(&config, or_sign_in).await.map(|()| ExitCode::SUCCESS)
            }
            Command::Admin(AdminCommand::NewKey) => admin::new_key(&config).await.map(|()| ExitCode::SUCCESS),
            Command::ValidateConfig => {
                logging::check(&config.log)?;
                say("The configuration is good.")?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Openapi => {
                say(passerelle_server::portal::openapi_json()?)?;
                Ok(ExitCode::SUCCESS)
            }
            #[cfg(feature = "simulator")]
            Command::Simulator { listen, world } => serve::simulator(listen, world).await.map(|()| ExitCode::SUCCESS),
        }
    })
}
