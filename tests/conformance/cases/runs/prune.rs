//! Retention: what ended long ago goes, with all that is its own; what lives stays.

use std::sync::Arc;
use std::time::Duration;

use sprongus::clock::testing::ManualClock;
use sprongus::inbox::Accept;
use sprongus::runs::{
    Cancel, Claim, Enqueue, Fail, GetRun, ListRuns, Prune, RetryRun, RunEvents, RunOutput, SaveStep, Succeed,
};
use sprongus::{ErrorCode, Json, Options, Run, RunState, Scope, Store};
use sprongus_conformance::{Backend, Case, Env};

use super::{case, code, kind, put};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("runs::prune_takes_all_that_is_a_runs_own", &["runs.prune"], false, whole),
        case("runs::prune_goes_by_how_and_when_a_run_ended", &["runs.prune"], false, ages),
        case("runs::prune_never_takes_a_live_run", &["runs.prune"], false, live),
        case("runs::prune_is_bounded_and_oldest_first", &["runs.prune"], false, bounded),
        case("runs::eight_prune_and_each_run_goes_once", &["runs.prune"], false, eight),
        case("runs::prune_keeps_to_the_project", &["runs.prune"], false, project),
        case("runs::prune_within_a_transaction", &["runs.prune"], true, within),
    ]
}

fn open(env: &Env) -> (Store, ManualClock) {
    let clock = ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap());
    (env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() }), clock)
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

fn at_once(limit: i64) -> Prune {
    Prune { succeeded_after: Duration::ZERO, failed_after: Duration::ZERO, limit }
}

fn count(store: &Store, table: &str) -> i64 {
    let rows = store.query(&format!("SELECT count(*) AS n FROM sprongus_{table}"), &[]).unwrap();
    let Some(sprongus::Value::Int(count)) = rows[0].get("n") else { panic!("a count is an integer") };
    *count
}

fn claim(store: &Store) -> Run {
    store.runs().claim_next(&Claim::new("w")).unwrap().remove(0)
}

fn whole(env: &Env) {
    let (store, clock) = open(env);
    let accept = Accept { enqueue: Some(Enqueue { needs_approval: true, ..kind("a") }), ..Accept::new("mail", "m1") };
    let id = store.inbox().accept(&accept).unwrap().run.unwrap().id;
    let child = store.runs().enqueue(&Enqueue { parent: Some(id.clone()), ..kind("child") }).unwrap();
    store.approvals().approve(&sprongus::runs::approvals::Decide::new(&id, "bob")).unwrap();
    let held =
        store.runs().claim_next(&Claim { kinds: Some(vec!["a".to_owned()]), ..Claim::new("w") }).unwrap().remove(0);
    store.runs().save_step(&SaveStep::new(&id, held.lease, "one", Json::null())).unwrap();
    store.runs().succeed(&Succeed { output: Some(Json::null()), ..Succeed::new(&id, held.lease) }).unwrap();
    clock.advance(days(30));
    let before = store.events().position().unwrap();
    assert_eq!(store.runs().prune(&Prune::default()).unwrap(), 1);
    assert_eq!(code(store.runs().get(&GetRun::new(&id))), ErrorCode::NotFound);
    assert_eq!(code(store.runs().events(&RunEvents::new(&id))), ErrorCode::NotFound);
    assert_eq!(code(store.runs().output(&RunOutput::new(&id))), ErrorCode::NotFound);
    for (table, left) in
        [("runs", 1), ("events", 1), ("run_steps", 0), ("approvals", 0), ("artifacts", 0), ("inbox", 1)]
    {
        assert_eq!(count(&store, table), left, "{table}");
    }
    // What names it keeps the name.
    assert_eq!(store.runs().get(&GetRun::new(&child.id)).unwrap().parent_id, Some(id));
    let again = store.inbox().accept(&accept).unwrap();
    assert!(!again.first && again.run.is_none(), "the message stays known");
    assert_eq!(store.runs().prune(&Prune::default()).unwrap(), 0);
    // The feed goes on after the position it had.
    put(store.runs(), "new");
    let batch =
        store.events().read(&sprongus::events::ReadEvents { after: Some(before), ..Default::default() }).unwrap();
    assert_eq!(batch.items.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["run.enqueued"]);
}

fn ages(env: &Env) {
    let (store, clock) = open(env);
    let fail = |retryable, max_attempts| {
        let run = store.runs().enqueue(&Enqueue { max_attempts, ..kind("f") }).unwrap();
        let held = claim(&store);
        store.runs().fail(&Fail { retryable, ..Fail::new(&run.id, held.lease, "no") }).unwrap();
    };
    put(store.runs(), "s");
    let held = claim(&store);
    store.runs().succeed(&Succeed::new(&held.id, held.lease)).unwrap();
    fail(false, 3);
    let denied = store.runs().enqueue(&Enqueue { needs_approval: true, ..kind("d") }).unwrap();
    store.approvals().deny(&sprongus::runs::approvals::Decide::new(&denied.id, "bob")).unwrap();
    let canceled = put(store.runs(), "c");
    store.runs().cancel(&Cancel::new(&canceled.id)).unwrap();
    store.runs().enqueue(&Enqueue { max_attempts: 1, timeout: Some(Duration::from_secs(1)), ..kind("t") }).unwrap();
    claim(&store);
    clock.advance(Duration::from_secs(2));
    store.runs().rescue(&sprongus::runs::Rescue::default()).unwrap();
    let left = || {
        let mut kinds: Vec<_> =
            store.runs().list(&ListRuns::default()).unwrap().into_iter().map(|run| run.kind).collect();
        kinds.sort();
        kinds.concat()
    };
    let prune = || store.runs().prune(&Prune::default()).unwrap();
    assert_eq!((prune(), left().as_str()), (0, "cdfst"));
    clock.advance(days(30));
    assert_eq!((prune(), left().as_str()), (1, "cdft"));
    clock.advance(days(60));
    assert_eq!((prune(), left().as_str()), (4, ""));
    assert_eq!(count(&store, "events"), 0);
}

fn live(env: &Env) {
    let (store, clock) = open(env);
    put(store.runs(), "running");
    claim(&store);
    store.runs().claim_next(&Claim { dispatch: true, ..Claim::new("w") }).unwrap();
    put(store.runs(), "queued");
    store.runs().enqueue(&Enqueue { delay: Some(days(1)), ..kind("later") }).unwrap();
    store.runs().enqueue(&Enqueue { needs_approval: true, ..kind("awaiting") }).unwrap();
    // One that ended and lives again.
    let again = put(store.runs(), "again");
    store.runs().cancel(&Cancel::new(&again.id)).unwrap();
    store.runs().retry(&RetryRun::new(&again.id)).unwrap();
    clock.advance(days(3_650));
    assert_eq!(store.runs().prune(&at_once(10_000)).unwrap(), 0);
    assert_eq!(store.runs().list(&ListRuns::default()).unwrap().len(), 5);
}

/// Ends so many runs, each a second after the other.
fn ended(store: &Store, clock: &ManualClock, runs: usize) -> Vec<String> {
    let end = |_| {
        clock.advance(Duration::from_secs(1));
        let run = put(store.runs(), "a");
        store.runs().cancel(&Cancel::new(&run.id)).unwrap().id
    };
    (0..runs).map(end).collect()
}

fn bounded(env: &Env) {
    let (store, clock) = open(env);
    let ids = ended(&store, &clock, 450);
    let prune = |limit| store.runs().prune(&at_once(limit)).unwrap();
    assert_eq!((prune(0), prune(1)), (0, 1));
    assert_eq!(code(store.runs().get(&GetRun::new(&ids[0]))), ErrorCode::NotFound, "the oldest");
    assert_eq!((prune(205), prune(10_000), prune(10_000)), (205, 244, 0), "over several commits");
    for limit in [-1, 10_001] {
        assert_eq!(code(store.runs().prune(&at_once(limit))), ErrorCode::InvalidArgument);
    }
    let endless = Prune { failed_after: Duration::MAX, ..Prune::default() };
    assert_eq!(code(store.runs().prune(&endless)), ErrorCode::InvalidArgument);
}

fn eight(env: &Env) {
    let (store, clock) = open(env);
    ended(&store, &clock, 300);
    let live = put(store.runs(), "a");
    let options = || Options { clock: Arc::new(clock.clone()), ..env.options() };
    let other = if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open_with(options()) };
    let total: i64 = std::thread::scope(|scope| {
        let prune = |store: &Store| -> i64 { (0..20).map(|_| store.runs().prune(&at_once(30)).unwrap()).sum() };
        let threads: Vec<_> =
            [&store, &other].into_iter().cycle().take(8).map(|store| scope.spawn(move || prune(store))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(total, 300);
    assert_eq!(store.runs().get(&GetRun::new(&live.id)).unwrap().state, RunState::Queued);
    assert_eq!(count(&store, "events"), 1);
}

fn project(env: &Env) {
    let (store, _) = open(env);
    let mine = store.scoped("p", Scope::DEFAULT).unwrap();
    for project in [None, Some("p"), Some("q")] {
        let run = store.runs().enqueue(&Enqueue { project: project.map(str::to_owned), ..kind("a") }).unwrap();
        store.runs().cancel(&Cancel::new(&run.id)).unwrap();
    }
    assert_eq!(mine.runs().prune(&at_once(100)).unwrap(), 1, "its own alone");
    assert_eq!(store.runs().prune(&at_once(100)).unwrap(), 2);
    let reader = store.scoped("p", &[Scope::RunsRead]).unwrap();
    assert_eq!(code(reader.runs().prune(&at_once(100))), ErrorCode::PermissionDenied);
}

fn within(env: &Env) {
    env.within(|on| {
        let run = put(on.runs(), "a");
        on.runs().cancel(&Cancel::new(&run.id)).unwrap();
        assert_eq!(on.runs().prune(&Prune::default()).unwrap(), 0);
        assert_eq!(on.runs().prune(&at_once(5)).unwrap(), 1);
        assert_eq!(code(on.runs().get(&GetRun::new(&run.id))), ErrorCode::NotFound);
    });
    let fresh = Env::fresh(env.backend());
    let store = fresh.open();
    let run = put(store.runs(), "a");
    store.runs().cancel(&Cancel::new(&run.id)).unwrap();
    let undone: sprongus::Result<()> = store.transaction(|tx| {
        assert_eq!(tx.runs().prune(&at_once(5))?, 1);
        Err(sprongus::Error::misuse("enough"))
    });
    undone.unwrap_err();
    assert_eq!(store.runs().events(&RunEvents::new(&run.id)).unwrap().len(), 2, "rolled back, it is all there");
}
