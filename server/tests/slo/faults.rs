//! Sources that misbehave: the figures say so, and never anything better than the truth.

use crate::support::{Shop, now};
use axum::Router;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use parking_lot::Mutex;
use passerelle_contract::environments::Tier;
use passerelle_contract::slo::{BudgetVerdict, SloCause, SloState};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Well,
    Idle,
    Empty,
    NotANumber,
    Infinite,
    MinusInfinite,
    /// Of all requests only: next to that many none is bad.
    InfiniteTotal,
    Error200,
    /// As Prometheus says that a query took too long.
    Error503,
    /// As it says that it does not understand one.
    Error400,
    Status500,
    Slow,
    Garbage,
    Forbidden,
    /// Its own count of a day is another one.
    Drifting,
}

type Shared = Arc<Mutex<Mood>>;

/// Ten requests a minute, of which one is bad.
async fn range(State(mood): State<Shared>, Form(form): Form<HashMap<String, String>>) -> Response {
    let mood = *mood.lock();
    let number = |name: &str| form[name].parse::<i64>().unwrap();
    let bad = form["query"].contains("5..");
    let value = match mood {
        Mood::NotANumber => "NaN",
        Mood::Infinite => "+Inf",
        Mood::MinusInfinite => "-Inf",
        Mood::InfiniteTotal if !bad => "+Inf",
        Mood::Idle => "0",
        _ if bad => "1",
        _ => "10",
    };
    let values: Vec<Value> = (number("start")..=number("end")).step_by(60).map(|at| json!([at, value])).collect();
    let series = json!([{"metric": {"service": "web"}, "values": values}]);
    let good =
        |result: Value| axum::Json(json!({"status": "success", "data": {"resultType": "matrix", "result": result}}));
    match mood {
        Mood::Empty => good(json!([])).into_response(),
        Mood::Error200 => {
            axum::Json(json!({"status": "error", "errorType": "timeout", "error": "too slow"})).into_response()
        }
        Mood::Error503 => {
            let text = json!({"status": "error", "errorType": "timeout", "error": "query timed out in expression"});
            (StatusCode::SERVICE_UNAVAILABLE, axum::Json(text)).into_response()
        }
        Mood::Error400 => {
            let text = json!({"status": "error", "errorType": "bad_data", "error": "1:3: parse error: secret_metric"});
            (StatusCode::BAD_REQUEST, axum::Json(text)).into_response()
        }
        Mood::Status500 => (StatusCode::INTERNAL_SERVER_ERROR, "boom").into_response(),
        Mood::Garbage => "<html>".into_response(),
        Mood::Forbidden => StatusCode::FORBIDDEN.into_response(),
        Mood::Slow => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            good(series).into_response()
        }
        _ => good(series).into_response(),
    }
}

/// What it counted in a day: ten a minute, or another source's truth.
async fn total(State(mood): State<Shared>) -> Response {
    let value = if *mood.lock() == Mood::Drifting { "15000" } else { "14400" };
    let series = json!([{"metric": {}, "value": [0, value]}]);
    axum::Json(json!({"status": "success", "data": {"resultType": "vector", "result": series}})).into_response()
}

async fn source() -> (String, Shared) {
    let mood = Arc::new(Mutex::new(Mood::Well));
    let router = Router::new()
        .route("/prefix/api/v1/query_range", post(range))
        .route("/prefix/api/v1/query", post(total))
        .with_state(Arc::clone(&mood));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prefix", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, mood)
}

const FILE: &str = "service_level_objectives: [{name: Web, sli: availability, target: 50, window: 1d}]";

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_told_and_blocks_production_when_it_lasts() {
    let (url, mood) = source().await;
    let shop = Shop::open(&url).await;
    let id = shop.import(FILE).await[0];
    assert_eq!(shop.slo(id).await.state, SloState::NoData, "nothing was measured yet");
    assert_eq!(shop.reading(Tier::Production).await.slos[0].causes, [SloCause::NoData]);
    shop.pass().await;
    let well = shop.slo(id).await;
    assert_eq!((well.verdict, well.state, well.remaining.as_str()), (BudgetVerdict::Ok, SloState::Ok, "0.800000"));
    for (fault, text) in [
        (Mood::Error200, Some("timeout")),
        (Mood::Error503, Some("503")),
        (Mood::Error400, Some("bad_data")),
        (Mood::Status500, Some("HTTP 500")),
        (Mood::Garbage, Some("could not be understood")),
        (Mood::Forbidden, Some("credentials")),
        (Mood::Slow, Some("no answer in time")),
        (Mood::Empty, None),
        (Mood::NotANumber, None),
        (Mood::Infinite, None),
        (Mood::MinusInfinite, None),
        (Mood::InfiniteTotal, None),
    ] {
        *mood.lock() = fault;
        shop.pass().await;
        let slo = shop.slo(id).await;
        assert_eq!(slo.source_error.is_some(), text.is_some(), "{fault:?}");
        let said = slo.source_error.unwrap_or_default();
        assert!(said.contains(text.unwrap_or_default()) && !said.contains("secret_metric"), "{fault:?}: {said}");
        assert_eq!(slo.remaining, "0.800000", "{fault:?}: what is known stays known");
        // Ten minutes later.
        for (tier, verdict) in [(Tier::Production, BudgetVerdict::Block), (Tier::Staging, BudgetVerdict::Warn)] {
            let reading = shop.reading_at(tier, now() + 600).await;
            assert_eq!((reading.verdict, reading.slos[0].causes[0]), (verdict, SloCause::Stale), "{fault:?}");
        }
    }
    *mood.lock() = Mood::Well;
    shop.pass().await;
    assert_eq!(shop.reading(Tier::Production).await.verdict, BudgetVerdict::Ok);
}

/// From its first sample on, so that nothing is known from before.
#[tokio::test(flavor = "multi_thread")]
async fn who_never_told_a_number_has_told_nothing() {
    for fault in [Mood::NotANumber, Mood::Infinite, Mood::MinusInfinite, Mood::InfiniteTotal] {
        let (url, mood) = source().await;
        *mood.lock() = fault;
        let shop = Shop::open(&url).await;
        let id = shop.import(FILE).await[0];
        shop.pass().await;
        let slo = shop.slo(id).await;
        assert_eq!((slo.state, slo.source_error), (SloState::NoData, None), "{fault:?}");
        for (tier, verdict) in [(Tier::Production, BudgetVerdict::Block), (Tier::Staging, BudgetVerdict::Warn)] {
            let reading = shop.reading(tier).await;
            assert_eq!((reading.verdict, reading.slos[0].causes[0]), (verdict, SloCause::NoData), "{fault:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_traffic_is_not_no_data() {
    let (url, mood) = source().await;
    *mood.lock() = Mood::Idle;
    let shop = Shop::open(&url).await;
    let id = shop.import(FILE).await[0];
    shop.pass().await;
    let slo = shop.slo(id).await;
    assert_eq!((slo.state, slo.verdict, slo.total), (SloState::NoTraffic, BudgetVerdict::Ok, 0.0));
    assert_eq!(slo.causes, [SloCause::NoTraffic]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_partial_until_it_is_filled_and_nothing_counts_twice() {
    let (url, _) = source().await;
    let shop = Shop::open(&url).await;
    let id = shop.import(FILE).await[0];
    shop.pass().await;
    let whole = shop.slo(id).await;
    // Two hours that were never read, in the middle of the day.
    shop.execute(
        "WITH gap AS (DELETE FROM slo_hours WHERE hour IN (SELECT (extract(epoch FROM now()) / 3600)::bigint - n FROM generate_series(6, 7) n)
                      RETURNING hour)
         UPDATE slo_hours SET bad_before = bad_before - 120000, total_before = total_before - 1200000, known_before = known_before - 120
         WHERE hour > (SELECT max(hour) FROM gap)",
    )
    .await;
    let gap = shop.slo(id).await;
    assert_eq!(gap.state, SloState::Partial);
    assert!(gap.coverage < 0.95 && (whole.total - gap.total - 1200.0).abs() < 11.0, "{} {}", whole.total, gap.total);
    assert_eq!(shop.reading(Tier::Production).await.slos[0].causes, [SloCause::Partial]);
    shop.execute("UPDATE slo_progress SET read_to = read_to - 480").await;
    shop.pass().await;
    let filled = shop.slo(id).await;
    assert_eq!(filled.state, SloState::Ok);
    assert!((whole.total - filled.total).abs() <= 10.0, "{} {}", whole.total, filled.total);
    assert_eq!(filled.remaining, "0.800000");
}

/// The source is away for two hours and comes back: what was missed is read, each minute once, and a day of it agrees with the source.
#[tokio::test(flavor = "multi_thread")]
async fn two_hours_away_are_read_afterwards_each_minute_once() {
    let (url, mood) = source().await;
    let shop = Shop::open(&url).await;
    let id = shop.import(FILE).await[0];
    let (gone, back) = (now() - 3 * 3600, now() - 3600);
    shop.pass_at(gone).await;
    assert_eq!(shop.reading_at(Tier::Production, gone).await.verdict, BudgetVerdict::Ok);
    *mood.lock() = Mood::Status500;
    for minutes in [0, 3, 6, 60, 119] {
        let at = gone + minutes * 60;
        shop.pass_at(at).await;
        let wanted = if minutes <= 3 { BudgetVerdict::Ok } else { BudgetVerdict::Block };
        assert_eq!(shop.reading_at(Tier::Production, at).await.verdict, wanted, "after {minutes} minutes");
        let staging = shop.reading_at(Tier::Staging, at).await.verdict;
        assert_eq!(staging, wanted.min(BudgetVerdict::Warn), "after {minutes} minutes");
    }
    *mood.lock() = Mood::Well;
    shop.pass_at(back).await;
    let reading = shop.reading_at(Tier::Production, back).await;
    assert_eq!((reading.verdict, reading.slos[0].remaining.as_str()), (BudgetVerdict::Ok, "0.800000"), "at once");
    for at in [now() - 60, now(), now()] {
        shop.pass_at(at).await;
    }
    // Counted in one go, by another objective.
    let other = shop.import(&FILE.replace("Web", "Whole")).await[0];
    shop.pass().await;
    let (slo, whole) = (shop.slo(id).await, shop.slo(other).await);
    assert_eq!((slo.bad, slo.total, slo.coverage), (whole.bad, whole.total, 1.0));
    assert_eq!((slo.total, slo.state), (14_400.0, SloState::Ok));
    assert!(slo.drift.unwrap().abs() < 0.000_1, "reconciled with {:?}", slo.drift);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_counted_something_else_makes_it_partial() {
    let (url, mood) = source().await;
    *mood.lock() = Mood::Drifting;
    let shop = Shop::open(&url).await;
    let id = shop.import(FILE).await[0];
    shop.pass().await;
    shop.pass().await;
    let slo = shop.slo(id).await;
    assert!((slo.drift.unwrap() + 0.04).abs() < 0.000_1, "{:?}", slo.drift);
    assert_eq!((slo.state, shop.reading(Tier::Production).await.verdict), (SloState::Partial, BudgetVerdict::Block));
}
