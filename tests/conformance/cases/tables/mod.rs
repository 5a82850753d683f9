//! Custom tables: schemas and names, values and keys, queries, many rows, and many processes.

mod keys;
mod many;
mod names;
mod queries;
mod races;
mod random;
mod rows;
mod schemas;
mod within;

use serde_json::Value;
use sprongus::tables::{
    Cell, Cells, Column, ColumnType, CountRows, CreateTable, DeleteRow, Index, InsertRow, InsertRows, QueryRows,
    TableName, TableSchema, Tables, UpdateRow,
};
use sprongus::{Error, ErrorCode, Json};
use sprongus_conformance::Case;

pub(crate) fn cases() -> Vec<Case> {
    [
        keys::cases(),
        many::cases(),
        names::cases(),
        queries::cases(),
        races::cases(),
        random::cases(),
        rows::cases(),
        schemas::cases(),
        within::cases(),
    ]
    .concat()
}

const EVERY: [ColumnType; 7] = [
    ColumnType::Text,
    ColumnType::Integer,
    ColumnType::Real,
    ColumnType::Blob,
    ColumnType::Json,
    ColumnType::Bigint,
    ColumnType::Boolean,
];

/// A table `t` with a column of each type, named as the type is, and the key `id`.
fn every() -> TableSchema {
    EVERY.iter().fold(TableSchema::new("t"), |schema, holds| schema.column(Column::new(holds.as_str(), *holds)))
}

fn text(name: &str) -> Column {
    Column::new(name, ColumnType::Text)
}

fn number(name: &str) -> Column {
    Column::new(name, ColumnType::Integer)
}

/// The key `id`, numbered, and columns of text.
fn numbered(columns: &[&str]) -> TableSchema {
    let id = number("id").primary_key().auto_increment();
    columns.iter().fold(TableSchema::new("t").column(id), |schema, name| schema.column(text(name)))
}

fn create(on: Tables<'_>, schema: TableSchema) {
    on.create(&CreateTable::new(schema)).unwrap();
}

fn creates(on: Tables<'_>, schema: TableSchema) -> Result<(), Error> {
    on.create(&CreateTable::new(schema))
}

fn drop(on: Tables<'_>, name: &str) {
    on.drop(&TableName::new(name)).unwrap();
}

fn exists(on: Tables<'_>, name: &str) -> bool {
    on.exists(&TableName::new(name)).unwrap()
}

fn row(of: &[(&str, Cell)]) -> Cells {
    of.iter().map(|(name, cell)| (*name, cell.clone())).collect()
}

fn json(text: &str) -> Cell {
    Cell::Json(Json::parse(text).unwrap())
}

fn put(on: Tables<'_>, cells: Cells) -> Result<String, Error> {
    on.insert(&InsertRow::new("t", cells)).map(|inserted| inserted.id)
}

fn puts(on: Tables<'_>, rows: Vec<Cells>) -> Result<Vec<String>, Error> {
    on.insert_many(&InsertRows::new("t", rows)).map(|inserted| inserted.ids)
}

fn set(on: Tables<'_>, id: &str, cells: Cells) -> Result<(), Error> {
    on.update(&UpdateRow::new("t", id, cells))
}

fn delete(on: Tables<'_>, id: &str) -> Result<(), Error> {
    on.delete(&DeleteRow::new("t", id))
}

fn all(on: Tables<'_>) -> Vec<Cells> {
    on.query(&QueryRows::new("t")).unwrap()
}

fn count(on: Tables<'_>) -> u64 {
    on.count(&CountRows::new("t")).unwrap()
}

/// The row of that key, which is one of `id`, `Id`, `key`.
fn one(on: Tables<'_>, id: &str) -> Cells {
    let key = |row: &Cells| match ["id", "Id", "key"].iter().find_map(|name| row.get(name)).unwrap() {
        Cell::Int(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let mut rows: Vec<Cells> = all(on).into_iter().filter(|row| key(row) == id).collect();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

/// The paths and keywords of a `validation`.
fn violations(result: Result<impl std::fmt::Debug, Error>) -> Vec<(String, String)> {
    let error = result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Validation, "{error}");
    error.violations_list().into_iter().map(|one| (one.path, one.keyword)).collect()
}

/// The columns and the row that a `conflict` names.
fn conflict(result: Result<impl std::fmt::Debug, Error>) -> (Vec<String>, Option<u64>) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Conflict, "{error}");
    let columns: Vec<String> = serde_json::from_value(error.details().unwrap()["columns"].clone()).unwrap();
    let violations = error.violations_list();
    assert_eq!((violations.len(), violations[0].keyword.as_str()), (1, "unique"));
    assert_eq!(violations[0].path, format!("/{}", columns[0]));
    (columns, violations[0].row)
}

/// What a conflict of schemas says: where they differ.
fn differences(result: Result<(), Error>) -> Vec<String> {
    let error = result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Conflict, "{error}");
    let all = error.details().unwrap()["differences"].as_array().unwrap().clone();
    all.iter().map(|one: &Value| one["at"].as_str().unwrap().to_owned()).collect()
}

fn unique(name: &str, columns: &[&str]) -> Index {
    Index::new(name, columns.iter().copied()).unique()
}
