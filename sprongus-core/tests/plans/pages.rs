//! Pages read: a claim, a rescue and a page of a list cost what they return, whatever else the tables hold.
//!
//! What is read of an almost empty queue is the yardstick; then 200,000 rows come to stand in the way, ahead of what is asked
//! for.

use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::{Claim, LimitKind, ListRuns, Rescue};
use sprongus::{Dialect, LentPostgres, LentSqlite, Options, RunState, Store, Tx};
use sprongus_testkit::{Postgres, temp_file};

const PAST: &str = "2024-01-01T00:00:00.000000Z";
const NOW: &str = "2024-01-02T00:00:00.000000Z";
const TOMORROW: &str = "2024-01-03T00:00:00.000000Z";

/// Runs that are alike, but for their ids.
#[derive(Clone, Copy)]
struct Rows {
    project: &'static str,
    kind: &'static str,
    state: &'static str,
    ready: bool,
    limited: bool,
    run_at: &'static str,
    priority: i64,
}

const READY: Rows =
    Rows { project: "mine", kind: "k1", state: "queued", ready: true, limited: false, run_at: PAST, priority: 0 };

const FINISHED: Rows = Rows { state: "succeeded", ready: false, ..READY };
const DUE_TOMORROW: Rows = Rows { ready: false, run_at: TOMORROW, priority: 9, ..READY };
const UNASKED: Rows = Rows { kind: "unasked", priority: 9, ..READY };
const ELSEWHERE: Rows = Rows { project: "elsewhere", priority: 9, ..READY };
const AT_ITS_LIMIT: Rows = Rows { kind: "sync/full", limited: true, priority: 9, ..READY };

impl Rows {
    fn insert(&self, dialect: Dialect, count: i64) -> String {
        let Rows { project, kind, state, ready, limited, run_at, priority } = self;
        let (numbers, json, time) = match dialect {
            Dialect::Sqlite => {
                (format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count})"), "", "")
            }
            Dialect::Postgres => {
                (format!("WITH n AS (SELECT generate_series(1, {count}) AS n)"), "::jsonb", "::timestamptz")
            }
        };
        let finished = if *state == "succeeded" { format!("'{PAST}'{time}") } else { format!("NULL{time}") };
        format!(
            "INSERT INTO sprongus_runs (id, project_id, kind, input, state, ready, limited, priority, run_at, max_attempts, attempt, \
             lease, created_at, updated_at, finished_at) {numbers} \
             SELECT '{project}-{kind}-{state}-{run_at}-' || (1000000 + n), '{project}', '{kind}', 'null'{json}, '{state}', {ready}, {limited}, \
             {priority}, '{run_at}'{time}, 3, 1, 1, '{PAST}'{time}, '{PAST}'{time}, {finished} FROM n"
        )
    }
}

/// What is asked for: ten ready runs of each of three kinds, and a run that fills the limit of its kind.
fn seed(dialect: Dialect) -> String {
    let lease = match dialect {
        Dialect::Sqlite => "lease_boot = 'boot-1', lease_mono = 1060000000",
        Dialect::Postgres => "lease_until = '2024-01-02T00:01:00Z'",
    };
    let ready = ["k1", "k2", "sync/x"].map(|kind| Rows { kind, ..READY }.insert(dialect, 10));
    let running = Rows { kind: "sync/full", state: "running", ready: false, ..READY }.insert(dialect, 1);
    format!("{}; {running}; UPDATE sprongus_runs SET {lease} WHERE state = 'running'", ready.join("; "))
}

/// What workers and people ask.
struct Call {
    name: &'static str,
    ask: fn(&Tx<'_>) -> usize,
    /// How much they get.
    gets: usize,
    /// A minute later the lease of the one that runs has run out.
    minutes: u64,
    /// Pages that it may read beside twice those of an empty queue: what looks into indexes of all runs, and from kind to kind
    /// of a project, comes down into deeper ones.
    deeper: u64,
}

const fn call(name: &'static str, ask: fn(&Tx<'_>) -> usize, gets: usize) -> Call {
    Call { name, ask, gets, minutes: 0, deeper: 0 }
}

const fn within(name: &'static str, ask: fn(&Tx<'_>) -> usize, gets: usize) -> Call {
    Call { name, ask, gets, minutes: 0, deeper: 60 }
}

const fn more(name: &'static str, ask: fn(&Tx<'_>) -> usize) -> Call {
    Call { name, ask, gets: 1, minutes: 2, deeper: 30 }
}

const CALLS: [Call; 14] = [
    call("claim one", |tx| claim(tx, None, 1), 1),
    call("claim one of a kind", |tx| claim(tx, Some(&["k1"]), 1), 1),
    call("claim five of a kind", |tx| claim(tx, Some(&["k1"]), 5), 5),
    call("claim of kinds", |tx| claim(tx, Some(&["k1", "k2", "none"]), 3), 3),
    call("claim of a prefix", |tx| claim(tx, Some(&["sync/*"]), 2), 2),
    call("claim of nothing", |tx| claim(tx, Some(&["none", "nothing/*"]), 5), 0),
    call("claim of a full kind", |tx| claim(tx, Some(&["sync/full"]), 5), 0),
    within("claim of a project", |tx| claim_of(tx, "mine", None, 1), 1),
    within("claim of a project's kinds", |tx| claim_of(tx, "mine", Some(&["k1", "sync/*"]), 5), 5),
    within("claim of a project's full kind", |tx| claim_of(tx, "mine", Some(&["sync/full"]), 5), 0),
    within("claim of a project without runs", |tx| claim_of(tx, "none", None, 5), 0),
    more("claim of what was abandoned", |tx| claim(tx, Some(&["sync/full"]), 5)),
    more("rescue", |tx| tx.runs().rescue(&Rescue::default()).unwrap() as usize),
    more("list what runs", list),
];

fn claim(tx: &Tx<'_>, kinds: Option<&[&str]>, limit: i64) -> usize {
    claimed(tx, None, kinds, limit)
}

fn claim_of(tx: &Tx<'_>, project: &str, kinds: Option<&[&str]>, limit: i64) -> usize {
    claimed(tx, Some(vec![project.to_owned()]), kinds, limit)
}

fn claimed(tx: &Tx<'_>, projects: Option<Vec<String>>, kinds: Option<&[&str]>, limit: i64) -> usize {
    let kinds = kinds.map(|kinds| kinds.iter().map(|kind| (*kind).to_owned()).collect());
    let lease = Duration::from_secs(60);
    tx.runs().claim_next(&Claim { kinds, projects, limit, lease, ..Claim::new("w") }).unwrap().len()
}

fn list(tx: &Tx<'_>) -> usize {
    let running = ListRuns { state: Some(vec![RunState::Running]), limit: 5, ..ListRuns::default() };
    tx.runs().list(&running).unwrap().len()
}

fn options(minutes: u64) -> Options {
    let clock = ManualClock::new(NOW.parse().unwrap());
    clock.advance(Duration::from_secs(60 * minutes));
    Options { clock: Arc::new(clock), ..Options::default() }
}

fn limit(url: &str, schema: Option<String>) {
    let store = Store::open(url, Options { schema, ..options(0) }).unwrap();
    store.runs().limit_kind(&LimitKind { concurrency: Some(1), ..LimitKind::new("sync/full") }).unwrap();
}

/// The pages that each call reads.
fn measure(read: &mut dyn FnMut(&Call) -> (usize, u64)) -> Vec<u64> {
    let each = |call: &Call| {
        let (got, pages) = read(call);
        assert_eq!(got, call.gets, "{}", call.name);
        pages
    };
    CALLS.iter().map(each).collect()
}

/// `deeper`: as that of a call, for what stands in the way of every call.
fn compare(what: &str, deeper: u64, empty: &[u64], now: &[u64]) {
    println!("{what}: {empty:?} -> {now:?}");
    for ((call, empty), now) in CALLS.iter().zip(empty).zip(now) {
        let most = 2 * empty + call.deeper.max(deeper);
        assert!(*now <= most, "{}, beside {what}: {now} pages, of an empty queue {empty}", call.name);
    }
}

/// Bytes that this thread has read from files, by the kernel's own count.
fn bytes_read() -> u64 {
    let counts = std::fs::read_to_string("/proc/thread-self/io").expect("the kernel counts what a thread reads");
    let line = counts.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
    line.parse().unwrap()
}

fn on_sqlite(in_the_way: Rows, deeper: u64) {
    let (_folder, file) = temp_file("pages.db");
    limit(file.to_str().unwrap(), None);
    let seeding = rusqlite::Connection::open(&file).unwrap();
    seeding.execute_batch("PRAGMA synchronous = OFF").unwrap();
    seeding.execute_batch(&seed(Dialect::Sqlite)).unwrap();
    let mut read = |call: &Call| {
        // A fresh connection, whose cache holds the schema alone.
        let mut host = rusqlite::Connection::open(&file).unwrap();
        host.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).unwrap();
        let own = host.transaction().unwrap();
        let tx = Tx::attach(LentSqlite::new(&own).unwrap(), options(call.minutes)).unwrap();
        let before = bytes_read();
        let got = (call.ask)(&tx);
        let pages = (bytes_read() - before) / 4096;
        drop(tx);
        own.rollback().unwrap();
        (got, pages)
    };
    let empty = measure(&mut read);
    seeding.execute_batch(&in_the_way.insert(Dialect::Sqlite, 200_000)).unwrap();
    compare("on SQLite", deeper, &empty, &measure(&mut read));
}

/// With plans that know no values and with plans for the values, without statistics and with them.
fn on_postgres(schema: &str, in_the_way: Rows, deeper: u64) {
    let schema = format!("{schema}_{}", std::process::id());
    let url = Postgres::shared().url();
    limit(url, Some(schema.clone()));
    let mut host = postgres::Client::connect(url, postgres::NoTls).unwrap();
    host.batch_execute(&format!("SET search_path TO {schema}")).unwrap();
    for table in ["sprongus_runs", "sprongus_events", "sprongus_kind_limits"] {
        host.batch_execute(&format!("ALTER TABLE {table} SET (autovacuum_enabled = false)")).unwrap();
    }
    host.batch_execute(&seed(Dialect::Postgres)).unwrap();
    let modes = ["force_generic_plan", "force_custom_plan"];
    let mut read = |mode: &str| measure(&mut |call: &Call| fetched(&schema, mode, call));
    let empty = modes.map(&mut read);
    host.batch_execute(&in_the_way.insert(Dialect::Postgres, 200_000)).unwrap();
    for statistics in ["without statistics", "with statistics"] {
        for (mode, empty) in modes.iter().zip(&empty) {
            compare(&format!("on PostgreSQL, {mode}, {statistics}"), deeper, empty, &read(mode));
        }
        host.batch_execute("ANALYZE sprongus_runs").unwrap();
    }
}

/// What a call got, and the blocks of our tables and indexes that the server fetched for it.
fn fetched(schema: &str, mode: &str, call: &Call) -> (usize, u64) {
    let mut host = postgres::Client::connect(Postgres::shared().url(), postgres::NoTls).unwrap();
    host.batch_execute(&format!("SET search_path TO {schema}; SET plan_cache_mode = {mode}")).unwrap();
    let mut own = host.transaction().unwrap();
    let tx = Tx::attach(LentPostgres::new(&mut own), options(call.minutes)).unwrap();
    let count = || {
        let sql = "SELECT sum(pg_stat_get_xact_blocks_fetched(oid))::bigint FROM pg_class \
                   WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'i')";
        match tx.query(sql, &[]).unwrap()[0].values()[0] {
            sprongus::Value::Int(pages) => pages.unsigned_abs(),
            ref other => panic!("a count is {other:?}"),
        }
    };
    let ask = || {
        let part = tx.savepoint().unwrap();
        let before = count();
        let got = (call.ask)(&part);
        let pages = count() - before;
        part.rollback().unwrap();
        (got, pages)
    };
    // The first time is a session's first look at an index; that one of the others plans anew is the server's upkeep.
    ask();
    let (got, pages) = (0..3).map(|_| ask()).min_by_key(|(_, pages)| *pages).unwrap();
    drop(tx);
    own.rollback().unwrap();
    (got, pages)
}

#[test]
fn sqlite_reads_no_more_for_finished_runs() {
    on_sqlite(FINISHED, 0);
}

#[test]
fn sqlite_reads_no_more_for_runs_due_tomorrow() {
    on_sqlite(DUE_TOMORROW, 0);
}

#[test]
fn sqlite_reads_no_more_for_a_kind_nobody_asks_for() {
    on_sqlite(UNASKED, 0);
}

#[test]
fn sqlite_reads_no_more_for_a_kind_at_its_limit() {
    on_sqlite(AT_ITS_LIMIT, 0);
}

#[test]
fn sqlite_reads_no_more_for_another_project() {
    on_sqlite(ELSEWHERE, 60);
}

#[test]
fn postgres_reads_no_more_for_another_project() {
    on_postgres("another_project", ELSEWHERE, 60);
}

#[test]
fn postgres_reads_no_more_for_finished_runs() {
    on_postgres("finished_runs", FINISHED, 0);
}

#[test]
fn postgres_reads_no_more_for_runs_due_tomorrow() {
    on_postgres("runs_due_tomorrow", DUE_TOMORROW, 0);
}

#[test]
fn postgres_reads_no_more_for_a_kind_nobody_asks_for() {
    on_postgres("a_kind_nobody_asks_for", UNASKED, 0);
}

#[test]
fn postgres_reads_no_more_for_a_kind_at_its_limit() {
    on_postgres("a_kind_at_its_limit", AT_ITS_LIMIT, 0);
}
