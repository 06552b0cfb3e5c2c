//! Changing and deleting one SLO.

use super::super::store::definitions::{self as store, Wanted};
use super::SloService;
use super::import::{measured_otherwise, refused, summary};
use crate::environments::IfMatch;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Result};
use passerelle_contract::slo::{SloOut, SloPatch};
use passerelle_contract::text;
use passerelle_slo_formats::{Conventions, Definition, openslo, read_documents};
use uuid::Uuid;

impl SloService {
    /// Changes the definition, the connection or the least number of bad events.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound`, `Conflict` when it is another version now.
    pub async fn patch_slo(&self, ctx: &Ctx, id: Uuid, patch: SloPatch, if_match: &IfMatch) -> Result<SloOut> {
        let slo = self.readable(ctx, id).await?;
        let authorized = self.db.authorize(ctx, Action::SloEdit, slo.object()).await?;
        let connection = match &patch.connection {
            Some(name) => self.prometheus_named(name).await?,
            None => slo.connection_id,
        };
        let mut definition = match &patch.source {
            Some(text) => one_definition(text, &slo.definition.name)?,
            None => (*slo.definition).clone(),
        };
        definition.min_bad_events = patch.min_bad_events.map_or(slo.definition.min_bad_events, u64::from);
        let mut tx = self.db.write(ctx, authorized).await?;
        let before =
            self.definitions.lock(tx.conn(), id).await?.ok_or_else(|| AppError::not_found(format!("slo:{id}")))?;
        if_match.check(&before)?;
        let source = match &patch.source {
            Some(text) => {
                let source = Uuid::now_v7();
                store::insert_source(tx.conn(), source, "openslo", text).await?;
                source
            }
            None => before.source_id,
        };
        let text = openslo::write(&definition);
        let wanted = Wanted {
            id,
            service: before.service_id,
            environment: before.environment.as_ref().map(|(id, _)| *id),
            connection,
            source,
            name: &definition.name,
            title: &definition.title,
            definition: &text,
            min_bad_events: i64::try_from(definition.min_bad_events).unwrap_or(i64::MAX),
        };
        store::update(tx.conn(), &wanted).await?;
        if measured_otherwise(&before, &definition, connection) {
            store::forget_samples(tx.conn(), id).await?;
        }
        tx.commit(AuditEntry::success().before(summary(&before.definition)).after(summary(&definition))).await?;
        let slo = self.readable(ctx, id).await?;
        self.describe(ctx, &slo).await
    }

    /// Takes it away with all that was measured for it; the audit keeps the definition.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn delete_slo(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        let slo = self.readable(ctx, id).await?;
        let authorized = self.db.authorize(ctx, Action::SloEdit, slo.object()).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let before =
            self.definitions.lock(tx.conn(), id).await?.ok_or_else(|| AppError::not_found(format!("slo:{id}")))?;
        store::delete(tx.conn(), id).await?;
        tx.commit(AuditEntry::success().before(summary(&before.definition))).await
    }
}

fn one_definition(text: &str, name: &str) -> Result<Definition> {
    let outcome = read_documents(text, &Conventions::usual(name));
    if !outcome.problems.is_empty() {
        return Err(refused("/source", &outcome));
    }
    let mut all = outcome.definitions().map(|(_, definition)| definition.clone());
    let (Some(mut definition), None) = (all.next(), all.next()) else {
        return Err(AppError::field("/source", text!("must have exactly one objective")));
    };
    name.clone_into(&mut definition.name);
    Ok(definition)
}
