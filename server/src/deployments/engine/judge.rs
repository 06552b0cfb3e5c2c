//! Judging a new version by the share of the service's events that fail since its rollout began: before it gets a greater share, while it
//! rolls out, and when it is verified.
//!
//! A judge that cannot see fails nothing by itself, unless the binding says that it is required; but it always says so.

use super::run::{Run, Step, Stop};
use crate::kernel::Result;
use crate::slo::{Blind, Counted, Errors};
use passerelle_contract::deployments::{Cause, Failure, Operation};
use passerelle_contract::{Text, text};
use passerelle_targets::ErrorRatio;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

/// How old an answer may be.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// What the binding asks for, and what was said last.
#[derive(Debug)]
pub(super) struct Judge {
    setting: ErrorRatio,
    service: Uuid,
    environment: Uuid,
    asked: Option<Instant>,
    last: Option<Judgement>,
    /// The last sentence in the timeline, so that nothing is said twice in a row.
    told: Option<Text>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Judgement {
    Good(Text),
    Bad(Text),
    /// `lasts`: it does not pass by waiting for a few more events.
    Blind {
        why: Text,
        lasts: bool,
    },
}

impl Judge {
    pub fn watch_for(&self) -> Duration {
        self.setting.watch_seconds.duration()
    }

    pub fn due(&self) -> Instant {
        self.asked.map_or_else(Instant::now, |asked| asked + ASK_EVERY)
    }

    /// Whether the version may get more.
    pub const fn agrees(&self) -> bool {
        match &self.last {
            Some(Judgement::Good(_)) => true,
            Some(Judgement::Bad(_)) => false,
            Some(Judgement::Blind { .. }) | None => !self.setting.required,
        }
    }

    /// The failure of a version that had to be judged and was not, when that is how it stands.
    pub fn unjudged(&self) -> Option<Failure> {
        match &self.last {
            Some(Judgement::Blind { why, .. }) if self.setting.required => {
                Some(failure(text!("not judged by its errors, as the binding asks for: {why}", why)))
            }
            _ => None,
        }
    }

    fn words(&self) -> Option<Text> {
        Some(match self.last.as_ref()? {
            Judgement::Good(said) | Judgement::Bad(said) => said.clone(),
            Judgement::Blind { why, .. } => text!("Not judged by its errors: {why}", why),
        })
    }
}

impl Run<'_> {
    /// The judge, where the binding asks for one. Only a new version is judged: a way back is always open.
    pub(super) async fn judge(&self) -> Result<Option<Judge>> {
        if self.claim.operation != Operation::Deploy.as_str() {
            return Ok(None);
        }
        let Some((binding, every)) = self.binding().await? else { return Ok(None) };
        Ok(every.error_ratio.map(|setting| Judge {
            setting,
            service: binding.service_id,
            environment: binding.environment.id,
            asked: None,
            last: None,
            told: None,
        }))
    }

    /// Asks when the last answer is old, and answers the failure that is certain.
    pub(super) async fn heard(&self, judge: &mut Judge) -> Result<Option<Failure>> {
        if judge.due() <= Instant::now() {
            judge.last = Some(self.ask(judge).await?);
            judge.asked = Some(Instant::now());
            if matches!(judge.last, Some(Judgement::Blind { lasts: true, .. })) {
                self.tell(judge).await?;
            }
        }
        Ok(match &judge.last {
            Some(Judgement::Bad(why)) => Some(failure(why.clone())),
            _ => None,
        })
    }

    /// Writes what was said last into the timeline.
    pub(super) async fn tell(&self, judge: &mut Judge) -> Result<()> {
        let words = judge.words().filter(|words| judge.told.as_ref() != Some(words));
        if let Some(words) = words {
            self.note(&words).await?;
            judge.told = Some(words);
        }
        Ok(())
    }

    /// The last word on a version that rolled out: what is said of it, or why it fails.
    pub(super) async fn judged(&self, mut judge: Judge) -> Result<Step<Option<Text>>> {
        judge.asked = None;
        if let Some(failure) = self.heard(&mut judge).await? {
            return Ok(Err(Stop::Failed(failure)));
        }
        self.tell(&mut judge).await?;
        Ok(judge.unjudged().map_or_else(|| Ok(judge.words()), |failure| Err(Stop::Failed(failure))))
    }

    async fn ask(&self, judge: &Judge) -> Result<Judgement> {
        let now = OffsetDateTime::now_utc();
        // Of the row, so that whoever takes over counts from the same moment.
        let steps = self.store().steps(self.claim.id).await?;
        let since = steps.iter().find(|step| step.name == "rollout").and_then(|step| step.started_at).unwrap_or(now);
        let (service, environment, named) = (judge.service, judge.environment, &judge.setting.objectives);
        let slo = &self.engine.slo;
        let errors =
            slo.errors_since(service, environment, named, since.unix_timestamp(), now.unix_timestamp()).await?;
        Ok(judgement(&judge.setting, &errors, since))
    }
}

const fn failure(message: Text) -> Failure {
    Failure { cause: Cause::ErrorRatio, message, instance: None, logs: Vec::new() }
}

/// One objective above its limit is enough to fail; all have to be below it to pass.
fn judgement(setting: &ErrorRatio, errors: &[Errors], since: OffsetDateTime) -> Judgement {
    let time = format!("{:02}:{:02}", since.hour(), since.minute());
    let (mut good, mut blind, mut lasts) = (Vec::new(), Vec::new(), errors.is_empty());
    for Errors { title, seen } in errors {
        match seen {
            Ok(counted) if counted.reaches(setting.fewest_events.get()) => {
                let said = counts(title, *counted, &time, setting);
                let (bad, total) = counted.exact();
                if setting.most.is_exceeded(bad, total) {
                    return Judgement::Bad(said);
                }
                good.push(said);
            }
            Ok(counted) => blind.push(text!(
                "{slo}: {total} events since {time} UTC, {fewest} are needed",
                slo = title,
                total = counted.shown().1,
                time = &time,
                fewest = setting.fewest_events.get()
            )),
            Err(why) => {
                lasts |= matches!(why, Blind::Source(_) | Blind::Unknown);
                blind.push(unseen(title, why, &time));
            }
        }
    }
    if errors.is_empty() {
        blind.push(text!("the service has no objective here that counts events"));
    }
    if blind.is_empty() {
        Judgement::Good(Text::List(good))
    } else {
        Judgement::Blind { why: Text::List(blind), lasts }
    }
}

fn counts(title: &str, counted: Counted, time: &str, setting: &ErrorRatio) -> Text {
    let (bad, total) = counted.shown();
    text!(
        "{slo}: {bad} of {total} events failed since {time} UTC, {percent} % allowed",
        slo = title,
        bad,
        total,
        time,
        percent = setting.most.percent()
    )
}

fn unseen(title: &str, why: &Blind, time: &str) -> Text {
    match why {
        Blind::TooEarly => text!("{slo}: no whole minute has passed since {time} UTC", slo = title, time),
        Blind::NoData => text!("{slo}: no data since {time} UTC", slo = title, time),
        Blind::NoTraffic => text!("{slo}: no events since {time} UTC", slo = title, time),
        Blind::Source(why) => text!("{slo}: {why}", slo = title, why),
        Blind::Unknown => text!("{slo}: the service has no such objective here that counts events", slo = title),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn setting(required: bool) -> ErrorRatio {
        serde_json::from_value(json!({ "most": 0.01, "fewest_events": 100, "required": required })).unwrap()
    }

    fn seen(bad: u64, total: u64) -> Errors {
        Errors { title: "Web".to_owned(), seen: Ok(Counted::of_events(bad, total)) }
    }

    fn unseen(why: Blind) -> Errors {
        Errors { title: "Web".to_owned(), seen: Err(why) }
    }

    fn judge(errors: &[Errors], required: bool) -> Judge {
        let since = OffsetDateTime::from_unix_timestamp(12 * 3600 + 180).unwrap();
        let last = Some(judgement(&setting(required), errors, since));
        let (service, environment) = (Uuid::nil(), Uuid::nil());
        Judge { setting: setting(required), service, environment, asked: None, last, told: None }
    }

    #[test]
    fn the_figures_are_in_the_sentence() {
        let bad = judge(&[seen(0, 500), seen(37, 412)], false);
        let said = bad.words().unwrap().to_string();
        assert_eq!(said, "Web: 37 of 412 events failed since 12:03 UTC, 1 % allowed");
        assert!(!bad.agrees() && bad.unjudged().is_none());
        let good = judge(&[seen(1, 100)], true);
        assert!(good.agrees() && good.unjudged().is_none(), "{good:?}");
    }

    #[test]
    fn who_cannot_see_agrees_unless_required() {
        let away = Blind::Source(text!("the source refused our credentials"));
        for (errors, lasting) in [
            (vec![], true),
            (vec![seen(99, 99)], false),
            (vec![unseen(Blind::TooEarly)], false),
            (vec![seen(0, 500), unseen(Blind::NoTraffic)], false),
            (vec![unseen(Blind::NoData)], false),
            (vec![unseen(Blind::Unknown)], true),
            (vec![seen(0, 500), unseen(away)], true),
        ] {
            let (lenient, strict) = (judge(&errors, false), judge(&errors, true));
            assert!(lenient.agrees() && lenient.unjudged().is_none(), "{errors:?}");
            assert!(!strict.agrees(), "{errors:?}");
            assert_eq!(strict.unjudged().unwrap().cause, Cause::ErrorRatio);
            assert!(matches!(strict.last, Some(Judgement::Blind { lasts, .. }) if lasts == lasting), "{errors:?}");
        }
    }

    #[test]
    fn one_above_is_enough_whatever_else_is_not_seen() {
        let judge = judge(&[unseen(Blind::NoData), seen(5, 100)], false);
        assert!(matches!(judge.last, Some(Judgement::Bad(_))));
    }
}
