//! A CSV's header row: each name is a path, typed by the preset.

use super::csv_records::Record;
use super::{Cell, CellTypes, broken};
use crate::aux_store::path::Path;
use crate::error::{Error, Result};
use crate::json::pointer::pointer;

/// Ends a header whose cells are JSON whatever the preset says: how an export keeps what a plain cell could not.
pub(crate) const JSON_MARK: &str = r"\:json";

/// Objects in one another a header may make; the rest of the 128 is for JSON in the cells.
const MAX_KEYS: usize = 64;

/// Columns a file may have.
const MAX_COLUMNS: usize = 10_000;

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    /// Where its cells go.
    pub(super) path: Path,
    /// The same as a JSON Pointer, for violations.
    pub(super) pointer: String,
    /// How its cells are read.
    pub(super) cell: Cell,
}

/// Reads the header: every name a path, none empty (unless quoted: the key ""), twice, or within another.
pub(super) fn columns(record: &Record, types: &CellTypes<'_>) -> Result<Vec<Column>> {
    if let Some(column) = record.stray_quote {
        return Err(bad(column, "has a quote astray"));
    }
    if record.fields().len() > MAX_COLUMNS {
        return Err(broken(
            "csv",
            format!("the header has {} columns; at most {MAX_COLUMNS} are taken", record.fields().len()),
        ));
    }
    let columns = record.fields().enumerate().map(|(n, (name, quoted))| column(n + 1, name, quoted, types));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    no_conflicts(&columns)?;
    Ok(columns)
}

fn column(number: usize, name: &str, quoted: bool, types: &CellTypes<'_>) -> Result<Column> {
    if name.is_empty() && !quoted {
        return Err(bad(number, "has no name"));
    }
    if name.contains('\0') {
        return Err(bad(number, "has a NUL in its name; if the file is UTF-16, save it as UTF-8"));
    }
    let (name, json) = marked(name).map_or((name, false), |name| (name, true));
    let path = Path::parse(name).map_err(|error| bad(number, error.message()))?;
    if path.keys().len() > MAX_KEYS {
        return Err(bad(number, "descends more than 64 times"));
    }
    let cell = if json { Cell::Json } else { types(path.keys()) };
    Ok(Column { pointer: pointer(path.keys().iter().map(String::as_str)), path, cell })
}

/// What stands before the mark. After another backslash it is none, but the end of a key.
fn marked(name: &str) -> Option<&str> {
    let unmarked = name.strip_suffix(JSON_MARK)?;
    let backslashes = unmarked.len() - unmarked.trim_end_matches('\\').len();
    backslashes.is_multiple_of(2).then_some(unmarked)
}

/// In sorted order a path that lies within another stands right after it or after others that do.
fn no_conflicts(columns: &[Column]) -> Result<()> {
    let mut sorted: Vec<(&[String], usize)> =
        columns.iter().enumerate().map(|(n, column)| (column.path.keys(), n + 1)).collect();
    sorted.sort_unstable();
    for pair in sorted.windows(2) {
        let [(outer, first), (inner, second)] = pair else { continue };
        if outer == inner {
            return Err(bad(*second, format!("repeats the name of column {first}")));
        }
        if inner.starts_with(outer) {
            return Err(bad(
                *second,
                format!("lies within column {first}: a cell is a value or an object of columns, not both"),
            ));
        }
    }
    Ok(())
}

fn bad(column: usize, what: impl std::fmt::Display) -> Error {
    broken("csv", format!("column {column} of the header {what}"))
}
