//! Who has which role where.

use super::model::{self, grant_from, grant_json, refuse_wrong};
use super::service::IdentityService;
use super::store::{self, BindingRow};
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Cursor, Object, Result, limit_or_default};
use passerelle_contract::access::{AccessFilter, RoleBindingIn, RoleBindingOut, RoleGrant, RoleSource};
use passerelle_contract::paging::Page;
use passerelle_contract::text;
use serde_json::json;
use uuid::Uuid;

impl IdentityService {
    /// # Errors
    /// `Forbidden` but for administrators; everybody sees their own roles in `/me`.
    pub async fn list_role_bindings(&self, ctx: &Ctx, filter: &AccessFilter) -> Result<Page<RoleBindingOut>> {
        ctx.permit(Action::AccessRead, &Object::new("role_bindings", "all"))?;
        let limit = limit_or_default(filter.limit)?;
        let after: Uuid = match &filter.cursor {
            Some(text) => Cursor::decode(&self.keys, "role_bindings", text)?,
            None => Uuid::nil(),
        };
        let user = filter.user.as_deref();
        let (mut rows, total) = store::list_bindings(self.db.pool(), user, after, limit as i64 + 1).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = match rows.last() {
            Some(row) if more => Some(Cursor::encode(&self.keys, "role_bindings", &row.id)?),
            _ => None,
        };
        let items = rows.into_iter().map(binding_out).collect::<Result<_>>()?;
        Ok(Page { items, next_cursor, total: total.unsigned_abs() })
    }

    /// # Errors
    /// `Invalid` by field, `AlreadyExists`, `Forbidden` but for administrators of everything.
    pub async fn create_role_binding(&self, ctx: &Ctx, new: &RoleBindingIn) -> Result<RoleBindingOut> {
        let short: String = new.user.chars().take(64).collect();
        let key = format!("{short}:{}:{}", new.role.as_str(), new.scope.key());
        let authorized = self.db.authorize(ctx, Action::AccessEdit, Object::new("user", short.clone())).await?;
        let user = store::user_by_name(self.db.pool(), &new.user).await?;
        refuse_wrong([
            ("/user", user.as_ref().map(drop).ok_or_else(|| text!("there is no user {name}", name = short))),
            ("/scope", model::scope(&new.scope)),
        ])?;
        let user = user.ok_or_else(|| AppError::internal("checked above"))?;
        let grant = RoleGrant { role: new.role, scope: new.scope.clone() };
        let mut tx = self.db.write(ctx, authorized).await?;
        let id = store::insert_binding(tx.conn(), user.id, &grant, &ctx.principal().name)
            .await?
            .ok_or_else(|| AppError::AlreadyExists(text!("role binding {key}", key)))?;
        let mut after = grant_json(&grant);
        after["user"] = json!(user.name);
        tx.commit(AuditEntry::success().after(after)).await?;
        self.access_changed().await;
        let row = store::binding(self.db.pool(), id).await?;
        binding_out(row.ok_or_else(|| AppError::NotFound(text!("role binding {id}", id)))?)
    }

    /// # Errors
    /// `NotFound`; `Conflict` when nobody would be left to administer everything, and for a role of a provider's group, which would
    /// be back at the next sign-in.
    pub async fn delete_role_binding(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        let row = store::binding(self.db.pool(), id).await?;
        // The audit tells a user's roles under the user's name.
        let object = match &row {
            Some(row) => Object::new("user", row.user_name.clone()),
            None => Object::new("role_binding", id.to_string()),
        };
        let authorized = self.db.authorize(ctx, Action::AccessEdit, object).await?;
        let unknown = || AppError::NotFound(text!("role binding {id}", id));
        let row = row.ok_or_else(unknown)?;
        if !row.provider.is_empty() {
            let (group, provider) = (row.provider_group, row.provider);
            return Err(AppError::Conflict(text!(
                "this role comes from the group {group} at {provider}; take the person out of the group, or the group out of the configuration",
                group,
                provider
            )));
        }
        let mut tx = self.db.write(ctx, authorized).await?;
        let admins = store::count_admins(tx.conn()).await?;
        if !store::delete_binding(tx.conn(), id).await? {
            return Err(unknown());
        }
        if admins > 0 && store::count_admins(tx.conn()).await? == 0 {
            let text = text!("{name} is the last administrator; make another one first", name = row.user_name);
            return Err(AppError::Conflict(text));
        }
        let mut before = grant_json(&grant_from(&row.role, &row.scope_kind, row.scope_value)?);
        before["user"] = json!(row.user_name);
        tx.commit(AuditEntry::success().before(before)).await?;
        self.access_changed().await;
        Ok(())
    }
}

fn binding_out(row: BindingRow) -> Result<RoleBindingOut> {
    let grant = grant_from(&row.role, &row.scope_kind, row.scope_value)?;
    Ok(RoleBindingOut {
        id: row.id,
        user: row.user_name,
        role: grant.role,
        scope: grant.scope,
        created_at: row.created_at,
        created_by: row.created_by,
        source: Some(row.provider)
            .filter(|provider| !provider.is_empty())
            .map(|provider| RoleSource { provider, group: row.provider_group }),
    })
}
