//! Several processes: each has its own connections, and its own knowledge of the tables.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use sprongus::tables::{Cell, CreateTable, QueryRows, TableName, TableSchema};
use sprongus::{ErrorCode, Store};
use sprongus_conformance::{Backend, Case, Env};

use super::{
    Cells, all, conflict, count, create, creates, delete, drop, exists, numbered, one, put, puts, row, set, text,
    violations,
};
use crate::runs::code;

pub(super) fn cases() -> Vec<Case> {
    let case = |name, run| Case { name, covers: &[], transactional: false, run };
    vec![
        case("tables::eight_create_a_table_and_it_is_one", creating),
        case("tables::eight_create_different_tables_of_one_name", differing),
        case("tables::eight_drop_a_table_and_it_is_gone", dropping),
        case("tables::a_table_that_another_made_anew_is_seen_at_once", anew),
        case("tables::eight_insert_the_same_and_one_is_there", inserting),
        case("tables::eight_number_rows_and_none_twice", numbering),
        case("tables::rows_are_written_while_the_table_comes_and_goes", coming_and_going),
    ]
}

fn another(env: &Env, store: &Store) -> Store {
    if env.backend() == Backend::SqliteMemory { store.clone() } else { env.open_patient() }
}

/// The work on eight threads at once, over the store and another one.
fn eight<T: Send>(env: &Env, store: &Store, work: impl Fn(&Store) -> T + Sync) -> Vec<T> {
    let (other, barrier, work) = (another(env, store), Barrier::new(8), &work);
    std::thread::scope(|scope| {
        let stores = [store, &other].into_iter().cycle().take(8);
        let start = |store| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                work(store)
            })
        };
        let threads: Vec<_> = stores.map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn creating(env: &Env) {
    let store = env.open_patient();
    for round in 0..5 {
        eight(env, &store, |store| {
            creates(store.tables(), numbered(&["a"]).index(sprongus::tables::Index::new("t_a", ["a"]))).unwrap();
            put(store.tables(), Cells::new()).unwrap()
        });
        assert_eq!((count(store.tables()), store.tables().names().unwrap().len()), (8, 1), "round {round}");
        drop(store.tables(), "t");
    }
}

fn differing(env: &Env) {
    let store = env.open_patient();
    let turn = AtomicUsize::new(0);
    let made = eight(env, &store, |store| {
        let names = if turn.fetch_add(1, SeqCst).is_multiple_of(2) { ["a", "b"] } else { ["b", "a"] };
        names.map(|name| creates(store.tables(), TableSchema::new("t").column(text(name))))
    });
    let there = store.tables().describe(&TableName::new("t")).unwrap();
    for [first, second] in made {
        let (mut good, mut bad) = (0, 0);
        for result in [first, second] {
            match result {
                Ok(()) => good += 1,
                Err(error) => {
                    bad += 1;
                    assert_eq!(error.details().unwrap()["differences"].as_array().unwrap().len(), 2);
                }
            }
        }
        assert_eq!((good, bad), (1, 1));
    }
    assert_eq!(there.columns.len(), 2);
}

fn dropping(env: &Env) {
    let store = env.open_patient();
    create(store.tables(), numbered(&["a"]));
    for result in eight(env, &store, |store| store.tables().drop(&TableName::new("t"))) {
        result.unwrap();
    }
    assert!(!exists(store.tables(), "t"));
}

/// One store knows the table; another drops it and makes another of that name.
fn anew(env: &Env) {
    let store = env.open_patient();
    let rival = another(env, &store);
    let (on, rival) = (store.tables(), rival.tables());
    let key = || text("id").primary_key();
    for round in 0..3 {
        create(rival, TableSchema::new("t").column(key()).column(text("a").not_null()));
        put(on, row(&[("id", "1".into()), ("a", "x".into())])).unwrap();
        set(on, "1", row(&[("a", "y".into())])).unwrap();
        assert_eq!(all(on).len(), 1);
        drop(rival, "t");
        // What is known is good for no table.
        match round {
            0 => assert_eq!(code(put(on, row(&[("a", "x".into())]))), ErrorCode::NotFound),
            1 => assert_eq!(code(on.query(&QueryRows::new("t"))), ErrorCode::NotFound),
            _ => assert_eq!(code(delete(on, "1")), ErrorCode::NotFound),
        }
        create(rival, TableSchema::new("t").column(key()).column(super::number("b")).column(super::number("a")));
        puts(rival, vec![row(&[("id", "2".into()), ("a", 2.into())])]).unwrap();
        // Each kind of call meets the change first.
        match round {
            0 => {
                assert_eq!(violations(put(on, row(&[("a", "x".into())]))), [("/a".to_owned(), "type".to_owned())]);
                put(on, row(&[("b", 1.into())])).unwrap();
            }
            1 => {
                assert_eq!(one(on, "2"), row(&[("id", "2".into()), ("b", Cell::Null), ("a", 2.into())]));
                set(on, "2", row(&[("b", 7.into()), ("a", Cell::Null)])).unwrap();
            }
            _ => {
                let mut query = QueryRows::new("t");
                query.filter.set("a", 2);
                assert_eq!(on.query(&query).unwrap().len(), 1);
                delete(on, "2").unwrap();
            }
        }
        drop(rival, "t");
        create(rival, TableSchema::new("t").column(key()).column(super::number("a").unique()));
        match round {
            0 => assert_eq!(puts(on, vec![row(&[("a", 1.into())]), Cells::new()]).unwrap().len(), 2),
            1 => assert_eq!(violations(puts(on, vec![row(&[("b", 1.into())])])).len(), 1),
            _ => assert_eq!(code(set(on, "2", row(&[("b", 1.into())]))), ErrorCode::Validation),
        }
        assert_eq!(all(on).len(), if round == 0 { 2 } else { 0 }, "an empty one as well");
        drop(rival, "t");
    }
}

fn inserting(env: &Env) {
    let store = env.open_patient();
    create(store.tables(), TableSchema::new("t").column(text("id")).column(text("a").unique()));
    for round in 0..20 {
        let value = format!("v{round}");
        let made = eight(env, &store, |store| put(store.tables(), row(&[("a", value.as_str().into())])));
        let (good, bad): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
        assert_eq!((good.len(), bad.len()), (1, 7));
        assert!(bad.into_iter().all(|result| conflict(result).0 == ["a"]));
    }
    assert_eq!(count(store.tables()), 20);
}

fn numbering(env: &Env) {
    let store = env.open_patient();
    create(store.tables(), numbered(&["a"]));
    let next = AtomicI64::new(0);
    let made = eight(env, &store, |store| {
        let mut ids = Vec::new();
        for n in 0..15 {
            let on = store.tables();
            if n % 5 == 4 {
                // Far enough ahead that nobody is there yet, and often behind where the others are by then.
                let ahead = next.fetch_add(40, SeqCst) + 40;
                match put(on, row(&[("id", ahead.into())])) {
                    Ok(id) => ids.push(id),
                    Err(error) => assert_eq!(error.code(), ErrorCode::Conflict, "{error}"),
                }
            } else if n % 5 == 3 {
                ids.extend(puts(on, vec![Cells::new(); 4]).unwrap());
            } else {
                ids.push(put(on, Cells::new()).unwrap());
            }
        }
        ids
    });
    let ids: Vec<String> = made.into_iter().flatten().collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "none twice");
    assert_eq!(count(store.tables()), u64::try_from(ids.len()).unwrap());
    let highest = ids.iter().map(|id| id.parse::<i64>().unwrap()).max().unwrap();
    assert!(put(store.tables(), Cells::new()).unwrap().parse::<i64>().unwrap() > highest);
}

/// Whoever comes in between is told so; nothing else goes wrong, and nothing is written to another table than the one meant.
fn coming_and_going(env: &Env) {
    let store = env.open_patient();
    let over = AtomicBool::new(false);
    let schemas = || [numbered(&["a"]), TableSchema::new("t").column(super::number("a")).column(text("b"))];
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|_| {
                let (own, over) = (another(env, &store), &over);
                scope.spawn(move || {
                    let mut written = 0;
                    while !over.load(SeqCst) {
                        let on = own.tables();
                        let results = [
                            put(on, row(&[("a", "x".into())])).map(|_| ()),
                            puts(on, vec![row(&[("a", 1.into())]), row(&[("b", "y".into())])]).map(|_| ()),
                            on.query(&QueryRows::new("t")).map(|_| ()),
                            set(on, "1", row(&[("a", "z".into())])),
                        ];
                        for result in results {
                            match result.map_err(|error| (error.code(), error)) {
                                Ok(()) => written += 1,
                                // Too many changes in the time of one call are `busy`, as a deadlock is that they made.
                                Err((ErrorCode::NotFound | ErrorCode::Validation | ErrorCode::Busy, _)) => {}
                                Err((_, error)) => panic!("{error:?}"),
                            }
                        }
                    }
                    written
                })
            })
            .collect();
        for round in 0..40 {
            let schema = schemas()[round % 2].clone();
            store.tables().create(&CreateTable::new(schema)).unwrap();
            std::thread::sleep(Duration::from_millis(5));
            store.tables().drop(&TableName::new("t")).unwrap();
        }
        over.store(true, SeqCst);
        let written: usize = writers.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert!(written > 20, "{written}");
    });
}
