//! Ten thousand rows into a custom table at once, beside the same rows by hand into the same table.

use std::fmt::Write as _;
use std::io::Write;

use postgres::{Client, NoTls};
use rusqlite::params;
use sprongus::tables::{Cells, Column, ColumnType, CreateTable, InsertRows, TableName, TableSchema};

use crate::Effort;
use crate::by_hand;
use crate::ours::open;
use crate::places::Places;
use crate::sample::{Beside, micros, rounds};
use crate::table::{Table, Target};

const ROWS: i64 = 10_000;

/// The project's promise: a share of the rate by hand.
const PROMISE: Target = Target::AtLeast(0.7);

const SQLITE: &str = "CREATE TABLE hand (id TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, n INTEGER, score REAL, \
                      sealed BLOB, done INTEGER) STRICT";
const POSTGRES: &str = "CREATE TABLE hand (id TEXT COLLATE \"C\" PRIMARY KEY, account TEXT COLLATE \"C\" NOT NULL, n BIGINT, \
                        score DOUBLE PRECISION, sealed BYTEA, done BOOLEAN)";

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading(&format!("insert_many of {ROWS} rows of six columns: microseconds, each its own commit"));
    let (ours, file) = (places.file("db"), places.file("db"));
    let hand = by_hand::sqlite::open(file.to_str().unwrap(), SQLITE);
    let beside =
        beside(ours.to_str().unwrap(), effort, || sqlite(&hand), || drop(hand.execute("DELETE FROM hand", [])));
    table.beside("SQLite, synchronous=FULL", &beside, PROMISE);

    let mut hand = Client::connect(&places.database(), NoTls).unwrap();
    hand.batch_execute(POSTGRES).unwrap();
    let hand = std::cell::RefCell::new(hand);
    let empty = || hand.borrow_mut().batch_execute("TRUNCATE hand").unwrap();
    let beside = self::beside(&places.database(), effort, || copy(&mut hand.borrow_mut()), empty);
    table.beside("PostgreSQL, COPY", &beside, PROMISE);
}

/// Every round into empty tables; emptying them is not measured, so a round is one call.
fn beside(url: &str, effort: Effort, mut hand: impl FnMut(), mut empty: impl FnMut()) -> Beside {
    let store = open(url);
    let rows: Vec<Cells> = (0..ROWS).map(cells).collect();
    let insert = InsertRows::new("ours", rows);
    let empty = std::cell::RefCell::new(|| {
        store.tables().drop(&TableName::new("ours")).unwrap();
        store.tables().create(&CreateTable::new(schema())).unwrap();
        empty();
    });
    let mut ours = || {
        (empty.borrow_mut())();
        micros(1, || assert_eq!(store.tables().insert_many(&insert).unwrap().ids.len(), 10_000))
    };
    let mut hand = || {
        (empty.borrow_mut())();
        micros(1, &mut hand)
    };
    let [ours, hand] = rounds(effort.rounds.min(20), [&mut ours, &mut hand]);
    Beside::of(ours, hand)
}

fn schema() -> TableSchema {
    TableSchema::new("ours")
        .column(Column::new("id", ColumnType::Text).primary_key())
        .column(Column::new("account", ColumnType::Text).not_null())
        .column(Column::new("n", ColumnType::Bigint))
        .column(Column::new("score", ColumnType::Real))
        .column(Column::new("sealed", ColumnType::Blob))
        .column(Column::new("done", ColumnType::Boolean))
}

fn cells(n: i64) -> Cells {
    Cells::new()
        .with("account", account(n))
        .with("n", n)
        .with("score", score(n))
        .with("sealed", sealed(n))
        .with("done", n % 2 == 0)
}

fn account(n: i64) -> String {
    format!("user-{n}@example.org")
}

fn score(n: i64) -> f64 {
    n as f64 / 7.0
}

fn sealed(n: i64) -> Vec<u8> {
    n.to_be_bytes().repeat(8)
}

fn sqlite(connection: &rusqlite::Connection) {
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut insert = connection.prepare_cached("INSERT INTO hand VALUES (?1, ?2, ?3, ?4, ?5, ?6)").unwrap();
    for n in 0..ROWS {
        let id = ulid::Ulid::generate().to_string();
        insert.execute(params![id, account(n), n, score(n), sealed(n), n % 2 == 0]).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

fn copy(client: &mut Client) {
    let mut transaction = client.transaction().unwrap();
    let mut copy = transaction.copy_in("COPY hand FROM STDIN").unwrap();
    let mut line = String::new();
    for n in 0..ROWS {
        line.clear();
        let (id, account, score) = (ulid::Ulid::generate(), account(n), score(n));
        write!(line, "{id}\t{account}\t{n}\t{score}\t\\\\x").unwrap();
        for byte in sealed(n) {
            line.extend([byte >> 4, byte & 15].map(|digit| HEX[usize::from(digit)]));
        }
        writeln!(line, "\t{}", n % 2 == 0).unwrap();
        copy.write_all(line.as_bytes()).unwrap();
    }
    copy.finish().unwrap();
    transaction.commit().unwrap();
}
