//! Documents into files, one at a time, byte for byte the same each time.

mod columns;
mod csv;
mod json;
mod trail;

use std::io::{self, Write};

use crate::error::{Error, ErrorCode, Result};
use crate::json::Raw;

pub(crate) use columns::Columns;
pub(crate) use csv::CsvWriter;
use json::JsonWriter;

/// Writes the documents of an export. Call [`finish`](Self::finish) at the end: it closes what is open and flushes.
pub(crate) enum Writer<W: Write> {
    /// One row each, under a header.
    Csv(CsvWriter<W>),
    /// Canonical JSON, each on a line.
    Json(JsonWriter<W>),
}

impl<W: Write> Writer<W> {
    /// A CSV with these columns. `escape_formulas` puts a `'` before text that a spreadsheet would run as a formula (what
    /// begins with `=`, `+`, `-`, `@`, a tab or CR). It cannot be told from text that was so, and import does not undo it.
    pub(crate) fn csv(output: W, columns: &mut Columns<'_>, escape_formulas: bool) -> Result<Self> {
        CsvWriter::new(output, columns, escape_formulas).map(Self::Csv)
    }

    /// A JSON array.
    pub(crate) fn json(output: W) -> Result<Self> {
        JsonWriter::array(output).map(Self::Json)
    }

    /// One JSON document per line.
    pub(crate) fn ndjson(output: W) -> Self {
        Self::Json(JsonWriter::lines(output))
    }

    /// Writes one entry: its canonical payload, with its id unless the payload shows one already.
    ///
    /// # Errors
    /// `corrupt` where the payload is no object; `storage_full` and `storage` where it cannot be written.
    pub(crate) fn write(&mut self, id: &str, payload: &str) -> Result<()> {
        match self {
            Self::Csv(writer) => writer.write(id, &Raw::of(payload).object()?),
            Self::Json(writer) => writer.write(id, payload),
        }
    }

    /// Ends the file; what it was written to, flushed.
    pub(crate) fn finish(self) -> Result<W> {
        let mut output = match self {
            Self::Csv(writer) => return writer.finish(),
            Self::Json(writer) => writer.finish()?,
        };
        output.flush().map_err(unwritable)?;
        Ok(output)
    }
}

/// What is wrong with a file that is being written.
pub(crate) fn unwritable(error: io::Error) -> Error {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let code = if full { ErrorCode::StorageFull } else { ErrorCode::Storage };
    Error::new(code, format!("the file cannot be written: {error}")).with_source(error)
}

#[cfg(test)]
mod tests;
