//! Showing again who one is, in an open session: before an act for which having signed in some time ago is not enough.
//!
//! By the password, or by signing in anew at a provider that knows the person; an open session there does not do. Afterwards the session
//! has a new id: whoever has learnt the old one has nothing.

use super::leave::{Departure, Holder, Purpose, local_path};
use super::{ProviderError, store};
use crate::identity::model::{Client, on_behalf_of};
use crate::identity::service::IdentityService;
use crate::identity::session_store::{PROVEN_AGAIN, PROVEN_AT};
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Object, PrincipalKind, Result};
use passerelle_contract::text;
use passerelle_oidc::{Person, Refused};
use std::time::Duration;
use time::OffsetDateTime;
use tower_sessions::Session;

/// How somebody can show again who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaysToConfirm {
    pub password: bool,
    /// Id and name of the providers that know them.
    pub providers: Vec<(String, String)>,
}

impl IdentityService {
    /// After how long an act in production asks again; none never asks.
    #[must_use]
    pub fn confirm_after(&self) -> Option<Duration> {
        self.providers.get().and_then(|providers| providers.confirm_after)
    }

    /// # Errors
    /// `Unauthenticated` without a session.
    pub async fn ways_to_confirm(&self, ctx: &Ctx) -> Result<WaysToConfirm> {
        let holder = Holder::of(ctx)?;
        let password = self.user(&ctx.principal().name).await?.password_hash.is_some();
        let own = store::providers_of(self.db.pool(), holder.user).await?;
        let list = self.providers.get().map_or(&[][..], |providers| &providers.list);
        let known = list
            .iter()
            .filter(|known| known.door.confirms() && own.iter().any(|one| one.issuer == known.config.issuer()));
        let providers = known.map(|known| (known.config.id.clone(), known.config.name.clone())).collect();
        Ok(WaysToConfirm { password, providers })
    }

    /// By the password.
    ///
    /// # Errors
    /// `Invalid` at `/password` when it does not fit or there is none; `RateLimited` after too many failures; `Forbidden` for tokens, `Unauthenticated`
    /// for nobody.
    pub async fn confirm(&self, ctx: &Ctx, session: &Session, password: &str) -> Result<()> {
        if matches!(ctx.principal().kind, PrincipalKind::Token { .. }) {
            return Err(AppError::Forbidden(text!("only somebody who is signed in can show again who they are")));
        }
        Holder::of(ctx)?;
        self.confirm_password(ctx, password).await?;
        self.note_proof(ctx, "showed again who they are, by password".to_owned()).await?;
        self.mark_proven(session).await
    }

    /// To the provider, and back to `next` as one who has just signed in there.
    ///
    /// # Errors
    /// As [`Self::leave_for`]; `Unauthenticated` without a session.
    pub async fn leave_to_confirm(
        &self,
        ctx: &Ctx,
        id: &str,
        next: &str,
        client: &Client,
    ) -> Result<Departure, ProviderError> {
        let holder = Holder::of(ctx)?;
        self.depart(ctx, id, (local_path(next), Purpose::Confirm(holder)), client).await
    }

    pub(super) async fn confirmed_at(
        &self,
        ctx: &Ctx,
        session: &Session,
        id: &str,
        person: &Person,
        holder: Holder,
        client: &Client,
    ) -> Result<(), ProviderError> {
        let refused = if !holder.is(ctx) {
            Some("the confirmation was asked for in another session")
        } else if store::user_of(self.db.pool(), &person.issuer, &person.subject).await?.map(|user| user.id)
            != Some(holder.user)
        {
            Some("the provider's person is not who is signed in here")
        } else {
            None
        };
        if let Some(cause) = refused {
            self.refused_at(ctx, id, client, cause).await?;
            return Err(Refused::stale(cause).into());
        }
        self.note_proof(ctx, format!("showed again who they are, at {id}")).await?;
        self.mark_proven(session).await?;
        Ok(())
    }

    async fn note_proof(&self, ctx: &Ctx, reason: String) -> Result<()> {
        let object = Object::new("user", ctx.principal().name.clone());
        let portal = on_behalf_of(ctx, ctx.principal().user_id, &ctx.principal().name);
        let proof = self.db.authorize(&portal, Action::SignIn, object).await?;
        self.db.record(&portal, &proof, AuditEntry::success().reason(reason)).await?;
        Ok(())
    }

    /// The person of this session has just shown again who they are.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn mark_proven(&self, session: &Session) -> Result<()> {
        let failed = |error: tower_sessions::session::Error| AppError::internal(error);
        if session.id().is_some() {
            session.insert(PROVEN_AT, OffsetDateTime::now_utc().unix_timestamp()).await.map_err(failed)?;
            session.insert(PROVEN_AGAIN, true).await.map_err(failed)?;
            session.cycle_id().await.map_err(failed)?;
            session.save().await.map_err(failed)?;
        }
        Ok(())
    }
}
