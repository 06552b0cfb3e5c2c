//! Break-glass: one person, one deployment, one service and environment, an hour at most, and a second person is told.

use super::GateService;
use crate::gates::model::Judged;
use crate::gates::store::break_glass as store;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, EnvironmentScope, Object, Result, WriteTx, decide, validate};
use passerelle_contract::deployments::{GateOut, Verdict};
use passerelle_contract::gates::{BreakGlassIn, BreakGlassOut, GateFacts, kinds};
use passerelle_contract::{FieldError, text};
use serde_json::json;
use std::time::Duration;
use tower_sessions::Session;
use uuid::Uuid;

const MAX_MINUTES: u32 = 60;
/// How long it counts that somebody showed again who they are.
pub const CONFIRMED_FOR: Duration = Duration::from_secs(300);

/// What was used up.
#[derive(Debug, Clone)]
pub struct BrokenGlass {
    pub id: Uuid,
    /// Stands beside the verdicts that were skipped.
    pub gate: GateOut,
}

impl GateService {
    /// Opens the glass. Who it is was asked again, by password here or a moment ago, so the session gets a new id.
    ///
    /// # Errors
    /// `Invalid` by field (also a password that does not fit), `Forbidden` also for tokens, `NotFound`, `Conflict` while one is
    /// open for the same service and environment.
    pub async fn break_glass(&self, ctx: &Ctx, session: &Session, input: BreakGlassIn) -> Result<BreakGlassOut> {
        let service = self.known_service(ctx, &input.service)?;
        let environment = self.environments.get_environment(ctx, &input.environment).await?;
        let id = Uuid::now_v7();
        let scope = EnvironmentScope { name: environment.name.clone(), tier: environment.tier };
        let object =
            Object::new("break_glass", id.to_string()).with_service(service.scope.clone()).with_environment(scope);
        let authorized = self.db.authorize(ctx, Action::BreakGlass, object).await?;
        let minutes = check(&input)?;
        if !ctx.confirmed_within(CONFIRMED_FOR) {
            self.identity.confirm_password(ctx, &input.password).await?;
        }
        self.identity.mark_proven(session).await?;
        let by = &ctx.principal().name;
        let reason = input.reason.trim();
        let mut tx = self.db.write(ctx, authorized).await?;
        let new = store::NewGlass {
            id,
            service_id: service.id,
            service_key: &service.scope.key,
            environment_id: environment.id,
            by,
            reason,
            incident: input.incident.as_deref().map(str::trim).filter(|link| !link.is_empty()),
            minutes,
        };
        if !store::open(tx.conn(), &new).await? {
            let place =
                text!("{service} in {environment}", service = service.scope.key, environment = environment.name);
            return Err(AppError::Conflict(text!("the glass is broken already for {place}", place)));
        }
        // To whoever operates there, but not to the one who did it.
        let told = json!({ "id": id, "by": by, "reason": reason, "incident": new.incident, "minutes": minutes, "tier": environment.tier, "not_to": by });
        tx.tell("break_glass.opened", &told).await?;
        let after = json!({ "minutes": minutes, "incident": new.incident });
        tx.commit(AuditEntry::success().reason(reason).after(after)).await?;
        let row = store::by_id(self.db.pool(), id).await?;
        row.map(Into::into).ok_or_else(|| AppError::internal("what was opened is gone"))
    }

    /// The newest 200 that the caller may read.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub async fn list_break_glass(&self, ctx: &Ctx) -> Result<Vec<BreakGlassOut>> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let rows = store::list(self.db.pool()).await?;
        let readable = |row: &store::Row| {
            let service = self.catalog.find_service_by_id(row.service_id);
            service.is_some_and(|service| decide(ctx, Action::DeploymentRead, &Object::service(service.scope)).allowed)
        };
        Ok(rows.into_iter().filter(readable).map(Into::into).collect())
    }

    /// Uses up what the person of this transaction has open for the pair, if there is any.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn take_glass(
        tx: &mut WriteTx,
        pair: (Uuid, Uuid),
        by: &str,
        deployment: Uuid,
    ) -> Result<Option<BrokenGlass>> {
        let Some((id, reason, until)) = store::take(tx.conn(), pair, by, deployment).await? else { return Ok(None) };
        tx.tell("break_glass.used", &json!({ "id": id, "by": by, "deployment": deployment, "not_to": by })).await?;
        let facts = GateFacts::GlassBroken { by: by.to_owned(), reason, until };
        let judged = Judged { verdict: Verdict::Warn, facts, frees_at: None, help: None };
        Ok(Some(BrokenGlass { id, gate: judged.into_out(kinds::BREAK_GLASS) }))
    }
}

fn check(input: &BreakGlassIn) -> Result<u32> {
    let mut errors = Vec::new();
    if let Err(message) = validate::paragraph(&input.reason, 10, 2000) {
        errors.push(FieldError::new("/reason", message));
    }
    if let Some(link) = input.incident.as_deref().map(str::trim).filter(|link| !link.is_empty())
        && !validate::link(link)
    {
        errors.push(FieldError::new("/incident", text!("must be an http or https address")));
    }
    let minutes = input.minutes.unwrap_or(MAX_MINUTES);
    if !(1..=MAX_MINUTES).contains(&minutes) {
        errors.push(FieldError::new(
            "/minutes",
            text!("is {count}; allowed is {min} to {max}", count = minutes, min = 1, max = MAX_MINUTES),
        ));
    }
    if errors.is_empty() { Ok(minutes) } else { Err(AppError::Invalid(errors)) }
}
