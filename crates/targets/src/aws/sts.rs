//! Temporary keys by a role: for a token of another issuer, or for keys that are there already.

use super::credentials::{Keys, Place};
use super::document::element;
use super::{ask, sign};
use crate::TargetError;
use crate::bearer::Timed;
use passerelle_contract::{Text, text};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const WHO: &str = "AWS STS";
const VERSION: &str = "2011-06-15";
const SESSION: &str = "passerelle";
/// Before their end, keys are not used any more.
const MARGIN: Duration = Duration::from_secs(300);

/// `AssumeRoleWithWebIdentity`: the token is the credential, so nothing is signed.
pub(super) async fn web_identity(place: &Place, role: &str, token: &str) -> Result<Timed<Keys>, TargetError> {
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", VERSION),
        ("RoleArn", role),
        ("RoleSessionName", SESSION),
        ("WebIdentityToken", token),
    ];
    let request = place.http.post(format!("{}/", place.sts)).header("content-type", FORM).body(encoded(&form));
    read(&ask(request, WHO).await?)
}

/// `AssumeRole`, signed with the keys of the caller.
pub(super) async fn assume(place: &Place, role: &str, keys: &Keys) -> Result<Timed<Keys>, TargetError> {
    let form = [("Action", "AssumeRole"), ("Version", VERSION), ("RoleArn", role), ("RoleSessionName", SESSION)];
    let request = http::Request::post(format!("{}/", place.sts)).header("content-type", FORM);
    let request = request.body(encoded(&form).into_bytes()).map_err(|_| odd(text!("no address")))?;
    let signed = sign::headers(request, keys, &place.region, "sts")?;
    let request = reqwest::Request::try_from(signed).map_err(|_| odd(text!("no address")))?;
    read(&ask(reqwest::RequestBuilder::from_parts(place.http.clone(), request), WHO).await?)
}

const FORM: &str = "application/x-www-form-urlencoded";

fn encoded(form: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

fn read(body: &[u8]) -> Result<Timed<Keys>, TargetError> {
    let xml = String::from_utf8_lossy(body);
    let part = |name: &str| element(&xml, name).ok_or_else(|| odd(text!("no keys")));
    let keys =
        Keys { id: part("AccessKeyId")?, secret: part("SecretAccessKey")?, session: Some(part("SessionToken")?) };
    Ok(Timed::new(keys, life(&part("Expiration")?), MARGIN))
}

/// How long until this moment; nothing when it is past or no moment.
pub(super) fn life(until: &str) -> Duration {
    let until = OffsetDateTime::parse(until, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    Duration::try_from(until - OffsetDateTime::from(SystemTime::now())).unwrap_or_default()
}

fn odd(what: Text) -> TargetError {
    TargetError::Unreachable(text!("{name} gave {what}", name = WHO, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_with_their_end() {
        let xml = |until: &str| {
            format!(
                "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA</AccessKeyId>\
                 <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{until}</Expiration></Credentials>\
                 </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
            )
        };
        let keys = read(xml("2999-01-01T00:00:00Z").as_bytes()).unwrap();
        assert_eq!((keys.value.id.as_str(), keys.value.session.as_deref()), ("ASIA", Some("t")));
        assert!(keys.until > std::time::Instant::now() + Duration::from_secs(3600));
        assert!(read(xml("2001-01-01T00:00:00Z").as_bytes()).unwrap().until <= std::time::Instant::now());
        assert!(read(b"<x/>").is_err());
        assert_eq!(life("tomorrow"), Duration::ZERO);
    }
}
