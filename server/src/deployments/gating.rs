//! Asking the gates: in the plan, for CI, and again inside the transaction that takes the lock.

use super::service::{DeploymentService, Found, Place};
use super::store::{Artifact, NewDeployment, Store};
use super::telling::About;
use crate::gates::{Case, Decided, GateService, Look, Outside, Ruling};
use crate::kernel::{Action, Ctx, PrincipalKind, Result, WriteTx};
use passerelle_contract::deployments::{DeploymentState, Exemption, GateOut, Operation, Verdict};
use passerelle_contract::gates::{DecisionFilter, DecisionOut, GateFacts, kinds, sentence};
use passerelle_contract::{Locale, Text};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// What the gates made of an attempt.
#[derive(Debug)]
struct Gated {
    pub state: DeploymentState,
    pub gates: Vec<GateOut>,
    pub approvals_needed: u8,
    pub approval_until: Option<OffsetDateTime>,
    pub break_glass: Option<Uuid>,
}

impl Gated {
    /// A roll back, a restart and a change of scale bring no new version: they are not asked anything.
    const fn free() -> Self {
        Self {
            state: DeploymentState::Queued,
            gates: Vec::new(),
            approvals_needed: 0,
            approval_until: None,
            break_glass: None,
        }
    }
}

impl DeploymentService {
    /// The decision that counts, inside the transaction of the attempt.
    async fn gate(&self, ctx: &Ctx, tx: &mut WriteTx, place: &Place, new: &NewDeployment) -> Result<Gated> {
        if new.operation != Operation::Deploy {
            return Ok(Gated::free());
        }
        let image = new.image.as_deref().unwrap_or_default();
        let artifact = Artifact { release_id: new.release_id, image, version: new.version.as_deref() };
        let outside = Outside { exempt: new.exempt, ..Outside::default() };
        let decided = self.ask_gates(tx.conn(), true, place, Some(artifact), outside).await?;
        let until = approval_end(&decided);
        let mut gated = Gated { gates: decided.gates, ..Gated::free() };
        if decided.ruling == Ruling::Go {
            return Ok(gated);
        }
        let pair = (new.service_id, new.environment_id);
        // A token of the same person has not broken it, and may be in other hands.
        let in_person = matches!(ctx.principal().kind, PrincipalKind::Session { .. });
        if in_person && let Some(glass) = GateService::take_glass(tx, pair, &ctx.principal().name, new.id).await? {
            gated.gates.push(glass.gate);
            gated.break_glass = Some(glass.id);
            return Ok(gated);
        }
        if let Ruling::AwaitApproval(needed) = decided.ruling {
            gated.state = DeploymentState::AwaitingApproval;
            gated.approvals_needed = needed;
            gated.approval_until = Some(until);
        } else {
            gated.state = DeploymentState::Blocked;
        }
        Ok(gated)
    }

    /// Asks the gates and writes into the attempt what they said; answers the state that it begins with.
    pub(super) async fn pass_gates(
        &self,
        ctx: &Ctx,
        tx: &mut WriteTx,
        place: &Place,
        new: &mut NewDeployment,
    ) -> Result<DeploymentState> {
        let gated = self.gate(ctx, tx, place, new).await?;
        (new.gates, new.approvals_needed) = (gated.gates, gated.approvals_needed);
        (new.approval_until, new.break_glass) = (gated.approval_until, gated.break_glass);
        if gated.state == DeploymentState::AwaitingApproval {
            let image = new.image.as_deref().unwrap_or_default();
            let artifact = Artifact { release_id: new.release_id, image, version: new.version.as_deref() };
            new.fingerprint = Store::fingerprint(tx.conn(), place.binding.id, artifact).await?;
            let fingerprint = new.fingerprint.as_deref().unwrap_or_default();
            let told = About::attempt(new).requested(new.approvals_needed, new.approval_until, fingerprint);
            tx.tell("approval.requested", &told).await?;
        }
        Ok(gated.state)
    }

    pub(super) async fn ask_gates(
        &self,
        db: &mut PgConnection,
        hold: bool,
        place: &Place,
        artifact: Option<Artifact<'_>>,
        mut outside: Outside,
    ) -> Result<Decided> {
        let (service_id, environment) = (place.service.id, &place.environment);
        if let Some(artifact) = artifact {
            outside.history = Some(Store::history(db, service_id, environment.id, artifact).await?);
        }
        let case = Case {
            service_id,
            service: &place.service.scope,
            environment,
            release_id: artifact.and_then(|artifact| artifact.release_id),
            artifact: artifact.is_some(),
        };
        self.gates.decide(db, hold, &case, outside).await
    }

    /// The gates of a plan: the running deployment first, then the policy's.
    pub(super) async fn plan_gates(
        &self,
        place: &Place,
        found: &Found,
        look: Look,
        exempt: Option<Exemption>,
    ) -> Result<Vec<GateOut>> {
        let mut gates = Vec::new();
        if let Some(holder) = self.store.holder(place.service.id, place.environment.id).await? {
            gates.push(active_deployment(holder, Verdict::Wait));
        }
        let artifact = found.artifact();
        let mut connection = self.store.db.pool().acquire().await?;
        let outside = Outside { look: Some(look), exempt, ..Outside::default() };
        gates.extend(self.ask_gates(&mut connection, false, place, Some(artifact), outside).await?.gates);
        Ok(gates)
    }

    /// May it be deployed now? For CI; does not look at the target.
    ///
    /// # Errors
    /// `Invalid` by field, `NotFound`.
    pub async fn decision(&self, ctx: &Ctx, filter: DecisionFilter) -> Result<DecisionOut> {
        let place = self.place(ctx, Action::DeploymentRead, &filter.service, &filter.environment).await?;
        let found = match &filter.version {
            Some(version) => Some(self.resolve(&place, super::model::Wanted::Version(version.clone())).await?),
            None => None,
        };
        let artifact = found.as_ref().map(Found::artifact);
        let mut connection = self.store.db.pool().acquire().await?;
        let outside = Outside { exempt: filter.exempt, ..Outside::default() };
        let decided = self.ask_gates(&mut connection, false, &place, artifact, outside).await?;
        Ok(DecisionOut {
            service: place.service.scope.key.clone(),
            environment: place.environment.name.clone(),
            tier: place.environment.tier,
            version: filter.version,
            decision: decided.decision(),
            reasons: decided
                .gates
                .iter()
                .filter(|gate| gate.verdict != Verdict::Pass)
                .map(|gate| sentence(ctx.locale, gate))
                .collect(),
            frees_at: decided.frees_at(),
            decided_at: decided.now,
            gates: decided.gates.into_iter().map(|gate| gate.into_said(ctx.locale)).collect(),
        })
    }
}

/// The sentences of gates, one after the other.
pub(super) fn reasons<'g>(gates: impl Iterator<Item = &'g GateOut>) -> Text {
    let gates: Vec<&GateOut> = gates.collect();
    Text::both(|locale| gates.iter().map(|gate| sentence(locale, gate)).collect::<Vec<_>>().join(" "))
}

/// When the request for approval ends by itself.
pub(super) fn approval_end(decided: &Decided) -> OffsetDateTime {
    decided.now + Duration::hours(i64::from(decided.policy.approval.expires_after_hours))
}

/// One deployment at a time: not a policy, so always told.
pub(super) fn active_deployment(holder: Uuid, verdict: Verdict) -> GateOut {
    plain(kinds::ACTIVE_DEPLOYMENT, verdict, &GateFacts::ActiveDeployment { holder })
}

/// A gate's answer that no policy made.
pub(super) fn plain(kind: &str, verdict: Verdict, facts: &GateFacts) -> GateOut {
    let mut gate = GateOut {
        kind: kind.to_owned(),
        verdict,
        reason: String::new(),
        facts: serde_json::to_value(facts).unwrap_or_default(),
        frees_at: None,
        help: None,
    };
    gate.reason = sentence(Locale::En, &gate);
    gate
}
