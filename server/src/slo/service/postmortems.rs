//! Tasks of post-mortems: read, and closed by somebody with a link or words. The pass opens them (`slo/incidents.rs`).

use super::super::model::Slo;
use super::super::outward;
use super::super::store::postmortems::{self as store, Row};
use super::SloService;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Result, decide, validate};
use passerelle_contract::postmortems::{PostmortemCloseIn, PostmortemFilter, PostmortemOut, PostmortemState};
use passerelle_contract::{FieldError, text};
use passerelle_slo_math::Ratio;
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

impl SloService {
    /// The newest 200 that the caller may read, those that are open first.
    ///
    /// # Errors
    /// `Unauthenticated`, `NotFound` for a service or an objective that may not be seen.
    pub async fn list_postmortems(&self, ctx: &Ctx, filter: &PostmortemFilter) -> Result<Vec<PostmortemOut>> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let mut within: Option<Vec<Uuid>> = None;
        if let Some(key) = &filter.service {
            let service = self.catalog.service_for(ctx, key)?;
            let slos = self.definitions.of_service(self.db.pool(), service.id).await?;
            within = Some(slos.iter().map(|slo| slo.id).collect());
        }
        if let Some(id) = filter.slo {
            let slo = self.readable(ctx, id).await?;
            within =
                Some(within.map_or_else(|| vec![id], |ids| ids.into_iter().filter(|one| *one == slo.id).collect()));
        }
        let rows = store::list(self.db.pool(), within.as_deref(), filter.state).await?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.slo_id).collect();
        let slos: HashMap<Uuid, Slo> =
            self.definitions.by_ids(self.db.pool(), &ids).await?.into_iter().map(|slo| (slo.id, slo)).collect();
        let readable = |slo: &&Slo| decide(ctx, Action::SloRead, &slo.object()).allowed;
        Ok(rows.into_iter().filter_map(|row| Some(out(slos.get(&row.slo_id).filter(readable)?, row))).collect())
    }

    /// Closes one with what was learnt.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound` also for what may not be seen, `Conflict` when it is closed already.
    pub async fn close_postmortem(&self, ctx: &Ctx, id: Uuid, with: PostmortemCloseIn) -> Result<PostmortemOut> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let absent = || AppError::not_found(format!("postmortem:{id}"));
        let row = store::by_id(self.db.pool(), id).await?.ok_or_else(absent)?;
        let slo = self.readable(ctx, row.slo_id).await.map_err(|_| absent())?;
        let authorized = self.db.authorize(ctx, Action::SloPostmortem, slo.object()).await?;
        let with = checked(with)?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let closed = store::close(tx.conn(), id, &ctx.principal().name, &with).await?;
        let Some(row) = closed else {
            return Err(AppError::Conflict(text!("this post-mortem is closed already")));
        };
        let entry = AuditEntry::success().after(json!({"postmortem": id, "link": with.link, "words": with.words}));
        tx.commit(entry).await?;
        Ok(out(&slo, row))
    }
}

fn checked(with: PostmortemCloseIn) -> Result<PostmortemCloseIn> {
    let given = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let with = PostmortemCloseIn { link: given(with.link), words: given(with.words) };
    let mut errors = Vec::new();
    if with.link.is_none() && with.words.is_none() {
        errors.push(FieldError::new(
            "/link",
            text!("a link or words are needed: where it is written, or what was learnt"),
        ));
    }
    if with.link.as_deref().is_some_and(|link| !validate::link(link)) {
        errors.push(FieldError::new("/link", text!("must be an http or https address")));
    }
    if let Some(Err(message)) = with.words.as_deref().map(|words| validate::paragraph(words, 10, 2000)) {
        errors.push(FieldError::new("/words", message));
    }
    if errors.is_empty() { Ok(with) } else { Err(AppError::Invalid(errors)) }
}

fn out(slo: &Slo, row: Row) -> PostmortemOut {
    let state = if row.closed_at.is_some() { PostmortemState::Closed } else { PostmortemState::Open };
    PostmortemOut {
        id: row.id,
        state,
        slo: slo.id,
        objective: slo.definition.title.clone(),
        service: slo.service.key.clone(),
        environment: slo.environment.as_ref().map(|(_, scope)| scope.name.clone()),
        began_at: row.began_at,
        ended_at: row.ended_at,
        bad: Ratio::whole(i128::from(row.bad)).times(outward::unit_ratio(slo)).to_f64(),
        spent: row.spent,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        closed_by: row.closed_by,
        link: row.link,
        words: row.words,
    }
}
