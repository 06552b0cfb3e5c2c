//! How many events failed since a moment, asked of the source itself, for whoever brings a new version meanwhile.
//!
//! The stored minutes are not used: they end with a whole minute and are up to a pass old, and a step of a canary may be shorter than that.

use super::super::measure::{questions, samples};
use super::super::model::Slo;
use super::SloService;
use crate::kernel::Result;
use futures::future::join_all;
use passerelle_contract::{Text, text};
use passerelle_metrics::Range;
use passerelle_slo_formats::{Definition, Sli};
use passerelle_slo_math::{Counts, Method, Ratio};
use std::time::Duration;
use uuid::Uuid;

/// Seconds that a sample may take to arrive before it is asked for.
const LAG_S: i64 = 5;
const STEP_S: i64 = 60;
/// A source that takes longer keeps whoever asks from everything else.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Events are counted in thousandths, as the source extrapolates them.
const UNITS: u64 = 1000;

/// The failed events of one objective.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errors {
    pub title: String,
    pub seen: std::result::Result<Counted, Blind>,
}

/// Never without an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    thousandths: Counts,
}

impl Counted {
    /// So many bad of so many whole events.
    #[must_use]
    pub const fn of_events(bad: u64, total: u64) -> Self {
        Self { thousandths: Counts::new(bad * UNITS, total * UNITS) }
    }

    /// Bad and all, in thousandths of an event.
    #[must_use]
    pub const fn exact(self) -> (u64, u64) {
        (self.thousandths.bad, self.thousandths.total)
    }

    /// Bad and all, rounded to whole events, for a person.
    #[must_use]
    pub fn shown(self) -> (String, String) {
        let whole = |count: u64| Ratio::new(i128::from(count), i128::from(UNITS)).decimal(0);
        (whole(self.thousandths.bad), whole(self.thousandths.total))
    }

    /// Whether there were so many events.
    #[must_use]
    pub const fn reaches(self, events: u32) -> bool {
        self.thousandths.total >= events as u64 * UNITS
    }
}

/// Why nobody can say how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blind {
    /// No whole minute has passed.
    TooEarly,
    /// The source has no such series.
    NoData,
    /// It has, and they counted nothing.
    NoTraffic,
    /// The source does not answer as it should.
    Source(Text),
    /// The service has no such objective here, or one that counts no events.
    Unknown,
}

impl SloService {
    /// The events of a service's objectives in an environment between two moments (seconds since 1970): of those named, or of all that
    /// count events. Empty when there is none. Decides nothing about who asks.
    ///
    /// # Errors
    /// `Unavailable`; of a source that fails the answer tells.
    pub async fn errors_since(
        &self,
        service: Uuid,
        environment: Uuid,
        named: &[String],
        since: i64,
        now: i64,
    ) -> Result<Vec<Errors>> {
        let mut slos = self.definitions.of_service(self.db.pool(), service).await?;
        slos.retain(|slo| slo.counts_for(environment) && counts_events(&slo.definition));
        let unknown: Vec<Errors> = named
            .iter()
            .filter(|name| !slos.iter().any(|slo| slo.definition.name == **name))
            .map(|name| Errors { title: name.clone(), seen: Err(Blind::Unknown) })
            .collect();
        slos.retain(|slo| named.is_empty() || named.contains(&slo.definition.name));
        let seen = join_all(slos.iter().map(|slo| self.counted(slo, since, now))).await;
        let known = slos.iter().zip(seen).map(|(slo, seen)| Errors { title: slo.definition.title.clone(), seen });
        Ok(known.chain(unknown).collect())
    }

    async fn counted(&self, slo: &Slo, since: i64, now: i64) -> std::result::Result<Counted, Blind> {
        let Some(range) = minutes(since, now) else { return Err(Blind::TooEarly) };
        let source = self.source(slo.connection_id).await.map_err(Blind::Source)?;
        let definition = by_events(&slo.definition);
        let wanted = questions(&definition);
        let answers = tokio::time::timeout(ANSWER_LIMIT, source.read(&wanted, range)).await;
        let answers = answers.map_err(|_| {
            Blind::Source(text!("the source did not answer within {seconds} s", seconds = ANSWER_LIMIT.as_secs()))
        })?;
        let answers: std::result::Result<Vec<_>, _> = answers.into_iter().collect();
        let answers = answers.map_err(|error| Blind::Source(error.text()))?;
        total(&definition, &answers)
    }
}

/// Steps of a minute, the newest as late as it can be known, the oldest not before `since`.
fn minutes(since: i64, now: i64) -> Option<Range> {
    let to = now - LAG_S;
    let steps = (to - since).div_euclid(STEP_S);
    (steps > 0).then(|| Range { from: to - (steps - 1) * STEP_S, to })
}

fn total(definition: &Definition, answers: &[Vec<passerelle_metrics::Point>]) -> std::result::Result<Counted, Blind> {
    let samples = samples(definition, answers);
    let thousandths: Counts = samples.values().copied().sum();
    match (samples.is_empty(), thousandths.is_idle()) {
        (true, _) => Err(Blind::NoData),
        (false, true) => Err(Blind::NoTraffic),
        (false, false) => Ok(Counted { thousandths }),
    }
}

const fn counts_events(definition: &Definition) -> bool {
    matches!(definition.sli, Sli::Good { .. } | Sli::Bad { .. })
}

/// The same events, each counting once and by the minute, however the budget is charged.
fn by_events(definition: &Definition) -> Definition {
    Definition { method: Method::Occurrences, ..definition.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_metrics::Point;
    use passerelle_slo_formats::{Conventions, read_documents};

    fn definition() -> Definition {
        let file = "service_level_objectives: [{name: Web, sli: availability, target: 99, window: 7d}]";
        let outcome = read_documents(file, &Conventions::usual("web"));
        outcome.definitions().next().unwrap().1.clone()
    }

    fn points(all: &[(i64, Option<i64>)]) -> Vec<Point> {
        all.iter()
            .map(|(minute, events)| Point { at: minute * 60, milli: events.map(|events| events * UNITS as i64) })
            .collect()
    }

    #[test]
    fn minutes_are_whole_and_lie_after_the_beginning() {
        assert_eq!(minutes(1000, 1064), None);
        assert_eq!(minutes(1000, 1065), Some(Range { from: 1060, to: 1060 }));
        assert_eq!(minutes(1000, 1190), Some(Range { from: 1065, to: 1185 }));
        assert_eq!(minutes(1000, 900), None, "a clock that was put back");
    }

    #[test]
    fn events_are_added_up_and_what_is_missing_is_told_apart() {
        let definition = definition();
        let is_good = matches!(definition.sli, Sli::Good { .. });
        let part = |bad: i64, all: i64| if is_good { all - bad } else { bad };
        let all = points(&[(1, Some(100)), (2, Some(312)), (3, None)]);
        let parts = points(&[(1, Some(part(7, 100))), (2, Some(part(30, 312))), (3, Some(1))]);
        let counted = total(&definition, &[parts, all]).unwrap();
        assert_eq!((counted.exact(), counted.shown()), ((37_000, 412_000), ("37".to_owned(), "412".to_owned())));
        assert!(counted.reaches(412) && !counted.reaches(413));
        assert_eq!(total(&definition, &[Vec::new(), Vec::new()]), Err(Blind::NoData));
        assert_eq!(total(&definition, &[Vec::new(), points(&[(1, Some(0))])]), Err(Blind::NoTraffic));
    }
}
