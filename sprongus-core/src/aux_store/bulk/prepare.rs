//! Reads rows and judges them, outside any write transaction.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::spool::{Judged, Spool, SpoolWriter};
use super::{Given, Progress};
use crate::aux_store::document::Rules;
use crate::aux_store::model::Mode;
use crate::aux_store::rows::{Place, among, object, text_array};
use crate::aux_store::{Nulls, bound};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::id::new_id;
use crate::json::Json;
use crate::session::Session;

/// Rows judged together: the entries they meet are read by one statement.
const BATCH: usize = 500;

/// Rows that were judged.
pub(in crate::aux_store) struct Prepared {
    pub(super) rules: Rules,
    pub(super) spool: Spool,
    /// What is wrong with the rows that are not in the spool.
    pub(in crate::aux_store) errors: Vec<Violation>,
    /// The ids of those rows, where they were known: their entries stay as they are.
    pub(super) refused: Vec<String>,
    pub(super) rows: u64,
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
    let mut preparing =
        Preparing { session, place, mode, spool: SpoolWriter::new(), errors: Vec::new(), refused: Vec::new(), rules };
    let mut done = 0;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        batch.extend((&mut *rows).take(BATCH).collect::<Result<Vec<_>>>()?);
        if batch.is_empty() {
            break;
        }
        done += batch.len() as u64;
        preparing.batch(std::mem::take(&mut batch))?;
        progress(done, total)?;
    }
    let Preparing { spool, mut errors, refused, rules, .. } = preparing;
    errors.sort_by_key(|one| one.row);
    Ok(Prepared { rules, spool: spool.finish()?, errors, refused, rows: done })
}

struct Preparing<'s> {
    session: Session<'s>,
    place: Place<'s>,
    mode: Mode,
    rules: Rules,
    spool: SpoolWriter,
    errors: Vec<Violation>,
    refused: Vec<String>,
}

/// A row whose id is known.
struct Named {
    row: u64,
    id: String,
    document: Map<String, Value>,
}

/// An entry that a row meets.
struct Base {
    version: i64,
    payload: Map<String, Value>,
}

impl Preparing<'_> {
    fn batch(&mut self, given: Vec<Given>) -> Result<()> {
        let named: Vec<Named> = given.into_iter().filter_map(|given| self.name(given)).collect();
        let bases = self.bases(&named)?;
        named.into_iter().try_for_each(|one| self.judge(one, &bases))
    }

    fn name(&mut self, (row, given): Given) -> Option<Named> {
        let mut document = match given {
            Ok(document) => document,
            Err(violations) => {
                self.errors.extend(violations.into_iter().map(|one| Violation { row: Some(row), ..one }));
                return None;
            }
        };
        match self.rules.identity(&mut document, None) {
            Ok(id) => Some(Named { row, id: id.unwrap_or_else(new_id), document }),
            Err(error) => {
                let id = document.get("id").and_then(Value::as_str).map(str::to_owned);
                self.refuse(row, id, &error);
                None
            }
        }
    }

    fn bases(&self, named: &[Named]) -> Result<HashMap<String, Base>> {
        let ids: Vec<&str> = named.iter().map(|one| one.id.as_str()).collect();
        let ids = text_array(&ids);
        let rows = self.session.read(|exec| {
            let sql = format!(
                "SELECT id, version, payload FROM sprongus_aux_entries \
                 WHERE project_id = $1 AND table_name = $2 AND id IN {}",
                among(exec.dialect(), 3)
            );
            exec.query(&sql, &[self.place.project.into(), self.place.table.into(), ids.clone()])
        })?;
        let base =
            |row: &crate::db::Row| Ok((row.text(0)?, Base { version: row.int(1)?, payload: object(&row.json(2)?) }));
        rows.iter().map(base).collect()
    }

    fn judge(&mut self, one: Named, bases: &HashMap<String, Base>) -> Result<()> {
        let base = bases.get(&one.id);
        let payload = base.map(|base| &base.payload);
        let version = base.map_or(0, |base| base.version);
        match judge(&self.rules, one.row, &one.id, one.document, payload, version, self.mode) {
            Ok(judged) => self.spool.push(&judged),
            Err(error) if of_row(error.code()) => {
                self.refuse(one.row, Some(one.id), &error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn refuse(&mut self, row: u64, id: Option<String>, error: &Error) {
        self.errors.extend(violations(row, id.as_deref(), error));
        self.refused.extend(id);
    }
}

/// Judges what an entry becomes by a row.
pub(super) fn judge(
    rules: &Rules,
    row: u64,
    id: &str,
    document: Map<String, Value>,
    base: Option<&Map<String, Value>>,
    version: i64,
    mode: Mode,
) -> Result<Judged> {
    let given = if base.is_some() { Some(Json::from_value(&Value::Object(document.clone()))?) } else { None };
    let judged = rules.written(id, document, base, mode, Nulls::Keep)?;
    let given = given.filter(|given| *given != judged.json).map(|given| given.as_str().to_owned());
    Ok(Judged {
        row,
        id: id.to_owned(),
        payload: judged.json.as_str().to_owned(),
        hash: judged.hash.to_vec(),
        search_text: judged.search_text,
        base: version,
        summary: judged.summary,
        given,
        refs: judged.refs,
        keys: judged.keys,
    })
}

/// Whether an error is about the row alone.
pub(super) fn of_row(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Validation | ErrorCode::ReservedField | ErrorCode::TooLarge | ErrorCode::InvalidArgument)
}

/// An error of one row as violations, with the row and the id.
pub(super) fn violations(row: u64, id: Option<&str>, error: &Error) -> Vec<Violation> {
    let mut violations = error.violations_list();
    if violations.is_empty() {
        violations.push(Violation::new("", error.code().as_str(), error.message()));
    }
    let id = id.map(str::to_owned);
    violations.into_iter().map(|one| Violation { row: Some(row), id: id.clone(), ..one }).collect()
}
