//! From an event to words, in the language of its channel. Facts and links; what a person typed stays as it is, and no secret is in it.

use super::event::{Event, Facts};
use passerelle_contract::deployments::Operation;
use passerelle_contract::gates::{ApprovalDecision, FreezeScope};
use passerelle_contract::notifications::EventKind;
use passerelle_contract::slo::BudgetVerdict;
use passerelle_contract::{Locale, Text, text};
use time::OffsetDateTime;

/// The longest value of a line, in characters; peers cut or refuse longer ones.
const LONGEST_VALUE: usize = 1000;
/// The longest title: what Slack allows for a header.
const LONGEST_TITLE: usize = 150;

/// A message in one language, before a channel gives it its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub title: String,
    /// Label and value.
    pub lines: Vec<(String, String)>,
    /// Words and address.
    pub links: Vec<(String, String)>,
    pub locale: Locale,
}

/// Where links lead.
#[derive(Debug, Clone)]
pub struct Places<'a> {
    /// The portal as people reach it, without a slash at the end.
    pub origin: &'a str,
    /// Of the signed link, when the event asks for an approval.
    pub approval: Option<String>,
}

impl Message {
    #[must_use]
    pub fn of(event: &Event, places: &Places<'_>, locale: Locale) -> Self {
        let lines = lines(event)
            .into_iter()
            .map(|(label, value)| (label.said(locale), cut(&value.said(locale), LONGEST_VALUE)));
        let links = links(event, places).into_iter().map(|(words, address)| (words.said(locale), address));
        Self {
            title: cut(&title(event).said(locale), LONGEST_TITLE),
            lines: lines.collect(),
            links: links.collect(),
            locale,
        }
    }

    /// The message that tries a channel.
    #[must_use]
    pub fn test(channel: &str, by: &str, origin: &str, locale: Locale) -> Self {
        let title = text!("Test message: the channel {channel} works", channel);
        Self {
            title: cut(&title.said(locale), LONGEST_TITLE),
            lines: vec![(text!("Sent by").said(locale), by.to_owned())],
            links: vec![(text!("Open the portal").said(locale), origin.to_owned())],
            locale,
        }
    }

    /// As plain text.
    #[must_use]
    pub fn plain(&self) -> String {
        let colon = if self.locale == Locale::Fr { " : " } else { ": " };
        let said = |(label, value): &(String, String)| format!("\n{label}{colon}{value}");
        let lines: String = self.lines.iter().map(said).collect();
        let links: String = self.links.iter().map(said).collect();
        format!("{}\n{lines}\n{links}", self.title)
    }
}

fn title(event: &Event) -> Text {
    let facts = &event.facts;
    let service = event.service.as_deref().unwrap_or_default();
    let environment = event.environment.as_deref().unwrap_or_default();
    let by = facts.by.as_deref().unwrap_or_default();
    let named = facts.title.as_deref().unwrap_or_default();
    match event.kind {
        EventKind::DeploymentStarted => text!("Started: {what}", what = act(event)),
        EventKind::DeploymentSucceeded => text!("Succeeded: {what}", what = act(event)),
        EventKind::DeploymentFailed => text!("Failed: {what}", what = act(event)),
        EventKind::DeploymentRolledBack => text!("Rolled back: {what}", what = act(event)),
        EventKind::DeploymentNeedsPerson => text!("Needs a person: {what}", what = act(event)),
        EventKind::DeploymentBlocked => text!("Blocked: {what}", what = act(event)),
        EventKind::DeploymentCancelled => text!("Cancelled: {what}", what = act(event)),
        EventKind::ApprovalRequested => text!("Asks for approval: {what}", what = act(event)),
        EventKind::ApprovalGiven if facts.decision == Some(ApprovalDecision::Reject) => {
            text!("Rejected by {by}: {what}", by, what = act(event))
        }
        EventKind::ApprovalGiven => text!("Approved by {by}: {what}", by, what = act(event)),
        EventKind::ApprovalVoided => text!("Approvals are void: {what}", what = act(event)),
        EventKind::ApprovalExpired => text!("Nobody approved in time: {what}", what = act(event)),
        EventKind::BreakGlassOpened => {
            text!("{by} broke the glass: {service} in {environment}", by, service, environment)
        }
        EventKind::BreakGlassUsed => {
            text!("{by} deploys past the gates: {service} in {environment}", by, service, environment)
        }
        EventKind::FreezeCreated => text!("New freeze: {title}", title = named),
        EventKind::FreezeLifted => text!("Freeze lifted: {title}", title = named),
        EventKind::WaiverCreated => text!(
            "{vulnerability} is waived for {service}",
            vulnerability = facts.waiver.as_ref().map_or("", |waiver| waiver.vulnerability.as_str()),
            service
        ),
        EventKind::BudgetChanged => budget(facts.verdict, named, service),
        EventKind::PostmortemOpened => text!("Post-mortem to write: {title} of {service}", title = named, service),
    }
}

/// What a budget means for deployments from now on.
fn budget(verdict: Option<BudgetVerdict>, title: &str, service: &str) -> Text {
    match verdict {
        Some(BudgetVerdict::Ok) => {
            text!("Error budget lets deployments pass again: {title} of {service}", title, service)
        }
        Some(BudgetVerdict::Warn) => text!("Error budget warns: {title} of {service}", title, service),
        Some(BudgetVerdict::Approval) => text!("Error budget asks for approvals: {title} of {service}", title, service),
        Some(BudgetVerdict::Block) => text!("Error budget blocks deployments: {title} of {service}", title, service),
        None => text!("Error budget changed: {title} of {service}", title, service),
    }
}

/// The same before, in a word.
fn verdict(verdict: BudgetVerdict) -> Text {
    match verdict {
        BudgetVerdict::Ok => text!("deployments passed"),
        BudgetVerdict::Warn => text!("it warned"),
        BudgetVerdict::Approval => text!("it asked for approvals"),
        BudgetVerdict::Block => text!("it blocked deployments"),
    }
}

/// What is done where.
fn act(event: &Event) -> Text {
    let service = event.service.as_deref().unwrap_or_default();
    let environment = event.environment.as_deref().unwrap_or_default();
    let version = event.facts.version.as_deref().map_or_else(|| text!("the new version"), Text::verbatim);
    match event.facts.operation.unwrap_or(Operation::Deploy) {
        Operation::Deploy => text!("{service} {version} to {environment}", service, version, environment),
        Operation::RollBack => text!("{service} back to {version} in {environment}", service, version, environment),
        Operation::Restart => text!("restart of {service} in {environment}", service, environment),
        Operation::Scale => text!("change of scale of {service} in {environment}", service, environment),
    }
}

fn lines(event: &Event) -> Vec<(Text, Text)> {
    let Facts {
        message,
        by,
        asked_by,
        reason,
        previous,
        comment,
        needed,
        until,
        scope,
        minutes,
        incident,
        waiver,
        verdict_before,
        began_at,
        ..
    } = &event.facts;
    let word = |text: &Option<String>| text.clone().filter(|text| !text.is_empty()).map(Text::verbatim);
    let started = event.kind == EventKind::DeploymentStarted || event.kind == EventKind::ApprovalRequested;
    let all = [
        (text!("What happened"), message.clone()),
        (text!("Said"), word(comment)),
        (text!("Asked for by"), word(asked_by)),
        (text!("By"), word(by)),
        (text!("Reason"), word(reason).or_else(|| waiver.as_ref().map(|waiver| Text::verbatim(waiver.reason.clone())))),
        (text!("Ran before"), word(previous).filter(|_| started)),
        (text!("Approvals needed"), needed.map(|needed| Text::verbatim(needed.to_string()))),
        (text!("Until"), until.or_else(|| waiver.as_ref().map(|waiver| waiver.expires_at)).map(moment)),
        (text!("Frozen"), scope.as_ref().map(frozen)),
        (text!("For"), minutes.map(|minutes| text!("{minutes} minutes", minutes))),
        (text!("Incident"), word(incident)),
        (text!("Until now"), verdict_before.map(verdict)),
        (text!("First failure"), began_at.map(moment)),
    ];
    all.into_iter().filter_map(|(label, value)| Some((label, value?))).collect()
}

fn frozen(scope: &FreezeScope) -> Text {
    match scope {
        FreezeScope::Global => text!("everything"),
        FreezeScope::Team(team) => text!("team {team}", team),
        FreezeScope::Environment(name) | FreezeScope::Service(name) => Text::verbatim(name.clone()),
    }
}

/// `2026-11-21 18:00 UTC`.
fn moment(at: OffsetDateTime) -> Text {
    let at = at.to_offset(time::UtcOffset::UTC);
    Text::verbatim(format!(
        "{:04}-{:02}-{:02} {:02}:{:02} UTC",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute()
    ))
}

fn links(event: &Event, places: &Places<'_>) -> Vec<(Text, String)> {
    let origin = places.origin;
    let mut links = Vec::new();
    if let Some(approval) = &places.approval {
        links.push((text!("Look at it and decide"), approval.clone()));
    }
    if let Some(id) = event.facts.deployment {
        links.push((text!("Open the deployment"), format!("{origin}/deployments/{id}")));
    }
    if let Some(id) = event.facts.slo {
        links.push((text!("Open the error budget"), format!("{origin}/slos/{id}")));
    }
    match (event.kind, event.facts.id, &event.service) {
        (EventKind::FreezeCreated | EventKind::FreezeLifted, Some(id), _) => {
            links.push((text!("Open the freeze"), format!("{origin}/freezes/{id}")));
        }
        (EventKind::BreakGlassOpened | EventKind::BreakGlassUsed, ..) => {
            links.push((text!("Open the break-glass log"), format!("{origin}/break-glass")));
        }
        (EventKind::WaiverCreated, _, Some(service)) => {
            links.push((text!("Open the waivers"), format!("{origin}/services/{service}/waivers")));
        }
        _ => {}
    }
    links
}

/// At most so many characters, without those that hide.
fn cut(text: &str, most: usize) -> String {
    let shown = text.chars().filter(|&c| c == '\n' || !crate::kernel::validate::is_deceptive(c));
    let mut kept: String = shown.clone().take(most).collect();
    if shown.count() > most {
        kept.pop();
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn failed() -> Event {
        let message = text!("{why}; going back to {version}", why = "container web crashes", version = "v1");
        let facts = json!({ "deployment": Uuid::from_u128(7), "operation": "deploy", "version": "v2", "previous": "v1",
            "asked_by": "ada", "reason": "spring sale", "message": message, "cause": "crash_loop" });
        Event {
            id: 3,
            at: OffsetDateTime::UNIX_EPOCH,
            kind: EventKind::DeploymentFailed,
            service: Some("shop/web".to_owned()),
            environment: Some("production".to_owned()),
            facts: Facts::read(&facts),
        }
    }

    fn places() -> Places<'static> {
        Places { origin: "https://portal.test", approval: None }
    }

    #[test]
    fn a_failure_is_told_in_the_language_of_the_channel() {
        let message = Message::of(&failed(), &places(), Locale::En);
        assert_eq!(message.title, "Failed: shop/web v2 to production");
        assert_eq!(message.lines[0].1, "container web crashes; going back to v1");
        assert_eq!(message.links[0].1, format!("https://portal.test/deployments/{}", Uuid::from_u128(7)));
        let french = Message::of(&failed(), &places(), Locale::Fr);
        assert_eq!(french.title, "Échec : shop/web v2 vers production");
        assert_eq!(french.lines[0].1, "container web crashes ; retour à v1");
        assert!(message.plain().contains("Reason: spring sale"));
    }

    #[test]
    fn every_kind_has_a_title_and_facts_that_cannot_be_read_do_not_stop_it() {
        for kind in EventKind::ALL {
            for facts in [Facts::default(), Facts::read(&json!({ "deployment": Uuid::nil(), "operation": "dance" }))] {
                let event = Event { kind, facts, ..failed() };
                for locale in [Locale::En, Locale::Fr] {
                    assert!(!Message::of(&event, &places(), locale).title.is_empty(), "{kind:?}");
                }
            }
        }
    }

    #[test]
    fn what_somebody_typed_is_cut_and_cannot_hide() {
        let mut event = failed();
        event.facts.reason = Some(format!("a\u{202e}b{}", "x".repeat(5000)));
        let message = Message::of(&event, &places(), Locale::En);
        let (_, reason) = message.lines.iter().find(|(label, _)| label == "Reason").unwrap();
        assert!(reason.starts_with("ab") && reason.chars().count() == LONGEST_VALUE && reason.ends_with('…'));
    }
}
