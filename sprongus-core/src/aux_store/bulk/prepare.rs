//! Reads rows and judges them, outside any write transaction.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::spool::{Judged, Spool, SpoolWriter};
use super::{Given, Progress};
use crate::aux_store::document::Rules;
use crate::aux_store::import::BadRow;
use crate::aux_store::model::Mode;
use crate::aux_store::rows::{Place, among, object, text_array};
use crate::aux_store::{Nulls, bound};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::id::new_id;
use crate::json::Json;
use crate::session::Session;

/// Rows judged together, while they are small: the entries they meet are read by one statement.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 8 << 20;

/// Threads that judge a batch, and the fewest rows that are worth one.
const MOST_THREADS: usize = 4;
const ROWS_A_THREAD: usize = 100;

/// Rows that were judged.
pub(in crate::aux_store) struct Prepared {
    pub(super) rules: Rules,
    pub(super) spool: Spool,
    /// What is wrong with the rows that are not in the spool.
    pub(in crate::aux_store) errors: Vec<Violation>,
    /// The ids of those rows, where they were known: their entries stay as they are.
    pub(super) refused: Vec<String>,
    /// Whether some bad row does not tell which entry it is about.
    pub(super) unnamed: bool,
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
    let mut preparing = Preparing {
        session,
        place,
        mode,
        spool: SpoolWriter::new(),
        errors: Vec::new(),
        refused: Vec::new(),
        unnamed: false,
        rules,
    };
    let mut done = 0;
    loop {
        let batch = next_batch(rows)?;
        if batch.is_empty() {
            break;
        }
        done += batch.len() as u64;
        preparing.batch(batch)?;
        progress(done, total)?;
    }
    let Preparing { spool, mut errors, refused, unnamed, rules, .. } = preparing;
    errors.sort_by_key(|one| one.row);
    Ok(Prepared { rules, spool: spool.finish()?, errors, refused, unnamed, rows: done })
}

fn next_batch(rows: &mut dyn Iterator<Item = Result<Given>>) -> Result<Vec<Given>> {
    let (mut batch, mut bytes) = (Vec::with_capacity(BATCH), 0);
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let Some(row) = rows.next().transpose()? else { break };
        bytes += row.1.as_ref().map_or(0, |document| document.values().map(size).sum());
        batch.push(row);
    }
    Ok(batch)
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
    mode: Mode,
    rules: Rules,
    spool: SpoolWriter,
    errors: Vec<Violation>,
    refused: Vec<String>,
    unnamed: bool,
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
        judge_all(&self.rules, named, &bases, self.mode).into_iter().try_for_each(|(row, id, judged)| match judged {
            Ok(judged) => self.spool.push(&judged),
            Err(error) if is_of_row(error.code()) => {
                self.refuse(row, Some(id), violations(&error));
                Ok(())
            }
            Err(error) => Err(error),
        })
    }

    fn name(&mut self, (row, given): Given) -> Option<Named> {
        let mut document = match given {
            Ok(document) => document,
            Err(bad) => {
                self.refuse_unread(row, bad);
                return None;
            }
        };
        match self.rules.identity(&mut document, None) {
            Ok(id) => Some(Named { row, id: id.unwrap_or_else(new_id), document }),
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

    fn refuse(&mut self, row: u64, id: Option<String>, violations: Vec<Violation>) {
        self.unnamed = self.unnamed || id.is_none();
        self.errors.extend(of_row(row, id.as_deref(), violations));
        self.refused.extend(id);
    }
}

type Outcome = (u64, String, Result<Judged>);

/// Judges rows, on several threads where they are many; in the order of the rows.
fn judge_all(rules: &Rules, named: Vec<Named>, bases: &HashMap<String, Base>, mode: Mode) -> Vec<Outcome> {
    let one = |one: Named| {
        let base = bases.get(&one.id);
        let (payload, version) = (base.map(|base| &base.payload), base.map_or(0, |base| base.version));
        let judged = judge(rules, one.row, &one.id, one.document, payload, version, mode);
        (one.row, one.id, judged)
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(MOST_THREADS).min(named.len() / ROWS_A_THREAD);
    if threads < 2 {
        return named.into_iter().map(one).collect();
    }
    let share = named.len().div_ceil(threads);
    let mut rows = named.into_iter();
    let shares: Vec<Vec<Named>> = (0..threads).map(|_| rows.by_ref().take(share).collect()).collect();
    std::thread::scope(|scope| {
        let judge = |rows: Vec<Named>| scope.spawn(move || rows.into_iter().map(one).collect::<Vec<Outcome>>());
        let judging: Vec<_> = shares.into_iter().map(judge).collect();
        let join = |judged: std::thread::ScopedJoinHandle<'_, Vec<Outcome>>| {
            judged.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        judging.into_iter().flat_map(join).collect()
    })
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
pub(super) fn is_of_row(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Validation | ErrorCode::ReservedField | ErrorCode::TooLarge | ErrorCode::InvalidArgument)
}

/// An error of one document as violations.
pub(super) fn violations(error: &Error) -> Vec<Violation> {
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
