//! Waivers: one vulnerability of one service may pass until a day.

use super::GateService;
use crate::catalog::ServiceRef;
use crate::gates::store::{policies, waivers as store};
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Object, Result, validate};
use passerelle_contract::gates::{WaiverIn, WaiverOut};
use passerelle_contract::{FieldError, text};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const LONGEST: Duration = Duration::days(90);

impl GateService {
    /// The waivers of a service, newest first, expired and revoked ones too.
    ///
    /// # Errors
    /// `NotFound` for a service that may not be read.
    pub async fn list_waivers(&self, ctx: &Ctx, service: &str) -> Result<Vec<WaiverOut>> {
        let service = self.known_service(ctx, service)?;
        ctx.permit(Action::ReleaseRead, &Object::service(service.scope))?;
        Ok(store::list(self.db.pool(), service.id).await?.into_iter().map(Into::into).collect())
    }

    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound`.
    pub async fn create_waiver(&self, ctx: &Ctx, new: WaiverIn) -> Result<WaiverOut> {
        let service = self.known_service(ctx, &new.service)?;
        let id = Uuid::now_v7();
        let object = Object::new("waiver", id.to_string()).with_service(service.scope.clone());
        let authorized = self.db.authorize(ctx, Action::WaiverEdit, object).await?;
        check(&new)?;
        let new = WaiverIn { service: service.scope.key, ..new };
        let mut tx = self.db.write(ctx, authorized).await?;
        policies::exclude_decisions(tx.conn()).await?;
        store::insert(tx.conn(), id, service.id, &new, &ctx.principal().name).await?;
        tx.tell("waiver.created", &json!({ "id": id, "waiver": new, "by": ctx.principal().name })).await?;
        tx.commit(AuditEntry::success().reason(new.reason.trim()).after(json!(new))).await?;
        self.waiver(id).await.map(Into::into)
    }

    /// # Errors
    /// `NotFound`, `Forbidden`, `Conflict` when it is revoked already.
    pub async fn revoke_waiver(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let found = self.waiver(id).await?;
        let service = self.catalog.find_service_by_id(found.service_id).ok_or_else(|| absent(id))?;
        let object = Object::new("waiver", id.to_string()).with_service(service.scope);
        let authorized = self.db.authorize(ctx, Action::WaiverEdit, object).await?;
        let mut tx = self.db.write(ctx, authorized).await?;
        policies::exclude_decisions(tx.conn()).await?;
        if !store::revoke(tx.conn(), id, &ctx.principal().name).await? {
            return Err(AppError::Conflict(text!("this waiver is revoked already")));
        }
        tx.commit(AuditEntry::success().before(json!(WaiverOut::from(found)))).await
    }

    async fn waiver(&self, id: Uuid) -> Result<store::Row> {
        store::by_id(self.db.pool(), id).await?.ok_or_else(|| absent(id))
    }

    /// Finds a service to decide about; does not check who asks, but that somebody does.
    pub(super) fn known_service(&self, ctx: &Ctx, key: &str) -> Result<ServiceRef> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        validate::service_key(key).map_err(|message| AppError::field("/service", message))?;
        self.catalog.find_service(key).ok_or_else(|| AppError::not_found(format!("service:{key}")))
    }
}

fn check(new: &WaiverIn) -> Result<()> {
    let mut errors = Vec::new();
    let id = &new.vulnerability;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if !(3..=64).contains(&id.len()) || !id.chars().all(plain) {
        errors.push(FieldError::new("/vulnerability", text!("must be an identifier such as CVE-2024-3094")));
    }
    if let Some(package) = &new.package
        && let Err(message) = validate::line(package, 1, 200)
    {
        errors.push(FieldError::new("/package", message));
    }
    if let Err(message) = validate::paragraph(&new.reason, 10, 2000) {
        errors.push(FieldError::new("/reason", message));
    }
    let now = OffsetDateTime::now_utc();
    if new.expires_at <= now || new.expires_at > now + LONGEST {
        errors.push(FieldError::new("/expires_at", text!("must be in the future, 90 days from now at most")));
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

fn absent(id: Uuid) -> AppError {
    AppError::not_found(format!("waiver:{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiver(days: i64) -> WaiverIn {
        WaiverIn {
            service: "shop/web".into(),
            vulnerability: "CVE-2024-3094".into(),
            package: None,
            reason: "not reachable from outside".into(),
            expires_at: OffsetDateTime::now_utc() + Duration::days(days),
        }
    }

    #[test]
    fn a_waiver_ends_and_says_why() {
        assert!(check(&waiver(30)).is_ok());
        for bad in [
            waiver(-1),
            waiver(91),
            WaiverIn { reason: "later".into(), ..waiver(1) },
            WaiverIn { vulnerability: "*".into(), ..waiver(1) },
            WaiverIn { package: Some(String::new()), ..waiver(1) },
        ] {
            assert!(check(&bad).is_err(), "{bad:?}");
        }
    }
}
