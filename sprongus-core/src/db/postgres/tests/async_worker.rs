use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use super::support::{connect, int, open, settings, url};
use crate::db::Lane;
use crate::db::postgres::{PostgresDb, async_guard};
use crate::error::ErrorCode;

fn runtimes() -> [Runtime; 2] {
    [Builder::new_multi_thread().worker_threads(2).build().unwrap(), Builder::new_current_thread().build().unwrap()]
}

#[test]
fn a_call_on_an_async_worker_is_misuse() {
    let db = Arc::new(open(settings()));
    for runtime in runtimes() {
        let (inner, mut connection) = (db.clone(), connect(&db));
        let task = runtime.spawn(async move {
            let deadline = Instant::now() + Duration::from_secs(1);
            let opened = PostgresDb::open(url(), settings()).map(drop);
            let lent = inner.connect(Lane::Host.into(), deadline).map(drop);
            let asked = connection.query("SELECT 1", &[]).map(drop);
            for refused in [opened, lent, asked] {
                assert_eq!(refused.unwrap_err().code(), ErrorCode::Misuse);
            }
        });
        runtime.block_on(task).unwrap();
        runtime.block_on(async { assert!(async_guard::check().is_err()) });
        let _entered = runtime.enter();
        assert_eq!(int(connect(&db).as_mut(), "SELECT 1"), 1);
    }
}

#[test]
fn the_question_uses_nothing_up() {
    let [runtime, _] = runtimes();
    let task = runtime.spawn(async {
        for _ in 0..10 {
            assert!(async_guard::check().is_err());
        }
        assert!(tokio::task::coop::has_budget_remaining());
    });
    runtime.block_on(task).unwrap();
}

#[test]
fn unbounded_tasks_are_seen_too() {
    let [runtime, _] = runtimes();
    let refused = runtime.block_on(tokio::task::coop::unconstrained(async { async_guard::check().is_err() }));
    assert!(refused);
}

#[test]
fn blocking_threads_of_a_runtime_may_call() {
    let db = Arc::new(open(settings()));
    for runtime in runtimes() {
        let inner = db.clone();
        let task = runtime.spawn_blocking(move || int(connect(&inner).as_mut(), "SELECT 7"));
        assert_eq!(runtime.block_on(task).unwrap(), 7);
    }
    let [runtime, _] = runtimes();
    let task = runtime.spawn(async move { tokio::task::block_in_place(|| int(connect(&db).as_mut(), "SELECT 7")) });
    assert_eq!(runtime.block_on(task).unwrap(), 7);
}

#[test]
fn connections_and_pools_are_dropped_anywhere() {
    for runtime in runtimes() {
        let db = open(settings());
        let (idle, mut busy) = (connect(&db), connect(&db));
        let pid = int(busy.as_mut(), "SELECT pg_backend_pid()::int8");
        busy.begin(true).unwrap();
        let task = runtime.spawn(async move {
            drop(busy);
            drop(idle);
            drop(db);
        });
        runtime.block_on(task).unwrap();
        let gone = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
        super::support::eventually(|| int(connect(&open(settings())).as_mut(), &gone) == 0);
    }
}
