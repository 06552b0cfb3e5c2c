//! What was burnt since a moment, for whoever watches a deployment.

use super::super::figures::{compute, corrected};
use super::super::outward;
use super::SloService;
use crate::kernel::Result;
use passerelle_slo_math::{Counts, Ratio, STALE_AFTER_S, burn_rate};
use uuid::Uuid;

/// Fewer minutes say nothing.
const LEAST_MINUTES: i64 = 2;

/// The burn of one SLO from a moment until now.
#[derive(Debug, Clone, PartialEq)]
pub struct Burnt {
    pub title: String,
    pub counts: Counts,
    /// 1 spends exactly the budget in the period.
    pub rate: Ratio,
    pub minutes: i64,
}

impl SloService {
    /// The SLOs of a service that count in an environment, from the first whole minute after `since` (seconds since 1970) to the newest
    /// sample. Left out are those with fewer than two minutes, with old samples, or with fewer bad events than their alerts ask for.
    /// Decides nothing about who asks.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn burnt_since(&self, service: Uuid, environment: Uuid, since: i64, now: i64) -> Result<Vec<Burnt>> {
        let mut db = self.db.pool().acquire().await?;
        let mut slos = self.definitions.of_service(&mut *db, service).await?;
        slos.retain(|slo| slo.counts_for(environment));
        let figures = compute(&mut db, &slos, now).await?;
        let mut burnt = Vec::with_capacity(slos.len());
        for (slo, figures) in slos.iter().zip(&figures) {
            let step = slo.step_minutes();
            let from = (since + 59).div_euclid(60) + step - 1;
            let from = from.div_euclid(step) * step;
            let minutes = figures.end_minute - from;
            let fresh = figures.age_s.is_some_and(|age| age <= STALE_AFTER_S);
            if !fresh || minutes < LEAST_MINUTES.max(step) {
                continue;
            }
            let totals = corrected(&mut db, slo.id, &[from, figures.end_minute], &figures.corrections).await?;
            let [before, after] = totals[..] else { continue };
            let counts = after.since(before).counts;
            if counts.bad == 0 || counts.bad < outward::least_bad(slo) {
                continue;
            }
            let rate = burn_rate(slo.definition.objective, counts);
            burnt.push(Burnt { title: slo.definition.title.clone(), counts, rate, minutes });
        }
        Ok(burnt)
    }
}
