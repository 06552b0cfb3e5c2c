//! From what a source answers to samples, and from samples to rows. Pure.

use super::store::samples::{Hour, MINUTES, Running, UNKNOWN};
use passerelle_metrics::{Point, Wanted};
use passerelle_slo_formats::{Definition, Op, Sli};
use passerelle_slo_math::{Counts, Method, RATIO_UNITS, Ratio};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Counts by the minute in which a sample ends.
pub(super) type Samples = BTreeMap<i64, Counts>;

/// What a source is asked for an SLO.
pub(super) fn questions(definition: &Definition) -> Vec<Wanted> {
    let step_s = definition.method.step_s();
    let ask = |query: &passerelle_slo_formats::Query| Wanted { query: query.clone(), step_s };
    match &definition.sli {
        Sli::Good { good: part, total } | Sli::Bad { bad: part, total } => vec![ask(part), ask(total)],
        Sli::Threshold { value, .. } => vec![ask(value)],
    }
}

/// The samples in the answers. A minute without a total, or with something that is not a number, has none.
pub(super) fn samples(definition: &Definition, answers: &[Vec<Point>]) -> Samples {
    let by_minute = |points: &[Point]| -> BTreeMap<i64, Option<i64>> {
        points.iter().map(|point| (point.at.div_euclid(60) - 1, point.milli)).collect()
    };
    match (&definition.sli, answers) {
        (Sli::Threshold { op, threshold, .. }, [values]) => by_minute(values)
            .into_iter()
            .filter_map(|(minute, milli)| Some((minute, threshold_sample(*op, *threshold, milli?))))
            .collect(),
        (sli, [part, total]) => {
            let parts = by_minute(part);
            let is_good = matches!(sli, Sli::Good { .. });
            by_minute(total)
                .into_iter()
                .filter_map(|(minute, total)| {
                    let total = u64::try_from(total?).ok()?;
                    // No series of this kind: nothing of this kind happened.
                    let part = u64::try_from(parts.get(&minute).copied().unwrap_or(Some(0))?).ok()?.min(total);
                    let bad = if is_good { total - part } else { part };
                    Some((minute, definition.method.charge(Counts::new(bad, total))))
                })
                .collect()
        }
        _ => Samples::new(),
    }
}

fn threshold_sample(op: Op, threshold: Ratio, milli: i64) -> Counts {
    let good = op.holds(Ratio::new(i128::from(milli), 1000), threshold);
    Counts::new(if good { 0 } else { RATIO_UNITS }, RATIO_UNITS)
}

/// Whether counts are slices of time rather than events.
pub(super) const fn counts_slices(definition: &Definition) -> bool {
    !matches!(definition.method, Method::Occurrences) || matches!(definition.sli, Sli::Threshold { .. })
}

/// How many units one event or slice is.
pub(super) const fn unit(definition: &Definition) -> u64 {
    if counts_slices(definition) { RATIO_UNITS } else { 1000 }
}

/// What writing samples changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub hours: Vec<Hour>,
    /// By how much the totals after the last of these hours move: bad, total, known.
    pub shift: (i64, i64, i64),
    pub last_hour: i64,
}

/// Lays samples over the rows of their hours. `existing` has the rows there are, in order, without holes to the left of the first sample's
/// hour mattering; `before` is the running total at the first sample's hour. Nothing when nothing changes.
pub(super) fn lay(slo: Uuid, samples: &Samples, existing: &[Hour], before: Running) -> Option<Written> {
    let first = samples.keys().next()?.div_euclid(MINUTES_I);
    let last = samples.keys().next_back()?.div_euclid(MINUTES_I);
    let old: BTreeMap<i64, &Hour> =
        existing.iter().filter(|hour| (first..=last).contains(&hour.hour)).map(|h| (h.hour, h)).collect();
    let wanted: BTreeSet<i64> =
        samples.keys().map(|minute| minute.div_euclid(MINUTES_I)).chain(old.keys().copied()).collect();
    let start = Hour::empty(slo, first, before);
    let mut totals = (start.bad_before, start.total_before, start.known_before);
    let mut end_before = totals;
    let mut hours = Vec::new();
    for hour in wanted {
        let known = old.get(&hour).copied();
        let mut row = known.cloned().unwrap_or_else(|| Hour::empty(slo, hour, Running::default()));
        end_before = known.map_or(end_before, Hour::after);
        (row.bad_before, row.total_before, row.known_before) = totals;
        fill(&mut row, samples);
        totals = row.after();
        if known != Some(&row) {
            hours.push(row);
        }
    }
    let shift = (totals.0 - end_before.0, totals.1 - end_before.1, totals.2 - end_before.2);
    (!hours.is_empty()).then_some(Written { hours, shift, last_hour: last })
}

const MINUTES_I: i64 = 60;

fn fill(row: &mut Hour, samples: &Samples) {
    let begin = row.hour * MINUTES_I;
    for (minute, counts) in samples.range(begin..begin + MINUTES_I) {
        let Ok(place) = usize::try_from(minute - begin) else { continue };
        debug_assert!(place < MINUTES);
        let stored = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        row.bad[place] = stored(counts.bad);
        row.total[place] = stored(counts.total).max(UNKNOWN + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(minutes: &[(i64, u64, u64)]) -> Samples {
        minutes.iter().map(|(minute, bad, total)| (*minute, Counts::new(*bad, *total))).collect()
    }

    /// All rows after laying, with totals moved as the store would.
    fn after(rows: &[Hour], written: Option<Written>) -> Vec<Hour> {
        let mut all: BTreeMap<i64, Hour> = rows.iter().map(|hour| (hour.hour, hour.clone())).collect();
        if let Some(written) = written {
            for (_, hour) in all.range_mut(written.last_hour + 1..) {
                hour.bad_before += written.shift.0;
                hour.total_before += written.shift.1;
                hour.known_before += written.shift.2;
            }
            all.extend(written.hours.into_iter().map(|hour| (hour.hour, hour)));
        }
        all.into_values().collect()
    }

    fn consistent(rows: &[Hour]) {
        let mut totals = (0, 0, 0);
        for row in rows {
            assert_eq!((row.bad_before, row.total_before, row.known_before), totals, "hour {}", row.hour);
            totals = row.after();
        }
    }

    #[test]
    fn minutes_read_again_replace_what_was_there() {
        let id = Uuid::nil();
        let first = lay(id, &given(&[(58, 1, 10), (59, 0, 10), (60, 2, 10)]), &[], Running::default()).unwrap();
        let rows = after(&[], Some(first));
        consistent(&rows);
        assert_eq!(rows.len(), 2);
        assert_eq!(lay(id, &given(&[(59, 0, 10), (60, 2, 10)]), &rows, Running::default()), None);
        let late = lay(id, &given(&[(59, 3, 12)]), &rows, Running::default()).unwrap();
        assert_eq!(late.shift, (3, 2, 0));
        let rows = after(&rows, Some(late));
        consistent(&rows);
        assert_eq!(rows[1].after(), (6, 32, 3));
    }

    #[test]
    fn a_gap_filled_later_moves_what_comes_after() {
        let id = Uuid::nil();
        let rows = after(&[], lay(id, &given(&[(10, 1, 5), (300, 2, 7)]), &[], Running::default()));
        consistent(&rows);
        let before = Running { counts: Counts::new(1, 5), known: 1 };
        let filled = lay(id, &given(&[(100, 4, 9), (200, 0, 1)]), &rows, before).unwrap();
        assert_eq!(filled.shift, (4, 10, 2));
        let rows = after(&rows, Some(filled));
        consistent(&rows);
        assert_eq!(rows.last().unwrap().after(), (7, 22, 4));
    }
}
