//! A further way to sign in for somebody who is here already: by proof only. Whoever wants it is signed in, has just given the
//! password, and then comes back from the provider in the same session.

use super::leave::{Departure, Holder, Purpose};
use super::{ProviderError, store};
use crate::identity::model::Client;
use crate::identity::service::IdentityService;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Object, Result, violated};
use passerelle_contract::text;
use passerelle_oidc::{Person, Refused};
use serde_json::json;
use time::OffsetDateTime;
use tower_sessions::Session;

/// Where one comes back to.
const PAGE: &str = "/access/sign-in";

/// How one signs in.
#[derive(Debug, Clone)]
pub struct OwnWays {
    /// There is a password, which is what a further way is added with.
    pub password: bool,
    pub providers: Vec<OwnProvider>,
}

/// A provider's person that is oneself.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OwnProvider {
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    pub created_at: OffsetDateTime,
    pub last_sign_in_at: OffsetDateTime,
}

impl IdentityService {
    /// How the caller signs in.
    ///
    /// # Errors
    /// `Forbidden` without any role, `Unauthenticated` for nobody.
    pub async fn own_ways(&self, ctx: &Ctx) -> Result<OwnWays> {
        let principal = ctx.principal();
        ctx.permit(Action::OwnAccess, &Object::new("user", principal.name.clone()))?;
        let password = self.user(&principal.name).await?.password_hash.is_some();
        let user_id = principal.user_id.ok_or(AppError::Unauthenticated)?;
        Ok(OwnWays { password, providers: store::providers_of(self.db.pool(), user_id).await? })
    }

    /// To the provider, to come back as one who may sign in there from now on.
    ///
    /// # Errors
    /// `Invalid` at `/password` when it does not fit; as [`Self::leave_for`].
    pub async fn leave_to_link(
        &self,
        ctx: &Ctx,
        id: &str,
        password: &str,
        client: &Client,
    ) -> Result<Departure, ProviderError> {
        let holder = Holder::of(ctx)?;
        self.confirm_password(ctx, password).await?;
        self.depart(ctx, id, (PAGE.to_owned(), Purpose::Link(holder)), client).await
    }

    pub(super) async fn link(
        &self,
        ctx: &Ctx,
        session: &Session,
        id: &str,
        person: &Person,
        holder: Holder,
        client: &Client,
    ) -> Result<(), ProviderError> {
        let principal = ctx.principal();
        if !holder.is(ctx) {
            let refused = Refused::stale("the further way to sign in was asked for in another session");
            self.refused_at(ctx, id, client, refused.cause).await?;
            return Err(refused.into());
        }
        let taken = || AppError::Conflict(text!("at the provider you are somebody who has a user of their own here"));
        match store::user_of(self.db.pool(), &person.issuer, &person.subject).await? {
            Some(known) if known.id == holder.user => return Ok(()),
            Some(_) => {
                self.refused_at(ctx, id, client, "the provider's person has a user already").await?;
                return Err(taken().into());
            }
            None => {}
        }
        let object = Object::new("user", principal.name.clone());
        let authorized = self.db.authorize(ctx, Action::OwnAccess, object).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        match store::insert_identity(tx.conn(), holder.user, person, id).await {
            Err(error) if violated(&error) == Some("user_identities_pkey") => return Err(taken().into()),
            other => other.map_err(AppError::from)?,
        }
        let after = json!({ "provider": id, "issuer": person.issuer, "subject": person.subject });
        tx.commit(AuditEntry::success().reason("a further way to sign in").after(after)).await?;
        self.mark_proven(session).await?;
        Ok(())
    }
}
