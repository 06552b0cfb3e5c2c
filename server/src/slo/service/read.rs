//! Lists, one SLO, and its history.

use super::super::figures::{Asked, Figures, SHOWN, compute, corrected, corrected_each, forecast};
use super::super::model::Slo;
use super::super::outward::{self, slo_out, slo_row};
use super::super::store::definitions::source_text;
use super::super::store::list::{Narrow, Place, counts, page};
use super::super::store::policies::{self, exact};
use super::super::store::samples::Running;
use super::{SloService, at, now};
use crate::kernel::{Action, AppError, Ctx, Cursor, ReadScope, Result, limit_or_default};
use passerelle_contract::environments::EnvironmentOut;
use passerelle_contract::slo::{
    BudgetVerdict, CorrectionOut, SloCounts, SloFilter, SloHistoryFilter, SloHistoryPoint, SloOut, SloRow, SloSort,
    SloStanding,
};
use passerelle_contract::{Page, Text, text};
use passerelle_slo_math::{Budget, Counts, Decision, Period, Ratio, burn_rate};
use sqlx::postgres::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// Points of a sparkline.
const SPARKS: i64 = 24;
/// Hours of history at once.
const MAX_HOURS: i64 = 120 * 24;

impl SloService {
    /// One page, least budget left first unless asked otherwise. The order is that of the last pass, the figures are of now.
    ///
    /// # Errors
    /// `Invalid` by field, `Unauthenticated`, `NotFound` for a service that may not be seen.
    pub async fn list_slos(&self, ctx: &Ctx, filter: &SloFilter) -> Result<Page<SloRow>> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let limit = limit_or_default(filter.limit)?;
        let service = self.narrowed_to(ctx, filter)?;
        let sort = filter.sort.unwrap_or_default();
        let list = if sort == SloSort::Remaining { "slos:remaining" } else { "slos:name" };
        let after: Option<Place> =
            filter.cursor.as_deref().map(|text| Cursor::decode(&self.keys, list, text)).transpose()?;
        let scope = ctx.read_scope();
        let narrow = narrow(&scope, service, filter);
        let fetch = i64::try_from(limit + 1).map_err(AppError::internal)?;
        let (mut places, total) = page(self.db.pool(), &narrow, sort, after.as_ref(), fetch).await?;
        let more = places.len() > limit;
        places.truncate(limit);
        let next_cursor = match places.last() {
            Some(last) if more => Some(Cursor::encode(&self.keys, list, last)?),
            _ => None,
        };
        let items = self.rows(&places.iter().map(|place| place.id).collect::<Vec<_>>()).await?;
        Ok(Page { items, next_cursor, total: u64::try_from(total).unwrap_or_default() })
    }

    fn narrowed_to(&self, ctx: &Ctx, filter: &SloFilter) -> Result<Option<Uuid>> {
        filter.service.as_ref().map(|key| Ok(self.catalog.service_for(ctx, key)?.id)).transpose()
    }

    /// How many there are of each verdict as the last pass found them, whatever verdict the filter asks for.
    ///
    /// # Errors
    /// As [`Self::list_slos`].
    pub async fn count_slos(&self, ctx: &Ctx, filter: &SloFilter) -> Result<SloCounts> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let (scope, service) = (ctx.read_scope(), self.narrowed_to(ctx, filter)?);
        let narrow = Narrow { verdict: None, ..narrow(&scope, service, filter) };
        counts(self.db.pool(), &narrow).await
    }

    async fn rows(&self, ids: &[Uuid]) -> Result<Vec<SloRow>> {
        let mut found: HashMap<Uuid, Slo> =
            self.definitions.by_ids(self.db.pool(), ids).await?.into_iter().map(|slo| (slo.id, slo)).collect();
        let slos: Vec<Slo> = ids.iter().filter_map(|id| found.remove(id)).collect();
        let mut db = self.db.pool().acquire().await?;
        let figures = compute(&mut db, &slos, now()).await?;
        let ladders = policies::all(&mut *db).await?;
        let sparklines = sparklines(&mut db, &slos, &figures).await?;
        let rows = slos.iter().zip(&figures).zip(sparklines);
        Ok(rows
            .map(|((slo, figures), sparkline)| slo_row(slo, figures, &exact(&ladders.of(slo.tier())), sparkline))
            .collect())
    }

    /// The SLOs of a service, for its page: as in the list, by name.
    ///
    /// # Errors
    /// `NotFound`, `Unauthenticated`, `Unavailable`.
    pub async fn slos_of(&self, ctx: &Ctx, service: &str) -> Result<Vec<SloRow>> {
        let service = self.catalog.service_for(ctx, service)?;
        let slos = self.definitions.of_service(self.db.pool(), service.id).await?;
        self.rows(&slos.iter().map(|slo| slo.id).collect::<Vec<_>>()).await
    }

    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn get_slo(&self, ctx: &Ctx, id: Uuid) -> Result<SloOut> {
        let slo = self.readable(ctx, id).await?;
        self.describe(ctx, &slo).await
    }

    pub(super) async fn describe(&self, ctx: &Ctx, slo: &Slo) -> Result<SloOut> {
        let places = self.places(ctx, slo).await?;
        let mut db = self.db.pool().acquire().await?;
        let now = now();
        let mut all = compute(&mut db, std::slice::from_ref(slo), now).await?;
        let figures = all.pop().ok_or_else(|| AppError::internal("no figures of an SLO"))?;
        let ladders = policies::all(&mut *db).await?;
        let ladder = ladders.of(slo.tier());
        let forecast = forecast(&mut db, slo, &figures, exact(&ladder).block_at).await?;
        let stands = places.into_iter().map(|place| {
            let decision = figures.decide(&exact(&ladders.of(place.tier)));
            standing(place, decision)
        });
        let stands = stands.collect();
        let mut out = slo_out(slo, &figures, &ladder, &forecast, now);
        // Kept in English by the pass, which answers nobody.
        out.source_error = out.source_error.map(|why| ctx.say(&Text::recall(&why)));
        Ok(SloOut { stands, ..out })
    }

    /// The environments that the service is bound to and that the SLO counts for, in their order.
    async fn places(&self, ctx: &Ctx, slo: &Slo) -> Result<Vec<EnvironmentOut>> {
        let bound = self.environments.list_bindings(ctx, Some(&slo.service.key)).await?;
        let mut places = self.environments.list_environments(ctx).await?;
        places.retain(|place| slo.counts_for(place.id) && bound.iter().any(|one| one.environment == place.name));
        Ok(places)
    }

    /// The file that it came in, byte for byte.
    ///
    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn slo_source(&self, ctx: &Ctx, id: Uuid) -> Result<String> {
        let slo = self.readable(ctx, id).await?;
        source_text(self.db.pool(), slo.source_id).await
    }

    /// # Errors
    /// `NotFound` also for what the caller may not see.
    pub async fn list_corrections(&self, ctx: &Ctx, id: Uuid) -> Result<Vec<CorrectionOut>> {
        Ok(self.get_slo(ctx, id).await?.corrections)
    }

    /// Hour by hour: events, burn, and what was left of the budget, corrections taken out.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` by field.
    pub async fn history(&self, ctx: &Ctx, id: Uuid, filter: &SloHistoryFilter) -> Result<Vec<SloHistoryPoint>> {
        let slo = self.readable(ctx, id).await?;
        let now = now();
        let to = filter.to.map_or(now, |to| to.unix_timestamp().min(now));
        let from = filter.from.map_or_else(|| slo.period.at(now).from, time::OffsetDateTime::unix_timestamp);
        let (first, last) = (from.div_euclid(3600), to.div_euclid(3600));
        if from >= to || last - first > MAX_HOURS {
            return Err(AppError::field("/from", text!("must be before /to, by at most 120 days")));
        }
        let mut db = self.db.pool().acquire().await?;
        let mut all = compute(&mut db, std::slice::from_ref(&slo), now).await?;
        let figures = all.pop().ok_or_else(|| AppError::internal("no figures of an SLO"))?;
        let ends: Vec<i64> = (first..last).map(|hour| (hour + 1) * 3600).collect();
        let mut minutes: Vec<i64> = ends.iter().flat_map(|end| [end / 60, end / 60 - 60]).collect();
        minutes.extend(ends.iter().map(|end| period_start(&slo, *end)));
        let totals = corrected(&mut db, slo.id, &minutes, &figures.corrections).await?;
        let (edges, starts) = totals.split_at(ends.len() * 2);
        let unit = outward::unit_ratio(&slo);
        let objective = slo.definition.objective;
        let number = |events: u64| Ratio::whole(i128::from(events)).times(unit).to_f64();
        let points = ends.iter().zip(edges.chunks_exact(2)).zip(starts).map(|((end, edge), start)| {
            let hour = edge[0].since(edge[1]);
            let left = Budget::new(objective, edge[0].since(*start).counts).remaining();
            SloHistoryPoint {
                at: at(*end),
                bad: number(hour.counts.bad),
                total: number(hour.counts.total),
                remaining_ratio: left.to_f64(),
                burn: burn_rate(objective, hour.counts).to_f64(),
                known: u32::try_from(hour.known).unwrap_or_default() * u32::try_from(slo.step_minutes()).unwrap_or(1),
            }
        });
        Ok(points.collect())
    }

    /// What the caller may do with an SLO, for buttons.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn may(&self, ctx: &Ctx, id: Uuid, action: Action) -> Result<bool> {
        let slo = self.readable(ctx, id).await?;
        Ok(crate::kernel::decide(ctx, action, &slo.object()).allowed)
    }
}

fn narrow<'a>(scope: &'a ReadScope, service: Option<Uuid>, filter: &'a SloFilter) -> Narrow<'a> {
    Narrow {
        scope,
        service,
        verdict: filter.verdict.map(BudgetVerdict::as_str),
        team: filter.team.as_deref(),
        system: filter.system.as_deref(),
        environment: filter.environment.as_deref(),
        words: filter.q.as_deref().unwrap_or_default().split_whitespace().map(str::to_lowercase).collect(),
    }
}

fn standing(place: EnvironmentOut, decision: Decision) -> SloStanding {
    SloStanding {
        environment: place.name,
        tier: place.tier,
        verdict: outward::verdict(decision.verdict),
        causes: decision.causes.into_iter().map(outward::cause).collect(),
    }
}

/// The first minute of the period that contains the second before `end`.
pub(super) fn period_start(slo: &Slo, end: i64) -> i64 {
    match &slo.period {
        Period::Rolling { seconds } => end.saturating_sub_unsigned(*seconds).div_euclid(60),
        Period::Calendar(calendar) => calendar.around(end - 1).from.div_euclid(60),
    }
}

/// Burn-downs: what was left of the whole budget at even distances over the period; empty where nothing was measured.
async fn sparklines(db: &mut PgConnection, slos: &[Slo], figures: &[Figures]) -> Result<Vec<Vec<f64>>> {
    let asked = slos.iter().zip(figures).map(|(slo, figures)| {
        let first = figures.progress.first_minute.unwrap_or(figures.end_minute);
        let begin = figures.whole.from.div_euclid(60).max(first);
        let span = figures.end_minute - begin;
        let minutes = if span > 0 { (0..=SPARKS).map(|i| begin + span * i / SPARKS).collect() } else { Vec::new() };
        Asked { slo: slo.id, minutes, corrections: &figures.corrections }
    });
    let totals = corrected_each(db, &asked.collect::<Vec<_>>()).await?;
    Ok(slos.iter().zip(totals).map(|(slo, totals)| burn_down(slo, &totals)).collect())
}

fn burn_down(slo: &Slo, totals: &[Running]) -> Vec<f64> {
    let [start, .., end] = totals else { return Vec::new() };
    let whole = end.since(*start).counts.total;
    let left = totals.iter().skip(1).map(|at| {
        let spent = Counts::new(at.since(*start).counts.bad, whole);
        Budget::new(slo.definition.objective, spent).remaining().to_f64()
    });
    left.collect()
}

/// The windows that are shown, by name.
pub(in super::super) fn shown(figures: &Figures) -> impl Iterator<Item = (String, f64)> + '_ {
    SHOWN.iter().map(|(name, seconds)| ((*name).to_owned(), figures.burn(*seconds).to_f64()))
}
