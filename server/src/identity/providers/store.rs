//! SQL of signing in at providers. What is used once is bookkeeping and no act, so it needs no audit row.

use super::link::OwnProvider;
use crate::identity::model::scope_columns;
use crate::kernel::Result;
use passerelle_contract::access::RoleGrant;
use passerelle_oidc::Person;
use sqlx::postgres::{PgConnection, PgPool};
use uuid::Uuid;

/// Group, role, kind and value of the scope.
pub(super) type RoleColumns = (String, String, String, String);

#[derive(Debug, sqlx::FromRow)]
pub(super) struct KnownUser {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) disabled: bool,
}

pub(super) async fn user_of(pool: &PgPool, issuer: &str, subject: &str) -> Result<Option<KnownUser>> {
    Ok(sqlx::query_as(
        "SELECT u.id, u.name, u.disabled_at IS NOT NULL AS disabled
         FROM user_identities i JOIN users u ON u.id = i.user_id WHERE i.issuer = $1 AND i.subject = $2",
    )
    .bind(issuer)
    .bind(subject)
    .fetch_optional(pool)
    .await?)
}

pub(super) async fn taken(pool: &PgPool, names: &[String]) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT name FROM users WHERE name = ANY($1)").bind(names).fetch_all(pool).await?)
}

/// A person without a password. `users_name_key` and `user_identities_pkey` say that somebody else was faster.
pub(super) async fn insert_person(
    connection: &mut PgConnection,
    id: Uuid,
    name: &str,
    display_name: &str,
    (person, provider): (&Person, &str),
) -> std::result::Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO users (id, name, display_name, service) VALUES ($1, $2, $3, false)")
        .bind(id)
        .bind(name)
        .bind(display_name)
        .execute(&mut *connection)
        .await?;
    insert_identity(connection, id, person, provider).await
}

/// `user_identities_pkey` says that the provider's person has a user.
pub(super) async fn insert_identity(
    connection: &mut PgConnection,
    user_id: Uuid,
    person: &Person,
    provider: &str,
) -> std::result::Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO user_identities (issuer, subject, user_id, provider) VALUES ($1, $2, $3, $4)")
        .bind(&person.issuer)
        .bind(&person.subject)
        .bind(user_id)
        .bind(provider)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn providers_of(pool: &PgPool, user_id: Uuid) -> Result<Vec<OwnProvider>> {
    Ok(sqlx::query_as(
        "SELECT provider, issuer, subject, created_at, last_sign_in_at FROM user_identities
         WHERE user_id = $1 ORDER BY created_at",
    )
    .bind(user_id)
    .fetch_all(pool)
    .await?)
}

pub(super) async fn saw(connection: &mut PgConnection, person: &Person, provider: &str) -> Result<()> {
    sqlx::query("UPDATE user_identities SET last_sign_in_at = now(), provider = $3 WHERE issuer = $1 AND subject = $2")
        .bind(&person.issuer)
        .bind(&person.subject)
        .bind(provider)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn roles_by(connection: &mut PgConnection, user_id: Uuid, provider: &str) -> Result<Vec<RoleColumns>> {
    Ok(sqlx::query_as(
        "SELECT provider_group, role, scope_kind, scope_value FROM role_bindings WHERE user_id = $1 AND provider = $2",
    )
    .bind(user_id)
    .bind(provider)
    .fetch_all(connection)
    .await?)
}

/// Takes away what the groups gave before and gives what they give now; roles by hand and of other providers stay.
pub(super) async fn replace_roles(
    connection: &mut PgConnection,
    user_id: Uuid,
    provider: &str,
    wanted: &[(String, RoleGrant)],
) -> Result<()> {
    sqlx::query("DELETE FROM role_bindings WHERE user_id = $1 AND provider = $2")
        .bind(user_id)
        .bind(provider)
        .execute(&mut *connection)
        .await?;
    for (group, grant) in wanted {
        let (kind, value) = scope_columns(&grant.scope);
        sqlx::query(
            "INSERT INTO role_bindings (id, user_id, role, scope_kind, scope_value, created_by, provider, provider_group)
             VALUES ($1, $2, $3, $4, $5, 'sign-in', $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(Uuid::now_v7())
        .bind(user_id)
        .bind(grant.role.as_str())
        .bind(kind)
        .bind(value)
        .bind(provider)
        .bind(group)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(super) async fn has_role(connection: &mut PgConnection, user_id: Uuid) -> Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM role_bindings WHERE user_id = $1)")
        .bind(user_id)
        .fetch_one(connection)
        .await?)
}

/// Whether somebody who is not disabled has come in by these issuers, and whether an administrator has.
pub(super) async fn came_in_by(pool: &PgPool, issuers: &[String]) -> Result<(bool, bool)> {
    Ok(sqlx::query_as(
        "SELECT count(*) > 0, coalesce(bool_or(EXISTS (SELECT FROM role_bindings b
                  WHERE b.user_id = u.id AND b.role = 'admin' AND b.scope_kind = 'everything')), false)
         FROM user_identities i JOIN users u ON u.id = i.user_id WHERE i.issuer = ANY($1) AND u.disabled_at IS NULL",
    )
    .bind(issuers)
    .fetch_one(pool)
    .await?)
}

/// True for whoever comes first with it; the row stays until `until`, in seconds since 1970.
pub(super) async fn use_once(pool: &PgPool, hash: &[u8; 32], until: i64) -> Result<bool> {
    let first =
        sqlx::query("INSERT INTO sign_in_used (hash, until) VALUES ($1, to_timestamp($2)) ON CONFLICT DO NOTHING")
            .bind(&hash[..])
            .bind(until as f64)
            .execute(pool)
            .await?;
    Ok(first.rows_affected() == 1)
}

/// Whose sessions a logout token is about: what it names must all fit.
#[derive(Debug)]
pub(super) struct Named<'n> {
    pub(super) provider: &'n str,
    pub(super) issuer: &'n str,
    pub(super) subject: Option<&'n str>,
    pub(super) session: Option<&'n str>,
}

/// Users with sessions that fit. A session whose provider gave no id for it ends by its subject.
pub(super) async fn signed_in_as(pool: &PgPool, named: &Named<'_>) -> Result<Vec<(Uuid, String)>> {
    Ok(sqlx::query_as(
        "SELECT DISTINCT u.id, u.name FROM sessions s JOIN users u ON u.id = s.user_id
         JOIN user_identities i ON i.user_id = u.id AND i.issuer = $2
         WHERE s.data ? 'provider' AND s.data ->> 'provider' = $1
           AND ($3::text IS NULL OR i.subject = $3)
           AND ($4::text IS NULL OR s.data ->> 'provider_session' = $4
                OR ($3::text IS NOT NULL AND NOT s.data ? 'provider_session'))",
    )
    .bind(named.provider)
    .bind(named.issuer)
    .bind(named.subject)
    .bind(named.session)
    .fetch_all(pool)
    .await?)
}

pub(super) async fn end_sessions(connection: &mut PgConnection, user_id: Uuid, named: &Named<'_>) -> Result<u64> {
    let gone = sqlx::query(
        "DELETE FROM sessions WHERE user_id = $1 AND data ? 'provider' AND data ->> 'provider' = $2
           AND ($3::text IS NULL OR data ->> 'provider_session' = $3
                OR ($4::text IS NOT NULL AND NOT data ? 'provider_session'))",
    )
    .bind(user_id)
    .bind(named.provider)
    .bind(named.session)
    .bind(named.subject)
    .execute(connection)
    .await?;
    Ok(gone.rows_affected())
}
