//! The figures of the queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::{Cancel, Claim, Enqueue, Fail, Rescue, RunStats, RunStatsOf, Succeed};
use sprongus::{Dialect, ErrorCode, Options, Run, RunState, Scope, Store};
use sprongus_conformance::{Case, Env};

use super::{case, code, kind, put};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::stats_count_states_and_kinds", &["runs.stats"], false, counts),
        case("runs::stats_look_back_so_far", &["runs.stats"], false, window),
        case("runs::stats_take_the_newest_of_many", &["runs.stats"], false, sampled),
        case("runs::stats_are_of_a_project", &["runs.stats"], false, project),
        case("runs::stats_of_nothing", &["runs.stats"], true, nothing),
    ]
}

fn open(env: &Env) -> (Store, ManualClock) {
    let clock = ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap());
    (env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() }), clock)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn stats(store: &Store) -> RunStats {
    store.runs().stats(&RunStatsOf::default()).unwrap()
}

fn claim(store: &Store) -> Run {
    store.runs().claim_next(&Claim::new("w")).unwrap().remove(0)
}

/// Waits and runs for so many seconds each, then succeeds.
fn worked(store: &Store, clock: &ManualClock, what: &str, wait: u64, run: u64) {
    put(store.runs(), what);
    clock.advance(secs(wait));
    let held = claim(store);
    clock.advance(secs(run));
    store.runs().succeed(&Succeed::new(&held.id, held.lease)).unwrap();
}

/// The counts that are not zero.
fn states(stats: &RunStats) -> Vec<(&str, i64)> {
    assert!(stats.by_state.keys().map(String::as_str).eq(sorted(RunState::ALL.map(RunState::as_str))), "each state");
    stats.by_state.iter().filter(|(_, count)| **count > 0).map(|(state, count)| (state.as_str(), *count)).collect()
}

fn sorted(mut names: [&'static str; 9]) -> [&'static str; 9] {
    names.sort_unstable();
    names
}

fn counts(env: &Env) {
    let (store, clock) = open(env);
    worked(&store, &clock, "a", 1, 10);
    worked(&store, &clock, "a", 2, 20);
    worked(&store, &clock, "b", 30, 5);
    put(store.runs(), "a");
    let held = claim(&store);
    store.runs().fail(&Fail { retryable: false, ..Fail::new(&held.id, held.lease, "no") }).unwrap();
    let once = Enqueue { max_attempts: 1, timeout: Some(secs(5)), ..kind("c") };
    store.runs().enqueue(&once).unwrap();
    claim(&store);
    clock.advance(secs(6));
    store.runs().rescue(&Rescue::default()).unwrap();
    let unwanted = put(store.runs(), "b");
    store.runs().cancel(&Cancel::new(&unwanted.id)).unwrap();
    put(store.runs(), "b");
    claim(&store);
    store.runs().enqueue(&Enqueue { needs_approval: true, ..kind("c") }).unwrap();
    store.runs().enqueue(&Enqueue { delay: Some(secs(900)), ..kind("c") }).unwrap();
    put(store.runs(), "c");
    clock.advance(secs(7));
    put(store.runs(), "c");
    let told = stats(&store);
    let expected = [
        ("awaiting_approval", 1),
        ("canceled", 1),
        ("failed", 1),
        ("queued", 3),
        ("running", 1),
        ("succeeded", 3),
        ("timed_out", 1),
    ];
    assert_eq!(states(&told), expected);
    let kinds: Vec<(&str, Vec<(&str, i64)>)> = told
        .by_kind
        .iter()
        .map(|(kind, of)| (kind.as_str(), of.iter().map(|(state, count)| (state.as_str(), *count)).collect()))
        .collect();
    let expected = [
        ("a", vec![("failed", 1), ("succeeded", 2)]),
        ("b", vec![("canceled", 1), ("running", 1), ("succeeded", 1)]),
        ("c", vec![("awaiting_approval", 1), ("queued", 3), ("timed_out", 1)]),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(told.oldest_due_age, Some(7.0), "what is due later is not due");
    // Waits of 1, 2, 30 s, and twice none; runs of 10, 20, 5, 0 and 6 s.
    let of = |p50: f64, p95: f64| {
        BTreeMap::from([("p50".to_owned(), p50), ("p95".to_owned(), p95), ("p99".to_owned(), p95)])
    };
    assert_eq!((told.wait, told.run), (of(1.0, 30.0), of(6.0, 20.0)));
    assert_eq!((told.success_rate, told.window, told.sampled), (Some(0.6), 3_600.0, false), "cancels do not count");
}

fn window(env: &Env) {
    let (store, clock) = open(env);
    worked(&store, &clock, "a", 0, 0);
    clock.advance(secs(3_600));
    assert_eq!(states(&stats(&store)), [("succeeded", 1)], "an hour ago is within the hour");
    clock.advance(secs(1));
    worked(&store, &clock, "a", 0, 0);
    assert_eq!(states(&stats(&store)), [("succeeded", 1)]);
    let longer = store.runs().stats(&RunStatsOf { window: secs(7_200), ..RunStatsOf::default() }).unwrap();
    assert_eq!((states(&longer), longer.window), (vec![("succeeded", 2)], 7_200.0));
    for window in [secs(0), Duration::MAX] {
        assert_eq!(
            code(store.runs().stats(&RunStatsOf { window, ..RunStatsOf::default() })),
            ErrorCode::InvalidArgument
        );
    }
}

fn sampled(env: &Env) {
    let (store, _) = open(env);
    // 10,001 that succeeded, the oldest of them after the longest run; 10,000 that failed at once.
    let rows = match store.backend() {
        Dialect::Sqlite => {
            "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 10000) SELECT 's' || n, \
            'k', 'null', 'succeeded', 0, 1, '2026-11-21T09:30:00.000000Z', '2026-11-21T09:30:00.000000Z', \
            CASE n WHEN 0 THEN '2026-11-21T09:40:00.000000Z' ELSE '2026-11-21T09:50:00.000000Z' END, \
            '2026-11-21T09:30:00.000000Z', '2026-11-21T09:30:00.000000Z' FROM n UNION ALL \
            SELECT 'f' || n, 'k', 'null', 'failed', 0, 1, '2026-11-21T09:50:00.000000Z', '2026-11-21T09:50:00.000000Z', \
            '2026-11-21T09:50:00.000000Z', '2026-11-21T09:30:00.000000Z', '2026-11-21T09:30:00.000000Z' FROM n WHERE n > 0"
        }
        Dialect::Postgres => {
            "SELECT 's' || n, 'k', 'null'::jsonb, 'succeeded', 0, 1, timestamptz '2026-11-21T09:30:00Z', \
            timestamptz '2026-11-21T09:30:00Z', \
            CASE n WHEN 0 THEN timestamptz '2026-11-21T09:40:00Z' ELSE timestamptz '2026-11-21T09:50:00Z' END, \
            timestamptz '2026-11-21T09:30:00Z', timestamptz '2026-11-21T09:30:00Z' FROM generate_series(0, 10000) AS n UNION ALL \
            SELECT 'f' || n, 'k', 'null'::jsonb, 'failed', 0, 1, timestamptz '2026-11-21T09:50:00Z', \
            timestamptz '2026-11-21T09:50:00Z', timestamptz '2026-11-21T09:50:00Z', timestamptz '2026-11-21T09:30:00Z', \
            timestamptz '2026-11-21T09:30:00Z' FROM generate_series(1, 10000) AS n"
        }
    };
    let insert = "INSERT INTO sprongus_runs (id, kind, input, state, priority, max_attempts, run_at, started_at, finished_at, \
                  created_at, updated_at)";
    store.execute(&format!("{insert} {rows}"), &[]).unwrap();
    let told = stats(&store);
    assert_eq!((states(&told), told.sampled), (vec![("failed", 10_000), ("succeeded", 10_000)], true));
    assert_eq!((told.success_rate, told.run["p50"], told.run["p99"]), (Some(0.5), 0.0, 1_200.0));
    store.execute("DELETE FROM sprongus_runs WHERE id = 's0'", &[]).unwrap();
    assert!(!stats(&store).sampled, "as many as are looked at are all");
}

fn project(env: &Env) {
    let (store, clock) = open(env);
    let of = |project: &str| Enqueue { project: Some(project.to_owned()), ..kind("a") };
    store.runs().enqueue(&of("p")).unwrap();
    let held = claim(&store);
    clock.advance(secs(3));
    store.runs().succeed(&Succeed::new(&held.id, held.lease)).unwrap();
    store.runs().enqueue(&of("p")).unwrap();
    store.runs().enqueue(&of("q")).unwrap();
    put(store.runs(), "b");
    let named = |project: &str| RunStatsOf { project: Some(project.to_owned()), ..RunStatsOf::default() };
    let mine = store.scoped("p", Scope::DEFAULT).unwrap();
    for told in [store.runs().stats(&named("p")).unwrap(), stats(&mine)] {
        assert_eq!(states(&told), [("queued", 1), ("succeeded", 1)]);
        assert_eq!((told.by_kind.len(), told.run["p50"]), (1, 3.0));
    }
    assert_eq!(states(&stats(&store)), [("queued", 3), ("succeeded", 1)], "without a project: all");
    assert_eq!(states(&store.runs().stats(&named("none")).unwrap()), []);
    assert_eq!(code(mine.runs().stats(&named("q"))), ErrorCode::PermissionDenied);
}

fn nothing(env: &Env) {
    env.within(|on| {
        let told = on.runs().stats(&RunStatsOf::default()).unwrap();
        assert_eq!(states(&told), []);
        assert!(told.by_kind.is_empty() && told.wait.is_empty() && told.run.is_empty());
        assert_eq!((told.oldest_due_age, told.success_rate, told.sampled), (None, None, false));
        let bad = RunStatsOf { project: Some("a\n".to_owned()), ..RunStatsOf::default() };
        assert_eq!(code(on.runs().stats(&bad)), ErrorCode::InvalidArgument);
        put(on.runs(), "a");
        assert_eq!(
            states(&on.runs().stats(&RunStatsOf::default()).unwrap()),
            [("queued", 1)],
            "a transaction sees its own"
        );
    });
}
