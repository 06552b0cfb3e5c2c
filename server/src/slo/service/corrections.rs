//! Corrections: stretches of time that do not count. Added, never changed.

use super::super::figures::{compute, compute_with};
use super::super::store::definitions as store;
use super::{SloService, now};
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Result, validate};
use passerelle_contract::slo::{CorrectionIn, CorrectionOut};
use passerelle_contract::{FieldError, text};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const LONGEST: Duration = Duration::days(7);
const OLDEST: Duration = Duration::days(400);

impl SloService {
    /// Takes a stretch of time out of the budget.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound`.
    pub async fn add_correction(&self, ctx: &Ctx, id: Uuid, wanted: CorrectionIn) -> Result<CorrectionOut> {
        let slo = self.readable(ctx, id).await?;
        let authorized = self.db.authorize(ctx, Action::SloCorrect, slo.object()).await?;
        check(&wanted)?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let slo =
            self.definitions.lock(tx.conn(), id).await?.ok_or_else(|| AppError::not_found(format!("slo:{id}")))?;
        let now = now();
        let mut correction = CorrectionOut {
            id: Uuid::now_v7(),
            from: wanted.from,
            to: wanted.to,
            reason: wanted.reason,
            approver: ctx.principal().name.clone(),
            remaining_before: String::new(),
            remaining_after: String::new(),
            created_at: OffsetDateTime::now_utc(),
        };
        let one = std::slice::from_ref(&slo);
        let left = |figures: Vec<super::super::Figures>| {
            figures.first().map(|figures| figures.remaining().decimal(6)).unwrap_or_default()
        };
        correction.remaining_before = left(compute(tx.conn(), one, now).await?);
        correction.remaining_after = left(compute_with(tx.conn(), one, now, Some(&correction)).await?);
        store::insert_correction(tx.conn(), id, &correction).await?;
        let entry = AuditEntry::success()
            .reason(correction.reason.clone())
            .before(json!({"remaining": correction.remaining_before}))
            .after(json!({"remaining": correction.remaining_after, "correction": correction}));
        tx.commit(entry).await?;
        Ok(correction)
    }
}

fn check(wanted: &CorrectionIn) -> Result<()> {
    let mut errors = Vec::new();
    let now = OffsetDateTime::now_utc();
    if wanted.from >= wanted.to || wanted.to - wanted.from > LONGEST {
        errors.push(FieldError::new("/to", text!("must be after from, by at most 7 days")));
    }
    if wanted.from < now - OLDEST || wanted.to > now + LONGEST {
        errors.push(FieldError::new("/from", text!("must be within the last 400 days and the next 7")));
    }
    if let Err(message) = validate::paragraph(&wanted.reason, 10, 2000) {
        errors.push(FieldError::new("/reason", message));
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}
