//! Reading what was made.

use super::super::{model, store};
use super::OnboardingService;
use super::create::absent;
use crate::kernel::{Action, AppError, Ctx, Cursor, Object, Result, limit_or_default};
use passerelle_contract::Page;
use passerelle_contract::onboarding::{OnboardingFilter, OnboardingOut, OnboardingRow};
use passerelle_templates::zip;
use uuid::Uuid;

const LIST: &str = "onboardings";

impl OnboardingService {
    /// Newest first, as far as the caller may see the services.
    ///
    /// # Errors
    /// `Unauthenticated`, `Invalid` at `/cursor` or `/limit`.
    pub async fn list(&self, ctx: &Ctx, filter: &OnboardingFilter) -> Result<Page<OnboardingRow>> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let limit = limit_or_default(filter.limit)?;
        let before: Option<Uuid> =
            filter.cursor.as_deref().map(|text| Cursor::decode(&self.keys, LIST, text)).transpose()?;
        let versions = self.versions(ctx)?;
        let wanted = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let (mut rows, total) =
            store::page(self.db.pool(), filter, &ctx.read_scope(), &versions, before, wanted).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next_cursor = last.map(|row| Cursor::encode(&self.keys, LIST, &row.id)).transpose()?;
        let items = rows.iter().map(|row| row.to_row(&versions)).collect::<Result<_>>()?;
        Ok(Page { items, next_cursor, total })
    }

    /// One, with its files.
    ///
    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn get(&self, ctx: &Ctx, id: Uuid) -> Result<OnboardingOut> {
        let row = self.readable(ctx, id).await?;
        let files = store::files(self.db.pool(), id, store::Which::Delivered).await?;
        let mut out = row.to_out(&self.versions(ctx)?, files.iter().map(|file| model::told(file, false)).collect())?;
        for step in &mut out.steps {
            step.message = std::mem::take(&mut step.message).into_said(ctx.locale);
        }
        Ok(out)
    }

    /// The onboarding that made a service, if one did. Does not check who asks: whoever sees the service may see this.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn of_service(&self, service_id: Uuid) -> Result<Option<Uuid>> {
        store::by_service(self.db.pool(), service_id).await
    }

    /// The files as a zip, with the name it should be saved under. The same bytes each time.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn archive(&self, ctx: &Ctx, id: Uuid) -> Result<(String, Vec<u8>)> {
        let row = self.readable(ctx, id).await?;
        let files = store::files(self.db.pool(), id, store::Which::Delivered).await?;
        let name = row.service.rsplit('/').next().unwrap_or_default().to_owned();
        let folder = name.clone();
        let archive = tokio::task::spawn_blocking(move || zip(&folder, &files)).await.map_err(AppError::internal)?;
        Ok((name, archive.map_err(AppError::internal)?))
    }

    pub(super) async fn readable(&self, ctx: &Ctx, id: Uuid) -> Result<store::Row> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let row = store::by_id(self.db.pool(), id).await?.ok_or_else(|| absent(id))?;
        let known = self.catalog.known_services(&[row.service_id]).await?;
        let service = known.get(&row.service_id).ok_or_else(|| absent(id))?;
        let object = Object::new("onboarding", id.to_string()).with_service(service.scope.clone());
        ctx.permit(Action::OnboardingRead, &object).map_err(|_| absent(id))?;
        Ok(row)
    }
}
