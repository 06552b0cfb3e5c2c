//! Logs go to standard error, one escaped line an event.

use anyhow::Context as _;
use passerelle_server::config::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

/// # Errors
/// A filter that cannot be read.
pub fn check(config: &LogConfig) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(&config.filter).with_context(|| format!("log.filter: {:?} is no filter", config.filter))
}

/// # Errors
/// As [`check`].
pub fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter = check(config)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    match config.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
