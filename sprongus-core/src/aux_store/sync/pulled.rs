//! What a provider gave: documents in a temporary file, and in memory where each of them is, by id.

use std::cell::RefCell;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};

use serde_json::{Map, Value};
use tempfile::SpooledTempFile;

use super::decide::{Hash, Remote};
use super::identity::{Identified, Unidentified, identify, not_an_object};
use crate::aux_store::document::Rules;
use crate::aux_store::providers::{Pulled as Documents, of_document};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::json::Json;

/// Bytes of documents kept in memory before a file is used.
const IN_MEMORY: usize = 8 << 20;
/// The most warnings that are kept.
const WARNINGS: usize = 1_000;

/// Where a document is.
struct Place {
    id: Box<str>,
    row: u64,
    /// Its offset and length in the file; none for one that cannot be read.
    at: Option<(u64, u32)>,
    hash: Hash,
    time: Option<Timestamp>,
}

/// The documents of a pull.
pub(super) struct Pulled {
    file: RefCell<SpooledTempFile>,
    /// By id, each id once.
    places: Vec<Place>,
    /// Documents there were, the unreadable ones included.
    pub(super) rows: u64,
    /// What is wrong with those.
    pub(super) errors: Vec<Violation>,
    pub(super) warnings: Vec<Violation>,
    /// Whether one of them does not tell which entry it is.
    pub(super) unnamed: bool,
}

impl Pulled {
    /// What nobody was asked for.
    pub(super) fn nothing() -> Self {
        Reading::new().into_pulled(SpooledTempFile::new(0))
    }

    /// Reads all documents; `go_on` is asked before each.
    ///
    /// # Errors
    /// What ends the pull, what `go_on` fails with, and those of the temporary file.
    pub(super) fn read(rules: &Rules, documents: Documents<'_>, go_on: &dyn Fn() -> Result<()>) -> Result<Self> {
        let mut reading = Reading::new();
        let mut file = BufWriter::with_capacity(1 << 16, SpooledTempFile::new(IN_MEMORY));
        for document in documents {
            go_on()?;
            reading.rows += 1;
            reading.take(rules, document, &mut file)?;
        }
        let file = file.into_inner().map_err(|error| spool_error(error.into_error()))?;
        Ok(reading.into_pulled(file))
    }

    /// The ids, in order, with what decisions need.
    pub(super) fn by_id(&self) -> impl Iterator<Item = (usize, &str, Remote)> {
        self.places.iter().enumerate().map(|(index, place)| {
            let remote = match place.at {
                Some(_) => Remote::Document { hash: place.hash, at: place.time },
                None => Remote::Bad,
            };
            (index, &*place.id, remote)
        })
    }

    /// A document, its place in the pull from 1, and its hash.
    pub(super) fn document(&self, index: usize) -> Result<(u64, Map<String, Value>, Hash)> {
        let place = &self.places[index];
        let Some((offset, length)) = place.at else { return Ok((place.row, Map::new(), place.hash)) };
        let mut bytes = vec![0; length as usize];
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut bytes)).map_err(spool_error)?;
        let text = String::from_utf8(bytes).map_err(|_| Error::new(ErrorCode::Panic, "a document was cut"))?;
        let document = match Json::from_canonical(text).to_value() {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        Ok((place.row, document, place.hash))
    }

    /// The hash of a document.
    pub(super) fn hash(&self, index: usize) -> Hash {
        self.places[index].hash
    }
}

struct Reading {
    places: Vec<Place>,
    rows: u64,
    offset: u64,
    errors: Vec<Violation>,
    unnamed: bool,
}

impl Reading {
    fn new() -> Self {
        Self { places: Vec::new(), rows: 0, offset: 0, errors: Vec::new(), unnamed: false }
    }

    fn take(&mut self, rules: &Rules, document: Result<Value>, file: &mut impl Write) -> Result<()> {
        let document = match document {
            Ok(Value::Object(document)) => document,
            Ok(_) => {
                self.refuse(None, vec![not_an_object()]);
                return Ok(());
            }
            Err(error) => {
                let Some(violations) = of_document(&error) else { return Err(error) };
                let id = violations.iter().find_map(|violation| violation.id.clone());
                self.refuse(id, violations);
                return Ok(());
            }
        };
        match identify(&rules.preset, &rules.project, &rules.table, document) {
            Ok(one) => self.keep(one, file),
            Err(Unidentified { id, error }) => {
                self.refuse(id, error.violations_list());
                Ok(())
            }
        }
    }

    fn keep(&mut self, one: Identified, file: &mut impl Write) -> Result<()> {
        let bytes = one.json.as_str().as_bytes();
        let length = u32::try_from(bytes.len()).map_err(|_| Error::invalid("a document has more than 4 GiB"))?;
        file.write_all(bytes).map_err(spool_error)?;
        let at = Some((self.offset, length));
        self.offset += u64::from(length);
        let place = Place { id: one.id.into(), row: self.rows, at, hash: one.json.hash(), time: one.at };
        self.places.push(place);
        Ok(())
    }

    fn refuse(&mut self, id: Option<String>, violations: Vec<Violation>) {
        self.unnamed = self.unnamed || id.is_none();
        let row = Some(self.rows);
        self.errors.extend(violations.into_iter().map(|one| Violation { row, id: id.clone(), ..one }));
        let place = |id: String| Place { id: id.into(), row: self.rows, at: None, hash: [0; 32], time: None };
        self.places.extend(id.map(place));
    }

    /// Of documents with one id the last counts.
    fn into_pulled(mut self, file: SpooledTempFile) -> Pulled {
        self.places.sort_by(|a, b| a.id.cmp(&b.id).then(b.row.cmp(&a.row)));
        let mut warnings = Vec::new();
        self.places.dedup_by(|earlier, last| {
            let twins = earlier.id == last.id;
            if twins && warnings.len() < WARNINGS {
                let warning =
                    Violation::new("", "duplicate_id", "a later document has the same id and takes its place");
                warnings.push(Violation { row: Some(earlier.row), id: Some(earlier.id.to_string()), ..warning });
            }
            twins
        });
        let Self { places, rows, errors, unnamed, .. } = self;
        Pulled { file: RefCell::new(file), places, rows, errors, warnings, unnamed }
    }
}

fn spool_error(error: std::io::Error) -> Error {
    let full = error.kind() == std::io::ErrorKind::StorageFull;
    let code = if full { ErrorCode::StorageFull } else { ErrorCode::Storage };
    Error::new(code, format!("the temporary file of this sync cannot be used: {error}")).with_source(error)
}
