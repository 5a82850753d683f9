//! Claims, rescues and promotions cost what they return: by their plans, no statement walks through history.

use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::{Claim, Fail, FailMany, Heartbeat, Rescue, RetryRun, Run, Snooze, Succeed, SucceedMany};
use sprongus::worker::{Context, Outcome, WorkerOptions};
use sprongus::{Clock, Dialect, Json, LentPostgres, LentSqlite, Options, Store, SystemClock, Tx};
use sprongus_testkit::{Postgres, temp_file};

use crate::explain::{Explaining, Plans};
use crate::ground::migrated;

pub(crate) const FINISHED: i64 = 20_000;

/// 20,000 finished runs, 2,000 due tomorrow, 2,000 ready ones of a kind nobody asks for, 300 ready and 50
/// claimed ones, every other of them out of its time.
pub(crate) fn seed(execute: &mut dyn FnMut(&str), dialect: Dialect) {
    let rows = |n: i64| match dialect {
        Dialect::Sqlite => {
            format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {n}) SELECT")
        }
        Dialect::Postgres => format!("WITH n AS (SELECT generate_series(1, {n}) AS n) SELECT"),
    };
    let (input, lease, lease_columns) = match dialect {
        Dialect::Sqlite => {
            let lease = "'2024-01-01T00:01:00.000000Z', 1000, 'boot-1', CASE WHEN n % 2 = 0 THEN 1000 END";
            ("'null'", lease, "lease_until, lease_mono, lease_boot, timeout_mono")
        }
        Dialect::Postgres => ("'null'::jsonb", "'2024-01-01T00:01:00Z'::timestamptz", "lease_until"),
    };
    let time = |text: &str| match dialect {
        Dialect::Sqlite => format!("'{text}.000000Z'"),
        Dialect::Postgres => format!("'{text}Z'::timestamptz"),
    };
    let (then, tomorrow) = (time("2024-01-01T00:00:00"), time("2030-01-01T00:00:00"));
    for (count, kind, state, ready, run_at, leased) in [
        (FINISHED, "'k' || (n % 5)", "succeeded", "FALSE", &then, false),
        (2_000, "'k' || (n % 5)", "queued", "FALSE", &tomorrow, false),
        (2_000, "'unasked'", "queued", "TRUE", &then, false),
        (300, "'k' || (n % 5)", "queued", "TRUE", &then, false),
        (50, "'k' || (n % 5)", "running", "FALSE", &then, true),
    ] {
        let (columns, values) =
            if leased { (format!(", {lease_columns}"), format!(", {lease}")) } else { <(String, String)>::default() };
        // What is out of its time is at its last attempt: tried again later, it would be due while others are counted.
        let attempt = if leased { "CASE WHEN n % 2 = 0 THEN 3 ELSE 1 END" } else { "1" };
        execute(&format!(
            "INSERT INTO sprongus_runs (id, kind, input, state, ready, priority, run_at, max_attempts, attempt, lease, \
             created_at, updated_at{columns}) {} '{state}' || '{ready}' || {kind} || n, {kind}, {input}, '{state}', {ready}, \
             n % 3, {run_at}, 3, {attempt}, 1, {then}, {then}{values} FROM n",
            rows(count)
        ));
    }
    execute("ANALYZE sprongus_runs");
}

/// Everything a worker asks for, on a queue with a long history.
fn work(tx: &Tx<'_>) {
    let of = |kinds: &[&str]| Some(kinds.iter().map(|kind| (*kind).to_owned()).collect());
    let runs = tx.runs();
    for kinds in [None, of(&["k1"]), of(&["k1", "k2", "sync/*"]), of(&["none", "nothing/*"]), of(&["sync/*"])] {
        runs.claim_next(&Claim { kinds, limit: 5, ..Claim::new("w") }).unwrap();
    }
    let mine = runs.claim_next(&Claim { kinds: of(&["k3"]), limit: 3, ..Claim::new("w") }).unwrap();
    runs.heartbeat(&Heartbeat { progress: Some(Json::null()), ..Heartbeat::new(&mine[0].id, mine[0].lease) }).unwrap();
    runs.succeed(&Succeed { output: Some(Json::null()), ..Succeed::new(&mine[0].id, mine[0].lease) }).unwrap();
    runs.fail(&Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&mine[1].id, mine[1].lease, "x") }).unwrap();
    let many = runs.claim_next(&Claim { kinds: of(&["k2"]), limit: 7, ..Claim::new("w") }).unwrap();
    runs.snooze(&Snooze::new(&many[0].id, many[0].lease, Duration::ZERO)).unwrap();
    let done = |run: &Run| Succeed { output: Some(Json::null()), ..Succeed::new(&run.id, run.lease) };
    runs.succeed_many(&SucceedMany { items: many[..4].iter().map(done).collect() }).unwrap();
    let failed = |run: &Run| Fail { retryable: run.id != many[5].id, ..Fail::new(&run.id, run.lease, "x") };
    runs.fail_many(&FailMany { items: many[3..].iter().map(failed).collect() }).unwrap();
    runs.retry(&RetryRun::new(&many[5].id)).unwrap();
    let more = runs.claim_next(&Claim { kinds: of(&["k4"]), limit: 50, ..Claim::new("w") }).unwrap();
    let plain = |run: &Run| Succeed::new(&run.id, run.lease);
    runs.succeed_many(&SucceedMany { items: more.iter().map(plain).collect() }).unwrap();
    assert_eq!(runs.rescue(&Rescue::default()).unwrap(), 0, "the claims did it on their way");
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(SystemClock::default().now()))
}

/// The indexes that hold live runs only, and the primary key.
const LIVE: [&str; 9] = [
    "sprongus_runs_ready",
    "sprongus_runs_ready_kind",
    "sprongus_runs_later",
    "sprongus_runs_ready_limited",
    "sprongus_runs_leased",
    "sprongus_runs_timeout",
    "sprongus_runs_leased_kind",
    "sprongus_runs_pkey",
    "sqlite_autoindex_sprongus_runs_1",
];

/// The index a line of a plan names.
pub(crate) fn index_of(line: &str) -> Option<&str> {
    let names = [" using ", " USING INDEX ", " USING COVERING INDEX ", "Bitmap Index Scan on "];
    let at = names.iter().find_map(|name| Some(line.find(name)? + name.len()))?;
    line[at..].split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()
}

fn judge(plans: &Plans, walks: impl Fn(&str) -> bool) {
    let plans = plans.lock().unwrap();
    assert!(plans.len() > 15, "every statement was explained");
    let mut used = Vec::new();
    for (sql, lines) in plans.iter() {
        for (at, line) in lines.iter().enumerate() {
            let index = index_of(line);
            let bounded =
                line.contains("run_at<?") || lines.get(at + 1).is_some_and(|next| next.contains("(run_at <="));
            assert!(
                bounded || index != Some("sprongus_runs_later"),
                "walks through what is due tomorrow: {line}\n{sql}"
            );
            let alive = index.is_none_or(|index| LIVE.contains(&index) || !index.contains("sprongus_runs"));
            assert!(alive && !walks(line), "walks through history: {line}\n{sql}\n{}", lines.join("\n"));
            used.extend(index.map(str::to_owned));
        }
    }
    for index in ["sprongus_runs_ready_kind", "sprongus_runs_later", "sprongus_runs_leased", "sprongus_runs_timeout"] {
        assert!(used.iter().any(|used| used == index), "{index} is used");
    }
}

#[test]
fn sqlite_never_walks_through_history() {
    let (_folder, file) = temp_file("plans.db");
    drop(Store::open(file.to_str().unwrap(), Options::default()).unwrap());
    let mut host = rusqlite::Connection::open(&file).unwrap();
    seed(&mut |sql| host.execute_batch(sql).unwrap(), Dialect::Sqlite);
    let own = host.transaction().unwrap();
    let plans = Plans::default();
    let explaining = Explaining { inner: LentSqlite::new(&own).unwrap(), plans: plans.clone(), about: "sprongus_runs" };
    work(&Tx::attach(explaining, Options { clock: clock(), ..Options::default() }).unwrap());
    judge(&plans, |line| line.starts_with("SCAN") && line.contains("sprongus_runs") && index_of(line).is_none());
}

#[test]
fn postgres_never_walks_through_history() {
    let mut host = migrated("plans", |_| {});
    seed(&mut |sql| host.batch_execute(sql).unwrap(), Dialect::Postgres);
    let mut own = host.transaction().unwrap();
    let plans = Plans::default();
    let explaining = Explaining { inner: LentPostgres::new(&mut own), plans: plans.clone(), about: "sprongus_runs" };
    work(&Tx::attach(explaining, Options { clock: clock(), ..Options::default() }).unwrap());
    judge(&plans, |line| line.contains("Seq Scan on sprongus_runs"));
    reports_are_not_compared_with_each_run(&plans);
}

/// Of a thousand reports that would be a million comparisons; of a few a nested loop is as good.
fn reports_are_not_compared_with_each_run(plans: &Plans) {
    let plans = plans.lock().unwrap();
    let reports: Vec<_> = plans.iter().filter(|(sql, _)| sql.contains("held AS MATERIALIZED")).collect();
    assert!(reports.iter().any(|(sql, _)| is_of_fifty(sql)), "there were reports of many runs");
    for (sql, lines) in reports {
        let plan = lines.join("\n");
        let loops = is_of_fifty(sql) && plan.contains("Nested Loop");
        assert!(plan.contains("hashed SubPlan") && !loops, "{plan}\n{sql}");
    }
}

/// Whether the fifty were reported by it: those have no output.
fn is_of_fifty(sql: &str) -> bool {
    sql.contains("output_ref = NULL")
}

/// Whole workers, whose question whether they are idle no lent transaction asks: the server counts what they read.
#[test]
fn a_worker_reads_no_history_on_postgres() {
    let server = Postgres::start();
    let store = Store::open(server.url(), Options::default()).unwrap();
    let mut host = postgres::Client::connect(server.url(), postgres::NoTls).unwrap();
    seed(&mut |sql| host.batch_execute(sql).unwrap(), Dialect::Postgres);
    // A handle of a project, to which what others have due tomorrow means nothing.
    let scoped = store.scoped("p", sprongus::Scope::DEFAULT).unwrap();
    scoped.runs().claim_next(&Claim { kinds: Some(vec!["k1".to_owned()]), ..Claim::new("w") }).unwrap();
    // Long enough for heartbeats.
    let lease = Duration::from_millis(600);
    let worker = store.worker(WorkerOptions { lease, ..WorkerOptions::default() }).unwrap();
    for (kind, millis) in [("k1", 0), ("k2", 25), ("sync/*", 0)] {
        let work = move |_: &Context| {
            std::thread::sleep(Duration::from_millis(millis));
            Ok(Outcome::None)
        };
        worker.handle(kind, work).unwrap();
    }
    worker.run_until_idle(Duration::ZERO).unwrap();
    drop((worker, scoped));
    store.close();
    // A session hands in its counts when it ends.
    let others =
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    while host.query_one(others, &[]).unwrap().get::<_, i64>(0) > 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let read = "SELECT (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'sprongus_runs'), \
                sum(idx_tup_read) FILTER (WHERE indexrelname <> ALL ($1))::bigint, \
                sum(idx_tup_read) FILTER (WHERE indexrelname IN ('sprongus_runs_ready', 'sprongus_runs_later'))::bigint, \
                sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname = 'sprongus_runs'";
    let row = host.query_one(read, &[&LIVE.as_slice()]).unwrap();
    let (by_scans, in_history, of_others, all): (i64, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
    assert!(all >= 120, "two kinds of 60 runs were worked: {all}");
    assert_eq!((by_scans, in_history), (0, 0), "read by sequential scans, and by the indexes of all runs");
    // A claimer that finds nothing asks when the next run is due: one row, of 2,000 due tomorrow and 2,000 not asked for.
    assert!(of_others < 20, "what is ready of other kinds, and what is due tomorrow: {of_others}");
}
