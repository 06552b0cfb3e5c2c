//! People, roles and API tokens.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// What somebody may do; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything in the scope.
    Viewer,
    /// Deploys, rolls back, restarts and scales in development and staging.
    Developer,
    /// The same in production, and holds.
    Operator,
    /// Edits environments, connections, bindings, the catalog and access.
    Admin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Developer, Self::Operator, Self::Admin];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// Where a role holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum Scope {
    Everything,
    /// Services owned by this team, as `namespace/name`.
    Team(String),
    /// Services of this system, as `namespace/name`.
    System(String),
    /// Environments of this tier: `development`, `staging` or `production`.
    Tier(String),
}

impl Scope {
    /// On one line: `everything`, `team:namespace/name`, `system:namespace/name` or `tier:name`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Everything => "everything".to_owned(),
            Self::Team(team) => format!("team:{team}"),
            Self::System(system) => format!("system:{system}"),
            Self::Tier(tier) => format!("tier:{tier}"),
        }
    }

    /// Back from [`Self::key`]; whether the name is a good one is not looked at.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        match key.split_once(':') {
            None if key == "everything" => Some(Self::Everything),
            Some(("team", team)) => Some(Self::Team(team.to_owned())),
            Some(("system", system)) => Some(Self::System(system.to_owned())),
            Some(("tier", tier)) => Some(Self::Tier(tier.to_owned())),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RoleBindingIn {
    pub user: String,
    pub role: Role,
    pub scope: Scope,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleBindingOut {
    pub id: Uuid,
    pub user: String,
    pub role: Role,
    pub scope: Scope,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub created_by: String,
    /// The group that gave it; absent for a role that a person gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<RoleSource>,
}

/// Which group of which sign-in provider gave a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleSource {
    /// The provider's id in the configuration.
    pub provider: String,
    pub group: String,
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeOut {
    pub user: String,
    pub display_name: String,
    /// `session` or `token`.
    pub via: String,
    pub roles: Vec<RoleGrant>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleGrant {
    pub role: Role,
    pub scope: Scope,
}

/// Why the caller can or cannot do something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PermissionOut {
    /// For example `deployment.create`.
    pub action: String,
    pub allowed: bool,
    /// The rule that decided, as a sentence.
    pub because: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenIn {
    /// What it is for, shown in the list.
    pub name: String,
    /// The token can do at most what this role allows, and never more than its owner.
    pub role: Role,
    #[serde(default)]
    pub scope: Option<Scope>,
    /// Days until it ends, 1 to 90; 30 when absent.
    #[serde(default)]
    pub expires_in_days: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenOut {
    pub id: String,
    pub name: String,
    pub owner: String,
    pub role: Role,
    pub scope: Scope,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
}

/// The answer to making a token: the only time its secret is shown.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCreated {
    /// `psl_<id>_<secret>`.
    pub token: String,
    #[serde(flatten)]
    pub info: TokenOut,
}

impl std::fmt::Debug for TokenCreated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCreated").field("token", &"***").field("info", &self.info).finish()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionOut {
    pub id: Uuid,
    pub user: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub last_seen_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    pub user_agent: String,
    /// This is the session that asks.
    pub current: bool,
}

/// A user as administrators see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserOut {
    pub name: String,
    pub display_name: String,
    /// Acts through tokens only and has no password.
    pub service: bool,
    /// May not sign in, and none of its tokens or sessions hold.
    pub disabled: bool,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// A person who signs in with a password.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct UserIn {
    /// 1 to 63 characters a-z, 0-9, '.', '_' and '-'.
    pub name: String,
    pub display_name: String,
    /// 12 to 128 characters.
    pub password: String,
}

impl std::fmt::Debug for UserIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserIn").field("name", &self.name).field("password", &"***").finish_non_exhaustive()
    }
}

/// What an administrator may change; absent fields stay.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UserPatch {
    pub display_name: Option<String>,
    /// Ends every session of the user.
    pub password: Option<String>,
    pub disabled: Option<bool>,
}

impl std::fmt::Debug for UserPatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserPatch")
            .field("display_name", &self.display_name)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignInIn {
    pub user: String,
    pub password: String,
}

impl std::fmt::Debug for SignInIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInIn").field("user", &self.user).field("password", &"***").finish()
    }
}

/// Shows again who somebody is, in an open session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfirmationIn {
    pub password: String,
}

impl std::fmt::Debug for ConfirmationIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConfirmationIn(***)")
    }
}

/// Lists of access: whose, and which page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct AccessFilter {
    /// Only what belongs to this user.
    pub user: Option<String>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

/// The object of `GET /me/permissions`; without either, the portal as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct PermissionFilter {
    /// `namespace/name`.
    pub service: Option<String>,
    pub environment: Option<String>,
}

/// The object and the change of `GET /users/{name}/permissions`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct SimulationFilter {
    /// `namespace/name`.
    pub service: Option<String>,
    pub environment: Option<String>,
    /// As if the user had this role too, where `scope` says.
    pub role: Option<Role>,
    /// `everything` (when absent), `team:namespace/name`, `system:namespace/name` or `tier:name`.
    pub scope: Option<String>,
    /// As if this role binding of the user's were taken away.
    pub without: Option<Uuid>,
}

/// What a user can do with an object, and what another set of roles would change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SimulationOut {
    pub user: String,
    pub roles: Vec<RoleGrant>,
    /// With the change; absent when none was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles_then: Option<Vec<RoleGrant>>,
    pub permissions: Vec<SimulatedOut>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SimulatedOut {
    pub now: PermissionOut,
    /// With the change; absent when none was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<PermissionOut>,
}

/// The question of `GET /permissions/holders`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct HolderFilter {
    /// For example `deployment.create`; needed.
    pub action: Option<String>,
    /// `namespace/name`.
    pub service: Option<String>,
    pub environment: Option<String>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

/// Somebody who can do something, and by which role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HolderOut {
    pub user: String,
    pub display_name: String,
    /// Acts through tokens only.
    pub service: bool,
    /// The rule that decided, as a sentence.
    pub because: String,
}
