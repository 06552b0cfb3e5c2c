//! The provider says that somebody signed out there: their sessions here end (back-channel logout).

use super::{ProviderError, store};
use crate::identity::limiter::Limit;
use crate::identity::model::{Client, digest, on_behalf_of};
use crate::identity::service::{BAD_TOKENS, IdentityService};
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Object};
use passerelle_oidc::Refused;
use time::OffsetDateTime;

impl IdentityService {
    /// Ends what a logout token names; says how many sessions that were. Each token counts once.
    ///
    /// # Errors
    /// Everything that is not believed, each with an audit row; `RateLimited` after too many.
    pub async fn signed_out_at(&self, ctx: &Ctx, id: &str, token: &str, client: &Client) -> Result<u64, ProviderError> {
        let (providers, known) = self.at(id)?;
        let limits = [Limit { key: format!("logout:{}", client.counted()), max: BAD_TOKENS }];
        self.bad_tokens.take(&limits).map_err(|retry_after_s| AppError::RateLimited { retry_after_s })?;
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let out = match known.door.logged_out(&providers.wire, token, now).await {
            Ok(out) => out,
            Err(refused) => {
                self.refused_at(ctx, id, client, refused.cause).await?;
                return Err(refused.into());
            }
        };
        let issuer = known.config.issuer();
        if !store::use_once(self.db.pool(), &digest(&format!("logout:{issuer}:{}", out.id)), out.until).await? {
            let refused = Refused::stale("the logout token was used before");
            self.refused_at(ctx, id, client, refused.cause).await?;
            return Err(refused.into());
        }
        self.bad_tokens.give_back(&limits);
        let named = store::Named {
            provider: id,
            issuer: &issuer,
            subject: out.subject.as_deref(),
            session: out.session.as_deref(),
        };
        let names = store::signed_in_as(self.db.pool(), &named).await?;
        let mut ended = 0;
        for (user_id, name) in names {
            let portal = on_behalf_of(ctx, Some(user_id), &name);
            let proof = self.db.authorize(&portal, Action::SignIn, Object::new("user", name)).await?;
            let mut tx = self.db.write(&portal, proof).await?;
            let gone = store::end_sessions(tx.conn(), user_id, &named).await?;
            tx.commit(AuditEntry::success().reason(format!("signed out at {id}: {gone} sessions ended"))).await?;
            ended += gone;
        }
        if ended > 0 {
            self.access_changed().await;
        }
        Ok(ended)
    }
}
