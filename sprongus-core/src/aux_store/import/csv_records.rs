//! CSV records as they stand in the file: unquoted text, and for each field whether it was quoted.
//!
//! The `csv` crate hides quoting and takes stray quotes as they come; here `\N` and `"\N"` differ and a stray quote is an
//! error. So `csv-core` parses field by field, and the raw bytes of each field are looked at beside it.

use std::io::BufRead;

use csv_core::ReadFieldResult;

use super::{ReadOptions, broken, not_utf8, row_too_large, unreadable};
use crate::error::Result;

/// One record. Reused from row to row.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The line it begins on, 1-based.
    pub(super) line: u64,
    /// The number of the first field (1-based) in which a quote stands astray.
    pub(super) stray_quote: Option<usize>,
    bytes: Vec<u8>,
    used: usize,
    text: String,
    fields: Vec<(usize, bool)>,
}

impl Record {
    /// The fields in order: their text, and whether it was quoted.
    pub(super) fn fields(&self) -> impl ExactSizeIterator<Item = (&str, bool)> {
        self.fields.iter().enumerate().map(|(n, (end, quoted))| {
            let start = if n == 0 { 0 } else { self.fields[n - 1].0 };
            (&self.text[start..*end], *quoted)
        })
    }

    fn clear(&mut self) {
        self.used = 0;
        self.stray_quote = None;
        self.fields.clear();
    }
}

/// Reads records; blank lines are passed over, and a record ends at CR, LF or CRLF.
pub(super) struct Records<R> {
    input: R,
    core: csv_core::Reader,
    options: ReadOptions,
    /// The field being read, as it stands in the file, with the line breaks before it and what ends it.
    raw: Vec<u8>,
    offset: u64,
    line: u64,
    read: u64,
}

/// How a field's quotes stand.
#[derive(PartialEq)]
enum Quotes {
    None,
    Around,
    Astray,
    Open,
}

impl<R: BufRead> Records<R> {
    /// `offset` is where the input begins in its file.
    pub(super) fn new(input: R, offset: u64, options: ReadOptions) -> Self {
        let core = csv_core::ReaderBuilder::new().delimiter(options.delimiter).build();
        Self { input, core, options, raw: Vec::new(), offset, line: 1, read: 0 }
    }

    /// Reads the next record into `record`; false at the end.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool> {
        record.clear();
        let mut size = 0;
        loop {
            let result = self.read_field(record, &mut size)?;
            let breaks = if record.fields.is_empty() { leading_breaks(&self.raw) } else { 0 };
            if record.fields.is_empty() {
                record.line = self.line + lines(&self.raw[..breaks]);
            }
            let ReadFieldResult::Field { record_end } = result else { return Ok(false) };
            self.finish_field(record, breaks)?;
            if record_end {
                return self.finish_record(record).map(|()| true);
            }
        }
    }

    /// Feeds the parser until a field is complete; its unquoted bytes are in `record`, its raw ones in `self.raw`.
    fn read_field(&mut self, record: &mut Record, size: &mut usize) -> Result<ReadFieldResult> {
        self.raw.clear();
        loop {
            let input = self.input.fill_buf().map_err(unreadable)?;
            if record.bytes.len() < record.used + 64 {
                record.bytes.resize((record.used + 64) * 2, 0);
            }
            let (result, read, written) = self.core.read_field(input, &mut record.bytes[record.used..]);
            self.raw.extend_from_slice(&input[..read]);
            self.input.consume(read);
            record.used += written;
            *size += read;
            if *size > self.options.max_row_bytes {
                return Err(row_too_large(self.row(), self.line, self.options.max_row_bytes));
            }
            if !matches!(result, ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull) {
                return Ok(result);
            }
        }
    }

    fn finish_field(&mut self, record: &mut Record, breaks: usize) -> Result<()> {
        let quotes = quotes(&self.raw[breaks..], self.options.delimiter);
        match quotes {
            Quotes::Open => {
                let message = format!("the quote opened in row {}, line {}, is never closed", self.row(), record.line);
                return Err(broken("csv", message));
            }
            Quotes::Astray if record.stray_quote.is_none() => record.stray_quote = Some(record.fields.len() + 1),
            _ => {}
        }
        let start = record.fields.last().map_or(0, |(end, _)| *end);
        if std::str::from_utf8(&record.bytes[start..record.used]).is_err() {
            return Err(not_utf8(&self.raw, self.offset, self.line));
        }
        record.fields.push((record.used, quotes == Quotes::Around));
        self.offset += self.raw.len() as u64;
        self.line += lines(&self.raw);
        Ok(())
    }

    fn finish_record(&mut self, record: &mut Record) -> Result<()> {
        record.text.clear();
        let text = std::str::from_utf8(&record.bytes[..record.used]);
        record.text.push_str(text.map_err(|_| broken("encoding", "the file is not UTF-8"))?);
        self.read += 1;
        Ok(())
    }

    /// The row being read: the header is row 0 here, and not counted.
    fn row(&self) -> u64 {
        self.read
    }
}

fn leading_breaks(raw: &[u8]) -> usize {
    raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

fn lines(raw: &[u8]) -> u64 {
    raw.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Looks at a raw field, which may still hold the delimiter or line break that ended it.
fn quotes(raw: &[u8], delimiter: u8) -> Quotes {
    let Some(inner) = raw.strip_prefix(b"\"") else {
        return if raw.contains(&b'"') { Quotes::Astray } else { Quotes::None };
    };
    let mut at = 0;
    while let Some(found) = inner[at..].iter().position(|byte| *byte == b'"') {
        match inner.get(at + found + 1) {
            Some(b'"') => at += found + 2,
            None => return Quotes::Around,
            Some(next) if *next == delimiter || matches!(next, b'\r' | b'\n') => return Quotes::Around,
            Some(_) => return Quotes::Astray,
        }
    }
    Quotes::Open
}
