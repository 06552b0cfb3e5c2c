//! What was seen on the target: a deployment that is certain to fail does not begin.

use super::model::{Evidence, Judged};
use passerelle_contract::Text;
use passerelle_contract::deployments::Verdict;
use passerelle_contract::gates::{GateFacts, GateMode, GatePolicy, Help};

/// A look at the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// The findings of severity error.
    Seen { errors: Vec<Text> },
    /// The target did not answer.
    NotSeen { why: Text },
}

pub fn judge(policy: &GatePolicy, evidence: &Evidence) -> Option<Judged> {
    verdict(policy, evidence.outside.look.as_ref()?)
}

/// What a look means under a policy.
pub fn verdict(policy: &GatePolicy, look: &Look) -> Option<Judged> {
    let mode = policy.preflight;
    if mode == GateMode::Off {
        return None;
    }
    Some(match look {
        Look::Seen { errors } if errors.is_empty() => Judged::pass(GateFacts::PreflightClean),
        Look::Seen { errors } => {
            let facts = GateFacts::PreflightErrors { errors: errors.clone() };
            Judged::against(mode, Verdict::Block, facts, Help::Developers)
        }
        // The engine looks again before it changes anything, so this can free itself.
        Look::NotSeen { why } => {
            let facts = GateFacts::PreflightUnchecked { why: why.clone() };
            Judged::against(mode, Verdict::Wait, facts, Help::Admins)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::evidence;
    use super::*;

    #[test]
    fn errors_block_and_silence_is_not_a_pass() {
        let policy = GatePolicy { preflight: GateMode::Block, ..GatePolicy::default() };
        let mut evidence = evidence();
        assert_eq!(judge(&policy, &evidence), None, "nobody looked");
        let mut verdict = |look| {
            evidence.outside.look = Some(look);
            judge(&policy, &evidence).unwrap().verdict
        };
        assert_eq!(verdict(Look::Seen { errors: Vec::new() }), Verdict::Pass);
        assert_eq!(verdict(Look::Seen { errors: vec![Text::verbatim("no key")] }), Verdict::Block);
        assert_eq!(verdict(Look::NotSeen { why: Text::verbatim("timed out") }), Verdict::Wait);
    }
}
