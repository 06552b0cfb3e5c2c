//! Old rows of the audit go into a signed file: what stays holds, what went verifies by itself, and nothing goes that should not.

use crate::support::Database;
use passerelle_server::audit::{
    Archived, CHECKPOINT_FILE, Sealer, Verdict, Wanted, archive, public_key, verify, verify_export,
};
use passerelle_server::kernel::{Action, AuditEntry, Ctx, Db, Keys, Object, Via};
use passerelle_server::portal::Portal;
use std::path::PathBuf;
use time::{Duration, OffsetDateTime};

struct World {
    database: Database,
    db: Db,
    keys: Keys,
    folder: tempfile::TempDir,
    /// The first moment of this month.
    month: OffsetDateTime,
}

impl World {
    /// With rows of the two months before this one, sealed month by month.
    async fn new() -> Self {
        let database = Database::create().await;
        let db = Db::connect(&database.url, 4).await.unwrap();
        let keys = Keys::from_bytes([3; 32]);
        let month = OffsetDateTime::now_utc().replace_day(1).unwrap().replace_time(time::Time::MIDNIGHT);
        let world = Self { database, db, keys, folder: tempfile::tempdir().unwrap(), month };
        world.old_rows(world.month - Duration::days(40), 7).await;
        world.old_rows(world.month - Duration::days(10), 5).await;
        world
    }

    /// Rows as they were written at that time, into the partition of their month.
    async fn old_rows(&self, at: OffsetDateTime, count: i32) {
        let mut superuser = self.database.superuser().await;
        sqlx::query("SELECT audit_make_month($1)").bind(at).execute(&mut superuser).await.unwrap();
        let sql = "INSERT INTO audit_events (at, actor, via, action, object, before, request_id, outcome)
                   SELECT $1 + n * interval '1 minute', 'ada', 'api', 'freeze.edit', 'freeze:x', '{\"a\":1}', 'r' || n, 'success'
                   FROM generate_series(1, $2) n";
        sqlx::query(sql).bind(at).bind(count).execute(&mut superuser).await.unwrap();
        self.seal().await;
    }

    /// One act of today.
    async fn act(&self) {
        let ctx = Ctx::system(Via::Cli, "test");
        let proof = self.db.authorize(&ctx, Action::FreezeEdit, Object::new("freeze", "y")).await.unwrap();
        self.db.record(&ctx, &proof, AuditEntry::success()).await.unwrap();
    }

    async fn seal(&self) {
        Sealer::new(self.db.clone(), &self.keys, self.checkpoints()).seal().await.unwrap();
    }

    fn checkpoints(&self) -> PathBuf {
        self.folder.path().join(CHECKPOINT_FILE)
    }

    async fn verdict(&self) -> Verdict {
        self.seal().await;
        verify(&self.db, &self.keys, &self.checkpoints()).await.unwrap()
    }

    async fn archive(&self, before: OffsetDateTime, streams: &[&str]) -> Result<Option<Archived>, String> {
        let wanted = Wanted {
            before,
            folder: self.folder.path().to_owned(),
            checkpoints: self.checkpoints(),
            streams: streams.iter().map(|stream| (*stream).to_owned()).collect(),
        };
        let ctx = Ctx::system(Via::Cli, "test");
        archive(&self.db, &self.keys, &ctx, &wanted).await.map_err(|error| error.to_string())
    }

    async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.database.superuser().await).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_goes_on_where_the_archive_ends_and_the_archive_verifies_by_itself() {
    let world = World::new().await;
    world.act().await;
    assert_eq!(world.verdict().await.report().rows, 13);

    let last_month = (world.month - Duration::days(1)).replace_day(1).unwrap();
    let done = world.archive(last_month, &[]).await.unwrap().unwrap();
    assert_eq!((done.rows, done.months), (7, 1));
    assert_eq!(done.file, world.folder.path().join("audit-1-7.jsonl"));
    let good = world.verdict().await;
    // Five of last month, one act, and what the archiving itself has left.
    assert!(good.is_good() && good.report().rows == 8, "{good}");
    assert!(good.to_string().ends_with("The 7 rows before them are in archives."), "{good}");
    assert_eq!(world.number("SELECT count(*) FROM audit_events WHERE id <= 7").await, 0);
    assert_eq!(world.number("SELECT min(position) FROM audit_chain").await, 8);
    let story = "SELECT count(*) FROM audit_events WHERE action = 'audit.archive' AND outcome IN ('intent', 'success')";
    assert_eq!(world.number(story).await, 2);

    // The next one goes on where this one ended, and both verify without the database.
    let next = world.archive(world.month, &[]).await.unwrap().unwrap();
    assert_eq!((next.rows, next.months), (5, 1));
    let key = public_key(&world.keys);
    for (file, rows, before) in [(&done.file, 7, 0), (&next.file, 5, 7)] {
        let good = verify_export(file, &key, None).await.unwrap();
        assert!(good.is_good(), "{good}");
        assert_eq!((good.report().rows, good.report().archived), (rows, before), "{}", file.display());
    }
    let ctx = Ctx::system(Via::Cli, "test");
    let told = Portal::open(world.db.clone(), world.keys.clone()).await.unwrap().audit.archives(&ctx).await.unwrap();
    assert_eq!(told.iter().map(|archive| (archive.first, archive.last)).collect::<Vec<_>>(), [(8, 12), (1, 7)]);
    assert!(world.verdict().await.is_good());
    assert_eq!(world.archive(world.month, &[]).await.unwrap(), None, "nothing is left that is old enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_from_an_audit_that_does_not_hold_nor_past_a_stream_nor_of_today() {
    let world = World::new().await;
    world.act().await;
    assert!(world.verdict().await.is_good());
    let before = world.month;
    let now = world.archive(OffsetDateTime::now_utc(), &[]).await.unwrap_err();
    assert!(now.contains("the last day"), "{now}");
    let behind = world.archive(before, &["siem"]).await.unwrap_err();
    assert!(behind.contains("siem has had the rows to 0 only, of 12"), "{behind}");
    // Somebody else's file of that name is not written over.
    let file = world.folder.path().join("audit-1-12.jsonl");
    std::fs::write(&file, "mine\n").unwrap();
    assert!(world.archive(before, &[]).await.is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine\n");
    std::fs::remove_file(&file).unwrap();

    let mut superuser = world.database.superuser().await;
    let edit = "ALTER TABLE audit_events DISABLE TRIGGER ALL; UPDATE audit_events SET actor = 'x' WHERE id = 3;
                ALTER TABLE audit_events ENABLE TRIGGER ALL";
    sqlx::raw_sql(edit).execute(&mut superuser).await.unwrap();
    let bad = world.archive(before, &[]).await.unwrap_err();
    assert!(bad.contains("nothing is archived") && bad.contains("row 3 "), "{bad}");
    assert_eq!(world.number("SELECT count(*) FROM audit_events WHERE id <= 12").await, 12);
    assert_eq!(world.number("SELECT count(*) FROM audit_archives").await, 0);
}

/// Whoever has every right in the database, and not the key, cannot pass off a cut beginning as an archive.
#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_that_was_cut_off_is_no_archive() {
    let world = World::new().await;
    world.act().await;
    assert!(world.verdict().await.is_good());
    let cut = "ALTER TABLE audit_events DISABLE TRIGGER ALL; ALTER TABLE audit_chain DISABLE TRIGGER ALL;
        INSERT INTO audit_archives (first, last, event_id, hash, sha256, signature, key_id, at)
          SELECT 1, position, event_id, hash, hash, signature, key_id, at FROM audit_checkpoints WHERE position = 7;
        DELETE FROM audit_events WHERE id <= 7; DELETE FROM audit_chain WHERE position <= 7";
    sqlx::raw_sql(cut).execute(&mut world.database.superuser().await).await.unwrap();
    let bad = world.verdict().await;
    assert!(bad.to_string().contains("the archive of the rows to position 7 is not signed"), "{bad}");

    // Rows that come back behind an archive's end are found too.
    let world = World::new().await;
    world.act().await;
    assert!(world.verdict().await.is_good());
    world.archive(world.month, &[]).await.unwrap().unwrap();
    let slip =
        "INSERT INTO audit_events (id, at, actor, via, action, object, request_id, outcome) OVERRIDING SYSTEM VALUE
          VALUES (5, now() - interval '1 year', 'ada', 'page', 'deployment.approve', 'deployment:x', 'x', 'success');
        INSERT INTO audit_chain (position, event_id, hash) SELECT 5, 5, hash FROM audit_checkpoints LIMIT 1";
    sqlx::raw_sql(slip).execute(&mut world.database.superuser().await).await.unwrap();
    let bad = world.verdict().await;
    assert!(bad.to_string().contains("row 5 claims position 5"), "{bad}");
}

/// The application makes the months ahead, and whatever has no month is kept all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_any_time_has_a_place() {
    let world = World::new().await;
    let months = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_events'::regclass";
    // Two months before, this one and the three after it, and the one for the rest.
    assert_eq!(world.number(months).await, 7);
    let made: i32 = sqlx::query_scalar("SELECT audit_make_months()").fetch_one(world.db.pool()).await.unwrap();
    assert_eq!(made, 0, "they are there already");
    assert!(sqlx::query("SELECT audit_make_month(now())").execute(world.db.pool()).await.is_err(), "the owner's alone");
    assert!(sqlx::query("DROP TABLE audit_events_other").execute(world.db.pool()).await.is_err());
    let far = "INSERT INTO audit_events (at, actor, via, action, object, request_id, outcome)
               VALUES ('2199-01-01', 'ada', 'api', 'x', 'x', 'r', 'success')";
    sqlx::query(far).execute(world.db.pool()).await.unwrap();
    assert_eq!(world.number("SELECT count(*) FROM audit_events_other").await, 1);
    assert!(world.verdict().await.is_good());
}
