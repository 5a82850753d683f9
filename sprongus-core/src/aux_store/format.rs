//! The file formats of import and export.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A format rows are read from and written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Comma-separated values (RFC 4180), UTF-8, with a header row.
    Csv,
    /// One JSON array of objects.
    Json,
    /// One JSON object per line.
    Ndjson,
}

impl Format {
    /// The format given, else the one the file's extension tells: `csv`, `json`, `ndjson` or `jsonl`.
    ///
    /// # Errors
    /// `invalid_argument` where neither tells it.
    pub fn of(given: Option<Format>, path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        given.map_or_else(
            || match extension.as_str() {
                "csv" => Ok(Self::Csv),
                "json" => Ok(Self::Json),
                "ndjson" | "jsonl" => Ok(Self::Ndjson),
                _ => Err(Error::invalid(format!(
                    "the extension {extension:?} tells no format; give one of csv, json, ndjson"
                ))),
            },
            Ok,
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_extension_tells_unless_a_format_is_given() {
        assert_eq!(Format::of(None, Path::new("a/b.CSV")).unwrap(), Format::Csv);
        assert_eq!(Format::of(None, Path::new("b.jsonl")).unwrap(), Format::Ndjson);
        assert_eq!(Format::of(Some(Format::Json), Path::new("b.csv")).unwrap(), Format::Json);
        for unknown in ["b.csv.gz", "b", "", "csv", "b.xlsx"] {
            assert_eq!(
                Format::of(None, Path::new(unknown)).unwrap_err().code(),
                crate::ErrorCode::InvalidArgument,
                "{unknown}"
            );
        }
    }
}
