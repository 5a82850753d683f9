//! CSV (RFC 4180, but lines end in LF) from documents.

use std::borrow::Cow;
use std::io::Write;

use serde_json::{Map, Value};

use super::columns::{Cells, Column, Columns};
use super::unwritable;
use crate::aux_store::import::NULL;
use crate::error::Result;
use crate::json::Json;

pub(crate) struct CsvWriter<W> {
    output: W,
    columns: Vec<Column>,
    escape_formulas: bool,
    line: String,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header.
    pub(super) fn new(output: W, columns: Columns<'_>, escape_formulas: bool) -> Result<Self> {
        let mut writer = Self { output, columns: columns.into_columns(), escape_formulas, line: String::new() };
        let columns = std::mem::take(&mut writer.columns);
        for column in &columns {
            writer.text(&column.header);
            writer.line.push(',');
        }
        writer.columns = columns;
        writer.end_line()?;
        Ok(writer)
    }

    /// Writes one row. A missing field is an empty cell; where all are missing the `id` still keeps the line from being blank.
    pub(super) fn write(&mut self, document: &Map<String, Value>) -> Result<()> {
        let columns = std::mem::take(&mut self.columns);
        let written = columns.iter().try_for_each(|column| {
            let cell = self.cell(column, find(document, column.path.keys()));
            self.line.push(',');
            cell
        });
        self.columns = columns;
        written.and_then(|()| self.end_line())
    }

    pub(super) fn finish(self) -> W {
        self.output
    }

    fn cell(&mut self, column: &Column, value: Option<&Value>) -> Result<()> {
        match value {
            None => {}
            Some(Value::Null) => self.line.push_str(NULL),
            Some(Value::String(text)) if column.cells == Cells::Plain => self.text(text),
            Some(value) => self.quoted_where_needed(&json_text(value)?),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.escape_formulas && text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            self.quoted_where_needed(&format!("'{text}"));
        } else {
            self.quoted_where_needed(text);
        }
    }

    fn quoted_where_needed(&mut self, text: &str) {
        if text.is_empty() || text == NULL || text.contains([',', '"', '\r', '\n']) {
            self.line.push('"');
            self.line.push_str(&text.replace('"', "\"\""));
            self.line.push('"');
        } else {
            self.line.push_str(text);
        }
    }

    /// Every cell was followed by a comma; the last one gives way to the line's end.
    fn end_line(&mut self) -> Result<()> {
        self.line.pop();
        self.line.push('\n');
        self.output.write_all(self.line.as_bytes()).map_err(unwritable)?;
        self.line.clear();
        Ok(())
    }
}

/// A value as a cell of a plain column.
pub(super) fn plain_text(value: &Value) -> Result<Cow<'_, str>> {
    match value {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        value => json_text(value).map(Cow::Owned),
    }
}

/// A value as a cell of a JSON column.
pub(super) fn json_text(value: &Value) -> Result<String> {
    Json::from_value(value).map(|json| json.as_str().to_owned())
}

fn find<'d>(document: &'d Map<String, Value>, keys: &[String]) -> Option<&'d Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(document.get(first)?, |value, key| value.get(key))
}
