//! One provider: its settings, and what is known of it. Description and keys are kept; a provider that is down is not asked by
//! every request, and an unknown key id has the keys fetched again, though not often.

use crate::discovery::{Discovered, discover};
use crate::keys::fetch_keys;
use crate::{Fetch, Refused};
use openidconnect::core::CoreJsonWebKeySet;
use openidconnect::{ClientId, IssuerUrl};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// How long description and keys are used without asking again.
const FRESH: Duration = Duration::from_secs(3600);
/// How long they are used while the provider cannot be asked.
const USABLE: Duration = Duration::from_secs(24 * 3600);
/// Between two tries of a provider that failed.
const AGAIN: Duration = Duration::from_secs(5);
/// Between two fetches of keys because of an unknown key id: anybody can send one.
const KEYS_AGAIN: Duration = Duration::from_secs(30);

/// What the configuration says of a provider; the secret is handed over when it is used.
#[derive(Debug, Clone)]
pub struct Settings {
    /// As in our own addresses.
    pub id: String,
    /// Exactly as the provider writes it.
    pub issuer: String,
    pub client_id: String,
    /// Beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that lists groups, when roles come from them.
    pub groups_claim: Option<String>,
    /// Where the provider sends people back to.
    pub redirect_uri: String,
}

/// Keep one per provider for as long as the process lives.
#[derive(Debug)]
pub struct Provider {
    pub(crate) settings: Settings,
    pub(crate) issuer: IssuerUrl,
    pub(crate) client_id: ClientId,
    known: Mutex<Cached>,
    /// One fetch at a time; the others wait for its result.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Cached {
    known: Option<(Arc<Known>, Instant)>,
    failed: Option<(Refused, Instant)>,
    keys_asked: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) discovered: Discovered,
    pub(crate) keys: CoreJsonWebKeySet,
}

impl Provider {
    /// # Errors
    /// When the issuer is no URL.
    pub fn new(settings: Settings) -> Result<Self, url::ParseError> {
        let issuer = IssuerUrl::new(settings.issuer.clone())?;
        let client_id = ClientId::new(settings.client_id.clone());
        Ok(Self { settings, issuer, client_id, known: Mutex::default(), turn: tokio::sync::Mutex::default() })
    }

    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where to send people who sign out at the provider too; `None` when it has no such page.
    ///
    /// # Errors
    /// When the provider cannot be asked.
    pub async fn sign_out_url(&self, fetch: &dyn Fetch, back_to: &str) -> Result<Option<Url>, Refused> {
        let known = self.known(fetch).await?;
        Ok(known.discovered.end_session.clone().map(|mut url| {
            url.query_pairs_mut()
                .append_pair("client_id", &self.settings.client_id)
                .append_pair("post_logout_redirect_uri", back_to);
            url
        }))
    }

    /// Description and keys, from memory when they are fresh.
    pub(crate) async fn known(&self, fetch: &dyn Fetch) -> Result<Arc<Known>, Refused> {
        if let Some(answer) = self.remembered() {
            return answer;
        }
        let _turn = self.turn.lock().await;
        if let Some(answer) = self.remembered() {
            return answer;
        }
        match self.ask(fetch).await {
            Ok(known) => Ok(self.keep(known)),
            Err(refused) => {
                let mut cached = self.known.lock();
                cached.failed = Some((refused, Instant::now()));
                let usable = cached.known.as_ref().filter(|(_, at)| at.elapsed() < USABLE);
                usable.map(|(known, _)| Arc::clone(known)).ok_or(refused)
            }
        }
    }

    /// After a token with an unknown key id: the provider may have changed its keys.
    pub(crate) async fn known_anew(&self, fetch: &dyn Fetch, before: &Arc<Known>) -> Result<Arc<Known>, Refused> {
        const NO_KEY: Refused = Refused::answer("no key of the provider has this id");
        let _turn = self.turn.lock().await;
        {
            let mut cached = self.known.lock();
            // Somebody else has fetched them meanwhile.
            if let Some((known, _)) = cached.known.as_ref().filter(|(known, _)| !Arc::ptr_eq(known, before)) {
                return Ok(Arc::clone(known));
            }
            if cached.keys_asked.is_some_and(|at| at.elapsed() < KEYS_AGAIN) {
                return Err(NO_KEY);
            }
            cached.keys_asked = Some(Instant::now());
        }
        let keys = fetch_keys(fetch, &before.discovered.keys).await?;
        Ok(self.keep(Known { discovered: before.discovered.clone(), keys }))
    }

    fn keep(&self, known: Known) -> Arc<Known> {
        let known = Arc::new(known);
        let mut cached = self.known.lock();
        cached.failed = None;
        cached.known = Some((Arc::clone(&known), Instant::now()));
        known
    }

    async fn ask(&self, fetch: &dyn Fetch) -> Result<Known, Refused> {
        let discovered = discover(fetch, &self.settings.issuer).await?;
        let keys = fetch_keys(fetch, &discovered.keys).await?;
        Ok(Known { discovered, keys })
    }

    fn remembered(&self) -> Option<Result<Arc<Known>, Refused>> {
        let cached = self.known.lock();
        let known = cached.known.as_ref();
        if let Some((known, _)) = known.filter(|(_, at)| at.elapsed() < FRESH) {
            return Some(Ok(Arc::clone(known)));
        }
        let (refused, _) = cached.failed.as_ref().filter(|(_, at)| at.elapsed() < AGAIN)?;
        let usable = known.filter(|(_, at)| at.elapsed() < USABLE);
        Some(usable.map(|(known, _)| Arc::clone(known)).ok_or(*refused))
    }
}
