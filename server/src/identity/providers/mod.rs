//! Signing in at providers of OpenID Connect, and at GitHub. What is believed of a provider is the crate `passerelle_oidc`'s; here are who somebody
//! becomes in the portal, with which roles, and what is written down.
//!
//! Invariants: a person is (issuer, subject); no e-mail and no name decides anything; a refused answer leaves an audit row and no
//! session; roles of groups are reckoned anew at every sign-in, and roles that a person gave stay.

mod arrive;
mod confirm;
mod door;
mod leave;
mod link;
mod logout;
mod names;
mod store;
mod welcome;
mod wire;

pub use arrive::{Arrived, RolesTold};
pub use confirm::WaysToConfirm;
pub use leave::{Departure, local_path};
pub use link::{OwnProvider, OwnWays};
pub use passerelle_oidc::{Kind, Returned};

use super::service::IdentityService;
use crate::config::{Config, LocalSignIn, ProviderConfig};
use crate::kernel::{AppError, Result};
use door::Door;
use passerelle_contract::access::RoleGrant;
use passerelle_contract::text;
use passerelle_oidc::Refused;
use passerelle_targets::guard::Guard;
use std::time::Duration;
use wire::Wire;

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("{0}")]
    Refused(#[from] Refused),
    /// Known, and disabled here.
    #[error("the user is disabled")]
    Disabled,
    #[error(transparent)]
    App(#[from] AppError),
}

/// The providers of the configuration, for as long as the process lives.
#[derive(Debug)]
pub(super) struct Providers {
    list: Vec<Known>,
    wire: Wire,
    local: LocalSignIn,
    confirm_after: Option<Duration>,
    origin: String,
}

#[derive(Debug)]
struct Known {
    config: ProviderConfig,
    roles: Vec<(String, RoleGrant)>,
    door: Door,
}

/// What the sign-in page offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaysIn {
    /// Id and name.
    pub providers: Vec<(String, String)>,
    /// Who may use a password now.
    pub password: LocalSignIn,
}

impl Providers {
    fn of(config: &Config) -> Result<Self> {
        let origin = config.server.public_origin.clone().unwrap_or_default();
        let known = |config: &ProviderConfig| {
            Ok(Known { roles: config.group_roles(), config: config.clone(), door: Door::of(config, &origin)? })
        };
        let list = config.sign_in.providers.iter().map(known).collect::<Result<_>>()?;
        let guard = Guard::new(&config.outbound.allow_networks).map_err(AppError::internal)?;
        let (local, confirm_after) = (config.sign_in.local, config.sign_in.confirm_after());
        Ok(Self { list, wire: Wire::new(guard), local, confirm_after, origin })
    }

    fn issuers(&self) -> Vec<String> {
        self.list.iter().map(|known| known.config.issuer()).collect()
    }

    /// Cookies are `Secure` when people come by https.
    fn secure(&self) -> bool {
        self.origin.starts_with("https://")
    }
}

impl IdentityService {
    /// Takes the providers of the configuration, once, before the first request.
    ///
    /// # Errors
    /// Only for values that the check of the configuration refuses.
    pub fn set_providers(&self, config: &Config) -> Result<()> {
        // A second call changes nothing: the first one's caches are in use.
        drop(self.providers.set(Providers::of(config)?));
        Ok(())
    }

    /// # Errors
    /// When the database is away.
    pub async fn ways_in(&self) -> Result<WaysIn> {
        let list = self.providers.get().map_or(&[][..], |providers| &providers.list);
        let providers = list.iter().map(|known| (known.config.id.clone(), known.config.name.clone())).collect();
        Ok(WaysIn { providers, password: self.local_door().await? })
    }

    /// Who may sign in with a password now: as configured, but only once a provider has been seen to let somebody in (for `nobody`:
    /// an administrator), so that a provider that never worked locks nobody out.
    pub(super) async fn local_door(&self) -> Result<LocalSignIn> {
        let Some(providers) = self.providers.get() else { return Ok(LocalSignIn::Everybody) };
        if providers.local == LocalSignIn::Everybody {
            return Ok(LocalSignIn::Everybody);
        }
        Ok(match (store::came_in_by(self.db.pool(), &providers.issuers()).await?, providers.local) {
            ((false, _), _) => LocalSignIn::Everybody,
            ((_, true), LocalSignIn::Nobody) => LocalSignIn::Nobody,
            _ => LocalSignIn::Administrators,
        })
    }

    fn at(&self, id: &str) -> Result<(&Providers, &Known)> {
        let unknown =
            || AppError::NotFound(text!("sign-in provider {id}", id = id.chars().take(40).collect::<String>()));
        let providers = self.providers.get().ok_or_else(unknown)?;
        let known = providers.list.iter().find(|known| known.config.id == id).ok_or_else(unknown)?;
        Ok((providers, known))
    }
}
