//! SQL of who has which roles, for telling what they can do.

use super::model::grant_from;
use crate::kernel::Result;
use passerelle_contract::access::RoleGrant;
use sqlx::postgres::PgPool;
use sqlx::types::Json;
use uuid::Uuid;

#[derive(Debug, sqlx::FromRow)]
pub(super) struct Holder {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) service: bool,
    pub(super) disabled: bool,
    /// Id, role, kind and value of the scope.
    bindings: Json<Vec<(Uuid, String, String, String)>>,
}

impl Holder {
    /// The roles by the ids of their bindings.
    pub(super) fn bindings(&self) -> Result<Vec<(Uuid, RoleGrant)>> {
        self.bindings.iter().map(|(id, role, kind, value)| Ok((*id, grant_from(role, kind, value.clone())?))).collect()
    }
}

const COLUMNS: &str = "u.id, u.name, u.display_name, u.service, u.disabled_at IS NOT NULL AS disabled,
  COALESCE((SELECT json_agg(json_build_array(b.id, b.role, b.scope_kind, b.scope_value) ORDER BY b.id)
            FROM role_bindings b WHERE b.user_id = u.id), '[]') AS bindings";

pub(super) async fn holder(pool: &PgPool, name: &str) -> Result<Option<Holder>> {
    let sql = format!("SELECT {COLUMNS} FROM users u WHERE u.name = $1");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(name).fetch_optional(pool).await?)
}

/// Those who have a role and may act, by the bytes of their names.
pub(super) async fn holders(pool: &PgPool, after: &str, limit: i64) -> Result<Vec<Holder>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM users u
         WHERE u.name COLLATE \"C\" > $1 AND u.disabled_at IS NULL AND EXISTS (SELECT FROM role_bindings b WHERE b.user_id = u.id)
         ORDER BY u.name COLLATE \"C\" LIMIT $2"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(after).bind(limit).fetch_all(pool).await?)
}
