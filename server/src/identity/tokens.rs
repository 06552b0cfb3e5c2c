//! API tokens: made by a user for at most what the user may do, shown once, ended by their owner or an administrator.

use super::model::{self, covers, digest, grant_json, mint_token, refuse_wrong, user_name};
use super::service::IdentityService;
use super::store::{self, NewToken, TokenRow};
use crate::kernel::{
    Action, AppError, AuditEntry, Ctx, Cursor, Object, Principal, PrincipalKind, Result, WriteTx, limit_or_default,
    validate,
};
use passerelle_contract::access::{AccessFilter, Role, RoleGrant, Scope, TokenCreated, TokenIn, TokenOut};
use passerelle_contract::paging::Page;
use passerelle_contract::{Text, text};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const DEFAULT_DAYS: u16 = 30;
const MAX_DAYS: u16 = 90;

/// Who a new token is for and what it is called.
struct Owner<'a> {
    id: Uuid,
    name: &'a str,
    label: &'a str,
}

impl IdentityService {
    /// One's own tokens; administrators name another user. Those that have ended are not listed.
    ///
    /// # Errors
    /// `Forbidden` for those of others.
    pub async fn list_tokens(&self, ctx: &Ctx, filter: &AccessFilter) -> Result<Page<TokenOut>> {
        let user = self.whose(ctx, filter.user.as_deref(), "tokens")?;
        let limit = limit_or_default(filter.limit)?;
        let before: Option<(i128, String)> =
            filter.cursor.as_ref().map(|text| Cursor::decode(&self.keys, "tokens", text)).transpose()?;
        let before = match before {
            Some((nanos, id)) => {
                Some((OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(AppError::internal)?, id))
            }
            None => None,
        };
        let (mut rows, total) =
            store::list_tokens(self.db.pool(), Some(&user), before.as_ref(), limit as i64 + 1).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = match rows.last() {
            Some(row) if more => {
                let position = (row.created_at.unix_timestamp_nanos(), &row.id);
                Some(Cursor::encode(&self.keys, "tokens", &position)?)
            }
            _ => None,
        };
        let items = rows.into_iter().map(token_out).collect::<Result<_>>()?;
        Ok(Page { items, next_cursor, total: total.unsigned_abs() })
    }

    /// A token of the caller. A token makes only tokens that are no stronger and live no longer than itself.
    ///
    /// # Errors
    /// `Invalid` by field, at `/role` for more than the caller may do; `ConfirmationNeeded` in a session whose person was not asked for long.
    pub async fn create_token(&self, ctx: &Ctx, new: &TokenIn) -> Result<TokenCreated> {
        // A token is not asked who it is, so it would be the way around.
        if ctx.must_confirm() {
            return Err(AppError::ConfirmationNeeded);
        }
        let principal = ctx.principal();
        let object = Object::new("token", principal.name.clone());
        let authorized = self.db.authorize(ctx, Action::OwnAccess, object).await?;
        let owner_id =
            principal.user_id.ok_or_else(|| AppError::Forbidden(text!("the portal itself has no tokens")))?;
        let grant = RoleGrant { role: new.role, scope: new.scope.clone().unwrap_or(Scope::Everything) };
        refuse_wrong([
            ("/name", validate::line(&new.name, 1, 100)),
            ("/scope", model::scope(&grant.scope)),
            ("/expires_in_days", days(new.expires_in_days).map(drop)),
            ("/role", no_stronger(principal, &grant)),
        ])?;
        let expires_at = self.expiry(principal, new.expires_in_days).await?;
        let tx = self.db.write(ctx, authorized).await?;
        let owner = Owner { id: owner_id, name: &principal.name, label: &new.name };
        insert(tx, &owner, grant, expires_at).await
    }

    async fn expiry(&self, principal: &Principal, asked_days: Option<u16>) -> Result<OffsetDateTime> {
        let asked = OffsetDateTime::now_utc()
            + Duration::days(i64::from(
                days(asked_days).map_err(|message| AppError::field("/expires_in_days", message))?,
            ));
        let PrincipalKind::Token { id } = &principal.kind else { return Ok(asked) };
        let parent = store::token(self.db.pool(), id).await?.ok_or(AppError::Unauthenticated)?;
        Ok(asked.min(parent.expires_at))
    }

    /// Ends a token at once: one's own, or, for administrators, anybody's.
    ///
    /// # Errors
    /// `NotFound` for one that does not exist or belongs to somebody else.
    pub async fn revoke_token(&self, ctx: &Ctx, id: &str) -> Result<()> {
        let id: String = id.chars().take(32).collect();
        let unknown = || AppError::NotFound(text!("token {id}", id));
        let row = store::token(self.db.pool(), &id).await?;
        let own = row.as_ref().is_some_and(|row| ctx.principal().user_id == Some(row.owner_id));
        let action = if own { Action::OwnAccess } else { Action::AccessEdit };
        let authorized = match self.db.authorize(ctx, action, Object::new("token", id.clone())).await {
            Err(AppError::Forbidden(_)) => return Err(unknown()),
            other => other?,
        };
        let row = row.ok_or_else(unknown)?;
        let mut tx = self.db.write(ctx, authorized).await?;
        if !store::revoke_token(tx.conn(), &id).await? {
            return Err(unknown());
        }
        tx.commit(AuditEntry::success().before(json!({ "owner": row.owner, "name": row.name }))).await?;
        self.access_changed().await;
        Ok(())
    }

    /// For scripts, from the server's own machine: a token of a service user, which is made with that role when missing.
    /// A person's token is limited by the person's roles and gives none.
    ///
    /// # Errors
    /// `Invalid` by field (`/user`, `/scope`, `/expires`).
    pub async fn create_service_token(
        &self,
        ctx: &Ctx,
        user: &str,
        role: Role,
        scope: Scope,
        expires_in_days: u16,
    ) -> Result<TokenCreated> {
        refuse_wrong([
            ("/user", user_name(user)),
            ("/scope", model::scope(&scope)),
            ("/expires", days(Some(expires_in_days)).map(drop)),
        ])?;
        let authorized = self.db.authorize(ctx, Action::AccessEdit, Object::new("user", user)).await?;
        let existing = store::user_by_name(self.db.pool(), user).await?;
        if existing.as_ref().is_some_and(|row| row.disabled_at.is_some()) {
            return Err(AppError::field("/user", text!("is disabled")));
        }
        let grant = RoleGrant { role, scope };
        let mut tx = self.db.write(ctx, authorized).await?;
        let owner_id = match &existing {
            Some(row) => row.id,
            None => store::insert_user(tx.conn(), user, user, None).await?,
        };
        if existing.is_none_or(|row| row.service) {
            store::insert_binding(tx.conn(), owner_id, &grant, &ctx.principal().name).await?;
        }
        let expires_at = OffsetDateTime::now_utc() + Duration::days(i64::from(expires_in_days));
        let owner = Owner { id: owner_id, name: user, label: "command line" };
        let created = insert(tx, &owner, grant, expires_at).await?;
        self.access_changed().await;
        Ok(created)
    }
}

async fn insert(
    mut tx: WriteTx,
    owner: &Owner<'_>,
    grant: RoleGrant,
    expires_at: OffsetDateTime,
) -> Result<TokenCreated> {
    let (id, token) = mint_token();
    let new = NewToken {
        id: &id,
        secret_hash: digest(&token),
        owner_id: owner.id,
        name: owner.label,
        grant: &grant,
        expires_at,
    };
    let created_at = store::insert_token(tx.conn(), &new).await?;
    let mut after = grant_json(&grant);
    after["token"] = json!(id);
    after["owner"] = json!(owner.name);
    after["name"] = json!(owner.label);
    after["expires_at"] = json!(expires_at.unix_timestamp());
    tx.commit(AuditEntry::success().after(after)).await?;
    let info = TokenOut {
        id,
        name: owner.label.to_owned(),
        owner: owner.name.to_owned(),
        role: grant.role,
        scope: grant.scope,
        created_at,
        expires_at,
        last_used_at: None,
    };
    Ok(TokenCreated { token, info })
}

fn days(asked: Option<u16>) -> std::result::Result<u16, Text> {
    match asked.unwrap_or(DEFAULT_DAYS) {
        days @ 1..=MAX_DAYS => Ok(days),
        days => Err(text!("is {count}; allowed is {min} to {max}", count = days, min = 1, max = MAX_DAYS)),
    }
}

fn no_stronger(principal: &Principal, asked: &RoleGrant) -> std::result::Result<(), Text> {
    let capped = principal.cap.as_ref().is_none_or(|cap| covers(std::slice::from_ref(cap), asked));
    if capped && covers(&principal.grants, asked) {
        Ok(())
    } else {
        Err(text!("is more than you may do yourself, or holds further; ask for a lower role or a narrower scope"))
    }
}

fn token_out(row: TokenRow) -> Result<TokenOut> {
    let grant = model::grant_from(&row.role, &row.scope_kind, row.scope_value)?;
    Ok(TokenOut {
        id: row.id,
        name: row.name,
        owner: row.owner,
        role: grant.role,
        scope: grant.scope,
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_at: row.last_used_at,
    })
}
