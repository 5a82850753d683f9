//! In transactions, together with everything else.

use sprongus::ErrorCode;
use sprongus::runs::{Enqueue, ListRuns};
use sprongus::tables::{TableName, TableSchema};
use sprongus_conformance::{Case, Env};

use super::{
    Cells, all, conflict, count, create, drop, every, exists, numbered, one, put, puts, row, set, text, unique,
    violations,
};
use crate::runs::{code, json};

pub(super) fn cases() -> Vec<Case> {
    let case = |name, transactional, run| Case { name, covers: &[], transactional, run };
    vec![
        case("tables::a_transaction_takes_rows_runs_and_entries_together", false, together),
        case("tables::what_is_refused_leaves_the_transaction_as_it_was", true, goes_on),
        case("tables::tables_come_and_go_with_the_transaction", false, comes_and_goes),
        case("tables::made_and_dropped_within_one_transaction", false, within_one),
    ]
}

fn together(env: &Env) {
    let store = env.open();
    create(store.tables(), numbered(&["a"]));
    let work = |fail: bool| {
        store.transaction(|tx| {
            put(tx.tables(), row(&[("a", "x".into())]))?;
            puts(tx.tables(), vec![Cells::new(), Cells::new()])?;
            tx.runs().enqueue(&Enqueue::new("mail", json("{}")))?;
            tx.aux("p", "assets").create(serde_json::json!({ "title": "t" }), None)?;
            assert_eq!(count(tx.tables()) % 3, 0);
            if fail { Err(sprongus::Error::invalid("no")) } else { Ok(()) }
        })
    };
    assert_eq!(work(true).unwrap_err().message(), "no");
    assert_eq!(count(store.tables()), 0);
    work(false).unwrap();
    assert_eq!(count(store.tables()), 3);
    assert_eq!(store.runs().list(&ListRuns::default()).unwrap().items.len(), 1);
    assert_eq!(store.aux("p", "assets").count(None, None).unwrap(), 1);
}

fn goes_on(env: &Env) {
    env.within(|on| {
        create(
            on.tables(),
            TableSchema::new("t")
                .column(text("id"))
                .column(text("a").unique().not_null())
                .index(unique("t_i", &["a", "id"])),
        );
        let on = on.tables();
        put(on, row(&[("id", "1".into()), ("a", "x".into())])).unwrap();
        put(on, row(&[("id", "2".into()), ("a", "y".into())])).unwrap();
        for _ in 0..2 {
            assert_eq!(conflict(put(on, row(&[("a", "x".into())]))).0, ["a"]);
            assert_eq!(conflict(puts(on, vec![row(&[("a", "z".into())]), row(&[("a", "x".into())])])).1, Some(2));
            assert_eq!(conflict(set(on, "2", row(&[("a", "x".into())]))).0, ["a"]);
            assert_eq!(violations(put(on, Cells::new())).len(), 1);
            assert_eq!(code(super::delete(on, "9")), ErrorCode::NotFound);
            assert_eq!(code(super::creates(on, every())), ErrorCode::Conflict);
            assert_eq!(
                code(super::creates(on, TableSchema::new("u").index(sprongus::tables::Index::new("t_i", ["id"])))),
                ErrorCode::Conflict
            );
        }
        assert_eq!(all(on).len(), 2);
        assert_eq!(one(on, "2").get("a"), Some(&"y".into()));
    });
}

/// What one transaction makes is seen by it alone until it commits, and leaves nothing behind where it does not.
fn comes_and_goes(env: &Env) {
    let store = env.open();
    let failed = store.transaction(|tx| {
        create(tx.tables(), numbered(&["a"]));
        put(tx.tables(), Cells::new())?;
        assert_eq!(all(tx.tables()).len(), 1);
        Err::<(), _>(sprongus::Error::invalid("no"))
    });
    assert_eq!(failed.unwrap_err().message(), "no");
    assert!(!exists(store.tables(), "t"));
    assert_eq!(code(put(store.tables(), Cells::new())), ErrorCode::NotFound);
    store.transaction(|tx| tx.tables().create(&sprongus::tables::CreateTable::new(numbered(&["b"])))).unwrap();
    assert_eq!(put(store.tables(), row(&[("b", "x".into())])).unwrap(), "1");
    let failed = store.transaction(|tx| {
        drop(tx.tables(), "t");
        assert_eq!(code(put(tx.tables(), Cells::new())), ErrorCode::NotFound);
        create(tx.tables(), numbered(&["c"]));
        put(tx.tables(), row(&[("c", "x".into())]))?;
        Err::<(), _>(sprongus::Error::invalid("no"))
    });
    assert_eq!(failed.unwrap_err().message(), "no");
    assert_eq!(all(store.tables()), [row(&[("id", 1.into()), ("b", "x".into())])]);
    store
        .transaction(|tx| {
            let undone = tx.transaction(|inner| {
                drop(inner.tables(), "t");
                Err::<(), _>(sprongus::Error::invalid("no"))
            });
            assert_eq!(undone.unwrap_err().message(), "no");
            put(tx.tables(), row(&[("b", "y".into())])).map(|_| ())
        })
        .unwrap();
    assert_eq!(count(store.tables()), 2);
}

fn within_one(env: &Env) {
    let store = env.open();
    store
        .transaction(|tx| {
            let on = tx.tables();
            for round in 0..6 {
                let columns: &[&str] = if round % 2 == 0 { &["a"] } else { &["b", "a"] };
                create(on, numbered(columns));
                assert_eq!(put(on, row(&[("a", "x".into())]))?, "1");
                assert_eq!(puts(on, vec![row(&[("a", "y".into())])])?, ["2"]);
                set(on, "1", row(&[("a", "z".into())]))?;
                assert_eq!(all(on)[0].len(), columns.len() + 1);
                super::delete(on, "2")?;
                on.drop(&TableName::new("t"))?;
            }
            Ok(())
        })
        .unwrap();
    assert!(!exists(store.tables(), "t"));
}
