//! Coming back from a provider: what is pending is opened, used once, and finished; who it is becomes a session.

use super::leave::{Away, PLACE, Purpose};
use super::{Known, ProviderError, Providers, store};
use crate::identity::accounts::FAILURES_SOURCE;
use crate::identity::limiter::Limit;
use crate::identity::model::{Client, digest};
use crate::identity::service::IdentityService;
use crate::identity::session_store::FromProvider;
use crate::kernel::{AppError, AuditEntry, Ctx};
use passerelle_contract::audit::Outcome;
use passerelle_oidc::{Person, Refused, Returned};
use time::OffsetDateTime;
use tower_sessions::Session;

/// Somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// A path of this portal.
    pub next: String,
    pub roles: RolesTold,
}

/// What the provider's groups came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolesTold {
    /// There is at least one role, from a group or by hand.
    Some,
    /// None, and no groups are asked for.
    NotAsked,
    /// None, because the provider did not tell groups.
    Absent,
    /// None, because what it told is no list of groups.
    Odd,
    /// None, because no group that it told has a role.
    NoneOfThese,
}

impl IdentityService {
    /// Signs in whom the provider sent back: afterwards `session` belongs to them, under a new id.
    ///
    /// # Errors
    /// Everything that is not believed, each with an audit row; `RateLimited` after too many.
    pub async fn come_back(
        &self,
        ctx: &Ctx,
        session: &Session,
        (id, sealed): (&str, Option<&str>),
        returned: Option<&Returned>,
        client: &Client,
    ) -> Result<Arrived, ProviderError> {
        let (providers, known) = self.at(id)?;
        let counted = self.count_failure(client)?;
        let (away, person) = match self.finished(providers, known, sealed, returned).await {
            Ok(finished) => finished,
            Err(ProviderError::Refused(refused)) => {
                self.refused_at(ctx, id, client, refused.cause).await?;
                return Err(refused.into());
            }
            Err(other) => return Err(other),
        };
        let done = match away.purpose {
            Purpose::SignIn => None,
            Purpose::Link(holder) => Some(self.link(ctx, session, id, &person, holder, client).await),
            Purpose::Confirm(holder) => Some(self.confirmed_at(ctx, session, id, &person, holder, client).await),
        };
        if let Some(done) = done {
            done?;
            self.sign_ins.give_back(&counted);
            return Ok(Arrived { next: away.next, roles: RolesTold::Some });
        }
        let welcomed = match self.welcome(ctx, known, &person, client).await {
            Err(ProviderError::Disabled) => {
                self.refused_at(ctx, id, client, "the user is disabled").await?;
                return Err(ProviderError::Disabled);
            }
            other => other?,
        };
        self.sign_ins.give_back(&counted);
        let from = FromProvider { provider: id.to_owned(), session: person.session.clone() };
        self.open_session(session, welcomed.user_id, client, Some(&from)).await?;
        Ok(Arrived { next: away.next, roles: welcomed.roles })
    }

    async fn finished(
        &self,
        providers: &Providers,
        known: &Known,
        sealed: Option<&str>,
        returned: Option<&Returned>,
    ) -> Result<(Away, Person), ProviderError> {
        let nothing = Refused::stale("no sign-in is pending in this browser");
        let opened = sealed.and_then(|sealed| self.keys.open(PLACE, sealed).ok()).ok_or(nothing)?;
        let away: Away = serde_json::from_str(&opened).map_err(|_| nothing)?;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        if away.until < now {
            return Err(Refused::stale("the sign-in took longer than ten minutes").into());
        }
        let returned = returned.ok_or(Refused::stale("what came back names something twice"))?;
        // Used up before the provider is asked, so that of two that come back with one state the second gets nowhere.
        if !store::use_once(self.db.pool(), &digest(&format!("state:{}", away.pending.state)), away.until).await? {
            return Err(Refused::stale("the state was used before").into());
        }
        let secret = match known.config.secret() {
            Some(reference) => Some(reference.read().map_err(|why| {
                tracing::error!(provider = %known.config.id, %why, "the client's secret");
                AppError::internal("the client's secret of a sign-in provider cannot be read")
            })?),
            None => None,
        };
        let person = known.door.finish(&providers.wire, secret.as_deref(), &away.pending, returned, now).await?;
        Ok((away, person))
    }

    /// Counts a failure beforehand, in the same count as passwords: who fails here does not get further tries there.
    pub(super) fn count_failure(&self, client: &Client) -> Result<[Limit; 1], AppError> {
        let limits = [Limit { key: format!("s:{}", client.counted()), max: FAILURES_SOURCE }];
        self.sign_ins.take(&limits).map_err(|retry_after_s| AppError::RateLimited { retry_after_s })?;
        Ok(limits)
    }

    /// One row for whoever was not let in; the cause is one of ours.
    pub(super) async fn refused_at(
        &self,
        ctx: &Ctx,
        provider: &str,
        client: &Client,
        cause: &str,
    ) -> Result<(), AppError> {
        let proof = self.sign_in_proof(ctx, "user", "unknown").await?;
        let reason = format!("{cause}; at {provider}, from {}", client.source);
        self.db.record(ctx, &proof, AuditEntry::new(Outcome::Denied).reason(reason)).await.map(drop)
    }
}
