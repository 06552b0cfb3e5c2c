//! Pages and forms of error budgets: what they show, and that a form that is refused loses nothing.

use crate::support::{FakePrometheus, Person, Shown, TestPortal, hidden};
use reqwest::StatusCode;
use serde_json::json;
use time::OffsetDateTime;

const FIVE_LINES: &str = "service_level_objectives:\n  - name: \"Web Availability\"\n    sli: \"availability\"\n    target: 99.9 # kept\n    window: 7d\n";

struct Shop {
    test: TestPortal,
    prometheus: FakePrometheus,
}

impl Shop {
    async fn open() -> Self {
        let (test, prometheus) = TestPortal::with_prometheus().await;
        Self { test, prometheus }
    }

    async fn measure(&self) {
        let now = OffsetDateTime::now_utc().unix_timestamp() / 60;
        for minute in now - 7 * 1440..now {
            self.prometheus.count(minute, u64::from(minute % 1000 == 0), 10);
        }
        self.test.measure().await;
    }

    async fn id(&self) -> String {
        self.test.get("/slos").await.body["items"][0]["id"].as_str().unwrap().to_owned()
    }
}

fn shown(page: &Shown, words: &[&str]) {
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    for word in words {
        assert!(page.html.contains(word), "{word:?} is not in {}", page.html);
    }
}

fn refused(page: &Shown, field: &str, kept: &[&str]) {
    page.refused();
    assert!(!page.error_at(field).is_empty(), "{field}: {}", page.html);
    for word in kept {
        assert!(page.html.contains(word), "{word:?} was lost when {field} was refused: {}", page.html);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_looked_at_then_imported_then_shown() {
    let shop = Shop::open().await;
    let person = shop.test.person().await;
    shown(&person.get("/slos").await, &["No objective yet", "/slos/import", "/slos/new"]);
    let fields =
        |act: &'static str| [("yaml", FIVE_LINES), ("service", "shop/web"), ("connection", "prom"), ("act", act)];
    let before = shop.test.rows().await;
    let look = person.post("/slos/import", &fields("check")).await;
    shown(&look, &["99.9 % of requests succeed over 7 days", "target: 99.9 # kept", "value=\"shop/web\""]);
    assert_eq!(shop.test.rows().await, before, "looking changes nothing");
    assert_eq!(person.post("/slos/import", &fields("import")).await.led_to(), "/slos");
    let id = shop.id().await;
    shown(&person.get("/slos").await, &["Web Availability", "not measured yet"]);
    shown(&person.get(&format!("/slos/{id}")).await, &["Nothing was measured yet", "Web Availability"]);
    shop.measure().await;
    shown(&person.get("/slos?environment=production&team=shop/sellers").await, &["Web Availability", "% left"]);
    for words in ["web", "AVAIL+shop", "shop/web"] {
        shown(&person.get(&format!("/slos?q={words}")).await, &["Web Availability"]);
        let found = shop.test.get(&format!("/slos?sort=name&limit=5&q={words}")).await.body;
        assert_eq!(found["total"], 1, "{words}: {found}");
    }
    for none in ["team=shop/cooks", "verdict=block", "system=no/such", "q=web+latency", "q=%25"] {
        shown(&person.get(&format!("/slos?{none}")).await, &["No objective fits these filters."]);
    }
    assert_eq!(person.get("/slos?service=shop/nobody").await.status, StatusCode::NOT_FOUND);
    let page = person.get(&format!("/slos/{id}")).await;
    // 10,080 minutes of 10 events, of which one in a thousand minutes has a bad one.
    shown(
        &page,
        &["Budget over the period", "Burn rate, hour by hour", "bad of 10", "<title id=\"down-title\">", "13.4×"],
    );
    shown(&person.get("/services/shop/web?tab=slos").await, &["Web Availability"]);
    let matrix = person.get("/").await;
    assert!(matrix.html.contains(&format!("/slos/{id}")), "the matrix shows the budget: {}", matrix.html);
    let file = person.get(&format!("/slos/{id}/source")).await;
    assert_eq!(file.html, FIVE_LINES, "byte for byte");
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"web-availability.yaml\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_uploaded_and_given_back_byte_for_byte() {
    let shop = Shop::open().await;
    let person = shop.test.person().await;
    let file = FIVE_LINES.replace('\n', "\r\n");
    let upload = |content: &'static [u8], act: &'static [u8]| {
        [
            ("file", Some("slo.yaml"), content),
            ("yaml", None, &b""[..]),
            ("service", None, &b"shop/web"[..]),
            ("connection", None, &b"prom"[..]),
            ("act", None, act),
        ]
    };
    let before = shop.test.rows().await;
    let look = person.post_files("/slos/import", &upload(FIVE_LINES.as_bytes(), b"check")).await;
    shown(&look, &["99.9 % of requests succeed over 7 days", "target: 99.9 # kept", "enctype=\"multipart/form-data\""]);
    let no_text = person.post_files("/slos/import", &upload(b"PK\xff\xfe", b"import")).await;
    refused(&no_text, "file", &["value=\"shop/web\""]);
    let nothing = person.post_files("/slos/import", &upload(b"", b"import")).await;
    refused(&nothing, "yaml", &["value=\"shop/web\""]);
    let large: &'static [u8] = Box::leak(vec![b'#'; 3 << 20].into_boxed_slice());
    assert_eq!(
        person.post_files("/slos/import", &upload(large, b"import")).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let nobody = person.anonymous().post_files("/slos/import", &upload(FIVE_LINES.as_bytes(), b"import")).await;
    assert!(nobody.led_to().starts_with("/sign-in"), "{}", nobody.led_to());
    assert_eq!(shop.test.rows().await, before, "nothing was changed");
    let windows: &'static [u8] = Box::leak(file.clone().into_bytes().into_boxed_slice());
    assert_eq!(person.post_files("/slos/import", &upload(windows, b"import")).await.led_to(), "/slos");
    let id = shop.id().await;
    assert_eq!(person.get(&format!("/slos/{id}/source")).await.html, file, "byte for byte");
    // What is pasted comes with the ends of lines of a browser, and is kept as it was before.
    let pasted = [("yaml", file.as_str()), ("service", "shop/web"), ("connection", "prom"), ("act", "import")];
    assert_eq!(person.post("/slos/import", &pasted).await.led_to(), "/slos");
    assert_eq!(person.get(&format!("/slos/{id}/source")).await.html, FIVE_LINES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_away_is_told_on_the_page() {
    let test = TestPortal::with_shop().await;
    let gone = json!({ "name": "gone", "kind": "prometheus", "config": { "url": "http://127.0.0.1:9" } });
    assert_eq!(test.post("/connections", &gone).await.status, StatusCode::CREATED);
    test.bind_production().await;
    let path = "/slos/imports?service=shop/web&connection=gone";
    let made = test.send(reqwest::Method::POST, path, "application/yaml", FIVE_LINES).await;
    test.measure().await;
    let path = format!("/slos/{}", made.body["slos"][0]["id"].as_str().unwrap());
    let mut person = test.person().await;
    shown(&person.get(&path).await, &["the source did not answer: Prometheus: the connection failed", "no data"]);
    person.speak("fr");
    shown(&person.get(&path).await, &["la source n’a pas répondu", "pas de données"]);
    let decision = test.get("/gates/decision?service=shop/web&environment=production").await.body;
    assert_eq!(decision["decision"], "block", "{decision}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_is_told_with_its_lines() {
    let shop = Shop::open().await;
    let person = shop.test.person().await;
    let before = shop.test.rows().await;
    let implausible = FIVE_LINES.replace("availability", "error_rate");
    for (yaml, said) in [
        (implausible.as_str(), "99.9"),
        ("kind: [", "line"),
        ("a: 1", "neither OpenSLO"),
        ("<script>alert(1)</script>", "neither"),
        ("service_level_objectives: []", "1 to"),
    ] {
        for act in ["check", "import"] {
            let fields = [("yaml", yaml), ("service", "shop/web"), ("connection", "prom"), ("act", act)];
            let page = person.post("/slos/import", &fields).await;
            let typed = yaml.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            refused(&page, "yaml", &[typed.trim(), "shop/web"]);
            assert!(page.html.contains(said), "{said} of {yaml}: {}", page.html);
        }
    }
    for (field, value) in [("service", "shop/nobody"), ("connection", "c1"), ("environment", "moon")] {
        let mut fields = vec![("yaml", FIVE_LINES), ("service", "shop/web"), ("connection", "prom"), ("act", "import")];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        refused(&person.post("/slos/import", &fields).await, field, &["target: 99.9 # kept"]);
    }
    let namespace = [("yaml", FIVE_LINES), ("namespace", "shop"), ("connection", "prom"), ("act", "check")];
    shown(&person.post("/slos/import", &namespace).await, &["shop/web"]);
    assert_eq!(shop.test.rows().await, before);
}

const FORM: [(&str, &str); 12] = [
    ("service", "shop/api"),
    ("title", "Api answers"),
    ("description", "kept description"),
    ("connection", "prom"),
    ("indicator", "bad"),
    ("part", "http_requests_total{code=~\"5..\",service=\"api\"}"),
    ("total", "http_requests_total{service=\"api\"}"),
    ("objective", "99.5"),
    ("window", "30d"),
    ("zone", ""),
    ("method", "Occurrences"),
    ("min_bad_events", "3"),
];

fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let value = |name: &str| changes.iter().find(|(changed, _)| *changed == name).map(|(_, value)| *value);
    let known = FORM.iter().map(|(name, old)| (*name, value(name).unwrap_or(old)));
    let more = changes.iter().filter(|(name, _)| !FORM.iter().any(|(known, _)| known == name)).copied();
    known.chain(more).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_an_objective_keeps_what_was_typed() {
    let shop = Shop::open().await;
    let person = shop.test.person().await;
    let before = shop.test.rows().await;
    for (field, value) in [
        ("title", ""),
        ("title", "***"),
        ("service", ""),
        ("service", "shop/nobody"),
        ("connection", ""),
        ("part", ""),
        ("part", "rate("),
        ("total", ""),
        ("objective", "100"),
        ("objective", "many"),
        ("objective", "99.99999999"),
        ("window", "1m"),
        ("window", "soon"),
        ("min_bad_events", "-1"),
        ("method", "Sometimes"),
    ] {
        for act in ["check", "save"] {
            let page = person.post("/slos/new", &with(&[(field, value), ("act", act)])).await;
            let kept = if field == "window" { "99.5" } else { "30d" };
            refused(&page, field, &["kept description", kept]);
        }
    }
    let zone = person.post("/slos/new", &with(&[("window", "1M"), ("zone", "Mars/One"), ("act", "save")])).await;
    refused(&zone, "zone", &["Mars/One", "kept description"]);
    assert_eq!(shop.test.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objective_is_written_changed_corrected_and_deleted() {
    let shop = Shop::open().await;
    let person = shop.test.person().await;
    let look = person.post("/slos/new", &with(&[("act", "check")])).await;
    shown(&look, &["99.5 % of", "apiVersion: openslo/v1", "targetPercent: 99.5", "kept description"]);
    let path = person.post("/slos/new", &with(&[("act", "save")])).await.led_to();
    refused(&person.post("/slos/new", &with(&[("act", "save")])).await, "title", &["kept description"]);
    let id = path.rsplit('/').next().unwrap().to_owned();

    let edit = person.get(&format!("{path}/edit")).await;
    shown(&edit, &["value=\"99.5\"", "kept description", "value=\"3\""]);
    let etag = hidden(&edit.html, "etag").replace("&quot;", "\"");
    let changes = [("objective", "99"), ("title", "Api answers well"), ("etag", etag.as_str()), ("act", "save")];
    assert_eq!(person.post(&format!("{path}/edit"), &with(&changes)).await.led_to(), path);
    let stale = person.post(&format!("{path}/edit"), &with(&changes)).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.html);
    assert!(stale.html.contains("kept description"));
    let now = shop.test.get(&format!("/slos/{id}")).await.body;
    assert_eq!(
        (&now["objective"], &now["title"], &now["name"]),
        (&json!(99.0), &json!("Api answers well"), &json!("api-answers"))
    );

    corrections(&shop, &person, &path).await;

    let wrong = person.post(&format!("{path}/delete"), &[("confirm", "api")]).await;
    refused(&wrong, "confirm", &["Api answers well"]);
    assert_eq!(person.post(&format!("{path}/delete"), &[("confirm", "api-answers")]).await.led_to(), "/slos");
    assert_eq!(person.get(&path).await.status, StatusCode::NOT_FOUND);
    let audited = shop.test.get("/audit?action=slo.edit&outcome=success").await.body;
    assert_eq!(audited["total"], 3, "made, changed, deleted: {audited}");
}

async fn corrections(shop: &Shop, person: &Person<'_>, path: &str) {
    let at = |hours: i64| {
        let at = OffsetDateTime::now_utc() - time::Duration::hours(hours);
        format!("{:04}-{:02}-{:02}T{:02}:00", at.year(), u8::from(at.month()), at.day(), at.hour())
    };
    let (from, to, reason) = (at(5), at(3), "kept: a load test of ours");
    let fields = |from: &str, to: &str, reason: &str| {
        [("from", from.to_owned()), ("to", to.to_owned()), ("reason", reason.to_owned())]
    };
    let form = format!("{path}/corrections");
    let send = async |all: [(&'static str, String); 3]| {
        let fields: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        person.post(&form, &fields).await
    };
    refused(&send(fields("", &to, reason)).await, "from", &[reason, &to]);
    refused(&send(fields(&from, "tomorrow", reason)).await, "to", &[reason, &from]);
    refused(&send(fields(&to, &from, reason)).await, "to", &[reason]);
    refused(&send(fields(&from, &to, "short")).await, "reason", &[&from, &to]);
    assert_eq!(send(fields(&from, &to, reason)).await.led_to(), path);
    let page = person.get(path).await;
    shown(&page, &[reason, "by grace"]);
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(shop.test.get(&format!("/slos/{id}/corrections")).await.body["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn thresholds_are_a_form() {
    let shop = Shop::open().await;
    let person = shop.test.person().await;
    shown(&person.get("/slos/policies").await, &["id=\"f-production-warn_below\"", "id=\"f-staging-block_at\""]);
    let fields = |approval: &'static str| {
        [
            ("production-warn_below", "50"),
            ("production-approval_below", approval),
            ("production-block_at", "5"),
            ("production-missing", "approval"),
        ]
    };
    for wrong in ["60", "many", ""] {
        let page = person.post("/slos/policies/production", &fields(wrong)).await;
        refused(&page, "production-approval_below", &["value=\"50\"", "value=\"5\""]);
    }
    assert_eq!(person.post("/slos/policies/production", &fields("20")).await.led_to(), "/slos/policies");
    let all = shop.test.get("/slos/policies").await.body;
    let production = all["items"].as_array().unwrap().iter().find(|one| one["tier"] == "production").unwrap();
    assert_eq!(
        production["policy"],
        json!({ "warn_below": 50, "approval_below": 20, "block_at": 5, "missing": "approval" })
    );
    assert_eq!(person.post("/slos/policies/moon", &fields("20")).await.status, StatusCode::NOT_FOUND);
}
