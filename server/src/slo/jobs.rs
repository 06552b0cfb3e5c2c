//! The pass: reads every source for every SLO, keeps the samples, and notes what is left of the budgets.

use super::figures::compute;
use super::incidents;
use super::measure::{Samples, Written, lay, questions, samples};
use super::model::Slo;
use super::outward;
use super::service::SloService;
use super::store::policies::{self, exact};
use super::store::samples::{Hour, Running, forget_before, hours, running, shift_after, write};
use super::store::status::{Advance, Before, Found, Progress, advance, before, lease, note, progress, reconciled};
use crate::kernel::{AppError, Result};
use passerelle_contract::{Text, text};
use passerelle_metrics::{MetricSource, Range, SourceError};
use passerelle_slo_formats::Sli;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const JOB: &str = "slo.measure";
const EVERY: Duration = Duration::from_secs(15);
const LEASE_S: i32 = 60;
/// Minutes that are read again each pass, because samples come late.
const AGAIN: i64 = 5;
/// Points that a source answers at once; Prometheus refuses more than 11,000.
const CHUNK_POINTS: i64 = 10_000;
/// SLOs whose history is read together.
const CATCH_UP: usize = 100;
/// How far behind an SLO may be and still be read with the others.
const LIVE_MINUTES: i64 = 30;
/// Seconds that a sample may take to arrive before its minute is asked for.
const LAG_S: i64 = 5;
const KEEP_HOURS: i64 = 400 * 24;
/// Reconciliations of one pass.
const RECONCILE: usize = 20;

/// SLOs that are read together, each with its first minute: by connection, length of a step, and the hour where those far behind begin.
type Groups<'s> = BTreeMap<(Uuid, u32, Option<i64>), Vec<(&'s Slo, i64)>>;

/// Measures in the background; the lease lets one process of several do it.
#[derive(Debug, Clone)]
pub struct Measurer {
    service: SloService,
    owner: String,
}

impl Measurer {
    #[must_use]
    pub fn new(service: SloService) -> Self {
        Self { service, owner: Uuid::now_v7().to_string() }
    }

    /// Measures until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            match lease(self.service.db.pool(), JOB, &self.owner, LEASE_S).await {
                Ok(true) => {
                    let start = Instant::now();
                    match self.pass(OffsetDateTime::now_utc().unix_timestamp()).await {
                        Ok(slos) => {
                            tracing::debug!(slos, elapsed_ms = start.elapsed().as_millis(), "objectives were measured");
                        }
                        Err(error) => tracing::warn!(%error, "a pass over the SLOs failed"),
                    }
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the lease of the SLO pass could not be taken"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// One pass at a moment (seconds since 1970). Answers how many SLOs there are.
    ///
    /// # Errors
    /// When the database is away; a source that is away is noted with its SLOs.
    pub async fn pass(&self, now: i64) -> Result<usize> {
        let slos = self.service.definitions.every(self.service.db.pool()).await?;
        let ids: Vec<Uuid> = slos.iter().map(|slo| slo.id).collect();
        let known: HashMap<Uuid, Progress> =
            progress(self.service.db.pool(), &ids).await?.into_iter().map(|one| (one.slo_id, one)).collect();
        let mut groups = Groups::new();
        let to = now.saturating_sub(LAG_S).div_euclid(60) - 1;
        for slo in &slos {
            let from = start(slo, known.get(&slo.id), now, to);
            // Those far behind are read with others that are as far behind.
            let behind = (to - from > LIVE_MINUTES).then(|| from.div_euclid(60));
            let key = (slo.connection_id, slo.definition.method.step_s(), behind);
            groups.entry(key).or_default().push((slo, from));
        }
        for ((connection, _, behind), members) in groups {
            let source = self.service.source(connection).await;
            let size = if behind.is_some() { CATCH_UP } else { members.len().max(1) };
            for part in members.chunks(size) {
                self.read_part(&source, part, to).await?;
            }
        }
        self.reconcile(&slos, &known, now).await?;
        self.note_all(&slos, now).await?;
        if now.div_euclid(3600) % 24 == 3 {
            forget_before(self.service.db.pool(), now.div_euclid(3600) - KEEP_HOURS).await?;
        }
        Ok(slos.len())
    }

    /// Reads one group from the earliest of its starts to now, in chunks.
    async fn read_part(&self, source: &SourceResult, part: &[(&Slo, i64)], to: i64) -> Result<()> {
        let source = match source {
            Ok(source) => source,
            Err(text) => return self.note_failure(part, text).await,
        };
        let Some(step) = part.first().map(|(slo, _)| slo.step_minutes()) else { return Ok(()) };
        let mut from = part.iter().map(|(_, from)| *from).min().unwrap_or(to);
        while from <= to {
            let last = to.min(from + (CHUNK_POINTS - 1) * step);
            if !self.read_chunk(source.as_ref(), part, from, last).await? {
                return Ok(());
            }
            lease(self.service.db.pool(), JOB, &self.owner, LEASE_S).await?;
            from = last + 1;
        }
        Ok(())
    }

    /// The samples that end in minutes `from` to `to`. False when none of the SLOs could be read.
    async fn read_chunk(&self, source: &dyn MetricSource, part: &[(&Slo, i64)], from: i64, to: i64) -> Result<bool> {
        let Some(step) = part.first().map(|(slo, _)| slo.step_minutes()) else { return Ok(false) };
        let range =
            Range { from: -(-(from + 1)).div_euclid(step) * step * 60, to: (to + 1).div_euclid(step) * step * 60 };
        if range.from > range.to {
            return Ok(true);
        }
        let mut wanted = Vec::new();
        let mut spans = Vec::with_capacity(part.len());
        for (slo, _) in part {
            let asked = questions(&slo.definition);
            spans.push(wanted.len()..wanted.len() + asked.len());
            wanted.extend(asked);
        }
        let answers = source.read(&wanted, range).await;
        let (mut read, mut advances) = (Vec::new(), Vec::new());
        for ((slo, _), span) in part.iter().zip(spans) {
            let own: Result<Vec<_>, SourceError> = answers[span].iter().cloned().collect();
            let found = own.map(|points| samples(&slo.definition, &points));
            let (first, last) = match &found {
                Ok(found) => (found.keys().next().copied(), found.keys().next_back().copied()),
                Err(_) => (None, None),
            };
            advances.push(Advance {
                slo_id: slo.id,
                seen: slo.updated_at,
                read_to: found.is_ok().then_some(to),
                first_minute: first,
                last_minute: last,
                source_error: found.as_ref().err().map(ToString::to_string),
            });
            if let Ok(found) = found
                && !found.is_empty()
            {
                read.push((slo.id, found));
            }
        }
        let any = advances.iter().any(|advance| advance.read_to.is_some());
        self.keep(&read, &advances).await?;
        Ok(any)
    }

    async fn keep(&self, read: &[(Uuid, Samples)], advances: &[Advance]) -> Result<()> {
        let mut tx = self.service.db.pool().begin().await?;
        let ids: Vec<Uuid> = read.iter().map(|(id, _)| *id).collect();
        let edge =
            |of: fn(&Samples) -> Option<&i64>| read.iter().filter_map(move |(_, s)| of(s)).map(|m| m.div_euclid(60));
        let first = edge(|samples| samples.keys().next()).min().unwrap_or_default();
        let last = edge(|samples| samples.keys().next_back()).max().unwrap_or_default();
        let mut stored: HashMap<Uuid, Vec<Hour>> = HashMap::new();
        for hour in hours(&mut *tx, &ids, first, last).await? {
            stored.entry(hour.slo_id).or_default().push(hour);
        }
        let starts: Vec<(Uuid, i64)> =
            read.iter().filter_map(|(id, samples)| Some((*id, samples.keys().next()?.div_euclid(60) * 60))).collect();
        let befores: Vec<Running> = running(&mut *tx, &starts).await?;
        let mut changed = Vec::new();
        let mut shifts = Vec::new();
        for ((id, samples), before) in read.iter().zip(befores) {
            let existing = stored.get(id).map_or(&[][..], Vec::as_slice);
            if let Some(Written { hours, shift, last_hour }) = lay(*id, samples, existing, before) {
                changed.extend(hours);
                if shift != (0, 0, 0) {
                    shifts.push((*id, last_hour, shift));
                }
            }
        }
        let now_hour = OffsetDateTime::now_utc().unix_timestamp().div_euclid(3600);
        for (id, hour, shift) in shifts.into_iter().filter(|(_, hour, _)| *hour < now_hour) {
            shift_after(&mut tx, id, hour, shift).await?;
        }
        write(&mut tx, &changed).await?;
        advance(&mut *tx, advances).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn note_failure(&self, part: &[(&Slo, i64)], why: &Text) -> Result<()> {
        let advances: Vec<Advance> = part
            .iter()
            .map(|(slo, _)| Advance {
                slo_id: slo.id,
                seen: slo.updated_at,
                read_to: None,
                first_minute: None,
                last_minute: None,
                source_error: Some(why.to_string()),
            })
            .collect();
        advance(self.service.db.pool(), &advances).await
    }

    /// Compares yesterday with the source's own count, once a day for each SLO of events.
    async fn reconcile(&self, slos: &[Slo], known: &HashMap<Uuid, Progress>, now: i64) -> Result<()> {
        let midnight = now.div_euclid(86_400) * 86_400;
        let due = slos.iter().filter(|slo| {
            let progress = known.get(&slo.id);
            let done = progress.and_then(|p| p.reconciled_at).is_some_and(|at| at.unix_timestamp() >= midnight);
            let whole_day = progress.and_then(|p| p.first_minute).is_some_and(|first| first * 60 <= midnight - 86_400);
            let read = progress.and_then(|p| p.read_to).is_some_and(|to| to * 60 > midnight);
            !done && whole_day && read && !super::measure::counts_slices(&slo.definition)
        });
        for slo in due.take(RECONCILE) {
            let Ok(source) = self.service.source(slo.connection_id).await else { continue };
            let (Sli::Good { total, .. } | Sli::Bad { total, .. }) = &slo.definition.sli else { continue };
            let Ok(theirs) = source.total(total, 86_400, midnight).await else { continue };
            let mut db = self.service.db.pool().acquire().await?;
            let edges = [(slo.id, midnight / 60 - 1440), (slo.id, midnight / 60)];
            let totals = running(&mut *db, &edges).await?;
            let ours = totals[1].since(totals[0]).counts.total;
            reconciled(&mut *db, slo.id, drift(ours, theirs)).await?;
        }
        Ok(())
    }

    async fn note_all(&self, slos: &[Slo], now: i64) -> Result<()> {
        let ladders = policies::all(self.service.db.pool()).await?;
        for part in slos.chunks(1000) {
            let mut tx = self.service.db.pool().begin().await?;
            let figures = compute(&mut tx, part, now).await?;
            let ids: Vec<Uuid> = part.iter().map(|slo| slo.id).collect();
            let befores: HashMap<Uuid, Before> =
                before(&mut tx, &ids).await?.into_iter().map(|one| (one.slo_id, one)).collect();
            let mut found = Vec::with_capacity(part.len());
            for (slo, figures) in part.iter().zip(&figures) {
                let decision = figures.decide(&exact(&ladders.of(slo.tier())));
                let before = befores.get(&slo.id);
                incidents::tell_change(&mut tx, slo, figures, &decision, before).await?;
                found.push(Found {
                    slo_id: slo.id,
                    remaining: figures.remaining().to_f64(),
                    verdict: outward::verdict(decision.verdict).as_str(),
                    state: figures.state.as_str(),
                    incidents_to: incidents::look(&mut tx, slo, figures, before).await?,
                });
            }
            note(&mut *tx, &found).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

pub(super) type SourceResult = Result<Arc<dyn MetricSource>, Text>;

/// The first minute to read: the period's begin for a new SLO, otherwise a little before what was read.
fn start(slo: &Slo, progress: Option<&Progress>, now: i64, to: i64) -> i64 {
    match progress.and_then(|progress| progress.read_to) {
        Some(read_to) => read_to.min(to) - AGAIN + 1,
        // The newest sample is some minutes old, so the period that ends with it begins as much earlier.
        None => slo.period.at(now).from.div_euclid(60).min(to - 3 * 1440) - AGAIN,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share for people to read")]
fn drift(ours: u64, theirs: Option<i64>) -> Option<f64> {
    let theirs = theirs.filter(|theirs| *theirs > 0)?;
    Some((ours as f64 - theirs as f64) / theirs as f64)
}

impl SloService {
    /// The source behind a connection, or why there is none.
    pub(super) async fn source(&self, connection: Uuid) -> SourceResult {
        self.open_source(connection).await.map_err(|error| match error {
            AppError::Internal(_) | AppError::Unavailable(_) => text!("the connection could not be opened"),
            other => other.detail(),
        })
    }
}
