//! Freezes, and the red button, which is a freeze from now until it is lifted.

use super::GateService;
use crate::gates::calendar::{Schedule, Unclear};
use crate::gates::store::freezes::Row;
use crate::gates::store::{freezes as store, policies};
use crate::kernel::{
    Action, AppError, AuditEntry, Authorized, Ctx, Cursor, EnvironmentScope, Object, Result, limit_or_default, validate,
};
use passerelle_contract::gates::{FreezeFilter, FreezeIn, FreezeOut, FreezeScope, FreezeWindow};
use passerelle_contract::{FieldError, Page, text};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const LIST: &str = "freezes";
const SHOWN_WINDOWS: usize = 20;
/// Of one freeze in a calendar: more than days in it.
const MOST_WINDOWS: usize = 100;
const SHOWN_AHEAD: Duration = Duration::days(365);

impl GateService {
    /// Newest first.
    ///
    /// # Errors
    /// `Unauthenticated`, `Invalid` at `/cursor` or `/limit`.
    pub async fn list_freezes(&self, ctx: &Ctx, filter: &FreezeFilter) -> Result<Page<FreezeOut>> {
        ctx.permit(Action::GateRead, &Object::new("freeze", "*"))?;
        let limit = limit_or_default(filter.limit)?;
        let before: Option<Uuid> =
            filter.cursor.as_deref().map(|text| Cursor::decode(&self.keys, LIST, text)).transpose()?;
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let (mut rows, total) = store::page(self.db.pool(), filter.all == Some(true), before, wanted).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next_cursor = last.map(|row| Cursor::encode(&self.keys, LIST, &row.id)).transpose()?;
        Ok(Page { items: rows.into_iter().map(out).collect::<Result<_>>()?, next_cursor, total })
    }

    /// The freezes that hold at some time between two moments, each with those of its windows that do; at most 500.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub async fn freezes_within(
        &self,
        ctx: &Ctx,
        from: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Vec<FreezeOut>> {
        ctx.permit(Action::GateRead, &Object::new("freeze", "*"))?;
        let rows = store::within(self.db.pool(), from, until).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            // A rule that cannot be followed to here holds, as it does for the gate.
            let all = vec![FreezeWindow { starts_at: from, ends_at: Some(until) }];
            let windows = row.schedule().windows(from, until, MOST_WINDOWS).unwrap_or(all);
            if !windows.is_empty() {
                found.push(FreezeOut { windows, ..out(row)? });
            }
        }
        Ok(found)
    }

    /// What holds at this moment.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub async fn frozen_now(&self, ctx: &Ctx) -> Result<Vec<FreezeOut>> {
        let now = OffsetDateTime::now_utc();
        self.freezes_within(ctx, now, now + Duration::SECOND).await
    }

    /// The next windows of a freeze that is not made yet, at most five within two years.
    ///
    /// # Errors
    /// `Invalid` by field.
    pub fn preview(new: &FreezeIn) -> Result<Vec<FreezeWindow>> {
        let (schedule, now) = (checked(new)?, OffsetDateTime::now_utc());
        schedule.windows(now, now + 2 * SHOWN_AHEAD, 5).map_err(|Unclear(why)| AppError::field("/recurrence", why))
    }

    /// # Errors
    /// `NotFound`, `Unauthenticated`.
    pub async fn get_freeze(&self, ctx: &Ctx, id: Uuid) -> Result<FreezeOut> {
        ctx.permit(Action::GateRead, &Object::new("freeze", id.to_string()))?;
        out(store::by_id(self.db.pool(), id).await?.ok_or_else(|| absent(id))?)
    }

    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound` for a service that may not be read.
    pub async fn create_freeze(&self, ctx: &Ctx, new: FreezeIn) -> Result<FreezeOut> {
        let id = Uuid::now_v7();
        let authorized = self.may_freeze(ctx, id, &new.scope).await?;
        let schedule = checked(&new)?;
        let mut tx = self.db.write(ctx, authorized).await?;
        policies::exclude_decisions(tx.conn()).await?;
        store::put(tx.conn(), id, &new.scope, new.title.trim(), &schedule, &ctx.principal().name).await?;
        tx.tell(
            "freeze.created",
            &json!({ "id": id, "title": new.title, "scope": new.scope, "by": ctx.principal().name }),
        )
        .await?;
        tx.commit(AuditEntry::success().reason(new.title.trim()).after(summary(&new.scope, &new.title, &schedule)))
            .await?;
        self.get_freeze(ctx, id).await
    }

    /// Replaces all that a freeze says.
    ///
    /// # Errors
    /// As [`Self::create_freeze`]; `Conflict` when it is lifted.
    pub async fn replace_freeze(&self, ctx: &Ctx, id: Uuid, new: FreezeIn) -> Result<FreezeOut> {
        let found = self.may_edit(ctx, id).await?;
        let authorized = self.may_freeze(ctx, id, &new.scope).await?;
        let new = FreezeIn { starts_at: new.starts_at.or(Some(found.starts_at)), ..new };
        let schedule = checked(&new)?;
        let mut tx = self.db.write(ctx, authorized).await?;
        policies::exclude_decisions(tx.conn()).await?;
        let before = store::lock(tx.conn(), id).await?.ok_or_else(|| absent(id))?;
        if before.lifted_at.is_some() {
            return Err(AppError::Conflict(text!("this freeze is lifted; make a new one")));
        }
        if before.scope()? != found.scope()? {
            return Err(AppError::Conflict(text!("its scope changed in this moment; try again")));
        }
        store::put(tx.conn(), id, &new.scope, new.title.trim(), &schedule, &ctx.principal().name).await?;
        let entry = AuditEntry::success()
            .before(summary(&before.scope()?, &before.title, &before.schedule()))
            .after(summary(&new.scope, &new.title, &schedule));
        tx.commit(entry).await?;
        self.get_freeze(ctx, id).await
    }

    /// Ends a freeze; it stays in the list of all.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `Conflict` when it is lifted already.
    pub async fn lift_freeze(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        let found = self.may_edit(ctx, id).await?;
        let authorized = self.may_freeze(ctx, id, &found.scope()?).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        policies::exclude_decisions(tx.conn()).await?;
        if !store::lift(tx.conn(), id, &ctx.principal().name).await? {
            return Err(AppError::Conflict(text!("this freeze is lifted already")));
        }
        tx.tell("freeze.lifted", &json!({ "id": id, "title": found.title, "by": ctx.principal().name })).await?;
        tx.commit(AuditEntry::success().before(summary(&found.scope()?, &found.title, &found.schedule()))).await
    }

    async fn may_edit(&self, ctx: &Ctx, id: Uuid) -> Result<Row> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let found = store::by_id(self.db.pool(), id).await?.ok_or_else(|| absent(id))?;
        self.may_freeze(ctx, id, &found.scope()?).await?;
        Ok(found)
    }

    /// A freeze of a service or an environment belongs to whoever operates it; of a team or of everything, to whoever operates
    /// everything.
    async fn may_freeze(&self, ctx: &Ctx, id: Uuid, scope: &FreezeScope) -> Result<Authorized> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let object = Object::new("freeze", id.to_string());
        let object = match scope {
            FreezeScope::Global => object,
            FreezeScope::Team(team) => {
                validate::line(team, 1, 127).map_err(|message| AppError::field("/scope/value", message))?;
                if !self.catalog.knows_team(team) {
                    return Err(AppError::field("/scope/value", text!("is no team; write it as namespace/name")));
                }
                object
            }
            FreezeScope::Environment(name) => {
                let found = match self.environments.get_environment(ctx, name).await {
                    Err(AppError::NotFound(_)) => Err(AppError::field("/scope/value", text!("is no environment"))),
                    other => other,
                }?;
                object.with_environment(EnvironmentScope { name: found.name, tier: found.tier })
            }
            FreezeScope::Service(key) => {
                validate::service_key(key).map_err(|message| AppError::field("/scope/value", message))?;
                let found =
                    self.catalog.find_service(key).ok_or_else(|| AppError::not_found(format!("service:{key}")))?;
                object.with_service(found.scope)
            }
        };
        self.db.authorize(ctx, Action::FreezeEdit, object).await
    }
}

fn checked(new: &FreezeIn) -> Result<Schedule> {
    let mut errors = Vec::new();
    if let Err(message) = validate::line(&new.title, 2, 200) {
        errors.push(FieldError::new("/title", message));
    }
    let schedule = Schedule {
        starts_at: new.starts_at.unwrap_or_else(OffsetDateTime::now_utc),
        ends_at: new.ends_at,
        recurrence: new.recurrence.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned),
        time_zone: new.time_zone.clone().unwrap_or_else(|| "UTC".to_owned()),
    };
    if let Err(wrong) = schedule.check() {
        errors.extend(wrong);
    }
    if errors.is_empty() { Ok(schedule) } else { Err(AppError::Invalid(errors)) }
}

fn out(row: Row) -> Result<FreezeOut> {
    let now = OffsetDateTime::now_utc();
    let schedule = row.schedule();
    let windows = if row.lifted_at.is_some() {
        Vec::new()
    } else {
        // Checked when it was saved; should the rule not be readable any more, the gate takes it as holding.
        schedule.windows(now, now + SHOWN_AHEAD, SHOWN_WINDOWS).unwrap_or_default()
    };
    let active = windows.first().is_some_and(|window| window.starts_at <= now);
    Ok(FreezeOut {
        id: row.id,
        scope: row.scope()?,
        title: row.title,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        recurrence: row.recurrence,
        time_zone: row.time_zone,
        active,
        windows,
        created_by: row.created_by,
        created_at: row.created_at,
        lifted_by: row.lifted_by,
        lifted_at: row.lifted_at,
    })
}

fn summary(scope: &FreezeScope, title: &str, schedule: &Schedule) -> Value {
    let text = |at: OffsetDateTime| at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default();
    json!({
        "scope": scope, "title": title, "starts_at": text(schedule.starts_at), "ends_at": schedule.ends_at.map(text),
        "recurrence": schedule.recurrence, "time_zone": schedule.time_zone,
    })
}

fn absent(id: Uuid) -> AppError {
    AppError::not_found(format!("freeze:{id}"))
}
