//! What a read brings.

use serde_json::json;
use sprongus::events::ReadEvents;
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::runs::{Claim, RunEvents, Succeed};
use sprongus::{ErrorCode, Json, Options, Store};
use sprongus_conformance::{Backend, Case, Env};

use super::{after, batch, case, check_order, code, drain, kinds, of_types, put};

const READ: &[&str] = &["events.read"];
const BOTH: &[&str] = &["events.read", "events.position"];

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("events::every_change_is_read_once_in_order", READ, false, whole),
        case("events::pages_are_the_whole", READ, false, pages),
        case("events::types_and_projects_choose", READ, false, chosen),
        case("events::limits_have_two_ends", READ, false, limits),
        case("events::cursors_that_were_never_given_out", READ, false, forged),
        case("events::a_cursor_is_a_position_whatever_was_asked", READ, false, any_filter),
        case("events::the_position_is_after_the_last", BOTH, false, position),
        case("events::a_transaction_reads_what_is_committed", BOTH, true, within),
        case("events::a_store_that_only_reads_reads_what_has_a_position", BOTH, false, read_only),
        case("events::a_bulk_call_is_one_event_with_its_counts", READ, false, bulk),
    ]
}

/// Runs, entries and presets; how many events that makes.
fn change(store: &Store) -> usize {
    let run = put(store, "a");
    let lease = store.runs().claim_next(&Claim::new("w")).unwrap()[0].lease;
    store.runs().succeed(&Succeed::new(&run.id, lease)).unwrap();
    let definition = Json::parse(r#"{"fields":[{"name":"n","type":"integer"}]}"#).unwrap();
    store.presets().create(&CreatePreset::new("numbers", PresetKind::Custom, definition)).unwrap();
    let bind = BindPreset { table: "t".into(), address: "numbers".into(), ..BindPreset::default() };
    store.presets().bind(&bind).unwrap();
    let table = store.aux("p", "t");
    table.create(json!({ "n": 1 }), Some("one")).unwrap();
    table.update("one", json!({ "n": 2 }), Default::default()).unwrap();
    table.delete("one", Default::default()).unwrap();
    8
}

fn whole(env: &Env) {
    let store = env.open();
    let many = change(&store);
    let events = drain(store.events(), &ReadEvents::default());
    assert_eq!(check_order(&events), many);
    let expected = [
        "run.enqueued",
        "run.started",
        "run.succeeded",
        "preset.published",
        "preset.bound",
        "aux.created",
        "aux.updated",
        "aux.deleted",
    ];
    assert_eq!(kinds(&events), expected);
    let of_run = store.runs().events(&RunEvents::new(events[0].run_id.as_ref().unwrap())).unwrap();
    assert_eq!(events[..3], of_run, "the same records");
    assert_eq!(drain(store.events(), &ReadEvents::default()), events, "again and again");
}

fn pages(env: &Env) {
    let store = env.open();
    change(&store);
    let all = drain(store.events(), &ReadEvents::default());
    for limit in [1, 3, 1000] {
        assert_eq!(drain(store.events(), &ReadEvents { limit, ..ReadEvents::default() }), all, "{limit} a page");
    }
    let empty = env_is_empty(env);
    assert!(empty.is_empty());
}

/// A read of a fresh place.
fn env_is_empty(env: &Env) -> Vec<sprongus::Event> {
    let fresh = Env::fresh(env.backend());
    drain(fresh.open().events(), &ReadEvents::default())
}

fn chosen(env: &Env) {
    let store = env.open();
    change(&store);
    let read = |request: &ReadEvents| drain(store.events(), request);
    assert_eq!(kinds(&read(&of_types(&["run.*"]))), ["run.enqueued", "run.started", "run.succeeded"]);
    assert_eq!(kinds(&read(&of_types(&["aux.deleted", "run.enqueued"]))), ["run.enqueued", "aux.deleted"]);
    assert_eq!(
        kinds(&read(&of_types(&["preset.*", "aux.created"]))),
        ["preset.published", "preset.bound", "aux.created"]
    );
    for nothing in [&["run.unheard_of"][..], &["other.*"], &[]] {
        assert!(read(&of_types(nothing)).is_empty());
    }
    let of = |project: &str| ReadEvents { project: Some(project.to_owned()), ..ReadEvents::default() };
    assert_eq!(kinds(&read(&of("p"))), ["aux.created", "aux.updated", "aux.deleted"]);
    assert_eq!(kinds(&read(&ReadEvents { project: Some("p".to_owned()), ..of_types(&["aux.u*"; 0]) })), [""; 0]);
    assert_eq!(
        kinds(&read(&ReadEvents { project: Some("p".to_owned()), ..of_types(&["run.*", "aux.updated"]) })),
        ["aux.updated"]
    );
    let long = "a".repeat(65);
    for bad in ["", "*", "aux*", ".*", "aux.*.x", "a.*b", "RunCreated", "aux.", "aux. created", "aux.%", "é.x", &long]
    {
        assert_eq!(code(store.events().read(&of_types(&[bad]))), ErrorCode::InvalidArgument, "{bad}");
    }
    assert_eq!(code(store.events().read(&of_types(&["run.x"; 1001]))), ErrorCode::InvalidArgument);
    assert_eq!(code(store.events().read(&of("a\nb"))), ErrorCode::InvalidArgument);
}

fn limits(env: &Env) {
    let store = env.open();
    change(&store);
    let limit = |limit| store.events().read(&ReadEvents { limit, ..ReadEvents::default() });
    let none = limit(0).unwrap();
    assert!(none.items.is_empty());
    assert_eq!(batch(store.events(), &after(&none.cursor)).items.len(), 8, "nothing was passed over");
    let there = limit(3).unwrap().cursor;
    assert_eq!(batch(store.events(), &ReadEvents { limit: 0, ..after(&there) }).cursor, there);
    assert_eq!(limit(1000).unwrap().items.len(), 8);
    for bad in [-1, 1001, i64::MIN, i64::MAX] {
        assert_eq!(code(limit(bad)), ErrorCode::InvalidArgument);
    }
}

fn forged(env: &Env) {
    let store = env.open();
    let early = store.events().position().unwrap();
    change(&store);
    let late = store.events().position().unwrap();
    let huge = "W".repeat(1_000_000);
    let cut = &late[..late.len() - 1];
    for bad in ["", "0", "garbage", "é", cut, &huge, "'; DROP TABLE sprongus_events; --"] {
        assert_eq!(code(store.events().read(&after(bad))), ErrorCode::InvalidArgument, "{bad:.40}");
    }
    let other = Env::fresh(env.backend());
    let other = other.open();
    assert!(batch(other.events(), &after(&early)).items.is_empty(), "both began there");
    let error = other.events().read(&after(&late)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "what is to come is never passed over");
    assert!(error.message().contains("past the end"), "{error}");
}

fn any_filter(env: &Env) {
    let store = env.open();
    change(&store);
    let runs = batch(store.events(), &ReadEvents { limit: 2, ..of_types(&["run.*"]) });
    assert_eq!(kinds(&runs.items), ["run.enqueued", "run.started"]);
    let rest = drain(store.events(), &after(&runs.cursor));
    assert_eq!((rest.len(), rest[0].kind.as_str()), (6, "run.succeeded"));
    let past = batch(store.events(), &of_types(&["run.*"]));
    assert!(batch(store.events(), &after(&past.cursor)).items.is_empty(), "all was looked at");
}

fn position(env: &Env) {
    let store = env.open();
    let start = store.events().position().unwrap();
    change(&store);
    let end = store.events().position().unwrap();
    assert_ne!(start, end);
    assert_eq!(end, store.events().position().unwrap());
    assert!(batch(store.events(), &after(&end)).items.is_empty());
    assert_eq!(batch(store.events(), &after(&start)).items.len(), 8);
    let run = put(&store, "b");
    let new = batch(store.events(), &after(&end));
    assert_eq!((new.items.len(), new.items[0].run_id.as_ref()), (1, Some(&run.id)));
    assert_eq!(new.cursor, store.events().position().unwrap());
}

fn within(env: &Env) {
    env.within(|on| {
        let before = on.events().position().unwrap();
        let run = on.runs().enqueue(&sprongus::runs::Enqueue::new("a", Json::null())).unwrap();
        // On a store this is committed; the host's own transaction is not.
        let seen = if env.backend().lent() { 0 } else { 1 };
        let read = batch(on.events(), &after(&before));
        assert_eq!(read.items.len(), seen);
        assert_eq!(read.items.iter().filter(|event| event.run_id.as_ref() == Some(&run.id)).count(), seen);
    });
    if env.backend().lent() {
        return;
    }
    let store = env.open();
    let start = store.events().position().unwrap();
    put(&store, "committed");
    let tx = store.begin().unwrap();
    assert_eq!(batch(tx.events(), &after(&start)).items.len(), 1, "what was committed before");
    let own = tx.runs().enqueue(&sprongus::runs::Enqueue::new("own", Json::null())).unwrap();
    let read = batch(tx.events(), &after(&start));
    assert_eq!(read.items.len(), 1, "and nothing of its own");
    assert_eq!(read.cursor, tx.events().position().unwrap());
    let undone = tx.savepoint().unwrap();
    undone.runs().enqueue(&sprongus::runs::Enqueue::new("undone", Json::null())).unwrap();
    assert!(batch(undone.events(), &after(&read.cursor)).items.is_empty());
    undone.rollback().unwrap();
    tx.commit().unwrap();
    let rest = batch(store.events(), &after(&read.cursor)).items;
    assert_eq!((rest.len(), rest[0].run_id.as_ref()), (1, Some(&own.id)), "committed, it is the next");
    let rolled_back: Result<(), sprongus::Error> = store.transaction(|tx| {
        tx.runs().enqueue(&sprongus::runs::Enqueue::new("no", Json::null()))?;
        Err(sprongus::Error::misuse("enough"))
    });
    rolled_back.unwrap_err();
    assert_eq!(drain(store.events(), &after(&start)).len(), 2);
}

fn read_only(env: &Env) {
    if env.backend() == Backend::SqliteMemory {
        // What is only read has to be there already.
        assert!(Store::open(":memory:", Options { read_only: true, ..env.options() }).is_err());
        return;
    }
    let store = env.open();
    put(&store, "a");
    let there = batch(store.events(), &ReadEvents::default());
    let reader = env.open_with(Options { read_only: true, ..env.options() });
    assert_eq!(batch(reader.events(), &ReadEvents::default()), there);
    put(&store, "b");
    let end = store.events().position().unwrap();
    assert_eq!(reader.events().position().unwrap(), end);
    assert_eq!(batch(reader.events(), &after(&there.cursor)).items.len(), 1);
    // A copy may lag behind the store that gave the cursor: it waits.
    let elsewhere = Env::fresh(env.backend());
    drop(elsewhere.open());
    let lagging = elsewhere.open_with(Options { read_only: true, ..elsewhere.options() });
    let waiting = batch(lagging.events(), &after(&end));
    assert_eq!((waiting.items.len(), waiting.cursor), (0, end));
}

fn bulk(env: &Env) {
    let store = env.open();
    let table = store.aux("p/q", "custom%");
    let definition = Json::parse(r#"{"fields":[{"name":"n","type":"integer"}]}"#).unwrap();
    store.presets().create(&CreatePreset::new("numbers", PresetKind::Custom, definition)).unwrap();
    let bind = BindPreset { table: "custom%".into(), address: "numbers".into(), ..BindPreset::default() };
    store.presets().bind(&bind).unwrap();
    let quiet = &mut |_, _| Ok(());
    for round in 1..=2 {
        let rows = (0..20).map(|n| Ok(json!({ "id": format!("e{n}"), "n": n * round })));
        table.bulk_upsert(rows, Default::default(), quiet).unwrap();
    }
    let events = drain(store.events(), &of_types(&["aux.*"]));
    assert_eq!(kinds(&events), ["aux.imported", "aux.imported"]);
    assert_eq!((events[0].seq, events[1].seq), (1, 2));
    assert!(events.iter().all(|event| event.subject == "aux:p%2Fq/custom%25" && event.run_id.is_none()));
    let counts = |at: usize, what: &str| events[at].payload.to_value()[what].as_i64().unwrap();
    assert_eq!((counts(0, "rows"), counts(0, "created"), counts(0, "updated"), counts(0, "errors")), (20, 20, 0, 0));
    assert_eq!((counts(1, "rows"), counts(1, "created"), counts(1, "updated"), counts(1, "unchanged")), (20, 0, 19, 1));
}
