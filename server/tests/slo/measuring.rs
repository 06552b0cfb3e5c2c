//! Against a real Prometheus with a made-up history: every event is counted once.

use crate::peer::Prometheus;
use crate::support::{Shop, now, root};
use passerelle_contract::environments::Tier;
use passerelle_contract::slo::{BudgetVerdict, CorrectionIn, SloCause, SloHistoryFilter, SloState};
use std::fmt::Write as _;
use time::OffsetDateTime;

const DAYS: i64 = 8;
/// The first error of all comes with the series that counts it.
const INCIDENT: (i64, i64) = (2 * 1440, 2 * 1440 + 100);
const RESTART: i64 = 4 * 1440;

/// 100 events a minute for eight days up to now; 50 of 100 are bad for 100 minutes; the process restarts once; a histogram beside it.
pub fn history(end_minute: i64) -> String {
    let mut text = String::new();
    let first = end_minute - DAYS * 1440;
    let label = "service=\"web\",job=\"services\",instance=\"i\"";
    for (family, lines) in [
        ("http_requests", vec![("http_requests_total", "code=\"200\","), ("http_requests_total", "code=\"503\",")]),
        ("up", vec![("up", "")]),
    ] {
        let kind = if family == "up" { "gauge" } else { "counter" };
        writeln!(text, "# TYPE {family} {kind}").unwrap();
        for (metric, code) in lines {
            let mut value = 0_i64;
            for minute in 0..=DAYS * 1440 {
                if minute == RESTART {
                    value = 0;
                }
                let incident = (INCIDENT.0..INCIDENT.1).contains(&minute);
                let step = match code {
                    "code=\"503\"," if incident => 50,
                    "code=\"503\"," => 0,
                    _ if incident => 50,
                    _ => 100,
                };
                value += step;
                // The series of errors is born with its first error.
                if code.contains("503") && minute < INCIDENT.0 {
                    continue;
                }
                let shown = if metric == "up" { 1 } else { value };
                writeln!(text, "{metric}{{{code}{label}}} {shown} {}", (first + minute) * 60).unwrap();
            }
        }
    }
    text.push_str("# EOF\n");
    text
}

pub const AVAILABILITY: &str = "service_level_objectives: [{name: Web, sli: availability, target: 90, window: 7d}]";

/// Events of the last seven days up to minute `end`, as the text above has them.
fn expected(end_minute: i64, measured_to: i64) -> (f64, f64) {
    let first = end_minute - DAYS * 1440;
    let from = measured_to - 7 * 1440;
    let minutes = (from..measured_to).map(|minute| minute + 1 - first).filter(|minute| *minute <= DAYS * 1440);
    let (mut bad, mut total) = (0.0, 0.0);
    for minute in minutes {
        let incident = (INCIDENT.0..INCIDENT.1).contains(&minute);
        bad += if incident { 50.0 } else { 0.0 };
        total += 100.0;
    }
    (bad, total)
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_read_to_the_event_and_only_once() {
    let end = now().div_euclid(60);
    let Some(mut prometheus) = Prometheus::with(&history(end)).await else { return };
    let shop = Shop::open(&prometheus.url).await;
    let id = shop.import(AVAILABILITY).await[0];
    shop.pass().await;
    let slo = shop.slo(id).await;
    assert_eq!(slo.source_error, None);
    // The newest minute that was measured: everything is counted up to its end.
    let measured_to = slo.period_to.unix_timestamp() / 60;
    let (bad, total) = expected(end, measured_to);
    assert_eq!((slo.bad, slo.total), (bad, total), "up to {} of {end}", measured_to);
    assert_eq!((slo.state, slo.coverage), (SloState::Ok, 1.0));
    assert_eq!(slo.verdict, BudgetVerdict::Ok);
    assert_eq!(slo.causes, [SloCause::BudgetLeft]);
    shop.pass().await;
    shop.pass().await;
    let again = shop.slo(id).await;
    assert!(again.total - total <= 100.0 && again.bad == bad, "read again: {} {}", again.bad, again.total);
    // Yesterday was counted by the source itself too, once the first pass had read it.
    let drift = again.drift.unwrap();
    assert!(drift.abs() < 0.000_1, "reconciled with {drift}");
    let reading = shop.reading(Tier::Production).await;
    assert_eq!((reading.verdict, reading.slos.len()), (BudgetVerdict::Ok, 1));
    outage(&shop, &mut prometheus, id).await;
    corrected(&shop, id, end).await;
}

/// The source goes away: stale blocks production and warns elsewhere. It comes back: as before.
async fn outage(shop: &Shop, prometheus: &mut Prometheus, id: uuid::Uuid) {
    prometheus.stop();
    shop.pass().await;
    assert!(shop.slo(id).await.source_error.unwrap().contains("did not answer"));
    shop.execute("UPDATE slo_progress SET last_minute = last_minute - 6").await;
    let (production, staging) = (shop.reading(Tier::Production).await, shop.reading(Tier::Staging).await);
    assert_eq!((production.verdict, production.slos[0].causes.clone()), (BudgetVerdict::Block, vec![SloCause::Stale]));
    assert_eq!(staging.verdict, BudgetVerdict::Warn);
    prometheus.start_again().await;
    shop.pass().await;
    assert_eq!(shop.slo(id).await.source_error, None);
    assert_eq!(shop.reading(Tier::Production).await.verdict, BudgetVerdict::Ok);
}

/// A correction over the incident takes its events out; the history shows it.
async fn corrected(shop: &Shop, id: uuid::Uuid, end: i64) {
    let begin = (end - DAYS * 1440 + INCIDENT.0 - 1) * 60;
    let at = |second| OffsetDateTime::from_unix_timestamp(second).unwrap();
    let correction = CorrectionIn { from: at(begin), to: at(begin + 6000), reason: "another team's outage".to_owned() };
    let before = shop.slo(id).await;
    let made = shop.portal.slo.add_correction(&root(), id, correction).await.unwrap();
    let after = shop.slo(id).await;
    assert_eq!((after.bad, after.remaining.as_str()), (0.0, "1.000000"));
    assert!((before.total - after.total - 10_000.0).abs() < 101.0);
    assert_eq!((made.remaining_after.as_str(), made.approver.as_str()), ("1.000000", "ann"));
    assert_ne!(made.remaining_before, "1.000000");
    let points = shop.portal.slo.history(&root(), id, &SloHistoryFilter::default()).await.unwrap();
    assert!(points.len() >= 167 && points.last().unwrap().remaining_ratio > 0.999_999);
    assert!(points.iter().all(|point| point.bad == 0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_goes_from_warn_to_block_as_the_budget_goes() {
    let end = now().div_euclid(60);
    let Some(prometheus) = Prometheus::with(&history(end)).await else { return };
    let shop = Shop::open(&prometheus.url).await;
    // 5,000 bad of 1,008,000 in seven days: 0.496 %.
    let files = [("99", "ok"), ("99.4", "warn"), ("99.46", "approval"), ("99.55", "block")];
    for (target, name) in files {
        shop.import(&format!(
            "service_level_objectives: [{{name: {name}, sli: availability, target: {target}, window: 7d}}]"
        ))
        .await;
    }
    shop.pass().await;
    let reading = shop.reading(Tier::Production).await;
    let verdicts: Vec<_> = reading.slos.iter().map(|slo| (slo.name.as_str(), slo.verdict)).collect();
    assert_eq!(
        verdicts,
        [
            ("block", BudgetVerdict::Block),
            ("approval", BudgetVerdict::Approval),
            ("warn", BudgetVerdict::Warn),
            ("ok", BudgetVerdict::Ok)
        ]
    );
    assert_eq!(reading.verdict, BudgetVerdict::Block);
    assert_eq!(reading.slos[0].causes, [SloCause::BudgetExhausted]);
    assert_eq!(reading.slos[0].bad, "5000");
    // The incident leaves the window in about a day.
    let frees = reading.frees_in_s.unwrap();
    assert!((80_000..100_000).contains(&frees), "{frees}");
    let list = shop.portal.slo.list_slos(&root(), &passerelle_contract::slo::SloFilter::default()).await.unwrap();
    let names: Vec<_> = list.items.iter().map(|slo| slo.name.as_str()).collect();
    assert_eq!(names, ["block", "approval", "warn", "ok"]);
    assert_eq!(list.items[0].sparkline.len(), 24);
}
