//! All SQL of identity but the session store's. Reads take the pool; changes take the connection of a `WriteTx`, except for
//! bookkeeping that is no act: last uses, ended sessions, and the version that tells caches to forget.

use crate::kernel::{Proof, Result};
use passerelle_contract::access::RoleGrant;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::model::{grant_from, scope_columns};

/// `role`, `scope_kind`, `scope_value`.
type GrantRow = (String, String, String);

#[derive(Debug, sqlx::FromRow)]
pub(super) struct HolderRow {
    pub(super) public_id: String,
    pub(super) user_id: Uuid,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) ends_at: OffsetDateTime,
    grants: Json<Vec<GrantRow>>,
    cap: Option<Json<GrantRow>>,
    pub(super) secret_hash: Vec<u8>,
    /// Of sessions; those from before this was kept count as never proven.
    #[sqlx(default)]
    proven_at: Option<i64>,
    #[sqlx(default)]
    proven_again: Option<bool>,
}

impl HolderRow {
    pub(super) fn grants(&self) -> Result<Vec<RoleGrant>> {
        self.grants.iter().map(|(role, kind, value)| grant_from(role, kind, value.clone())).collect()
    }

    pub(super) fn proof(&self) -> Proof {
        let at = OffsetDateTime::from_unix_timestamp(self.proven_at.unwrap_or_default());
        Proof { at: at.unwrap_or(OffsetDateTime::UNIX_EPOCH), again: self.proven_again == Some(true) }
    }

    pub(super) fn cap(&self) -> Result<Option<RoleGrant>> {
        self.cap.as_ref().map(|cap| grant_from(&cap.0.0, &cap.0.1, cap.0.2.clone())).transpose()
    }
}

pub(super) async fn session_holder(pool: &PgPool, id_hash: &[u8; 32]) -> Result<Option<HolderRow>> {
    Ok(sqlx::query_as(
        "SELECT s.public_id::text AS public_id, u.id AS user_id, u.name, u.display_name, s.id AS secret_hash,
                LEAST(s.expires_at, s.last_seen_at + interval '12 hours') AS ends_at,
                COALESCE((SELECT json_agg(json_build_array(role, scope_kind, scope_value))
                          FROM role_bindings WHERE user_id = u.id), '[]') AS grants,
                NULL::json AS cap,
                (s.data->>'proven_at')::bigint AS proven_at, (s.data->>'proven_again')::boolean AS proven_again
         FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.id = $1 AND u.disabled_at IS NULL
           AND s.expires_at > now() AND s.last_seen_at > now() - interval '12 hours'",
    )
    .bind(&id_hash[..])
    .fetch_optional(pool)
    .await?)
}

pub(super) async fn token_holder(pool: &PgPool, id: &str) -> Result<Option<HolderRow>> {
    Ok(sqlx::query_as(
        "SELECT t.id AS public_id, u.id AS user_id, u.name, u.display_name, t.secret_hash, t.expires_at AS ends_at,
                COALESCE((SELECT json_agg(json_build_array(role, scope_kind, scope_value))
                          FROM role_bindings WHERE user_id = u.id), '[]') AS grants,
                json_build_array(t.role, t.scope_kind, t.scope_value) AS cap
         FROM api_tokens t JOIN users u ON u.id = t.user_id
         WHERE t.id = $1 AND u.disabled_at IS NULL AND t.revoked_at IS NULL AND t.expires_at > now()",
    )
    .bind(id)
    .fetch_optional(pool)
    .await?)
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct UserRow {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) password_hash: Option<String>,
    pub(super) service: bool,
    pub(super) disabled_at: Option<OffsetDateTime>,
    pub(super) created_at: OffsetDateTime,
}

pub(super) async fn user_by_name(pool: &PgPool, name: &str) -> Result<Option<UserRow>> {
    Ok(sqlx::query_as("SELECT * FROM users WHERE name = $1").bind(name).fetch_optional(pool).await?)
}

pub(super) async fn people_exist(pool: &PgPool) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users WHERE NOT service)").fetch_one(pool).await?)
}

pub(super) async fn list_users(pool: &PgPool, after: &str, limit: i64) -> Result<(Vec<UserRow>, i64)> {
    let rows = sqlx::query_as("SELECT * FROM users WHERE name > $1 ORDER BY name LIMIT $2")
        .bind(after)
        .bind(limit)
        .fetch_all(pool)
        .await?;
    let total = sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(pool).await?;
    Ok((rows, total))
}

/// A person with a password, or a service user without one. The constraint `users_name_key` says that the name is taken.
pub(super) async fn insert_user(
    connection: &mut PgConnection,
    name: &str,
    display_name: &str,
    password_hash: Option<&str>,
) -> std::result::Result<Uuid, sqlx::Error> {
    let id = Uuid::now_v7();
    sqlx::query("INSERT INTO users (id, name, display_name, password_hash, service) VALUES ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(name)
        .bind(display_name)
        .bind(password_hash)
        .bind(password_hash.is_none())
        .execute(connection)
        .await?;
    Ok(id)
}

pub(super) async fn update_user(
    connection: &mut PgConnection,
    id: Uuid,
    display_name: Option<&str>,
    password_hash: Option<&str>,
    disabled: Option<bool>,
) -> Result<()> {
    sqlx::query(
        "UPDATE users SET display_name = COALESCE($2, display_name), password_hash = COALESCE($3, password_hash),
           disabled_at = CASE WHEN $4::boolean IS NULL THEN disabled_at WHEN $4 THEN COALESCE(disabled_at, now()) END
         WHERE id = $1",
    )
    .bind(id)
    .bind(display_name)
    .bind(password_hash)
    .bind(disabled)
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends the sessions of a user.
pub(super) async fn delete_sessions_of(connection: &mut PgConnection, user_id: Uuid) -> Result<u64> {
    let gone = sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user_id).execute(connection).await?;
    Ok(gone.rows_affected())
}

/// Only the newest set-up link holds.
pub(super) async fn replace_setup_token(connection: &mut PgConnection, hash: &[u8; 32], minutes: i32) -> Result<()> {
    sqlx::query("DELETE FROM setup_tokens").execute(&mut *connection).await?;
    sqlx::query("INSERT INTO setup_tokens (secret_hash, expires_at) VALUES ($1, now() + make_interval(mins => $2))")
        .bind(&hash[..])
        .bind(minutes)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn setup_token_holds(pool: &PgPool, hash: &[u8; 32]) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM setup_tokens WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > now())",
    )
    .bind(&hash[..])
    .fetch_one(pool)
    .await?)
}

/// Uses the link up; false when it does not hold (any more).
pub(super) async fn use_setup_token(connection: &mut PgConnection, hash: &[u8; 32]) -> Result<bool> {
    let used = sqlx::query(
        "UPDATE setup_tokens SET used_at = now() WHERE secret_hash = $1 AND used_at IS NULL AND expires_at > now()",
    )
    .bind(&hash[..])
    .execute(connection)
    .await?;
    Ok(used.rows_affected() == 1)
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct BindingRow {
    pub(super) id: Uuid,
    pub(super) user_name: String,
    pub(super) role: String,
    pub(super) scope_kind: String,
    pub(super) scope_value: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) created_by: String,
    /// Empty for a role by hand.
    pub(super) provider: String,
    pub(super) provider_group: String,
}

pub(super) async fn list_bindings(
    pool: &PgPool,
    user: Option<&str>,
    after: Uuid,
    limit: i64,
) -> Result<(Vec<BindingRow>, i64)> {
    let rows = sqlx::query_as(
        "SELECT b.id, u.name AS user_name, b.role, b.scope_kind, b.scope_value, b.created_at, b.created_by,
                b.provider, b.provider_group
         FROM role_bindings b JOIN users u ON u.id = b.user_id
         WHERE ($1::text IS NULL OR u.name = $1) AND b.id > $2 ORDER BY b.id LIMIT $3",
    )
    .bind(user)
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let total = sqlx::query_scalar(
        "SELECT count(*) FROM role_bindings b JOIN users u ON u.id = b.user_id WHERE ($1::text IS NULL OR u.name = $1)",
    )
    .bind(user)
    .fetch_one(pool)
    .await?;
    Ok((rows, total))
}

pub(super) async fn binding(pool: &PgPool, id: Uuid) -> Result<Option<BindingRow>> {
    Ok(sqlx::query_as(
        "SELECT b.id, u.name AS user_name, b.role, b.scope_kind, b.scope_value, b.created_at, b.created_by,
                b.provider, b.provider_group
         FROM role_bindings b JOIN users u ON u.id = b.user_id WHERE b.id = $1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await?)
}

/// The new binding's id; `None` when the user has this role there already.
pub(super) async fn insert_binding(
    connection: &mut PgConnection,
    user_id: Uuid,
    grant: &RoleGrant,
    created_by: &str,
) -> Result<Option<Uuid>> {
    let (kind, value) = scope_columns(&grant.scope);
    Ok(sqlx::query_scalar(
        "INSERT INTO role_bindings (id, user_id, role, scope_kind, scope_value, created_by) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING RETURNING id",
    )
    .bind(Uuid::now_v7())
    .bind(user_id)
    .bind(grant.role.as_str())
    .bind(kind)
    .bind(value)
    .bind(created_by)
    .fetch_optional(connection)
    .await?)
}

pub(super) async fn delete_binding(connection: &mut PgConnection, id: Uuid) -> Result<bool> {
    let gone = sqlx::query("DELETE FROM role_bindings WHERE id = $1").bind(id).execute(connection).await?;
    Ok(gone.rows_affected() == 1)
}

pub(super) async fn is_administrator(pool: &PgPool, user_id: Uuid) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM role_bindings WHERE user_id = $1 AND role = 'admin' AND scope_kind = 'everything')",
    )
    .bind(user_id)
    .fetch_one(pool)
    .await?)
}

/// How many people administer everything, as this transaction leaves it. The lock makes two removals wait for each other.
pub(super) async fn count_admins(connection: &mut PgConnection) -> Result<i64> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('passerelle admins', 0))")
        .execute(&mut *connection)
        .await?;
    Ok(sqlx::query_scalar(
        "SELECT count(DISTINCT u.id) FROM users u JOIN role_bindings b ON b.user_id = u.id
         WHERE NOT u.service AND u.disabled_at IS NULL AND b.role = 'admin' AND b.scope_kind = 'everything'",
    )
    .fetch_one(connection)
    .await?)
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct TokenRow {
    pub(super) id: String,
    pub(super) owner_id: Uuid,
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) scope_kind: String,
    pub(super) scope_value: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) expires_at: OffsetDateTime,
    pub(super) last_used_at: Option<OffsetDateTime>,
}

pub(super) async fn list_tokens(
    pool: &PgPool,
    user: Option<&str>,
    before: Option<&(OffsetDateTime, String)>,
    limit: i64,
) -> Result<(Vec<TokenRow>, i64)> {
    let rows = sqlx::query_as(
        "SELECT t.*, u.id AS owner_id, u.name AS owner FROM api_tokens t JOIN users u ON u.id = t.user_id
         WHERE ($1::text IS NULL OR u.name = $1) AND t.revoked_at IS NULL AND t.expires_at > now()
           AND ($2::timestamptz IS NULL OR (t.created_at, t.id) < ($2, $3))
         ORDER BY t.created_at DESC, t.id DESC LIMIT $4",
    )
    .bind(user)
    .bind(before.map(|(at, _)| *at))
    .bind(before.map(|(_, id)| id.as_str()))
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let total = sqlx::query_scalar(
        "SELECT count(*) FROM api_tokens t JOIN users u ON u.id = t.user_id
         WHERE ($1::text IS NULL OR u.name = $1) AND t.revoked_at IS NULL AND t.expires_at > now()",
    )
    .bind(user)
    .fetch_one(pool)
    .await?;
    Ok((rows, total))
}

pub(super) async fn token(pool: &PgPool, id: &str) -> Result<Option<TokenRow>> {
    Ok(sqlx::query_as(
        "SELECT t.*, u.id AS owner_id, u.name AS owner FROM api_tokens t JOIN users u ON u.id = t.user_id
         WHERE t.id = $1 AND t.revoked_at IS NULL AND t.expires_at > now()",
    )
    .bind(id)
    .fetch_optional(pool)
    .await?)
}

/// What a new token is.
#[derive(Debug)]
pub(super) struct NewToken<'a> {
    pub(super) id: &'a str,
    pub(super) secret_hash: [u8; 32],
    pub(super) owner_id: Uuid,
    pub(super) name: &'a str,
    pub(super) grant: &'a RoleGrant,
    pub(super) expires_at: OffsetDateTime,
}

pub(super) async fn insert_token(connection: &mut PgConnection, token: &NewToken<'_>) -> Result<OffsetDateTime> {
    let (kind, value) = scope_columns(&token.grant.scope);
    Ok(sqlx::query_scalar(
        "INSERT INTO api_tokens (id, user_id, name, secret_hash, role, scope_kind, scope_value, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING created_at",
    )
    .bind(token.id)
    .bind(token.owner_id)
    .bind(token.name)
    .bind(&token.secret_hash[..])
    .bind(token.grant.role.as_str())
    .bind(kind)
    .bind(value)
    .bind(token.expires_at)
    .fetch_one(connection)
    .await?)
}

pub(super) async fn revoke_token(connection: &mut PgConnection, id: &str) -> Result<bool> {
    let revoked = sqlx::query("UPDATE api_tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(revoked.rows_affected() == 1)
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct SessionRow {
    pub(super) public_id: Uuid,
    pub(super) user_name: String,
    pub(super) user_agent: String,
    pub(super) created_at: OffsetDateTime,
    pub(super) last_seen_at: OffsetDateTime,
    pub(super) ends_at: OffsetDateTime,
}

pub(super) async fn list_sessions(
    pool: &PgPool,
    user: Option<&str>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<(Vec<SessionRow>, i64)> {
    let rows = sqlx::query_as(
        "SELECT s.public_id, u.name AS user_name, s.user_agent, s.created_at, s.last_seen_at,
                LEAST(s.expires_at, s.last_seen_at + interval '12 hours') AS ends_at
         FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE ($1::text IS NULL OR u.name = $1) AND s.expires_at > now()
           AND s.last_seen_at > now() - interval '12 hours' AND ($2::uuid IS NULL OR s.public_id < $2)
         ORDER BY s.public_id DESC LIMIT $3",
    )
    .bind(user)
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let total = sqlx::query_scalar(
        "SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE ($1::text IS NULL OR u.name = $1) AND s.expires_at > now()
           AND s.last_seen_at > now() - interval '12 hours'",
    )
    .bind(user)
    .fetch_one(pool)
    .await?;
    Ok((rows, total))
}

/// The user of a session, by the id that lists show.
pub(super) async fn session_user(pool: &PgPool, public_id: Uuid) -> Result<Option<(Uuid, String)>> {
    Ok(sqlx::query_as("SELECT u.id, u.name FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.public_id = $1")
        .bind(public_id)
        .fetch_optional(pool)
        .await?)
}

pub(super) async fn delete_session(connection: &mut PgConnection, public_id: Uuid) -> Result<bool> {
    let gone = sqlx::query("DELETE FROM sessions WHERE public_id = $1").bind(public_id).execute(connection).await?;
    Ok(gone.rows_affected() == 1)
}

/// After the commit of a change of access, never before: a cache that forgets too early reads the old state again.
pub(super) async fn raise_version(pool: &PgPool) -> Result<()> {
    sqlx::query("SELECT nextval('access_version')").execute(pool).await?;
    Ok(())
}

pub(super) async fn version(pool: &PgPool) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM access_version")
        .fetch_one(pool)
        .await?)
}

pub(super) async fn touch(pool: &PgPool, sessions: &[Vec<u8>], tokens: &[String]) -> Result<()> {
    if !sessions.is_empty() {
        sqlx::query("UPDATE sessions SET last_seen_at = now() WHERE id = ANY($1)").bind(sessions).execute(pool).await?;
    }
    if !tokens.is_empty() {
        sqlx::query("UPDATE api_tokens SET last_used_at = now() WHERE id = ANY($1)").bind(tokens).execute(pool).await?;
    }
    Ok(())
}

pub(super) async fn delete_ended(pool: &PgPool) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE expires_at < now() OR last_seen_at < now() - interval '12 hours'")
        .execute(pool)
        .await?;
    sqlx::query("DELETE FROM setup_tokens WHERE expires_at < now() - interval '1 day'").execute(pool).await?;
    sqlx::query("DELETE FROM sign_in_used WHERE until < now() - interval '1 minute'").execute(pool).await?;
    Ok(())
}
