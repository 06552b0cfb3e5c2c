//! What somebody has typed so far, kept until the service is made: one draft a person and a golden path.

use super::super::store;
use super::OnboardingService;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Object, Result};
use passerelle_contract::text;
use serde_json::{Map, Value, json};

/// A draft is smaller than any form that somebody fills in by hand.
const MAX_BYTES: usize = 64 << 10;

impl OnboardingService {
    /// The caller's draft for a golden path.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub async fn draft(&self, ctx: &Ctx, template: &str) -> Result<Option<Map<String, Value>>> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        store::draft(self.db.pool(), &ctx.principal().name, template).await
    }

    /// Keeps a draft. Its answers need not be right yet; what no parameter has as its name is left out.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`, `TooLarge`.
    pub async fn save_draft(&self, ctx: &Ctx, template: &str, mut answers: Map<String, Value>) -> Result<()> {
        let template = self.template(ctx, template)?;
        answers.retain(|name, _| template.parameter(name).is_some());
        let text = serde_json::to_string(&answers).map_err(AppError::internal)?;
        if text.len() > MAX_BYTES {
            return Err(AppError::TooLarge { limit_bytes: MAX_BYTES });
        }
        if let Some((name, _)) =
            answers.iter().find(|(_, value)| value.as_str().is_some_and(|text| text.contains('\0')))
        {
            return Err(AppError::field(format!("/answers/{name}"), text!("holds the character U+0000")));
        }
        let authorized =
            self.db.authorize(ctx, Action::OnboardingDraft, Object::new("template", template.id())).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        store::put_draft(tx.conn(), &ctx.principal().name, template.id(), &text).await?;
        let named: Vec<&String> = answers.keys().collect();
        tx.commit(AuditEntry::success().after(json!({ "answered": named }))).await
    }

    /// Forgets a draft.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound` for a golden path that does not exist.
    pub async fn drop_draft(&self, ctx: &Ctx, template: &str) -> Result<()> {
        let template = self.template(ctx, template)?;
        let authorized =
            self.db.authorize(ctx, Action::OnboardingDraft, Object::new("template", template.id())).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        store::delete_draft(tx.conn(), &ctx.principal().name, template.id()).await?;
        tx.commit(AuditEntry::success().after(json!({ "answered": [] }))).await
    }
}
