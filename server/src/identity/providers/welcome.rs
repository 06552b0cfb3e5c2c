//! Who somebody is here: the user of (issuer, subject), made at the first sign-in, and the roles that the groups give.

use super::arrive::RolesTold;
use super::{Known, ProviderError, names, store};
use crate::identity::model::{Client, grant_json, on_behalf_of};
use crate::identity::service::IdentityService;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Object, Result, violated};
use passerelle_contract::access::RoleGrant;
use passerelle_oidc::{Groups, Person};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Two first sign-ins at once take each other's name or place; the next try finds what the other has made.
const TRIES: usize = 5;

pub(super) struct Welcomed {
    pub(super) user_id: Uuid,
    pub(super) roles: RolesTold,
}

impl IdentityService {
    pub(super) async fn welcome(
        &self,
        ctx: &Ctx,
        known: &Known,
        person: &Person,
        client: &Client,
    ) -> Result<Welcomed, ProviderError> {
        for _ in 0..TRIES {
            if let Some(welcomed) = self.try_to_welcome(ctx, known, person, client).await? {
                return Ok(welcomed);
            }
        }
        Err(AppError::internal("a first sign-in met others in each of its tries").into())
    }

    /// `None` when somebody else took the name, or was the same person, meanwhile.
    async fn try_to_welcome(
        &self,
        ctx: &Ctx,
        known: &Known,
        person: &Person,
        client: &Client,
    ) -> Result<Option<Welcomed>, ProviderError> {
        let provider = known.config.id.as_str();
        let found = store::user_of(self.db.pool(), &person.issuer, &person.subject).await?;
        let (user_id, name, new) = match found {
            Some(user) if user.disabled => return Err(ProviderError::Disabled),
            Some(user) => (user.id, user.name, false),
            None => (Uuid::now_v7(), self.free_name(person).await?, true),
        };
        let portal = on_behalf_of(ctx, Some(user_id), &name);
        let proof = self.db.authorize(&portal, Action::SignIn, Object::new("user", name.clone())).await?;
        let mut tx = self.db.write(&portal, proof).await?;
        if new {
            let shown = person.name.as_deref().unwrap_or(&name);
            match store::insert_person(tx.conn(), user_id, &name, shown, (person, provider)).await {
                Err(error) if matches!(violated(&error), Some("users_name_key" | "user_identities_pkey")) => {
                    return Ok(None);
                }
                other => other.map_err(AppError::from)?,
            }
        } else {
            store::saw(tx.conn(), person, provider).await?;
        }
        let wanted = wanted(&known.roles, &person.groups);
        let had = store::roles_by(tx.conn(), user_id, provider).await?;
        let changed =
            had.iter().collect::<BTreeSet<_>>() != wanted.iter().map(columns).collect::<Vec<_>>().iter().collect();
        if changed {
            store::replace_roles(tx.conn(), user_id, provider, &wanted).await?;
        }
        let any = store::has_role(tx.conn(), user_id).await?;
        let roles = wanted.iter().map(|(group, grant)| with_group(grant, group)).collect::<Vec<_>>();
        let after = json!({ "issuer": person.issuer, "subject": person.subject, "first": new,
            "groups": told(&person.groups), "roles": roles });
        let reason = format!("signed in at {provider}, from {}", client.source);
        tx.commit(AuditEntry::success().reason(reason).after(after)).await?;
        if changed || new {
            self.access_changed().await;
        }
        let roles = if any { RolesTold::Some } else { why_none(&person.groups) };
        Ok(Some(Welcomed { user_id, roles }))
    }

    /// A name that nobody has. It is for people to read: whoever takes another's gets a number behind it, and none of the rights.
    async fn free_name(&self, person: &Person) -> Result<String> {
        let wished = names::wished(person.user_name.as_deref().or(person.name.as_deref()).unwrap_or_default());
        let candidates = names::candidates(&wished);
        let taken = store::taken(self.db.pool(), &candidates).await?;
        let free = candidates.into_iter().find(|name| !taken.contains(name));
        Ok(free.unwrap_or_else(|| format!("{wished}-{}", &Uuid::new_v4().simple().to_string()[..8])))
    }
}

/// The roles of a person's groups. Only a claim that was read whole gives any.
fn wanted(mapping: &[(String, RoleGrant)], groups: &Groups) -> Vec<(String, RoleGrant)> {
    let Groups::Read(ids) = groups else { return Vec::new() };
    let mut wanted: Vec<(String, RoleGrant)> = Vec::new();
    for entry in mapping.iter().filter(|(group, _)| ids.contains(group)) {
        if !wanted.contains(entry) {
            wanted.push(entry.clone());
        }
    }
    wanted
}

/// As the table has them: group, role, kind and value of the scope.
fn columns((group, grant): &(String, RoleGrant)) -> (String, String, String, String) {
    let (kind, value) = crate::identity::model::scope_columns(&grant.scope);
    (group.clone(), grant.role.as_str().to_owned(), kind.to_owned(), value.to_owned())
}

fn with_group(grant: &RoleGrant, group: &str) -> Value {
    let mut value = grant_json(grant);
    value["group"] = json!(group);
    value
}

const fn told(groups: &Groups) -> &'static str {
    match groups {
        Groups::NotAsked => "not asked",
        Groups::Absent => "absent",
        Groups::Odd => "odd",
        Groups::Read(_) => "read",
    }
}

const fn why_none(groups: &Groups) -> RolesTold {
    match groups {
        Groups::NotAsked => RolesTold::NotAsked,
        Groups::Absent => RolesTold::Absent,
        Groups::Odd => RolesTold::Odd,
        Groups::Read(_) => RolesTold::NoneOfThese,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_contract::access::{Role, Scope};

    #[test]
    fn a_role_comes_from_the_id_of_a_group_and_from_nothing_like_it() {
        let grant = |role| RoleGrant { role, scope: Scope::Everything };
        let mapping = vec![("7f".to_owned(), grant(Role::Admin)), ("8a".to_owned(), grant(Role::Viewer))];
        let read = |ids: &[&str]| Groups::Read(ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(wanted(&mapping, &read(&["8a", "8a", "9"])), [mapping[1].clone()]);
        for none in [read(&["7F", "7f ", "admin"]), Groups::Absent, Groups::Odd, Groups::NotAsked] {
            assert!(wanted(&mapping, &none).is_empty(), "{none:?}");
        }
        let twice = vec![mapping[0].clone(), mapping[0].clone()];
        assert_eq!(wanted(&twice, &read(&["7f"])).len(), 1);
    }
}
