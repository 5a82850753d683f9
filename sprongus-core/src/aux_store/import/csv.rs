//! CSV (RFC 4180) rows as objects.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::csv_header::{self, Column};
use super::csv_records::{Record, Records};
use super::{BadRow, CellTypes, ReadOptions, Row, broken, violation};
use crate::error::{Result, Violation};

/// A null, unless quoted.
pub(crate) const NULL: &str = r"\N";

/// The rows of a CSV: an empty cell is missing, a quoted empty one the empty string, `\N` null, a quoted `\N` that text.
pub(super) struct CsvRows<R> {
    records: Records<R>,
    columns: Vec<Column>,
    record: Record,
    number: u64,
    done: bool,
}

impl<R: BufRead> CsvRows<R> {
    /// Reads the header. `offset` is where the input begins in its file.
    pub(super) fn new(input: R, offset: u64, types: &CellTypes<'_>, options: ReadOptions) -> Result<Self> {
        let mut records = Records::new(input, offset, options);
        let mut record = Record::default();
        if !records.read(&mut record)? {
            return Err(broken("csv", "the file is empty; its first line is to name the columns"));
        }
        let columns = csv_header::columns(&record, types)?;
        Ok(Self { records, columns, record, number: 0, done: false })
    }

    fn row(&self) -> Result<Map<String, Value>, BadRow> {
        let record = &self.record;
        let refuse = |message: String| Err(BadRow::from(vec![violation(self.number, "", "csv", message)]));
        if let Some(field) = record.stray_quote {
            return refuse(format!(
                "a quote stands astray in field {field}, line {}; inside quotes it is doubled",
                record.line
            ));
        }
        if record.fields().len() != self.columns.len() {
            let (found, wanted) = (record.fields().len(), self.columns.len());
            return refuse(format!("line {} has {found} fields where the header names {wanted}", record.line));
        }
        self.object()
    }

    fn object(&self) -> Result<Map<String, Value>, BadRow> {
        let mut object = Map::new();
        let mut violations = Vec::new();
        for (column, (text, quoted)) in self.columns.iter().zip(self.record.fields()) {
            match cell(column, text, quoted) {
                Ok(Some(value)) => insert(&mut object, column.path.keys(), value),
                Ok(None) => {}
                Err(mut violation) => {
                    violation.row = Some(self.number);
                    violation.path.insert_str(0, &column.pointer);
                    violations.push(violation);
                }
            }
        }
        if violations.is_empty() { Ok(object) } else { Err(BadRow { violations, read: object }) }
    }
}

impl<R: BufRead> Iterator for CsvRows<R> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        match self.records.read(&mut self.record) {
            Ok(true) => {
                self.number += 1;
                Some(Ok(Row { number: self.number, value: self.row() }))
            }
            Ok(false) => {
                self.done = true;
                None
            }
            Err(error) => {
                self.done = true;
                Some(Err(error))
            }
        }
    }
}

/// The value of a cell; `None` is missing.
fn cell(column: &Column, text: &str, quoted: bool) -> Result<Option<Value>, Violation> {
    match text {
        "" if !quoted => Ok(None),
        NULL if !quoted => Ok(Some(Value::Null)),
        _ if text.contains('\0') => {
            Err(Violation::new("", "json", "the character NUL (U+0000) is not allowed; leave it out"))
        }
        _ => column.cell.parse(text).map(Some),
    }
}

/// Puts a value at its path. The header's check leaves nothing but objects on the way.
fn insert(object: &mut Map<String, Value>, keys: &[String], value: Value) {
    let [key, rest @ ..] = keys else { return };
    if rest.is_empty() {
        object.insert(key.clone(), value);
    } else if let Value::Object(inner) = object.entry(key.clone()).or_insert_with(|| Value::Object(Map::new())) {
        insert(inner, rest, value);
    }
}
