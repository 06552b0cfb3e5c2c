//! `passerelle serve` and `passerelle worker`.

use crate::say::say;
use crate::site::Site;
use crate::{database, listen, logging, secrets};
use anyhow::{Context, Result};
use passerelle_server::audit::Stream;
use passerelle_server::config::Config;
use passerelle_server::portal::{Jobs, Portal};
#[cfg(feature = "simulator")]
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long open requests may take to end after SIGTERM.
const DRAIN: Duration = Duration::from_secs(20);

/// # Errors
/// When the database or the address cannot be had.
pub async fn serve(config: Config) -> Result<()> {
    logging::start(&config.log)?;
    let opened = database::open(&config).await?;
    let portal = Portal::open(opened.db.clone(), opened.keys.clone()).await.context("starting the portal")?;
    secrets::read_back(&portal).await?;
    check(&portal, &config)?;
    let stop = CancellationToken::new();
    let jobs = portal.spawn_jobs(Jobs { worker: config.server.worker }, &config, stop.clone());
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("listening on {}", config.server.listen))?;
    let address = listener.local_addr()?;
    let site = Site::open(&config)?;
    let pages = passerelle_app::router(portal.clone(), site.assets.clone()).merge(site.router());
    let router = portal.router(pages, &config);
    if let Some(path) = portal.identity.setup_path_if_needed().await.context("the set-up link")? {
        // Printed, not logged: the link is a credential until it is used.
        let origin = config.server.public_origin.clone().unwrap_or_else(|| format!("http://{address}"));
        say(format_args!("Make the first administrator here (works once, for 30 minutes): {origin}{path}"))?;
    }
    say(format_args!("Passerelle listens on http://{address}"))?;
    let (ending, health) = (stop.clone(), portal.health.clone());
    let delay = Duration::from_millis(config.server.shutdown_delay_ms);
    let server = listen::serve(listener, router, config.server.header_timeout(), async move {
        shutdown_signal().await;
        health.drain();
        if !delay.is_zero() {
            tracing::info!(delay_ms = delay.as_millis(), "stopping: not ready any more, still serving");
            tokio::time::sleep(delay).await;
        }
        tracing::info!("stopping: no new work, open requests may end");
        ending.cancel();
    });
    tokio::select! {
        () = server => {}
        () = async { stop.cancelled().await; tokio::time::sleep(DRAIN).await } => tracing::warn!("some requests did not end in time"),
    }
    jobs.wait().await;
    drop(opened);
    Ok(())
}

/// What of the settings can only be seen with the files that they name.
fn check(portal: &Portal, config: &Config) -> Result<()> {
    portal.configure_secrets(config).context("the settings of Vault")?;
    Stream::all(&portal.db, &config.audit).context("the streams of the audit")?;
    Ok(())
}

/// # Errors
/// When the database cannot be had.
pub async fn worker(config: Config) -> Result<()> {
    logging::start(&config.log)?;
    let opened = database::open(&config).await?;
    let portal = Portal::open(opened.db.clone(), opened.keys.clone()).await.context("starting the portal")?;
    secrets::read_back(&portal).await?;
    check(&portal, &config)?;
    let stop = CancellationToken::new();
    let jobs = portal.spawn_jobs(Jobs { worker: true }, &config, stop.clone());
    if let Some(listen) = config.worker.listen {
        let listener = TcpListener::bind(listen).await.with_context(|| format!("listening on {listen}"))?;
        say(format_args!("Passerelle tells its health on http://{}", listener.local_addr()?))?;
        let (router, ended) = (passerelle_server::http::health(portal.health.clone()), stop.clone());
        tokio::spawn(listen::serve(listener, router, config.server.header_timeout(), ended.cancelled_owned()));
    }
    say("Passerelle drives deployments")?;
    shutdown_signal().await;
    portal.health.drain();
    stop.cancel();
    jobs.wait().await;
    drop(opened);
    Ok(())
}

/// Serves simulated platforms until it is stopped.
///
/// # Errors
/// When the world cannot be read or the address not be had.
#[cfg(feature = "simulator")]
pub async fn simulator(listen: SocketAddr, world: std::path::PathBuf) -> Result<()> {
    let text = std::fs::read_to_string(&world).with_context(|| format!("reading {}", world.display()))?;
    let world = passerelle_simulator::World::parse(&text).with_context(|| world.display().to_string())?;
    let simulator = passerelle_simulator::Simulator::start_on(tokio::net::TcpListener::bind(listen).await?, world)
        .await
        .context("starting the simulator")?;
    say(format_args!("Simulated platforms listen on http://{}", simulator.addr()))?;
    shutdown_signal().await;
    Ok(())
}

async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
