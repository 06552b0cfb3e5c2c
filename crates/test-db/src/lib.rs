//! A database of one's own for each test: in the server of `DATABASE_URL`, else in a private one that this process starts.
//!
//! For tests only: what goes wrong here panics.
#![expect(clippy::unwrap_used, reason = "a test without its database cannot go on")]

use passerelle_embedded_postgres::{EmbeddedPostgres, Options};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::sync::OnceLock;

/// In the folder for temporary files, followed by the process and what makes it unique.
const FOLDER: &str = "passerelle-test-";

/// Never dropped: Postgres ends with the process that started it.
static PRIVATE: OnceLock<(EmbeddedPostgres, tempfile::TempDir)> = OnceLock::new();

/// A fresh, empty database.
#[derive(Debug, Clone)]
pub struct Database {
    /// As the superuser.
    pub url: String,
}

impl Database {
    /// # Panics
    /// When there is no Postgres.
    pub async fn create() -> Self {
        let server = tokio::task::spawn_blocking(server).await.unwrap();
        let name = format!("it_{}", uuid::Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(&server("postgres")).await.unwrap();
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        Self { url: server(&name) }
    }

    /// Until the answer is dropped, whoever writes to the table waits, in the middle of their transaction; reading goes on.
    ///
    /// # Panics
    /// When there is no such table.
    pub async fn writers_wait(&self, table: &str) -> PgConnection {
        let mut connection = self.superuser().await;
        let lock = format!("BEGIN; LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut connection).await.unwrap();
        connection
    }

    /// As the superuser, past the application's role.
    ///
    /// # Panics
    /// When Postgres is gone.
    pub async fn superuser(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }
}

/// Gives the URL of a database by its name.
fn server() -> impl Fn(&str) -> String + Send + 'static {
    let given = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
    let private = given.is_none().then(|| {
        PRIVATE.get_or_init(|| {
            remove_left_behind();
            let folder =
                tempfile::Builder::new().prefix(&format!("{FOLDER}{}-", std::process::id())).tempdir().unwrap();
            // Postgres may run as another user, who has to pass through.
            std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
            let options = Options { data_folder: folder.path().to_owned(), durable: false };
            (EmbeddedPostgres::start(options).unwrap(), folder)
        })
    });
    move |database| match (&given, private) {
        (Some(url), _) => with_database(url, database),
        (None, Some((postgres, _))) => postgres.url(database),
        (None, None) => unreachable!("one of the two is set"),
    }
}

/// A static is never dropped, so each process leaves its folder (half a gigabyte of them in an hour): the next one takes away those of
/// processes that have ended.
fn remove_left_behind() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(FOLDER)?.split_once('-')?.0.parse::<u32>().ok());
        if process.is_some_and(|id| !std::path::Path::new(&format!("/proc/{id}")).exists()) {
            // Another test process may be doing the same.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The same URL with another database: the path is what stands between the host and the query.
fn with_database(url: &str, database: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, String::new()), |(base, query)| (base, format!("?{query}")));
    let scheme = base.find("://").map_or(0, |at| at + 3);
    let host_end = base[scheme..].find('/').map_or(base.len(), |at| scheme + at);
    format!("{}/{database}{query}", &base[..host_end])
}
