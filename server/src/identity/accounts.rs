//! The first administrator, signing in and out, and the list of users.

use super::device::{self, DeviceCookie};
use super::limiter::Limit;
use super::model::{Client, digest, on_behalf_of, password, person, random_secret, refuse_wrong};
use super::service::IdentityService;
use super::session_store::{FromProvider, PROVEN_AT, PROVIDER, PROVIDER_SESSION, USER_AGENT, USER_ID};
use super::store::{self, UserRow};
use crate::config::LocalSignIn;
use crate::kernel::{
    Action, AppError, AuditEntry, Ctx, Cursor, Object, Result, Via, limit_or_default, validate, violated,
};
use passerelle_contract::access::{AccessFilter, Role, RoleGrant, Scope, UserIn, UserOut, UserPatch};
use passerelle_contract::audit::Outcome;
use passerelle_contract::paging::Page;
use passerelle_contract::text;
use serde_json::json;
use time::OffsetDateTime;
use tower_sessions::Session;
use uuid::Uuid;

const SETUP_MINUTES: i32 = 30;
/// Failed sign-ins in five minutes: by one source for one user, by one source, for one user from everywhere.
const FAILURES_PAIR: u32 = 5;
pub(super) const FAILURES_SOURCE: u32 = 30;
const FAILURES_USER: u32 = 50;
/// The same in one browser in which the user has signed in before.
const FAILURES_DEVICE: u32 = 10;

/// The first administrator.
#[derive(Clone)]
pub struct SetUp {
    /// From the link that the first start printed.
    pub token: String,
    pub user: String,
    pub password: String,
    pub display_name: String,
}

impl std::fmt::Debug for SetUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetUp").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A try to sign in.
#[derive(Clone)]
pub struct SignIn {
    pub user: String,
    pub password: String,
    pub client: Client,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("user", &self.user).field("client", &self.client).finish_non_exhaustive()
    }
}

impl IdentityService {
    /// True until the first person exists.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn needs_set_up(&self) -> Result<bool> {
        Ok(!store::people_exist(self.db.pool()).await?)
    }

    /// The path of a fresh set-up link while nobody is there yet, for the first start to print.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn setup_path_if_needed(&self) -> Result<Option<String>> {
        if !self.needs_set_up().await? {
            return Ok(None);
        }
        self.issue_setup_token(&Ctx::system(Via::Cli, "setup")).await.map(Some)
    }

    /// The path of a fresh set-up link, good for 30 minutes and one use; it ends every earlier one.
    ///
    /// # Errors
    /// `Conflict` once there is a person; then people are added by administrators.
    pub async fn issue_setup_token(&self, ctx: &Ctx) -> Result<String> {
        if !self.needs_set_up().await? {
            return Err(AppError::Conflict(text!("the portal is set up already; an administrator can add people")));
        }
        let authorized = self.db.authorize(ctx, Action::AccessEdit, Object::new("setup", "link")).await?;
        let secret = random_secret();
        let mut tx = self.db.write(ctx, authorized).await?;
        store::replace_setup_token(tx.conn(), &digest(&secret), SETUP_MINUTES).await?;
        tx.commit(AuditEntry::success().after(json!({ "minutes": SETUP_MINUTES }))).await?;
        Ok(format!("/setup?token={secret}"))
    }

    /// Makes the first administrator of everything.
    ///
    /// # Errors
    /// `Invalid` by field; at `/token` when the link does not hold.
    pub async fn set_up(&self, ctx: &Ctx, new: &SetUp) -> Result<()> {
        let refused = || {
            AppError::field(
                "/token",
                text!(
                    "this link was used or is older than 30 minutes; print a new one with `passerelle admin setup-token`"
                ),
            )
        };
        let hash = digest(&new.token);
        if !store::setup_token_holds(self.db.pool(), &hash).await? || !self.needs_set_up().await? {
            return Err(refused());
        }
        person(&new.user, &new.display_name, &new.password).map_err(|error| rename(error, "/name", "/user"))?;
        let password_hash = self.passwords.hash(&new.password).await?;
        let portal = on_behalf_of(ctx, None, &new.user);
        let object = Object::new("user", new.user.clone());
        let authorized = self.db.authorize(&portal, Action::AccessEdit, object).await?;
        let mut tx = self.db.write(&portal, authorized).await?;
        if !store::use_setup_token(tx.conn(), &hash).await? {
            return Err(refused());
        }
        let id = store::insert_user(tx.conn(), &new.user, &new.display_name, Some(&password_hash))
            .await
            .map_err(|error| name_taken(error, "/user"))?;
        let grant = RoleGrant { role: Role::Admin, scope: Scope::Everything };
        store::insert_binding(tx.conn(), id, &grant, "set-up").await?;
        tx.commit(AuditEntry::success().after(json!({ "user": new.user, "role": "admin", "scope": "everything" })))
            .await?;
        self.access_changed().await;
        Ok(())
    }

    /// Signs in: afterwards `session` belongs to the user, under a new id. What it gives is for the answer.
    ///
    /// # Errors
    /// `Unauthenticated` when user and password do not fit, the same for unknown and disabled users; `RateLimited` after too
    /// many failures.
    pub async fn sign_in(&self, ctx: &Ctx, session: &Session, attempt: &SignIn) -> Result<DeviceCookie> {
        let source = &attempt.client.source;
        let name: String = attempt.user.trim().chars().take(64).collect();
        let limits = self.limits(&attempt.client, &name);
        self.sign_ins.take(&limits).map_err(|retry_after_s| AppError::RateLimited { retry_after_s })?;
        // A name that nobody can have is not looked for; the password is checked all the same, which takes as long.
        let row = match super::model::user_name(&name) {
            Ok(()) => store::user_by_name(self.db.pool(), &name).await?,
            Err(_) => None,
        };
        let hash = row
            .as_ref()
            .filter(|row| row.disabled_at.is_none() && !row.service)
            .and_then(|row| row.password_hash.as_deref());
        let fits = self.passwords.verify(&attempt.password, hash).await?;
        // Where passwords are for administrators only, a good one of somebody else is answered like a wrong one.
        let open = match (self.local_door().await?, &row) {
            (LocalSignIn::Everybody, _) => true,
            (LocalSignIn::Administrators, Some(row)) => store::is_administrator(self.db.pool(), row.id).await?,
            _ => false,
        };
        let Some(row) = row.filter(|_| fits && open) else {
            // Who typed the password into the field of the name must not find it in the audit.
            let known = super::model::user_name(&name).is_ok();
            let proof = self.sign_in_proof(ctx, "user", if known { &name } else { "unknown" }).await?;
            let what =
                if fits { "sign-in with a password is not open to this user" } else { "user and password do not fit" };
            let reason = format!("{what}, from {source}");
            self.db.record(ctx, &proof, AuditEntry::new(Outcome::Denied).reason(reason)).await?;
            return Err(AppError::Unauthenticated);
        };
        self.sign_ins.give_back(&limits);
        self.begin_session(ctx, session, &row, &attempt.client).await?;
        Ok(DeviceCookie::new(&self.keys, &row.name))
    }

    /// By what a failure is counted. A browser in which this user has signed in before is counted for itself, so that nobody keeps its
    /// owner out by failing elsewhere.
    fn limits(&self, client: &Client, name: &str) -> Vec<Limit> {
        let device = client.device.as_deref().and_then(|cookie| device::counted(&self.keys, cookie, name));
        if let Some(key) = device {
            return vec![Limit { key, max: FAILURES_DEVICE }];
        }
        let counted = client.counted();
        vec![
            Limit { key: format!("p:{counted}:{name}"), max: FAILURES_PAIR },
            Limit { key: format!("s:{counted}"), max: FAILURES_SOURCE },
            Limit { key: format!("u:{name}"), max: FAILURES_USER },
        ]
    }

    /// Asks a person who is signed in for the password again, before an act for which an open session is not enough.
    ///
    /// # Errors
    /// `Invalid` at `/password` when it does not fit; `RateLimited` after too many failures.
    pub async fn confirm_password(&self, ctx: &Ctx, password: &str) -> Result<()> {
        let name = &ctx.principal().name;
        let limits = [Limit { key: format!("c:{name}"), max: FAILURES_PAIR }];
        self.sign_ins.take(&limits).map_err(|retry_after_s| AppError::RateLimited { retry_after_s })?;
        let row = store::user_by_name(self.db.pool(), name).await?;
        let row = row.filter(|row| row.disabled_at.is_none() && !row.service);
        if row.as_ref().is_some_and(|row| row.password_hash.is_none()) {
            self.sign_ins.give_back(&limits);
            return Err(AppError::field(
                "/password",
                text!("you have none here: confirm who you are at your provider"),
            ));
        }
        let hash = row.as_ref().and_then(|row| row.password_hash.as_deref());
        if !self.passwords.verify(password, hash).await? {
            let proof = self.sign_in_proof(ctx, "user", name).await?;
            let entry = AuditEntry::new(Outcome::Denied).reason("the password that was asked for again does not fit");
            self.db.record(ctx, &proof, entry).await?;
            return Err(AppError::field("/password", text!("does not fit")));
        }
        self.sign_ins.give_back(&limits);
        Ok(())
    }

    /// The end of a sign-in by password: writes the audit row, then opens the session.
    async fn begin_session(&self, ctx: &Ctx, session: &Session, row: &UserRow, client: &Client) -> Result<()> {
        let portal = on_behalf_of(ctx, Some(row.id), &row.name);
        let proof = self.db.authorize(&portal, Action::SignIn, Object::new("user", row.name.clone())).await?;
        self.db.record(&portal, &proof, AuditEntry::success().reason(format!("from {}", client.source))).await?;
        self.open_session(session, row.id, client, None).await
    }

    /// The end of every way to sign in, after its audit row: the session is the user's, under a new id.
    pub(super) async fn open_session(
        &self,
        session: &Session,
        user_id: Uuid,
        client: &Client,
        from: Option<&FromProvider>,
    ) -> Result<()> {
        let failed = |error: tower_sessions::session::Error| AppError::internal(error);
        // What an earlier session held is no part of this one.
        session.clear().await;
        if session.id().is_some() {
            session.cycle_id().await.map_err(failed)?;
        }
        session.insert(USER_ID, user_id).await.map_err(failed)?;
        session.insert(USER_AGENT, &client.user_agent).await.map_err(failed)?;
        session.insert(PROVEN_AT, OffsetDateTime::now_utc().unix_timestamp()).await.map_err(failed)?;
        if let Some(from) = from {
            session.insert(PROVIDER, &from.provider).await.map_err(failed)?;
        }
        if let Some(id) = from.and_then(|from| from.session.as_ref()) {
            session.insert(PROVIDER_SESSION, id).await.map_err(failed)?;
        }
        session.save().await.map_err(failed)
    }

    /// Ends the session that asks; says at which provider it was begun, if at one.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn sign_out(&self, ctx: &Ctx, session: &Session) -> Result<Option<String>> {
        let provider = session.get::<String>(PROVIDER).await.map_err(AppError::internal)?;
        if !ctx.is_anonymous() {
            let principal = ctx.principal();
            let portal = on_behalf_of(ctx, principal.user_id, &principal.name);
            let object = Object::new("user", principal.name.clone());
            let proof = self.db.authorize(&portal, Action::SignIn, object).await?;
            self.db.record(&portal, &proof, AuditEntry::success().reason("signed out")).await?;
        }
        session.flush().await.map_err(AppError::internal)?;
        self.access_changed().await;
        Ok(provider)
    }

    /// # Errors
    /// `Forbidden` but for administrators.
    pub async fn list_users(&self, ctx: &Ctx, filter: &AccessFilter) -> Result<Page<UserOut>> {
        ctx.permit(Action::AccessRead, &Object::new("users", "all"))?;
        if let Some(name) = &filter.user {
            let items: Vec<UserOut> = store::user_by_name(self.db.pool(), name).await?.iter().map(user_out).collect();
            return Ok(Page { total: items.len() as u64, items, next_cursor: None });
        }
        let limit = limit_or_default(filter.limit)?;
        let after: String = match &filter.cursor {
            Some(text) => Cursor::decode(&self.keys, "users", text)?,
            None => String::new(),
        };
        let (mut rows, total) = store::list_users(self.db.pool(), &after, limit as i64 + 1).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = match rows.last() {
            Some(row) if more => Some(Cursor::encode(&self.keys, "users", &row.name)?),
            _ => None,
        };
        Ok(Page { items: rows.iter().map(user_out).collect(), next_cursor, total: total.unsigned_abs() })
    }

    /// A person without any role yet.
    ///
    /// # Errors
    /// `Invalid` by field, `AlreadyExists`, `Forbidden`.
    pub async fn create_user(&self, ctx: &Ctx, new: &UserIn) -> Result<UserOut> {
        let object = Object::new("user", new.name.chars().take(64).collect::<String>());
        let authorized = self.db.authorize(ctx, Action::AccessEdit, object).await?;
        person(&new.name, &new.display_name, &new.password)?;
        let hash = self.passwords.hash(&new.password).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        store::insert_user(tx.conn(), &new.name, &new.display_name, Some(&hash))
            .await
            .map_err(|error| name_taken(error, "/name"))?;
        tx.commit(AuditEntry::success().after(json!({ "name": new.name, "display_name": new.display_name }))).await?;
        self.user(&new.name).await.map(|row| user_out(&row))
    }

    /// Changes a user; a new password or disabling ends the user's sessions, and disabling stops its tokens.
    ///
    /// # Errors
    /// `Invalid` by field, `NotFound`, `Conflict` for the last administrator, `Forbidden`.
    pub async fn change_user(&self, ctx: &Ctx, name: &str, patch: &UserPatch) -> Result<UserOut> {
        let object = Object::new("user", name.chars().take(64).collect::<String>());
        let authorized = self.db.authorize(ctx, Action::AccessEdit, object).await?;
        let row = self.user(name).await?;
        let new_password = patch.password.as_deref();
        refuse_wrong([
            ("/display_name", patch.display_name.as_deref().map_or(Ok(()), |text| validate::line(text, 1, 100))),
            (
                "/password",
                match new_password {
                    Some(_) if row.service => Err(text!("a service user has no password")),
                    Some(text) => password(text, name),
                    None => Ok(()),
                },
            ),
        ])?;
        let hash = match new_password {
            Some(text) => Some(self.passwords.hash(text).await?),
            None => None,
        };
        let mut tx = self.db.write(ctx, authorized).await?;
        let admins = store::count_admins(tx.conn()).await?;
        store::update_user(tx.conn(), row.id, patch.display_name.as_deref(), hash.as_deref(), patch.disabled).await?;
        if admins > 0 && store::count_admins(tx.conn()).await? == 0 {
            return Err(AppError::Conflict(text!("{name} is the last administrator; make another one first", name)));
        }
        if hash.is_some() || patch.disabled == Some(true) {
            store::delete_sessions_of(tx.conn(), row.id).await?;
        }
        let before = json!({ "display_name": row.display_name, "disabled": row.disabled_at.is_some() });
        let after = json!({
            "display_name": patch.display_name.as_ref().unwrap_or(&row.display_name),
            "disabled": patch.disabled.unwrap_or(row.disabled_at.is_some()),
            "password_changed": hash.is_some(),
        });
        tx.commit(AuditEntry::success().before(before).after(after)).await?;
        self.access_changed().await;
        self.user(name).await.map(|row| user_out(&row))
    }

    pub(super) async fn user(&self, name: &str) -> Result<UserRow> {
        store::user_by_name(self.db.pool(), name)
            .await?
            .ok_or_else(|| AppError::NotFound(text!("user {name}", name = name.chars().take(64).collect::<String>())))
    }
}

fn user_out(row: &UserRow) -> UserOut {
    UserOut {
        name: row.name.clone(),
        display_name: row.display_name.clone(),
        service: row.service,
        disabled: row.disabled_at.is_some(),
        created_at: row.created_at,
    }
}

fn name_taken(error: sqlx::Error, pointer: &str) -> AppError {
    match violated(&error) {
        Some("users_name_key") => AppError::field(pointer, text!("is taken by another user")),
        _ => error.into(),
    }
}

/// The same rules, told about another form's field.
fn rename(error: AppError, from: &str, to: &str) -> AppError {
    match error {
        AppError::Invalid(mut errors) => {
            for error in errors.iter_mut().filter(|error| error.pointer == from) {
                to.clone_into(&mut error.pointer);
            }
            AppError::Invalid(errors)
        }
        other => other,
    }
}
