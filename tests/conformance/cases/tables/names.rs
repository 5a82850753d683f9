//! Identifiers: quoted or refused, the same on both databases (DESIGN.md §8).

use sprongus::ErrorCode;
use sprongus::tables::{
    CountRows, CreateTable, DeleteRow, Index, InsertRow, InsertRows, OrderBy, QueryRows, TableName, TableSchema,
    UpdateRow,
};
use sprongus_conformance::{Case, Env, Face};

use super::{Cells, all, create, creates, drop, exists, number, numbered, one, put, row, set, text, violations};
use crate::runs::{code, picture};

pub(super) fn cases() -> Vec<Case> {
    let case = |name, run| Case { name, covers: &[], transactional: true, run };
    vec![
        case("tables::hostile_names_are_refused_everywhere", hostile),
        case("tables::words_of_sql_are_names", words),
        case("tables::names_have_at_most_63_bytes", longest),
        case("tables::names_are_without_regard_to_case", cases_of_letters),
        case("tables::system_columns_are_refused", system),
        case("tables::core_tables_are_out_of_reach", core),
    ]
}

/// What is no identifier, and what begins as another's.
fn bad_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "",
        " ",
        "a b",
        " a",
        "a ",
        "1a",
        "a\"",
        "\"a\"",
        "a\"; DROP TABLE sprongus_runs; --",
        "a'; --",
        "a;b",
        "a--",
        "a/**/b",
        "a.b",
        "main.a",
        "public.a",
        "a$1",
        "$1",
        "a-b",
        "a`",
        "[a]",
        "a\\",
        "a\0",
        "a\nb",
        "a\tb",
        "\u{e4}",
        "t\u{430}ble",
        "\u{ff41}",
        "a\u{301}",
        "a\u{200b}",
        "a\u{202e}b",
        "\u{212a}",
        "\u{130}d",
        "ſ",
        "🙂",
    ]
    .map(str::to_owned)
    .to_vec();
    names.extend(["a".repeat(64), "a".repeat(10_000)]);
    names.extend(["sqlite_a", "SQLITE_sequence", "pg_a", "Pg_Class", "sprongus_a", "SPRONGUS_RUNS"].map(str::to_owned));
    names
}

fn hostile(env: &Env) {
    env.within(|on| {
        create(on.tables(), numbered(&["a"]));
        let before = picture(on);
        for name in bad_names() {
            for schema in [
                TableSchema::new(&name).column(text("a")),
                TableSchema::new("u").column(text(&name)),
                TableSchema::new("u").column(text("a")).index(Index::new(&name, ["a"])),
                TableSchema::new("u").column(text("a")).index(Index::new("i", [&name])),
            ] {
                assert_eq!(code(creates(on.tables(), schema)), ErrorCode::InvalidArgument, "{name:?}");
            }
            refused_as_table(on, &name);
            refused_as_column(on, &name);
        }
        assert_eq!(before, picture(on));
        assert!(on.tables().names().unwrap() == ["t"] && all(on.tables()).is_empty() && !exists(on.tables(), "u"));
    });
}

fn refused_as_table(on: Face<'_, '_>, name: &str) {
    let on = on.tables();
    let invalid =
        |result: Result<(), sprongus::Error>| assert_eq!(code(result), ErrorCode::InvalidArgument, "{name:?}");
    invalid(on.drop(&TableName::new(name)));
    invalid(on.describe(&TableName::new(name)).map(|_| ()));
    invalid(on.insert(&InsertRow::new(name, Cells::new())).map(|_| ()));
    invalid(on.insert_many(&InsertRows::new(name, vec![])).map(|_| ()));
    invalid(on.update(&UpdateRow::new(name, "1", Cells::new())));
    invalid(on.query(&QueryRows::new(name)).map(|_| ()));
    invalid(on.count(&CountRows::new(name)).map(|_| ()));
    invalid(on.delete(&DeleteRow::new(name, "1")));
}

fn refused_as_column(on: Face<'_, '_>, name: &str) {
    let on = on.tables();
    let cells = || row(&[(name, "x".into())]);
    assert_eq!(violations(put(on, cells()))[0].1, "additionalProperties");
    assert_eq!(violations(super::puts(on, vec![cells()]))[0].1, "additionalProperties");
    assert_eq!(violations(set(on, "1", cells()))[0].1, "additionalProperties");
    let mut query = QueryRows::new("t");
    query.filter.set(name, "x");
    assert_eq!(code(on.query(&query)), ErrorCode::InvalidArgument);
    let query = QueryRows { order_by: vec![OrderBy::asc(name)], ..QueryRows::new("t") };
    assert_eq!(code(on.query(&query)), ErrorCode::InvalidArgument);
}

fn words(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        for word in [
            "select",
            "TABLE",
            "from",
            "where",
            "order",
            "group",
            "user",
            "index",
            "default",
            "null",
            "true",
            "primary",
            "references",
            "values",
            "column",
            "limit",
            "offset",
            "current_user",
            "_",
            "_1",
            "x",
            "key",
            "generation",
            "natural",
            "rownum",
            "int",
            "abort",
            "analyze",
            "all",
            "array",
            "both",
            "when",
            "returning",
            "excluded",
            "strict",
        ] {
            let index = format!("{word}_");
            let schema = TableSchema::new(word)
                .column(number(if word == "key" { "id" } else { "key" }).primary_key().auto_increment())
                .column(text(word).unique())
                .index(Index::new(&index, [word]).unique());
            create(on, schema.clone());
            create(on, schema);
            let inserted = on.insert(&InsertRow::new(word, row(&[(word, "x".into())]))).unwrap();
            on.insert_many(&InsertRows::new(word, vec![row(&[(word, "y".into())])])).unwrap();
            on.update(&UpdateRow::new(word, &inserted.id, row(&[(word, "z".into())]))).unwrap();
            let mut query = QueryRows { order_by: vec![OrderBy::desc(word)], ..QueryRows::new(word) };
            query.filter.set(word, sprongus::tables::Test::any_of(["z", "y"]));
            let rows = on.query(&query).unwrap();
            assert_eq!(rows.iter().map(|row| row.get(word).unwrap()).collect::<Vec<_>>(), [&"z".into(), &"y".into()]);
            on.delete(&DeleteRow::new(word, &inserted.id)).unwrap();
            assert_eq!(on.count(&CountRows::new(word)).unwrap(), 1);
            drop(on, word);
        }
    });
}

fn longest(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        let (name, same_but_one) = ("a".repeat(63), format!("{}b", "a".repeat(62)));
        let schema = |name: &str| {
            let (first, second) = (name.replace('a', "c"), name.replace('a', "d"));
            TableSchema::new(name)
                .column(number(&first).primary_key().auto_increment())
                .column(text(&second).unique())
                .index(Index::new(name.replace('a', "i"), [&second]))
        };
        create(on, schema(&name));
        create(on, schema(&same_but_one));
        assert_eq!(on.names().unwrap(), [name.clone(), same_but_one]);
        on.insert(&InsertRow::new(&name, row(&[(&"d".repeat(63), "x".into())]))).unwrap();
        assert_eq!(on.count(&CountRows::new(&name)).unwrap(), 1);
        assert_eq!(code(on.create(&CreateTable::new(schema(&"a".repeat(64))))), ErrorCode::InvalidArgument);
    });
}

fn cases_of_letters(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, TableSchema::new("T").column(text("Id").primary_key()).column(text("userName")));
        assert_eq!(
            super::differences(creates(on, TableSchema::new("t").column(text("Id").primary_key()))),
            ["name", "columns/userName"]
        );
        put(on, row(&[("ID", "1".into()), ("USERNAME", "x".into())])).unwrap();
        set(on, "1", row(&[("username", "y".into())])).unwrap();
        let mut query = QueryRows { order_by: vec![OrderBy::asc("iD")], ..QueryRows::new("t") };
        query.filter.set("USERname", "y");
        assert_eq!(
            on.query(&query).unwrap(),
            [row(&[("Id", "1".into()), ("userName", "y".into())])],
            "as they were named"
        );
        let twice = row(&[("userName", "a".into()), ("username", "b".into())]);
        assert_eq!(violations(put(on, twice.clone())), [("/username".to_owned(), "duplicate".to_owned())]);
        assert_eq!(violations(set(on, "1", twice)), [("/username".to_owned(), "duplicate".to_owned())]);
        assert_eq!(one(on, "1").get("userName"), Some(&"y".into()));
    });
}

fn system(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        for name in ["rowid", "oid", "_rowid_", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"] {
            for name in [name.to_owned(), name.to_uppercase()] {
                let schema = TableSchema::new("t").column(text(&name));
                assert_eq!(code(creates(on, schema)), ErrorCode::InvalidArgument, "{name}");
            }
        }
        create(on, TableSchema::new("ctid").column(text("a")));
        create(on, TableSchema::new("t").column(text("a")));
        // Nor are they to be read where nobody declared them.
        let query = QueryRows { order_by: vec![OrderBy::asc("rowid")], ..QueryRows::new("t") };
        assert_eq!(code(on.query(&query)), ErrorCode::InvalidArgument);
        assert_eq!(violations(put(on, row(&[("oid", 1.into())])))[0].1, "additionalProperties");
    });
}

fn core(env: &Env) {
    env.within(|on| {
        let before = picture(on);
        for name in
            ["sprongus_runs", "Sprongus_Runs", "sprongus_tables", "sprongus_migrations", "sqlite_schema", "pg_class"]
        {
            assert_eq!(code(creates(on.tables(), TableSchema::new(name))), ErrorCode::InvalidArgument);
            refused_as_table(on, name);
            assert!(!exists(on.tables(), name));
        }
        assert_eq!(before, picture(on));
        assert!(on.tables().names().unwrap().is_empty());
    });
}
