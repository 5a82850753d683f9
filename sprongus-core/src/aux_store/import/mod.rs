//! Rows out of files, one at a time, in bounded memory.

mod cells;
mod csv;
mod csv_header;
mod csv_records;
mod json;
mod plan;
mod sheet;

use std::io::{BufRead, Read};

use serde_json::{Map, Value};

use super::Format;
use crate::error::{Error, Result, Violation};
use crate::presets::Compiled;

pub(crate) use cells::{Cell, CellTypes};
pub(crate) use csv::NULL;
pub(crate) use csv_header::JSON_MARK;
pub(crate) use plan::Written;
pub(crate) use sheet::Cells;

/// One row of a source.
#[derive(Debug)]
pub(crate) struct Row {
    /// 1-based; a header is not counted, nor are blank lines.
    pub(crate) number: u64,
    /// The object, or what is wrong with this row alone: the source goes on after it.
    pub(crate) value: Result<Content, BadRow>,
}

/// What a row holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// An object.
    Tree(Map<String, Value>),
    /// The cells of a CSV that will be an object, as far as a look at them tells.
    Cells(Cells),
}

/// A row that cannot be taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct BadRow {
    pub(crate) violations: Vec<Violation>,
    /// What could be read of it: its id, perhaps.
    pub(crate) read: Map<String, Value>,
}

impl From<Vec<Violation>> for BadRow {
    fn from(violations: Vec<Violation>) -> Self {
        Self { violations, read: Map::new() }
    }
}

/// Rows in order. An `Err` item is about the source itself and is the last: it cannot be read on.
pub(crate) type RowSource<'s> = Box<dyn Iterator<Item = Result<Row>> + 's>;

/// How a source is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadOptions {
    /// Between the cells of a CSV: one ASCII byte.
    pub(crate) delimiter: u8,
    /// The largest row that is read, in bytes of the file: a quote that never closes must not fill the memory.
    pub(crate) max_row_bytes: usize,
}

impl ReadOptions {
    /// A comma, and rows of up to that many bytes.
    pub(crate) fn new(max_row_bytes: usize) -> Self {
        Self { delimiter: b',', max_row_bytes }
    }

    /// The delimiter as callers give it, as text.
    ///
    /// # Errors
    /// `invalid_argument` for anything but one ASCII character, and for a quote, a line break or NUL.
    pub(crate) fn with_delimiter(mut self, delimiter: &str) -> Result<Self> {
        self.delimiter = match delimiter.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => *byte,
            _ => {
                return Err(Error::invalid(format!(
                    "delimiter is one ASCII character, not a quote or a line break; got {delimiter:?}"
                )));
            }
        };
        Ok(self)
    }
}

/// The rows of `input`; `types` says what a CSV's cells are. Where the rows are to be judged by `preset`, those of a CSV may
/// stay cells. A UTF-8 byte order mark at the beginning is passed over.
///
/// # Errors
/// `validation` with keyword `csv`, `json` or `encoding` where the file is not what the format says, `too_large` for a row
/// beyond the limit, `storage` where it cannot be read. They arrive as the last item; a CSV's header is judged here.
pub(crate) fn rows<'s>(
    format: Format,
    input: impl BufRead + 's,
    types: &CellTypes<'_>,
    preset: Option<&Compiled>,
    options: ReadOptions,
) -> Result<RowSource<'s>> {
    let (mark, input) = without_bom(input)?;
    Ok(match format {
        Format::Csv => Box::new(csv::CsvRows::new(input, mark, types, preset, options)?),
        Format::Json => Box::new(json::ArrayRows::new(input, mark, options)),
        Format::Ndjson => Box::new(json::LineRows::new(input, mark, options)),
    })
}

/// The input after its byte order mark of UTF-8 (that of UTF-16 is refused), and how many bytes that was, so that offsets stay those of the file.
fn without_bom<'s>(mut input: impl BufRead + 's) -> Result<(u64, impl BufRead + 's)> {
    let mut head = Vec::with_capacity(3);
    input.by_ref().take(3).read_to_end(&mut head).map_err(unreadable)?;
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(broken("encoding", "the file is UTF-16, as its first two bytes say; save it as UTF-8"));
    }
    let mark = if head == b"\xef\xbb\xbf" { head.len() } else { 0 };
    Ok((mark as u64, std::io::Cursor::new(head.split_off(mark)).chain(input)))
}

fn unreadable(error: std::io::Error) -> Error {
    Error::new(crate::ErrorCode::Storage, format!("the file cannot be read: {error}")).with_source(error)
}

/// What is wrong with one row, by keyword.
fn violation(row: u64, path: impl Into<String>, keyword: &str, message: impl Into<String>) -> Violation {
    Violation { row: Some(row), ..Violation::new(path, keyword, message) }
}

/// An error about the source itself.
fn broken(keyword: &str, message: impl Into<String>) -> Error {
    Error::validation(vec![Violation::new("", keyword, message)])
}

fn row_too_large(row: u64, line: u64, limit: usize) -> Error {
    let message = format!(
        "row {row}, which begins on line {line}, is larger than {limit} bytes; is a quote or bracket never closed?"
    );
    Error::new(crate::ErrorCode::TooLarge, message)
}

/// Names the byte that is not UTF-8; `offset` is where `bytes` begin in the file, `line` the line they begin on.
fn not_utf8(bytes: &[u8], offset: u64, line: u64) -> Error {
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let line = line + bytes[..valid].iter().filter(|byte| **byte == b'\n').count() as u64;
    let byte = bytes.get(valid).copied().unwrap_or_default();
    let offset = offset + valid as u64;
    broken("encoding", format!("the file is not UTF-8: byte 0x{byte:02X} at offset {offset}, line {line}"))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod plan_tests;
