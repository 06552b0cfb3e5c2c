//! N people approve; the one who asks does not count, and the request ends by itself.

use super::error_budget::asks_for_approval;
use super::model::{Evidence, Judged};
use passerelle_contract::deployments::Verdict;
use passerelle_contract::gates::{GateFacts, GatePolicy, Help};

pub fn judge(policy: &GatePolicy, evidence: &Evidence) -> Option<Judged> {
    let needed = needed(policy, evidence);
    if needed == 0 {
        return None;
    }
    let by = evidence.outside.approved_by.clone();
    let given = u8::try_from(by.len()).unwrap_or(u8::MAX);
    let until = evidence.outside.approval_until;
    if given >= needed {
        return Some(Judged::pass(GateFacts::ApprovalGiven { needed, by }));
    }
    let facts = GateFacts::ApprovalMissing { needed, given, by, until };
    Some(Judged { verdict: Verdict::Wait, facts, frees_at: None, help: Some(Help::Approvers) })
}

/// The policy's number; a budget that is nearly spent asks for one at least.
pub fn needed(policy: &GatePolicy, evidence: &Evidence) -> u8 {
    policy.approval.needed.max(u8::from(asks_for_approval(policy, evidence)))
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::evidence;
    use super::*;

    #[test]
    fn it_waits_until_enough_people_have_approved() {
        let mut policy = GatePolicy::default();
        assert_eq!(judge(&policy, &evidence()), None);
        policy.approval.needed = 2;
        let mut evidence = evidence();
        evidence.outside.approved_by = vec!["ada".into()];
        assert_eq!(judge(&policy, &evidence).unwrap().verdict, Verdict::Wait);
        evidence.outside.approved_by.push("bob".into());
        assert_eq!(judge(&policy, &evidence).unwrap().verdict, Verdict::Pass);
    }
}
