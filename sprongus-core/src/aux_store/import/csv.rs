//! CSV (RFC 4180) rows as objects.

use std::io::BufRead;
use std::sync::Arc;

use super::csv_header;
use super::csv_records::Records;
use super::sheet::{Cells, Sheet};
use super::{BadRow, CellTypes, Content, ReadOptions, Row, broken};
use crate::error::Result;
use crate::presets::Compiled;

/// A null, unless quoted.
pub(crate) const NULL: &str = r"\N";

/// The rows of a CSV: an empty cell is missing, a quoted empty one the empty string, `\N` null, a quoted `\N` that text.
pub(super) struct CsvRows<R> {
    records: Records<R>,
    sheet: Arc<Sheet>,
    number: u64,
    done: bool,
}

impl<R: BufRead> CsvRows<R> {
    /// Reads the header. `offset` is where the input begins in its file; with the preset that the rows will be judged by,
    /// those that can be are left as cells.
    pub(super) fn new(
        input: R,
        offset: u64,
        types: &CellTypes<'_>,
        preset: Option<&Compiled>,
        options: ReadOptions,
    ) -> Result<Self> {
        let mut records = Records::new(input, offset, options);
        let Some(header) = records.read()? else {
            return Err(broken("csv", "the file is empty; its first line is to name the columns"));
        };
        let sheet = Sheet::new(csv_header::columns(&header, types)?, preset);
        Ok(Self { records, sheet: Arc::new(sheet), number: 0, done: false })
    }

    fn row(&mut self) -> Result<Option<Result<Content, BadRow>>> {
        let Some(record) = self.records.read()? else { return Ok(None) };
        self.number += 1;
        let cells = Cells::new(self.sheet.clone(), self.number, record);
        Ok(Some(if cells.are_plain() { Ok(Content::Cells(cells)) } else { cells.into_tree().map(Content::Tree) }))
    }
}

impl<R: BufRead> Iterator for CsvRows<R> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let row = self.row().transpose();
        self.done = !matches!(row, Some(Ok(_)));
        Some(row?.map(|value| Row { number: self.number, value }))
    }
}
