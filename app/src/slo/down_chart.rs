//! How a budget was spent over its period: from all of it to what is left now, with the deployments and the corrections of that time.

use super::marks;
use crate::alerts;
use crate::i18n::T;
use crate::ui::{Band, Chart, Columns, Icon, Level, Mark, Plot, Table, Tone};
use leptos::prelude::*;
use passerelle_contract::alerts::AlertOut;
use passerelle_contract::deployments::DeploymentRow;
use passerelle_contract::slo::{SloHistoryPoint, SloOut};
use time::{Duration, OffsetDateTime};

/// Points of a line; more would only be bytes.
const POINTS: usize = 360;
/// Labels along the time.
const TIMES: i32 = 4;

/// What happened in the period.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    pub deployments: &'a [DeploymentRow],
    pub alerts: &'a [AlertOut],
}

/// Where a moment is between two others, 0 to 1.
pub fn share(at: OffsetDateTime, from: OffsetDateTime, to: OffsetDateTime) -> f64 {
    let whole = (to - from).as_seconds_f64().max(1.0);
    ((at - from).as_seconds_f64() / whole).clamp(0.0, 1.0)
}

pub fn times(t: T, from: OffsetDateTime, to: OffsetDateTime) -> Vec<(f64, String)> {
    let days = (to - from) > Duration::days(2);
    (0..TIMES)
        .map(|index| {
            let at = from + (to - from) * index / (TIMES - 1);
            let text = if days { t.day(at) } else { format!("{:02}:{:02}", at.hour(), at.minute()) };
            (f64::from(index) / f64::from(TIMES - 1), text)
        })
        .collect()
}

/// One hour of the chart.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub at: OffsetDateTime,
    pub value: f64,
    pub known: bool,
}

/// What was left of the whole budget at the end of each hour, and what is left now.
pub fn spending(slo: &SloOut, points: &[SloHistoryPoint], now: OffsetDateTime) -> Vec<Step> {
    let allowed = if slo.budget_total > 0.0 { slo.budget_total } else { 1.0 };
    // Of a long period only the newest part is read: what was spent before it is spent at its first hour.
    let late = points.first().is_some_and(|first| first.at - slo.period_from > Duration::days(1));
    let read: f64 = points.iter().map(|point| point.bad).sum();
    let mut spent = if late { (slo.bad - read).max(0.0) } else { 0.0 };
    let mut steps: Vec<Step> = points
        .iter()
        .map(|point| {
            spent += point.bad;
            Step { at: point.at, value: 1.0 - spent / allowed, known: point.known > 0 }
        })
        .collect();
    if slo.data_age_s.is_some() {
        steps.push(Step { at: slo.period_to.min(now), value: slo.remaining_ratio, known: true });
    }
    steps
}

/// Stretches without a gap, of as many points as can be told apart; of several hours in one point the highest counts, so that
/// no peak is lost.
pub fn lines(steps: &[Step], from: OffsetDateTime, to: OffsetDateTime, y: impl Fn(f64) -> f64) -> Vec<Vec<(f64, f64)>> {
    let every = steps.len().div_ceil(POINTS).max(1);
    let mut lines = vec![Vec::new()];
    for part in steps.chunks(every) {
        let known = part.iter().filter(|step| step.known);
        let Some(highest) = known.max_by(|a, b| a.value.total_cmp(&b.value)) else {
            lines.push(Vec::new());
            continue;
        };
        if let Some(line) = lines.last_mut() {
            line.push((share(highest.at, from, to), y(highest.value)));
        }
    }
    lines.retain(|line| line.len() > 1);
    lines
}

struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn of(steps: &[Step]) -> Self {
        let seen = || steps.iter().filter(|step| step.known).map(|step| step.value);
        let low = seen().fold(0.0, f64::min);
        // A little air below the line of an overspent budget.
        Self { low: if low < 0.0 { low * 1.08 } else { 0.0 }, high: seen().fold(1.0, f64::max) }
    }

    fn y(&self, share: f64) -> f64 {
        (self.high - share) / (self.high - self.low)
    }

    fn levels(&self, t: T, slo: &SloOut) -> Vec<Level> {
        let scale = |share: f64| Level { y: self.y(share), text: t.percent(share, 0), threshold: false };
        let threshold = |percent: i32| Level { threshold: true, ..scale(f64::from(percent) / 100.0) };
        let mut levels = vec![scale(1.0), scale(0.0), scale(0.5)];
        if self.low < -0.2 {
            levels.push(scale(self.low));
        }
        let policy = slo.policy;
        levels.extend([policy.warn_below, policy.approval_below, policy.block_at].map(threshold));
        levels.retain(|level| (0.0..=1.0).contains(&level.y));
        levels
    }
}

fn plot(t: T, slo: &SloOut, steps: &[Step], beside: &Beside<'_>, to: OffsetDateTime) -> Plot {
    let (from, scale) = (slo.period_from, Scale::of(steps));
    let height = |at: OffsetDateTime| {
        let nearest = steps.iter().rev().find(|step| step.at <= at).or(steps.first());
        scale.y(nearest.map_or(1.0, |step| step.value))
    };
    let place = |at: OffsetDateTime| (share(at, from, to), height(at));
    let deployed = beside.deployments.iter().map(|row| {
        let ((x, y), (tone, icon)) = (place(marks::moment(row)), marks::tone(row));
        Mark { x, y, tone, icon, text: marks::text(t, row) }
    });
    let marks = deployed.chain(alerts::marks(t, beside.alerts, from, place));
    let bands = slo.corrections.iter().filter(|cut| cut.to > from && cut.from < to);
    Plot {
        lines: lines(steps, from, to, |left| scale.y(left)),
        levels: scale.levels(t, slo),
        marks: marks.collect(),
        bands: bands.map(|cut| Band { from: share(cut.from, from, to), to: share(cut.to, from, to) }).collect(),
        times: times(t, from, to),
    }
}

pub fn view(t: T, slo: &SloOut, points: &[SloHistoryPoint], beside: &Beside<'_>, now: OffsetDateTime) -> AnyView {
    let steps = spending(slo, points, now);
    let known = || steps.iter().filter(|step| step.known);
    let Some((first, last)) = known().next().zip(known().next_back()) else {
        return view! { <p class="muted">{t.slo_no_history()}</p> }.into_any();
    };
    let to = slo.period_to.min(now);
    let desc = t.slo_down_desc(
        t.date_time(slo.period_from),
        t.date_time(to),
        t.percent(first.value, 1),
        t.percent(last.value, 1),
        beside.deployments.len(),
    );
    let plot = plot(t, slo, &steps, beside, to);
    let legend = legend(t, beside, !plot.bands.is_empty());
    let (list, days) = (marks::list(t, beside.deployments), days(t, points, &steps));
    let fired = alerts::list(t, beside.alerts);
    view! {
        <Chart name="down" title=t.slo_down() desc=desc plot=plot>
            {legend}
            {list}
            {fired}
            {days}
        </Chart>
    }
    .into_any()
}

fn legend(t: T, beside: &Beside<'_>, corrected: bool) -> impl IntoView + use<> {
    let has = |wanted: Tone| beside.deployments.iter().any(|row| marks::tone(row).0 == wanted);
    let mark = |tone: Tone, icon: &'static str, text: &'static str| {
        view! {
            <span>
                <span class=tone.mark()>
                    <Icon name=icon />
                </span>
                {text}
            </span>
        }
    };
    let went = has(Tone::Run).then(|| mark(Tone::Run, "deploy", t.slo_legend_deploy()));
    let failed = (has(Tone::Bad) || has(Tone::Warn)).then(|| mark(Tone::Bad, "bad", t.slo_legend_failed()));
    let fired = (!beside.alerts.is_empty()).then(|| mark(Tone::Bad, "warn", t.alert_legend()));
    view! {
        <p class="legend">
            {went} {failed} {fired} <span>{format!("- - {}", t.slo_legend_threshold())}</span>
            {corrected.then(|| view! { <span>{format!("▒ {}", t.slo_legend_correction())}</span> })}
        </p>
    }
}

/// Day by day: what each spent, and what was left at its end.
fn days(t: T, points: &[SloHistoryPoint], steps: &[Step]) -> impl IntoView + use<> {
    let mut days: Vec<(String, f64, f64, f64, f64)> = Vec::new();
    for (point, step) in points.iter().zip(steps).filter(|(point, _)| point.known > 0) {
        // The hour that ends at midnight belongs to the day before.
        let day = t.day(point.at - Duration::seconds(1));
        match days.last_mut() {
            Some(last) if last.0 == day => {
                last.1 = step.value;
                last.2 += point.bad;
                last.3 += point.total;
                last.4 = last.4.max(point.burn);
            }
            _ => days.push((day, step.value, point.bad, point.total, point.burn)),
        }
    }
    let rows = days
        .into_iter()
        .rev()
        .map(|(day, left, bad, total, worst)| {
            view! {
                <tr>
                    <th scope="row">{day}</th>
                    <td class="num">{t.percent(left, 1)}</td>
                    <td class="num">{t.events(bad)}</td>
                    <td class="num">{t.events(total)}</td>
                    <td class="num">{t.times(worst)}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    let columns = Columns::of([t.slo_table_day()]).numbers([
        t.slo_table_left(),
        t.slo_table_bad(),
        t.slo_table_total(),
        t.slo_table_worst(),
    ]);
    view! {
        <details class="disclose">
            <summary>{t.slo_table()}</summary>
            <div class="scroll-y">
                <Table label=t.slo_down() columns=columns>{rows}</Table>
            </div>
        </details>
    }
}
