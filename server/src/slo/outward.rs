//! Figures as the wire has them.

use super::figures::{Figures, Forecast};
use super::measure::{counts_slices, unit};
use super::model::Slo;
use super::service::shown;
use super::store::policies::exact;
use passerelle_contract::slo::{AlertPairOut, BudgetVerdict, SloCause, SloOut, SloPolicy, SloRow, SloState};
use passerelle_slo_formats::reading::{Language, sentence};
use passerelle_slo_formats::{Definition, duration};
use passerelle_slo_math::{self as math, Policy, Ratio, firing, unreachable_pairs};
use std::collections::BTreeMap;
use time::OffsetDateTime;

pub(super) const fn verdict(verdict: math::Verdict) -> BudgetVerdict {
    match verdict {
        math::Verdict::Ok => BudgetVerdict::Ok,
        math::Verdict::Warn => BudgetVerdict::Warn,
        math::Verdict::Approval => BudgetVerdict::Approval,
        math::Verdict::Block => BudgetVerdict::Block,
    }
}

pub(super) const fn state(state: math::State) -> SloState {
    match state {
        math::State::Ok => SloState::Ok,
        math::State::NoTraffic => SloState::NoTraffic,
        math::State::Partial => SloState::Partial,
        math::State::NoData => SloState::NoData,
    }
}

pub(super) const fn cause(cause: math::Cause) -> SloCause {
    match cause {
        math::Cause::BudgetLeft => SloCause::BudgetLeft,
        math::Cause::BudgetLow => SloCause::BudgetLow,
        math::Cause::BudgetExhausted => SloCause::BudgetExhausted,
        math::Cause::NoTraffic => SloCause::NoTraffic,
        math::Cause::NoData => SloCause::NoData,
        math::Cause::Stale => SloCause::Stale,
        math::Cause::Partial => SloCause::Partial,
    }
}

/// What one stored unit is, in events or slices.
pub(super) fn unit_ratio(slo: &Slo) -> Ratio {
    Ratio::new(1, i128::from(unit(&slo.definition)))
}

/// "Read as", by language.
pub(super) fn reads_as(definition: &Definition) -> BTreeMap<String, String> {
    [("en", Language::English), ("fr", Language::French)]
        .into_iter()
        .map(|(name, language)| (name.to_owned(), sentence(definition, language)))
        .collect()
}

fn percent(slo: &Slo) -> f64 {
    slo.definition.objective.percent().parse().unwrap_or_default()
}

pub(super) fn slo_row(slo: &Slo, figures: &Figures, policy: &Policy, sparkline: Vec<f64>) -> SloRow {
    let measured = figures.progress.first_minute.is_some();
    SloRow {
        id: slo.id,
        name: slo.definition.name.clone(),
        title: slo.definition.title.clone(),
        service: slo.service.key.clone(),
        environment: slo.environment.as_ref().map(|(_, scope)| scope.name.clone()),
        objective: percent(slo),
        window: slo.window_text(),
        remaining_ratio: measured.then(|| figures.remaining().to_f64()),
        burn: shown(figures).collect(),
        verdict: measured.then(|| verdict(figures.decide(policy).verdict)),
        state: state(figures.state),
        simulated: slo.simulated,
        sparkline,
    }
}

/// All but what it means for each environment.
pub(super) fn slo_out(slo: &Slo, figures: &Figures, ladder: &SloPolicy, forecast: &Forecast, now: i64) -> SloOut {
    let unit = unit_ratio(slo);
    let events = |count: u64| Ratio::whole(i128::from(count)).times(unit).to_f64();
    let time = |second: i64| OffsetDateTime::from_unix_timestamp(second).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let after = |seconds: Option<u64>| seconds.map(|seconds| time(now.saturating_add_unsigned(seconds)));
    let decision = figures.decide(&exact(ladder));
    let budget = &figures.budget;
    SloOut {
        id: slo.id,
        name: slo.definition.name.clone(),
        title: slo.definition.title.clone(),
        description: slo.definition.description.clone(),
        service: slo.service.key.clone(),
        environment: slo.environment.as_ref().map(|(_, scope)| scope.name.clone()),
        connection: slo.connection.clone(),
        simulated: slo.simulated,
        format: slo.format.clone(),
        reads_as: reads_as(&slo.definition),
        objective: percent(slo),
        window: slo.window_text(),
        unit: if counts_slices(&slo.definition) { "slices" } else { "events" }.to_owned(),
        good: events(budget.counts.good()),
        bad: events(budget.counts.bad),
        total: events(budget.counts.total),
        budget_total: budget.allowed().times(unit).to_f64(),
        budget_remaining: budget.left().times(unit).to_f64(),
        remaining_ratio: figures.remaining().to_f64(),
        remaining: figures.remaining().decimal(6),
        budget_seconds: budget.allowed_seconds(figures.whole.seconds()).to_f64(),
        burn: shown(figures).collect(),
        alerts: alerts(slo, figures),
        verdict: verdict(decision.verdict),
        causes: decision.causes.into_iter().map(cause).collect(),
        stands: Vec::new(),
        policy: *ladder,
        state: state(figures.state),
        coverage: figures.coverage.ratio().to_f64(),
        data_age_s: figures.age_s,
        exhausts_at: after(figures.seconds_left()),
        exhausts_with_relief_at: after(forecast.exhausts_in),
        frees_at: after(forecast.frees_in).filter(|_| budget.is_exhausted()),
        projected_remaining_ratio: forecast.at_period_end.map(Ratio::to_f64),
        period_from: time(figures.whole.from),
        period_to: time(figures.whole.to),
        source_error: figures.progress.source_error.clone(),
        drift: figures.progress.drift,
        corrections: figures.corrections.clone(),
        updated_at: slo.updated_at,
    }
}

/// Bad events that an alert asks for at least, as they are counted.
pub(super) fn least_bad(slo: &Slo) -> u64 {
    slo.definition.min_bad_events.saturating_mul(unit(&slo.definition))
}

fn alerts(slo: &Slo, figures: &Figures) -> Vec<AlertPairOut> {
    let objective = slo.definition.objective;
    let never = unreachable_pairs(objective, &figures.pairs);
    let min_bad = least_bad(slo);
    figures
        .pairs
        .iter()
        .map(|pair| AlertPairOut {
            severity: pair.severity.as_str().to_owned(),
            long: duration::short(pair.long_s),
            short: duration::short(pair.short_s),
            factor: pair.factor.to_f64(),
            burn_long: figures.burn(pair.long_s).to_f64(),
            burn_short: figures.burn(pair.short_s).to_f64(),
            firing: firing(objective, pair, figures.counts(pair.long_s), figures.counts(pair.short_s), min_bad),
            unreachable: never.contains(pair),
        })
        .collect()
}
