//! What a provider speaks: OpenID Connect, or GitHub's OAuth.

use super::Wire;
use crate::config::{ProviderConfig, ProviderKind};
use crate::kernel::{AppError, Result};
use passerelle_oidc::{Github, GithubSettings, LoggedOut, Pending, Person, Provider, Refused, Returned, Settings};
use url::Url;

#[derive(Debug)]
pub(super) enum Door {
    OpenId(Provider),
    Github(Github),
}

impl Door {
    /// # Errors
    /// For an issuer that is no address, which the check of the configuration refuses.
    pub(super) fn of(config: &ProviderConfig, origin: &str) -> Result<Self> {
        let (id, client_id) = (config.id.clone(), config.client_id.clone());
        let redirect_uri = format!("{origin}/auth/{id}/callback");
        if config.kind == ProviderKind::Github {
            let groups = !config.group_roles().is_empty();
            let settings = GithubSettings { id, address: config.issuer(), client_id, redirect_uri, groups };
            return Ok(Self::Github(Github::new(settings).map_err(AppError::internal)?));
        }
        let mut scopes = vec!["profile".to_owned()];
        scopes.extend(config.scopes.iter().filter(|scope| !matches!(scope.as_str(), "openid" | "profile")).cloned());
        let groups_claim = config.groups_claim.clone();
        let settings = Settings { id, issuer: config.issuer(), client_id, scopes, groups_claim, redirect_uri };
        Ok(Self::OpenId(Provider::new(settings).map_err(AppError::internal)?))
    }

    /// Whether it says when somebody proved themselves there; without that an open session there would do for everything.
    pub(super) const fn confirms(&self) -> bool {
        matches!(self, Self::OpenId(_))
    }

    pub(super) async fn begin(&self, wire: &Wire) -> Result<(Url, Pending), Refused> {
        match self {
            Self::OpenId(provider) => provider.begin(wire).await,
            Self::Github(github) => github.begin(),
        }
    }

    /// For somebody who has to prove themselves anew.
    pub(super) async fn begin_again(&self, wire: &Wire, now: i64) -> Result<(Url, Pending), Refused> {
        match self {
            Self::OpenId(provider) => provider.begin_again(wire, now).await,
            Self::Github(_) => Err(Refused::stale("this provider does not say when somebody proved themselves")),
        }
    }

    pub(super) async fn finish(
        &self,
        wire: &Wire,
        secret: Option<&str>,
        pending: &Pending,
        returned: &Returned,
        now: i64,
    ) -> Result<Person, Refused> {
        match self {
            Self::OpenId(provider) => provider.finish(wire, secret, pending, returned, now).await,
            Self::Github(github) => github.finish(wire, secret.unwrap_or_default(), pending, returned).await,
        }
    }

    pub(super) async fn sign_out_url(&self, wire: &Wire, back: &str) -> Result<Option<Url>, Refused> {
        match self {
            Self::OpenId(provider) => provider.sign_out_url(wire, back).await,
            Self::Github(_) => Ok(None),
        }
    }

    pub(super) async fn logged_out(&self, wire: &Wire, token: &str, now: i64) -> Result<LoggedOut, Refused> {
        match self {
            Self::OpenId(provider) => provider.logged_out(wire, token, now).await,
            Self::Github(_) => Err(Refused::stale("this provider sends no logout tokens")),
        }
    }
}
