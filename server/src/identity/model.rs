//! Rules of names, passwords, scopes and the shape of a token; pure.

use super::device;
use crate::kernel::{AppError, Ctx, Principal, PrincipalKind, Result, validate};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use passerelle_contract::access::{Role, RoleGrant, Scope};
use passerelle_contract::{FieldError, Text, text};
use passerelle_targets::networks::shared_by_one;
use rand::RngCore;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use uuid::Uuid;

pub(super) const PASSWORD_MIN_CHARS: usize = 12;
pub(super) const PASSWORD_MAX_CHARS: usize = 128;
const TOKEN_PREFIX: &str = "psl";
const TOKEN_ID_BYTES: usize = 6;
/// 192 bits.
const TOKEN_SECRET_BYTES: usize = 24;
const TOKEN_CHECKSUM_BYTES: usize = 4;

/// Where a request comes from, for rate limits and the list of sessions. Forwarded headers are not believed.
#[derive(Debug, Clone, Default)]
pub struct Client {
    pub source: String,
    pub user_agent: String,
    /// The cookie by which this browser may be known ([`device`]), as it came.
    pub device: Option<String>,
}

impl Client {
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        let source = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_string());
        let user_agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self {
            source: source.unwrap_or_else(|| "unknown".to_owned()),
            user_agent: user_agent.chars().take(200).collect(),
            device: device::brought(&parts.headers),
        }
    }
}

impl Client {
    /// By what failures are counted.
    #[must_use]
    pub(super) fn counted(&self) -> String {
        self.source.parse().map_or_else(|_| self.source.clone(), |ip| shared_by_one(ip).to_string())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// The name somebody signs in with.
pub(super) fn user_name(name: &str) -> std::result::Result<(), Text> {
    let start = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = (1..=63).contains(&name.len())
        && name.starts_with(start)
        && name.chars().all(|c| start(c) || matches!(c, '.' | '_' | '-'));
    if good {
        Ok(())
    } else {
        Err(text!("must be 1 to 63 characters a-z, 0-9, '.', '_' and '-', starting with a letter or a digit"))
    }
}

/// Length is what makes a password strong; the only other rule is that it is not the user's name.
pub(super) fn password(password: &str, user: &str) -> std::result::Result<(), Text> {
    let chars = password.chars().count();
    if !(PASSWORD_MIN_CHARS..=PASSWORD_MAX_CHARS).contains(&chars) {
        return Err(text!(
            "must be {min_chars} to {max_chars} characters long, and has {count}",
            min_chars = PASSWORD_MIN_CHARS,
            max_chars = PASSWORD_MAX_CHARS,
            count = chars
        ));
    }
    if password.eq_ignore_ascii_case(user) {
        return Err(text!("must not be the user name"));
    }
    Ok(())
}

/// All that is wrong with a new person, by field.
pub(super) fn person(name: &str, display_name: &str, secret: &str) -> Result<()> {
    let checks = [
        ("/name", user_name(name)),
        ("/display_name", validate::line(display_name, 1, 100)),
        ("/password", password(secret, name)),
    ];
    refuse_wrong(checks)
}

/// Turns failed checks into one error that names every field.
pub(super) fn refuse_wrong<const N: usize>(checks: [(&'static str, std::result::Result<(), Text>); N]) -> Result<()> {
    let wrong: Vec<FieldError> = checks
        .into_iter()
        .filter_map(|(field, check)| check.err().map(|message| FieldError::new(field, message)))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(AppError::Invalid(wrong)) }
}

/// The two columns of a scope.
pub(super) fn scope_columns(scope: &Scope) -> (&'static str, &str) {
    match scope {
        Scope::Everything => ("everything", ""),
        Scope::Team(team) => ("team", team),
        Scope::System(system) => ("system", system),
        Scope::Tier(tier) => ("tier", tier),
    }
}

pub(super) fn scope_from(kind: &str, value: String) -> Result<Scope> {
    match kind {
        "everything" => Ok(Scope::Everything),
        "team" => Ok(Scope::Team(value)),
        "system" => Ok(Scope::System(value)),
        "tier" => Ok(Scope::Tier(value)),
        other => Err(AppError::internal(format!("scope kind {other:?} in the database"))),
    }
}

pub(super) fn grant_from(role: &str, kind: &str, value: String) -> Result<RoleGrant> {
    let role = Role::parse(role).ok_or_else(|| AppError::internal(format!("role {role:?} in the database")))?;
    Ok(RoleGrant { role, scope: scope_from(kind, value)? })
}

/// For the audit.
pub(super) fn grant_json(grant: &RoleGrant) -> serde_json::Value {
    serde_json::json!({ "role": grant.role, "scope": grant.scope })
}

pub(super) fn scope(scope: &Scope) -> std::result::Result<(), Text> {
    match scope {
        Scope::Everything => Ok(()),
        Scope::Team(key) | Scope::System(key) => validate::service_key(key).map(drop),
        Scope::Tier(tier) if ["development", "staging", "production"].contains(&tier.as_str()) => Ok(()),
        Scope::Tier(_) => Err(text!("must be development, staging or production")),
    }
}

/// Whether somebody with these roles may hand out this one: a grant at least as high that holds at least as far.
pub(super) fn covers(grants: &[RoleGrant], asked: &RoleGrant) -> bool {
    grants
        .iter()
        .any(|grant| grant.role >= asked.role && (grant.scope == Scope::Everything || grant.scope == asked.scope))
}

/// The portal acting for somebody who has just shown who they are, or whose own access is concerned.
pub(super) fn on_behalf_of(ctx: &Ctx, user_id: Option<Uuid>, name: &str) -> Ctx {
    let principal = Principal {
        kind: PrincipalKind::System,
        user_id,
        name: name.to_owned(),
        display_name: name.to_owned(),
        grants: Vec::new(),
        cap: None,
    };
    Ctx::new(Arc::new(principal), ctx.via, ctx.request_id.clone()).speaking(ctx.locale)
}

/// SHA-256, which is enough for secrets of 128 and more random bits.
pub(super) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// A new API token: its id and the whole text.
pub(super) fn mint_token() -> (String, String) {
    let mut bytes = [0_u8; TOKEN_ID_BYTES + TOKEN_SECRET_BYTES];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    let (id, secret) = bytes.split_at(TOKEN_ID_BYTES);
    let id = hex::encode(id);
    let body = format!("{TOKEN_PREFIX}_{id}_{}", hex::encode(secret));
    let token = format!("{body}{}", checksum(&body));
    (id, token)
}

/// The id of a text that has the shape of a token and whose checksum fits; anything else never reaches the database.
#[must_use]
pub fn token_id(text: &str) -> Option<&str> {
    let body_len = TOKEN_PREFIX.len() + 2 + 2 * (TOKEN_ID_BYTES + TOKEN_SECRET_BYTES);
    if !text.is_ascii() || text.len() != body_len + 2 * TOKEN_CHECKSUM_BYTES {
        return None;
    }
    let (body, sum) = text.split_at(body_len);
    let mut parts = body.split('_');
    let (prefix, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let shaped = prefix == TOKEN_PREFIX && id.len() == 2 * TOKEN_ID_BYTES && secret.len() == 2 * TOKEN_SECRET_BYTES;
    (shaped && checksum(body) == sum).then_some(id)
}

fn checksum(body: &str) -> String {
    hex::encode(&Sha256::digest(body.as_bytes())[..TOKEN_CHECKSUM_BYTES])
}

/// 192 random bits as text, for links.
pub(super) fn random_secret() -> String {
    let mut bytes = [0_u8; 24];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{covers, mint_token, password, person, token_id, user_name};
    use crate::kernel::AppError;
    use passerelle_contract::access::{Role, RoleGrant, Scope};

    #[test]
    fn a_token_is_known_by_its_shape_and_checksum() {
        let (id, token) = mint_token();
        assert_eq!(token_id(&token), Some(id.as_str()));
        assert_ne!(mint_token().1, token);
        let mut flipped = token.clone().into_bytes();
        flipped[30] = if flipped[30] == b'0' { b'1' } else { b'0' };
        for bad in [String::from_utf8(flipped).unwrap(), token[1..].to_owned(), format!("{token}0"), "x".to_owned()] {
            assert_eq!(token_id(&bad), None, "{bad}");
        }
    }

    #[test]
    fn names_and_passwords_are_refused_by_field() {
        assert!(user_name("grace.hopper-2").is_ok());
        for bad in ["", "Grace", "-x", "a b", "é", &"a".repeat(64)] {
            assert!(user_name(bad).is_err(), "{bad}");
        }
        assert!(password("correct horse", "grace").is_ok());
        assert!(password("short", "grace").is_err());
        assert!(password("Administrator", "administrator").is_err());
        assert!(password(&"x".repeat(129), "grace").is_err());
        let Err(AppError::Invalid(errors)) = person("G", "", "x") else { panic!("refused") };
        assert_eq!(
            errors.iter().map(|e| e.pointer.as_str()).collect::<Vec<_>>(),
            ["/name", "/display_name", "/password"]
        );
    }

    #[test]
    fn nobody_hands_out_more_than_they_hold() {
        let grant = |role, scope| RoleGrant { role, scope };
        let held = [grant(Role::Developer, Scope::Everything), grant(Role::Admin, Scope::Team("a/b".to_owned()))];
        assert!(covers(&held, &grant(Role::Viewer, Scope::Tier("staging".to_owned()))));
        assert!(covers(&held, &grant(Role::Admin, Scope::Team("a/b".to_owned()))));
        assert!(!covers(&held, &grant(Role::Admin, Scope::Everything)));
        assert!(!covers(&held, &grant(Role::Operator, Scope::Team("a/c".to_owned()))));
    }
}
