//! What somebody can do and why, what other roles would change, and who can do something at all. Nothing here permits anything.

use super::model;
use super::rights_store::{self as store, Holder};
use super::service::IdentityService;
use crate::kernel::{
    Action, AppError, Ctx, Cursor, Decision, Object, Principal, PrincipalKind, Proof, Result, decide_for,
    limit_or_default,
};
use passerelle_contract::access::{
    HolderFilter, HolderOut, PermissionOut, RoleGrant, Scope, SimulatedOut, SimulationFilter, SimulationOut,
};
use passerelle_contract::paging::Page;
use passerelle_contract::text;
use time::OffsetDateTime;
use uuid::Uuid;

/// Users that are judged at once while looking for those who can.
const BATCH: i64 = 200;

impl IdentityService {
    /// What the caller can do with an object, and the rule that says so.
    #[must_use]
    pub fn permissions(&self, ctx: &Ctx, object: &Object) -> Vec<PermissionOut> {
        possible(object).map(|action| told(ctx, action, &decide_for(ctx.principal(), action, object))).collect()
    }

    /// What a user can do with an object, and what the filter's change of roles would make of it.
    ///
    /// # Errors
    /// `Forbidden` but for administrators; `NotFound` for the user; `Invalid` by field for a change that cannot be made.
    pub async fn simulate(
        &self,
        ctx: &Ctx,
        name: &str,
        object: &Object,
        filter: &SimulationFilter,
    ) -> Result<SimulationOut> {
        ctx.permit(Action::AccessRead, &Object::new("user", short(name)))?;
        let added = added(filter)?;
        let unknown = || AppError::not_found(format!("user:{}", short(name)));
        let holder = store::holder(self.db.pool(), name).await?.ok_or_else(unknown)?;
        let bindings = holder.bindings()?;
        if let Some(without) = filter.without
            && !bindings.iter().any(|(id, _)| *id == without)
        {
            return Err(AppError::field("/without", text!("{name} has no such role", name = &holder.name)));
        }
        let roles: Vec<RoleGrant> = bindings.iter().map(|(_, grant)| grant.clone()).collect();
        let roles_then = (added.is_some() || filter.without.is_some()).then(|| {
            let kept = bindings.iter().filter(|(id, _)| Some(*id) != filter.without);
            kept.map(|(_, grant)| grant.clone()).chain(added).collect::<Vec<_>>()
        });
        let now = acting(&holder, roles.clone());
        let then = roles_then.clone().map(|roles| acting(&holder, roles));
        let judged = |principal: &Principal, action| {
            let decision = if holder.disabled { disabled(&holder) } else { decide_for(principal, action, object) };
            told(ctx, action, &decision)
        };
        let permissions = possible(object).map(|action| SimulatedOut {
            now: judged(&now, action),
            then: then.as_ref().map(|then| judged(then, action)),
        });
        let permissions = permissions.collect();
        Ok(SimulationOut { user: holder.name.clone(), roles, roles_then, permissions })
    }

    /// Who can do something with an object, by name.
    ///
    /// # Errors
    /// `Forbidden` but for administrators; `Invalid` at `/action`.
    pub async fn holders(&self, ctx: &Ctx, object: &Object, filter: &HolderFilter) -> Result<Page<HolderOut>> {
        ctx.permit(Action::AccessRead, &Object::new("permissions", "all"))?;
        let action = action(filter.action.as_deref(), object)?;
        let limit = limit_or_default(filter.limit)?;
        let after: String = match &filter.cursor {
            Some(text) => Cursor::decode(&self.keys, "holders", text)?,
            None => String::new(),
        };
        let able = self.able(ctx, action, object).await?;
        let total = able.len() as u64;
        let mut items: Vec<HolderOut> = able.into_iter().filter(|holder| holder.user > after).take(limit + 1).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = match items.last() {
            Some(last) if more => Some(Cursor::encode(&self.keys, "holders", &last.user)?),
            _ => None,
        };
        Ok(Page { items, next_cursor, total })
    }

    /// All of them: whoever can is known only after everybody with a role was judged.
    async fn able(&self, ctx: &Ctx, action: Action, object: &Object) -> Result<Vec<HolderOut>> {
        let (mut able, mut after) = (Vec::new(), String::new());
        loop {
            let batch = store::holders(self.db.pool(), &after, BATCH).await?;
            for holder in &batch {
                let grants = holder.bindings()?.into_iter().map(|(_, grant)| grant).collect();
                let decision = decide_for(&acting(holder, grants), action, object);
                if decision.allowed {
                    able.push(HolderOut {
                        user: holder.name.clone(),
                        display_name: holder.display_name.clone(),
                        service: holder.service,
                        because: ctx.say(&decision.because),
                    });
                }
            }
            match batch.last() {
                Some(last) if batch.len() as i64 == BATCH => after.clone_from(&last.name),
                _ => return Ok(able),
            }
        }
    }
}

/// What anybody but the portal itself can be allowed.
fn possible(object: &Object) -> impl Iterator<Item = Action> + use<> {
    let tier = object.environment.as_ref().map(|environment| environment.tier);
    Action::ALL.into_iter().filter(move |action| action.least_role(tier).is_some())
}

fn told(ctx: &Ctx, action: Action, decision: &Decision) -> PermissionOut {
    PermissionOut { action: action.name().to_owned(), allowed: decision.allowed, because: ctx.say(&decision.because) }
}

fn short(name: &str) -> String {
    name.chars().take(64).collect()
}

fn action(name: Option<&str>, object: &Object) -> Result<Action> {
    let found = name.and_then(|name| possible(object).find(|action| action.name() == name));
    found.ok_or_else(|| {
        let names: Vec<_> = possible(object).map(Action::name).collect();
        AppError::field("/action", text!("must be one of {choices}", choices = names.join(", ")))
    })
}

/// The role of the question, which is checked as one that is given.
fn added(filter: &SimulationFilter) -> Result<Option<RoleGrant>> {
    let Some(role) = filter.role else {
        return match filter.scope {
            Some(_) => Err(AppError::field("/scope", text!("says where a role holds; name the role too"))),
            None => Ok(None),
        };
    };
    let key = filter.scope.as_deref().unwrap_or("everything");
    let scope = Scope::of_key(key).ok_or_else(|| {
        let text = text!("must be everything, team:namespace/name, system:namespace/name or tier:name");
        AppError::field("/scope", text)
    })?;
    model::scope(&scope).map_err(|why| AppError::field("/scope", why))?;
    Ok(Some(RoleGrant { role, scope }))
}

/// The user as they act: a service user by tokens, a person in a session that has just begun.
fn acting(holder: &Holder, grants: Vec<RoleGrant>) -> Principal {
    let kind = if holder.service {
        PrincipalKind::Token { id: String::new() }
    } else {
        let proof = Proof { at: OffsetDateTime::now_utc(), again: true };
        PrincipalKind::Session { id: Uuid::nil(), csrf: String::new(), proof }
    };
    Principal {
        kind,
        user_id: Some(holder.id),
        name: holder.name.clone(),
        display_name: holder.display_name.clone(),
        grants,
        cap: None,
    }
}

fn disabled(holder: &Holder) -> Decision {
    Decision { allowed: false, because: text!("{name} is disabled", name = &holder.name) }
}
