//! Reads rows and judges them, outside any write transaction.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::ids::{Digest, Ids};
use super::judges::{Answer, Answered, Base, Batch, Judges, Judging, Named};
use super::spool::{self, Judged, Spool, SpoolWriter};
use super::{Given, Others, Progress};
use crate::aux_store::document::{CREATED, JudgedCells, Rules};
use crate::aux_store::import::{BadRow, Content};
use crate::aux_store::model::Mode;
use crate::aux_store::rows::{self, Place, object};
use crate::aux_store::{Nulls, bound};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::id::new_id;
use crate::json::Json;
use crate::session::Session;

/// Rows judged together, while they are small: the entries they meet are read by one statement.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 2 << 20;

/// Rows that were judged.
pub(in crate::aux_store) struct Prepared {
    pub(super) rules: Rules,
    pub(super) spool: Spool,
    /// The ids of the rows in it.
    pub(super) ids: Ids,
    /// Whether the table held no entry while they were.
    pub(super) fresh: bool,
    /// What is wrong with the rows that are not in the spool.
    pub(in crate::aux_store) errors: Vec<Violation>,
    /// The ids of those rows, where they were known: their entries stay as they are.
    pub(super) refused: Vec<String>,
    /// Whether some bad row does not tell which entry it is about.
    unnamed: bool,
    pub(super) rows: u64,
}

impl Prepared {
    /// What becomes of entries that were not given: a bad row that does not tell its entry may be about any, and none is
    /// deleted then.
    pub(super) fn others(&self, asked: Others) -> Others {
        if self.unnamed { Others::Stay } else { asked }
    }
}

/// The entries of those ids, as rows are judged over them.
pub(super) fn bases(session: Session<'_>, place: Place<'_>, ids: &[&str]) -> Result<HashMap<String, Base>> {
    let ids = rows::ids(ids);
    let rows = session.read_snapshot(|exec| {
        let sql = format!("SELECT id, version, payload FROM {}", rows::named(exec, place)?);
        exec.query(&sql, &[place.project.into(), place.table.into(), ids.clone()])
    })?;
    let base = |row: &crate::db::Row| Ok((row.text(0)?, Base { version: row.int(1)?, payload: row.json(2)? }));
    rows.iter().map(base).collect()
}

/// Reads all rows of a source. Its own error ends it, as an error of `progress` does.
pub(in crate::aux_store) fn prepare(
    session: Session<'_>,
    place: Place<'_>,
    rows: &mut dyn Iterator<Item = Result<Given>>,
    mode: Mode,
    total: Option<u64>,
    progress: Progress<'_>,
) -> Result<Prepared> {
    let rules = session.read(|exec| bound::read(session, exec, place))?;
    let judging = |batch| judge_all(&rules, batch, mode);
    let mut preparing = Preparing {
        session,
        place,
        rules: &rules,
        empty: true,
        spool: SpoolWriter::new(),
        ids: Ids::default(),
        errors: Vec::new(),
        refused: Vec::new(),
        unnamed: false,
    };
    let done = std::thread::scope(|scope| {
        let mut keep = |preparing: &mut Preparing<'_>, answer: Answer| {
            let read = answer.read;
            preparing.keep(answer).and_then(|()| progress(read, total))
        };
        preparing.read(rows, Judges::new(scope, &judging), &judging, &mut keep)
    })?;
    let Preparing { spool, mut ids, empty: fresh, mut errors, refused, unnamed, .. } = preparing;
    errors.sort_by_key(|one| one.row);
    let spool = spool.finish()?;
    ids.finish();
    Ok(Prepared { rules, spool, ids, fresh, errors, refused, unnamed, rows: done })
}

/// The next rows, and whether they are the last.
fn next_batch(rows: &mut dyn Iterator<Item = Result<Given>>) -> Result<(Vec<Given>, bool)> {
    let (mut batch, mut bytes) = (Vec::with_capacity(BATCH), 0);
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let Some(row) = rows.next().transpose()? else { return Ok((batch, true)) };
        bytes += row.1.as_ref().map_or(0, |content| match content {
            Content::Tree(document) => document.values().map(size).sum(),
            Content::Cells(cells) => cells.size(),
        });
        batch.push(row);
    }
    Ok((batch, false))
}

/// About how much text a value holds.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + size(value)).sum(),
        _ => 8,
    }
}

struct Preparing<'s> {
    session: Session<'s>,
    place: Place<'s>,
    rules: &'s Rules,
    /// Whether the table held no entry when last looked at.
    empty: bool,
    spool: SpoolWriter,
    ids: Ids,
    errors: Vec<Violation>,
    refused: Vec<String>,
    unnamed: bool,
}

impl Preparing<'_> {
    /// Reads to the end, while what was read before is judged; how many rows there were.
    fn read(
        &mut self,
        rows: &mut dyn Iterator<Item = Result<Given>>,
        mut judges: Judges<'_, '_>,
        judging: &Judging<'_>,
        keep: &mut dyn FnMut(&mut Self, Answer) -> Result<()>,
    ) -> Result<u64> {
        let mut read = 0;
        loop {
            let next = next_batch(rows);
            let last = next.as_ref().map_or(true, |(_, last)| *last);
            while last || judges.are_busy() {
                let Some(answer) = judges.answer() else { break };
                keep(self, answer)?;
            }
            let (given, _) = next?;
            if given.is_empty() {
                return Ok(read);
            }
            read += given.len() as u64;
            let batch = self.batch(given, read)?;
            match last {
                // Nothing is left to be read meanwhile.
                true => keep(self, judging(batch))?,
                false => judges.send(batch),
            }
        }
    }

    fn batch(&mut self, given: Vec<Given>, read: u64) -> Result<Batch> {
        let rows: Vec<Named> = given.into_iter().filter_map(|given| self.name(given)).collect();
        let bases = self.bases(&rows)?;
        Ok(Batch { read, rows, bases })
    }

    fn keep(&mut self, answer: Answer) -> Result<()> {
        drop(answer.documents);
        answer.rows.into_iter().try_for_each(|Answered { row, id, digest, record }| match record {
            Ok(record) => {
                self.ids.push(digest);
                self.spool.push(&record)
            }
            Err(error) if is_of_row(error.code()) => {
                self.refuse(row, Some(id), violations(&error));
                Ok(())
            }
            Err(error) => Err(error),
        })
    }

    fn name(&mut self, (row, given): Given) -> Option<Named> {
        let mut document = match given {
            Ok(Content::Tree(document)) => document,
            Ok(Content::Cells(cells)) => {
                let id = cells.id().map_or_else(new_id, str::to_owned);
                return Some(Named { row, id, content: Content::Cells(cells) });
            }
            Err(bad) => {
                self.refuse_unread(row, bad);
                return None;
            }
        };
        match self.rules.identity(&mut document, None) {
            Ok(id) => Some(Named { row, id: id.unwrap_or_else(new_id), content: Content::Tree(document) }),
            Err(error) => {
                let id = self.id_of(&document);
                self.refuse(row, id, violations(&error));
                None
            }
        }
    }

    fn refuse_unread(&mut self, row: u64, mut bad: BadRow) {
        let id = self.rules.identity(&mut bad.read, None).ok().flatten();
        self.refuse(row, id, bad.violations);
    }

    /// The id a document seems to be meant for, though it cannot have it.
    fn id_of(&self, document: &Map<String, Value>) -> Option<String> {
        document.get(self.rules.preset.id_field().unwrap_or("id")).and_then(Value::as_str).map(str::to_owned)
    }

    fn bases(&mut self, named: &[Named]) -> Result<HashMap<String, Base>> {
        self.empty = self.empty && self.holds_nothing()?;
        if self.empty {
            return Ok(HashMap::new());
        }
        let ids: Vec<&str> = named.iter().map(|one| one.id.as_str()).collect();
        bases(self.session, self.place, &ids)
    }

    fn holds_nothing(&self) -> Result<bool> {
        Ok(!self.session.read(|exec| rows::holds_any(exec, self.place, rows::ENTRIES))?)
    }

    fn refuse(&mut self, row: u64, id: Option<String>, violations: Vec<Violation>) {
        self.unnamed = self.unnamed || id.is_none();
        self.errors.extend(of_row(row, id.as_deref(), violations));
        self.refused.extend(id);
    }
}

/// Judges the rows of a batch, in their order.
fn judge_all(rules: &Rules, batch: Batch, mode: Mode) -> Answer {
    let Batch { read, rows, bases } = batch;
    let mut documents = Vec::with_capacity(rows.len());
    let judge = |one: Named| {
        let base = bases.get(&one.id);
        let quick = match &one.content {
            Content::Cells(cells) if base.is_none() => rules.judge_cells(cells),
            _ => None,
        };
        let Named { row, id, content } = one;
        let record = match quick {
            Some(judged) => Ok(spool::record(&created(row, &id, judged))),
            None => judge_content(rules, row, &id, content, base, mode).map(|(judged, document)| {
                documents.push(document);
                let same = base.is_some_and(|base| base.payload.as_str() == judged.payload);
                spool::record(&Judged { same, ..judged })
            }),
        };
        Answered { row, digest: Digest::of(&id), id, record }
    };
    Answer { read, rows: rows.into_iter().map(judge).collect(), documents }
}

/// The entry that cells make which were judged.
fn created(row: u64, id: &str, judged: JudgedCells) -> Judged {
    let JudgedCells { text, hash, search_text, refs, keys } = judged;
    Judged {
        row,
        id: id.to_owned(),
        payload: text,
        hash: hash.to_vec(),
        search_text,
        base: 0,
        summary: CREATED.to_owned(),
        same: false,
        given: None,
        refs,
        keys,
    }
}

/// Judges a row by way of its tree.
fn judge_content(
    rules: &Rules,
    row: u64,
    id: &str,
    content: Content,
    base: Option<&Base>,
    mode: Mode,
) -> Result<(Judged, Value)> {
    let document = match content {
        Content::Tree(document) => document,
        Content::Cells(cells) => {
            let mut document = cells.into_tree().map_err(|bad| Error::validation(bad.violations))?;
            rules.identity(&mut document, None)?;
            document
        }
    };
    let (payload, version) = (base.map(|base| object(&base.payload)), base.map_or(0, |base| base.version));
    judge(rules, row, id, document, payload.as_ref(), version, mode)
}

/// Judges what an entry becomes by a row; with the document it becomes.
pub(super) fn judge(
    rules: &Rules,
    row: u64,
    id: &str,
    document: Map<String, Value>,
    base: Option<&Map<String, Value>>,
    version: i64,
    mode: Mode,
) -> Result<(Judged, Value)> {
    // What is judged again may be merged into another base than this one, and a default is no part of what was given.
    let differs = base.is_some() || rules.preset.has_defaults();
    let given = if differs { Some(Json::from_value(&Value::Object(document.clone()))?) } else { None };
    let judged = rules.written(id, document, base, mode, Nulls::Keep)?;
    let given = given.filter(|given| *given != judged.json).map(|given| given.as_str().to_owned());
    let row = Judged {
        row,
        id: id.to_owned(),
        payload: judged.json.as_str().to_owned(),
        hash: judged.hash.to_vec(),
        search_text: judged.search_text,
        base: version,
        summary: judged.summary,
        same: false,
        given,
        refs: judged.refs,
        keys: judged.keys,
    };
    Ok((row, judged.value))
}

/// Whether an error is about the row alone.
pub(in crate::aux_store) fn is_of_row(code: ErrorCode) -> bool {
    use ErrorCode::{InvalidArgument, ReservedField, SecretDetected, TooLarge, Validation};
    matches!(code, Validation | ReservedField | SecretDetected | TooLarge | InvalidArgument)
}

/// An error of one document as violations.
pub(in crate::aux_store) fn violations(error: &Error) -> Vec<Violation> {
    let mut violations = error.violations_list();
    if violations.is_empty() {
        violations.push(Violation::new("", error.code().as_str(), error.message()));
    }
    violations
}

/// Violations with the row and the id they belong to.
pub(super) fn of_row(row: u64, id: Option<&str>, violations: Vec<Violation>) -> Vec<Violation> {
    let id = id.map(str::to_owned);
    violations.into_iter().map(|one| Violation { row: Some(row), id: id.clone(), ..one }).collect()
}
