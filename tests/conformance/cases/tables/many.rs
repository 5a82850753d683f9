//! Many rows at once: all or none, as fast as the database takes them.

use std::cell::Cell as Flag;

use sprongus::tables::{Cell, Cells, Column, ColumnType, InsertRows, TableSchema};
use sprongus::{Error, ErrorCode};
use sprongus_conformance::{Case, Env, Face};

use super::{all, conflict, count, create, every, json, number, numbered, one, puts, row, text};
use crate::runs::code;

pub(super) fn cases() -> Vec<Case> {
    let case = |name, covers, transactional, run| Case { name, covers, transactional, run };
    vec![
        case("tables::ten_thousand_rows_come_together", &["tables.insert_many"], true, many),
        case("tables::rows_of_every_kind_come_together", &[], true, kinds),
        case("tables::rows_are_fetched_before_anything_is_held", &[], false, fetched),
        case("tables::one_bad_row_keeps_out_all", &[], true, none),
    ]
}

fn many(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, TableSchema::new("t").column(text("id")).column(number("n")).column(text("mail").unique()));
        let cells = |n: i64| row(&[("n", n.into()), ("mail", format!("{n}@example.org").into())]);
        let ids = puts(on, (0..10_000).map(cells).collect()).unwrap();
        assert_eq!((ids.len(), count(on)), (10_000, 10_000));
        assert!(ids.is_sorted(), "made in the order of the rows");
        assert_eq!(one(on, &ids[4_711]).get("n"), Some(&4_711.into()));
        let rest = on.insert_rows("t", (10_000..10_010).map(|n| Ok(cells(n)))).unwrap().ids;
        assert_eq!((rest.len(), count(on)), (10, 10_010));
        assert_eq!(conflict(puts(on, (20_000..30_000).map(cells).chain([cells(7)]).collect())).1, Some(10_001));
        assert_eq!(count(on), 10_010);
        assert_eq!(puts(on, Vec::new()).unwrap(), Vec::<String>::new());
        assert_eq!(code(on.insert_many(&InsertRows::new("nobody", Vec::new()))), ErrorCode::NotFound);
    });
}

fn kinds(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, every());
        let whole = row(&[
            ("id", "a\tb\\n\n\"'".into()),
            ("text", "\\N\t\r\n\\.\u{1f642}".into()),
            ("integer", i64::MIN.into()),
            ("real", 5e-324.into()),
            ("blob", vec![0, 9, 10, 13, 92, 255].into()),
            ("json", json(r#"{"a":"\\N\n\t","b":[1.0,1e16]}"#)),
            ("bigint", i64::MAX.into()),
            ("boolean", true.into()),
        ]);
        let nulls: Cells = whole.iter().map(|(name, _)| (name, Cell::Null)).collect::<Cells>().with("id", "nulls");
        let ids = puts(on, vec![whole.clone(), nulls.clone(), row(&[("id", "".into())])]).unwrap();
        assert_eq!(ids, ["a\tb\\n\n\"'", "nulls", ""]);
        assert_eq!(one(on, &ids[0]), whole);
        assert_eq!(one(on, "nulls"), nulls);
        assert_eq!(all(on).len(), 3);
    });
}

/// Whoever gives the rows may use the store for it, and may fail.
fn fetched(env: &Env) {
    let store = env.open();
    let on = store.tables();
    create(on, numbered(&["a"]));
    let rows = (0..3).map(|n: i32| {
        super::put(on, row(&[("a", "between".into())]))?;
        Ok(row(&[("a", n.to_string().into())]))
    });
    assert_eq!(on.insert_rows("t", rows).unwrap().ids, ["4", "5", "6"]);
    let asked = Flag::new(0);
    let failing = (0..5).map(|n| {
        asked.set(n);
        if n == 2 { Err(Error::invalid("no more")) } else { Ok(Cells::new()) }
    });
    assert_eq!(on.insert_rows("t", failing).unwrap_err().message(), "no more");
    assert_eq!((asked.get(), count(on)), (2, 6));
    store
        .transaction(|tx| {
            tx.tables().insert_rows("t", [Ok(Cells::new())])?;
            assert_eq!(tx.tables().insert_rows("t", [Err(Error::invalid("no"))]).unwrap_err().message(), "no");
            Ok(())
        })
        .unwrap();
    assert_eq!(count(on), 7);
}

fn none(env: &Env) {
    env.within(|on: Face<'_, '_>| {
        let on = on.tables();
        create(on, TableSchema::new("t").column(Column::new("n", ColumnType::Integer).not_null()));
        let good = |n: i64| row(&[("n", n.into())]);
        let rows: Vec<Cells> = (0..500).map(good).chain([row(&[("n", "x".into())]), Cells::new()]).collect();
        let error = puts(on, rows).unwrap_err();
        let found: Vec<_> =
            error.violations_list().into_iter().map(|one| (one.row.unwrap(), one.path, one.keyword)).collect();
        assert_eq!(found, [(501, "/n".to_owned(), "type".to_owned()), (502, "/n".to_owned(), "required".to_owned())]);
        assert!(error.message().starts_with("row 501, /n: text was given"), "{error}");
        let all_bad: Vec<Cells> = (0..5_000).map(|_| Cells::new()).collect();
        assert_eq!(puts(on, all_bad).unwrap_err().violations_list().len(), 1_000, "enough is told");
        assert_eq!(count(on), 0);
    });
}
