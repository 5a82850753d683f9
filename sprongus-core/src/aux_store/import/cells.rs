//! What a CSV's cell is: the preset says, nothing is guessed.

use serde_json::Value;

use crate::error::Violation;
use crate::json::parse_value;
use crate::presets::Compiled;

/// Reads the text of one column's cells. The path of its violation lies within the cell.
pub(crate) type ParseCell = Box<dyn Fn(&str) -> Result<Value, Violation>>;

/// How the cells of the column at that path are read.
pub(crate) type CellTypes<'t> = dyn Fn(&[String]) -> ParseCell + 't;

/// Cells of a column that is marked as JSON.
pub(crate) fn json_cell(text: &str) -> Result<Value, Violation> {
    let first = |error: crate::Error| error.violations_list().into_iter().next();
    parse_value(text).map_err(|error| first(error).unwrap_or_else(|| Violation::new("", "json", "is not JSON")))
}

/// Cells of a column as the preset types them.
pub(crate) fn preset_cell(preset: &Compiled, keys: &[String]) -> ParseCell {
    let Some(cell) = preset.type_of(keys) else { return Box::new(text_cell) };
    Box::new(move |text| cell.parse_cell(text).map_err(|message| Violation::new("", "type", message)))
}

/// Cells of a column the preset says nothing about: text as it is, so leading zeros live.
pub(crate) fn text_cell(text: &str) -> Result<Value, Violation> {
    Ok(Value::String(text.to_owned()))
}
