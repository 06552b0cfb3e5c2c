//! The authorisation kernel: one policy table, one decision function, and the proof that a use case asked.
//!
//! Deny by default: a principal without a role that reaches the object may do nothing, and an object that may not be read
//! answers as if it did not exist.

use super::{Action, Ctx, Principal, PrincipalKind};
use passerelle_contract::access::{RoleGrant, Scope};
use passerelle_contract::environments::Tier;
use passerelle_contract::{Text, text};
use std::collections::BTreeSet;

/// The service an object belongs to, with what role scopes look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceScope {
    /// `namespace/name`.
    pub key: String,
    /// The owning team, `namespace/name`.
    pub team: Option<String>,
    /// The system, `namespace/name`.
    pub system: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentScope {
    pub name: String,
    pub tier: Tier,
}

/// What an action is about; `kind:key` is the `object` column of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub kind: &'static str,
    pub key: String,
    pub service: Option<ServiceScope>,
    pub environment: Option<EnvironmentScope>,
}

impl Object {
    #[must_use]
    pub fn new(kind: &'static str, key: impl Into<String>) -> Self {
        Self { kind, key: key.into(), service: None, environment: None }
    }

    #[must_use]
    pub fn service(scope: ServiceScope) -> Self {
        Self { kind: "service", key: scope.key.clone(), service: Some(scope), environment: None }
    }

    #[must_use]
    pub fn with_service(mut self, scope: ServiceScope) -> Self {
        self.service = Some(scope);
        self
    }

    #[must_use]
    pub fn with_environment(mut self, scope: EnvironmentScope) -> Self {
        self.environment = Some(scope);
        self
    }

    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}:{}", self.kind, self.key)
    }
}

/// The proof that a decision was made and was yes. Only [`super::Db::authorize`] and [`Ctx::permit`] make one.
#[derive(Debug, Clone)]
pub struct Authorized {
    pub(super) action: Action,
    pub(super) object: Object,
}

impl Authorized {
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    #[must_use]
    pub const fn object(&self) -> &Object {
        &self.object
    }
}

/// A decision with the rule that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    pub because: Text,
}

/// Which services a principal may read; environments' tiers do not narrow the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadScope {
    All,
    Only { teams: BTreeSet<String>, systems: BTreeSet<String> },
}

impl ReadScope {
    #[must_use]
    pub fn allows(&self, team: Option<&str>, system: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Only { teams, systems } => {
                team.is_some_and(|team| teams.contains(team)) || system.is_some_and(|system| systems.contains(system))
            }
        }
    }
}

/// Decides, and says why in one sentence.
#[must_use]
pub fn decide(ctx: &Ctx, action: Action, object: &Object) -> Decision {
    decide_for(ctx.principal(), action, object)
}

/// What would be decided for somebody, to be told; only [`Ctx::permit`] and [`super::Db::authorize`] permit anything.
#[must_use]
pub fn decide_for(principal: &Principal, action: Action, object: &Object) -> Decision {
    match principal.kind {
        PrincipalKind::System if action.needs_person() => return no(person_text(action)),
        PrincipalKind::System => return yes(text!("the portal acts by itself")),
        PrincipalKind::Anonymous => return no(text!("nobody is signed in")),
        PrincipalKind::Token { .. } if action.needs_person() => return no(person_text(action)),
        PrincipalKind::Session { .. } | PrincipalKind::Token { .. } => {}
    }
    let tier = object.environment.as_ref().map(|environment| environment.tier);
    let Some(least) = action.least_role(tier) else {
        return no(text!("{action} is done by the portal only", action = action.name()));
    };
    let enough = |grant: &RoleGrant| grant.role >= least && reaches(&grant.scope, action, object);
    if let Some(cap) = &principal.cap
        && !enough(cap)
    {
        return no(text!(
            "{action} needs the role {role} on {object}, and the token is limited to {cap} on {scope}",
            action = action.name(),
            role = least.as_str(),
            object = object_text(object),
            cap = cap.role.as_str(),
            scope = scope_text(&cap.scope)
        ));
    }
    match principal.grants.iter().find(|grant| enough(grant)) {
        Some(grant) => yes(text!(
            "role {role} on {scope} allows {action}",
            role = grant.role.as_str(),
            scope = scope_text(&grant.scope),
            action = action.name()
        )),
        None => no(text!(
            "{action} needs the role {role} on {object}",
            action = action.name(),
            role = least.as_str(),
            object = object_text(object)
        )),
    }
}

fn reaches(scope: &Scope, action: Action, object: &Object) -> bool {
    // One's own tokens, sessions and drafts are not inside any scope, and a route is not an object yet.
    if matches!(action, Action::OwnAccess | Action::OnboardingDraft | Action::ApiWrite) {
        return true;
    }
    match scope {
        Scope::Everything => true,
        Scope::Team(team) => match &object.service {
            Some(service) => service.team.as_ref() == Some(team),
            None => shared_read(action),
        },
        Scope::System(system) => match &object.service {
            Some(service) => service.system.as_ref() == Some(system),
            None => shared_read(action),
        },
        Scope::Tier(tier) => match &object.environment {
            Some(environment) => environment.tier.as_str() == tier,
            None => {
                matches!(action, Action::CatalogRead | Action::ReleaseRead | Action::SloRead) || shared_read(action)
            }
        },
    }
}

/// Environments, policies, freezes and golden paths are the same for everybody; without them no page can be read.
const fn shared_read(action: Action) -> bool {
    matches!(action, Action::EnvironmentRead | Action::GateRead | Action::TemplateRead)
}

fn person_text(action: Action) -> Text {
    text!("{action} needs a person who is signed in; a token is not one", action = action.name())
}

fn scope_text(scope: &Scope) -> Text {
    match scope {
        Scope::Everything => text!("everything"),
        Scope::Team(team) => text!("team {team}", team),
        Scope::System(system) => text!("system {system}", system),
        Scope::Tier(tier) => text!("tier {tier}", tier),
    }
}

fn object_text(object: &Object) -> Text {
    match (&object.service, &object.environment) {
        (Some(service), Some(environment)) => {
            text!("{service} in {environment}", service = &service.key, environment = &environment.name)
        }
        _ => Text::verbatim(object.reference()),
    }
}

const fn yes(because: Text) -> Decision {
    Decision { allowed: true, because }
}

const fn no(because: Text) -> Decision {
    Decision { allowed: false, because }
}

impl Ctx {
    /// Decides a read; what may not be read answers as [`super::AppError::NotFound`].
    ///
    /// # Errors
    /// `Unauthenticated` for nobody, `NotFound` when no role reaches the object.
    pub fn permit(&self, action: Action, object: &Object) -> super::Result<Authorized> {
        if self.is_anonymous() {
            return Err(super::AppError::Unauthenticated);
        }
        let decision = decide(self, action, object);
        if decision.allowed {
            return Ok(Authorized { action, object: object.clone() });
        }
        if object.service.is_some() && action.is_read() {
            return Err(super::AppError::not_found(object.reference()));
        }
        Err(super::AppError::Forbidden(decision.because))
    }

    /// Which services this principal may read.
    #[must_use]
    pub fn read_scope(&self) -> ReadScope {
        let principal = self.principal();
        match principal.kind {
            PrincipalKind::System => return ReadScope::All,
            PrincipalKind::Anonymous => return ReadScope::Only { teams: BTreeSet::new(), systems: BTreeSet::new() },
            PrincipalKind::Session { .. } | PrincipalKind::Token { .. } => {}
        }
        let owned = scope_of(principal.grants.iter());
        match &principal.cap {
            None => owned,
            Some(cap) => narrower(owned, scope_of(std::iter::once(cap))),
        }
    }
}

/// What one set of roles reaches, for narrowing lists of what happens to services in environments: any of the three is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    pub teams: Vec<String>,
    pub systems: Vec<String>,
    pub tiers: Vec<String>,
}

impl Reach {
    /// Nothing when everything is reached.
    fn of<'a>(grants: impl Iterator<Item = &'a RoleGrant>) -> Option<Self> {
        let mut reach = Self::default();
        for grant in grants {
            match &grant.scope {
                Scope::Everything => return None,
                Scope::Team(team) => reach.teams.push(team.clone()),
                Scope::System(system) => reach.systems.push(system.clone()),
                Scope::Tier(tier) => reach.tiers.push(tier.clone()),
            }
        }
        Some(reach)
    }
}

impl Ctx {
    /// Which services in which environments this principal may read about: what every one of these reaches.
    #[must_use]
    pub fn reaches(&self) -> Vec<Reach> {
        let principal = self.principal();
        match principal.kind {
            PrincipalKind::System => Vec::new(),
            PrincipalKind::Anonymous => vec![Reach::default()],
            PrincipalKind::Session { .. } | PrincipalKind::Token { .. } => {
                let owned = Reach::of(principal.grants.iter());
                owned
                    .into_iter()
                    .chain(principal.cap.iter().filter_map(|cap| Reach::of(std::iter::once(cap))))
                    .collect()
            }
        }
    }
}

fn scope_of<'a>(grants: impl Iterator<Item = &'a RoleGrant>) -> ReadScope {
    let (mut teams, mut systems) = (BTreeSet::new(), BTreeSet::new());
    for grant in grants {
        match &grant.scope {
            Scope::Everything | Scope::Tier(_) => return ReadScope::All,
            Scope::Team(team) => drop(teams.insert(team.clone())),
            Scope::System(system) => drop(systems.insert(system.clone())),
        }
    }
    ReadScope::Only { teams, systems }
}

fn narrower(a: ReadScope, b: ReadScope) -> ReadScope {
    match (a, b) {
        (ReadScope::All, other) | (other, ReadScope::All) => other,
        (ReadScope::Only { teams: t1, systems: s1 }, ReadScope::Only { teams: t2, systems: s2 }) => {
            ReadScope::Only { teams: &t1 & &t2, systems: &s1 & &s2 }
        }
    }
}
