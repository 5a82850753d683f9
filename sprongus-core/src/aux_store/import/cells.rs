//! What a CSV's cell is: the preset says, nothing is guessed.

use serde_json::Value;

use crate::error::Violation;
use crate::json::parse_value;
use crate::presets::{CellType, Compiled};

/// How the cells of a column are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    /// As the preset types them.
    Typed(CellType),
    /// Any JSON: the column is marked as such.
    Json,
}

/// How the cells of the column at that path are read.
pub(crate) type CellTypes<'t> = dyn Fn(&[String]) -> Cell + Sync + 't;

impl Cell {
    /// Text as it is, so leading zeros live: of a column the preset says nothing about.
    pub(crate) const TEXT: Self = Self::Typed(CellType::STRING);

    /// As the preset types the property at that path.
    pub(crate) fn of(preset: &Compiled, keys: &[String]) -> Self {
        preset.type_of(keys).map_or(Self::TEXT, Self::Typed)
    }

    /// Whether text is taken as it is.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Typed(cell) if cell.is_text())
    }

    /// The value of a cell that is neither missing nor null. The path of a violation lies within the cell.
    pub(crate) fn parse(self, text: &str) -> Result<Value, Violation> {
        match self {
            Self::Typed(cell) => cell.parse_cell(text).map_err(|message| Violation::new("", "type", message)),
            Self::Json => parse_value(text).map_err(|error| {
                let first = error.violations_list().into_iter().next();
                first.unwrap_or_else(|| Violation::new("", "json", "is not JSON"))
            }),
        }
    }
}
