use std::thread;
use std::time::{Duration, Instant};

use sprongus_testkit::Postgres;

use super::support::{connect, int, open, settings};
use crate::db::Lane;
use crate::db::postgres::{Asked, PostgresDb, PostgresSettings};
use crate::error::ErrorCode;

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(200)
}

#[test]
fn the_pool_is_waited_for_until_the_deadline() {
    let db = open(PostgresSettings { pool_size: 1, ..settings() });
    let held = connect(&db);
    assert_eq!(db.connect(Lane::Host.into(), soon()).map(drop).unwrap_err().code(), ErrorCode::Busy);
    assert!(db.connect(Lane::Worker.into(), soon()).is_ok());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| connect(&db).waited());
        thread::sleep(Duration::from_millis(150));
        drop(held);
        assert!(waiting.join().unwrap() >= Duration::from_millis(100));
    });
    assert!(connect(&db).waited() < Duration::from_millis(100));
}

#[test]
fn an_interrupt_ends_the_wait_for_the_pool() {
    let asked = Asked(Some(std::sync::Arc::new(|| true)));
    let db = open(PostgresSettings { pool_size: 1, asked, ..settings() });
    let _held = connect(&db);
    let start = Instant::now();
    let error = db.connect(Lane::Host.into(), start + Duration::from_secs(5)).map(drop).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_connection_on_loan_outlives_its_database() {
    let db = open(settings());
    let (idle, mut held) = (connect(&db), connect(&db));
    drop(idle);
    drop(db);
    assert_eq!(int(held.as_mut(), "SELECT 1"), 1);
}

#[test]
fn connections_killed_while_idle_are_replaced_unseen() {
    let server = Postgres::start();
    let db = PostgresDb::open(server.url(), settings()).unwrap();
    assert_eq!(int(connect(&db).as_mut(), "SELECT 1"), 1);
    server.restart();
    assert_eq!(int(connect(&db).as_mut(), "SELECT 2"), 2);
}

#[test]
fn a_server_that_is_away_is_unavailable_and_comes_back() {
    let server = Postgres::start();
    let db = PostgresDb::open(server.url(), settings()).unwrap();
    let mut held = connect(&db);
    held.begin(true).unwrap();
    server.stop();
    let error = held.query("SELECT 1", &[]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert!(crate::db::postgres::is_connection_lost(&error), "{error:?}");
    drop(held);
    let error = db.connect(Lane::Host.into(), Instant::now() + Duration::from_millis(700)).map(drop).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable, "{error:?}");
    server.restart();
    assert_eq!(int(connect(&db).as_mut(), "SELECT 3"), 3);
}

#[test]
fn opening_says_at_once_what_is_wrong() {
    let server = Postgres::shared();
    let elsewhere = server.url().replacen("/postgres?", "/no_such_database?", 1);
    assert_eq!(PostgresDb::open(&elsewhere, settings()).unwrap_err().code(), ErrorCode::NotFound);
    let closed = PostgresDb::open("postgres://u:pw@127.0.0.1:1/d", settings()).unwrap_err();
    assert_eq!(closed.code(), ErrorCode::Unavailable);
    assert!(!format!("{closed:?}").contains("pw"), "{closed:?}");
    server.psql("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'");
    let latin = server.url().replacen("/postgres?", "/latin?", 1);
    assert_eq!(PostgresDb::open(&latin, settings()).unwrap_err().code(), ErrorCode::Unsupported);
}

#[test]
fn a_standby_is_refused_unless_it_is_only_read() {
    let server = Postgres::start();
    let folder = std::path::PathBuf::from(server.psql("SHOW data_directory"));
    std::fs::write(folder.join("standby.signal"), "").unwrap();
    server.restart();
    assert_eq!(server.psql("SELECT pg_is_in_recovery()"), "t");
    assert_eq!(PostgresDb::open(server.url(), settings()).unwrap_err().code(), ErrorCode::Unsupported);
    let db = PostgresDb::open(server.url(), PostgresSettings { read_only: true, ..settings() }).unwrap();
    let mut connection = connect(&db);
    connection.begin(false).unwrap();
    assert_eq!(int(connection.as_mut(), "SELECT 1"), 1);
}
