//! What the pass tells of: verdicts that changed, and incidents that spent more than a fifth of a budget.
//!
//! Both are written in the transaction that notes what the pass found, so each is told once, whoever is killed when.
//! What an incident is stands in `passerelle_slo_math::incidents`. One that was over before its objective was imported opens no task.

use super::figures::Figures;
use super::model::Slo;
use super::outward;
use super::store::definitions::interval;
use super::store::postmortems::{self, Spent};
use super::store::samples::{Hour, hours};
use super::store::status::Before;
use crate::kernel::{Result, leave_message};
use passerelle_contract::slo::BudgetVerdict;
use passerelle_contract::{Text, text};
use passerelle_slo_math::{self as math, Counts, Incident, Ratio, incident_factor, incidents};
use serde_json::json;
use sqlx::postgres::PgConnection;
use time::OffsetDateTime;

/// An incident that spends more than one part of so many opens a task.
const PARTS: i128 = 5;
/// Minutes that a pass may be behind the one before and still see every incident in the last hour.
const NEXT: i64 = 30;

/// Tells that a verdict is another one than the pass before found. The first one of all changes nothing, nor does the first measurement.
pub(super) async fn tell_change(
    db: &mut PgConnection,
    slo: &Slo,
    figures: &Figures,
    decision: &math::Decision,
    before: Option<&Before>,
) -> Result<()> {
    let verdict = outward::verdict(decision.verdict);
    let measured = before.filter(|before| before.state != math::State::NoData.as_str());
    let Some(before) = measured.and_then(|before| BudgetVerdict::parse(&before.verdict)) else { return Ok(()) };
    if before == verdict {
        return Ok(());
    }
    let told = json!({
        "slo": slo.id, "title": slo.definition.title, "verdict": verdict, "verdict_before": before,
        "message": why(decision, figures),
    });
    leave_message(db, "budget.changed", about(slo), &told).await
}

fn about(slo: &Slo) -> (Option<&str>, Option<&str>) {
    (Some(slo.service.key.as_str()), slo.environment.as_ref().map(|(_, scope)| scope.name.as_str()))
}

fn why(decision: &math::Decision, figures: &Figures) -> Text {
    let percent = figures.remaining().times(Ratio::whole(100)).decimal(1);
    match decision.causes.first() {
        Some(math::Cause::NoData) => text!("there are no measurements"),
        Some(math::Cause::Stale) => text!("the newest measurement is older than five minutes"),
        Some(math::Cause::Partial) => text!("parts of the period were not measured"),
        _ => text!("{percent} % of the error budget is left", percent),
    }
}

/// Opens the tasks of incidents that spent too much. Answers the minute up to which was looked.
pub(super) async fn look(db: &mut PgConnection, slo: &Slo, figures: &Figures, before: Option<&Before>) -> Result<i64> {
    let end = figures.end_minute;
    let factor = incident_factor(&figures.pairs);
    let min_bad = outward::least_bad(slo);
    let begun = slo.created_at.unix_timestamp().div_euclid(60);
    let looked = before.and_then(|before| before.incidents_to).unwrap_or(begun).min(end);
    // While the source is away nothing was looked at: what it tells afterwards is looked at then.
    let seen = figures.progress.last_minute.map_or(looked, |last| (last + 1).min(end));
    let hour = figures.counts(3600);
    let burns = hour.bad >= min_bad.max(1) && figures.burn(3600) >= factor;
    let first = looked - reach(figures.whole.seconds(), factor);
    if !burns && end - looked <= NEXT || spent_little(figures, end - first) {
        return Ok(seen);
    }
    let rows = hours(&mut *db, &[slo.id], first.div_euclid(60), end.div_euclid(60)).await?;
    let minutes = minutes(&rows, figures, end);
    for one in incidents(slo.definition.objective, factor, min_bad, &minutes) {
        if one.to > begun {
            open(&mut *db, slo, figures, &one).await?;
        }
    }
    Ok(seen)
}

/// Whether all of the last minutes together spent too little for a task, by a window that is known already: most passes end here.
fn spent_little(figures: &Figures, minutes: i64) -> bool {
    let wide = |window: &&u64| i64::try_from(**window / 60).is_ok_and(|window| window >= minutes);
    figures.windows.keys().filter(wide).min().is_some_and(|window| !too_much(figures, figures.counts(*window).bad))
}

fn too_much(figures: &Figures, bad: u64) -> bool {
    Ratio::whole(i128::from(bad)).times(Ratio::whole(PARTS)) > figures.budget.allowed()
}

/// How many minutes back an incident may have begun that has not spent too much yet, for traffic twice as uneven as even.
fn reach(period_s: u64, factor: Ratio) -> i64 {
    let parts = factor.times(Ratio::whole(PARTS)).inverse().unwrap_or(Ratio::ONE);
    let minutes = parts.times(Ratio::whole(i128::from(period_s / 60) * 2)).decimal(0);
    minutes.parse().unwrap_or(1440) + 120
}

/// The minutes that were seen, without those that corrections take out.
fn minutes(rows: &[Hour], figures: &Figures, end: i64) -> Vec<(i64, Counts)> {
    let cuts: Vec<_> = figures.corrections.iter().map(interval).collect();
    let cut = |minute: i64| cuts.iter().any(|cut| (cut.from..cut.to).contains(&(minute * 60)));
    let count = |value: i64| u64::try_from(value).unwrap_or_default();
    let of_row = |row: &Hour| {
        let begin = row.hour * 60;
        let pairs = row.bad.iter().zip(&row.total).zip(begin..);
        pairs
            .filter(|((_, total), minute)| **total >= 0 && *minute < end && !cut(*minute))
            .map(|((bad, total), minute)| (minute, Counts::new(count(*bad), count(*total))))
            .collect::<Vec<_>>()
    };
    rows.iter().flat_map(of_row).collect()
}

async fn open(db: &mut PgConnection, slo: &Slo, figures: &Figures, one: &Incident) -> Result<()> {
    if !too_much(figures, one.bad) {
        return Ok(());
    }
    let bad = Ratio::whole(i128::from(one.bad));
    let share = figures.budget.allowed().inverse().map_or(Ratio::ONE, |each| bad.times(each));
    let at = |minute: i64| OffsetDateTime::from_unix_timestamp(minute * 60).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let spent = Spent {
        slo_id: slo.id,
        began_at: at(one.from),
        ended_at: at(one.to),
        bad: i64::try_from(one.bad).unwrap_or(i64::MAX),
        share: share.to_f64(),
    };
    let Some(id) = postmortems::open(&mut *db, &spent).await? else { return Ok(()) };
    let message = text!(
        "{bad} failures spent {percent} % of the error budget so far",
        bad = bad.times(outward::unit_ratio(slo)).decimal(0),
        percent = share.times(Ratio::whole(100)).decimal(1)
    );
    let began = spent.began_at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default();
    let told = json!({
        "id": id, "slo": slo.id, "title": slo.definition.title, "message": message, "began_at": began,
    });
    leave_message(db, "postmortem.opened", about(slo), &told).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reaches_back_twice_as_far_as_a_fifth_takes_at_that_burn() {
        // 30 days at a burn of 6: a fifth is gone after a day.
        assert_eq!(reach(30 * 86_400, Ratio::whole(6)), 2 * 1440 + 120);
        assert_eq!(reach(7 * 86_400, Ratio::new(7, 2)), 2 * 576 + 120);
    }
}
