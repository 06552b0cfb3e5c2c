//! What every gate is: a pure judge of facts under a policy.

use super::error_budget::BudgetReading;
use super::freeze::Freeze;
use super::preflight::Look;
use super::promotion_order::History;
use super::vulnerability::Scanned;
use super::{approval, error_budget, freeze, preflight, promotion_order, vulnerability};
use crate::kernel::ServiceScope;
use passerelle_contract::Locale;
use passerelle_contract::deployments::{Exemption, GateOut, Verdict};
use passerelle_contract::environments::EnvironmentOut;
use passerelle_contract::gates::{Decision, GateFacts, GateMode, GatePolicy, Help, kinds, sentence};
use time::OffsetDateTime;
use uuid::Uuid;

/// What is asked about: a release of a service in an environment.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub service_id: Uuid,
    pub service: &'a ServiceScope,
    pub environment: &'a EnvironmentOut,
    /// Absent for an image that no release has.
    pub release_id: Option<Uuid>,
    /// The artifact is known; without it the gates about the artifact are not asked.
    pub artifact: bool,
}

/// The facts that other capabilities bring.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// What ran in the environment before; absent when it was not asked.
    pub history: Option<History>,
    /// What was seen on the target; absent when nobody looked.
    pub look: Option<Look>,
    /// Who approved so far, and when the request ends.
    pub approved_by: Vec<String>,
    pub approval_until: Option<OffsetDateTime>,
    /// The class of fix that it is.
    pub exempt: Option<Exemption>,
}

/// All facts of one decision.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub now: OffsetDateTime,
    pub outside: Outside,
    pub freezes: Vec<Freeze>,
    /// Absent when the artifact is not known.
    pub scanned: Option<Scanned>,
    /// Absent when nothing measures objectives.
    pub budgets: Option<Vec<BudgetReading>>,
}

/// What a gate says.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub verdict: Verdict,
    pub facts: GateFacts,
    pub frees_at: Option<OffsetDateTime>,
    pub help: Option<Help>,
}

impl Judged {
    pub const fn pass(facts: GateFacts) -> Self {
        Self { verdict: Verdict::Pass, facts, frees_at: None, help: None }
    }

    /// Stands in the way, or only warns, as the mode says.
    pub fn against(mode: GateMode, verdict: Verdict, facts: GateFacts, help: Help) -> Self {
        let verdict = if mode == GateMode::Warn { Verdict::Warn } else { verdict };
        Self { verdict, facts, frees_at: None, help: Some(help) }
    }

    pub const fn free_at(mut self, at: Option<OffsetDateTime>) -> Self {
        self.frees_at = at;
        self
    }

    pub fn into_out(self, kind: &str) -> GateOut {
        let mut gate = GateOut {
            kind: kind.to_owned(),
            verdict: self.verdict,
            reason: String::new(),
            facts: serde_json::to_value(&self.facts).unwrap_or_default(),
            frees_at: self.frees_at,
            help: self.help,
        };
        gate.reason = sentence(Locale::En, &gate);
        gate
    }
}

/// `None`: the policy does not ask, or there is nothing to say.
type Judge = fn(&GatePolicy, &Evidence) -> Option<Judged>;

/// THE list of gates, in the order in which they are shown. A new gate is one file and one line here.
const GATES: [(&str, Judge); 6] = [
    (kinds::PROMOTION_ORDER, promotion_order::judge),
    (kinds::PREFLIGHT, preflight::judge),
    (kinds::VULNERABILITY, vulnerability::judge),
    (kinds::ERROR_BUDGET, error_budget::judge),
    (kinds::FREEZE, freeze::judge),
    (kinds::APPROVAL, approval::judge),
];

/// What follows for the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    Go,
    /// So many people have to approve.
    AwaitApproval(u8),
    Refuse,
}

/// A decision with all that it was made from.
#[derive(Debug, Clone)]
pub struct Decided {
    pub gates: Vec<GateOut>,
    pub ruling: Ruling,
    pub policy: GatePolicy,
    /// The database's clock.
    pub now: OffsetDateTime,
}

impl Decided {
    pub(super) fn new(policy: GatePolicy, evidence: &Evidence) -> Self {
        let gates: Vec<GateOut> = GATES
            .iter()
            .filter_map(|(kind, judge)| judge(&policy, evidence).map(|judged| judged.into_out(kind)))
            .collect();
        let ruling = ruling(&gates, approval::needed(&policy, evidence));
        Self { gates, ruling, policy, now: evidence.now }
    }

    #[must_use]
    pub fn decision(&self) -> Decision {
        match self.ruling {
            Ruling::Refuse => Decision::Block,
            Ruling::AwaitApproval(_) => Decision::Approval,
            Ruling::Go if self.gates.iter().any(|gate| gate.verdict == Verdict::Warn) => Decision::Warn,
            Ruling::Go => Decision::Allow,
        }
    }

    /// When all that stands in the way frees itself; `None` when something of it does not, or nothing stands there.
    #[must_use]
    pub fn frees_at(&self) -> Option<OffsetDateTime> {
        let mut latest = None;
        for gate in self.gates.iter().filter(|gate| stands_in_the_way(gate)) {
            latest = latest.max(Some(gate.frees_at?));
        }
        latest
    }
}

fn ruling(gates: &[GateOut], needed: u8) -> Ruling {
    if gates.iter().any(stands_in_the_way) {
        return Ruling::Refuse;
    }
    let waits = gates.iter().any(|gate| gate.kind == kinds::APPROVAL && gate.verdict == Verdict::Wait);
    if waits { Ruling::AwaitApproval(needed) } else { Ruling::Go }
}

/// An approval that is missing can be waited for while the lock is held; everything else cannot. A budget that asks for an
/// approval says so through the approval gate.
fn stands_in_the_way(gate: &GateOut) -> bool {
    match gate.verdict {
        Verdict::Pass | Verdict::Warn => false,
        Verdict::Block => true,
        Verdict::Wait => gate.kind != kinds::APPROVAL,
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use passerelle_contract::Text;
    use time::macros::datetime;

    pub fn evidence() -> Evidence {
        Evidence {
            now: datetime!(2026-11-21 12:00 UTC),
            outside: Outside::default(),
            freezes: Vec::new(),
            scanned: None,
            budgets: None,
        }
    }

    #[test]
    fn an_empty_policy_lets_everything_go_and_says_nothing() {
        let decided = Decided::new(GatePolicy::default(), &evidence());
        assert!(decided.gates.is_empty());
        assert_eq!((decided.ruling, decided.decision()), (Ruling::Go, Decision::Allow));
    }

    #[test]
    fn an_approval_is_awaited_but_not_behind_something_that_blocks() {
        let mut policy = GatePolicy::default();
        policy.approval.needed = 2;
        assert_eq!(Decided::new(policy, &evidence()).ruling, Ruling::AwaitApproval(2));
        policy.vulnerability.mode = GateMode::Block;
        policy.vulnerability.report_required = true;
        let evidence = Evidence { scanned: Some(Scanned::default()), ..evidence() };
        let decided = Decided::new(policy, &evidence);
        assert_eq!(decided.ruling, Ruling::Refuse, "{:?}", decided.gates);
        assert_eq!(decided.frees_at(), None, "a missing report does not free itself");
    }

    #[test]
    fn a_warning_does_not_stop() {
        let policy = GatePolicy { preflight: GateMode::Warn, ..GatePolicy::default() };
        let mut evidence = evidence();
        evidence.outside.look = Some(Look::Seen { errors: vec![Text::verbatim("no such secret")] });
        let decided = Decided::new(policy, &evidence);
        assert_eq!(decided.decision(), Decision::Warn);
    }
}
