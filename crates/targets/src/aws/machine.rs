//! Keys of the machine that the portal runs on, as AWS's own clients find them: of the container (also EKS Pod Identity), else of the
//! instance (IMDSv2).
//!
//! The addresses come from the portal's own process or are AWS's fixed ones; nothing of a connection's configuration leads here.

use super::ask;
use super::credentials::{Keys, Place};
use super::sts::life;
use crate::TargetError;
use crate::bearer::Timed;
use passerelle_contract::{Text, text};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

const CONTAINER_HOST: &str = "http://169.254.170.2";
const INSTANCE_HOST: &str = "http://169.254.169.254";
/// The name is AWS's.
const INSTANCE_VARIABLE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const MARGIN: Duration = Duration::from_secs(300);
/// A machine without such a service drops the call instead of refusing it.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Granted {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: String,
}

pub(super) async fn keys(place: &Place) -> Result<Timed<Keys>, TargetError> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(|path| format!("{CONTAINER_HOST}{path}"));
    let found = match full.or(relative) {
        Some(address) => {
            let token = match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
                Some(path) => Some(std::fs::read_to_string(path).map_err(|_| odd(text!("no readable token file")))?),
                None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
            };
            tokio::time::timeout(PATIENCE, of_container(place, &address, token)).await
        }
        None => {
            let host = variable(INSTANCE_VARIABLE).unwrap_or_else(|| INSTANCE_HOST.to_owned());
            tokio::time::timeout(PATIENCE, of_instance(place, host.trim_end_matches('/'))).await
        }
    };
    found.map_err(|_| {
        let why = text!("no keys are given, and this machine has no role of AWS");
        TargetError::Config { pointer: "/config/eks".to_owned(), message: why }
    })?
}

async fn of_container(place: &Place, address: &str, token: Option<String>) -> Result<Timed<Keys>, TargetError> {
    let address = Url::parse(address).map_err(|_| odd(text!("no address")))?;
    let mut request = place.http.get(address);
    if let Some(token) = token {
        request = request.header("authorization", token.trim());
    }
    read(&ask(request, WHO).await?)
}

async fn of_instance(place: &Place, host: &str) -> Result<Timed<Keys>, TargetError> {
    let session =
        place.http.put(format!("{host}/latest/api/token")).header("x-aws-ec2-metadata-token-ttl-seconds", "300");
    let session = text_of(ask(session, WHO).await?)?;
    let get = |path: &str| {
        place
            .http
            .get(format!("{host}/latest/meta-data/iam/security-credentials/{path}"))
            .header("x-aws-ec2-metadata-token", session.as_str())
    };
    let role = text_of(ask(get(""), WHO).await?)?;
    let role = role.lines().next().unwrap_or_default().trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    if role.is_empty() || !role.chars().all(plain) {
        return Err(odd(text!("no role")));
    }
    read(&ask(get(role), WHO).await?)
}

fn text_of(body: Vec<u8>) -> Result<String, TargetError> {
    String::from_utf8(body).map_err(|_| odd(text!("no text")))
}

fn read(body: &[u8]) -> Result<Timed<Keys>, TargetError> {
    let granted: Granted = serde_json::from_slice(body).map_err(|_| odd(text!("no keys")))?;
    let life = life(&granted.expiration);
    let keys = Keys { id: granted.access_key_id, secret: granted.secret_access_key, session: granted.token };
    Ok(Timed::new(keys, life, MARGIN))
}

const WHO: &str = "the machine's AWS credentials";

fn odd(what: Text) -> TargetError {
    TargetError::Unreachable(text!("{name} gave {what}", name = WHO, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_machine_are_read() {
        let body = br#"{"Code": "Success", "AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": "2999-01-01T00:00:00Z"}"#;
        let keys = read(body).unwrap().value;
        assert_eq!((keys.id.as_str(), keys.session.as_deref()), ("ASIA", Some("t")));
        assert!(read(br#"{"Code": "Failed"}"#).is_err());
    }
}
