//! A CSV's rows as documents: as trees, or straight from the cells where the preset judges each property by itself.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::csv::NULL;
use super::csv_header::Column;
use super::csv_records::Record;
use super::plan::Plan;
use super::{BadRow, violation};
use crate::error::Violation;
use crate::id::check_id;
use crate::presets::Compiled;

/// What all rows of a file have alike.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) columns: Vec<Column>,
    /// How a row becomes a document without a tree, where that can be.
    pub(super) plan: Option<Plan>,
}

impl Sheet {
    pub(super) fn new(columns: Vec<Column>, preset: Option<&Compiled>) -> Self {
        let plan = preset.and_then(|preset| Plan::new(&columns, preset));
        Self { columns, plan }
    }
}

/// A row as it stands in the file.
#[derive(Debug)]
pub(crate) struct Cells {
    pub(super) sheet: Arc<Sheet>,
    pub(super) number: u64,
    pub(super) record: Record,
}

impl Cells {
    pub(super) fn new(sheet: Arc<Sheet>, number: u64, record: Record) -> Self {
        Self { sheet, number, record }
    }

    /// How much text it holds, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.record.size()
    }

    /// Whether it can wait for its judge as it is: it has the cells of its columns, and its id needs no second look.
    pub(super) fn are_plain(&self) -> bool {
        let Some(plan) = &self.sheet.plan else { return false };
        let whole = self.record.stray_quote.is_none() && self.record.fields().len() == self.sheet.columns.len();
        whole
            && plan.id.is_none_or(|column| match self.record.field(column) {
                ("", false) => !plan.shows_id,
                (NULL, false) => false,
                (id, _) => check_id("an id", id).is_ok(),
            })
    }

    /// The id in the row. Only of a row whose cells [`are_plain`](Self::are_plain).
    pub(crate) fn id(&self) -> Option<&str> {
        let column = self.sheet.plan.as_ref()?.id?;
        Some(self.record.field(column).0).filter(|id| !id.is_empty())
    }

    /// The row as a tree.
    pub(crate) fn into_tree(self) -> Result<Map<String, Value>, BadRow> {
        let refuse = |message: String| Err(BadRow::from(vec![violation(self.number, "", "csv", message)]));
        let (record, columns) = (&self.record, &self.sheet.columns);
        if let Some(field) = record.stray_quote {
            return refuse(format!(
                "a quote stands astray in field {field}, line {}; inside quotes it is doubled",
                record.line
            ));
        }
        let (found, wanted) = (record.fields().len(), columns.len());
        if found != wanted {
            return refuse(format!("line {} has {found} fields where the header names {wanted}", record.line));
        }
        let (mut object, mut violations) = (Map::new(), Vec::new());
        for (column, (text, quoted)) in columns.iter().zip(record.fields()) {
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
