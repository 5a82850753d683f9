//! A database for these tests.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sprongus_testkit::Postgres;

use crate::db::postgres::{Asked, PostgresDb, PostgresSettings};
use crate::db::{Connection, Lane};

pub(super) fn url() -> &'static str {
    Postgres::shared().url()
}

pub(super) fn settings() -> PostgresSettings {
    PostgresSettings {
        pool_size: 2,
        worker_pool_size: 2,
        statement_cache: true,
        call_timeout: Duration::from_secs(5),
        schema: None,
        listen_url: None,
        read_only: false,
        application_name: "sprongus",
        asked: Asked::default(),
    }
}

pub(super) fn open(settings: PostgresSettings) -> PostgresDb {
    PostgresDb::open(url(), settings).unwrap()
}

pub(super) fn connect(db: &PostgresDb) -> Box<dyn Connection> {
    db.connect(Lane::Host.into(), Instant::now() + Duration::from_secs(5)).unwrap()
}

/// A table of a name of its own.
pub(super) fn table(stem: &str, columns: &str) -> String {
    let name = unique(stem);
    connect(&open(settings())).batch(&format!("CREATE TABLE {name} ({columns})")).unwrap();
    name
}

/// A name nothing else has.
pub(super) fn unique(stem: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{stem}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The one integer a statement gives.
pub(super) fn int(connection: &mut dyn Connection, sql: &str) -> i64 {
    connection.query(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"))[0].int(0).unwrap()
}

/// Waits until it holds, for ten seconds at most.
pub(super) fn eventually(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "it never came to hold");
        std::thread::sleep(Duration::from_millis(20));
    }
}
