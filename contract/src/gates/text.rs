//! The sentences of the gates, for pages and API alike.

use super::{FreezeScope, FrozenBy, GateFacts, Help};
use crate::deployments::{Exemption, GateOut, Health, Verdict};
use crate::{Locale, Text, text};
use serde::Deserialize;
use time::OffsetDateTime;

/// One plain sentence. Facts that this version does not know keep the sentence they were stored with.
#[must_use]
pub fn sentence(locale: Locale, gate: &GateOut) -> String {
    match GateFacts::deserialize(&gate.facts) {
        Ok(facts) => said_of(&facts, gate.frees_at).said(locale),
        Err(_) => gate.reason.clone(),
    }
}

/// Who can help, for a gate that stands in the way.
#[must_use]
pub fn help(locale: Locale, gate: &GateOut) -> Option<String> {
    let help = gate.help.filter(|_| gate.verdict != Verdict::Pass)?;
    let text = match help {
        Help::Developers => text!("Whoever may deploy this service can change that."),
        Help::Approvers => text!("Another person who may deploy to this environment can approve."),
        Help::Operators => text!("An operator can help; in an emergency, break the glass."),
        Help::Admins => text!("An administrator can help; in an emergency, break the glass."),
    };
    Some(text.said(locale))
}

fn said_of(facts: &GateFacts, frees_at: Option<OffsetDateTime>) -> Text {
    use GateFacts as F;
    match facts {
        F::ActiveDeployment { holder } => text!("Deployment {holder} is running; only one runs at a time.", holder),
        F::RollBackAllowed => text!("A roll back is always allowed."),
        F::PromotionFirst => text!("There is no environment before this one."),
        F::PromotionHealthy { environment, healthy_s, .. } => text!(
            "The same artifact has been healthy in {environment} for {span}.",
            environment,
            span = span(*healthy_s)
        ),
        F::PromotionSoaking { environment, healthy_s, needed_s } => {
            soaking(environment, *healthy_s, *needed_s, frees_at)
        }
        F::PromotionTooShort { environment, healthy_s, needed_s } => text!(
            "The same artifact ran healthy in {environment} for {span} only, of {needed}; it does not run there any more.",
            environment,
            span = span(*healthy_s),
            needed = span(*needed_s)
        ),
        F::PromotionNotHealthy { environment, health } => text!(
            "The same artifact runs in {environment}, but is {health} there.",
            environment,
            health = health_words(*health)
        ),
        F::PromotionNeverRan { environment, image, version } => text!(
            "{what} has not been healthy in {environment} yet; deploy it there first.",
            what = version.as_ref().unwrap_or(image),
            environment
        ),
        F::PromotionStale { environment, seen_s_ago } => stale(environment, *seen_s_ago),
        F::ApprovalMissing { .. }
        | F::ApprovalGiven { .. }
        | F::ApprovalRejected { .. }
        | F::ApprovalExpired { .. } => approval(facts),
        F::NotFrozen { .. } | F::Frozen { .. } => freeze(facts, frees_at),
        F::ScanMissing { .. } | F::ScanClean { .. } | F::ScanFound { .. } => scan(facts),
        F::PreflightClean => text!("Everything the new version refers to exists."),
        F::PreflightErrors { errors } => Text::List(errors.clone()),
        F::PreflightUnchecked { why } => text!("Could not be checked: {why}.", why),
        F::BudgetOk { .. }
        | F::BudgetLow { .. }
        | F::BudgetSpent { .. }
        | F::BudgetExempt { .. }
        | F::BudgetUnknown { .. } => budget(facts),
        F::GlassBroken { by, reason, until } => {
            text!("{by} broke the glass until {moment}: {reason}", by, moment = moment(*until), reason)
        }
    }
}

fn soaking(environment: &str, healthy_s: u64, needed_s: u64, frees_at: Option<OffsetDateTime>) -> Text {
    let (span, needed) = (span(healthy_s), span(needed_s));
    match frees_at {
        Some(at) => text!(
            "The same artifact has been healthy in {environment} for {span} of {needed}. Free at {moment}.",
            environment,
            span,
            needed,
            moment = moment(at)
        ),
        None => text!(
            "The same artifact has been healthy in {environment} for {span} of {needed}.",
            environment,
            span,
            needed
        ),
    }
}

fn stale(environment: &str, seen_s_ago: Option<u64>) -> Text {
    match seen_s_ago {
        Some(seconds) => text!(
            "{environment} was last seen {span} ago, so its health is not known.",
            environment,
            span = span(seconds)
        ),
        None => text!("{environment} has not been seen yet, so its health is not known.", environment),
    }
}

fn approval(facts: &GateFacts) -> Text {
    match facts {
        GateFacts::ApprovalMissing { needed, given, by, until } => {
            let so_far = if by.is_empty() {
                text!("Approvals: {given} of {needed}; the one who asks does not count.", given, needed)
            } else {
                let by = by.join(", ");
                text!("Approvals: {given} of {needed} ({by}); the one who asks does not count.", given, needed, by)
            };
            match until {
                Some(at) => text!("{so_far} The request ends {moment}.", so_far, moment = moment(*at)),
                None => so_far,
            }
        }
        GateFacts::ApprovalGiven { by, .. } => text!("Approved by {by}.", by = by.join(", ")),
        GateFacts::ApprovalRejected { by, reason } => text!("Rejected by {by}: {reason}", by, reason),
        GateFacts::ApprovalExpired { needed, given } => {
            text!("The request for approval ended with {given} of {needed} approvals; ask again.", given, needed)
        }
        _ => Text::default(),
    }
}

fn freeze(facts: &GateFacts, frees_at: Option<OffsetDateTime>) -> Text {
    match facts {
        GateFacts::NotFrozen { next: Some(next), title } => text!(
            "Not frozen; the next freeze begins {moment}: {title}.",
            moment = moment(*next),
            title = title.as_deref().unwrap_or("-")
        ),
        GateFacts::NotFrozen { next: None, .. } => text!("Not frozen."),
        GateFacts::Frozen { freezes } => {
            let freezes = freezes.iter().map(frozen).collect::<Vec<_>>();
            match frees_at {
                Some(at) => text!("Frozen until {moment}: {freezes}.", moment = moment(at), freezes),
                None => text!("Frozen until it is lifted: {freezes}.", freezes),
            }
        }
        _ => Text::default(),
    }
}

fn frozen(freeze: &FrozenBy) -> Text {
    let scope = match &freeze.scope {
        FreezeScope::Global => text!("everything"),
        FreezeScope::Team(team) => text!("team {team}", team),
        FreezeScope::Environment(name) | FreezeScope::Service(name) => Text::verbatim(name),
    };
    text!("{title} ({scope}, {by})", title = freeze.title, scope, by = freeze.by)
}

fn scan(facts: &GateFacts) -> Text {
    match facts {
        GateFacts::ScanMissing { required: true } => {
            text!("There is no vulnerability report for this release, and this tier requires one.")
        }
        GateFacts::ScanMissing { required: false } => text!("There is no vulnerability report for this release."),
        GateFacts::ScanClean { waived, .. } if waived.is_empty() => text!("No fixable HIGH or CRITICAL vulnerability."),
        GateFacts::ScanClean { waived, .. } => {
            text!("No fixable HIGH or CRITICAL vulnerability but waived ones: {waived}.", waived = waived.join(", "))
        }
        GateFacts::ScanFound { critical, high, examples, .. } => {
            text!("{critical} CRITICAL and {high} HIGH with a fix: {examples}.", critical, high, examples)
        }
        _ => Text::default(),
    }
}

fn budget(facts: &GateFacts) -> Text {
    match facts {
        GateFacts::BudgetOk { objective, remaining_percent }
        | GateFacts::BudgetLow { objective, remaining_percent } => text!(
            "{percent} % of the error budget of {objective} is left.",
            percent = tenths(*remaining_percent),
            objective
        ),
        GateFacts::BudgetSpent { objective, remaining_percent } => text!(
            "The error budget of {objective} is spent ({percent} % left).",
            objective,
            percent = tenths(*remaining_percent)
        ),
        GateFacts::BudgetExempt { objective, remaining_percent, exempt } => {
            let class = match exempt {
                Exemption::SecurityFix => text!("security fix"),
                Exemption::P0Fix => text!("P0 fix"),
            };
            text!(
                "The error budget of {objective} has {percent} % left, and does not stop a {class}.",
                objective,
                percent = tenths(*remaining_percent),
                class
            )
        }
        GateFacts::BudgetUnknown { objective, why } => {
            text!("The error budget of {objective} is not known: {why}.", objective, why = unknown_budget(why))
        }
        _ => Text::default(),
    }
}

/// The causes that the objectives' measurement names; another one is shown as it is.
fn unknown_budget(why: &str) -> Text {
    match why {
        "no_data" => text!("there are no data"),
        "stale" => text!("the data are old"),
        "partial" => text!("data are missing"),
        other => Text::verbatim(other),
    }
}

fn health_words(health: Health) -> Text {
    match health {
        Health::Healthy => text!("healthy"),
        Health::Progressing => text!("still starting"),
        Health::Degraded => text!("degraded"),
        Health::Failed => text!("failing"),
        Health::Unknown => text!("in an unknown state"),
    }
}

fn span(seconds: u64) -> Text {
    Text::both(|locale| span_in(locale, seconds))
}

/// The two largest units: `3 d 4 h`, `12 min`, `40 s`.
fn span_in(locale: Locale, seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let day = if locale == Locale::Fr { "j" } else { "d" };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} {day} {hours} h"),
    }
}

const MONTHS_EN: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTHS_FR: [&str; 12] =
    ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."];

/// A moment with its zone; the API has it exactly in `frees_at`.
fn moment(at: OffsetDateTime) -> Text {
    let at = at.to_offset(time::UtcOffset::UTC);
    Text::both(|locale| {
        let (months, before_clock) = match locale {
            Locale::En => (&MONTHS_EN, ","),
            Locale::Fr => (&MONTHS_FR, " à"),
        };
        let month = months.get(usize::from(u8::from(at.month())) - 1).copied().unwrap_or_default();
        format!("{} {month} {}{before_clock} {:02}:{:02} UTC", at.day(), at.year(), at.hour(), at.minute())
    })
}

fn tenths(value: f64) -> Text {
    Text::both(|locale| {
        let digits = format!("{value:.1}");
        if locale == Locale::Fr { digits.replace('.', ",") } else { digits }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

    fn gate(facts: &GateFacts, frees_at: Option<OffsetDateTime>) -> GateOut {
        GateOut {
            kind: "freeze".into(),
            verdict: Verdict::Block,
            reason: "stored".into(),
            facts: serde_json::to_value(facts).unwrap(),
            frees_at,
            help: Some(Help::Operators),
        }
    }

    #[test]
    fn a_freeze_says_until_when_in_both_languages() {
        let freeze = FrozenBy {
            id: uuid::Uuid::nil(),
            title: "Black Friday".into(),
            scope: FreezeScope::Global,
            by: "ada".into(),
        };
        let gate = gate(&GateFacts::Frozen { freezes: vec![freeze] }, Some(datetime!(2026-11-30 06:00 +1)));
        assert_eq!(sentence(Locale::En, &gate), "Frozen until 30 Nov 2026, 05:00 UTC: Black Friday (everything, ada).");
        assert_eq!(sentence(Locale::Fr, &gate), "Gelé jusqu’au 30 nov. 2026 à 05:00 UTC : Black Friday (tout, ada).");
        assert!(help(Locale::Fr, &gate).unwrap().contains("opérateur"));
    }

    #[test]
    fn facts_of_another_version_keep_their_sentence() {
        let old = GateOut { facts: json!({ "findings": 3 }), ..gate(&GateFacts::PreflightClean, None) };
        assert_eq!(sentence(Locale::Fr, &old), "stored");
        assert_eq!(help(Locale::En, &GateOut { verdict: Verdict::Pass, ..old }), None);
    }

    #[test]
    fn a_sentence_in_french_has_its_numbers_and_inner_words_in_french() {
        let objective = "Web (99.9 %, 30d)".to_owned();
        let exempt = GateFacts::BudgetExempt { objective, remaining_percent: -1.25, exempt: Exemption::SecurityFix };
        let said = sentence(Locale::Fr, &gate(&exempt, None));
        assert_eq!(
            said,
            "Il reste -1,2 % du budget d’erreur de Web (99.9 %, 30d), ce qui n’arrête pas un correctif de sécurité."
        );
        let soaking = GateFacts::PromotionSoaking { environment: "staging".into(), healthy_s: 720, needed_s: 100_000 };
        let soaking = gate(&soaking, Some(datetime!(2026-11-30 06:00 UTC)));
        let said = [Locale::En, Locale::Fr].map(|locale| sentence(locale, &soaking));
        let english =
            "The same artifact has been healthy in staging for 12 min of 1 d 3 h. Free at 30 Nov 2026, 06:00 UTC.";
        let french =
            "Le même artefact est sain en staging depuis 12 min sur 1 j 3 h. Libre le 30 nov. 2026 à 06:00 UTC.";
        assert_eq!(said, [english, french]);
    }

    #[test]
    fn who_approved_and_until_when_is_one_sentence_more() {
        let at = datetime!(2026-11-30 06:00 UTC);
        let missing = |by: &[&str], until| GateFacts::ApprovalMissing {
            needed: 2,
            given: u8::try_from(by.len()).unwrap(),
            by: by.iter().map(|name| (*name).to_owned()).collect(),
            until,
        };
        let nobody = sentence(Locale::En, &gate(&missing(&[], None), None));
        assert_eq!(nobody, "Approvals: 0 of 2; the one who asks does not count.");
        let somebody = gate(&missing(&["bob"], Some(at)), None);
        let said = "Approbations : 1 sur 2 (bob) ; la personne qui demande ne compte pas. La demande prend fin le 30 nov. \
                    2026 à 06:00 UTC.";
        assert_eq!(sentence(Locale::Fr, &somebody), said);
    }

    #[test]
    fn spans_are_short() {
        let english = [40, 720, 3660, 100_000].map(|seconds| span_in(Locale::En, seconds));
        assert_eq!(english, ["40 s", "12 min", "1 h 1 min", "1 d 3 h"]);
        assert_eq!(span_in(Locale::Fr, 100_000), "1 j 3 h");
    }
}
