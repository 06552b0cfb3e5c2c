//! The audit against somebody with every right in the database, and against somebody with an export in their hands: backups that were put
//! back, and chains that were computed anew by the book. What else is tried stands in `tests/it/audit.rs`.

use crate::support::{RunningPortal, TestPortal};
use passerelle_server::audit::{CHECKPOINT_FILE, Verdict, public_key, verify, verify_lines};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const TABLES: [&str; 3] = ["audit_events", "audit_chain", "audit_checkpoints"];
/// What the sealer locks while it works (`server/src/audit/store`).
const SEALING: i64 = 0x0070_6173_7365_616c;

pub async fn verdict(test: &TestPortal) -> Verdict {
    verify(&test.portal.db, &test.portal.keys, &test.data.path().join(CHECKPOINT_FILE)).await.unwrap()
}

/// Waits until every row is sealed.
pub async fn sealed(test: &TestPortal) {
    let start = Instant::now();
    loop {
        let rows = test.get("/audit?limit=200").await.body;
        if rows["items"].as_array().unwrap().iter().all(|row| row["sealed"] == true) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "the sealer does not keep up: {rows}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Until the answer is closed nothing is sealed: what is half done is not taken for what happened.
pub async fn no_sealing(test: &TestPortal) -> PgConnection {
    let mut connection = test.database.superuser().await;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(SEALING).execute(&mut connection).await.unwrap();
    connection
}

/// A superuser's connection on which no trigger fires.
async fn without_triggers(test: &TestPortal) -> PgConnection {
    let mut connection = test.database.superuser().await;
    sqlx::query("SET session_replication_role = replica").execute(&mut connection).await.unwrap();
    connection
}

async fn run(database: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(database).await.unwrap();
}

/// Keeps the audit as it is now.
async fn back_up(database: &mut PgConnection, name: &str) {
    for table in TABLES {
        run(database, format!("CREATE TABLE {name}_{table} AS TABLE {table}")).await;
    }
}

async fn restore(database: &mut PgConnection, name: &str) {
    let of =
        |table: &&str| format!("TRUNCATE {table}; INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE {name}_{table};");
    // One transaction.
    run(database, TABLES.iter().map(of).collect()).await;
}

/// A row as it is hashed.
#[derive(Debug, Clone, sqlx::FromRow)]
struct Row {
    id: i64,
    at_us: i64,
    actor: String,
    via: String,
    action: String,
    object: String,
    service: Option<String>,
    environment: Option<String>,
    reason: Option<String>,
    before: Option<String>,
    after: Option<String>,
    request_id: String,
    outcome: String,
}

impl Row {
    /// In the order of the chain.
    async fn all(database: &mut PgConnection) -> Vec<Self> {
        let sql = "SELECT a.id, (extract(epoch FROM a.at) * 1000000)::bigint AS at_us, a.actor, a.via, a.action, a.object, a.service,
              a.environment, a.reason, a.before::text AS before, a.after::text AS after, a.request_id, a.outcome
            FROM audit_chain c JOIN audit_events a ON a.id = c.event_id ORDER BY c.position";
        sqlx::query_as(sql).fetch_all(database).await.unwrap()
    }

    fn of_line(line: &Value) -> Self {
        let maybe = |name: &str| line[name].as_str().map(str::to_owned);
        let text = |name: &str| maybe(name).unwrap();
        let json = |name: &str| (!line[name].is_null()).then(|| line[name].to_string());
        let at = OffsetDateTime::parse(&text("at"), &Rfc3339).unwrap();
        Self {
            id: line["id"].as_i64().unwrap(),
            at_us: i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap(),
            actor: text("actor"),
            via: text("via"),
            action: text("action"),
            object: text("object"),
            service: maybe("service"),
            environment: maybe("environment"),
            reason: maybe("reason"),
            before: json("before"),
            after: json("after"),
            request_id: text("request_id"),
            outcome: text("outcome"),
        }
    }

    /// As `crates/audit-chain/src/row.rs` says: whoever forges has read it.
    fn canonical(&self) -> Vec<u8> {
        let mut bytes = b"passerelle-audit-1\0".to_vec();
        bytes.extend(self.id.to_be_bytes());
        bytes.extend(self.at_us.to_be_bytes());
        let columns = [
            Some(&self.actor),
            Some(&self.via),
            Some(&self.action),
            Some(&self.object),
            self.service.as_ref(),
            self.environment.as_ref(),
            self.reason.as_ref(),
            self.before.as_ref(),
            self.after.as_ref(),
            Some(&self.request_id),
            Some(&self.outcome),
        ];
        for column in columns {
            let length = column.map_or(-1, |text| i64::try_from(text.len()).unwrap());
            bytes.extend(length.to_be_bytes());
            bytes.extend(column.map_or(&b""[..], |text| text.as_bytes()));
        }
        bytes
    }
}

/// The links of these rows, from the first one on.
fn links(rows: &[Row]) -> Vec<Vec<u8>> {
    let mut last = vec![0_u8; 32];
    let mut all = Vec::new();
    for row in rows {
        last = Sha256::new().chain_update(&last).chain_update(Sha256::digest(row.canonical())).finalize().to_vec();
        all.push(last.clone());
    }
    all
}

/// Computes every link anew from what the rows say now.
async fn relink(database: &mut PgConnection) {
    for (position, hash) in (1_i64..).zip(links(&Row::all(database).await)) {
        let sql = "UPDATE audit_chain SET hash = $2 WHERE position = $1";
        sqlx::query(sql).bind(position).bind(hash).execute(&mut *database).await.unwrap();
    }
}

async fn stored_links(database: &mut PgConnection) -> Vec<Vec<u8>> {
    sqlx::query_scalar("SELECT hash FROM audit_chain ORDER BY position").fetch_all(database).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_was_computed_anew_is_told_where_it_was_signed_first() {
    let test = TestPortal::with_shop().await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    sealed(&test).await;
    let _quiet = no_sealing(&test).await;
    let mut database = without_triggers(&test).await;
    let rows = Row::all(&mut database).await;
    assert_eq!(links(&rows), stored_links(&mut database).await, "forged by the same book");
    back_up(&mut database, "kept").await;
    let middle = rows[rows.len() / 2].id;
    for (what, from, tampering) in [
        ("one row told otherwise", middle, format!("UPDATE audit_events SET actor = 'mallory' WHERE id = {middle}")),
        (
            "the first row told otherwise",
            rows[0].id,
            format!("UPDATE audit_events SET actor = 'mallory' WHERE id = {}", rows[0].id),
        ),
        (
            "another history from there on",
            middle,
            format!(
                "UPDATE audit_events SET actor = 'mallory', object = 'service:x/y' WHERE id IN (SELECT later.event_id
                 FROM audit_chain first, audit_chain later WHERE first.event_id = {middle} AND later.position >= first.position)"
            ),
        ),
    ] {
        for signatures in ["left", "taken out"] {
            run(&mut database, tampering.clone()).await;
            relink(&mut database).await;
            let sql = "SELECT k.position, k.event_id FROM audit_checkpoints k, audit_chain c
                       WHERE c.event_id = $1 AND k.position >= c.position ORDER BY k.position LIMIT 1";
            let (position, row): (i64, i64) = sqlx::query_as(sql).bind(from).fetch_one(&mut database).await.unwrap();
            if signatures == "taken out" {
                run(&mut database, format!("DELETE FROM audit_checkpoints WHERE position >= {position}")).await;
            }
            let bad = verdict(&test).await.to_string();
            let told = format!("the chain at position {position} (row {row}) is not the one that was signed");
            assert!(bad.contains("NOT hold") && bad.contains(&told), "{what}, signatures {signatures}: {bad}");
            restore(&mut database, "kept").await;
            assert!(verdict(&test).await.is_good(), "put back after: {what}");
        }
    }
}

async fn environment(test: &TestPortal, name: &str, order: u16) {
    let body = json!({ "name": name, "tier": "staging", "order": order });
    let made = test.post("/environments", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    sealed(test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_put_back_is_told_by_what_was_signed_after_it() {
    let test = TestPortal::with_shop().await;
    sealed(&test).await;
    let mut database = without_triggers(&test).await;
    let quiet = no_sealing(&test).await;
    back_up(&mut database, "backup").await;
    quiet.close().await.unwrap();
    environment(&test, "forgotten", 8).await;
    let end = |report: &Verdict| report.report().rows;
    let newest = end(&verdict(&test).await);

    let quiet = no_sealing(&test).await;
    back_up(&mut database, "newest").await;
    restore(&mut database, "backup").await;
    let bad = verdict(&test).await;
    let (last, text) = (end(&bad), bad.to_string());
    let told = format!(
        "a checkpoint signed {newest} rows, but the chain ends at {last}: the tail was cut or an old backup restored"
    );
    assert!(last < newest && text.contains(&told), "{text}");
    // The same for rows and links alone: the table of checkpoints tells it even where the file is as old as the backup.
    restore(&mut database, "newest").await;
    assert!(verdict(&test).await.is_good());
    run(&mut database, "TRUNCATE audit_events, audit_chain".to_owned()).await;
    for table in ["audit_events", "audit_chain"] {
        run(&mut database, format!("INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE backup_{table}")).await;
    }
    let file = test.data.path().join(CHECKPOINT_FILE);
    let kept = std::fs::read_to_string(&file).unwrap();
    let position = |line: &str| serde_json::from_str::<Value>(line).unwrap()["position"].as_i64().unwrap();
    let old: String = kept.lines().filter(|line| position(line) <= last).map(|line| format!("{line}\n")).collect();
    std::fs::write(&file, old).unwrap();
    let bad = verdict(&test).await.to_string();
    assert!(bad.contains("an old backup restored"), "{bad}");
    std::fs::write(&file, kept).unwrap();

    // And life goes on after a backup: another history, signed with our own key, as long as the one before and longer.
    restore(&mut database, "backup").await;
    quiet.close().await.unwrap();
    environment(&test, "other", 9).await;
    environment(&test, "further", 10).await;
    let bad = verdict(&test).await;
    let at = last + 1;
    assert!(bad.to_string().contains("is not the one that was signed"), "from position {at} on: {bad}");
    assert!(end(&bad) >= last, "what is in the backup holds: {bad}");
}

/// Everything as JSON lines, the newest first.
async fn exported(test: &TestPortal) -> Vec<Value> {
    let text = test.get("/audit/export?format=jsonl").await.body;
    text.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every link anew, in the order of the chain.
fn rechained(lines: &mut [Value]) {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|at| lines[*at]["chain"]["position"].as_i64());
    let rows: Vec<Row> = order.iter().map(|at| Row::of_line(&lines[*at])).collect();
    for (at, hash) in order.into_iter().zip(links(&rows)) {
        lines[at]["chain"]["hash"] = json!(hex::encode(hash));
    }
}

fn unsigned(lines: &mut [Value]) {
    for line in lines {
        line["chain"].as_object_mut().unwrap().remove("checkpoint");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_was_computed_anew_or_emptied_does_not_pass() {
    let test = TestPortal::with_shop().await;
    sealed(&test).await;
    let (lines, key) = (exported(&test).await, public_key(&test.portal.keys));
    let text = |lines: &[Value]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    assert!(verify_lines(&text(&lines), &key, Vec::new()).unwrap().is_good());
    let mut same = lines.clone();
    rechained(&mut same);
    assert_eq!(same, lines, "forged by the same book");

    let mut forged = lines.clone();
    let middle = forged.len() / 2;
    forged[middle]["actor"] = json!("mallory");
    rechained(&mut forged);
    let mut without = forged.clone();
    unsigned(&mut without);
    let file = tokio::fs::read_to_string(test.data.path().join(CHECKPOINT_FILE)).await.unwrap();
    let kept = || file.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>();
    for (what, lines, checkpoints, told) in [
        ("with the signatures that were there", &forged, Vec::new(), "is not signed by this installation"),
        ("without any", &without, Vec::new(), "is signed to 0 only"),
        ("without any, against a copy of the checkpoints", &without, kept(), "is not the one that was signed"),
    ] {
        let bad = verify_lines(&text(lines), &key, checkpoints).unwrap();
        assert!(!bad.is_good() && bad.to_string().contains(told), "{what}: {bad}");
    }
    // Nothing at all is no audit that holds.
    for checkpoints in [Vec::new(), kept()] {
        let refused = verify_lines("", &key, checkpoints).unwrap_err();
        assert!(refused.to_string().contains("nothing to verify"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_ends_badly_for_an_export_with_nothing_in_it() {
    let portal = RunningPortal::idle(crate::support::WORLD).await;
    let file = portal.data().join("empty.jsonl");
    std::fs::write(&file, "").unwrap();
    let checkpoints = portal.data().join(CHECKPOINT_FILE);
    let start = Instant::now();
    while !checkpoints.exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "nothing was sealed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (alone, kept): (&[&str], _) = (&[], ["--checkpoints", checkpoints.to_str().unwrap()]);
    for more in [alone, &kept] {
        let arguments = [&["audit", "verify", "--export", file.to_str().unwrap()][..], more].concat();
        let (code, said, complaint) = portal.run(&arguments);
        assert_eq!(code, Some(1), "{said}{complaint}");
        assert!(complaint.contains("nothing to verify") && !said.contains("holds"), "{said}{complaint}");
    }
}
