//! The sentences of the gates, in English and French, for pages and API alike.

use super::{FreezeScope, FrozenBy, GateFacts, Help};
use crate::deployments::Exemption;
use crate::deployments::{GateOut, Health, Verdict};
use crate::{Locale, Text};
use serde::Deserialize;
use time::OffsetDateTime;

/// One plain sentence. Facts that this version does not know keep the sentence they were stored with.
#[must_use]
pub fn sentence(locale: Locale, gate: &GateOut) -> String {
    match GateFacts::deserialize(&gate.facts) {
        Ok(facts) => match locale {
            Locale::En => english(&facts, gate.frees_at),
            Locale::Fr => french(&facts, gate.frees_at),
        },
        Err(_) => gate.reason.clone(),
    }
}

/// Who can help, for a gate that stands in the way.
#[must_use]
pub fn help(locale: Locale, gate: &GateOut) -> Option<String> {
    let help = gate.help.filter(|_| gate.verdict != Verdict::Pass)?;
    let text = match (locale, help) {
        (Locale::En, Help::Developers) => "Whoever may deploy this service can change that.",
        (Locale::En, Help::Approvers) => "Another person who may deploy to this environment can approve.",
        (Locale::En, Help::Operators) => "An operator can help; in an emergency, break the glass.",
        (Locale::En, Help::Admins) => "An administrator can help; in an emergency, break the glass.",
        (Locale::Fr, Help::Developers) => "Toute personne qui peut déployer ce service peut y remédier.",
        (Locale::Fr, Help::Approvers) => "Une autre personne qui peut déployer vers cet environnement peut approuver.",
        (Locale::Fr, Help::Operators) => "Un opérateur peut aider ; en cas d’urgence, brisez la glace.",
        (Locale::Fr, Help::Admins) => "Un administrateur peut aider ; en cas d’urgence, brisez la glace.",
    };
    Some(text.to_owned())
}

fn english(facts: &GateFacts, frees_at: Option<OffsetDateTime>) -> String {
    use GateFacts as F;
    match facts {
        F::ActiveDeployment { holder } => format!("Deployment {holder} is running; only one runs at a time."),
        F::RollBackAllowed => "A roll back is always allowed.".to_owned(),
        F::PromotionFirst
        | F::PromotionHealthy { .. }
        | F::PromotionSoaking { .. }
        | F::PromotionTooShort { .. }
        | F::PromotionNotHealthy { .. }
        | F::PromotionNeverRan { .. }
        | F::PromotionStale { .. } => promotion_en(facts, frees_at),
        F::ApprovalMissing { .. }
        | F::ApprovalGiven { .. }
        | F::ApprovalRejected { .. }
        | F::ApprovalExpired { .. } => approval_en(facts),
        F::NotFrozen { next: Some(next), title } => {
            format!(
                "Not frozen; the next freeze begins {}: {}.",
                moment(Locale::En, *next),
                title.as_deref().unwrap_or("-")
            )
        }
        F::NotFrozen { next: None, .. } => "Not frozen.".to_owned(),
        F::Frozen { freezes } => {
            let until = frees_at
                .map_or_else(|| "until it is lifted".to_owned(), |at| format!("until {}", moment(Locale::En, at)));
            format!("Frozen {until}: {}.", frozen(Locale::En, freezes))
        }
        F::ScanMissing { .. } | F::ScanClean { .. } | F::ScanFound { .. } => scan_en(facts),
        F::PreflightClean => "Everything the new version refers to exists.".to_owned(),
        F::PreflightErrors { errors } => Text::List(errors.clone()).said(Locale::En),
        F::PreflightUnchecked { why } => format!("Could not be checked: {why}."),
        F::BudgetOk { objective, remaining_percent } | F::BudgetLow { objective, remaining_percent } => {
            format!("{remaining_percent:.1} % of the error budget of {objective} is left.")
        }
        F::BudgetSpent { objective, remaining_percent } => {
            format!("The error budget of {objective} is spent ({remaining_percent:.1} % left).")
        }
        F::BudgetExempt { objective, remaining_percent, exempt } => {
            let class = match exempt {
                Exemption::SecurityFix => "security fix",
                Exemption::P0Fix => "P0 fix",
            };
            format!("The error budget of {objective} has {remaining_percent:.1} % left, and does not stop a {class}.")
        }
        F::BudgetUnknown { objective, why } => {
            format!("The error budget of {objective} is not known: {}.", unknown_budget(Locale::En, why))
        }
        F::GlassBroken { by, reason, until } => {
            format!("{by} broke the glass until {}: {reason}", moment(Locale::En, *until))
        }
    }
}

fn promotion_en(facts: &GateFacts, frees_at: Option<OffsetDateTime>) -> String {
    use GateFacts as F;
    match facts {
        F::PromotionFirst => "There is no environment before this one.".to_owned(),
        F::PromotionHealthy { environment, healthy_s, .. } => {
            format!("The same artifact has been healthy in {environment} for {}.", span(Locale::En, *healthy_s))
        }
        F::PromotionSoaking { environment, healthy_s, needed_s } => format!(
            "The same artifact has been healthy in {environment} for {} of {}.{}",
            span(Locale::En, *healthy_s),
            span(Locale::En, *needed_s),
            frees_at.map(|at| format!(" Free at {}.", moment(Locale::En, at))).unwrap_or_default()
        ),
        F::PromotionTooShort { environment, healthy_s, needed_s } => format!(
            "The same artifact ran healthy in {environment} for {} only, of {}; it does not run there any more.",
            span(Locale::En, *healthy_s),
            span(Locale::En, *needed_s)
        ),
        F::PromotionNotHealthy { environment, health } => {
            format!("The same artifact runs in {environment}, but is {} there.", health_en(*health))
        }
        F::PromotionNeverRan { environment, image, version } => {
            let what = version.as_ref().unwrap_or(image);
            format!("{what} has not been healthy in {environment} yet; deploy it there first.")
        }
        F::PromotionStale { environment, seen_s_ago } => match seen_s_ago {
            Some(seconds) => {
                format!("{environment} was last seen {} ago, so its health is not known.", span(Locale::En, *seconds))
            }
            None => format!("{environment} has not been seen yet, so its health is not known."),
        },
        _ => String::new(),
    }
}

fn approval_en(facts: &GateFacts) -> String {
    match facts {
        GateFacts::ApprovalMissing { needed, given, by, until } => {
            let who = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
            let until = until.map(|at| format!(" The request ends {}.", moment(Locale::En, at))).unwrap_or_default();
            format!("{given} of {needed} approvals{who}; the one who asks does not count.{until}")
        }
        GateFacts::ApprovalGiven { by, .. } => format!("Approved by {}.", by.join(", ")),
        GateFacts::ApprovalRejected { by, reason } => format!("Rejected by {by}: {reason}"),
        GateFacts::ApprovalExpired { needed, given } => {
            format!("The request for approval ended with {given} of {needed} approvals; ask again.")
        }
        _ => String::new(),
    }
}

fn scan_en(facts: &GateFacts) -> String {
    match facts {
        GateFacts::ScanMissing { required: true } => {
            "There is no vulnerability report for this release, and this tier requires one.".to_owned()
        }
        GateFacts::ScanMissing { required: false } => "There is no vulnerability report for this release.".to_owned(),
        GateFacts::ScanClean { waived, .. } if waived.is_empty() => {
            "No fixable HIGH or CRITICAL vulnerability.".to_owned()
        }
        GateFacts::ScanClean { waived, .. } => {
            format!("No fixable HIGH or CRITICAL vulnerability but waived ones: {}.", waived.join(", "))
        }
        GateFacts::ScanFound { critical, high, examples, .. } => {
            format!("{critical} CRITICAL and {high} HIGH with a fix: {}.", examples.join("; "))
        }
        _ => String::new(),
    }
}

fn french(facts: &GateFacts, frees_at: Option<OffsetDateTime>) -> String {
    use GateFacts as F;
    match facts {
        F::ActiveDeployment { holder } => format!("Le déploiement {holder} est en cours ; un seul à la fois."),
        F::RollBackAllowed => "Un retour arrière est toujours permis.".to_owned(),
        F::PromotionFirst
        | F::PromotionHealthy { .. }
        | F::PromotionSoaking { .. }
        | F::PromotionTooShort { .. }
        | F::PromotionNotHealthy { .. }
        | F::PromotionNeverRan { .. }
        | F::PromotionStale { .. } => promotion_fr(facts, frees_at),
        F::ApprovalMissing { .. }
        | F::ApprovalGiven { .. }
        | F::ApprovalRejected { .. }
        | F::ApprovalExpired { .. } => approval_fr(facts),
        F::NotFrozen { next: Some(next), title } => {
            format!(
                "Pas de gel ; le prochain commence le {} : {}.",
                moment(Locale::Fr, *next),
                title.as_deref().unwrap_or("-")
            )
        }
        F::NotFrozen { next: None, .. } => "Pas de gel.".to_owned(),
        F::Frozen { freezes } => {
            let until = frees_at
                .map_or_else(|| "jusqu’à sa levée".to_owned(), |at| format!("jusqu’au {}", moment(Locale::Fr, at)));
            format!("Gelé {until} : {}.", frozen(Locale::Fr, freezes))
        }
        F::ScanMissing { .. } | F::ScanClean { .. } | F::ScanFound { .. } => scan_fr(facts),
        F::PreflightClean => "Tout ce à quoi la nouvelle version fait référence existe.".to_owned(),
        F::PreflightErrors { errors } => Text::List(errors.clone()).said(Locale::Fr),
        F::PreflightUnchecked { why } => format!("N’a pas pu être vérifié : {}.", why.said(Locale::Fr)),
        F::BudgetOk { objective, remaining_percent } | F::BudgetLow { objective, remaining_percent } => {
            format!("Il reste {} % du budget d’erreur de {objective}.", comma(*remaining_percent))
        }
        F::BudgetSpent { objective, remaining_percent } => {
            format!("Le budget d’erreur de {objective} est épuisé (reste {} %).", comma(*remaining_percent))
        }
        F::BudgetExempt { objective, remaining_percent, exempt } => {
            let class = match exempt {
                Exemption::SecurityFix => "correctif de sécurité",
                Exemption::P0Fix => "correctif P0",
            };
            let left = comma(*remaining_percent);
            format!("Il reste {left} % du budget d’erreur de {objective}, ce qui n’arrête pas un {class}.")
        }
        F::BudgetUnknown { objective, why } => {
            format!("Le budget d’erreur de {objective} n’est pas connu : {}.", unknown_budget(Locale::Fr, why))
        }
        F::GlassBroken { by, reason, until } => {
            format!("{by} a brisé la glace jusqu’au {} : {reason}", moment(Locale::Fr, *until))
        }
    }
}

fn promotion_fr(facts: &GateFacts, frees_at: Option<OffsetDateTime>) -> String {
    use GateFacts as F;
    match facts {
        F::PromotionFirst => "Il n’y a pas d’environnement avant celui-ci.".to_owned(),
        F::PromotionHealthy { environment, healthy_s, .. } => {
            format!("Le même artefact est sain dans {environment} depuis {}.", span(Locale::Fr, *healthy_s))
        }
        F::PromotionSoaking { environment, healthy_s, needed_s } => format!(
            "Le même artefact est sain dans {environment} depuis {} sur {}.{}",
            span(Locale::Fr, *healthy_s),
            span(Locale::Fr, *needed_s),
            frees_at.map(|at| format!(" Libre le {}.", moment(Locale::Fr, at))).unwrap_or_default()
        ),
        F::PromotionTooShort { environment, healthy_s, needed_s } => format!(
            "Le même artefact n’a tourné sain dans {environment} que {} sur {} ; il n’y tourne plus.",
            span(Locale::Fr, *healthy_s),
            span(Locale::Fr, *needed_s)
        ),
        F::PromotionNotHealthy { environment, health } => {
            format!("Le même artefact tourne dans {environment}, mais il y est {}.", health_fr(*health))
        }
        F::PromotionNeverRan { environment, image, version } => {
            let what = version.as_ref().unwrap_or(image);
            format!("{what} n’a pas encore été sain dans {environment} ; déployez-le d’abord là.")
        }
        F::PromotionStale { environment, seen_s_ago } => match seen_s_ago {
            Some(seconds) => {
                format!("{environment} a été vu il y a {} : sa santé n’est pas connue.", span(Locale::Fr, *seconds))
            }
            None => format!("{environment} n’a pas encore été vu : sa santé n’est pas connue."),
        },
        _ => String::new(),
    }
}

fn approval_fr(facts: &GateFacts) -> String {
    match facts {
        GateFacts::ApprovalMissing { needed, given, by, until } => {
            let who = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
            let word = if *needed > 1 { "approbations" } else { "approbation" };
            let until =
                until.map(|at| format!(" La demande prend fin le {}.", moment(Locale::Fr, at))).unwrap_or_default();
            format!("{given} sur {needed} {word}{who} ; la personne qui demande ne compte pas.{until}")
        }
        GateFacts::ApprovalGiven { by, .. } => format!("Approuvé par {}.", by.join(", ")),
        GateFacts::ApprovalRejected { by, reason } => format!("Refusé par {by} : {reason}"),
        GateFacts::ApprovalExpired { needed, given } => {
            format!("La demande d’approbation a pris fin avec {given} sur {needed} ; demandez de nouveau.")
        }
        _ => String::new(),
    }
}

fn scan_fr(facts: &GateFacts) -> String {
    match facts {
        GateFacts::ScanMissing { required: true } => {
            "Cette version n’a pas de rapport de vulnérabilités, et ce niveau en exige un.".to_owned()
        }
        GateFacts::ScanMissing { required: false } => "Cette version n’a pas de rapport de vulnérabilités.".to_owned(),
        GateFacts::ScanClean { waived, .. } if waived.is_empty() => {
            "Aucune vulnérabilité HIGH ou CRITICAL corrigeable.".to_owned()
        }
        GateFacts::ScanClean { waived, .. } => {
            format!("Aucune vulnérabilité HIGH ou CRITICAL corrigeable hors dérogations : {}.", waived.join(", "))
        }
        GateFacts::ScanFound { critical, high, examples, .. } => {
            format!("{critical} CRITICAL et {high} HIGH corrigeables : {}.", examples.join(" ; "))
        }
        _ => String::new(),
    }
}

fn frozen(locale: Locale, freezes: &[FrozenBy]) -> String {
    let one = |freeze: &FrozenBy| {
        let scope = match (&freeze.scope, locale) {
            (FreezeScope::Global, Locale::En) => "everything".to_owned(),
            (FreezeScope::Global, Locale::Fr) => "tout".to_owned(),
            (FreezeScope::Team(team), Locale::En) => format!("team {team}"),
            (FreezeScope::Team(team), Locale::Fr) => format!("équipe {team}"),
            (FreezeScope::Environment(name) | FreezeScope::Service(name), _) => name.clone(),
        };
        format!("{} ({scope}, {})", freeze.title, freeze.by)
    };
    freezes.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The causes that the objectives' measurement names; another one is shown as it is.
fn unknown_budget(locale: Locale, why: &str) -> &str {
    match (locale, why) {
        (Locale::En, "no_data") => "there are no data",
        (Locale::En, "stale") => "the data are old",
        (Locale::En, "partial") => "data are missing",
        (Locale::Fr, "no_data") => "il n’y a pas de données",
        (Locale::Fr, "stale") => "les données sont anciennes",
        (Locale::Fr, "partial") => "il manque des données",
        _ => why,
    }
}

/// The two largest units: `3 d 4 h`, `12 min`, `40 s`.
fn span(locale: Locale, seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let day = if locale == Locale::Fr { "j" } else { "d" };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} {day} {hours} h"),
    }
}

/// A moment with its zone; the API has it exactly in `frees_at`.
fn moment(locale: Locale, at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let (date, hour, minute) = (at.date(), at.hour(), at.minute());
    match locale {
        Locale::En => {
            format!("{} {} {}, {hour:02}:{minute:02} UTC", date.day(), month(at, &MONTHS_EN), date.year())
        }
        Locale::Fr => {
            format!("{} {} {} à {hour:02}:{minute:02} UTC", date.day(), month(at, &MONTHS_FR), date.year())
        }
    }
}

const MONTHS_EN: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTHS_FR: [&str; 12] =
    ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."];

fn month(at: OffsetDateTime, names: &[&'static str; 12]) -> &'static str {
    names.get(usize::from(u8::from(at.month())) - 1).copied().unwrap_or_default()
}

fn comma(value: f64) -> String {
    format!("{value:.1}").replace('.', ",")
}

const fn health_en(health: Health) -> &'static str {
    match health {
        Health::Healthy => "healthy",
        Health::Progressing => "still starting",
        Health::Degraded => "degraded",
        Health::Failed => "failing",
        Health::Unknown => "in an unknown state",
    }
}

const fn health_fr(health: Health) -> &'static str {
    match health {
        Health::Healthy => "sain",
        Health::Progressing => "en cours de démarrage",
        Health::Degraded => "dégradé",
        Health::Failed => "en échec",
        Health::Unknown => "dans un état inconnu",
    }
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
    fn spans_are_short() {
        let english = [40, 720, 3660, 100_000].map(|seconds| span(Locale::En, seconds));
        assert_eq!(english, ["40 s", "12 min", "1 h 1 min", "1 d 3 h"]);
        assert_eq!(span(Locale::Fr, 100_000), "1 j 3 h");
    }
}
