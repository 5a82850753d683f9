//! `sprongus_rows`: what a query gives.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use sprongus::Row;
use sprongus::tables::Cells;

use crate::door;
use crate::error::c_text;
use crate::handle::{self, Noun};
use crate::value::{self, Cell, SPRONGUS_BYTES, quote, sprongus_value};

/// The rows of a query of the host's own, or of a custom table. Freed by sprongus_rows_free; what its getters give lives until then.
pub struct sprongus_rows {
    _opaque: [u8; 0],
}

pub(crate) struct Rows {
    columns: Vec<CString>,
    /// Row by row.
    cells: Vec<Cell>,
    count: usize,
    /// Bytes are shown as what they are, so that the JSON can be read back.
    tagged: bool,
    json: OnceLock<CString>,
}

impl Noun for Rows {
    type C = sprongus_rows;
    const TAG: u8 = 3;
    const NAME: &'static str = "sprongus_rows";
}

impl Rows {
    pub(crate) fn new(rows: &[Row]) -> Self {
        let columns = rows.first().map_or(&[][..], Row::columns).iter().map(|name| c_text(name)).collect();
        let cells = rows.iter().flat_map(|row| row.values()).map(Cell::new).collect();
        Self { columns, cells, count: rows.len(), tagged: false, json: OnceLock::new() }
    }

    /// Rows of a custom table, which all have the same columns.
    pub(crate) fn of_table(rows: &[Cells]) -> Self {
        let columns = rows.first().map_or_else(Vec::new, |row| row.iter().map(|(name, _)| c_text(name)).collect());
        let cells = rows.iter().flat_map(Cells::iter).map(|(_, cell)| Cell::new(&value::of_table(cell))).collect();
        Self { columns, cells, count: rows.len(), tagged: true, json: OnceLock::new() }
    }

    fn cell(&self, row: usize, column: usize) -> Option<&Cell> {
        if row >= self.count || column >= self.columns.len() {
            return None;
        }
        self.cells.get(row * self.columns.len() + column)
    }

    /// The columns that become members, by index: of one name the last.
    fn members(&self) -> Vec<(usize, String)> {
        let columns = self.columns.iter().enumerate();
        let last = columns.filter(|(index, name)| !self.columns[index + 1..].contains(name));
        last.map(|(index, name)| (index, name.to_string_lossy().into_owned())).collect()
    }

    fn to_json(&self) -> String {
        let members = self.members();
        let mut out = String::from("[");
        for row in 0..self.count {
            out.push_str(if row == 0 { "{" } else { ",{" });
            for (number, (column, name)) in members.iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                quote(name, &mut out);
                out.push(':');
                match self.cell(row, *column) {
                    Some(cell) if self.tagged && cell.value().r#type == SPRONGUS_BYTES => {
                        out.push_str("{\"$bytes\":");
                        cell.write_json(&mut out);
                        out.push('}');
                    }
                    Some(cell) => cell.write_json(&mut out),
                    None => {}
                }
            }
            out.push('}');
        }
        out.push(']');
        out
    }
}

/// How many rows there are; 0 for no rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_rows_count(rows: *const sprongus_rows) -> usize {
    door::peek(0, || Some(handle::peek::<Rows>(rows)?.count))
}

/// How many columns each row has; 0 where there are no rows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_rows_columns(rows: *const sprongus_rows) -> usize {
    door::peek(0, || Some(handle::peek::<Rows>(rows)?.columns.len()))
}

/// The name of a column, counted from 0. Borrowed; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_rows_column_name(rows: *const sprongus_rows, column: usize) -> *const c_char {
    door::peek(std::ptr::null(), || Some(handle::peek::<Rows>(rows)?.columns.get(column)?.as_ptr()))
}

/// A value, by row and column counted from 0. Borrowed; NULL where there is none (SQL NULL is a value of SPRONGUS_NULL).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_rows_value(
    rows: *const sprongus_rows,
    row: usize,
    column: usize,
) -> *const sprongus_value {
    door::peek(std::ptr::null(), || Some(std::ptr::from_ref(handle::peek::<Rows>(rows)?.cell(row, column)?.value())))
}

/// The rows as a JSON array of objects. Numbers, booleans and JSON are themselves, bytes base64 (of a custom table
/// `{"$bytes": "<Base64>"}`), the rest text; of columns of one name the last is shown. Borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_rows_to_json(rows: *const sprongus_rows) -> *const c_char {
    door::peek(std::ptr::null(), || {
        let rows = handle::peek::<Rows>(rows)?;
        Some(rows.json.get_or_init(|| c_text(&rows.to_json())).as_ptr())
    })
}

/// Frees rows. NULL and what are no rows are passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sprongus_rows_free(rows: *mut sprongus_rows) {
    door::quiet(|| handle::free::<Rows>(rows));
}
