//! Attempt 21: SQL on the audit, as the application, as the owner of its tables, and as a superuser.

use super::tampering::{no_sealing, sealed, verdict};
use crate::support::TestPortal;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

/// A table of the audit, or a month of one.
#[derive(Debug, Clone)]
struct Table {
    name: String,
    /// Part of another table.
    part: bool,
    rows: i64,
}

impl Table {
    /// A column that nothing is computed from.
    fn column(&self) -> &'static str {
        if self.name.starts_with("audit_events") {
            "actor"
        } else if self.name == "audit_chain" {
            "hash"
        } else {
            "key_id"
        }
    }

    fn statements(&self) -> [String; 3] {
        let (name, column) = (&self.name, self.column());
        [format!("UPDATE {name} SET {column} = {column}"), format!("DELETE FROM {name}"), format!("TRUNCATE {name}")]
    }
}

/// All of them, as they are.
async fn tables(database: &mut PgConnection) -> Vec<Table> {
    let found: Vec<(String, bool)> = sqlx::query_as(
        "SELECT relname::text, relispartition FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND relname ~ '^audit_(events|chain|checkpoints|archives)' ORDER BY 1",
    )
    .fetch_all(&mut *database)
    .await
    .unwrap();
    let mut all = Vec::new();
    for (name, part) in found {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {name}"));
        let rows = sqlx::query_scalar(count).fetch_one(&mut *database).await.unwrap();
        all.push(Table { name, part, rows });
    }
    for name in ["audit_events", "audit_chain", "audit_checkpoints"] {
        assert!(all.iter().any(|table| table.name == name && !table.part && table.rows > 0), "{name}: {all:?}");
    }
    all
}

/// What every table holds, in short.
async fn fingerprints(database: &mut PgConnection, tables: &[Table]) -> Vec<Option<String>> {
    let mut all = Vec::new();
    for Table { name, .. } in tables {
        let sql = format!("SELECT md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {name} t");
        all.push(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *database).await.unwrap());
    }
    all
}

/// Refused for want of a right, by the rights themselves or by a trigger; answers the words.
async fn refused(database: &mut PgConnection, who: &str, sql: &str) -> String {
    let done = sqlx::query(AssertSqlSafe(sql)).execute(&mut *database).await;
    let Err(error) = done else { panic!("{who} could: {sql}") };
    let error = error.as_database_error().unwrap();
    assert_eq!(error.code().as_deref(), Some("42501"), "{who}: {sql}: {error}");
    error.message().to_owned()
}

async fn run(database: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(database).await.unwrap();
}

/// A connection of somebody who owns every table of the audit and is no superuser. Roles are the server's, so each test has its own.
async fn owner(test: &TestPortal, tables: &[Table]) -> PgConnection {
    let mut connection = test.database.superuser().await;
    let role = format!("owner_{}", Uuid::now_v7().simple());
    run(&mut connection, format!("CREATE ROLE {role} NOSUPERUSER NOBYPASSRLS")).await;
    for Table { name, .. } in tables {
        run(&mut connection, format!("ALTER TABLE {name} OWNER TO {role}")).await;
    }
    run(&mut connection, format!("SET SESSION AUTHORIZATION {role}")).await;
    let is_superuser: String = sqlx::query_scalar("SHOW is_superuser").fetch_one(&mut connection).await.unwrap();
    assert_eq!(is_superuser, "off");
    connection
}

async fn with_rows() -> TestPortal {
    let test = TestPortal::with_shop().await;
    sealed(&test).await;
    test
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_a_row_by_sql_neither_the_application_nor_the_owner_nor_a_superuser() {
    let test = with_rows().await;
    let _quiet = no_sealing(&test).await;
    let mut superuser = test.database.superuser().await;
    let all = tables(&mut superuser).await;
    let before = fingerprints(&mut superuser, &all).await;
    let mut application = test.portal.db.pool().acquire().await.unwrap();
    for table in &all {
        for sql in table.statements() {
            let why = refused(&mut application, "the application", &sql).await;
            assert!(why.starts_with("permission denied"), "by its rights, before any trigger: {why}");
        }
    }
    let mut owner = owner(&test, &all).await;
    for (who, database) in [("the owner", &mut owner), ("a superuser", &mut superuser)] {
        for table in all.iter().filter(|table| table.rows > 0) {
            for sql in table.statements() {
                // A month can be emptied on its own only by whoever owns it; that is another test.
                if table.part && sql.starts_with("TRUNCATE") {
                    continue;
                }
                let why = refused(database, who, &sql).await;
                assert!(why.starts_with("the audit is append-only: "), "{who}: {sql}: {why}");
            }
        }
    }
    assert_eq!(fingerprints(&mut superuser, &all).await, before);
    assert!(verdict(&test).await.is_good());
}

/// What would take the triggers away, give out ids or go around the rights.
#[tokio::test(flavor = "multi_thread")]
async fn the_application_cannot_take_away_what_stops_it() {
    let test = with_rows().await;
    let _quiet = no_sealing(&test).await;
    let mut superuser = test.database.superuser().await;
    let all = tables(&mut superuser).await;
    let before = fingerprints(&mut superuser, &all).await;
    let mut application = test.portal.db.pool().acquire().await.unwrap();
    for Table { name, .. } in &all {
        for sql in [
            format!("ALTER TABLE {name} DISABLE TRIGGER ALL"),
            format!("DROP TABLE {name}"),
            format!("ALTER TABLE {name} OWNER TO passerelle_app"),
            format!("ALTER TABLE {name} RENAME TO elsewhere"),
            format!("SELECT 1 FROM {name} FOR UPDATE"),
        ] {
            refused(&mut application, "the application", &sql).await;
        }
    }
    for sql in [
        "DROP TRIGGER audit_events_append_only ON audit_events",
        "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "ALTER TABLE audit_events ALTER id SET GENERATED BY DEFAULT",
        "INSERT INTO audit_chain SELECT * FROM audit_chain ON CONFLICT (position) DO UPDATE SET hash = ''",
        "CREATE RULE nothing AS ON INSERT TO audit_events DO INSTEAD NOTHING",
        "SELECT setval('audit_events_id_seq', 1)",
    ] {
        refused(&mut application, "the application", sql).await;
    }
    assert_eq!(fingerprints(&mut superuser, &all).await, before);
}

/// The owner can take the triggers away; that is what the chain is for.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_does_without_the_triggers_is_named() {
    let test = with_rows().await;
    let _quiet = no_sealing(&test).await;
    let all = tables(&mut test.database.superuser().await).await;
    let mut owner = owner(&test, &all).await;
    refused(&mut owner, "the owner", "SET session_replication_role = replica").await;
    for Table { name, .. } in &all {
        run(&mut owner, format!("ALTER TABLE {name} DISABLE TRIGGER USER")).await;
    }
    let rows = test.get("/audit?limit=200").await.body["items"].as_array().unwrap().clone();
    let middle = &rows[rows.len() / 2];
    let (id, actor) = (middle["id"].as_i64().unwrap(), middle["actor"].as_str().unwrap());
    let sql = "SELECT position, encode(hash, 'hex') FROM audit_chain WHERE event_id = $1";
    let (position, hash): (i64, String) = sqlx::query_as(sql).bind(id).fetch_one(&mut owner).await.unwrap();
    let link = format!("INSERT INTO audit_chain (position, event_id, hash) VALUES ({position}, {id}, '\\x{hash}')");
    let changed = format!("row {id} (position {position}) is not what was sealed");
    for (tampering, back, told) in [
        (
            format!("UPDATE audit_events SET actor = 'mallory' WHERE id = {id}"),
            format!("UPDATE audit_events SET actor = '{actor}' WHERE id = {id}"),
            changed.clone(),
        ),
        (
            format!("UPDATE audit_chain SET hash = sha256('x') WHERE position = {position}"),
            format!("UPDATE audit_chain SET hash = '\\x{hash}' WHERE position = {position}"),
            changed,
        ),
        (
            format!("DELETE FROM audit_chain WHERE position = {position}"),
            link,
            format!("the link at position {position} is missing"),
        ),
        (
            "UPDATE audit_checkpoints SET key_id = reverse(key_id), signature = sha256('x')".to_owned(),
            "DELETE FROM audit_checkpoints".to_owned(),
            "is not signed by this installation".to_owned(),
        ),
    ] {
        run(&mut owner, tampering.clone()).await;
        let bad = verdict(&test).await.to_string();
        assert!(bad.contains("NOT hold") && bad.contains(&told), "{tampering}: {bad}");
        run(&mut owner, back).await;
        assert!(verdict(&test).await.is_good(), "put back after: {tampering}");
    }
    // Without any checkpoint in the table the copies in the file still speak for it.
    run(&mut owner, format!("DELETE FROM audit_events WHERE id = {id}")).await;
    let bad = verdict(&test).await.to_string();
    assert!(bad.contains(&format!("row {id} (position {position}) was deleted")), "{bad}");
}

/// Where rows lie in a table for each month, the month is as safe as the whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_month_cannot_be_emptied_past_the_table_that_it_is_of() {
    let test = with_rows().await;
    let _quiet = no_sealing(&test).await;
    let mut superuser = test.database.superuser().await;
    let all = tables(&mut superuser).await;
    let Some(month) = all.iter().find(|table| table.part && table.rows > 0) else {
        println!("left out: the audit lies in whole tables");
        return;
    };
    let mut owner = owner(&test, &all).await;
    let sql = format!("TRUNCATE {}", month.name);
    for (who, database) in [("the owner", &mut owner), ("a superuser", &mut superuser)] {
        let why = refused(database, who, &sql).await;
        assert!(why.starts_with("the audit is append-only: "), "{who}: {why}");
    }
    // Outside of the table it is nobody's month, and each of its rows is missed.
    run(&mut owner, format!("ALTER TABLE audit_events DETACH PARTITION {}", month.name)).await;
    let bad = verdict(&test).await.to_string();
    assert!(bad.contains("was deleted"), "{bad}");
}
