//! The service itself and what each request asks of it: who is behind this session or token.

use super::cache::{PrincipalCache, Touched};
use super::limiter::{Limit, Limiter};
use super::model::{Client, digest, token_id};
use super::passwords::Passwords;
use super::providers::Providers;
use super::session_store::{PgSessionStore, id_hash};
use super::store;
use crate::kernel::{
    Action, AppError, AuditEntry, Authorized, Ctx, Db, Keys, Object, Principal, PrincipalKind, Result,
};
use passerelle_contract::access::MeOut;
use passerelle_contract::audit::Outcome;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use subtle::ConstantTimeEq;
use tower_sessions::Session;
use uuid::Uuid;

const WINDOW: Duration = Duration::from_secs(300);
/// Bad tokens per source and window; more than that is not a mistake.
pub(super) const BAD_TOKENS: u32 = 100;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct IdentityService {
    pub(super) db: Db,
    pub(super) keys: Keys,
    pub(super) cache: Arc<PrincipalCache>,
    pub(super) passwords: Arc<Passwords>,
    pub(super) sign_ins: Arc<Limiter>,
    pub(super) bad_tokens: Arc<Limiter>,
    pub(super) providers: Arc<OnceLock<Providers>>,
}

impl IdentityService {
    #[must_use]
    pub fn new(db: Db, keys: Keys) -> Self {
        Self {
            db,
            keys,
            cache: Arc::new(PrincipalCache::new()),
            passwords: Arc::new(Passwords::new()),
            sign_ins: Arc::new(Limiter::new(WINDOW)),
            bad_tokens: Arc::new(Limiter::new(WINDOW)),
            providers: Arc::default(),
        }
    }

    pub(super) fn session_store(&self) -> PgSessionStore {
        PgSessionStore::new(self.db.pool().clone(), Arc::clone(&self.cache))
    }

    /// Who is signed in with this session. A session that does not hold is dropped, cookie included, and answers `None`.
    ///
    /// # Errors
    /// `Unavailable` when the database is away and nothing recent is known.
    pub async fn session_principal(&self, session: &Session) -> Result<Option<Arc<Principal>>> {
        let Some(id) = session.id() else { return Ok(None) };
        let key = id_hash(id);
        if let Some(known) = self.cache.get(&key) {
            return Ok(Some(known));
        }
        let generation = self.cache.generation();
        let Some(row) = store::session_holder(self.db.pool(), &key).await? else {
            session.flush().await.map_err(AppError::internal)?;
            return Ok(None);
        };
        let csrf = hex::encode(&self.keys.sign("csrf", &key)[..16]);
        let id = Uuid::parse_str(&row.public_id).map_err(AppError::internal)?;
        let proof = row.proof();
        let principal = Arc::new(principal(&row, PrincipalKind::Session { id, csrf, proof })?);
        self.cache.put(key, Arc::clone(&principal), row.ends_at, generation);
        self.cache.touch(key, Touched::Session(key));
        Ok(Some(principal))
    }

    /// Who is behind `psl_...`.
    ///
    /// # Errors
    /// `Unauthenticated` for anything that is not a token that holds; `RateLimited` when this source sends too many of them.
    pub async fn token_principal(&self, ctx: &Ctx, token: &str, client: &Client) -> Result<Arc<Principal>> {
        let key = digest(token);
        if let Some(known) = self.cache.get(&key) {
            return Ok(known);
        }
        let generation = self.cache.generation();
        // A good token is never refused for the bad ones of its neighbours: only failures count.
        let row = match token_id(token) {
            Some(id) => store::token_holder(self.db.pool(), id).await?,
            None => None,
        };
        let Some(row) = row.filter(|row| bool::from(row.secret_hash.as_slice().ct_eq(&key))) else {
            return self.refuse_credential(ctx, client).await;
        };
        let principal = Arc::new(principal(&row, PrincipalKind::Token { id: row.public_id.clone() })?);
        self.cache.put(key, Arc::clone(&principal), row.ends_at, generation);
        self.cache.touch(key, Touched::Token(row.public_id));
        Ok(principal)
    }

    /// For a credential that does not hold. The rate limit bounds how many rows this writes.
    ///
    /// # Errors
    /// Always: `Unauthenticated` or `RateLimited`.
    pub async fn refuse_credential(&self, ctx: &Ctx, client: &Client) -> Result<Arc<Principal>> {
        let limits = [Limit { key: client.counted(), max: BAD_TOKENS }];
        self.bad_tokens.take(&limits).map_err(|retry_after_s| AppError::RateLimited { retry_after_s })?;
        let reason = format!("a credential that does not hold, from {}", client.source);
        let refused = self.sign_in_proof(ctx, "api_token", "unknown").await?;
        self.db.record(ctx, &refused, AuditEntry::new(Outcome::Denied).reason(reason)).await?;
        Err(AppError::Unauthenticated)
    }

    /// Signing in is an act of the portal: whoever asks is nobody yet.
    pub(super) async fn sign_in_proof(&self, ctx: &Ctx, kind: &'static str, key: &str) -> Result<Authorized> {
        let portal = super::model::on_behalf_of(ctx, None, "anonymous");
        self.db.authorize(&portal, Action::SignIn, Object::new(kind, key)).await
    }

    /// After a committed change of access: nothing cached is believed any more, here and elsewhere.
    pub(super) async fn access_changed(&self) {
        self.cache.clear();
        if let Err(error) = store::raise_version(self.db.pool()).await {
            // The other processes notice by the age of their entries, some seconds later.
            tracing::warn!(%error, "the version of access could not be raised");
        }
    }

    /// Who is asking.
    ///
    /// # Errors
    /// `Unauthenticated` for nobody.
    pub fn me(&self, ctx: &Ctx) -> Result<MeOut> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let principal = ctx.principal();
        let via = if matches!(principal.kind, PrincipalKind::Token { .. }) { "token" } else { "session" };
        Ok(MeOut {
            user: principal.name.clone(),
            display_name: principal.display_name.clone(),
            via: via.to_owned(),
            roles: principal.grants.clone(),
        })
    }
}

fn principal(row: &store::HolderRow, kind: PrincipalKind) -> Result<Principal> {
    Ok(Principal {
        kind,
        user_id: Some(row.user_id),
        name: row.name.clone(),
        display_name: row.display_name.clone(),
        grants: row.grants()?,
        cap: row.cap()?,
    })
}
