//! Whose keys sign: given ones, those of a role for a web identity, or those of the machine; then, where a role is named, its keys.

use super::{machine, sts};
use crate::bearer::{Kept, Timed};
use crate::{Secret, TargetError};
use passerelle_contract::text;
use std::fmt;
use std::time::Duration;

/// Keys that are given do not end, but a file or variable behind them may change.
const READ_AGAIN: Duration = Duration::from_secs(60);

/// An access key. It prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    pub id: String,
    pub secret: String,
    pub session: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where STS is asked.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub http: reqwest::Client,
    pub region: String,
    /// Base URL of STS.
    pub sts: String,
}

/// What a connection says about its keys.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    Keys {
        id: String,
        secret: Secret,
        session: Option<Secret>,
        role: Option<String>,
    },
    WebIdentity {
        role: String,
        token: Secret,
    },
    /// Those of the machine: what the portal's environment names, its container's or its instance's.
    Machine {
        role: Option<String>,
    },
}

/// The keys of one connection.
#[derive(Debug)]
pub(crate) struct Credentials {
    place: Place,
    given: Given,
    kept: Kept<Keys>,
}

impl Credentials {
    pub const fn new(place: Place, given: Given) -> Self {
        Self { place, given, kept: Kept::new() }
    }

    /// Keys that hold for some minutes.
    ///
    /// # Errors
    /// [`TargetError::Config`] for a secret that cannot be read, [`TargetError::Forbidden`] when AWS refuses.
    pub async fn keys(&self) -> Result<Keys, TargetError> {
        self.kept.get(|| self.fetch()).await
    }

    async fn fetch(&self) -> Result<Timed<Keys>, TargetError> {
        let (own, role) = match &self.given {
            Given::Keys { id, secret, session, role } => {
                let keys = Keys {
                    id: id.clone(),
                    secret: reveal(secret, "secret_access_key")?,
                    session: session.as_ref().map(|token| reveal(token, "session_token")).transpose()?,
                };
                (Timed::new(keys, READ_AGAIN, Duration::ZERO), role)
            }
            Given::WebIdentity { role, token } => {
                let token = reveal(token, "web_identity_token")?;
                return sts::web_identity(&self.place, role, &token).await;
            }
            Given::Machine { role } => (self.of_machine().await?, role),
        };
        match role {
            Some(role) => sts::assume(&self.place, role, &own.value).await,
            None => Ok(own),
        }
    }

    /// IAM roles for service accounts tell by variables which role and which token.
    async fn of_machine(&self) -> Result<Timed<Keys>, TargetError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        match (variable("AWS_ROLE_ARN"), variable("AWS_WEB_IDENTITY_TOKEN_FILE")) {
            (Some(role), Some(file)) => {
                let token = std::fs::read_to_string(&file).map_err(|error| {
                    let reason = error.kind().to_string();
                    wrong("", text!("secret file {path} cannot be read: {reason}", path = file, reason))
                })?;
                sts::web_identity(&self.place, &role, token.trim()).await
            }
            _ => machine::keys(&self.place).await,
        }
    }
}

fn reveal(secret: &Secret, field: &str) -> Result<String, TargetError> {
    secret.reveal().map(|text| text.trim().to_owned()).map_err(|error| wrong(field, error.text()))
}

fn wrong(field: &str, message: passerelle_contract::Text) -> TargetError {
    let slash = if field.is_empty() { "" } else { "/" };
    TargetError::Config { pointer: format!("/config/eks{slash}{field}"), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound;

    fn place() -> Place {
        let http = outbound::client().build().unwrap();
        Place { http, region: "eu-west-3".into(), sts: "http://127.0.0.1:9".into() }
    }

    #[tokio::test]
    async fn given_keys_are_used_and_never_shown() {
        let secret = Secret::from_value("hunter2\n");
        let given = Given::Keys { id: "AKIA".into(), secret, session: None, role: None };
        let credentials = Credentials::new(place(), given);
        let keys = credentials.keys().await.unwrap();
        assert_eq!((keys.id.as_str(), keys.secret.as_str()), ("AKIA", "hunter2"));
        assert!(!format!("{credentials:?} {keys:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn what_is_missing_is_named_at_its_field() {
        let secret: Secret = serde_json::from_value(serde_json::json!({"file": "/no/such/file"})).unwrap();
        let given = Given::WebIdentity { role: "arn:aws:iam::123456789012:role/r".into(), token: secret };
        let refused = Credentials::new(place(), given).keys().await.unwrap_err();
        assert!(
            matches!(&refused, TargetError::Config { pointer, .. } if pointer == "/config/eks/web_identity_token"),
            "{refused:?}"
        );
        let token = Secret::from_value("t");
        let given = Given::WebIdentity { role: "arn:aws:iam::123456789012:role/r".into(), token };
        let refused = Credentials::new(place(), given).keys().await.unwrap_err();
        assert!(refused.is_transient() && refused.to_string().contains("AWS STS"), "{refused}");
    }
}
