//! CSV records as they stand in the file: unquoted text, and for each field whether it was quoted.
//!
//! The `csv` crate hides quoting and takes stray quotes as they come; here `\N` and `"\N"` differ and a stray quote is an
//! error. So `csv-core` parses, and the raw bytes of a record that holds quotes are looked at beside it.

use std::io::BufRead;

use csv_core::ReadRecordResult;
use memchr::{memchr, memchr_iter, memchr3};

use super::{ReadOptions, broken, not_utf8, row_too_large, unreadable};
use crate::error::Result;

/// One record.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The line it begins on, 1-based.
    pub(super) line: u64,
    /// The number of the first field (1-based) in which a quote stands astray.
    pub(super) stray_quote: Option<usize>,
    /// The fields, one after the other.
    text: String,
    /// Where each ends, and whether it was quoted.
    fields: Vec<(usize, bool)>,
}

impl Record {
    /// The fields in order: their text, and whether it was quoted.
    pub(super) fn fields(&self) -> impl ExactSizeIterator<Item = (&str, bool)> {
        (0..self.fields.len()).map(|n| self.field(n))
    }

    /// One of the fields; past the last there is nothing.
    pub(super) fn field(&self, n: usize) -> (&str, bool) {
        let start = n.checked_sub(1).and_then(|before| self.fields.get(before)).map_or(0, |(end, _)| *end);
        let (end, quoted) = self.fields.get(n).copied().unwrap_or((start, false));
        (&self.text[start..end], quoted)
    }

    /// How much text it holds, in bytes.
    pub(super) fn size(&self) -> usize {
        self.text.len()
    }
}

/// Reads records; blank lines are passed over, and a record ends at CR, LF or CRLF.
pub(super) struct Records<R> {
    input: R,
    core: csv_core::Reader,
    options: ReadOptions,
    /// The record being read, as it stands in the file, with the line breaks before it and what ends it.
    raw: Vec<u8>,
    /// Its fields without their quotes, and where they end.
    cells: Vec<u8>,
    ends: Vec<usize>,
    offset: u64,
    line: u64,
    read: u64,
}

impl<R: BufRead> Records<R> {
    /// `offset` is where the input begins in its file.
    pub(super) fn new(input: R, offset: u64, options: ReadOptions) -> Self {
        let core = csv_core::ReaderBuilder::new().delimiter(options.delimiter).build();
        let (raw, cells, ends) = (Vec::new(), vec![0; 1 << 10], vec![0; 1 << 5]);
        Self { input, core, options, raw, cells, ends, offset, line: 1, read: 0 }
    }

    /// Reads the next record; none at the end.
    pub(super) fn read(&mut self) -> Result<Option<Record>> {
        self.raw.clear();
        let (mut used, mut fields) = (0, 0);
        loop {
            let input = self.input.fill_buf().map_err(unreadable)?;
            let (cells, ends) = (&mut self.cells[used..], &mut self.ends[fields..]);
            let (result, read, written, ended) = self.core.read_record(input, cells, ends);
            self.raw.extend_from_slice(&input[..read]);
            self.input.consume(read);
            used += written;
            fields += ended;
            if self.raw.len() > self.options.max_row_bytes {
                let line = self.line + lines(&self.raw[..leading_breaks(&self.raw)]);
                return Err(row_too_large(self.read, line, self.options.max_row_bytes));
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => return self.finish(used, fields).map(Some),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    fn finish(&mut self, used: usize, fields: usize) -> Result<Record> {
        let breaks = leading_breaks(&self.raw);
        let line = self.line + lines(&self.raw[..breaks]);
        let mut fields: Vec<(usize, bool)> = self.ends[..fields].iter().map(|end| (*end, false)).collect();
        let stray_quote = match quotes(&self.raw[breaks..], self.options.delimiter, &mut fields) {
            Quotes::Open => {
                let message = format!("the quote opened in row {}, line {line}, is never closed", self.read);
                return Err(broken("csv", message));
            }
            Quotes::Astray(field) => Some(field),
            Quotes::Well => None,
        };
        // The fields alone could be well joined where each is broken.
        if std::str::from_utf8(&self.raw).is_err() {
            return Err(not_utf8(&self.raw, self.offset, self.line));
        }
        let text = std::str::from_utf8(&self.cells[..used]).map_err(|_| not_utf8(&self.raw, self.offset, self.line))?;
        let text = text.to_owned();
        self.offset += self.raw.len() as u64;
        self.line += lines(&self.raw);
        // The header is row 0 here, and not counted.
        self.read += 1;
        Ok(Record { line, stray_quote, text, fields })
    }
}

fn leading_breaks(raw: &[u8]) -> usize {
    raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

fn lines(raw: &[u8]) -> u64 {
    memchr_iter(b'\n', raw).count() as u64
}

/// How the quotes of a record stand.
enum Quotes {
    /// Around fields.
    Well,
    /// In the field of that number (1-based), the first of its kind.
    Astray(usize),
    /// The last one is never closed.
    Open,
}

/// Looks at a raw record, which may still hold the line break that ended it, and marks the fields that are quoted.
fn quotes(raw: &[u8], delimiter: u8, fields: &mut [(usize, bool)]) -> Quotes {
    let mut stray = None;
    if !raw.contains(&b'"') {
        return Quotes::Well;
    }
    let (mut rest, mut number) = (raw, 1);
    loop {
        if let Some(inner) = rest.strip_prefix(b"\"") {
            let Some(end) = closing(inner) else { return Quotes::Open };
            rest = &inner[end + 1..];
            fields.iter_mut().skip(number - 1).take(1).for_each(|field| field.1 = true);
        }
        let end = memchr3(delimiter, b'\r', b'\n', rest).unwrap_or(rest.len());
        // After a closing quote there is nothing more, and without an opening one there is none.
        let quoted = fields.get(number - 1).is_some_and(|field| field.1);
        if (quoted && end > 0) || rest[..end].contains(&b'"') {
            stray.get_or_insert(number);
        }
        match rest.get(end) {
            Some(byte) if *byte == delimiter => (rest, number) = (&rest[end + 1..], number + 1),
            _ => return stray.map_or(Quotes::Well, Quotes::Astray),
        }
    }
}

/// Where the quote stands that closes a field; a doubled one does not.
fn closing(inner: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr(b'"', inner.get(at..)?)?;
        match inner.get(at + 1) {
            Some(b'"') => at += 2,
            _ => return Some(at),
        }
    }
}
