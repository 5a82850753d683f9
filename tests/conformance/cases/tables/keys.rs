//! What no two rows may have in common, and the numbers that the database gives.

use sprongus::ErrorCode;
use sprongus::tables::{Cell, Cells, Column, ColumnType, TableSchema};
use sprongus_conformance::{Case, Env};

use super::{
    all, conflict, count, create, delete, drop, json, number, numbered, one, put, puts, row, set, text, unique,
    violations,
};
use crate::runs::code;

pub(super) fn cases() -> Vec<Case> {
    let case = |name, transactional, run| Case { name, covers: &[], transactional, run };
    vec![
        case("tables::no_value_comes_twice", true, twice),
        case("tables::values_taken_together_come_once", true, together),
        case("tables::the_first_of_several_rivals_is_named", true, first),
        case("tables::documents_are_unique_as_they_are", true, documents),
        case("tables::numbers_go_on_after_a_number_that_was_given", true, numbers),
        case("tables::numbers_are_never_given_again", true, never_again),
        case("tables::the_highest_number_is_the_last", true, last),
        case("tables::a_row_keeps_its_number", true, keeps),
        case("tables::numbers_pass_over_what_the_host_wrote", true, passed_over),
        case("tables::a_key_of_integers_is_asked_for", true, asked_for),
    ]
}

fn twice(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, TableSchema::new("t").column(text("key").primary_key()).column(text("Mail").unique()));
        let cells = |key: &str, mail: Cell| row(&[("key", key.into()), ("mail", mail)]);
        put(on, cells("1", "a".into())).unwrap();
        put(on, cells("2", Cell::Null)).unwrap();
        put(on, cells("3", Cell::Null)).unwrap();
        put(on, cells("4", "A".into())).unwrap();
        assert_eq!(conflict(put(on, cells("1", "z".into()))), (vec!["key".to_owned()], None));
        assert_eq!(conflict(put(on, cells("9", "a".into()))), (vec!["Mail".to_owned()], None));
        assert_eq!(conflict(set(on, "2", row(&[("mail", "a".into())]))), (vec!["Mail".to_owned()], None));
        assert_eq!(conflict(set(on, "2", row(&[("key", "1".into())]))), (vec!["key".to_owned()], None));
        set(on, "1", row(&[("mail", "a".into())])).unwrap();
        assert_eq!(count(on), 4);
        assert_eq!(
            conflict(puts(on, vec![cells("5", "b".into()), cells("6", "a".into())])),
            (vec!["Mail".to_owned()], Some(2))
        );
        assert_eq!(
            conflict(puts(on, vec![cells("5", "b".into()), cells("5", "c".into())])),
            (vec!["key".to_owned()], Some(2))
        );
        assert_eq!(count(on), 4, "all or none");
        delete(on, "1").unwrap();
        put(on, cells("9", "a".into())).unwrap();
    });
}

fn together(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        let schema = TableSchema::new("t")
            .column(text("id"))
            .column(text("provider"))
            .column(Column::new("n", ColumnType::Real));
        create(on, schema.index(unique("t_once", &["Provider", "n"])));
        let cells = |id: &str, provider: Cell, n: Cell| row(&[("id", id.into()), ("provider", provider), ("n", n)]);
        put(on, cells("1", "a".into(), 1.into())).unwrap();
        put(on, cells("2", "a".into(), 2.into())).unwrap();
        put(on, cells("3", "b".into(), Cell::Null)).unwrap();
        put(on, cells("4", "b".into(), Cell::Null)).unwrap();
        let both = || vec!["provider".to_owned(), "n".to_owned()];
        assert_eq!(conflict(put(on, cells("9", "a".into(), Cell::Real(1.0)))), (both(), None));
        assert_eq!(
            conflict(puts(on, vec![cells("8", "c".into(), 1.into()), cells("9", "c".into(), 1.into())])),
            (both(), Some(2))
        );
        // The other column is as it is in the row.
        assert_eq!(conflict(set(on, "2", row(&[("n", 1.into())]))), (both(), None));
        assert_eq!(conflict(set(on, "3", row(&[("provider", "a".into()), ("n", 2.into())]))), (both(), None));
        set(on, "3", row(&[("provider", "a".into())])).unwrap();
        set(on, "2", row(&[("n", 3.into())])).unwrap();
        assert_eq!(one(on, "2").get("n"), Some(&3.0.into()));
    });
}

/// Several at once: the primary key, unique columns in order, unique indexes in order; whichever row has them.
fn first(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        let schema = ["a", "b", "c"].iter().fold(TableSchema::new("t").column(text("id")), |schema, name| {
            schema.column(if *name == "b" { text(name).unique() } else { text(name) })
        });
        create(on, schema.index(unique("t_c", &["c"])).index(unique("t_a", &["a"])));
        let cells = |id: &str, a: &str, b: &str, c: &str| {
            row(&[("id", id.into()), ("a", a.into()), ("b", b.into()), ("c", c.into())])
        };
        puts(on, vec![cells("1", "1", "1", "1"), cells("2", "2", "2", "2")]).unwrap();
        let named = |cells: Cells| conflict(put(on, cells)).0;
        assert_eq!(named(cells("1", "2", "2", "2")), ["id"]);
        assert_eq!(named(cells("9", "1", "2", "1")), ["b"]);
        assert_eq!(named(cells("9", "1", "9", "2")), ["c"]);
        assert_eq!(named(cells("9", "1", "9", "9")), ["a"]);
        assert_eq!(conflict(set(on, "1", row(&[("a", "2".into()), ("b", "2".into()), ("c", "2".into())]))).0, ["b"]);
        assert_eq!(conflict(set(on, "1", row(&[("a", "2".into()), ("c", "2".into())]))).0, ["c"]);
        let many = vec![cells("3", "3", "3", "3"), cells("4", "3", "4", "2"), cells("1", "1", "1", "1")];
        assert_eq!(conflict(puts(on, many)), (vec!["c".to_owned()], Some(2)), "the first row, and of it the first");
        let rows: Vec<Cells> = (10..2_000)
            .map(|n| {
                let n = n.to_string();
                cells(&n, &n, &n, &n)
            })
            .chain([cells("x", "x", "2", "x")])
            .collect();
        assert_eq!(conflict(puts(on, rows)), (vec!["b".to_owned()], Some(1_991)));
        assert_eq!(count(on), 2);
    });
}

/// `1` and `1.0` are different documents; the order of keys makes none.
fn documents(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, TableSchema::new("t").column(Column::new("j", ColumnType::Json).unique()));
        for document in ["1", "1.0", "1e16", "10000000000000000", "[1]", "[1.0]", r#"{"a":1,"b":2}"#, "\"1\"", "true"] {
            put(on, row(&[("j", json(document))])).unwrap();
        }
        for document in ["1", "1.0", "1e16", r#"{"b":2,"a":1}"#, "\"1\""] {
            assert_eq!(conflict(put(on, row(&[("j", json(document))]))).0, ["j"], "{document}");
        }
        let id = put(on, row(&[("j", json("[2]"))])).unwrap();
        assert_eq!(conflict(set(on, &id, row(&[("j", json("[1]"))]))).0, ["j"]);
        set(on, &id, row(&[("j", json("[1,1]"))])).unwrap();
    });
}

fn numbers(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, numbered(&[]));
        let given = |id: i64| put(on, row(&[("id", id.into())])).unwrap();
        let next = || put(on, Cells::new()).unwrap();
        assert_eq!(next(), "1");
        assert_eq!((given(10), next()), ("10".to_owned(), "11".to_owned()));
        assert_eq!((given(5), next()), ("5".to_owned(), "12".to_owned()), "a lower one changes nothing");
        assert_eq!((given(-7), next(), given(0)), ("-7".to_owned(), "13".to_owned(), "0".to_owned()));
        assert_eq!((given(14), next()), ("14".to_owned(), "15".to_owned()), "the very next one");
        let mixed = [Cell::Null, 30.into(), Cell::Null, 3.into(), Cell::Null].map(|id| row(&[("id", id)]));
        assert_eq!(puts(on, mixed.to_vec()).unwrap(), ["16", "30", "31", "3", "32"]);
        assert_eq!(puts(on, vec![Cells::new(); 3]).unwrap(), ["33", "34", "35"]);
        assert_eq!(next(), "36");
        assert_eq!(conflict(put(on, row(&[("id", 10.into())]))).0, ["id"]);
        assert_eq!(conflict(puts(on, vec![row(&[("id", 10.into())])])), (vec!["id".to_owned()], Some(1)));
        drop(on, "t");
        create(on, numbered(&[]));
        assert_eq!(puts(on, vec![row(&[("id", 1.into())]), Cells::new()]).unwrap(), ["1", "2"]);
        drop(on, "t");
        create(on, numbered(&[]));
        assert_eq!((given(1), next()), ("1".to_owned(), "2".to_owned()), "of an empty table");
        let given = [row(&[("id", Cell::Real(4.0))]), Cells::new()];
        assert_eq!(puts(on, given.to_vec()).unwrap(), ["4", "5"]);
    });
}

fn never_again(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, numbered(&[]));
        assert_eq!(puts(on, vec![Cells::new(); 3]).unwrap(), ["1", "2", "3"]);
        delete(on, "3").unwrap();
        assert_eq!(put(on, Cells::new()).unwrap(), "4");
        put(on, row(&[("id", 9.into())])).unwrap();
        delete(on, "9").unwrap();
        assert_eq!(puts(on, vec![Cells::new()]).unwrap(), ["10"]);
        for id in ["1", "2", "4", "10"] {
            delete(on, id).unwrap();
        }
        assert_eq!(put(on, Cells::new()).unwrap(), "11", "of an empty table");
    });
}

fn last(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, numbered(&[]));
        assert_eq!(put(on, row(&[("id", (i64::MAX - 1).into())])).unwrap(), (i64::MAX - 1).to_string());
        assert_eq!(put(on, Cells::new()).unwrap(), i64::MAX.to_string());
        for result in [
            put(on, Cells::new()).map(|_| ()),
            puts(on, vec![Cells::new()]).map(|_| ()),
            puts(on, vec![row(&[("id", 1.into())]), Cells::new()]).map(|_| ()),
        ] {
            let error = result.unwrap_err();
            assert!(error.code() == ErrorCode::StorageFull && error.message().contains("t.id"), "{error}");
        }
        assert_eq!(put(on, row(&[("id", 7.into())])).unwrap(), "7");
        assert_eq!(count(on), 3);
    });
}

fn keeps(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, numbered(&["a"]));
        put(on, Cells::new()).unwrap();
        let expected = [("/id".to_owned(), "autoIncrement".to_owned())];
        assert_eq!(violations(set(on, "1", row(&[("id", 5.into()), ("a", "x".into())]))), expected);
        set(on, "1", row(&[("id", 1.into()), ("a", "y".into())])).unwrap();
        assert_eq!(all(on), [row(&[("id", 1.into()), ("a", "y".into())])]);
    });
}

/// Numbers that the host's own SQL has brought in are in the way of PostgreSQL's sequence.
fn passed_over(env: &Env) {
    env.within(|on| {
        create(on.tables(), numbered(&["a"]));
        for id in 1..=20 {
            on.execute("INSERT INTO t (id) VALUES ($1)", &[id.into()]).unwrap();
        }
        assert_eq!(put(on.tables(), Cells::new()).unwrap(), "21");
        on.execute("INSERT INTO t (id) VALUES (22), (23), (24)", &[]).unwrap();
        let many = puts(on.tables(), vec![Cells::new(); 3]);
        assert_eq!(many.unwrap(), ["25", "26", "27"]);
    });
}

fn asked_for(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, TableSchema::new("t").column(number("id").primary_key()));
        let expected = [("/id".to_owned(), "required".to_owned())];
        assert_eq!(violations(put(on, Cells::new())), expected);
        assert_eq!(violations(puts(on, vec![Cells::new()])), expected);
        assert_eq!(put(on, row(&[("id", 7.into())])).unwrap(), "7");
        set(on, "7", row(&[("id", 8.into())])).unwrap();
        assert_eq!(code(set(on, "7", Cells::new())), ErrorCode::NotFound);
    });
}
