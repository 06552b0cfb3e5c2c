//! `passerelle secrets`: a new key for what is sealed, and whether all of it opens.

use crate::database;
use crate::say::say;
use anyhow::{Context, Result};
use passerelle_server::config::Config;
use passerelle_server::kernel::{Ctx, Via};
use passerelle_server::portal::Portal;
use passerelle_server::secrets::Unreadable;
use std::process::ExitCode;

/// # Errors
/// When another rotation runs, or the database cannot be had. What does not open ends with 1: it keeps its old key.
pub async fn rotate(config: &Config) -> Result<ExitCode> {
    let opened = database::open(config).await?;
    let portal = Portal::open(opened.db.clone(), opened.keys.clone()).await?;
    let rotated = portal.rotate_secrets(&Ctx::system(Via::Cli, "cli")).await.context("rotating the sealing keys")?;
    let (key, count) = (rotated.key, rotated.resealed);
    let how = if rotated.resumed { " (of a rotation that had not come to its end)" } else { "" };
    say(format_args!("Everything is sealed with key {key}{how}; {count} secrets were sealed anew."))?;
    complain(&rotated.unreadable)
}

/// # Errors
/// When the database cannot be had. What does not open ends with 1.
pub async fn check(config: &Config) -> Result<ExitCode> {
    let opened = database::open(config).await?;
    let portal = Portal::open(opened.db.clone(), opened.keys.clone()).await?;
    let checked = portal.check_secrets().await.context("reading the secrets back")?;
    say(format_args!("{} secrets open with the keys of this installation.", checked.good))?;
    complain(&checked.unreadable)
}

fn complain(unreadable: &[Unreadable]) -> Result<ExitCode> {
    for one in unreadable {
        say(format_args!("{one} does not open with them: give it again."))?;
    }
    Ok(if unreadable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The self-test of a start. The keys themselves were read back when the database was opened; a secret that does not open keeps nobody from
/// starting, because giving it again needs the portal.
///
/// # Errors
/// When the database is away.
pub async fn read_back(portal: &Portal) -> Result<()> {
    for one in portal.check_secrets().await.context("reading the secrets back")?.unreadable {
        tracing::error!("the secret {one} does not open with the keys of this installation: give it again");
    }
    Ok(())
}
