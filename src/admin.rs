//! Tools for the server's own machine: who can read its data folder or knows its database is its administrator.

use crate::cli::{ArchiveArguments, TokenArguments, VerifyArguments};
use crate::say::say;
use crate::{database, key};
use anyhow::{Context, Result, bail};
use passerelle_contract::access::{Role, Scope};
use passerelle_server::audit::{Archived, CHECKPOINT_FILE, VerifyingKey, Wanted};
use passerelle_server::config::Config;
use passerelle_server::kernel::{Ctx, Keys, Via};
use passerelle_server::portal::Portal;
use std::process::ExitCode;
use time::{Duration, OffsetDateTime};

/// # Errors
/// When the database cannot be had.
pub async fn migrate(config: &Config) -> Result<()> {
    database::open(config).await?;
    say("The schema is up to date.")?;
    Ok(())
}

/// Prints the token, and nothing else, on standard output.
///
/// # Errors
/// When an argument is wrong or the database cannot be had.
pub async fn create_token(config: &Config, arguments: TokenArguments) -> Result<()> {
    let role = Role::parse(&arguments.role)
        .with_context(|| format!("--role {}: must be viewer, developer, operator or admin", arguments.role))?;
    let scope = scope(&arguments.scope)?;
    let days = arguments
        .expires
        .strip_suffix('d')
        .and_then(|days| days.parse::<u16>().ok())
        .filter(|days| (1..=90).contains(days))
        .with_context(|| format!("--expires {}: must be 1d to 90d", arguments.expires))?;
    let opened = database::open(config).await?;
    let portal = Portal::open(opened.db.clone(), opened.keys.clone()).await?;
    let ctx = Ctx::system(Via::Cli, "cli");
    let created = portal
        .identity
        .create_service_token(&ctx, &arguments.user, role, scope, days)
        .await
        .map_err(|e| anyhow::anyhow!("{e}"))?;
    say(created.token)?;
    Ok(())
}

fn scope(text: &str) -> Result<Scope> {
    Ok(match text.split_once(':') {
        None if text == "everything" => Scope::Everything,
        Some(("team", value)) => Scope::Team(value.to_owned()),
        Some(("system", value)) => Scope::System(value.to_owned()),
        Some(("tier", value)) => Scope::Tier(value.to_owned()),
        _ => bail!("--scope {text}: must be everything, team:NAMESPACE/NAME, system:NAMESPACE/NAME or tier:NAME"),
    })
}

/// # Errors
/// When there is an administrator already and not just the sign-in page is wanted, or the database cannot be had.
pub async fn setup_token(config: &Config, or_sign_in: bool) -> Result<()> {
    let opened = database::open(config).await?;
    let portal = Portal::open(opened.db.clone(), opened.keys.clone()).await?;
    let path = match portal.identity.setup_path_if_needed().await? {
        Some(path) => path,
        None if or_sign_in => "/sign-in".to_owned(),
        None => bail!(
            "an administrator exists already; sign in, or make a token with `passerelle admin token create --role admin`"
        ),
    };
    let origin = config.server.public_origin.clone().unwrap_or_else(|| format!("http://{}", config.server.listen));
    say(format_args!("{origin}{path}"))?;
    Ok(())
}

/// # Errors
/// When the rows or the key cannot be read; a broken chain is not an error but ends with 1.
pub async fn verify_audit(config: &Config, arguments: VerifyArguments) -> Result<ExitCode> {
    if let Some(export) = &arguments.export {
        let key = match &arguments.key {
            Some(text) => VerifyingKey::from_hex(text).context("--key: must be 64 hexadecimal digits")?,
            None => own_key(config).context("without --key the export is taken for one of this installation")?,
        };
        let kept = arguments.checkpoints.as_deref();
        let verdict = passerelle_server::audit::verify_export(export, &key, kept).await?;
        say(format_args!("{verdict}"))?;
        return Ok(if verdict.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let opened = database::open(config).await?;
    let checkpoints = arguments.checkpoints.unwrap_or_else(|| config.data.folder.join(CHECKPOINT_FILE));
    let verdict = passerelle_server::audit::verify(&opened.db, &opened.keys, &checkpoints).await?;
    say(format_args!("{verdict}"))?;
    Ok(if verdict.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// # Errors
/// When the audit does not hold, a stream is behind, the file cannot be written, or the database's role does not own its tables.
pub async fn archive_audit(config: &Config, arguments: ArchiveArguments) -> Result<()> {
    let opened = database::open(config).await?;
    let now = OffsetDateTime::now_utc();
    let this_month = now.date().replace_day(1).unwrap_or(now.date()).midnight().assume_utc();
    let before = (0..arguments.keep_months).fold(this_month, |month, _| {
        let last_of_month_before = month - Duration::days(1);
        last_of_month_before.replace_day(1).unwrap_or(last_of_month_before)
    });
    let wanted = Wanted {
        before,
        folder: arguments.to,
        checkpoints: config.data.folder.join(CHECKPOINT_FILE),
        streams: config.audit.streams.iter().map(|stream| stream.id.clone()).collect(),
    };
    let ctx = Ctx::system(Via::Cli, "cli");
    match passerelle_server::audit::archive(&opened.db, &opened.keys, &ctx, &wanted).await? {
        None => say(format_args!("No row is older than {}.", before.date()))?,
        Some(Archived { file, rows, months }) => {
            say(format_args!("{rows} rows are in {} now; {months} months are empty and gone.", file.display()))?;
        }
    }
    Ok(())
}

/// # Errors
/// When this installation has no key yet.
pub fn audit_key(config: &Config) -> Result<()> {
    say(own_key(config)?.to_hex())?;
    Ok(())
}

fn own_key(config: &Config) -> Result<VerifyingKey> {
    let file = key::file(config);
    let Some(keys) = Keys::load(&file)? else {
        bail!("{} is not there: run this where the portal runs, or give --key", file.display());
    };
    Ok(passerelle_server::audit::public_key(&keys))
}

/// # Errors
/// As [`key::replace_lost`].
pub async fn new_key(config: &Config) -> Result<()> {
    let (db, _embedded) = database::connect(config).await?;
    key::replace_lost(&db, config).await
}
