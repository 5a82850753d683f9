//! One table, eight processes: it is created once, its rows are numbered once; and answers that are lost.

use std::collections::BTreeSet;

use sprongus::tables::{
    Cells, Column, ColumnType, CountRows, CreateTable, InsertRow, InsertRows, TableName, TableSchema,
};
use sprongus::{ErrorCode, Options, Store};
use sprongus_testkit::{Postgres, Proxy, When};

use crate::rivals::{Race, Rival};

const RIVALS: usize = 8;
/// Tables that all of them create.
const TABLES: usize = 5;
/// Rows that each of them inserts into each.
const EACH: usize = 10;

const RACE: Race = Race { rivals: RIVALS, prepare: |_| (), run: rival, judge };

fn schema(name: &str, other: ColumnType) -> CreateTable {
    let id = Column::new("id", ColumnType::Bigint).primary_key().auto_increment();
    CreateTable::new(TableSchema::new(name).column(id).column(Column::new("once", other).unique()))
}

/// In a child: creates each table, and of two kinds of one name; writes rows; drops what all drop. Prints the numbers.
fn rival(store: &Store, &Rival { number, .. }: &Rival) {
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
        let kinds = if number % 2 == 0 { ColumnType::Real } else { ColumnType::Json };
        match on.create(&schema("differing", kinds)) {
            Ok(()) => println!("made {kinds:?}"),
            Err(error) => assert_eq!(error.code(), ErrorCode::Conflict),
        }
        on.create(&schema("passing", ColumnType::Text)).unwrap();
        on.drop(&TableName::new("passing")).unwrap();
    }
}

fn judge(store: &Store, told: &[String]) {
    let lines = |start: &str| {
        told.iter()
            .flat_map(|text| text.lines())
            .filter_map(|line| line.split_once(start))
            .map(|(_, rest)| rest.to_owned())
            .collect::<Vec<_>>()
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
    RACE.on_sqlite("tables::processes_that_create_one_table_find_it_the_same_on_sqlite");
}

#[test]
fn processes_that_create_one_table_find_it_the_same_on_postgres() {
    RACE.on_postgres("tables::processes_that_create_one_table_find_it_the_same_on_postgres");
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
