//! The cookie, and the list of sessions one can end.

use super::service::IdentityService;
use super::session_store::PgSessionStore;
use super::store;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Cursor, Object, PrincipalKind, Result, limit_or_default};
use passerelle_contract::access::{AccessFilter, SessionOut};
use passerelle_contract::paging::Page;
use passerelle_contract::text;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer};
use uuid::Uuid;

/// Over plain http on loopback, where browsers refuse the `__Host-` prefix.
pub const SESSION_COOKIE: &str = "passerelle_session";
pub const SESSION_COOKIE_SECURE: &str = "__Host-passerelle_session";
/// After this a session ends even when it is used all the time; unused it ends after 12 hours (see `store.rs`).
const ABSOLUTE_END: time::Duration = time::Duration::days(7);

impl IdentityService {
    /// The layer that carries [`tower_sessions::Session`]; `secure` when people reach the portal by https.
    #[must_use]
    pub fn session_layer(&self, secure: bool) -> SessionManagerLayer<PgSessionStore> {
        SessionManagerLayer::new(self.session_store())
            .with_name(if secure { SESSION_COOKIE_SECURE } else { SESSION_COOKIE })
            .with_secure(secure)
            .with_http_only(true)
            .with_same_site(SameSite::Lax)
            .with_path("/")
            .with_expiry(Expiry::OnInactivity(ABSOLUTE_END))
    }

    /// One's own sessions; administrators name another user.
    ///
    /// # Errors
    /// `Forbidden` for those of others.
    pub async fn list_sessions(&self, ctx: &Ctx, filter: &AccessFilter) -> Result<Page<SessionOut>> {
        let user = self.whose(ctx, filter.user.as_deref(), "sessions")?;
        let limit = limit_or_default(filter.limit)?;
        let before: Option<Uuid> =
            filter.cursor.as_ref().map(|text| Cursor::decode(&self.keys, "sessions", text)).transpose()?;
        let (mut rows, total) = store::list_sessions(self.db.pool(), Some(&user), before, limit as i64 + 1).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = match rows.last() {
            Some(row) if more => Some(Cursor::encode(&self.keys, "sessions", &row.public_id)?),
            _ => None,
        };
        let own = match &ctx.principal().kind {
            PrincipalKind::Session { id, .. } => Some(*id),
            _ => None,
        };
        let items = rows
            .into_iter()
            .map(|row| SessionOut {
                id: row.public_id,
                user: row.user_name,
                created_at: row.created_at,
                last_seen_at: row.last_seen_at,
                expires_at: row.ends_at,
                user_agent: row.user_agent,
                current: own == Some(row.public_id),
            })
            .collect();
        Ok(Page { items, next_cursor, total: total.unsigned_abs() })
    }

    /// Ends a session at once: one's own, or, for administrators, anybody's.
    ///
    /// # Errors
    /// `NotFound` for one that does not exist or belongs to somebody else.
    pub async fn end_session(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        let unknown = || AppError::NotFound(text!("session {id}", id));
        let owner = store::session_user(self.db.pool(), id).await?;
        let own = owner.as_ref().is_some_and(|(user_id, _)| ctx.principal().user_id == Some(*user_id));
        let action = if own { Action::OwnAccess } else { Action::AccessEdit };
        let authorized = match self.db.authorize(ctx, action, Object::new("session", id.to_string())).await {
            Err(AppError::Forbidden(_)) => return Err(unknown()),
            other => other?,
        };
        let (_, name) = owner.ok_or_else(unknown)?;
        let mut tx = self.db.write(ctx, authorized).await?;
        if !store::delete_session(tx.conn(), id).await? {
            return Err(unknown());
        }
        tx.commit(AuditEntry::success().before(serde_json::json!({ "user": name }))).await?;
        self.access_changed().await;
        Ok(())
    }

    /// Ends every session of the caller, the present one too; says how many that were. Administrators name another user.
    ///
    /// # Errors
    /// `Forbidden` for those of others.
    pub async fn end_sessions(&self, ctx: &Ctx, filter: &AccessFilter) -> Result<u64> {
        let own = &ctx.principal().name;
        let name = filter.user.clone().unwrap_or_else(|| own.clone());
        let action = if name == *own { Action::OwnAccess } else { Action::AccessEdit };
        let object = Object::new("user", name.chars().take(64).collect::<String>());
        let authorized = self.db.authorize(ctx, action, object).await?;
        let row = self.user(&name).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let ended = store::delete_sessions_of(tx.conn(), row.id).await?;
        tx.commit(AuditEntry::success().reason(format!("{ended} sessions ended"))).await?;
        self.access_changed().await;
        Ok(ended)
    }

    /// The user a list of access is about: the caller, or somebody else for administrators.
    pub(super) fn whose(&self, ctx: &Ctx, asked: Option<&str>, kind: &'static str) -> Result<String> {
        let own = &ctx.principal().name;
        match asked {
            Some(user) if user != own => {
                ctx.permit(Action::AccessRead, &Object::new(kind, user))?;
                Ok(user.to_owned())
            }
            _ => {
                ctx.permit(Action::OwnAccess, &Object::new(kind, own.clone()))?;
                Ok(own.clone())
            }
        }
    }
}
