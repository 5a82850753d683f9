use std::time::{Duration, Instant};

use sprongus_testkit::{Postgres, Proxy, When};

use super::support::{connect, int, open, settings, table};
use crate::db::postgres::{PostgresDb, PostgresSettings, UNBOUNDED, is_connection_lost};
use crate::db::{Commit, Lane};
use crate::error::ErrorCode;

fn quick() -> PostgresSettings {
    PostgresSettings { call_timeout: Duration::from_millis(400), ..settings() }
}

#[test]
fn a_silent_network_does_not_hold_a_call() {
    let proxy = Proxy::before(Postgres::shared());
    let db = PostgresDb::open(&proxy.url(), quick()).unwrap();
    let mut connection = connect(&db);
    proxy.go_silent();
    let start = Instant::now();
    let error = connection.query("SELECT 1", &[]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    assert!(is_connection_lost(&error));
    drop(connection);
    let error = db.connect(Lane::Host.into(), Instant::now() + Duration::from_millis(400)).map(drop).unwrap_err();
    assert!(matches!(error.code(), ErrorCode::Timeout | ErrorCode::Unavailable), "{error}");
    assert_eq!(PostgresDb::open(&proxy.url(), quick()).unwrap_err().code(), ErrorCode::Timeout);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(proxy.fired().swallowed > 0);
    proxy.pass();
    assert_eq!(
        int(db.connect(Lane::Host.into(), Instant::now() + Duration::from_secs(5)).unwrap().as_mut(), "SELECT 1"),
        1
    );
}

#[test]
fn a_commit_whose_answer_is_lost_is_unknown() {
    for (when, kept) in [(When::Before, 0), (When::After, 1)] {
        let table = table("unknown", "id int");
        let proxy = Proxy::before(Postgres::shared());
        let db = PostgresDb::open(&proxy.url(), settings()).unwrap();
        let mut connection = connect(&db);
        proxy.cut_on_commit(when);
        connection.begin(true).unwrap();
        connection.execute(&format!("INSERT INTO {table} VALUES (1)"), &[]).unwrap();
        assert!(matches!(connection.commit().unwrap(), Commit::Unknown(_)));
        assert_eq!(proxy.fired().statements, 1);
        assert_eq!(connection.query("SELECT 1", &[]).unwrap_err().code(), ErrorCode::Unavailable);
        drop(connection);
        assert_eq!(int(connect(&db).as_mut(), &format!("SELECT count(*) FROM {table}")), kept);
    }
}

#[test]
fn behind_a_pooler_a_statement_whose_commit_is_lost_is_lost_with_it() {
    let table = table("pooled", "id int");
    let proxy = Proxy::before(Postgres::shared());
    let db = PostgresDb::open(&proxy.url(), PostgresSettings { statement_cache: false, ..settings() }).unwrap();
    proxy.cut_on_commit(When::After);
    let error = connect(&db).execute(&format!("INSERT INTO {table} VALUES (1)"), &[]).unwrap_err();
    assert!(is_connection_lost(&error), "{error:?}");
    assert_eq!(int(connect(&db).as_mut(), &format!("SELECT count(*) FROM {table}")), 1);
}

#[test]
fn a_connection_cut_under_a_statement_is_lost_and_replaced() {
    let proxy = Proxy::before(Postgres::shared());
    let db = PostgresDb::open(&proxy.url(), settings()).unwrap();
    let mut connection = connect(&db);
    proxy.cut_on("41 + 1", When::After);
    let error = connection.query("SELECT 41 + 1", &[]).unwrap_err();
    assert!(is_connection_lost(&error), "{error:?}");
    drop(connection);
    assert_eq!(int(connect(&db).as_mut(), "SELECT 41 + 1"), 42);
    proxy.cut_now();
    // One that was used a moment ago is not looked at.
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!(int(connect(&db).as_mut(), "SELECT 1"), 1);
}

#[test]
fn statements_and_locks_are_waited_for_so_long() {
    let db = open(quick());
    let mut connection = connect(&db);
    assert_eq!(connection.query("SELECT pg_sleep(30)", &[]).unwrap_err().code(), ErrorCode::Timeout);
    let table = table("locked", "id int");
    let (mut holder, patient) =
        (connect(&db), PostgresSettings { call_timeout: Duration::from_millis(300), ..settings() });
    holder.begin(true).unwrap();
    holder.batch(&format!("LOCK TABLE {table}")).unwrap();
    let other = open(patient);
    let mut waiting = connect(&other);
    waiting.begin(true).unwrap();
    waiting.batch(UNBOUNDED).unwrap();
    assert_eq!(waiting.query(&format!("SELECT * FROM {table}"), &[]).unwrap_err().code(), ErrorCode::Busy);
}

#[test]
fn unbounded_work_takes_its_time_and_the_next_call_does_not() {
    let db = open(quick());
    let mut connection = connect(&db);
    connection.begin(true).unwrap();
    connection.batch(UNBOUNDED).unwrap();
    connection.query("SELECT pg_sleep(1.2)", &[]).unwrap();
    assert!(matches!(connection.commit().unwrap(), Commit::Done));
    assert_eq!(connection.query("SELECT pg_sleep(30)", &[]).unwrap_err().code(), ErrorCode::Timeout);
}

#[test]
fn one_deadline_bounds_all_statements_of_a_call() {
    let settings = || PostgresSettings { call_timeout: Duration::from_secs(3), ..settings() };
    let (db, table) = (open(settings()), table("deadline", "id int"));
    let lock = format!("LOCK TABLE {table}");
    let mut holder = connect(&open(PostgresSettings { call_timeout: Duration::from_secs(15), ..settings() }));
    holder.begin(true).unwrap();
    holder.batch(&lock).unwrap();
    let start = Instant::now();
    let mut call = db.connect_until(Lane::Host.into(), start + Duration::from_secs(3)).unwrap();
    call.begin(true).unwrap();
    let pid = int(call.as_mut(), "SELECT pg_backend_pid()::int8");
    call.execute("SELECT pg_sleep(1.5)", &[]).unwrap();
    let error = call.execute(&lock, &[]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    assert!(!is_connection_lost(&error), "the server was asked, and said that it stopped");
    // A deadline for each would end at 4.5 s.
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(call.query("SELECT 1", &[]).unwrap_err().code(), ErrorCode::Timeout, "nothing more is begun");
    drop(call);
    holder.rollback();
    assert_ne!(int(connect(&db).as_mut(), "SELECT pg_backend_pid()::int8"), pid, "the cancelling may strike late");
}
