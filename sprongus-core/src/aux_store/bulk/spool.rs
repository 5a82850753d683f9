//! Judged rows between reading and writing: in memory while they are few, then in a temporary file without a name.

use std::cell::RefCell;
use std::io::{BufReader, BufWriter, Read, Seek, Write};

use tempfile::SpooledTempFile;

use crate::aux_store::keys::KeyRow;
use crate::aux_store::refs::Reference;
use crate::error::{Error, ErrorCode, Result};

/// Bytes kept in memory before a file is used.
const IN_MEMORY: usize = 8 << 20;

/// A judged row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub(super) row: u64,
    pub(super) id: String,
    /// The result, canonical.
    pub(super) payload: String,
    pub(super) hash: Vec<u8>,
    pub(super) search_text: String,
    /// The version of the entry it was judged over; 0 where there was none.
    pub(super) base: i64,
    pub(super) summary: String,
    /// Whether the entry is so already.
    pub(super) same: bool,
    /// What was given, canonical, where that is not the result.
    pub(super) given: Option<String>,
    pub(super) refs: Vec<Reference>,
    pub(super) keys: Vec<KeyRow>,
}

/// Writes rows; read them back, any number of times, from the [`Spool`] it becomes.
pub(super) struct SpoolWriter {
    file: BufWriter<SpooledTempFile>,
    rows: u64,
}

impl SpoolWriter {
    pub(super) fn new() -> Self {
        let file = BufWriter::with_capacity(1 << 16, SpooledTempFile::new(IN_MEMORY));
        Self { file, rows: 0 }
    }

    /// Writes the [`record`] of a row.
    pub(super) fn push(&mut self, record: &[u8]) -> Result<()> {
        let size = u32::try_from(record.len()).map_err(|_| broken("a row is too large"))?;
        self.rows += 1;
        let written = self.file.write_all(&size.to_le_bytes()).and_then(|()| self.file.write_all(record));
        written.map_err(unusable)
    }

    pub(super) fn finish(self) -> Result<Spool> {
        let file = self.file.into_inner().map_err(|error| unusable(error.into_error()))?;
        Ok(Spool { file: RefCell::new(file), rows: self.rows })
    }
}

/// Rows to be read.
pub(super) struct Spool {
    file: RefCell<SpooledTempFile>,
    rows: u64,
}

impl Spool {
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Calls `visit` for every row, from the first.
    pub(super) fn iter(&self) -> Result<impl Iterator<Item = Result<Judged>> + '_> {
        let mut file = self.file.borrow_mut();
        file.rewind().map_err(unusable)?;
        let mut reader = BufReader::with_capacity(1 << 16, Borrowed(file));
        let mut left = self.rows;
        Ok(std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            Some(read_record(&mut reader))
        }))
    }
}

struct Borrowed<'f>(std::cell::RefMut<'f, SpooledTempFile>);

impl Read for Borrowed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

fn read_record(reader: &mut impl Read) -> Result<Judged> {
    let mut size = [0; 4];
    reader.read_exact(&mut size).map_err(unusable)?;
    let mut record = vec![0; u32::from_le_bytes(size) as usize];
    reader.read_exact(&mut record).map_err(unusable)?;
    read_row(&mut record.as_slice()).ok_or_else(|| broken("a row was cut short"))
}

/// A row as the spool holds it.
pub(super) fn record(row: &Judged) -> Vec<u8> {
    let mut record = Vec::with_capacity(row.payload.len() + row.search_text.len() + 256);
    let out = &mut record;
    put_number(row.row, out);
    put_number(row.base.unsigned_abs(), out);
    for text in [&row.id, &row.payload, &row.search_text, &row.summary] {
        put(text.as_bytes(), out);
    }
    put(&row.hash, out);
    out.push(row.same.into());
    out.push(row.given.is_some().into());
    put(row.given.as_deref().unwrap_or_default().as_bytes(), out);
    put_number(row.refs.len() as u64, out);
    for one in &row.refs {
        out.push(one.strict.into());
        [&one.field, &one.pointer, &one.table, &one.id].into_iter().for_each(|text| put(text.as_bytes(), out));
    }
    put_number(row.keys.len() as u64, out);
    for one in &row.keys {
        out.push(one.unique.into());
        [one.field.as_bytes(), one.pointer.as_bytes(), &one.key].into_iter().for_each(|bytes| put(bytes, out));
    }
    record
}

fn read_row(from: &mut &[u8]) -> Option<Judged> {
    let (row, base) = (number(from)?, number(from)?);
    let (id, payload, search_text, summary) = (text(from)?, text(from)?, text(from)?, text(from)?);
    let hash = take(from)?.to_vec();
    let (same, given) = (flag(from)?, flag(from)?);
    let given = Some(text(from)?).filter(|_| given);
    let refs = (0..number(from)?).map(|_| reference(from)).collect::<Option<_>>()?;
    let keys = (0..number(from)?).map(|_| key(from)).collect::<Option<_>>()?;
    let base = i64::try_from(base).ok()?;
    Some(Judged { row, id, payload, hash, search_text, base, summary, same, given, refs, keys })
}

fn reference(from: &mut &[u8]) -> Option<Reference> {
    let strict = flag(from)?;
    Some(Reference { field: text(from)?, pointer: text(from)?, table: text(from)?, id: text(from)?, strict })
}

fn key(from: &mut &[u8]) -> Option<KeyRow> {
    let unique = flag(from)?;
    Some(KeyRow { field: text(from)?, pointer: text(from)?, key: take(from)?.to_vec(), unique })
}

fn put(bytes: &[u8], out: &mut Vec<u8>) {
    put_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn put_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn number(from: &mut &[u8]) -> Option<u64> {
    let (bytes, rest) = from.split_first_chunk::<8>()?;
    *from = rest;
    Some(u64::from_le_bytes(*bytes))
}

fn take<'b>(from: &mut &'b [u8]) -> Option<&'b [u8]> {
    let size = usize::try_from(number(from)?).ok()?;
    let (bytes, rest) = from.split_at_checked(size)?;
    *from = rest;
    Some(bytes)
}

fn text(from: &mut &[u8]) -> Option<String> {
    String::from_utf8(take(from)?.to_vec()).ok()
}

fn flag(from: &mut &[u8]) -> Option<bool> {
    let (first, rest) = from.split_first()?;
    *from = rest;
    Some(*first == 1)
}

fn broken(what: &str) -> Error {
    Error::new(ErrorCode::Storage, format!("the temporary file of this call cannot be used: {what}"))
}

fn unusable(error: std::io::Error) -> Error {
    let full = error.kind() == std::io::ErrorKind::StorageFull;
    let code = if full { ErrorCode::StorageFull } else { ErrorCode::Storage };
    Error::new(code, format!("the temporary file of this call cannot be used: {error}")).with_source(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_come_back_as_often_as_asked() {
        let row = |n: u64| Judged {
            row: n,
            id: format!("é{n}"),
            payload: "{}".repeat(100),
            hash: vec![7; 32],
            search_text: String::new(),
            base: 3,
            summary: "created".into(),
            same: n.is_multiple_of(3),
            given: n.is_multiple_of(2).then(String::new),
            refs: vec![Reference {
                field: "a[]".into(),
                pointer: "/a/0".into(),
                table: "t".into(),
                id: "x".into(),
                strict: true,
            }],
            keys: vec![KeyRow { field: "k".into(), key: vec![0, 255], unique: false, pointer: "/k".into() }],
        };
        let mut writer = SpoolWriter::new();
        (0..50_000).for_each(|n| writer.push(&record(&row(n))).unwrap());
        let spool = writer.finish().unwrap();
        for _ in 0..2 {
            let mut n = 0;
            for read in spool.iter().unwrap() {
                assert_eq!(read.unwrap(), row(n));
                n += 1;
            }
            assert_eq!(n, 50_000);
        }
    }
}
