//! An SLO's figures at one moment, from running totals.

use super::model::Slo;
use super::store::definitions::{corrections, interval};
use super::store::samples::{Running, running};
use super::store::status::{Progress, progress};
use crate::kernel::Result;
use passerelle_contract::slo::CorrectionOut;
use passerelle_slo_math::{
    AlertPair, Budget, Counts, Coverage, Decision, History, Interval, Policy, Projection, Ratio, Reading,
    STALE_AFTER_S, State, burn_rate, decide, minus, naive_seconds_left, pairs_for, project, union,
};
use sqlx::postgres::PgConnection;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Windows that every SLO shows, in seconds.
pub(super) const SHOWN: [(&str, u64); 3] = [("1h", 3600), ("6h", 6 * 3600), ("3d", 3 * 86_400)];
/// A source that says something else by more than this makes an SLO partial.
const MAX_DRIFT: f64 = 0.01;
/// Parts of a period that a forecast moves by.
const FORECAST_PARTS: i64 = 120;

/// All that is known of an SLO at one moment. Times are seconds since 1970.
#[derive(Debug, Clone)]
pub struct Figures {
    /// The minute that everything is counted up to.
    pub end_minute: i64,
    pub whole: Interval,
    pub budget: Budget,
    pub coverage: Coverage,
    pub state: State,
    /// Seconds since the end of the newest sample.
    pub age_s: Option<u64>,
    /// Events of each alert window and each window that is shown, by its length in seconds.
    pub windows: HashMap<u64, Counts>,
    pub pairs: Vec<AlertPair>,
    pub corrections: Vec<CorrectionOut>,
    pub progress: Progress,
}

impl Figures {
    #[must_use]
    pub fn remaining(&self) -> Ratio {
        self.budget.remaining()
    }

    #[must_use]
    pub fn counts(&self, window_s: u64) -> Counts {
        self.windows.get(&window_s).copied().unwrap_or_default()
    }

    #[must_use]
    pub fn burn(&self, window_s: u64) -> Ratio {
        burn_rate(self.budget.objective, self.counts(window_s))
    }

    #[must_use]
    pub fn decide(&self, policy: &Policy) -> Decision {
        decide(policy, &Reading { remaining: self.remaining(), state: self.state, age_s: self.age_s })
    }

    /// Seconds until it is gone at the larger of the 1 h and 6 h burn rates.
    #[must_use]
    pub fn seconds_left(&self) -> Option<u64> {
        naive_seconds_left(self.remaining(), self.whole.seconds(), self.burn(3600).max(self.burn(6 * 3600)))
    }
}

/// Everything that the figures of one SLO need to be looked up.
struct Plan {
    end_minute: i64,
    whole: Interval,
    kept: Vec<Interval>,
    windows: BTreeSet<u64>,
    pairs: Vec<AlertPair>,
}

fn plan(slo: &Slo, progress: &Progress, corrections: &[CorrectionOut], now: i64) -> Plan {
    let step = slo.step_minutes();
    let now_minute = now.div_euclid(60);
    let fresh_from = now_minute - i64::try_from(STALE_AFTER_S / 60).unwrap_or(5);
    // Up to the newest sample while that is fresh; otherwise up to now, with the hole that there is.
    let newest = progress.last_minute.map(|minute| minute + 1).filter(|minute| *minute >= fresh_from);
    let end_minute = newest.unwrap_or(now_minute).min(now_minute).div_euclid(step) * step;
    let whole = slo.period.at(end_minute * 60);
    let so_far = Interval::new(whole.from, whole.to.min(end_minute * 60));
    let cuts: Vec<Interval> = corrections.iter().map(interval).collect();
    let pairs = pairs_for(slo.definition.window.nominal_s());
    let windows = pairs.iter().flat_map(|pair| [pair.long_s, pair.short_s]).chain(SHOWN.map(|(_, s)| s)).collect();
    Plan { end_minute, whole, kept: minus(so_far, &cuts), windows, pairs }
}

fn minute_of(second: i64, step: i64) -> i64 {
    second.div_euclid(60).div_euclid(step) * step
}

fn window_start(end_minute: i64, window_s: u64, step: i64) -> i64 {
    let minutes = i64::try_from(window_s / 60).unwrap_or(i64::MAX).max(step);
    (end_minute - minutes).div_euclid(step) * step
}

/// The figures of many SLOs, in their order, with one look at the running totals.
pub(super) async fn compute(db: &mut PgConnection, slos: &[Slo], now: i64) -> Result<Vec<Figures>> {
    compute_with(db, slos, now, None).await
}

/// The same, with one more correction than are stored.
pub(super) async fn compute_with(
    db: &mut PgConnection,
    slos: &[Slo],
    now: i64,
    more: Option<&CorrectionOut>,
) -> Result<Vec<Figures>> {
    let ids: Vec<Uuid> = slos.iter().map(|slo| slo.id).collect();
    let mut known: HashMap<Uuid, Progress> =
        progress(&mut *db, &ids).await?.into_iter().map(|one| (one.slo_id, one)).collect();
    let mut cuts: HashMap<Uuid, Vec<CorrectionOut>> = HashMap::new();
    for (id, correction) in corrections(&mut *db, &ids).await? {
        cuts.entry(id).or_default().push(correction);
    }
    let mut asked = Vec::new();
    let mut plans = Vec::with_capacity(slos.len());
    for slo in slos {
        let progress = known.remove(&slo.id).unwrap_or_default();
        let mut corrections = cuts.remove(&slo.id).unwrap_or_default();
        corrections.extend(more.cloned());
        let plan = plan(slo, &progress, &corrections, now);
        let step = slo.step_minutes();
        asked.push((slo.id, plan.end_minute));
        asked.extend(plan.windows.iter().map(|window| (slo.id, window_start(plan.end_minute, *window, step))));
        asked.extend(
            plan.kept.iter().flat_map(|kept| [kept.from, kept.to]).map(|second| (slo.id, minute_of(second, step))),
        );
        plans.push((plan, progress, corrections));
    }
    let answers = running(&mut *db, &asked).await?;
    let totals: HashMap<(Uuid, i64), Running> = asked.into_iter().zip(answers).collect();
    Ok(slos
        .iter()
        .zip(plans)
        .map(|(slo, (plan, progress, cuts))| figures(slo, plan, progress, cuts, &totals, now))
        .collect())
}

fn figures(
    slo: &Slo,
    plan: Plan,
    progress: Progress,
    corrections: Vec<CorrectionOut>,
    totals: &HashMap<(Uuid, i64), Running>,
    now: i64,
) -> Figures {
    let step = slo.step_minutes();
    let at = |minute: i64| totals.get(&(slo.id, minute)).copied().unwrap_or_default();
    let end = at(plan.end_minute);
    let windows = plan
        .windows
        .iter()
        .map(|window| (*window, end.since(at(window_start(plan.end_minute, *window, step))).counts))
        .collect();
    let (mut counts, mut coverage) = (Counts::ZERO, Coverage::default());
    for kept in &plan.kept {
        let (from, to) = (minute_of(kept.from, step), minute_of(kept.to, step));
        let part = at(to).since(at(from));
        counts += part.counts;
        coverage.known += part.known;
        coverage.expected += samples_between(from, to, step);
        let first = progress.first_minute.map_or(to, |first| first.div_euclid(step) * step);
        coverage.since_first += samples_between(from.max(first), to, step);
    }
    let age_s = progress.last_minute.map(|minute| u64::try_from(now - (minute + 1) * 60).unwrap_or_default());
    let mut state = coverage.state(counts);
    if state == State::Ok && progress.drift.is_some_and(|drift| drift.abs() > MAX_DRIFT) {
        state = State::Partial;
    }
    Figures {
        end_minute: plan.end_minute,
        whole: plan.whole,
        budget: Budget::new(slo.definition.objective, counts),
        coverage,
        state,
        age_s,
        windows,
        pairs: plan.pairs,
        corrections,
        progress,
    }
}

fn samples_between(from: i64, to: i64, step: i64) -> u64 {
    u64::try_from((to - from).div_euclid(step)).unwrap_or_default()
}

/// Running totals at minutes, without what corrections take out.
pub(super) async fn corrected(
    db: &mut PgConnection,
    slo: Uuid,
    minutes: &[i64],
    corrections: &[CorrectionOut],
) -> Result<Vec<Running>> {
    let asked = Asked { slo, minutes: minutes.to_vec(), corrections };
    Ok(corrected_each(db, &[asked]).await?.pop().unwrap_or_default())
}

/// The minutes of one SLO whose running totals are wanted.
#[derive(Debug)]
pub(super) struct Asked<'c> {
    pub slo: Uuid,
    pub minutes: Vec<i64>,
    pub corrections: &'c [CorrectionOut],
}

/// As [`corrected`], for many SLOs in one query.
pub(super) async fn corrected_each(db: &mut PgConnection, asked: &[Asked<'_>]) -> Result<Vec<Vec<Running>>> {
    let edges: Vec<Vec<i64>> = asked.iter().map(|one| edges(one.corrections)).collect();
    let all = asked.iter().zip(&edges);
    let all = all.flat_map(|(one, edges)| one.minutes.iter().chain(edges).map(|minute| (one.slo, *minute)));
    let mut totals = running(db, &all.collect::<Vec<_>>()).await?.into_iter();
    Ok(asked
        .iter()
        .zip(&edges)
        .map(|(one, edges)| {
            let at_minutes: Vec<Running> = totals.by_ref().take(one.minutes.len()).collect();
            let at_edges: Vec<Running> = totals.by_ref().take(edges.len()).collect();
            one.minutes.iter().zip(at_minutes).map(|(minute, total)| kept(*minute, total, edges, &at_edges)).collect()
        })
        .collect())
}

/// First and last minute of each stretch that is taken out.
fn edges(corrections: &[CorrectionOut]) -> Vec<i64> {
    let cuts = union(&corrections.iter().map(interval).collect::<Vec<_>>());
    cuts.iter().flat_map(|cut| [cut.from.div_euclid(60), cut.to.div_euclid(60)]).collect()
}

fn kept(minute: i64, total: Running, edges: &[i64], at_edges: &[Running]) -> Running {
    edges.chunks_exact(2).zip(at_edges.chunks_exact(2)).fold(total, |kept, (edge, at)| {
        match (minute <= edge[0], minute < edge[1]) {
            (true, _) => kept,
            (false, true) => kept.since(total.since(at[0])),
            (false, false) => kept.since(at[1].since(at[0])),
        }
    })
}

/// What is to come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Forecast {
    /// Seconds.
    pub exhausts_in: Option<u64>,
    /// Seconds until it is above `level` again.
    pub frees_in: Option<u64>,
    /// At the end of a calendar period.
    pub at_period_end: Option<Ratio>,
}

/// Slides the window over the stored history while the burn of the last hour goes on.
pub(super) async fn forecast(db: &mut PgConnection, slo: &Slo, figures: &Figures, level: Ratio) -> Result<Forecast> {
    let minutes = i64::try_from(figures.whole.seconds() / 60).unwrap_or_default();
    let part = (minutes / FORECAST_PARTS).max(slo.step_minutes());
    let rolling = matches!(slo.period, passerelle_slo_math::Period::Rolling { .. });
    let leaving: Vec<Counts> = if rolling {
        let edges: Vec<i64> = (0..=minutes / part).map(|i| figures.end_minute - minutes + i * part).collect();
        let totals = corrected(db, slo.id, &edges, &figures.corrections).await?;
        totals.windows(2).map(|pair| pair[1].since(pair[0]).counts).collect()
    } else {
        let left = (figures.whole.to.div_euclid(60) - figures.end_minute).max(0);
        vec![Counts::ZERO; usize::try_from(left / part).unwrap_or_default()]
    };
    let hour = figures.counts(3600);
    let share =
        |events: u64| u64::try_from(u128::from(events) * u128::try_from(part).unwrap_or(1) / 60).unwrap_or(u64::MAX);
    let arriving = Counts::new(share(hour.bad), share(hour.total));
    let history = History {
        now: figures.budget.counts,
        leaving: &leaving,
        arriving,
        bucket_s: u64::try_from(part * 60).unwrap_or_default(),
    };
    let objective = slo.definition.objective;
    let mut found = Forecast::default();
    if let Projection::FallsIn(seconds) = project(objective, Ratio::ZERO, &history) {
        found.exhausts_in = Some(seconds);
    }
    if let Projection::RisesIn(seconds) = project(objective, level, &history) {
        found.frees_in = Some(seconds);
    }
    if !rolling {
        let times = u64::try_from(leaving.len()).unwrap_or_default();
        let to_come = Counts::new(arriving.bad.saturating_mul(times), arriving.total.saturating_mul(times));
        found.at_period_end = Some(Budget::new(objective, figures.budget.counts + to_come).remaining());
    }
    Ok(found)
}
