//! Logs go to standard error, one escaped line an event.

use passerelle_server::config::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

/// # Errors
/// A filter that cannot be read.
pub fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    match config.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
