//! Schedules: one run per slot, whoever ticks (DESIGN.md §5 "Schedules", docs/schedules.md).

use std::time::Duration;

use sprongus::clock::{Clock, Timestamp, testing::ManualClock};
use sprongus::presets::{BindRunPreset, CreatePreset, PresetKind};
use sprongus::runs::schedules::{NextTimes, Overlap, PutSchedule, Schedule, ScheduleName, Schedules, Tick};
use sprongus::runs::{Claim, Enqueue, ListRuns, Order, Succeed};
use sprongus::{ErrorCode, Json, Options, Run, RunState, Scope, Store, ops};
use sprongus_conformance::{Case, Env};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, covers, transactional, run| Case { name, covers, transactional, run };
    vec![
        case(
            "schedules::are_put_found_and_removed",
            &["schedules.put", "schedules.get", "schedules.list", "schedules.delete"],
            true,
            kept,
        ),
        case("schedules::the_same_again_changes_nothing", &["schedules.put"], false, same_again),
        case("schedules::a_change_keeps_what_it_does_not_touch", &["schedules.put"], false, changed),
        case(
            "schedules::names_are_each_projects_own",
            &["schedules.get", "schedules.pause", "schedules.delete"],
            true,
            names,
        ),
        case("schedules::a_scoped_handle_has_its_projects", &["schedules.list", "schedules.tick"], false, scoped),
        case("schedules::a_slot_is_one_run_keyed_by_it", &["schedules.tick"], false, one_run),
        case("schedules::claims_tick_as_they_go", &["schedules.tick", "runs.claim_next"], false, claims_tick),
        case("schedules::intervals_do_not_drift", &["schedules.tick", "schedules.next_times"], false, no_drift),
        case(
            "schedules::clocks_that_are_set_forward_and_back",
            &["schedules.tick", "schedules.next_times"],
            false,
            zones,
        ),
        case("schedules::overlap_skips_or_queues", &["schedules.tick"], false, overlap),
        case("schedules::missed_slots_are_made_up_for_as_asked", &["schedules.tick"], false, catch_up),
        case(
            "schedules::a_paused_one_waits",
            &["schedules.pause", "schedules.resume", "schedules.next_times"],
            false,
            paused,
        ),
        case("schedules::a_refused_run_holds_up_none", &["schedules.tick"], false, refused),
        case("schedules::a_rolled_back_tick_is_none", &["schedules.tick"], false, rolled_back),
        case(
            "schedules::work_within_a_transaction",
            &["schedules.put", "schedules.tick", "schedules.next_times"],
            true,
            within,
        ),
        case(
            "schedules::bad_ones_are_refused",
            &["schedules.put", "schedules.next_times", "schedules.tick"],
            true,
            bad,
        ),
    ]
}

/// A store whose time the test holds.
fn held(env: &Env, now: &str) -> (Store, ManualClock) {
    let clock = ManualClock::new(at(now));
    let store = env.open_with(Options { clock: std::sync::Arc::new(clock.clone()), ..env.options() });
    (store, clock)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn every(name: &str, seconds: u64) -> PutSchedule {
    PutSchedule { every: Some(secs(seconds)), ..PutSchedule::new(name, "k") }
}

fn cron(name: &str, cron: &str, tz: &str) -> PutSchedule {
    PutSchedule { cron: Some(cron.to_owned()), tz: tz.to_owned(), ..PutSchedule::new(name, "k") }
}

fn named(name: &str) -> ScheduleName {
    ScheduleName::new(name)
}

fn of(name: &str, project: &str) -> ScheduleName {
    ScheduleName { project: Some(project.to_owned()), ..named(name) }
}

fn tick(store: &Store) -> i64 {
    store.schedules().tick(&Tick::default()).unwrap()
}

/// All runs, the oldest first.
fn runs(store: &Store) -> Vec<Run> {
    store
        .runs()
        .list(&ListRuns { order: Order::Oldest, limit: 1_000, ..ListRuns::default() })
        .unwrap()
        .into_iter()
        .collect()
}

/// The slots that have a run, in the order of the slots.
fn slots(store: &Store) -> Vec<String> {
    let mut slots: Vec<_> = runs(store).iter().map(|run| short(run.run_at)).collect();
    slots.sort();
    slots
}

fn short(time: Timestamp) -> String {
    time.to_string().replace(":00.000000Z", "Z")
}

fn next(on: Schedules<'_>, name: &str) -> Option<String> {
    on.get(&named(name)).unwrap().next_at.map(short)
}

fn code<T: std::fmt::Debug>(result: sprongus::Result<T>) -> ErrorCode {
    result.unwrap_err().code()
}

fn finish_all(store: &Store) {
    for run in store.runs().claim_next(&Claim { limit: 1_000, ..Claim::new("w") }).unwrap() {
        store.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
    }
}

fn kept(env: &Env) {
    env.within(|on| {
        let input = Json::parse(r#"{"b":[1.0,1e16],"a":"é"}"#).unwrap();
        let put = PutSchedule {
            input: input.clone(),
            overlap: Overlap::Queue,
            catch_up: secs(90),
            ..cron("nightly", " 30 2 * * * ", "europe/berlin")
        };
        let made = on.schedules().put(&put).unwrap();
        let expected = Schedule {
            name: "nightly".to_owned(),
            cron: Some("30 2 * * *".to_owned()),
            every: None,
            tz: "Europe/Berlin".to_owned(),
            kind: "k".to_owned(),
            input,
            project_id: None,
            overlap: Overlap::Queue,
            catch_up: secs(90),
            paused: false,
            next_at: made.next_at,
        };
        assert_eq!(made, expected);
        assert_eq!(on.schedules().get(&named("nightly")).unwrap(), made);
        let often = on
            .schedules()
            .put(&PutSchedule { every: Some(Duration::from_millis(1_500)), ..PutSchedule::new("Ä", "k") })
            .unwrap();
        assert_eq!(
            (often.every, often.overlap, often.catch_up),
            (Some(Duration::from_millis(1_500)), Overlap::Skip, secs(0))
        );
        let capital = on.schedules().put(&every("Z", 60)).unwrap();
        assert_eq!(on.schedules().list().unwrap(), [capital, made, often], "by the names' code points");
        on.schedules().delete(&named("nightly")).unwrap();
        assert_eq!(code(on.schedules().delete(&named("nightly"))), ErrorCode::NotFound);
        assert_eq!(code(on.schedules().get(&named("nightly"))), ErrorCode::NotFound);
    });
}

fn same_again(env: &Env) {
    let (store, clock) = held(env, "2026-11-21T10:00:00Z");
    for put in [every("a", 600), cron("b", "0 * * * *", "UTC")] {
        let made = store.schedules().put(&put).unwrap();
        clock.advance(secs(60));
        assert_eq!(store.schedules().put(&put).unwrap(), made);
    }
    let rows = store.query("SELECT count(*) AS n FROM sprongus_schedules WHERE updated_at <> created_at", &[]).unwrap();
    assert_eq!(rows[0].get("n"), Some(&0.into()), "nothing was written");
}

fn changed(env: &Env) {
    let (store, clock) = held(env, "2026-11-21T10:00:00Z");
    let on = store.schedules();
    on.put(&every("a", 600)).unwrap();
    clock.advance(secs(700));
    // Another kind: the slot that has come is not lost.
    let kind = on.put(&PutSchedule { kind: "other".to_owned(), ..every("a", 600) }).unwrap();
    assert_eq!((kind.kind.as_str(), kind.next_at.map(short).unwrap().as_str()), ("other", "2026-11-21T10:10Z"));
    assert_eq!(tick(&store), 1);
    assert_eq!(runs(&store)[0].kind, "other");
    // Other times: they begin anew, and the run of the last slot is still known.
    let often = on.put(&PutSchedule { kind: "other".to_owned(), ..every("a", 60) }).unwrap();
    assert_eq!(often.next_at, Some(clock.now().saturating_add(secs(60))));
    clock.advance(secs(60));
    assert_eq!(tick(&store), 0, "the run before the change has not ended");
    let cron = on.put(&cron("a", "0 12 * * *", "America/New_York")).unwrap();
    assert_eq!((cron.every, cron.next_at.map(short).as_deref()), (None, Some("2026-11-21T17:00Z")));
    assert_eq!(on.list().unwrap().len(), 1);
}

fn names(env: &Env) {
    env.within(|on| {
        let on = on.schedules();
        let put = |project: Option<&str>, seconds| {
            on.put(&PutSchedule { project: project.map(str::to_owned), ..every("a", seconds) }).unwrap()
        };
        let (p, q) = (put(Some("p"), 60), put(Some("q"), 70));
        assert_eq!((p.project_id.as_deref(), q.project_id.as_deref()), (Some("p"), Some("q")));
        for error in
            [on.get(&named("a")).unwrap_err(), on.pause(&named("a")).unwrap_err(), on.delete(&named("a")).unwrap_err()]
        {
            assert_eq!(error.code(), ErrorCode::Conflict);
            assert_eq!(error.details().unwrap()["projects"], serde_json::json!(["p", "q"]));
        }
        assert_eq!(on.get(&of("a", "q")).unwrap(), q);
        assert_eq!(code(on.get(&of("a", "r"))), ErrorCode::NotFound);
        on.delete(&of("a", "q")).unwrap();
        assert_eq!(on.get(&named("a")).unwrap(), p, "the only one of that name");
        // Without a project it is one of its own, and the one that is meant where none is named.
        let none = put(None, 80);
        assert_eq!(none.project_id, None);
        assert_eq!(on.get(&named("a")).unwrap(), none);
        assert_eq!(on.list().unwrap().len(), 2);
    });
}

fn scoped(env: &Env) {
    let (store, clock) = held(env, "2026-11-21T10:00:00Z");
    let mine = store.scoped("p", Scope::DEFAULT).unwrap();
    assert_eq!(mine.schedules().put(&every("a", 60)).unwrap().project_id.as_deref(), Some("p"));
    store.schedules().put(&every("a", 60)).unwrap();
    store.schedules().put(&PutSchedule { project: Some("q".to_owned()), ..every("b", 60) }).unwrap();
    assert_eq!(mine.schedules().list().unwrap().len(), 1);
    assert_eq!(mine.schedules().get(&named("a")).unwrap().project_id.as_deref(), Some("p"));
    assert_eq!(code(mine.schedules().get(&named("b"))), ErrorCode::NotFound);
    assert_eq!(code(mine.schedules().get(&of("b", "q"))), ErrorCode::PermissionDenied);
    assert_eq!(
        code(mine.schedules().put(&PutSchedule { project: Some("q".to_owned()), ..every("c", 60) })),
        ErrorCode::PermissionDenied
    );
    clock.advance(secs(60));
    assert_eq!(tick(&mine), 1, "its own alone");
    assert_eq!(runs(&store)[0].project_id.as_deref(), Some("p"));
    assert_eq!(tick(&store), 2);
    let reader = store.scoped("p", &[Scope::RunsRead]).unwrap();
    assert_eq!(code(reader.schedules().pause(&named("a"))), ErrorCode::PermissionDenied);
    mine.schedules().delete(&named("a")).unwrap();
    assert_eq!(store.schedules().list().unwrap().len(), 2);
}

fn one_run(env: &Env) {
    let (store, clock) = held(env, "2026-11-21T10:00:00Z");
    store.schedules().put(&PutSchedule { input: Json::parse("[7]").unwrap(), ..every("a", 60) }).unwrap();
    assert_eq!(tick(&store), 0, "not yet");
    clock.advance(secs(61));
    assert_eq!((tick(&store), tick(&store)), (1, 0), "once");
    let run = runs(&store).remove(0);
    assert_eq!(run.idempotency_key.as_deref(), Some("schedule:a:2026-11-21T10:01:00.000000Z"));
    assert_eq!((run.kind.as_str(), run.input.as_str(), run.state), ("k", "[7]", RunState::Queued));
    assert_eq!(short(run.run_at), "2026-11-21T10:01Z", "due since its slot");
    assert_eq!(next(store.schedules(), "a").as_deref(), Some("2026-11-21T10:02Z"));
    // The run of a slot that was enqueued otherwise is that slot's.
    finish_all(&store);
    let by_hand = Enqueue {
        idempotency_key: Some("schedule:a:2026-11-21T10:02:00.000000Z".to_owned()),
        ..Enqueue::new("k", Json::parse("[7]").unwrap())
    };
    let by_hand = store.runs().enqueue(&by_hand).unwrap();
    clock.advance(secs(60));
    tick(&store);
    assert_eq!(runs(&store).last().unwrap().id, by_hand.id);
    clock.advance(secs(60));
    assert_eq!(tick(&store), 0, "it has not ended");
}

fn claims_tick(env: &Env) {
    let (store, clock) = held(env, "2026-11-21T10:00:00Z");
    store.schedules().put(&every("a", 60)).unwrap();
    let claim = || store.runs().claim_next(&Claim::new("w")).unwrap();
    assert!(claim().is_empty());
    clock.advance(secs(60));
    assert_eq!(claim().len(), 1, "the claim that ticks gets the run");
    assert_eq!(slots(&store), ["2026-11-21T10:01Z"]);
}

fn no_drift(env: &Env) {
    let (store, clock) = held(env, "2026-11-21T10:00:00.25Z");
    store.schedules().put(&PutSchedule { overlap: Overlap::Queue, ..every("a", 10) }).unwrap();
    for late in [10, 12, 19, 11] {
        clock.advance(secs(late));
        tick(&store);
    }
    let slots: Vec<_> = slots(&store).iter().map(|slot| slot[17..].to_owned()).collect();
    // After 10, 22, 41 and 52 seconds: the slots of 10, 20, 40 and 50; that of 30 was missed.
    assert_eq!(slots, ["10.250000Z", "20.250000Z", "40.250000Z", "50.250000Z"]);
    let next = store.schedules().next_times(&NextTimes { limit: 2, ..times("a") }).unwrap();
    assert_eq!(next.iter().map(|at| at.to_string()[14..22].to_owned()).collect::<Vec<_>>(), ["01:00.25", "01:10.25"]);
}

fn times(name: &str) -> NextTimes {
    NextTimes { name: name.to_owned(), project: None, limit: 10 }
}

fn zones(env: &Env) {
    // A gap and a repeat each: what a daily and an hourly job make of them.
    for (tz, daily, from, until, expected) in [
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2026-03-28T20:00:00Z",
            "2026-03-30T20:00:00Z",
            ["2026-03-29T01:00Z", "2026-03-30T00:30Z"],
        ),
        (
            "Europe/Berlin",
            "30 2 * * *",
            "2026-10-24T20:00:00Z",
            "2026-10-26T20:00:00Z",
            ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
        ),
        (
            "America/New_York",
            "30 1 * * *",
            "2026-10-31T20:00:00Z",
            "2026-11-02T20:00:00Z",
            ["2026-11-01T05:30Z", "2026-11-02T06:30Z"],
        ),
        (
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-03T10:00:00Z",
            "2026-10-05T10:00:00Z",
            ["2026-10-03T15:30Z", "2026-10-04T15:15Z"],
        ),
        (
            "Africa/Casablanca",
            "30 2 * * *",
            "2026-03-21T20:00:00Z",
            "2026-03-23T20:00:00Z",
            ["2026-03-22T02:00Z", "2026-03-23T01:30Z"],
        ),
    ] {
        let fresh = Env::fresh(env.backend());
        let (store, clock) = held(&fresh, from);
        store.schedules().put(&PutSchedule { overlap: Overlap::Queue, ..cron("d", daily, tz) }).unwrap();
        let told = store.schedules().next_times(&NextTimes { limit: 2, ..times("d") }).unwrap();
        while clock.now() < at(until) {
            clock.advance(secs(600));
            tick(&store);
        }
        assert_eq!(slots(&store), expected, "{daily} in {tz}");
        assert_eq!(told.into_iter().map(short).collect::<Vec<_>>(), expected);
    }
}

fn overlap(env: &Env) {
    let (store, clock) = held(env, "2026-11-21T10:00:00Z");
    store.schedules().put(&every("skip", 60)).unwrap();
    store.schedules().put(&PutSchedule { overlap: Overlap::Queue, ..every("queue", 60) }).unwrap();
    let of = |name: &str| {
        let name = format!("schedule:{name}:");
        runs(&store).iter().filter(|run| run.idempotency_key.as_ref().unwrap().starts_with(&name)).count()
    };
    for _ in 0..3 {
        clock.advance(secs(60));
        tick(&store);
    }
    assert_eq!((of("skip"), of("queue")), (1, 3));
    assert_eq!(next(store.schedules(), "skip").as_deref(), Some("2026-11-21T10:04Z"), "skipped slots are past");
    finish_all(&store);
    clock.advance(secs(60));
    assert_eq!(tick(&store), 2);
}

fn catch_up(env: &Env) {
    let (store, clock) = held(env, "2026-11-21T10:00:00Z");
    let queue = |name: &str, catch_up| PutSchedule { overlap: Overlap::Queue, catch_up, ..every(name, 3_600) };
    for put in [
        queue("none", secs(0)),
        queue("two", secs(7_200)),
        queue("all", secs(100 * 365 * 86_400)),
        every("skip", 3_600),
    ] {
        store.schedules().put(&put).unwrap();
    }
    let since = |name: &str| {
        let prefix = format!("schedule:{name}:2026-11-21T");
        let keys = runs(&store).into_iter().map(|run| run.idempotency_key.unwrap());
        let mut hours: Vec<_> =
            keys.filter_map(|key| key.strip_prefix(&prefix).map(|slot| slot[..2].to_owned())).collect();
        hours.sort();
        hours.join(" ")
    };
    // Five hours and six minutes later nobody is in time for the newest slot but by catching up.
    clock.advance(secs(5 * 3_600 + 360));
    tick(&store);
    assert_eq!(
        (since("none"), since("two"), since("all"), since("skip")),
        (String::new(), "14 15".into(), "11 12 13 14 15".into(), String::new())
    );
    assert!(
        store
            .schedules()
            .list()
            .unwrap()
            .iter()
            .all(|one| one.next_at.map(short).as_deref() == Some("2026-11-21T16:00Z"))
    );
    // Five minutes late is in time.
    clock.set(at("2026-11-21T18:05:00Z"));
    tick(&store);
    assert_eq!((since("none").as_str(), since("skip").as_str()), ("18", "18"));
    // A tick is bounded; what is left stays due, each schedule gets its share.
    clock.set(at("2026-11-29T18:00:00Z"));
    let most = |limit| store.schedules().tick(&Tick { limit }).unwrap();
    assert_eq!((most(0), runs(&store).len()), (0, 14));
    let first = most(20);
    assert!((5..=20).contains(&first), "{first}");
    assert_eq!(store.schedules().get(&named("none")).unwrap().next_at.map(short).as_deref(), Some("2026-11-29T19:00Z"));
    while most(20) > 0 {}
    let left = runs(&store);
    assert_eq!(
        left.iter().filter(|run| run.idempotency_key.as_ref().unwrap().starts_with("schedule:all:")).count(),
        200
    );
}

fn paused(env: &Env) {
    let (store, clock) = held(env, "2026-11-21T10:00:00Z");
    let on = store.schedules();
    let put = PutSchedule { catch_up: secs(86_400), ..every("a", 60) };
    on.put(&put).unwrap();
    let held_back = on.pause(&named("a")).unwrap();
    assert_eq!((held_back.paused, held_back.next_at), (true, None));
    assert_eq!(on.pause(&named("a")).unwrap(), held_back, "once more is no change");
    assert!(on.next_times(&times("a")).unwrap().is_empty());
    clock.advance(secs(150));
    assert_eq!(tick(&store), 0);
    assert!(on.put(&PutSchedule { kind: "b".to_owned(), ..put }).unwrap().paused, "a change leaves it paused");
    let goes_on = on.resume(&named("a")).unwrap();
    assert_eq!(
        (goes_on.paused, goes_on.next_at.map(short).as_deref()),
        (false, Some("2026-11-21T10:03Z")),
        "where its slots were"
    );
    assert_eq!(on.resume(&named("a")).unwrap(), goes_on);
    assert_eq!(tick(&store), 0, "what came while it was paused is not made up for");
    for verb in [Schedules::pause, Schedules::resume] {
        assert_eq!(code(verb(&on, &named("none"))), ErrorCode::NotFound);
    }
}

fn refused(env: &Env) {
    let (store, clock) = held(env, "2026-11-21T10:00:00Z");
    store.schedules().put(&every("a-bad", 60)).unwrap();
    store.schedules().put(&PutSchedule { kind: "other".to_owned(), ..every("b-good", 60) }).unwrap();
    let definition = Json::parse(r#"{"type":"object"}"#).unwrap();
    store.presets().create(&CreatePreset::new("k", PresetKind::RunInput, definition)).unwrap();
    let binding = BindRunPreset { kind: "k".to_owned(), address: "k".to_owned(), project: None };
    store.presets().bind_run(&binding).unwrap();
    clock.advance(secs(60));
    assert_eq!(tick(&store), 1);
    assert_eq!(runs(&store)[0].kind, "other");
    assert_eq!(next(store.schedules(), "a-bad").as_deref(), Some("2026-11-21T10:02Z"), "the next slot is tried");
    // Put now, it would not be taken; changed, it works again.
    assert_eq!(code(store.schedules().put(&every("c", 60))), ErrorCode::Validation);
    store.schedules().put(&PutSchedule { input: Json::parse("{}").unwrap(), ..every("a-bad", 60) }).unwrap();
    clock.advance(secs(60));
    assert_eq!(tick(&store), 1);
}

fn rolled_back(env: &Env) {
    let (store, clock) = held(env, "2026-11-21T10:00:00Z");
    store.schedules().put(&every("a", 60)).unwrap();
    clock.advance(secs(60));
    let undone: sprongus::Result<()> = store.transaction(|tx| {
        assert_eq!(tx.schedules().tick(&Tick::default())?, 1);
        Err(sprongus::Error::misuse("enough"))
    });
    assert_eq!(undone.unwrap_err().message(), "enough");
    assert_eq!((runs(&store).len(), tick(&store)), (0, 1), "slot and run are one commit");
}

fn within(env: &Env) {
    env.within(|on| {
        on.schedules().put(&every("a", 3_600)).unwrap();
        assert_eq!(on.schedules().next_times(&NextTimes { limit: 1_000, ..times("a") }).unwrap().len(), 1_000);
        assert_eq!(on.schedules().next_times(&NextTimes { limit: 0, ..times("a") }).unwrap().len(), 0);
        assert_eq!(on.schedules().tick(&Tick::default()).unwrap(), 0);
        on.execute("UPDATE sprongus_schedules SET next_at = anchor_at", &[]).unwrap();
        assert_eq!(on.schedules().tick(&Tick::default()).unwrap(), 0, "the anchor is no slot");
        // An hour that has passed.
        let now = on.schedules().get(&named("a")).unwrap().next_at.unwrap();
        let past = |hours: u64| sprongus::Value::from(now.saturating_sub(secs(hours * 3_600)));
        on.execute(
            "UPDATE sprongus_schedules SET anchor_at = $1, next_at = $2, catch_up_us = 3600000000",
            &[past(3), past(2)],
        )
        .unwrap();
        assert_eq!(on.schedules().tick(&Tick::default()).unwrap(), 1);
        assert_eq!(on.runs().claim_next(&Claim::new("w")).unwrap().len(), 1);
    });
}

fn bad(env: &Env) {
    env.within(|on| {
        let on = on.schedules();
        let long = "x".repeat(513);
        let good = || every("a", 60);
        let name = |name: &str| PutSchedule { name: name.to_owned(), ..good() };
        let kind = |kind: &str| PutSchedule { kind: kind.to_owned(), ..good() };
        let every = |every| PutSchedule { every: Some(every), ..good() };
        let wrong = [
            PutSchedule { every: None, ..good() },
            PutSchedule { cron: Some("* * * * *".to_owned()), ..good() },
            every(secs(0)),
            every(Duration::from_millis(999)),
            every(Duration::MAX),
            PutSchedule { catch_up: Duration::MAX, ..good() },
            cron("a", "", "UTC"),
            cron("a", "nonsense", "UTC"),
            cron("a", "0 0 30 2 *", "UTC"),
            cron("a", &long, "UTC"),
            cron("a", "* * * * *", "Mars/Olympus"),
            cron("a", "* * * * *", ""),
            PutSchedule { tz: "nowhere".to_owned(), ..good() },
            name(""),
            name("a\u{7}"),
            name("a\0b"),
            name(&"x".repeat(129)),
            kind(""),
            kind("a/*"),
            kind("a\n"),
            kind(&long),
            PutSchedule { project: Some(String::new()), ..good() },
        ];
        for put in wrong {
            let error = on.put(&put).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidArgument, "{put:?}: {error}");
        }
        let big = Json::parse(format!("\"{}\"", "x".repeat(2 << 20))).unwrap();
        assert_eq!(code(on.put(&PutSchedule { input: big, ..good() })), ErrorCode::TooLarge);
        assert_eq!(code(on.get(&named(""))), ErrorCode::InvalidArgument);
        assert!(on.list().unwrap().is_empty(), "nothing was written");
        for limit in [-1, 1_001] {
            assert_eq!(code(on.next_times(&NextTimes { limit, ..times("a") })), ErrorCode::InvalidArgument);
            assert_eq!(code(on.tick(&Tick { limit })), ErrorCode::InvalidArgument);
        }
    });
    let store = env.open();
    for request in [
        r#"{"name":"a","kind":"k","every":-1}"#,
        r#"{"name":"a","kind":"k","every":60,"crom":"x"}"#,
        r#"{"name":"a","kind":"k","every":60,"overlap":"both"}"#,
    ] {
        assert_eq!(
            code(ops::call(&store, "schedules.put", request.as_bytes())),
            ErrorCode::InvalidArgument,
            "{request}"
        );
    }
}
