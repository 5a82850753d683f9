//! Documents on SQLite: import, bulk, export, pages.

use std::path::Path;

use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, params, params_from_iter};
use serde_json::{Map, Value};

use super::{EVENT, statement};
use crate::by_hand::{ACTOR, PROJECT, TABLE, folded, hash, new_id, now, stored};
use crate::works::{COLUMNS, document, each_row};

/// The file into a table of 20 columns, one transaction, nothing validated, no index but the key.
pub(crate) fn import_plain(connection: &Connection, csv: &Path) {
    let kinds = |kind| match kind {
        "integer" | "boolean" => "INTEGER",
        "number" => "REAL",
        _ => "TEXT",
    };
    let columns: Vec<String> = COLUMNS.iter().map(|(name, kind)| format!("\"{name}\" {}", kinds(kind))).collect();
    connection.execute_batch(&format!("CREATE TABLE works ({}, PRIMARY KEY (id)) STRICT", columns.join(", "))).unwrap();
    statement(connection, "BEGIN IMMEDIATE");
    let places = vec!["?"; COLUMNS.len()].join(", ");
    let mut insert = connection.prepare(&format!("INSERT INTO works VALUES ({places})")).unwrap();
    each_row(csv, |record| {
        let cells = COLUMNS.iter().zip(record).map(|(column, cell)| match column.1 {
            _ if cell.is_empty() => Sql::Null,
            "integer" => Sql::Integer(cell.parse().unwrap()),
            "number" => Sql::Real(cell.parse().unwrap()),
            "boolean" => Sql::Integer((cell == "true").into()),
            _ => Sql::Text(cell.to_owned()),
        });
        insert.execute(params_from_iter(cells)).unwrap();
    });
    statement(connection, "COMMIT");
}

const ENTRY: &str = "INSERT INTO sprongus_aux_entries \
                     (project_id, table_name, id, payload, hash, search_text, version, last_updated, actor) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8)";

/// The file into the library's own tables: a document, its hash and its search text a row, one event, nothing validated.
pub(crate) fn import_same(connection: &Connection, csv: &Path) {
    statement(connection, "BEGIN IMMEDIATE");
    let (at, mut rows) = (now(), 0);
    let mut insert = connection.prepare(ENTRY).unwrap();
    each_row(csv, |record| {
        let document = document(record);
        insert
            .execute(params![PROJECT, TABLE, &record[0], document, hash(&document), folded(record), at, ACTOR])
            .unwrap();
        rows += 1;
    });
    imported(connection, rows, &at);
    statement(connection, "COMMIT");
}

/// Documents into the library's own tables: as [`import_same`].
pub(crate) fn insert_documents(connection: &Connection, rows: Vec<Map<String, Value>>) {
    statement(connection, "BEGIN IMMEDIATE");
    let (at, count) = (now(), rows.len());
    let mut insert = connection.prepare(ENTRY).unwrap();
    for row in rows {
        let (id, document, hash, folded) = stored(row);
        insert.execute(params![PROJECT, TABLE, id, document, hash, folded, at, ACTOR]).unwrap();
    }
    imported(connection, count, &at);
    statement(connection, "COMMIT");
}

/// The event of many rows.
fn imported(connection: &Connection, rows: usize, at: &str) {
    let payload = format!(r#"{{"created":{rows}}}"#);
    let subject = format!("aux:{PROJECT}/{TABLE}");
    let event = params![new_id(), None::<String>, subject, 1, "aux.imported", at, ACTOR, payload];
    connection.prepare_cached(EVENT).unwrap().execute(event).unwrap();
}

/// The library's own table by id into a CSV: each document is parsed, its fields are written.
pub(crate) fn export_same(connection: &Connection, output: &Path) {
    let mut csv = csv::Writer::from_path(output).unwrap();
    csv.write_record(COLUMNS.map(|column| column.0)).unwrap();
    let sql = "SELECT id, payload FROM sprongus_aux_entries WHERE project_id = ?1 AND table_name = ?2 ORDER BY id";
    let mut select = connection.prepare(sql).unwrap();
    let mut rows = select.query(params![PROJECT, TABLE]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (id, payload) = (row.get_ref(0).unwrap().as_str().unwrap(), row.get_ref(1).unwrap().as_str().unwrap());
        crate::works::write_document(&mut csv, id, payload);
    }
    csv.flush().unwrap();
}

/// The plain table by id into a CSV.
pub(crate) fn export_plain(connection: &Connection, output: &Path) {
    let mut csv = csv::Writer::from_path(output).unwrap();
    csv.write_record(COLUMNS.map(|column| column.0)).unwrap();
    let mut select = connection.prepare("SELECT * FROM works ORDER BY id").unwrap();
    let mut rows = select.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        for column in 0..COLUMNS.len() {
            match row.get_ref(column).unwrap() {
                ValueRef::Null => csv.write_field("").unwrap(),
                ValueRef::Integer(number) => csv.write_field(number.to_string()).unwrap(),
                ValueRef::Real(number) => csv.write_field(number.to_string()).unwrap(),
                ValueRef::Text(text) | ValueRef::Blob(text) => csv.write_field(text).unwrap(),
            }
        }
        csv.write_record(None::<&[u8]>).unwrap();
    }
    csv.flush().unwrap();
}

/// The first 50 entries that meet a condition, in an order; how many there were.
pub(crate) fn page(connection: &Connection, [condition, order]: [&str; 2]) -> usize {
    let sql = format!(
        "SELECT id, version, last_updated, payload FROM sprongus_aux_entries \
         WHERE project_id = ?1 AND table_name = ?2 AND {condition} ORDER BY {order}, id LIMIT 50"
    );
    let mut select = connection.prepare_cached(&sql).unwrap();
    let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<(String, i64, String, String)> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    };
    select.query_map([PROJECT, TABLE], read).unwrap().map(Result::unwrap).count()
}
