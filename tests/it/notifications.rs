//! Messages over real HTTP and SMTP, from what happened to what came.

use crate::support::{Answer, MailSink, Received, Receiver, RunningPortal, TestPortal, deployment};
use passerelle_contract::access::Role;
use passerelle_simulator::{Simulator, World};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn slack(name: &str, url: &str) -> Value {
    json!({ "name": name, "kind": "slack", "config": { "url": { "value": format!("{url}/services/T/B/{name}") } } })
}

async fn channel(test: &TestPortal, channel: &Value, rule: &Value) {
    let made = test.post("/notifications/channels", channel).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let made = test.post("/notifications/rules", rule).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
}

async fn patch(test: &TestPortal, path: &str, body: &Value) -> Answer {
    test.call(Method::PATCH, path, &test.admin, Some(body)).await
}

/// Waits until the log of a channel looks so.
async fn log(test: &TestPortal, channel: &str, looks: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let found = test.get(&format!("/notifications/deliveries?limit=200&channel={channel}")).await.body;
        let items = found["items"].as_array().unwrap().clone();
        if looks(&items) {
            return items;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "the log never looked so: {found:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn titles(messages: &[Received]) -> Vec<String> {
    let title = |message: &Received| message.json()["blocks"][0]["text"]["text"].as_str().unwrap().to_owned();
    messages.iter().map(title).collect()
}

/// CloudTaskHub's gateway, as its stack runs it.
const SWARM: &str = "
seed: 1
speed: 40
engines:
  cloudtaskhub:
    services:
      cloudtaskhub-staging_gateway-service: { image: 'ghcr.io/cloudtaskhub/gateway:v1.12.0', user: '10001' }
";

async fn cloudtaskhub() -> (TestPortal, Simulator) {
    let test = TestPortal::start().await;
    let simulator = Simulator::start(World::parse(SWARM).unwrap()).await.unwrap();
    let catalog = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: { name: gateway, namespace: cloudtaskhub }\n\
        spec: { type: service, lifecycle: production, owner: group:cloudtaskhub/platform, system: cloudtaskhub }\n";
    assert!(test.import(catalog).await.status.is_success());
    let steps = [
        ("/environments", json!({ "name": "staging", "tier": "staging", "order": 1, "progress_deadline_s": 20 })),
        (
            "/connections",
            json!({ "name": "swarm", "kind": "docker_swarm",
            "config": { "endpoint": simulator.docker_url("cloudtaskhub"), "simulated": true } }),
        ),
        (
            "/bindings",
            json!({ "service": "cloudtaskhub/gateway", "environment": "staging", "kind": "docker_swarm",
            "connection": "swarm", "config": { "service": "cloudtaskhub-staging_gateway-service" } }),
        ),
    ];
    for (path, body) in steps {
        let answer = test.post(path, &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{path}: {}", answer.body);
    }
    (test, simulator)
}

#[tokio::test(flavor = "multi_thread")]
async fn gateway_to_a_failing_tag_goes_back_by_itself_and_slack_hears_of_all_of_it() {
    let (test, _simulator) = cloudtaskhub().await;
    let receiver = Receiver::start().await;
    channel(&test, &slack("ops", &receiver.url), &json!({ "channel": "ops", "system": "cloudtaskhub/cloudtaskhub" }))
        .await;
    let failing = json!({ "service": "cloudtaskhub/gateway", "environment": "staging",
        "image": "ghcr.io/cloudtaskhub/gateway:v1.13.0-crash", "reason": "<!channel> new routes" });
    let asked = test.post("/deployments", &failing).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    let id = asked.body["id"].as_str().unwrap();
    let ended = test.ended(id).await;
    assert_eq!(ended["state"], "rolled_back", "{ended}");

    let messages = receiver.wait_for(3).await;
    let what = "cloudtaskhub/gateway v1.13.0-crash to staging";
    assert_eq!(
        titles(&messages),
        [format!("Started: {what}"), format!("Failed: {what}"), format!("Rolled back: {what}")]
    );
    assert!(messages.iter().all(|message| message.path == "/services/T/B/ops"));
    for message in &messages {
        assert!(message.body.contains(&format!("/deployments/{id}")), "it leads to the portal: {}", message.body);
        assert!(message.json()["text"].as_str().unwrap().contains("Asked for by"), "{}", message.body);
        assert!(!message.body.contains("<!channel>"), "nobody is called by a reason: {}", message.body);
    }
    let sent = log(&test, "ops", |items| items.len() == 3 && items.iter().all(|one| one["state"] == "delivered")).await;
    let events: Vec<&str> = sent.iter().rev().map(|one| one["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["deployment.started", "deployment.failed", "deployment.rolled_back"]);
    assert_eq!((&sent[0]["attempts"], &sent[0]["deployment"]), (&json!(1), &json!(id)), "{}", sent[0]);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(receiver.all().len(), 3, "and of nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_with_the_same_id_and_no_destination_waits_for_another() {
    let test = TestPortal::with_shop().await;
    let (good, bad, gone) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let events = json!(["deployment.succeeded"]);
    for (name, receiver) in [("good", &good), ("bad", &bad), ("gone", &gone)] {
        channel(&test, &slack(name, &receiver.url), &json!({ "channel": name, "events": events })).await;
    }
    let hook = json!({ "name": "hook", "kind": "webhook",
        "config": { "url": format!("{}/hook?a=b", bad.url), "secret": { "value": "a secret of the test" } } });
    channel(&test, &hook, &json!({ "channel": "hook", "environment": "staging", "tier": "staging", "events": events }))
        .await;
    bad.answer(&[(503, ""), (429, "rate_limited"), (302, "")]);
    gone.answer(&[(404, "no_team")]);
    test.ended(&test.deploy("tinyweb:v2").await).await;

    assert_eq!(titles(&good.wait_for(1).await), ["Succeeded: shop/web v2 to staging"]);
    let failed = log(&test, "gone", |items| items.first().is_some_and(|one| one["state"] == "failed")).await;
    assert_eq!(failed[0]["attempts"], 1, "what cannot help is not tried again: {}", failed[0]);
    assert!(failed[0]["answer"].as_str().unwrap().ends_with("answered 404: no_team"), "{}", failed[0]);

    // Two channels lead to the bad one. Who gets which answer is chance; a redirect ends one of them.
    let ended = |items: &[Value]| items.first().is_some_and(|one| one["state"] != "waiting");
    let (slack, hook) = (log(&test, "bad", ended).await, log(&test, "hook", ended).await);
    let attempts = slack[0]["attempts"].as_u64().unwrap() + hook[0]["attempts"].as_u64().unwrap();
    assert_eq!(attempts, 4, "{} {}", slack[0], hook[0]);
    let redirected = [&slack[0], &hook[0]].into_iter().filter(|one| one["state"] == "failed").collect::<Vec<_>>();
    assert_eq!(redirected.len(), 1);
    assert!(redirected[0]["answer"].as_str().unwrap().contains("redirects are not followed"), "{}", redirected[0]);
    let of_hook: Vec<Received> = bad.all().into_iter().filter(|one| one.path == "/hook").collect();
    let ids: std::collections::BTreeSet<&str> =
        of_hook.iter().map(|one| one.headers["webhook-id"].to_str().unwrap()).collect();
    assert_eq!(
        ids.into_iter().collect::<Vec<_>>(),
        [hook[0]["id"].as_str().unwrap()],
        "every attempt has the id of the delivery"
    );
    let body = of_hook[0].json();
    assert_eq!(
        (&body["type"], &body["event"]["service"]),
        (&json!("deployment.succeeded"), &json!("shop/web")),
        "{body}"
    );
    assert!(!of_hook[0].body.contains("a secret of the test") && body["event"]["fingerprint"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_delivered_is_sent_again_by_hand_and_what_was_is_not() {
    let test = TestPortal::with_shop().await;
    let receiver = Receiver::start().await;
    channel(&test, &slack("ops", &receiver.url), &json!({ "channel": "ops", "events": ["deployment.succeeded"] }))
        .await;
    receiver.answer(&[(403, "invalid_token")]);
    test.ended(&test.deploy("tinyweb:v2").await).await;
    let failed = log(&test, "ops", |items| items.first().is_some_and(|one| one["state"] == "failed")).await;
    let path = format!("/notifications/deliveries/{}/retry", failed[0]["id"].as_str().unwrap());
    let again = test.post(&path, &json!({})).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.body);
    log(&test, "ops", |items| items[0]["state"] == "delivered").await;
    assert_eq!(receiver.all().len(), 2);
    let twice = test.post(&path, &json!({})).await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.body);
    let audited = test.get("/audit?action=notification.retry").await.body;
    assert_eq!(audited["total"], 1, "{audited}");

    // The log is paged by cursor and filtered.
    let page =
        test.get("/notifications/deliveries?limit=1&state=delivered&service=shop/web&environment=staging").await.body;
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next_cursor"]), (1, &Value::Null), "{page}");
    assert_eq!(test.get("/notifications/deliveries?state=failed").await.body["total"], 0);
    let wrong = test.get("/notifications/deliveries?state=lost").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mailbox_gets_its_own_mail_in_the_language_of_the_channel() {
    let test = TestPortal::with_shop().await;
    let sink = MailSink::start().await;
    let mail = json!({ "name": "mail", "kind": "email", "language": "fr", "config": { "host": "127.0.0.1", "port": sink.port,
        "security": "none", "from": "Passerelle <portal@example.test>", "to": ["ada@example.test", "bounce@example.test", "bob@example.test"] } });
    channel(&test, &mail, &json!({ "channel": "mail", "team": "shop/sellers", "events": ["deployment.succeeded"] }))
        .await;
    let tried = test.post("/notifications/channels/mail/test", &json!({})).await;
    assert_eq!((tried.status, &tried.body["delivered"]), (StatusCode::OK, &json!(true)), "{}", tried.body);
    assert!(tried.body["answer"].as_str().unwrap().contains("250"), "{}", tried.body);
    test.ended(&test.deploy("tinyweb:v2").await).await;

    let mails = sink.wait_for(3).await;
    let mut to: Vec<&str> = mails[1..].iter().map(|mail| mail.to.as_str()).collect();
    to.sort_unstable();
    assert_eq!((mails[0].to.as_str(), to), ("ada@example.test", vec!["ada@example.test", "bob@example.test"]));
    assert!(
        mails[1].text.contains("Auto-Submitted: auto-generated") && mails[1].text.contains("X-Passerelle-Delivery: ")
    );
    assert!(mails[1].text.contains("/deployments/"), "{}", mails[1].text);
    assert!(mails[1].text.contains("shop/web v2 vers staging"), "{}", mails[1].text);
    let all = log(&test, "mail", |items| items.len() == 3 && items.iter().all(|one| one["state"] != "waiting")).await;
    let bounced: Vec<&Value> = all.iter().filter(|one| one["state"] == "failed").collect();
    assert_eq!((bounced.len(), &bounced[0]["recipient"]), (1, &json!("bounce@example.test")));
    assert!(bounced[0]["answer"].as_str().unwrap().contains("550"), "{}", bounced[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_message_says_what_the_peer_answered() {
    let test = TestPortal::start().await;
    let receiver = Receiver::start().await;
    assert_eq!(test.post("/notifications/channels", &slack("ops", &receiver.url)).await.status, StatusCode::CREATED);
    let tried = test.post("/notifications/channels/ops/test", &json!({})).await.body;
    assert_eq!(tried["delivered"], true, "{tried}");
    assert!(receiver.all()[0].body.contains("Test message: the channel ops works"));
    for (status, body, said) in
        [(400, "invalid_blocks", "answered 400: invalid_blocks"), (500, "<b>your secret</b>", "answered 500")]
    {
        receiver.answer(&[(status, body)]);
        let tried = test.post("/notifications/channels/ops/test", &json!({})).await.body;
        assert_eq!(tried["delivered"], false, "{tried}");
        assert!(tried["answer"].as_str().unwrap().ends_with(said), "{tried}");
    }
    let audited = test.get("/audit?action=notification.edit&object=channel:ops").await.body;
    let outcomes: Vec<&str> =
        audited["items"].as_array().unwrap().iter().map(|row| row["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "intent").count(), 3, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "failure").count(), 2, "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_sealed_and_no_message_goes_inwards() {
    let test = TestPortal::start().await;
    let secret = "https://10.1.2.3/services/T/B/S3cr3tPart";
    let inwards = json!({ "name": "inwards", "kind": "slack", "config": { "url": { "value": secret } } });
    let made = test.post("/notifications/channels", &inwards).await;
    assert_eq!(
        (made.status, &made.body["config"]),
        (StatusCode::CREATED, &json!({ "url": { "set": true } })),
        "{}",
        made.body
    );
    let mut database = test.database.superuser().await;
    let sql = "SELECT config::text FROM notification_channels UNION ALL SELECT coalesce(after::text, '') || coalesce(before::text, '') FROM audit_events";
    let kept: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut database).await.unwrap();
    assert!(kept.iter().all(|text| !text.contains("S3cr3tPart")), "{kept:?}");
    let tried = test.post("/notifications/channels/inwards/test", &json!({})).await.body;
    assert_eq!(tried["delivered"], false, "{tried}");
    assert!(tried["answer"].as_str().unwrap().contains("outbound.allow_networks"), "{tried}");

    // Another address asks for the secret again.
    let hook = json!({ "name": "hook", "kind": "webhook",
        "config": { "url": "https://a.example.test/", "secret": { "value": "a secret of the test" } } });
    assert_eq!(test.post("/notifications/channels", &hook).await.status, StatusCode::CREATED);
    let kept = json!({ "config": { "url": "https://a.example.test/", "secret": { "set": true } }, "enabled": false });
    let saved = patch(&test, "/notifications/channels/hook", &kept).await;
    assert_eq!((saved.status, &saved.body["enabled"]), (StatusCode::OK, &json!(false)), "{}", saved.body);
    let moved = json!({ "config": { "url": "https://evil.example.test/", "secret": { "set": true } } });
    let refused = patch(&test, "/notifications/channels/hook", &moved).await;
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/config/secret"))
    );
    every_wrong_field_is_named(&test).await;
}

async fn every_wrong_field_is_named(test: &TestPortal) {
    for (body, pointer) in [
        (json!({ "name": "x", "kind": "pigeon", "config": {} }), "/kind"),
        (json!({ "name": "X", "kind": "slack", "config": { "url": { "value": "https://a.test/" } } }), "/name"),
        (json!({ "name": "x", "kind": "slack", "config": { "url": { "value": "ftp://a.test/" } } }), "/config/url"),
        (json!({ "name": "x", "kind": "slack", "config": { "link": 1 } }), "/config/link"),
        (
            json!({ "name": "x", "kind": "webhook", "config": { "url": "https://a.test/", "secret": { "value": "short" } } }),
            "/config/secret",
        ),
    ] {
        let refused = test.post("/notifications/channels", &body).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["pointer"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(pointer)),
            "{}",
            refused.body
        );
    }
    for (body, pointer) in [
        (json!({ "channel": "nobody" }), "/channel"),
        (json!({ "channel": "hook", "team": "shop" }), "/team"),
        (json!({ "channel": "hook", "environment": "moon" }), "/environment"),
        (json!({ "channel": "hook", "events": ["deployment.exploded"] }), "/events/0"),
    ] {
        let refused = test.post("/notifications/rules", &body).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["pointer"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(pointer)),
            "{}",
            refused.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_a_message_is_under_way_it_comes_again_with_the_same_id() {
    let portal = RunningPortal::with_shop().await;
    let receiver = Receiver::start().await;
    let hook = json!({ "name": "hook", "kind": "webhook",
        "config": { "url": receiver.url, "secret": { "value": "a secret of the test" } } });
    assert_eq!(portal.post("/notifications/channels", &hook).await.status, StatusCode::CREATED);
    let rule = json!({ "channel": "hook", "events": ["deployment.started", "deployment.succeeded"] });
    assert_eq!(portal.post("/notifications/rules", &rule).await.status, StatusCode::CREATED);
    receiver.pause(Duration::from_secs(5));
    let asked = portal.post("/deployments", &deployment("tinyweb:v2")).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    let first = receiver.wait_for(1).await;
    let portal = portal.kill();
    receiver.pause(Duration::ZERO);
    // The lease of the process that is gone has to run out; that is not waited for here.
    let mut database = portal.database().superuser().await;
    sqlx::query("UPDATE notification_deliveries SET lease_until = now()").execute(&mut database).await.unwrap();
    let portal = portal.start_again().await;
    portal.ended(asked.body["id"].as_str().unwrap()).await;
    let all = receiver.wait_for(3).await;
    let id = |message: &Received| message.headers["webhook-id"].to_str().unwrap().to_owned();
    assert_eq!(id(&first[0]), id(&all[1]), "the same message, once more");
    assert_ne!(id(&all[1]), id(&all[2]));
    assert_eq!(all[2].json()["type"], "deployment.succeeded");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(receiver.all().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_couriers_send_each_message_once() {
    let test = TestPortal::with_shop().await;
    let receivers = [Receiver::start().await, Receiver::start().await, Receiver::start().await];
    for (index, receiver) in receivers.iter().enumerate() {
        let name = format!("c{index}");
        channel(&test, &slack(&name, &receiver.url), &json!({ "channel": name, "events": ["freeze.created"] })).await;
    }
    let stop = tokio_util::sync::CancellationToken::new();
    for _ in 0..3 {
        let courier = passerelle_server::notifications::Courier::new(test.portal.notifications.clone());
        tokio::spawn(courier.run(stop.clone()));
    }
    let ada = test.signed_in("ada", Role::Operator).await;
    for number in 0..10 {
        let freeze = json!({ "scope": { "kind": "global" }, "title": format!("freeze {number}") });
        assert_eq!(ada.post("/freezes", &freeze).await.status, StatusCode::CREATED);
    }
    for (index, receiver) in receivers.iter().enumerate() {
        let name = format!("c{index}");
        log(&test, &name, |items| items.len() == 10 && items.iter().all(|one| one["state"] == "delivered")).await;
        let wanted: Vec<String> = (0..10).map(|number| format!("New freeze: freeze {number}")).collect();
        assert_eq!(titles(&receiver.all()), wanted, "each once, in order");
    }
    stop.cancel();
}
