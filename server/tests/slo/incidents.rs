//! What the pass tells of: a verdict that changed, once, and an incident that spent more than a fifth of a budget, once.

use crate::support::{Shop, ctx, now, pointers, root};
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use parking_lot::Mutex;
use passerelle_contract::access::{Role, Scope};
use passerelle_contract::postmortems::{PostmortemCloseIn, PostmortemFilter, PostmortemOut, PostmortemState};
use passerelle_contract::slo::BudgetVerdict;
use passerelle_server::kernel::AppError;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// A hundred events a minute; all of them fail in these minutes. Without an answer it is away.
#[derive(Debug, Clone, Default)]
struct Source(Arc<Mutex<(Vec<Range<i64>>, bool)>>);

impl Source {
    async fn start() -> (Self, String) {
        let source = Self::default();
        let router = Router::new().route("/api/v1/query_range", post(range)).with_state(source.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (source, url)
    }

    fn fails(&self, from: i64, minutes: i64) {
        self.0.lock().0.push(from..from + minutes);
    }

    fn away(&self, away: bool) {
        self.0.lock().1 = away;
    }
}

async fn range(State(source): State<Source>, Form(form): Form<HashMap<String, String>>) -> Response {
    let (failing, away) = source.0.lock().clone();
    if away {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let number = |name: &str| form[name].parse::<i64>().unwrap();
    let fails = |at: i64| failing.iter().any(|range| range.contains(&(at / 60 - 1)));
    let value = |at: i64| if form["query"].contains("5..") && !fails(at) { "0" } else { "100" };
    let values: Vec<Value> = (number("start")..=number("end")).step_by(60).map(|at| json!([at, value(at)])).collect();
    let series = json!([{"metric": {"service": "web"}, "values": values}]);
    Json(json!({"status": "success", "data": {"resultType": "matrix", "result": series}})).into_response()
}

/// 10,080 minutes of a hundred events: 10,080 may fail, a fifth of them in twenty minutes and ten seconds.
const FILE: &str = "service_level_objectives: [{name: Web, sli: availability, target: 99, window: 7d}]";

async fn tasks(shop: &Shop, state: Option<PostmortemState>) -> Vec<PostmortemOut> {
    let filter = PostmortemFilter { state, ..PostmortemFilter::default() };
    shop.portal.slo.list_postmortems(&root(), &filter).await.unwrap()
}

impl Shop {
    /// Passes at the end of each of these minutes.
    async fn passes(&self, minutes: impl IntoIterator<Item = i64>) {
        for minute in minutes {
            self.pass_at(minute * 60 + 70).await;
        }
    }

    async fn told(&self, kind: &str) -> Vec<Value> {
        let all = self
            .texts("SELECT jsonb_build_object('kind', kind, 'service', service, 'environment', environment, 'payload', payload)::text
                    FROM outbox_events ORDER BY id")
            .await;
        let all = all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.filter(|event| event["kind"] == kind).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_that_spends_more_than_a_fifth_opens_one_task() {
    let (source, url) = Source::start().await;
    let start = now() / 60;
    // Before there was an objective.
    source.fails(start - 1000, 30);
    let shop = Shop::open(&url).await;
    let id = shop.import(FILE).await[0];
    shop.passes([start, start + 1]).await;
    assert_eq!(shop.slo(id).await.bad, 3000.0);
    assert_eq!(tasks(&shop, None).await, [], "what was over before the objective was made");

    let first = start + 100;
    source.fails(first, 20);
    shop.passes((first..first + 60).step_by(7)).await;
    assert_eq!(tasks(&shop, None).await, [], "2,000 of 10,080 is less than a fifth");
    // It comes again within the hour, so it is the same one.
    source.fails(first + 60, 3);
    shop.passes([first + 60, first + 61, first + 62, first + 63, first + 90, first + 200]).await;
    let [task] = &tasks(&shop, None).await[..] else { panic!("not one task") };
    let minute = |at: time::OffsetDateTime| at.unix_timestamp() / 60;
    assert_eq!((minute(task.began_at), minute(task.ended_at), task.bad), (first, first + 63, 2300.0));
    assert!((task.spent - 2300.0 / 10_080.0).abs() < 1e-9 && task.state == PostmortemState::Open, "{task:?}");
    let told = shop.told("postmortem.opened").await;
    assert_eq!((told.len(), &told[0]["service"], &told[0]["payload"]["slo"]), (1, &json!("shop/web"), &json!(id)));

    // Its source was away for hours, and it happened then.
    source.fails(first + 500, 25);
    source.away(true);
    shop.passes((first + 300..first + 650).step_by(90)).await;
    source.away(false);
    shop.passes([first + 660, first + 661]).await;
    let two = tasks(&shop, None).await;
    assert_eq!((two.len(), shop.told("postmortem.opened").await.len()), (2, 2));
    assert_eq!(two[0].bad, 2500.0, "the newest first");
    closed(&shop, &two[1]).await;
    // One that is closed is not opened again.
    shop.execute("UPDATE slo_status SET incidents_to = NULL").await;
    shop.passes([first + 662]).await;
    assert_eq!((tasks(&shop, None).await.len(), tasks(&shop, Some(PostmortemState::Open)).await.len()), (2, 1));
    // Nobody measured for hours at all.
    source.fails(first + 800, 25);
    shop.passes([first + 1000]).await;
    assert_eq!(shop.told("postmortem.opened").await.len(), 3);
}

async fn closed(shop: &Shop, task: &PostmortemOut) {
    let slo = &shop.portal.slo;
    let with = |link: &str, words: &str| PostmortemCloseIn {
        link: Some(link.to_owned()).filter(|text| !text.is_empty()),
        words: Some(words.to_owned()).filter(|text| !text.is_empty()),
    };
    for (link, words, pointer) in
        [("", "", "/link"), ("  ", "", "/link"), ("javascript:alert(1)", "", "/link"), ("", "short", "/words")]
    {
        let refused = slo.close_postmortem(&root(), task.id, with(link, words)).await.unwrap_err();
        assert_eq!(pointers(refused), [pointer], "{link:?} {words:?}");
    }
    let good = || with("https://wiki.example/4711", "The pool was too small.");
    let viewer = ctx(Role::Viewer, Scope::Everything);
    assert!(matches!(slo.close_postmortem(&viewer, task.id, good()).await, Err(AppError::Forbidden(_))));
    let other = ctx(Role::Admin, Scope::Team("shop/cooks".to_owned()));
    assert!(matches!(slo.close_postmortem(&other, task.id, good()).await, Err(AppError::NotFound(_))));
    assert_eq!(slo.list_postmortems(&other, &PostmortemFilter::default()).await.unwrap(), []);
    let developer = ctx(Role::Developer, Scope::Team("shop/sellers".to_owned()));
    let done = slo.close_postmortem(&developer, task.id, good()).await.unwrap();
    assert_eq!((done.state, done.closed_by.as_deref()), (PostmortemState::Closed, Some("ann")));
    assert_eq!(done.link.as_deref(), Some("https://wiki.example/4711"));
    assert!(matches!(slo.close_postmortem(&developer, task.id, good()).await, Err(AppError::Conflict(_))));
    let audited = "SELECT count(*) FROM audit_events WHERE action = 'slo.postmortem' AND outcome = 'success'";
    assert_eq!(shop.count(audited).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_that_changes_is_told_once() {
    let (source, url) = Source::start().await;
    let start = now() / 60;
    let shop = Shop::open(&url).await;
    let id = shop.import(FILE).await[0];
    shop.passes([start, start + 1, start + 2]).await;
    assert_eq!(shop.told("budget.changed").await, Vec::<Value>::new(), "the first verdict is no change");
    source.fails(start + 10, 80);
    shop.passes([start + 88, start + 89, start + 90, start + 91]).await;
    let one = shop.told("budget.changed").await;
    assert_eq!(one.len(), 1, "{one:?}");
    let payload = &one[0]["payload"];
    assert_eq!((&payload["verdict_before"], &payload["verdict"]), (&json!("ok"), &json!("warn")));
    assert_eq!((&payload["slo"], &payload["title"]), (&json!(id), &json!("Web")));
    source.away(true);
    shop.passes([start + 93, start + 99, start + 100]).await;
    source.away(false);
    shop.passes([start + 101, start + 102]).await;
    let verdicts: Vec<(Value, Value)> = shop
        .told("budget.changed")
        .await
        .into_iter()
        .map(|event| (event["payload"]["verdict"].clone(), event["payload"]["message"].clone()))
        .collect();
    let said: Vec<&Value> = verdicts.iter().map(|(verdict, _)| verdict).collect();
    assert_eq!(said, ["warn", "block", "warn"], "{verdicts:?}");
    assert!(verdicts[1].1.to_string().contains("older than five minutes"), "{verdicts:?}");
    assert_eq!(
        shop.reading_at(passerelle_contract::environments::Tier::Production, (start + 103) * 60).await.verdict,
        BudgetVerdict::Warn
    );
}
