//! Values: stored and returned exactly, or refused with the column's name.

use sprongus::tables::{Cell, Cells, Column, ColumnType, InsertRow, TableSchema};
use sprongus::{ErrorCode, Json, Options, ops};
use sprongus_conformance::{Backend, Case, Env, Face};

use super::{EVERY, all, count, create, delete, every, json, numbered, one, put, puts, row, set, text, violations};
use crate::runs::code;

pub(super) fn cases() -> Vec<Case> {
    let case = |name, covers, transactional, run| Case { name, covers, transactional, run };
    vec![
        case("tables::values_come_back_exactly", &["tables.insert", "tables.query"], true, exactly),
        case("tables::what_a_column_does_not_take_is_refused_by_its_name", &[], true, refused),
        case("tables::every_violation_is_told", &[], true, told),
        case("tables::a_column_left_out_is_null", &[], true, left_out),
        case("tables::what_is_required_is_asked_for", &[], true, required),
        case("tables::an_update_changes_what_is_given", &["tables.update"], true, updated),
        case("tables::what_is_not_there_is_not_found", &["tables.delete"], true, missing),
        case("tables::a_row_has_a_size", &[], false, sized),
        case("tables::an_indexed_value_has_a_size", &[], true, indexed),
        case("tables::the_door_takes_json", &[], true, door),
        case("tables::what_another_hand_wrote_is_read_or_told_of", &[], true, foreign),
    ]
}

fn exactly(env: &Env) {
    env.within(|on| {
        create(on.tables(), every());
        let deep = format!("{}1{}", "[".repeat(128), "]".repeat(128));
        let long = "é\u{1f642}\u{10ffff}".repeat(50_000);
        let bytes: Vec<u8> = (0..=255).cycle().take(70_000).collect();
        let good: Vec<(ColumnType, Cell, Cell)> = vec![
            same(ColumnType::Text, ""),
            same(ColumnType::Text, "a'b\"c\\d\te\nf\r\u{7f}\u{feff}\u{2028}"),
            same(ColumnType::Text, long),
            same(ColumnType::Text, "{\"$bytes\":\"AQI=\"}"),
            same(ColumnType::Text, "\\N"),
            same(ColumnType::Integer, 1_i64 << 40),
            same(ColumnType::Integer, i64::MIN),
            same(ColumnType::Bigint, i64::MAX),
            same(ColumnType::Bigint, -1),
            (ColumnType::Bigint, Cell::Real(-9_223_372_036_854_775_808.0), Cell::Int(i64::MIN)),
            (ColumnType::Integer, Cell::Real(1e15), Cell::Int(1_000_000_000_000_000)),
            (ColumnType::Integer, Cell::Real(-0.0), Cell::Int(0)),
            (ColumnType::Real, Cell::Int(16_777_217), Cell::Real(16_777_217.0)),
            (ColumnType::Real, Cell::Real(-0.0), Cell::Real(0.0)),
            (ColumnType::Real, json("18446744073709549568"), Cell::Real(18_446_744_073_709_549_568.0)),
            same(ColumnType::Real, 0.1 + 0.2),
            same(ColumnType::Real, 5e-324),
            same(ColumnType::Real, f64::MAX),
            same(ColumnType::Real, f64::MIN_POSITIVE),
            same(ColumnType::Real, 9_007_199_254_740_993.0),
            same(ColumnType::Real, 1e22),
            same(ColumnType::Blob, Vec::new()),
            same(ColumnType::Blob, bytes),
            (ColumnType::Blob, json(r#"{"$bytes":"AAEC/w=="}"#), Cell::Blob(vec![0, 1, 2, 255])),
            same(ColumnType::Boolean, true),
            same(ColumnType::Boolean, false),
            (ColumnType::Json, true.into(), json("true")),
            (ColumnType::Json, "tëxt".into(), json("\"tëxt\"")),
            (ColumnType::Json, 7.into(), json("7")),
            (ColumnType::Json, Cell::Real(7.0), json("7.0")),
            (ColumnType::Json, Cell::Real(-0.0), json("0.0")),
            (ColumnType::Json, json("null"), Cell::Null),
            (ColumnType::Json, json(&deep), json(&deep)),
            (
                ColumnType::Json,
                json("[1e16,1.0,1,18446744073709551615,5e-324,null]"),
                json("[1e16,1.0,1,18446744073709551615,5e-324,null]"),
            ),
            (
                ColumnType::Json,
                json(r#"{"b":1,"a":{"$bytes":"AQI="},"":[]}"#),
                json(r#"{"":[],"a":{"$bytes":"AQI="},"b":1}"#),
            ),
            (ColumnType::Json, json(r#"{"$bytes":"AQI="}"#), json(r#"{"$bytes":"AQI="}"#)),
        ];
        for (holds, given, kept) in good {
            let cells = || row(&[(holds.as_str(), given.clone())]);
            let inserted = put(on.tables(), cells()).unwrap();
            let among = puts(on.tables(), vec![cells()]).unwrap().remove(0);
            let changed = put(on.tables(), Cells::new()).unwrap();
            set(on.tables(), &changed, cells()).unwrap();
            for id in [inserted, among, changed] {
                let there = one(on.tables(), &id);
                let there = there.get(holds.as_str()).unwrap();
                assert_eq!(there, &kept, "{holds:?}");
                if let Cell::Real(value) = there {
                    assert!(value.is_sign_positive() || *value != 0.0, "0.0 has no sign");
                }
            }
        }
    });
}

fn same(holds: ColumnType, cell: impl Into<Cell>) -> (ColumnType, Cell, Cell) {
    let cell = cell.into();
    let kept = match (holds, &cell) {
        (ColumnType::Integer | ColumnType::Bigint, Cell::Int(value)) => Cell::Int(*value),
        _ => cell.clone(),
    };
    (holds, cell, kept)
}

fn refused(env: &Env) {
    use ColumnType as T;
    env.within(|on| {
        create(on.tables(), every());
        let id = put(on.tables(), Cells::new()).unwrap();
        let of_kinds: [(Cell, &[T]); 8] = [
            (true.into(), &[T::Boolean, T::Json]),
            (0.into(), &[T::Integer, T::Bigint, T::Real, T::Json]),
            (1.into(), &[T::Integer, T::Bigint, T::Real, T::Json]),
            (1.5.into(), &[T::Real, T::Json]),
            ("1".into(), &[T::Text, T::Json]),
            (vec![49_u8].into(), &[T::Blob]),
            (json("[1]"), &[T::Json]),
            (json(r#"{"a":1}"#), &[T::Json]),
        ];
        let of_values: [(Cell, &[T]); 17] = [
            (json("9223372036854775808"), &[T::Real, T::Json]),
            (json("18446744073709551615"), &[T::Json]),
            (((1_i64 << 53) + 1).into(), &[T::Integer, T::Bigint, T::Json]),
            (i64::MAX.into(), &[T::Integer, T::Bigint, T::Json]),
            (9_223_372_036_854_775_808.0.into(), &[T::Real, T::Json]),
            (1e300.into(), &[T::Real, T::Json]),
            (f64::NAN.into(), &[]),
            (f64::INFINITY.into(), &[]),
            (f64::NEG_INFINITY.into(), &[]),
            ("a\0b".into(), &[]),
            ("true".into(), &[T::Text, T::Json]),
            ("2026-11-21".into(), &[T::Text, T::Json]),
            ("".into(), &[T::Text, T::Json]),
            (json(r#"{"$bytes":"AQI"}"#), &[T::Json]),
            (json(r#"{"$bytes":"AQI=","a":1}"#), &[T::Json]),
            (json(r#"{"$bytes":[1,2]}"#), &[T::Json]),
            (json(r#"{"$bytes":"AQI="}"#), &[T::Json, T::Blob]),
        ];
        for (cell, takers) in of_kinds.into_iter().chain(of_values) {
            for holds in EVERY {
                let name = holds.as_str();
                let cells = || row(&[(name, cell.clone())]);
                if takers.contains(&holds) {
                    put(on.tables(), cells()).unwrap();
                    continue;
                }
                let expected = [(format!("/{name}"), "type".to_owned())];
                assert_eq!(violations(put(on.tables(), cells())), expected, "{cell:?}");
                assert_eq!(violations(puts(on.tables(), vec![Cells::new(), cells()])), expected, "{cell:?}");
                assert_eq!(violations(set(on.tables(), &id, cells())), expected, "{cell:?}");
            }
        }
        assert_eq!(
            one(on.tables(), &id),
            row(&[("id", id.as_str().into())]
                .into_iter()
                .chain(EVERY.map(|one| (one.as_str(), Cell::Null)))
                .collect::<Vec<_>>())
        );
    });
}

fn told(env: &Env) {
    env.within(|on| {
        let schema = numbered(&["a"]).column(text("b").not_null()).column(Column::new("n", ColumnType::Integer));
        create(on.tables(), schema);
        let bad = row(&[("n", "y".into()), ("a", 1.into()), ("x", Cell::Null)]);
        let mut found = violations(put(on.tables(), bad.clone()));
        found.sort();
        let expected = [("/a", "type"), ("/b", "required"), ("/n", "type"), ("/x", "additionalProperties")];
        assert_eq!(found, expected.map(|(path, keyword)| (path.to_owned(), keyword.to_owned())));
        let good = row(&[("b", "".into())]);
        let error = puts(on.tables(), vec![good.clone(), bad, good.clone(), Cells::new()]).unwrap_err();
        let rows: Vec<_> = error.violations_list().iter().map(|one| (one.row.unwrap(), one.path.clone())).collect();
        assert_eq!(rows.len(), 5);
        assert!(rows.iter().take(4).all(|(row, _)| *row == 2) && rows[4] == (4, "/b".to_owned()));
        assert!(!format!("{error:?}").contains("\"y\""), "no value is shown");
        assert_eq!(count(on.tables()), 0);
        assert_eq!(put(on.tables(), good).unwrap(), "1", "what was refused took no number");
    });
}

fn left_out(env: &Env) {
    env.within(|on| {
        create(on.tables(), every());
        let id = put(on.tables(), Cells::new()).unwrap();
        assert_eq!(id.len(), 26, "a ULID");
        let there = one(on.tables(), &id);
        let names: Vec<&str> = there.iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["id", "text", "integer", "real", "blob", "json", "bigint", "boolean"],
            "in the order of the schema"
        );
        assert!(there.iter().skip(1).all(|(_, cell)| cell.is_null()));
        let turned: Cells =
            [("boolean", Cell::from(true)), ("text", "x".into()), ("id", Cell::Null)].into_iter().collect();
        let next = put(on.tables(), turned).unwrap();
        assert!(next > id && next.len() == 26);
        assert_eq!(all(on.tables()).len(), 2);
    });
}

fn required(env: &Env) {
    env.within(|on| {
        let key = Column::new("key", ColumnType::Bigint).primary_key();
        let schema = EVERY.iter().fold(TableSchema::new("t").column(key), |schema, holds| {
            schema.column(Column::new(holds.as_str(), *holds).not_null())
        });
        create(on.tables(), schema);
        let whole = row(&[
            ("key", 1.into()),
            ("text", "".into()),
            ("integer", 0.into()),
            ("real", 0.into()),
            ("blob", Vec::new().into()),
            ("json", false.into()),
            ("bigint", 0.into()),
            ("boolean", false.into()),
        ]);
        assert_eq!(put(on.tables(), whole.clone()).unwrap(), "1");
        for (name, _) in whole.iter() {
            let expected = [(format!("/{name}"), "required".to_owned())];
            let without: Cells = whole.clone().into_iter().filter(|(other, _)| other != name).collect();
            assert_eq!(violations(put(on.tables(), without)), expected);
            for null in [Cell::Null, json("null")] {
                assert_eq!(violations(put(on.tables(), whole.clone().with(name, null.clone()))), expected);
                assert_eq!(violations(set(on.tables(), "1", row(&[(name, null)]))), expected);
            }
        }
        assert_eq!(one(on.tables(), "1").get("json"), Some(&json("false")));
    });
}

fn updated(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, TableSchema::new("t").column(text("id")).column(text("a")).column(text("b")));
        put(on, row(&[("id", "1".into()), ("a", "a".into()), ("b", "b".into())])).unwrap();
        put(on, row(&[("id", "2".into()), ("a", "a".into())])).unwrap();
        let is =
            |id: &str, a: &str, b: Cell| assert_eq!(one(on, id), row(&[("id", id.into()), ("a", a.into()), ("b", b)]));
        set(on, "1", row(&[("b", "c".into())])).unwrap();
        is("1", "a", "c".into());
        set(on, "1", row(&[("b", Cell::Null)])).unwrap();
        is("1", "a", Cell::Null);
        set(on, "1", Cells::new()).unwrap();
        is("1", "a", Cell::Null);
        set(on, "1", row(&[("id", "1".into())])).unwrap();
        set(on, "1", row(&[("id", "3".into()), ("a", "x".into())])).unwrap();
        is("3", "x", Cell::Null);
        is("2", "a", Cell::Null);
        assert_eq!(count(on), 2);
    });
}

fn missing(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, numbered(&["a"]));
        put(on, Cells::new()).unwrap();
        for id in ["2", "", "x", "01", "+1", "1.0", " 1", "9223372036854775808", "1\0", "1' OR '1'='1"] {
            assert_eq!(code(set(on, id, row(&[("a", "x".into())]))), ErrorCode::NotFound, "{id:?}");
            assert_eq!(code(set(on, id, Cells::new())), ErrorCode::NotFound, "{id:?}");
            assert_eq!(code(delete(on, id)), ErrorCode::NotFound, "{id:?}");
        }
        delete(on, "1").unwrap();
        assert_eq!(code(delete(on, "1")), ErrorCode::NotFound);
        assert_eq!(count(on), 0);
        assert_eq!(code(on.insert(&InsertRow::new("nobody", Cells::new()))), ErrorCode::NotFound);
    });
}

fn sized(env: &Env) {
    let store = env.open_with(Options { max_artifact_bytes: 10_000, ..env.options() });
    let on = store.tables();
    create(on, every());
    let of = |text: usize, blob: usize| row(&[("text", "x".repeat(text).into()), ("blob", vec![7; blob].into())]);
    let id = put(on, of(4_000, 5_000)).unwrap();
    for error in [
        put(on, of(4_000, 6_500)).unwrap_err(),
        puts(on, vec![of(1, 1), of(4_000, 6_500)]).unwrap_err(),
        set(on, &id, of(4_000, 6_500)).unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::TooLarge);
        assert_eq!(error.details().unwrap()["column"], "blob");
    }
    assert_eq!(count(on), 1);
}

/// PostgreSQL's indexes take less than a third of a page; here both take the same.
fn indexed(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        let schema = every()
            .column(text("once").unique())
            .index(super::unique("t_three", &["text", "blob", "json", "integer"]))
            .index(sprongus::tables::Index::new("t_json", ["json"]));
        create(on, schema);
        // Of bytes that do not compress.
        let bytes: Vec<u8> = (0..2_001_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let letters: String = bytes.iter().map(|byte| char::from(b'!' + byte % 90)).collect();
        let fits = row(&[
            ("once", letters[..2_000].into()),
            ("text", letters[..666].into()),
            ("blob", bytes[..666].into()),
            ("json", letters[..600].replace(['"', '\\'], "x").into()),
            ("integer", i64::MAX.into()),
        ]);
        let id = put(on, fits.clone()).unwrap();
        for (name, cell) in [
            ("once", letters[..].into()),
            ("text", letters[..667].into()),
            ("blob", bytes[..667].into()),
            ("json", letters[..667].into()),
        ] {
            let cell: Cell = cell;
            let expected = [(format!("/{name}"), "maxBytes".to_owned())];
            assert_eq!(violations(put(on, row(&[(name, cell.clone())]))), expected);
            assert_eq!(violations(puts(on, vec![row(&[(name, cell.clone())])])), expected);
            assert_eq!(violations(set(on, &id, row(&[(name, cell)]))), expected);
        }
        let key = row(&[("id", letters[..2_000].into())]);
        put(on, key).unwrap();
        assert_eq!(
            violations(put(on, row(&[("id", letters[..].into())]))),
            [("/id".to_owned(), "maxBytes".to_owned())]
        );
        assert_eq!(count(on), 2);
    });
}

fn door(env: &Env) {
    env.within(|on| {
        let call = |name: &str, request: &str| match on {
            Face::Store(store) => ops::call(store, name, request.as_bytes()),
            Face::Tx(tx) => ops::call(tx, name, request.as_bytes()),
        };
        let schema = r#"{"schema":{"name":"t","columns":[{"name":"n","type":"bigint","constraints":["primary_key","auto_increment"]},
            {"name":"b","type":"blob"},{"name":"j","type":"json"},{"name":"r","type":"real"}],
            "indexes":[{"name":"t_r","columns":["r"]}]}}"#;
        assert_eq!(call("tables.create", schema).unwrap(), "null");
        assert_eq!(call("tables.exists", r#"{"name":"T"}"#).unwrap(), r#"{"exists":true}"#);
        assert_eq!(call("tables.names", "").unwrap(), r#"["t"]"#);
        let described = call("tables.describe", r#"{"name":"t"}"#).unwrap();
        assert_eq!(Json::parse(&described).unwrap(), {
            let mut value = Json::parse(schema).unwrap().to_value()["schema"].take();
            for column in value["columns"].as_array_mut().unwrap().iter_mut().skip(1) {
                column["constraints"] = serde_json::json!([]);
            }
            value["indexes"][0]["unique"] = false.into();
            Json::from_value(&value).unwrap()
        });
        let insert = r#"{"name":"t","row":{"b":{"$bytes":"AQI="},"j":{"$bytes":"AQI="},"r":2}}"#;
        assert_eq!(call("tables.insert", insert).unwrap(), r#"{"id":"1"}"#);
        let many = r#"{"name":"t","rows":[{"j":[1,1.0]},{"n":9,"j":18446744073709551615}]}"#;
        assert_eq!(call("tables.insert_many", many).unwrap(), r#"{"ids":["2","9"]}"#);
        assert_eq!(call("tables.update", r#"{"name":"t","id":"2","data":{"r":1.5}}"#).unwrap(), "null");
        let query = r#"{"name":"t","where":{"n":[1,2]},"orderBy":[["r","desc"],["n","asc"]],"limit":5,"offset":0}"#;
        assert_eq!(
            call("tables.query", query).unwrap(),
            r#"[{"n":1,"b":{"$bytes":"AQI="},"j":{"$bytes":"AQI="},"r":2.0},{"n":2,"b":null,"j":[1,1.0],"r":1.5}]"#
        );
        assert_eq!(call("tables.count", r#"{"name":"t","where":{"b":null}}"#).unwrap(), r#"{"count":2}"#);
        assert_eq!(call("tables.delete", r#"{"name":"t","id":"9"}"#).unwrap(), "null");
        for (name, request) in [
            ("tables.create", r#"{"schema":{"name":"u","columns":[{"name":"a","type":"varchar"}]}}"#),
            ("tables.create", r#"{"schema":{"name":"u","columns":[{"name":"a","type":"text","constraints":["check"]}]}}"#),
            ("tables.create", r#"{"schema":{"name":"u","more":1}}"#),
            ("tables.create", r#"{"name":"u"}"#),
            ("tables.query", r#"{"name":"t","orderBy":[["n","up"]]}"#),
            ("tables.query", r#"{"name":"t","orderBy":["n"]}"#),
            ("tables.query", r#"{"name":"t","limit":-1}"#),
            ("tables.query", r#"{"name":"t","offset":-1}"#),
            ("tables.query", r#"{"name":"t","limit":1.5}"#),
            ("tables.insert", r#"{"name":"t","row":[1]}"#),
            ("tables.insert_many", r#"{"name":"t","rows":{}}"#),
        ] {
            assert_eq!(call(name, request).unwrap_err().code(), ErrorCode::InvalidArgument, "{request}");
        }
        let twice = call("tables.insert", r#"{"name":"t","row":{"r":1,"r":2}}"#).unwrap_err();
        assert_eq!(twice.code(), ErrorCode::Validation);
        call("tables.drop", r#"{"name":"t"}"#).unwrap();
        assert_eq!(call("tables.exists", r#"{"name":"t"}"#).unwrap(), r#"{"exists":false}"#);
    });
}

/// The host's SQL writes what it likes where the database lets it.
fn foreign(env: &Env) {
    env.within(|on| {
        create(on.tables(), numbered(&[]).column(Column::new("j", ColumnType::Json)));
        on.execute("INSERT INTO t (j) VALUES ('{ \"b\": 1e2, \"a\": [1.50] }')", &[]).unwrap();
        let there = one(on.tables(), "1");
        let sqlite = matches!(env.backend(), Backend::SqliteFile | Backend::SqliteMemory | Backend::LentSqlite);
        let kept = if sqlite { r#"{"a":[1.5],"b":100.0}"# } else { r#"{"a":[1.5],"b":100}"# };
        assert_eq!(there.get("j"), Some(&json(kept)));
        if sqlite {
            on.execute("INSERT INTO t (j) VALUES ('no document')", &[]).unwrap();
            let error = on.tables().query(&sprongus::tables::QueryRows::new("t")).unwrap_err();
            assert!(error.code() == ErrorCode::Corrupt && error.message().contains("column j"), "{error}");
        }
    });
}
