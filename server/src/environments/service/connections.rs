//! Connections.

use super::super::model::{
    Change, ConnectionRow, IfMatch, MAX_CONNECTION_NAME, check_storable, config_error, known_connection,
};
use super::super::store::{bindings, connections as store};
use super::{EnvironmentService, absent, connection_name};
use crate::kernel::{Action, AppError, AuditEntry, Authorized, Ctx, Object, Result, validate};
use crate::secrets;
use passerelle_contract::environments::{ConnectionIn, ConnectionOut, ConnectionPatch};
use passerelle_contract::{Text, text};
use serde_json::Value;
use uuid::Uuid;

/// How many services a refusal names.
const NAMED_SERVICES: usize = 5;

impl EnvironmentService {
    /// All connections by name, secrets replaced by `{"set": true}`.
    ///
    /// # Errors
    /// `Unauthenticated`, `Forbidden`, `Unavailable`.
    pub async fn list_connections(&self, ctx: &Ctx) -> Result<Vec<ConnectionOut>> {
        ctx.permit(Action::ConnectionRead, &Object::new("connection", "*"))?;
        Ok(store::list(self.db.pool()).await?.iter().map(ConnectionRow::to_out).collect())
    }

    /// # Errors
    /// `NotFound`, and as [`Self::list_connections`].
    pub async fn get_connection(&self, ctx: &Ctx, name: &str) -> Result<ConnectionOut> {
        Ok(self.readable_connection(ctx, name).await?.to_out())
    }

    pub(super) async fn readable_connection(&self, ctx: &Ctx, name: &str) -> Result<ConnectionRow> {
        ctx.permit(Action::ConnectionRead, &Object::new("connection", name))?;
        self.connection_by_name(name).await?.ok_or_else(|| absent("connection", name))
    }

    pub(super) async fn connection_by_name(&self, name: &str) -> Result<Option<ConnectionRow>> {
        match connection_name(name) {
            Some(name) => store::by_name(self.db.pool(), name).await,
            None => Ok(None),
        }
    }

    /// # Errors
    /// `Invalid` by field (an unknown kind is answered with the known ones), `Forbidden`, `AlreadyExists`.
    pub async fn create_connection(&self, ctx: &Ctx, new: ConnectionIn) -> Result<ConnectionOut> {
        let authorized = self.may_edit_connection(ctx, &new.name).await?;
        let config = self.check_new(&new).await?;
        let id = Uuid::now_v7();
        let schema = known_connection(&new.kind)?.connection_schema();
        let mut tx = self.db.write(ctx, authorized).await?;
        let sealed = self.secrets.seal(tx.conn(), id, &schema, &config).await?;
        let row = store::insert(tx.conn(), id, &new.name, &new.kind, sealed).await?;
        tx.commit(AuditEntry::success().after(row.summary())).await?;
        Ok(row.to_out())
    }

    /// A secret given as `{"set": true}` stays as it is stored.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound`.
    pub async fn patch_connection(&self, ctx: &Ctx, name: &str, patch: ConnectionPatch) -> Result<ConnectionOut> {
        self.patch_connection_if(ctx, name, patch, &IfMatch::default()).await
    }

    /// As [`Self::patch_connection`], for a version that was read before.
    ///
    /// # Errors
    /// Also `Conflict` when it is another version now.
    pub async fn patch_connection_if(
        &self,
        ctx: &Ctx,
        name: &str,
        patch: ConnectionPatch,
        if_match: &IfMatch,
    ) -> Result<ConnectionOut> {
        let authorized = self.may_edit_connection(ctx, name).await?;
        let edit = Edit { kind: None, config: patch.config, dry_run: false };
        let (row, _) = self.update_connection(ctx, authorized, name, edit, if_match).await?;
        Ok(row.to_out())
    }

    /// Creates or changes, for the importer; a dry run checks all of it and writes nothing. The kind of a connection cannot
    /// change.
    ///
    /// # Errors
    /// As create and patch.
    pub async fn apply_connection(&self, ctx: &Ctx, wanted: ConnectionIn, dry_run: bool) -> Result<Change> {
        if self.connection_by_name(&wanted.name).await?.is_none() {
            if dry_run {
                self.may_edit_connection(ctx, &wanted.name).await?;
                self.check_new(&wanted).await?;
                return Ok(Change::Created);
            }
            return self.create_connection(ctx, wanted).await.map(|_| Change::Created);
        }
        let authorized = self.may_edit_connection(ctx, &wanted.name).await?;
        let ConnectionIn { name, kind, config } = wanted;
        let edit = Edit { kind: Some(&kind), config: Some(config), dry_run };
        self.update_connection(ctx, authorized, &name, edit, &IfMatch::default()).await.map(|(_, change)| change)
    }

    /// # Errors
    /// `Forbidden`, `NotFound`, `Conflict` while services are bound through it, naming some of them.
    pub async fn delete_connection(&self, ctx: &Ctx, name: &str) -> Result<()> {
        let authorized = self.may_edit_connection(ctx, name).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let row = lock(tx.conn(), name).await?;
        let bound = bindings::on_connection(&mut *tx.conn(), row.id).await?;
        for binding in &bound {
            bindings::lock(tx.conn(), binding.id).await?;
            self.refuse_busy(&mut tx, binding.id).await?;
        }
        if !bound.is_empty() {
            let services: Vec<Uuid> = bound.iter().map(|binding| binding.service_id).collect();
            let known = self.catalog.known_services(&services).await?;
            let mut names: Vec<String> = known.into_values().map(|service| service.scope.key).collect();
            names.sort_unstable();
            let more = names.len().saturating_sub(NAMED_SERVICES);
            names.truncate(NAMED_SERVICES);
            let names = names.join(", ");
            let services = if more > 0 { text!("{names} and {more} more", names, more) } else { Text::verbatim(names) };
            let text =
                text!("{services} is bound through connection {name}: delete those bindings first", services, name);
            return Err(AppError::Conflict(text));
        }
        store::delete(tx.conn(), row.id).await?;
        tx.commit(AuditEntry::success().before(row.summary())).await?;
        self.opened.forget(row.id);
        Ok(())
    }

    /// For what reads through a connection: by name. Decides nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn connection_for(&self, name: &str) -> Result<Option<ConnectionRow>> {
        self.connection_by_name(name).await
    }

    /// The same by id.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn connection_for_id(&self, id: Uuid) -> Result<Option<ConnectionRow>> {
        store::by_id(self.db.pool(), id).await
    }

    async fn may_edit_connection(&self, ctx: &Ctx, name: &str) -> Result<Authorized> {
        self.db.authorize(ctx, Action::ConnectionEdit, Object::new("connection", name)).await
    }

    /// The configuration of a connection that is to be made.
    async fn check_new(&self, new: &ConnectionIn) -> Result<Value> {
        validate::slug(&new.name, MAX_CONNECTION_NAME).map_err(|message| AppError::field("/name", message))?;
        self.checked_config(&new.kind, &new.config, None).await
    }

    /// The configuration with kept secrets filled in, checked by its kind.
    async fn checked_config(&self, kind: &str, given: &Value, opened: Option<&Value>) -> Result<Value> {
        let platform = known_connection(kind)?;
        check_storable(given)?;
        let schema = platform.connection_schema();
        let config = secrets::keep(&schema, given, opened)?;
        let followed = self.secrets.followed(&schema, config.clone()).await?;
        platform.check_connection(&followed).map_err(config_error)?;
        Ok(config)
    }

    async fn update_connection(
        &self,
        ctx: &Ctx,
        authorized: Authorized,
        name: &str,
        edit: Edit<'_>,
        if_match: &IfMatch,
    ) -> Result<(ConnectionRow, Change)> {
        let Edit { kind, config, dry_run } = edit;
        let mut tx = self.db.write(ctx, authorized).await?;
        let before = lock(tx.conn(), name).await?;
        if_match.check(&before.to_out())?;
        if let Some(kind) = kind.filter(|kind| *kind != before.kind) {
            let text = text!(
                "connection {name} is of kind {kind}, which cannot become {other}",
                name,
                kind = before.kind,
                other = kind
            );
            return Err(AppError::field("/kind", text));
        }
        let Some(config) = config else { return Ok((before, Change::Unchanged)) };
        let schema = known_connection(&before.kind)?.connection_schema();
        let opened = self.secrets.for_edit(before.id, &schema, &before.config).await?;
        let wanted = self.checked_config(&before.kind, &config, Some(&opened)).await?;
        if wanted == opened {
            return Ok((before, Change::Unchanged));
        }
        if dry_run {
            return Ok((before, Change::Updated));
        }
        let sealed = self.secrets.seal(tx.conn(), before.id, &schema, &wanted).await?;
        let updated_at = store::update(tx.conn(), before.id, &sealed).await?;
        let after = ConnectionRow { config: sealed, updated_at, ..before.clone() };
        tx.commit(AuditEntry::success().before(before.summary()).after(after.summary())).await?;
        self.opened.forget(before.id);
        Ok((after, Change::Updated))
    }
}

/// What an edit changes; `None` stays as it is.
struct Edit<'a> {
    kind: Option<&'a str>,
    config: Option<Value>,
    dry_run: bool,
}

async fn lock(db: &mut sqlx::postgres::PgConnection, name: &str) -> Result<ConnectionRow> {
    let row = match connection_name(name) {
        Some(name) => store::lock(db, name).await?,
        None => None,
    };
    row.ok_or_else(|| absent("connection", name))
}
