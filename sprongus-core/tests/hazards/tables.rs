//! One table, eight processes: it is created once, its rows are numbered once; and answers that are lost.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sprongus::tables::{
    Cells, Column, ColumnType, CountRows, CreateTable, InsertRow, InsertRows, TableName, TableSchema,
};
use sprongus::{ErrorCode, Options, Store};
use sprongus_testkit::{Postgres, Proxy, When, temp_file};

use crate::child;

const RIVALS: usize = 8;
/// Tables that all of them create.
const TABLES: usize = 5;
/// Rows that each of them inserts into each.
const EACH: usize = 10;

fn open(url: &str, schema: &str) -> Store {
    let schema = (!schema.is_empty()).then(|| schema.to_owned());
    let long = Duration::from_secs(120);
    Store::open(url, Options { schema, busy_timeout: long, call_timeout: long, ..Options::default() }).unwrap()
}

fn schema(name: &str, other: ColumnType) -> CreateTable {
    let id = Column::new("id", ColumnType::Bigint).primary_key().auto_increment();
    CreateTable::new(TableSchema::new(name).column(id).column(Column::new("once", other).unique()))
}

/// In a child: creates each table, and of two kinds of one name; writes rows; drops what all drop. Prints the numbers.
fn rival(told: &str) {
    let words: Vec<&str> = told.split('\n').collect();
    let store = open(words[0], words[1]);
    let start = UNIX_EPOCH + Duration::from_millis(words[3].parse().unwrap());
    std::thread::sleep(start.duration_since(SystemTime::now()).unwrap_or_default());
    let on = store.tables();
    for table in 0..TABLES {
        let name = format!("shared_{table}");
        on.create(&schema(&name, ColumnType::Text)).unwrap();
        for _ in 0..EACH {
            let id = on.insert(&InsertRow::new(&name, Cells::new())).unwrap().id;
            println!("numbered {name} {id}");
        }
        if on.insert(&InsertRow::new(&name, Cells::new().with("once", "x"))).is_ok() {
            println!("first {name}");
        }
        let kinds = if words[2].parse::<usize>().unwrap() % 2 == 0 { ColumnType::Real } else { ColumnType::Json };
        match on.create(&schema("differing", kinds)) {
            Ok(()) => println!("made {kinds:?}"),
            Err(error) => assert_eq!(error.code(), ErrorCode::Conflict),
        }
        on.create(&schema("passing", ColumnType::Text)).unwrap();
        on.drop(&TableName::new("passing")).unwrap();
    }
}

fn race(test: &str, url: &str, schema: &str) {
    let store = open(url, schema);
    let soon = (SystemTime::now() + Duration::from_millis(1500)).duration_since(UNIX_EPOCH).unwrap().as_millis();
    let start = |number: usize| -> Child {
        let told = format!("{url}\n{schema}\n{number}\n{soon}");
        child::command(test, &told, "").stdout(Stdio::piped()).spawn().unwrap()
    };
    let rivals: Vec<Child> = (0..RIVALS).map(start).collect();
    let mut told = String::new();
    for rival in rivals {
        let output = rival.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        told.push_str(&text);
    }
    let lines = |start: &str| {
        told.lines().filter_map(|line| line.split_once(start)).map(|(_, rest)| rest.to_owned()).collect::<Vec<_>>()
    };
    let numbered = lines("numbered ");
    assert_eq!(numbered.len(), RIVALS * TABLES * EACH);
    assert_eq!(numbered.iter().collect::<BTreeSet<_>>().len(), numbered.len(), "no number is given twice");
    assert_eq!(lines("first ").len(), TABLES, "of the same, one is there");
    assert_eq!(lines("made ").into_iter().collect::<BTreeSet<_>>().len(), 1, "of two tables of one name, one");
    let count = store.tables().count(&CountRows::new("shared_0")).unwrap();
    assert_eq!(count, u64::try_from(RIVALS * EACH + 1).unwrap());
    assert!(!store.tables().exists(&TableName::new("passing")).unwrap());
}

#[test]
fn processes_that_create_one_table_find_it_the_same_on_sqlite() {
    if let Some(told) = child::told() {
        return rival(&told);
    }
    let (_folder, file) = temp_file("tables.db");
    race("tables::processes_that_create_one_table_find_it_the_same_on_sqlite", file.to_str().unwrap(), "");
}

#[test]
fn processes_that_create_one_table_find_it_the_same_on_postgres() {
    if let Some(told) = child::told() {
        return rival(&told);
    }
    let schema = format!("tables_{}", std::process::id());
    let test = "tables::processes_that_create_one_table_find_it_the_same_on_postgres";
    race(test, Postgres::shared().url(), &schema);
}

#[test]
fn a_row_whose_answer_was_lost_is_inserted_once() {
    let proxy = Proxy::before(Postgres::shared());
    let options = Options { schema: Some("lost_row".to_owned()), ..Options::default() };
    let store = Store::open(&proxy.url(), options).unwrap();
    let on = store.tables();
    let made = CreateTable::new(TableSchema::new("lost").column(Column::new("n", ColumnType::Integer)));
    on.create(&made).unwrap();
    let count = || on.count(&CountRows::new("lost")).unwrap();
    for (round, when) in (1..).zip([When::Before, When::After]) {
        proxy.cut_on("INSERT INTO \"lost\"", when);
        on.insert(&InsertRow::new("lost", Cells::new().with("n", 1))).unwrap();
        assert_eq!((proxy.fired().statements, count()), (round, round), "the fault struck, and one row came");
    }
    // Whose id is a caller's may be another's row.
    proxy.cut_on("INSERT INTO \"lost\"", When::After);
    let given = InsertRow::new("lost", Cells::new().with("id", "a"));
    assert_eq!(on.insert(&given).unwrap_err().code(), ErrorCode::OutcomeUnknown);
    assert_eq!(count(), 3);
    proxy.cut_on("COMMIT", When::After);
    let rows = vec![Cells::new().with("n", 1), Cells::new().with("n", 2)];
    assert_eq!(on.insert_many(&InsertRows::new("lost", rows)).unwrap().ids.len(), 2);
    assert_eq!((proxy.fired().statements, count()), (4, 5));
    proxy.cut_on("COMMIT", When::After);
    on.create(&CreateTable::new(TableSchema::new("other"))).unwrap();
    proxy.cut_on("COMMIT", When::After);
    on.drop(&TableName::new("other")).unwrap();
    assert_eq!(proxy.fired().statements, 6);
    assert!(!on.exists(&TableName::new("other")).unwrap());
}
