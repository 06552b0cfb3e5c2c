//! The configuration: `passerelle.toml`, then environment variables `PASSERELLE__SECTION__KEY`. Unknown keys are refused.
//!
//! `passerelle.default.toml` at the root of the project is the commented reference; a test holds it against this code.

mod audit;
mod read;
mod reference;
mod secrets;
mod sign_in;
mod vault;

pub use audit::{AuditConfig, Destination, StreamConfig, StreamFormat};
pub use read::{ConfigError, load};
pub use reference::Reference;
pub use secrets::SecretsConfig;
pub use sign_in::{LocalSignIn, ProviderConfig, ProviderKind, SignInConfig};
pub use vault::{VaultConfig, is_path};

use passerelle_targets::networks::Networks;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub server: ServerConfig,
    pub worker: WorkerConfig,
    pub data: DataConfig,
    pub database: DatabaseConfig,
    pub deployments: DeploymentsConfig,
    pub notifications: NotificationsConfig,
    pub onboarding: OnboardingConfig,
    pub outbound: OutboundConfig,
    pub secrets: SecretsConfig,
    pub sign_in: SignInConfig,
    pub audit: AuditConfig,
    pub vault: VaultConfig,
    pub log: LogConfig,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address and port of pages and API.
    pub listen: SocketAddr,
    /// What people type, when a proxy stands before the portal: `https://portal.example.org`.
    pub public_origin: Option<String>,
    /// Networks, separated by commas, of the proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: String,
    /// Requests of one person or token, or of a stranger's address; 0 is no limit.
    pub requests_per_minute: u32,
    /// Changes of one person or token by one route; 0 is no limit.
    pub writes_per_minute: u32,
    /// How long `/readyz` fails on SIGTERM before the address closes, in milliseconds.
    pub shutdown_delay_ms: u64,
    /// How long a client may take for the headers of a request, and a connection wait for its next one, in milliseconds.
    pub header_timeout_ms: u64,
    /// Folder of the built client and styles; found beside the program when absent.
    pub site: Option<PathBuf>,
    /// Do the work of `passerelle worker` in this process too: deployments, observing, objectives, messages; `false` where one runs
    /// beside it.
    pub worker: bool,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            public_origin: None,
            trusted_proxies: String::new(),
            requests_per_minute: 1200,
            writes_per_minute: 240,
            shutdown_delay_ms: 0,
            header_timeout_ms: 75_000,
            site: None,
            worker: true,
        }
    }
}

impl ServerConfig {
    #[must_use]
    pub const fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    /// Checked when the configuration was read; without it nobody is believed.
    #[must_use]
    pub fn trusted_proxies(&self) -> Networks {
        Networks::parse(&self.trusted_proxies).unwrap_or_default()
    }
}

/// The process `passerelle worker`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerConfig {
    /// Address and port of its `/healthz` and `/readyz`; none opens no port.
    pub listen: Option<SocketAddr>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// Keys, the embedded Postgres, audit checkpoints.
    pub folder: PathBuf,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { folder: PathBuf::from("data") }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `DATABASE_URL` wins; without both the embedded Postgres is started.
    pub url: Option<String>,
    /// Connections of this process at most.
    pub max_connections: u32,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: None, max_connections: 16 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeploymentsConfig {
    /// How long a complete rollout must stay healthy before it counts, in milliseconds.
    pub verify_ms: u64,
}

impl Default for DeploymentsConfig {
    fn default() -> Self {
        Self { verify_ms: 5000 }
    }
}

impl DeploymentsConfig {
    #[must_use]
    pub const fn verify_for(&self) -> Duration {
        Duration::from_millis(self.verify_ms)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotificationsConfig {
    /// The pause before a message that failed is tried again, in milliseconds; doubled each time, up to an hour.
    pub retry_ms: u64,
}

impl Default for NotificationsConfig {
    fn default() -> Self {
        Self { retry_ms: 5000 }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnboardingConfig {
    /// Folder of golden paths beside those of the program; of two with one name this folder's holds. Empty: none.
    pub templates: String,
    /// Folder of Git repositories on this machine that files of services may be delivered to. Empty: none.
    pub repositories: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboundConfig {
    /// Networks, separated by commas, that messages, look-ups of images and questions of `verify` may go to although they are loopback,
    /// private or reserved.
    pub allow_networks: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// As `tracing` filters are written: `info`, `passerelle_server=debug,warn`.
    pub filter: String,
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info,sqlx=warn".to_owned(), format: LogFormat::Text }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

impl Config {
    /// # Errors
    /// The first value that cannot work, with its key.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some(origin) = &self.server.public_origin {
            let good = url::Url::parse(origin).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.path() == "/"
                    && url.query().is_none()
                    && url.host().is_some()
            });
            if !good || origin.ends_with('/') {
                return Err(ConfigError::value(
                    "server.public_origin",
                    "must be like https://portal.example.org, without a path",
                ));
            }
        }
        check_networks("server.trusted_proxies", &self.server.trusted_proxies)?;
        for (key, count) in [
            ("server.requests_per_minute", self.server.requests_per_minute),
            ("server.writes_per_minute", self.server.writes_per_minute),
        ] {
            if count > 100_000_000 {
                return Err(ConfigError::value(key, "must be at most 100000000"));
            }
        }
        if self.server.shutdown_delay_ms > 120_000 {
            return Err(ConfigError::value("server.shutdown_delay_ms", "must be at most 120000"));
        }
        if !(100..=600_000).contains(&self.server.header_timeout_ms) {
            return Err(ConfigError::value("server.header_timeout_ms", "must be 100 to 600000"));
        }
        self.sign_in.check(self.server.public_origin.as_deref())?;
        if !(2..=200).contains(&self.database.max_connections) {
            return Err(ConfigError::value("database.max_connections", "must be 2 to 200"));
        }
        if self.deployments.verify_ms > 600_000 {
            return Err(ConfigError::value("deployments.verify_ms", "must be at most 600000"));
        }
        if !(10..=600_000).contains(&self.notifications.retry_ms) {
            return Err(ConfigError::value("notifications.retry_ms", "must be 10 to 600000"));
        }
        self.secrets.check(&self.data.folder)?;
        self.vault.check()?;
        self.audit.check()?;
        check_networks("outbound.allow_networks", &self.outbound.allow_networks)
    }
}

fn check_networks(key: &str, networks: &str) -> Result<(), ConfigError> {
    let wrong = |part| ConfigError::value(key, &format!("\"{part}\" is not a network such as 10.0.0.0/8"));
    Networks::parse(networks).map(drop).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::{Config, load};

    #[test]
    fn the_reference_file_says_what_the_code_does() {
        let text = include_str!("../../../passerelle.default.toml");
        assert_eq!(load(Some(text), std::iter::empty()).unwrap(), Config::default());
    }

    #[test]
    fn the_environment_wins_and_unknown_keys_are_refused() {
        let variables = [("PASSERELLE__SERVER__LISTEN".to_owned(), "127.0.0.1:4000".to_owned())];
        let config = load(Some("[server]\nlisten = \"127.0.0.1:1\"\n"), variables.into_iter()).unwrap();
        assert_eq!(config.server.listen.port(), 4000);
        let unknown = [("PASSERELLE__SERVER__LISTN".to_owned(), "x".to_owned())];
        assert!(load(None, unknown.into_iter()).unwrap_err().to_string().contains("listn"));
        assert!(load(Some("[serve]\n"), std::iter::empty()).is_err());
        let open = |networks: &str| ("PASSERELLE__OUTBOUND__ALLOW_NETWORKS".to_owned(), networks.to_owned());
        assert!(load(None, [open("127.0.0.0/8, ::1/128")].into_iter()).is_ok());
        let wrong = load(None, [open("localhost")].into_iter()).unwrap_err().to_string();
        assert!(wrong.contains("localhost") && wrong.contains("outbound.allow_networks"), "{wrong}");
    }
}
