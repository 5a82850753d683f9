//! Figures, retention and the ticks of schedules cost what they return or remove, however many runs have ended.

use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::schedules::{PutSchedule, Tick};
use sprongus::runs::{ExplainRun, Prune, RunStatsOf};
use sprongus::{Dialect, Executor, LentPostgres, LentSqlite, Options, Store, Tx};
use sprongus_testkit::temp_file;

use crate::explain::{Explaining, Plans};
use crate::ground::{analyze, migrated};
use crate::runs::seed;

/// The seeded runs that have ended did so one a second, two of three in a project; each has an event, a step, an approval and
/// an output.
fn seed_ended(execute: &mut dyn FnMut(&str), dialect: Dialect) {
    seed(execute, dialect);
    let nth = "CAST(substr(id, 17) AS INTEGER)";
    let ended = match dialect {
        Dialect::Sqlite => format!("strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2024-01-01', '+' || {nth} || ' seconds')"),
        Dialect::Postgres => format!("created_at + {nth} * interval '1 second'"),
    };
    execute(&format!(
        "UPDATE sprongus_runs SET started_at = created_at, finished_at = {ended}, \
         project_id = CASE WHEN priority = 0 THEN NULL ELSE 'p' END WHERE state = 'succeeded'"
    ));
    let null = if dialect == Dialect::Postgres { "'null'::jsonb" } else { "'null'" };
    for (table, columns, values) in [
        (
            "events",
            "id, run_id, subject, seq, type, at, actor, payload",
            "id, id, 'run:' || id, 1, 'x', created_at, 'x', {null}",
        ),
        ("run_steps", "run_id, name, output, attempt, at", "id, 'one', {null}, 1, created_at"),
        ("approvals", "id, run_id, scope, step, metadata, created_at", "id, id, 'run', '', {null}, created_at"),
        (
            "artifacts",
            "id, run_id, kind, logical_key, version, media_type, sha256, size, metadata, created_at",
            "id, id, 'run.output', id, 1, 'x', 'x', 0, {null}, created_at",
        ),
    ] {
        let values = values.replace("{null}", null);
        execute(&format!(
            "INSERT INTO sprongus_{table} ({columns}) SELECT {values} FROM sprongus_runs WHERE state = 'succeeded'"
        ));
    }
    execute(analyze(dialect));
}

/// The tables that grow with what has been done.
const LARGE: [&str; 5] = ["runs", "events", "run_steps", "approvals", "artifacts"];
/// Those of them that are looked up also while PostgreSQL knows nothing of them.
const LARGEST: [&str; 2] = ["runs", "events"];

/// What keeps an eye on the queue; the statements that ran, with their plans.
fn explained(inner: impl Executor) -> Vec<(String, Vec<String>)> {
    let plans = Plans::default();
    let explaining = Explaining { inner, plans: plans.clone(), about: "sprongus_" };
    // When the last of them ended.
    let clock = Arc::new(ManualClock::new("2024-01-01T05:33:20Z".parse().unwrap()));
    let tx = Tx::attach(explaining, Options { clock, ..Options::default() }).unwrap();
    let stats = |project| {
        let window = Duration::from_secs(1_499);
        tx.runs().stats(&RunStatsOf { project, window }).unwrap()
    };
    let all = stats(None);
    assert_eq!((all.by_state["succeeded"], all.by_state["queued"]), (1_500, 4_300));
    assert_eq!(stats(Some("p".to_owned())).by_state["succeeded"], 1_000);
    let prune = Prune { succeeded_after: Duration::ZERO, failed_after: Duration::ZERO, limit: 20 };
    assert_eq!(tx.runs().prune(&prune).unwrap(), 20);
    tx.schedules().put(&PutSchedule { every: Some(Duration::from_secs(60)), ..PutSchedule::new("a", "k") }).unwrap();
    tx.schedules().tick(&Tick::default()).unwrap();
    tx.runs().explain(&ExplainRun::new("queuedTRUEk11")).unwrap();
    let plans = plans.lock().unwrap();
    plans.clone()
}

fn names(large: &[&str], line: &str, scan: &str) -> bool {
    let scanned = line.split_once(scan).and_then(|(_, table)| table.split(' ').next());
    scanned.is_some_and(|table| large.contains(&table))
}

fn judge(plans: &[(String, Vec<String>)], walks: impl Fn(&str) -> bool) {
    let all: Vec<&String> = plans.iter().flat_map(|(_, lines)| lines).collect();
    for (sql, lines) in plans {
        if sql.contains("DELETE FROM sprongus_runs") {
            let by_id = ["sqlite_autoindex_sprongus_runs_1 (id=?)", "sprongus_runs_pkey"];
            let found = |line: &String| by_id.iter().any(|index| line.contains(index));
            assert!(lines.iter().any(found), "deletes by ids: {}", lines.join("\n"));
        }
        // The live runs are counted, each of them: that is what was asked for. Those that are queued by the indexes of claims.
        let counts = sql.contains("GROUP BY state, kind");
        if counts && sql.contains("INDEXED BY") {
            for index in
                ["INDEX sprongus_runs_ready_kind", "INDEX sprongus_runs_ready_limited", "INDEX sprongus_runs_later"]
            {
                assert!(lines.iter().any(|line| line.contains(index)), "{index}: {}", lines.join("\n"));
            }
        }
        for line in lines {
            let counted = counts && line.contains("INDEX sprongus_runs_");
            assert!(counted || !walks(line), "walks: {line}\n{sql}\n{}", lines.join("\n"));
            let by_all = line.contains("sprongus_runs_project ") || (!counts && line.contains("sprongus_runs_state"));
            assert!(!by_all, "goes by all that ended: {line}\n{sql}\n{}", lines.join("\n"));
        }
    }
    for index in ["sprongus_runs_finished", "sprongus_runs_finished_project"] {
        assert!(all.iter().any(|line| line.contains(index)), "{index} is used");
    }
}

#[test]
fn sqlite_keeps_an_eye_on_the_queue_without_history() {
    let (_folder, file) = temp_file("keeping.db");
    drop(Store::open(file.to_str().unwrap(), Options::default()).unwrap());
    let mut host = rusqlite::Connection::open(&file).unwrap();
    seed_ended(&mut |sql| host.execute_batch(sql).unwrap(), Dialect::Sqlite);
    let own = host.transaction().unwrap();
    let plans = explained(LentSqlite::new(&own).unwrap());
    judge(&plans, |line| names(&LARGE, line, "SCAN sprongus_"));
}

#[test]
fn postgres_keeps_an_eye_on_the_queue_without_history() {
    for analyzed in [true, false] {
        let mut host = migrated(&format!("plans_keeping_{analyzed}"), |_| {});
        let mut run = |sql: &str| {
            if analyzed || sql != analyze(Dialect::Postgres) {
                host.batch_execute(sql).unwrap();
            }
        };
        seed_ended(&mut run, Dialect::Postgres);
        let mut own = host.transaction().unwrap();
        let plans = explained(LentPostgres::new(&mut own));
        let large: &[&str] = if analyzed { &LARGE } else { &LARGEST };
        judge(&plans, |line| names(large, line, "Seq Scan on sprongus_"));
    }
}
