//! Limits per kind: how many run at once, how fast they are claimed (DESIGN.md §5 "Concurrency limit and rate limit").

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::runs::{Cancel, Claim, Enqueue, EnqueueMany, Fail, KindLimit, LimitKind, RetryRun, Snooze, Succeed};
use sprongus::worker::{Outcome, WorkerOptions};
use sprongus::{ErrorCode, Options, Run, Runs, Scope, Store, SystemClock};
use sprongus_conformance::{Backend, Case, Env};

use super::{case, claims, code, kind, put};

pub(super) fn cases() -> Vec<Case> {
    let both: &[&str] = &["runs.limit_kind", "runs.claim_next"];
    vec![
        case("runs::so_many_of_a_kind_run_at_once", both, true, concurrency),
        case("runs::whatever_leaves_a_worker_makes_room", both, true, room),
        case("runs::a_bucket_gives_a_token_a_claim", both, false, rate),
        case("runs::a_stepped_clock_neither_fills_nor_freezes_a_bucket", both, false, stepped),
        case("runs::both_limits_hold_together", both, false, both_limits),
        case("runs::limited_runs_keep_their_place_in_the_order", both, true, order),
        case("runs::limits_hold_for_prefixes_and_projects", both, true, choices),
        case("runs::a_limit_counts_over_all_projects", both, false, all_projects),
        case("runs::a_limit_holds_what_was_queued_before_and_runs", both, true, queued_before),
        case("runs::a_lifted_limit_lets_all_go", &["runs.limit_kind", "runs.limits"], true, lifted),
        case("runs::limits_are_listed", &["runs.limits"], true, listed),
        case("runs::the_same_limit_again_is_no_change", &["runs.limit_kind"], false, again),
        case("runs::enqueueing_is_never_refused_by_a_limit", &["runs.limit_kind", "runs.enqueue"], true, enqueued),
        case("runs::no_limit_out_of_range", &["runs.limit_kind"], true, refused),
        case("runs::limiting_needs_admin", &["runs.limit_kind", "runs.limits"], false, scoped),
        case("runs::a_rolled_back_limit_is_none", &["runs.limit_kind"], false, undone),
        case("runs::an_enqueue_that_raced_with_a_limit_slips_past_none", both, false, raced),
        case("runs::runs_in_the_wrong_lane_are_found", both, false, misplaced),
        case("runs::a_claim_in_a_transaction_holds_up_no_other", both, false, held),
        case("runs::a_worker_of_a_limited_kind_comes_to_its_end", both, false, worked),
    ]
}

fn at_once(kind: &str, concurrency: i64) -> LimitKind {
    LimitKind { concurrency: Some(concurrency), ..LimitKind::new(kind) }
}

fn each(kind: &str, rate: i64, seconds: u64) -> LimitKind {
    LimitKind { rate: Some(rate), per: Duration::from_secs(seconds), ..LimitKind::new(kind) }
}

fn all() -> Claim {
    Claim { limit: 1000, lease: Duration::from_secs(3600), ..Claim::new("w1") }
}

fn of(names: &[&str]) -> Claim {
    Claim { kinds: Some(names.iter().map(|name| (*name).to_owned()).collect()), ..all() }
}

fn many(runs: Runs<'_>, what: &str, n: usize) -> Vec<String> {
    let made = runs.enqueue_many(&EnqueueMany::new(vec![kind(what); n])).unwrap();
    made.into_iter().map(|run| run.id).collect()
}

fn taken(runs: Runs<'_>) -> Vec<Run> {
    runs.claim_next(&all()).unwrap()
}

fn manual(env: &Env) -> (ManualClock, Store) {
    let clock = ManualClock::new(sprongus::Clock::now(&SystemClock::default()));
    let store = env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() });
    (clock, store)
}

fn concurrency(env: &Env) {
    env.within(|on| {
        on.runs().limit_kind(&at_once("a", 3)).unwrap();
        let ids = many(on.runs(), "a", 6);
        assert_eq!(claims(on.runs(), &Claim { limit: 2, ..all() }), ids[..2]);
        assert_eq!(claims(on.runs(), &Claim { dispatch: true, ..all() }), ids[2..3], "dispatching counts");
        assert!(claims(on.runs(), &all()).is_empty());
        assert!(claims(on.runs(), &of(&["a"])).is_empty());
        on.runs().limit_kind(&at_once("a", 4)).unwrap();
        assert_eq!(claims(on.runs(), &of(&["a", "b"])), ids[3..4], "a larger limit");
        on.runs().limit_kind(&at_once("a", 1)).unwrap();
        assert!(claims(on.runs(), &all()).is_empty(), "a smaller one interrupts nobody");
    });
}

fn room(env: &Env) {
    env.within(|on| {
        let runs = on.runs();
        runs.limit_kind(&at_once("a", 1)).unwrap();
        many(runs, "a", 6);
        let one = || {
            let run = taken(runs).pop().expect("there is room");
            assert!(taken(runs).is_empty(), "and for no more than one");
            run
        };
        let minute = Duration::from_secs(60);
        let run = one();
        runs.succeed(&Succeed::new(&run.id, run.lease)).unwrap();
        let run = one();
        runs.fail(&Fail { retryable: false, ..Fail::new(&run.id, run.lease, "x") }).unwrap();
        runs.retry(&RetryRun::new(&run.id)).unwrap();
        let run = one();
        runs.fail(&Fail { retry_in: Some(minute), ..Fail::new(&run.id, run.lease, "x") }).unwrap();
        let run = one();
        runs.snooze(&Snooze::new(&run.id, run.lease, minute)).unwrap();
        let run = one();
        runs.cancel(&Cancel::new(&run.id)).unwrap();
        let run = one();
        runs.fail(&Fail { retry_in: Some(Duration::ZERO), ..Fail::new(&run.id, run.lease, "x") }).unwrap();
        one();
    });
}

fn rate(env: &Env) {
    let (clock, store) = manual(env);
    let runs = store.runs();
    runs.limit_kind(&each("a", 3, 60)).unwrap();
    let ids = many(runs, "a", 20);
    assert_eq!(claims(runs, &Claim { limit: 2, ..all() }), ids[..2]);
    assert_eq!(claims(runs, &all()), ids[2..3]);
    assert!(claims(runs, &all()).is_empty(), "the bucket is empty");
    clock.advance(Duration::from_micros(19_999_999));
    assert!(claims(runs, &all()).is_empty());
    clock.advance(Duration::from_micros(1));
    assert_eq!(claims(runs, &all()), ids[3..4], "a third of the time, a third of the tokens");
    clock.advance(Duration::from_secs(50));
    assert_eq!(claims(runs, &all()), ids[4..6], "two and a half");
    clock.advance(Duration::from_secs(10));
    assert_eq!(claims(runs, &all()), ids[6..7], "and the half was kept");
    clock.advance(Duration::from_secs(1800));
    assert_eq!(claims(runs, &all()), ids[7..10], "it holds no more than it holds");
}

fn stepped(env: &Env) {
    let (clock, store) = manual(env);
    let runs = store.runs();
    runs.limit_kind(&each("a", 2, 60)).unwrap();
    many(runs, "a", 20);
    assert_eq!(taken(runs).len(), 2);
    clock.step_wall(-3_600_000_000);
    assert_eq!(taken(runs).len(), 0, "a clock that was set back gives nothing");
    clock.advance(Duration::from_secs(30));
    assert_eq!(taken(runs).len(), 1, "and takes nothing away");
    clock.advance(Duration::from_secs(60));
    assert_eq!(taken(runs).len(), 2);
    clock.reboot();
    assert_eq!(taken(runs).len(), 0, "another boot goes on with the same bucket");
    clock.advance(Duration::from_secs(30));
    assert_eq!(taken(runs).len(), 1);
    clock.step_wall(3_600_000_000);
    assert!(taken(runs).len() <= 2, "a clock that was set forward gives one bucket at most");
    assert_eq!(taken(runs).len(), 0);
}

fn both_limits(env: &Env) {
    let (clock, store) = manual(env);
    let runs = store.runs();
    runs.limit_kind(&LimitKind { concurrency: Some(3), ..each("a", 4, 60) }).unwrap();
    many(runs, "a", 9);
    let first = taken(runs);
    assert_eq!(first.len(), 3, "three at once");
    for run in &first {
        runs.succeed(&Succeed::new(&run.id, run.lease)).unwrap();
    }
    assert_eq!(taken(runs).len(), 1, "four a minute");
    clock.advance(Duration::from_secs(60));
    assert_eq!(taken(runs).len(), 2, "three at once");
}

fn order(env: &Env) {
    env.within(|on| {
        let runs = on.runs();
        runs.limit_kind(&at_once("b", 2)).unwrap();
        runs.limit_kind(&at_once("d", 1)).unwrap();
        let with = |what: &str, priority: i64| runs.enqueue(&Enqueue { priority, ..kind(what) }).unwrap().id;
        let a = [with("a", 1), with("a", 1)];
        let b = [with("b", 1), with("b", 3), with("b", 0)];
        let c = [with("c", 2), with("c", 1)];
        let d = [with("d", 5), with("d", 5)];
        assert_eq!(claims(runs, &Claim { limit: 1, ..all() }), [d[0].clone()]);
        assert_eq!(claims(runs, &Claim { limit: 3, ..all() }), [b[1].clone(), c[0].clone(), a[0].clone()]);
        assert_eq!(claims(runs, &all()), [a[1].clone(), b[0].clone(), c[1].clone()], "by age, over both lanes");
        runs.limit_kind(&LimitKind::new("d")).unwrap();
        assert_eq!(claims(runs, &all()), d[1..]);
    });
}

fn choices(env: &Env) {
    env.within(|on| {
        let runs = on.runs();
        runs.limit_kind(&at_once("sync/x", 1)).unwrap();
        runs.limit_kind(&at_once("sync0", 1)).unwrap();
        let with = |what: &str, project: &str| {
            runs.enqueue(&Enqueue { project: Some(project.to_owned()), ..kind(what) }).unwrap().id
        };
        let x = [with("sync/x", "p"), with("sync/x", "q"), with("sync/x", "p")];
        let y = [with("sync/y", "p"), with("sync/y", "q")];
        let other = with("sync0", "q");
        let from = |claim: Claim, projects: &[&str]| Claim {
            projects: Some(projects.iter().map(|project| (*project).to_owned()).collect()),
            ..claim
        };
        assert!(claims(runs, &from(of(&["sync/*"]), &["r"])).is_empty());
        assert_eq!(claims(runs, &from(of(&["sync/*"]), &["q"])), [x[1].clone(), y[1].clone()]);
        assert_eq!(claims(runs, &from(of(&["sync/*"]), &["q", "p"])), y[..1], "sync/x is at its limit");
        assert!(claims(runs, &of(&["sync/x", "sync/z"])).is_empty());
        assert_eq!(claims(runs, &from(all(), &["q"])), [other]);
        runs.limit_kind(&at_once("sync/x", 2)).unwrap();
        assert_eq!(claims(runs, &from(of(&["sync/x"]), &["p"])), x[..1]);
        runs.limit_kind(&at_once("sync/x", 3)).unwrap();
        assert_eq!(claims(runs, &of(&["sync/*"])), x[2..]);
    });
}

fn all_projects(env: &Env) {
    let store = env.open();
    store.runs().limit_kind(&at_once("a", 2)).unwrap();
    let (p, q) = (store.scoped("p", Scope::DEFAULT).unwrap(), store.scoped("q", Scope::DEFAULT).unwrap());
    many(p.runs(), "a", 3);
    many(q.runs(), "a", 3);
    assert_eq!(claims(p.runs(), &Claim { limit: 1, ..all() }).len(), 1);
    assert_eq!(claims(q.runs(), &all()).len(), 1, "one place is left by the other project");
    assert!(claims(p.runs(), &all()).is_empty() && claims(q.runs(), &all()).is_empty());
}

fn queued_before(env: &Env) {
    env.within(|on| {
        let runs = on.runs();
        let ids = many(runs, "a", 2_300);
        let later = runs.enqueue(&Enqueue { delay: Some(Duration::from_secs(3600)), ..kind("a") }).unwrap().id;
        let first = runs.claim_next(&Claim { limit: 2, ..all() }).unwrap();
        runs.limit_kind(&at_once("a", 3)).unwrap();
        assert_eq!(claims(runs, &all()), ids[2..3], "those that run already count");
        assert!(claims(runs, &of(&["a"])).is_empty());
        for run in &first {
            runs.succeed(&Succeed::new(&run.id, run.lease)).unwrap();
        }
        assert_eq!(claims(runs, &all()), ids[3..5]);
        runs.cancel(&Cancel::new(&later)).unwrap();
    });
}

fn lifted(env: &Env) {
    env.within(|on| {
        let runs = on.runs();
        runs.limit_kind(&at_once("a", 1)).unwrap();
        let ids = many(runs, "a", 1_200);
        assert_eq!(claims(runs, &all()), ids[..1]);
        runs.limit_kind(&LimitKind::new("a")).unwrap();
        assert!(runs.limits().unwrap().is_empty());
        assert_eq!(claims(runs, &all()), ids[1..1_001]);
        assert_eq!(claims(runs, &of(&["a"])), ids[1_001..]);
        runs.limit_kind(&LimitKind::new("a")).unwrap();
        runs.limit_kind(&LimitKind::new("never limited")).unwrap();
        assert!(runs.limits().unwrap().is_empty(), "lifting nothing is no change");
    });
}

fn listed(env: &Env) {
    env.within(|on| {
        let runs = on.runs();
        assert_eq!(runs.limits().unwrap(), []);
        let second = Duration::from_secs(1);
        for limit in [at_once("b", 2), each("a", 5, 60), LimitKind { concurrency: Some(1), ..each("Z", 1, 1) }] {
            runs.limit_kind(&limit).unwrap();
        }
        let limit = |kind: &str, concurrency, rate, per| KindLimit { kind: kind.to_owned(), concurrency, rate, per };
        let minute = Duration::from_secs(60);
        let there = [
            limit("Z", Some(1), Some(1), second),
            limit("a", None, Some(5), minute),
            limit("b", Some(2), None, second),
        ];
        assert_eq!(runs.limits().unwrap(), there, "by kind, in the order of code points");
        runs.limit_kind(&at_once("a", 7)).unwrap();
        assert_eq!(runs.limits().unwrap()[1], limit("a", Some(7), None, second), "the new limit is the whole limit");
    });
}

fn again(env: &Env) {
    let (_clock, store) = manual(env);
    let runs = store.runs();
    let limit = each("a", 4, 60);
    runs.limit_kind(&limit).unwrap();
    many(runs, "a", 20);
    assert_eq!(claims(runs, &Claim { limit: 3, ..all() }).len(), 3);
    runs.limit_kind(&limit).unwrap();
    assert_eq!(taken(runs).len(), 1, "the bucket is not filled by setting its limit again");
    runs.limit_kind(&each("a", 6, 60)).unwrap();
    assert_eq!(taken(runs).len(), 2, "a larger bucket lacks what was taken");
    runs.limit_kind(&each("a", 2, 1)).unwrap();
    assert_eq!(taken(runs).len(), 0, "and so does a smaller one");
    runs.limit_kind(&LimitKind { concurrency: Some(100), ..each("a", 2, 1) }).unwrap();
    assert_eq!(taken(runs).len(), 0);
}

fn enqueued(env: &Env) {
    env.within(|on| {
        let runs = on.runs();
        runs.limit_kind(&LimitKind { concurrency: Some(1), ..each("a", 1, 3600) }).unwrap();
        let ids = many(runs, "a", 3);
        let one = put(runs, "a").id;
        assert_eq!(claims(runs, &all()), ids[..1]);
        assert_eq!(super::get(runs, &one).state, sprongus::RunState::Queued);
    });
}

fn refused(env: &Env) {
    env.within(|on| {
        let runs = on.runs();
        let long = "k".repeat(513);
        for bad in [
            at_once("a", 0),
            at_once("a", -1),
            at_once("a", i64::MIN),
            at_once("a", i64::MAX),
            at_once("a", 1_000_000_001),
            each("a", 0, 1),
            each("a", -5, 1),
            each("a", i64::MAX, 1),
            each("a", 1, 0),
            LimitKind { per: Duration::MAX, ..each("a", 1, 1) },
            at_once("", 1),
            at_once(&long, 1),
            at_once("a\0", 1),
            at_once("a\n", 1),
            at_once("sync/*", 1),
            LimitKind::new("sync/*"),
        ] {
            assert_eq!(code(runs.limit_kind(&bad)), ErrorCode::InvalidArgument, "{bad:?}");
        }
        assert!(runs.limits().unwrap().is_empty());
        runs.limit_kind(&LimitKind { concurrency: Some(1_000_000_000), ..each("a", 1_000_000_000, 1) }).unwrap();
        many(runs, "a", 3);
        assert_eq!(taken(runs).len(), 3);
    });
}

fn scoped(env: &Env) {
    let store = env.open();
    store.runs().limit_kind(&at_once("a", 2)).unwrap();
    let plain = store.scoped("p", Scope::DEFAULT).unwrap();
    assert_eq!(code(plain.runs().limit_kind(&at_once("a", 5))), ErrorCode::PermissionDenied);
    assert_eq!(plain.runs().limits().unwrap().len(), 1, "limits may be read");
    let blind = store.scoped("p", &[Scope::RunsWrite]).unwrap();
    assert_eq!(code(blind.runs().limits()), ErrorCode::PermissionDenied);
    let admin = store.scoped("p", &[Scope::Admin]).unwrap();
    admin.runs().limit_kind(&at_once("a", 5)).unwrap();
    assert_eq!(store.runs().limits().unwrap()[0].concurrency, Some(5));
}

fn undone(env: &Env) {
    let store = env.open();
    let ids = many(store.runs(), "a", 3);
    let tx = store.begin().unwrap();
    tx.runs().limit_kind(&at_once("a", 1)).unwrap();
    assert_eq!(claims(tx.runs(), &all()), ids[..1], "within the transaction it is in force");
    tx.rollback().unwrap();
    assert!(store.runs().limits().unwrap().is_empty());
    assert_eq!(claims(store.runs(), &all()), ids);
}

/// PostgreSQL: an enqueue that sees no limit yet commits before the limit does. SQLite's writers stand in a line anyway.
fn raced(env: &Env) {
    let store = env.open();
    let other = if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open() };
    if env.backend() == Backend::Postgres {
        let tx = store.begin().unwrap();
        tx.runs().limit_kind(&at_once("a", 1)).unwrap();
        many(other.runs(), "a", 3);
        put(other.runs(), "a");
        tx.commit().unwrap();
    } else {
        many(other.runs(), "a", 3);
        put(other.runs(), "a");
        store.runs().limit_kind(&at_once("a", 1)).unwrap();
    }
    let run = other.runs().claim_next(&all()).unwrap();
    assert_eq!(run.len(), 1, "none slips past the limit");
    assert!(claims(store.runs(), &all()).is_empty());
    store.runs().succeed(&Succeed::new(&run[0].id, run[0].lease)).unwrap();
    assert_eq!(claims(store.runs(), &of(&["a"])).len(), 1, "and none is forgotten");
    if env.backend() == Backend::Postgres {
        let tx = store.begin().unwrap();
        tx.runs().limit_kind(&LimitKind::new("a")).unwrap();
        many(other.runs(), "a", 3);
        tx.commit().unwrap();
        assert_eq!(claims(other.runs(), &all()).len(), 5, "a lifted limit forgets none either");
    }
}

/// As if a process had died while it moved them.
fn misplaced(env: &Env) {
    let store = env.open();
    let runs = store.runs();
    runs.limit_kind(&at_once("a", 2)).unwrap();
    many(runs, "a", 2_500);
    let turned = |limited: bool| {
        store.execute(&format!("UPDATE sprongus_runs SET limited = {limited} WHERE kind = 'a'"), &[]).unwrap();
    };
    turned(false);
    assert_eq!(claims(runs, &of(&["b", "a"])).len(), 2, "nothing passes by the limit");
    assert!(claims(runs, &all()).is_empty());
    turned(true);
    store.execute("UPDATE sprongus_kind_limits SET concurrency = NULL", &[]).unwrap();
    let mut found = 0;
    for _ in 0..3 {
        found += claims(runs, &all()).len();
    }
    assert_eq!(found, 2_498, "nothing is forgotten in the lane of a limit that was lifted");
}

fn held(env: &Env) {
    let store = env.open();
    let other = if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open() };
    store.runs().limit_kind(&at_once("a", 2)).unwrap();
    many(store.runs(), "a", 3);
    let open = put(store.runs(), "b").id;
    let tx = store.begin().unwrap();
    assert_eq!(claims(tx.runs(), &Claim { limit: 1, ..of(&["a"]) }).len(), 1);
    if env.backend() == Backend::Postgres {
        let begun = std::time::Instant::now();
        assert_eq!(claims(other.runs(), &all()), [open], "the host's transaction holds up its kind alone");
        assert!(claims(other.runs(), &all()).is_empty(), "whose room is not known until it ends");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    tx.commit().unwrap();
    let left = if env.backend() == Backend::Postgres { 1 } else { 2 };
    assert_eq!(claims(other.runs(), &all()).len(), left, "one place is left");
}

fn worked(env: &Env) {
    let store = env.open();
    store.runs().limit_kind(&at_once("a", 2)).unwrap();
    many(store.runs(), "a", 12);
    let options =
        WorkerOptions { concurrency: 4, poll_interval: Duration::from_millis(50), ..WorkerOptions::default() };
    let worker = store.worker(options).unwrap();
    let (now, most, done) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let (counted, highest, ended) = (now.clone(), most.clone(), done.clone());
    worker
        .handle("a", move |_| {
            highest.fetch_max(counted.fetch_add(1, SeqCst) + 1, SeqCst);
            std::thread::sleep(Duration::from_millis(20));
            counted.fetch_sub(1, SeqCst);
            ended.fetch_add(1, SeqCst);
            Ok(Outcome::None)
        })
        .unwrap();
    worker.run_until_idle(Duration::ZERO).unwrap();
    assert_eq!((done.load(SeqCst), most.load(SeqCst)), (12, 2));
}
