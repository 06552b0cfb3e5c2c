//! Settings: the environment, checked once at start, so that a wrong value stops the rollout and not a request.

use std::fmt;
use std::time::Duration;
use tracing::Level;

/// What the service is told from outside.
#[derive(Debug, Clone)]
pub struct Settings {
    pub port: u16,
    pub log_level: Level,
    pub environment: String,
    pub version: String,
    /// Time that running requests get when the service stops.
    pub shutdown_grace: Duration,
<% if database %>
    pub database_url: Secret,
<% endif %>
}
<% if database %>

/// A value that no log and no error shows.
#[derive(Clone)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
<% endif %>

/// A setting that is missing or wrong.
#[derive(Debug, PartialEq)]
pub struct WrongSetting(String);

impl fmt::Display for WrongSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongSetting {}

impl Settings {
    /// # Errors
    /// The name of the variable and what is allowed.
    pub fn from_environment() -> Result<Self, WrongSetting> {
        Self::from(|name| std::env::var(name).ok())
    }

    /// # Errors
    /// The name of the variable and what is allowed.
    pub fn from(read: impl Fn(&str) -> Option<String>) -> Result<Self, WrongSetting> {
        let text = |name: &str, otherwise: &str| read(name).unwrap_or_else(|| otherwise.to_owned());
        let number = |name: &str, otherwise: &str, most: u16| match text(name, otherwise).parse::<u16>() {
            Ok(value) if (1..=most).contains(&value) => Ok(value),
            _ => Err(WrongSetting(format!("{name}: a number from 1 to {most}"))),
        };
        let log_level = text("LOG_LEVEL", "info")
            .parse()
            .map_err(|_| WrongSetting("LOG_LEVEL: debug, info, warn or error".to_owned()))?;
        Ok(Self {
            port: number("PORT", "<{ port }>", u16::MAX)?,
            log_level,
            environment: text("ENVIRONMENT", "local"),
            version: text("VERSION", "dev"),
            shutdown_grace: Duration::from_secs(number("SHUTDOWN_GRACE_S", "20", 300)?.into()),
<% if database %>
            database_url: secret("DATABASE_URL", &read)?,
<% endif %>
        })
    }
}
<% if database %>

/// Docker mounts its secrets as files named like the setting; elsewhere the variable is set.
fn secret(name: &str, read: &impl Fn(&str) -> Option<String>) -> Result<Secret, WrongSetting> {
    let file = format!("/run/secrets/{}", name.to_lowercase());
    let value = read(name).or_else(|| std::fs::read_to_string(file).ok().map(|text| text.trim().to_owned()));
    value.filter(|value| !value.is_empty()).map(Secret).ok_or_else(|| WrongSetting(format!("{name} is not set")))
}
<% endif %>
