//! Rates of scoped handles: counted in the database, all or nothing, never given back by another handle.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sprongus::aux_store::SyncTable;
use sprongus::clock::testing::ManualClock;
use sprongus::inbox::Accept;
use sprongus::runs::schedules::{PutSchedule, Tick};
use sprongus::runs::{Cancel, Enqueue, EnqueueMany, FindIdempotent, ListRuns, RetryRun};
use sprongus::{Error, ErrorCode, Options, Rate, Rates, Scope, ScopedOptions, Store, SystemClock};
use sprongus_conformance::{Case, Env};

use super::case;
use crate::runs::{code, kind};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("scopes::over_a_rate_nothing_is_enqueued", over),
        case("scopes::a_batch_is_counted_as_a_whole", batches),
        case("scopes::a_key_that_was_there_costs_nothing", keys),
        case("scopes::messages_and_syncs_are_counted", elsewhere),
        case("scopes::slots_and_retries_are_not_counted", uncounted),
        case("scopes::cancels_have_a_rate_of_their_own", cancels),
        case("scopes::handles_of_a_project_share_a_bucket", shared),
        case("scopes::a_narrower_handle_has_the_tighter_rate", narrowed),
        case("scopes::what_is_rolled_back_was_not_taken", rolled_back),
        case("scopes::a_stepped_clock_does_not_freeze_a_rate", stepped),
        case("scopes::what_is_no_rate_is_refused", refused),
    ]
}

const SECOND: Duration = Duration::from_secs(1);

fn enqueues(count: i64, seconds: u64) -> ScopedOptions {
    let rate = Rates { enqueue: Some(Rate::new(count, SECOND * u32::try_from(seconds).unwrap())), ..Rates::default() };
    ScopedOptions { rate, ..ScopedOptions::default() }
}

/// A store whose time stands still, and a handle of `p` that enqueues at that rate.
fn rated(env: &Env, count: i64, seconds: u64) -> (ManualClock, Store, Store) {
    let clock = ManualClock::new(sprongus::Clock::now(&SystemClock::default()));
    let store = env.open_with(Options { clock: Arc::new(clock.clone()), ..env.options() });
    let handle = store.scoped_with("p", &enqueues(count, seconds)).unwrap();
    (clock, store, handle)
}

fn put(handle: &Store) -> Result<String, Error> {
    handle.runs().enqueue(&kind("a")).map(|run| run.id)
}

/// How many are let through now.
fn burst(handle: &Store) -> usize {
    std::iter::repeat_with(|| put(handle)).take_while(Result::is_ok).take(1_000).count()
}

fn runs(store: &Store) -> usize {
    store.runs().list(&ListRuns { limit: 1_000, ..ListRuns::default() }).unwrap().items.len()
}

fn over(env: &Env) {
    let (clock, store, handle) = rated(env, 10, 1);
    assert_eq!(burst(&handle), 10);
    let before = crate::runs::picture(sprongus_conformance::Face::Store(&store));
    let error = put(&handle).unwrap_err();
    assert_eq!((error.code(), error.retryable()), (ErrorCode::RateLimited, true));
    let details = json!({"operation": "enqueue", "count": 10, "per": 1.0, "retryIn": 0.1});
    assert_eq!(error.details(), Some(&details));
    assert_eq!(crate::runs::picture(sprongus_conformance::Face::Store(&store)), before);
    clock.advance(Duration::from_micros(99_999));
    assert_eq!(burst(&handle), 0);
    clock.advance(Duration::from_micros(1));
    assert_eq!(burst(&handle), 1);
    clock.advance(Duration::from_millis(250));
    assert_eq!(burst(&handle), 2);
    clock.advance(SECOND * 100);
    assert_eq!(burst(&handle), 10, "no more than a full bucket");
    assert_eq!(burst(&store.scoped("p", Scope::DEFAULT).unwrap()), 1_000, "a handle without a rate has none");
}

fn batches(env: &Env) {
    let (_, store, handle) = rated(env, 1_000, 1);
    let many = |n| handle.runs().enqueue_many(&EnqueueMany::new(vec![kind("a"); n])).map(|runs| runs.len());
    assert_eq!(many(0).unwrap(), 0);
    assert_eq!(many(950).unwrap(), 950);
    assert_eq!(code(many(51)), ErrorCode::RateLimited);
    assert_eq!(many(50).unwrap(), 50);
    assert_eq!(code(many(1_001)), ErrorCode::TooLarge, "which no waiting would let through");
    assert_eq!(runs(&store), 1_000);
}

fn keys(env: &Env) {
    let (clock, store, handle) = rated(env, 2, 1);
    let keyed = |key: &str| Enqueue { idempotency_key: Some(key.to_owned()), ..kind("a") };
    let first = handle.runs().enqueue(&keyed("1")).unwrap();
    for _ in 0..5 {
        assert_eq!(handle.runs().enqueue(&keyed("1")).unwrap().id, first.id);
    }
    let items = EnqueueMany::new(vec![keyed("1"), keyed("2"), keyed("2")]);
    assert!(handle.runs().enqueue_many(&items).unwrap()[2].deduplicated);
    assert_eq!(code(handle.runs().enqueue(&keyed("3"))), ErrorCode::RateLimited);
    assert_eq!(
        code(handle.runs().enqueue_many(&EnqueueMany::new(vec![keyed("2"), keyed("3")]))),
        ErrorCode::RateLimited
    );
    assert!(handle.runs().enqueue(&keyed("2")).unwrap().deduplicated, "of an empty bucket too");
    let make = |key: &str| handle.runs().ensure_idempotent(&FindIdempotent::new(key), || Ok(kind("a")));
    assert!(make("2").unwrap().deduplicated);
    assert_eq!(code(make("3")), ErrorCode::RateLimited);
    assert_eq!(runs(&store), 2);
    clock.advance(SECOND);
    make("3").unwrap();
    assert_eq!(burst(&handle), 1);
}

fn elsewhere(env: &Env) {
    let (_, store, handle) = rated(env, 2, 1);
    let mail = |id: &str| Accept { enqueue: Some(kind("a")), ..Accept::new("mail", id) };
    assert!(handle.inbox().accept(&mail("1")).unwrap().first);
    assert!(!handle.inbox().accept(&mail("1")).unwrap().first, "a repeat costs nothing");
    assert!(handle.inbox().accept(&Accept::new("mail", "2")).unwrap().first, "nor does a message without a run");
    let (_folder, file) = sprongus_testkit::temp_file("a.json");
    std::fs::write(&file, "[]").unwrap();
    let provider = format!("json:{}", file.display());
    let sync = SyncTable { enqueue: true, ..SyncTable::new("assets", &provider) };
    handle.aux("p", "assets").sync(&sync).unwrap();
    assert_eq!(code(handle.inbox().accept(&mail("3"))), ErrorCode::RateLimited);
    assert_eq!(code(handle.aux("p", "assets").sync(&sync)), ErrorCode::RateLimited);
    assert_eq!(code(handle.aux("p", "assets").sync(&SyncTable::new("assets", &provider))), ErrorCode::RateLimited);
    assert_eq!(runs(&store), 2);
    assert!(
        store.inbox().accept(&Accept { project: Some("p".into()), ..mail("3") }).unwrap().first,
        "it was not taken"
    );
}

fn uncounted(env: &Env) {
    let (clock, _, handle) = rated(env, 1, 3_600);
    let run = put(&handle).unwrap();
    handle.runs().cancel(&Cancel::new(&run)).unwrap();
    handle.runs().retry(&RetryRun::new(&run)).unwrap();
    handle.schedules().put(&PutSchedule { every: Some(SECOND * 60), ..PutSchedule::new("minutely", "a") }).unwrap();
    clock.advance(SECOND * 61);
    assert_eq!(handle.schedules().tick(&Tick { limit: 10 }).unwrap(), 1);
    assert_eq!(code(put(&handle)), ErrorCode::RateLimited);
}

fn cancels(env: &Env) {
    let (clock, store, _) = rated(env, 1, 1);
    let rate = Rates::default().with("cancel", Rate::new(2, SECOND)).unwrap();
    let handle = store.scoped_with("p", &ScopedOptions { rate, ..ScopedOptions::default() }).unwrap();
    let ids: Vec<String> = (0..4).map(|_| put(&handle).unwrap()).collect();
    let cancel = |id: &str| handle.runs().cancel(&Cancel::new(id)).map(|run| run.state);
    cancel(&ids[0]).unwrap();
    cancel(&ids[0]).unwrap();
    assert_eq!(code(cancel("no-such-run")), ErrorCode::NotFound);
    cancel(&ids[1]).unwrap();
    let error = cancel(&ids[2]).unwrap_err();
    assert_eq!(
        (error.code(), error.details().unwrap()["operation"].as_str()),
        (ErrorCode::RateLimited, Some("cancel"))
    );
    cancel(&ids[1]).unwrap();
    assert_eq!(crate::runs::told(store.runs(), &ids[2]), ["run.enqueued"]);
    clock.advance(SECOND / 2);
    cancel(&ids[2]).unwrap();
    assert_eq!(code(cancel(&ids[3])), ErrorCode::RateLimited);
    store.runs().cancel(&Cancel::new(&ids[3])).unwrap();
}

fn shared(env: &Env) {
    let (clock, store, fast) = rated(env, 100, 10);
    let slow = store.scoped_with("p", &enqueues(10, 10)).unwrap();
    let other = store.scoped_with("q", &enqueues(10, 10)).unwrap();
    let named = store.acting_as("somebody", None).unwrap().scoped_with("p", &enqueues(10, 10)).unwrap();
    assert_eq!(burst(&slow), 10);
    assert_eq!((burst(&slow), burst(&named), burst(&fast)), (0, 0, 0), "one bucket a project");
    assert_eq!(burst(&other), 10);
    clock.advance(SECOND * 5);
    // Half is back: each counts it by its own rate.
    assert_eq!(burst(&fast), 50);
    clock.advance(SECOND);
    assert_eq!(burst(&slow), 1);
    assert_eq!(burst(&fast), 0);
    clock.advance(SECOND);
    // A second of the bucket is ten tokens of the faster one.
    assert_eq!((0..5).filter(|_| put(&fast).is_ok()).count(), 5);
    assert_eq!(burst(&slow), 0);
    assert_eq!(burst(&fast), 5);
    // A taker with a shorter bucket waits until there is as much in it.
    let brief = store.scoped_with("p", &enqueues(10, 1)).unwrap();
    let error = put(&brief).unwrap_err();
    assert_eq!(error.details().unwrap()["retryIn"].as_f64(), Some(9.1));
    clock.advance(Duration::from_millis(9_100));
    assert_eq!(burst(&brief), 1);
}

fn narrowed(env: &Env) {
    let (clock, store, parent) = rated(env, 5, 1);
    let same = parent.scoped("p", &[Scope::RunsRead, Scope::RunsWrite]).unwrap();
    assert_eq!(burst(&same), 5, "the rate is inherited");
    clock.advance(SECOND);
    let wider = parent.scoped_with("p", &enqueues(1_000, 1)).unwrap();
    assert_eq!(burst(&wider), 5);
    clock.advance(SECOND);
    let tighter = parent.scoped_with("p", &enqueues(2, 1)).unwrap();
    assert_eq!(burst(&tighter), 2);
    assert_eq!(burst(&parent), 0, "and takes out of the same bucket");
    clock.advance(SECOND);
    let seldom = parent.scoped_with("p", &enqueues(60, 60)).unwrap();
    assert_eq!(burst(&seldom), 5);
    clock.advance(SECOND);
    assert_eq!(burst(&seldom), 1);
    let admin = store.scoped_with("q", &ScopedOptions { scopes: vec![Scope::Admin], ..enqueues(1, 1) }).unwrap();
    assert_eq!(burst(&admin.scoped("r", Scope::DEFAULT).unwrap()), 1, "admin lifts the wall, not the rate");
    assert_eq!(burst(&admin), 1);
}

fn rolled_back(env: &Env) {
    let (_, store, handle) = rated(env, 2, 1);
    let undone: Result<(), Error> = handle.transaction(|tx| {
        tx.runs().enqueue(&kind("a"))?;
        tx.runs().enqueue(&kind("a"))?;
        assert_eq!(code(tx.runs().enqueue(&kind("a"))), ErrorCode::RateLimited);
        // What is refused leaves the transaction usable.
        tx.runs().list(&ListRuns::default())?;
        Err(Error::misuse("enough"))
    });
    undone.unwrap_err();
    let invalid = Enqueue { parent: Some(String::new()), ..kind("a") };
    assert_eq!(code(handle.runs().enqueue(&invalid)), ErrorCode::InvalidArgument);
    handle.transaction(|tx| tx.acting_as("x", None)?.runs().enqueue(&kind("a"))).unwrap();
    assert_eq!((burst(&handle), runs(&store)), (1, 2));
}

fn stepped(env: &Env) {
    let (clock, _, handle) = rated(env, 4, 10);
    assert_eq!(burst(&handle), 4);
    clock.step_wall(-3_600 * 1_000_000);
    clock.advance(SECOND * 10);
    assert_eq!(burst(&handle), 4);
    clock.reboot();
    clock.advance(SECOND * 5);
    assert_eq!(burst(&handle), 2);
}

fn refused(env: &Env) {
    let store = env.open();
    for wrong in
        [Rate::new(0, SECOND), Rate::new(-1, SECOND), Rate::new(i64::MAX, SECOND), Rate::new(1, Duration::ZERO)]
    {
        let rate = Rates { cancel: Some(wrong), ..Rates::default() };
        let scoped = store.scoped_with("p", &ScopedOptions { rate, ..ScopedOptions::default() });
        assert_eq!(code(scoped.map(drop)), ErrorCode::InvalidArgument);
    }
    let error = Rates::default().with("delete", Rate::new(1, SECOND)).unwrap_err();
    assert!(error.code() == ErrorCode::InvalidArgument && error.message().contains("enqueue and cancel"), "{error}");
    let widest = store.scoped_with("p", &enqueues(1_000_000_000, 3_153_600_000)).unwrap();
    put(&widest).unwrap();
}
