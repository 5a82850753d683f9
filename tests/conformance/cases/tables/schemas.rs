//! Creating, describing, dropping: what the catalog keeps, and what else has a name.

use serde_json::json;
use sprongus::tables::{Cells, Column, ColumnType, Constraint, CreateTable, Index, TableName, TableSchema};
use sprongus::{ErrorCode, Options, Scope, Store};
use sprongus_conformance::{Backend, Case, Env};

use super::{
    EVERY, all, count, create, creates, differences, drop, every, exists, number, numbered, put, row, text, unique,
};
use crate::runs::code;

pub(super) fn cases() -> Vec<Case> {
    let case = |name, covers, transactional, run| Case { name, covers, transactional, run };
    vec![
        case("tables::the_catalog_keeps_the_schema", &["tables.create", "tables.describe", "tables.names"], true, kept),
        case("tables::the_same_again_is_fine_and_another_conflicts", &[], true, again),
        case("tables::one_column_is_the_primary_key", &[], true, primary),
        case("tables::a_schema_that_cannot_be_is_refused", &[], true, refused),
        case("tables::exists_sees_the_hosts_own_and_no_core_table", &["tables.exists"], true, seen),
        case("tables::the_hosts_own_tables_are_left_alone", &[], true, hosts),
        case("tables::names_of_indexes_are_the_databases", &[], true, index_names),
        case("tables::dropped_is_gone_and_a_missing_one_is_fine", &["tables.drop"], true, dropped),
        case("tables::made_anew_it_is_another_table", &[], true, anew),
        case("tables::the_hosts_sql_reaches_them", &[], true, reached),
        case("tables::they_belong_to_the_store", &[], false, scoped),
        case("tables::through_a_read_only_store_they_are_read", &[], false, read_only),
        case("tables::the_doctor_knows_what_they_were", &[], true, doctored),
        case("tables::a_wide_table_takes_what_its_columns_take", &[], true, wide),
    ]
}

fn kept(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        assert_eq!(on.names().unwrap(), Vec::<String>::new());
        let schema = EVERY
            .iter()
            .fold(TableSchema::new("Every"), |schema, holds| {
                schema.column(Column::new(holds.as_str(), *holds).not_null())
            })
            .column(text("Key").primary_key())
            .column(text("mail").unique().not_null())
            .index(Index::new("every_by_text", ["text", "BOOLEAN"]))
            .index(unique("every_once", &["integer", "bigint"]));
        create(on, schema.clone());
        create(on, TableSchema::new("_a").column(text("id").primary_key()));
        assert_eq!(on.describe(&TableName::new("eVERY")).unwrap(), schema);
        assert_eq!(on.names().unwrap(), ["Every", "_a"], "by code point");
        assert_eq!(code(on.describe(&TableName::new("nobody"))), ErrorCode::NotFound);
    });
}

fn again(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        let schema = || numbered(&["a", "b"]).index(Index::new("t_a", ["a"]));
        create(on, schema());
        put(on, row(&[("a", "kept".into())])).unwrap();
        create(on, schema());
        let mut told_more = schema();
        told_more.columns[0].constraints.extend([Constraint::NotNull, Constraint::Unique]);
        create(on, told_more);
        assert_eq!(count(on), 1);
        let other = |change: &dyn Fn(&mut TableSchema)| {
            let mut other = schema();
            change(&mut other);
            differences(creates(on, other))
        };
        assert_eq!(other(&|schema| schema.name = "T".to_owned()), ["name"]);
        assert_eq!(other(&|schema| schema.columns[1].column_type = ColumnType::Json), ["columns/a"]);
        assert_eq!(other(&|schema| schema.columns[1].name = "A".to_owned()), ["columns/a"]);
        assert_eq!(other(&|schema| schema.columns[0].constraints = vec![Constraint::PrimaryKey]), ["columns/id"]);
        assert_eq!(other(&|schema| schema.columns[2].constraints.push(Constraint::Unique)), ["columns/b"]);
        assert_eq!(other(&|schema| schema.columns.push(text("c"))), ["columns/c"]);
        assert_eq!(other(&|schema| drop_last(schema)), ["columns/b"]);
        assert_eq!(other(&|schema| schema.columns.swap(1, 2)), ["columns"]);
        assert_eq!(other(&|schema| schema.indexes.clear()), ["indexes/t_a"]);
        assert_eq!(other(&|schema| schema.indexes[0].unique = true), ["indexes/t_a"]);
        assert_eq!(other(&|schema| schema.indexes.push(Index::new("t_b", ["b"]))), ["indexes/t_b"]);
        let error = creates(on, schema().column(text("c").not_null())).unwrap_err();
        let asked = json!({ "name": "c", "type": "text", "constraints": ["not_null"] });
        let expected = json!({ "table": "t", "differences": [{ "at": "columns/c", "is": null, "asked": asked }] });
        assert_eq!(error.details().unwrap(), &expected);
        assert_eq!(on.describe(&TableName::new("t")).unwrap(), schema(), "as before");
    });
}

fn drop_last(schema: &mut TableSchema) {
    schema.columns.pop();
}

fn primary(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        create(on, TableSchema::new("t").column(text("a")));
        let described = on.describe(&TableName::new("t")).unwrap();
        assert_eq!(described.columns, [text("id").primary_key(), text("a")]);
        create(on, described);
        create(on, TableSchema::new("t").column(text("a")));
        let id = put(on, row(&[("a", "x".into())])).unwrap();
        assert_eq!(all(on), [row(&[("id", id.as_str().into()), ("a", "x".into())])]);

        create(on, TableSchema::new("bare"));
        create(on, TableSchema::new("there").column(text("a")).column(number("Id")));
        let there = on.describe(&TableName::new("there")).unwrap();
        assert!(there.columns.len() == 2 && there.columns[1].is(Constraint::PrimaryKey));

        let two = TableSchema::new("two").column(text("a").primary_key()).column(text("b").primary_key());
        assert_eq!(code(creates(on, two)), ErrorCode::Unsupported);
        for holds in [ColumnType::Real, ColumnType::Blob, ColumnType::Json, ColumnType::Boolean] {
            let schema = TableSchema::new("two").column(Column::new("a", holds).primary_key());
            assert_eq!(code(creates(on, schema)), ErrorCode::Unsupported);
        }
        let apart = TableSchema::new("two").column(text("id").primary_key()).column(number("n").auto_increment());
        assert_eq!(code(creates(on, apart)), ErrorCode::Unsupported);
        assert!(!exists(on, "two"));
    });
}

fn refused(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        let t = || TableSchema::new("t").column(text("a"));
        for schema in [
            t().column(text("A")),
            t().column(text("id")).column(text("ID")),
            t().column(text("b").primary_key().auto_increment()),
            t().index(Index::new("i", Vec::<String>::new())),
            t().index(Index::new("i", ["b"])),
            t().index(Index::new("i", ["a", "A"])),
            t().index(Index::new("i", ["a"])).index(Index::new("I", ["id"])),
            t().index(Index::new("T", ["a"])),
            (0..300).fold(t(), |schema, n| schema.column(text(&format!("c{n}")))),
            (0..100).fold(t(), |schema, n| schema.index(Index::new(format!("i{n}"), ["a"]))),
            (0..33)
                .fold(t(), |schema, n| schema.column(text(&format!("c{n}"))))
                .index(Index::new("i", (0..33).map(|n| format!("c{n}")))),
        ] {
            assert_eq!(code(creates(on, schema)), ErrorCode::InvalidArgument);
        }
        assert!(!exists(on, "t") && on.names().unwrap().is_empty());
    });
}

fn seen(env: &Env) {
    env.within(|on| {
        on.execute("CREATE TABLE \"Orders\" (id INTEGER)", &[]).unwrap();
        on.execute("CREATE VIEW shown AS SELECT 1 AS one", &[]).unwrap();
        on.execute("CREATE INDEX orders_id ON \"Orders\" (id)", &[]).unwrap();
        let on = on.tables();
        create(on, every());
        for name in ["t", "T", "orders", "ORDERS", "Shown"] {
            assert!(exists(on, name), "{name}");
        }
        for name in ["nobody", "orders_id", "sprongus_runs", "SPRONGUS_tables", "sqlite_schema", "pg_class"] {
            assert!(!exists(on, name), "{name}");
        }
        for name in ["", "no such", "t\"", "täble"] {
            assert_eq!(code(on.exists(&TableName::new(name))), ErrorCode::InvalidArgument, "{name:?}");
        }
    });
}

fn hosts(env: &Env) {
    env.within(|on| {
        on.execute("CREATE TABLE \"Orders\" (id TEXT PRIMARY KEY, a TEXT)", &[]).unwrap();
        on.execute("INSERT INTO \"Orders\" VALUES ('1', 'x')", &[]).unwrap();
        on.execute("CREATE VIEW shown AS SELECT 1 AS one", &[]).unwrap();
        let tables = on.tables();
        for name in ["Orders", "orders", "shown"] {
            let error = creates(tables, TableSchema::new(name).column(text("a"))).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Conflict);
            let holder = if name == "shown" { "view" } else { "table" };
            assert_eq!(error.details().unwrap(), &json!({ "name": name, "takenBy": holder }));
            assert_eq!(code(tables.drop(&TableName::new(name))), ErrorCode::Conflict);
            assert_eq!(code(tables.describe(&TableName::new(name))), ErrorCode::NotFound);
            let query = sprongus::tables::QueryRows::new(name);
            assert_eq!(code(tables.query(&query)), ErrorCode::NotFound);
            let insert = sprongus::tables::InsertRow::new(name, Cells::new().with("a", "y"));
            assert_eq!(code(tables.insert(&insert)), ErrorCode::NotFound);
        }
        assert_eq!(on.query("SELECT a FROM \"Orders\"", &[]).unwrap().len(), 1);
    });
}

fn index_names(env: &Env) {
    env.within(|on| {
        on.execute("CREATE TABLE orders (id INTEGER)", &[]).unwrap();
        on.execute("CREATE INDEX orders_id ON orders (id)", &[]).unwrap();
        let on = on.tables();
        create(on, TableSchema::new("t").column(text("a")).index(Index::new("By_A", ["a"])));
        let of = |index: &str| TableSchema::new("other").column(text("a")).index(Index::new(index, ["a"]));
        for taken in ["By_A", "by_a", "orders_id", "Orders", "t"] {
            assert_eq!(code(creates(on, of(taken))), ErrorCode::Conflict, "{taken}");
            assert!(!exists(on, "other"));
        }
        assert_eq!(code(creates(on, TableSchema::new("by_a"))), ErrorCode::Conflict, "a table as an index");
        // Names that the databases make by themselves are nobody's.
        for name in ["t_pkey", "t_id_seq", "t_a_key", "t_a_idx"] {
            create(
                on,
                TableSchema::new(name).column(number("id").primary_key().auto_increment()).column(text("a").unique()),
            );
        }
        drop(on, "t");
        create(on, of("by_a"));
    });
}

fn dropped(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        drop(on, "t");
        create(on, every().index(Index::new("t_text", ["text"])));
        put(on, Cells::new()).unwrap();
        drop(on, "T");
        assert!(!exists(on, "t") && on.names().unwrap().is_empty());
        assert_eq!(code(on.query(&sprongus::tables::QueryRows::new("t"))), ErrorCode::NotFound);
        assert_eq!(code(put(on, Cells::new())), ErrorCode::NotFound);
        drop(on, "t");
    });
}

fn anew(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        // The same statements over and over, each time for other columns.
        for holds in EVERY.iter().chain(&EVERY) {
            create(
                on,
                TableSchema::new("t")
                    .column(number("id").primary_key().auto_increment())
                    .column(Column::new("a", *holds)),
            );
            assert_eq!(put(on, Cells::new()).unwrap(), "1", "numbered from 1");
            let fits = |cell: sprongus::tables::Cell| put(on, row(&[("a", cell)])).is_ok();
            assert_eq!(fits("text".into()), matches!(holds, ColumnType::Text | ColumnType::Json));
            assert_eq!(fits(true.into()), matches!(holds, ColumnType::Boolean | ColumnType::Json));
            let ones = all(on);
            assert_eq!(ones[0].get("a"), Some(&sprongus::tables::Cell::Null));
            super::delete(on, "1").unwrap();
            drop(on, "t");
        }
    });
}

fn reached(env: &Env) {
    env.within(|on| {
        create(on.tables(), numbered(&["a"]));
        put(on.tables(), row(&[("a", "x".into())])).unwrap();
        on.execute("INSERT INTO \"t\" (\"id\", \"a\") VALUES ($1, $2)", &[7.into(), "y".into()]).unwrap();
        on.execute("UPDATE t SET a = $1 WHERE id = $2", &["z".into(), 1.into()]).unwrap();
        let tables = on.tables();
        assert_eq!(
            all(tables),
            [row(&[("id", 1.into()), ("a", "z".into())]), row(&[("id", 7.into()), ("a", "y".into())])]
        );
    });
}

fn scoped(env: &Env) {
    let store = env.open();
    create(store.tables(), numbered(&["a"]));
    let handle = store.scoped("p", Scope::DEFAULT).unwrap();
    let refused = |result: Result<(), sprongus::Error>| assert_eq!(code(result), ErrorCode::PermissionDenied);
    let on = handle.tables();
    refused(on.create(&CreateTable::new(numbered(&["a"]))));
    refused(on.exists(&TableName::new("t")).map(|_| ()));
    refused(on.drop(&TableName::new("t")));
    refused(on.describe(&TableName::new("t")).map(|_| ()));
    refused(on.names().map(|_| ()));
    refused(put(on, Cells::new()).map(|_| ()));
    refused(super::puts(on, vec![Cells::new()]).map(|_| ()));
    refused(on.insert_rows("t", [Ok(Cells::new())]).map(|_| ()));
    refused(super::set(on, "1", Cells::new()));
    refused(on.query(&sprongus::tables::QueryRows::new("t")).map(|_| ()));
    refused(on.count(&sprongus::tables::CountRows::new("t")).map(|_| ()));
    refused(super::delete(on, "1"));
    let admin = store.scoped("p", &[Scope::Admin]).unwrap();
    assert_eq!(put(admin.tables(), Cells::new()).unwrap(), "1");
}

fn read_only(env: &Env) {
    if env.backend() == Backend::SqliteMemory {
        // No other store sees it; a store that was opened read_only never has a table.
        let store = Store::open(env.url(), env.options()).unwrap();
        assert!(!exists(store.tables(), "t"));
        return;
    }
    let store = env.open();
    create(store.tables(), numbered(&["a"]));
    put(store.tables(), Cells::new()).unwrap();
    let reader = env.open_with(Options { read_only: true, ..env.options() });
    let on = reader.tables();
    assert_eq!((all(on).len(), count(on)), (1, 1));
    for error in [
        creates(on, numbered(&["a"])).unwrap_err(),
        on.drop(&TableName::new("t")).unwrap_err(),
        put(on, Cells::new()).unwrap_err(),
        super::puts(on, Vec::new()).unwrap_err(),
        super::set(on, "1", Cells::new()).unwrap_err(),
        super::delete(on, "9").unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::PermissionDenied);
    }
}

fn doctored(env: &Env) {
    let drift = |on: sprongus_conformance::Face<'_, '_>| {
        let report = match on {
            sprongus_conformance::Face::Store(store) => store.doctor().unwrap(),
            sprongus_conformance::Face::Tx(tx) => {
                let report = sprongus::ops::call(tx, "store.doctor", b"").unwrap();
                serde_json::from_str(&report).unwrap()
            }
        };
        let found = report.findings.into_iter().filter(|one| one.code == "table_drift");
        found.map(|one| one.message).collect::<Vec<_>>().join("\n")
    };
    env.within(|on| {
        let schema = every().column(text("b").not_null()).column(text("c").unique());
        create(on.tables(), schema.index(Index::new("t_a", ["text"])).index(unique("t_u", &["text", "b"])));
        create(on.tables(), TableSchema::new("Gone"));
        assert_eq!(drift(on), "");
        on.execute("DROP INDEX t_a", &[]).unwrap();
        assert_eq!(drift(on), "custom tables are not as they were created: the index t_a of t is missing");
        on.execute("CREATE UNIQUE INDEX t_a ON t (text)", &[]).unwrap();
        assert!(drift(on).ends_with(": the index t_a of t is another"));
        on.execute("DROP INDEX t_a", &[]).unwrap();
        on.execute("CREATE INDEX t_a ON t (text)", &[]).unwrap();
        on.execute("ALTER TABLE t RENAME COLUMN \"real\" TO other", &[]).unwrap();
        on.execute("DROP TABLE \"Gone\"", &[]).unwrap();
        let found = drift(on);
        for part in
            ["the table Gone is missing", "the column real of t is missing", "the column other of t is nobody's"]
        {
            assert!(found.contains(part), "{found}");
        }
        drop(on.tables(), "Gone");
        on.execute("ALTER TABLE t RENAME COLUMN other TO \"real\"", &[]).unwrap();
        assert_eq!(drift(on), "");
    });
}

/// As many columns as there may be, each as long as an index lets it be: a row of PostgreSQL still finds its page.
fn wide(env: &Env) {
    env.within(|on| {
        let on = on.tables();
        let names: Vec<String> = (0..255).map(|n| format!("c{n}")).collect();
        create(on, names.iter().fold(TableSchema::new("t"), |schema, name| schema.column(text(name))));
        for length in [1, 20, 31, 40, 100, 2_000, 5_000] {
            // Of digits that do not compress to nothing.
            let value: String = (0..length).map(|n: u32| char::from(b'0' + (n * n + n / 7) as u8 % 75)).collect();
            let cells: Cells = names.iter().map(|name| (name.as_str(), value.as_str().into())).collect();
            let id = put(on, cells).unwrap();
            assert_eq!(super::one(on, &id).get("c254"), Some(&value.as_str().into()));
        }
    });
}
