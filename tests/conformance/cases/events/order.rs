//! Whatever commits overtake one another, and whoever has a transaction open.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use sprongus::clock::testing::ManualClock;
use sprongus::events::ReadEvents;
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::runs::{Claim, Enqueue, EnqueueMany, Succeed};
use sprongus::{Error, Event, Json, Options, Store, Timestamp};
use sprongus_conformance::{Backend, Case, Env};
use sprongus_testkit::{Postgres, TempDir, temp_dir};

use super::{after, batch, case, check_order, drain, kinds, put};

const READ: &[&str] = &["events.read"];

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("events::an_open_transaction_stalls_nobody_and_is_not_passed_over", READ, false, open_transaction),
        case("events::each_subjects_events_come_in_the_order_of_seq", READ, false, clocks_disagree),
        case("events::eight_write_and_three_read_each_event_once", READ, false, eight_and_three),
        case("events::a_position_is_never_given_again", READ, false, never_again),
        case("events::cursors_go_on_in_a_copy", READ, false, copied),
    ]
}

fn open_transaction(env: &Env) {
    let store = env.open();
    put(&store, "before");
    let held = store.begin().unwrap();
    let late = held.runs().enqueue(&Enqueue::new("late", Json::null())).unwrap();
    let mut overtaking = 0;
    let cursor = match env.backend() {
        // There is one connection, and it is in the transaction.
        Backend::SqliteMemory => batch(held.events(), &ReadEvents::default()).cursor,
        // There is one writer.
        Backend::SqliteFile => batch(env.open().events(), &ReadEvents::default()).cursor,
        _ => {
            let other = env.open();
            (0..3).for_each(|_| drop(put(&other, "overtakes")));
            overtaking = 3;
            let read = batch(other.events(), &ReadEvents::default());
            assert_eq!(read.items.len(), 4, "nobody waits for what is not committed");
            read.cursor
        }
    };
    held.commit().unwrap();
    let rest = batch(store.events(), &after(&cursor));
    assert_eq!((rest.items.len(), rest.items[0].run_id.as_ref()), (1, Some(&late.id)), "and it is not passed over");
    assert_eq!(check_order(&drain(store.events(), &ReadEvents::default())), 2 + overtaking);
}

/// The time of an event says nothing: here each run is claimed by a process whose clock is hours behind.
fn clocks_disagree(env: &Env) {
    let time = |text: &str| -> Timestamp { text.parse().unwrap() };
    let clock = Arc::new(ManualClock::new(time("2026-01-02T12:00:00Z")));
    let store = env.open_with(Options { clock: clock.clone(), ..env.options() });
    for _ in 0..3 {
        clock.set(time("2026-01-02T12:00:00Z"));
        let item = Enqueue { run_at: Some(time("2026-01-01T00:00:00Z")), ..Enqueue::new("a", Json::null()) };
        store.runs().enqueue_many(&EnqueueMany::new(vec![item; 500])).unwrap();
        clock.set(time("2026-01-02T09:00:00Z"));
        let claimed = store.runs().claim_next(&Claim { limit: 500, ..Claim::new("w") }).unwrap();
        assert_eq!(claimed.len(), 500);
    }
    let events = drain(store.events(), &ReadEvents { limit: 700, ..ReadEvents::default() });
    assert_eq!(check_order(&events), 3_000, "more than positions are given to at once");
    assert!(events.iter().any(|event| event.seq == 2 && event.at < time("2026-01-02T10:00:00Z")), "clocks disagree");
}

const WRITERS: usize = 8;
const ROUNDS: usize = 25;

fn eight_and_three(env: &Env) {
    // Eight at once on a busy machine: it is about what is read, not about how long they wait.
    let store = env.open_patient();
    let definition = Json::parse(r#"{"fields":[{"name":"n","type":"integer"}]}"#).unwrap();
    store.presets().create(&CreatePreset::new("numbers", PresetKind::Custom, definition)).unwrap();
    let bind = BindPreset { table: "t".into(), address: "numbers".into(), ..BindPreset::default() };
    store.presets().bind(&bind).unwrap();
    let stores: Vec<Store> = (0..3)
        .map(|_| if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open_patient() })
        .collect();
    let written = AtomicBool::new(false);
    let read: Vec<Vec<Event>> = std::thread::scope(|scope| {
        let writers: Vec<_> =
            (0..WRITERS).map(|n| (n, &stores[n % 3])).map(|(n, store)| scope.spawn(move || write(store, n))).collect();
        let readers: Vec<_> = stores.iter().map(|store| scope.spawn(|| read_on(store, &written))).collect();
        let ended: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        written.store(true, Ordering::Release);
        let read = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        ended.into_iter().for_each(|writer| writer.unwrap());
        read
    });
    let rows = store.query("SELECT id FROM sprongus_events", &[]).unwrap();
    assert!(rows.len() > WRITERS * ROUNDS * 3, "they wrote: {}", rows.len());
    let all: BTreeSet<String> = rows.iter().map(|row| row.get("id").unwrap().to_owned()).map(text).collect();
    for events in &read {
        assert_eq!(check_order(events), rows.len(), "each reader sees each event once, in order");
        assert!(events.iter().all(|event| all.contains(&event.id)));
        assert_eq!(events, &read[0], "and all readers see the same");
    }
}

fn text(value: sprongus::Value<'_>) -> String {
    match value {
        sprongus::Value::Text(text) => text.into_owned(),
        other => panic!("{other:?} is no text"),
    }
}

/// Runs and entries that others write too, transactions that stay open for a while, and some that are rolled back.
fn write(store: &Store, n: usize) {
    for round in 0..ROUNDS {
        put(store, "a");
        for run in store.runs().claim_next(&Claim::new(format!("w{n}"))).unwrap() {
            store.runs().succeed(&Succeed::new(&run.id, run.lease)).unwrap();
        }
        store.aux("p", "t").upsert(json!({ "n": n * 1000 + round }), Some("shared"), false).unwrap();
        let ended = store.transaction(|tx| {
            tx.runs().enqueue(&Enqueue::new("b", Json::null()))?;
            std::thread::sleep(Duration::from_millis((n % 4) as u64));
            tx.runs().enqueue(&Enqueue::new("b", Json::null()))?;
            if round % 3 == 0 { Err(Error::misuse("enough")) } else { Ok(()) }
        });
        assert_eq!(ended.is_err(), round % 3 == 0, "{ended:?}");
    }
}

fn read_on(store: &Store, written: &AtomicBool) -> Vec<Event> {
    let (mut events, mut request) = (Vec::new(), ReadEvents { limit: 17, ..ReadEvents::default() });
    loop {
        let last = written.load(Ordering::Acquire);
        let read = batch(store.events(), &request);
        let still = request.after.as_ref() == Some(&read.cursor);
        events.extend(read.items);
        request.after = Some(read.cursor);
        // Another reader may be giving positions at this moment; the position itself waits for that.
        if still && last && store.events().position().unwrap() == *request.after.as_ref().unwrap() {
            return events;
        }
    }
}

fn never_again(env: &Env) {
    let store = env.open();
    (0..5).for_each(|_| drop(put(&store, "a")));
    let end = batch(store.events(), &ReadEvents::default()).cursor;
    store.execute("DELETE FROM sprongus_events", &[]).unwrap();
    assert_eq!(store.events().position().unwrap(), end, "the newest are gone, their positions are not free");
    let run = put(&store, "b");
    let new = batch(store.events(), &after(&end));
    assert_eq!((kinds(&new.items), new.items[0].run_id.as_ref()), (vec!["run.enqueued"], Some(&run.id)));
    assert_ne!(new.cursor, end);
}

/// The whole store as a backup brings it back elsewhere: a snapshot on SQLite, pg_dump and psql on PostgreSQL.
fn copy(env: &Env, store: &Store) -> (Store, TempDir) {
    let folder = temp_dir();
    let url = match env.schema() {
        None => {
            let file = folder.path().join("copy.db");
            store.snapshot(&file).unwrap();
            file.to_str().unwrap().to_owned()
        }
        Some(schema) => {
            let url = Postgres::shared().create_database(&format!("{schema}_copy"));
            Postgres::dump_and_restore(env.url(), schema, &url);
            url
        }
    };
    (Store::open(&url, env.options()).unwrap(), folder)
}

fn copied(env: &Env) {
    let store = env.open();
    (0..5).for_each(|_| drop(put(&store, "read")));
    let read = batch(store.events(), &ReadEvents { limit: 3, ..ReadEvents::default() });
    let end = store.events().position().unwrap();
    store.execute("DELETE FROM sprongus_events WHERE run_id = (SELECT max(id) FROM sprongus_runs)", &[]).unwrap();
    let unread = put(&store, "nobody read");
    let (copy, _folder) = copy(env, &store);
    let rest = drain(copy.events(), &after(&read.cursor));
    assert_eq!(rest.len(), 2, "one of two that were not read is gone, and one is new");
    assert_eq!(rest[1].run_id.as_ref(), Some(&unread.id));
    assert_eq!(drain(copy.events(), &after(&end)), rest[1..], "the position of what is gone is not given again");
    let new = put(&copy, "of the copy");
    assert_eq!(drain(copy.events(), &after(&end)).last().unwrap().run_id, Some(new.id));
    assert_eq!(drain(store.events(), &after(&read.cursor)), rest, "the store goes its own way");
}
