//! Single entries: create, get, update, upsert.

use serde_json::Value as JsonValue;

use super::document::{Judged, Rules};
use super::model::{Document, Entry, Mode, UpdateOptions};
use super::rows::{self, Place, Stored, not_found};
use super::{Nulls, bound, refs};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::id::{check_id, new_id};
use crate::session::{Session, Tally, Work};

/// Times a write looks again when a rival created the entry in between.
const ATTEMPTS: usize = 10;

pub(super) fn create(session: Session<'_>, place: Place<'_>, document: &Document, id: Option<&str>) -> Result<Entry> {
    session.write(|work| {
        let rules = bound::to_write(session, work, place, false)?;
        let mut document = document.clone();
        let id = rules.identity(&mut document, id)?.unwrap_or_else(new_id);
        let judged = rules.written(&id, document, None, Mode::Replace, Nulls::Keep)?;
        insert(work, place, &id, &judged, Change::Written)?.ok_or_else(|| {
            let message =
                format!("the table {:?} already has an entry with the id {id:?}; update or upsert it", place.table);
            Error::new(ErrorCode::Conflict, message)
        })
    })
}

pub(super) fn get(session: Session<'_>, place: Place<'_>, id: &str) -> Result<Entry> {
    check_id("id", id)?;
    let stored = session.read(|exec| rows::find(exec, place, id, false))?;
    stored.map(|stored| stored.entry(place, id, Vec::new())).ok_or_else(|| not_found(place, id))
}

pub(super) fn update(
    session: Session<'_>,
    place: Place<'_>,
    id: &str,
    patch: &Document,
    options: UpdateOptions,
) -> Result<Entry> {
    check_id("id", id)?;
    session.write(|work| {
        let rules = bound::to_write_one(session, work, place, id)?;
        let stored = rows::find(work.exec(), place, id, true)?.ok_or_else(|| not_found(place, id))?;
        if let Some(wanted) = options.if_version.filter(|wanted| *wanted != stored.version) {
            let message = format!("the entry has version {}, not {wanted}; read it again", stored.version);
            let details = serde_json::json!({ "version": stored.version });
            return Err(Error::new(ErrorCode::Conflict, message).with_details(details));
        }
        let mut patch = patch.clone();
        rules.identity(&mut patch, Some(id))?;
        let mode = if options.replace { Mode::Replace } else { Mode::Merge };
        let judged = rules.written(id, patch, Some(&stored.map()), mode, options.nulls)?;
        supersede(work, place, id, stored, &judged, Change::Written)
    })
}

pub(super) fn upsert(
    session: Session<'_>,
    place: Place<'_>,
    document: &Document,
    id: Option<&str>,
    mode: Mode,
) -> Result<Entry> {
    session.write(|work| {
        let rules = bound::to_write(session, work, place, false)?;
        let mut document = document.clone();
        let id = rules.identity(&mut document, id)?.unwrap_or_else(new_id);
        while_rivals_create(|| upsert_once(work, place, &rules, &id, &document, mode))
    })
}

/// Again and again while `once` finds that a rival created the entry after it looked.
pub(super) fn while_rivals_create(mut once: impl FnMut() -> Result<Option<Entry>>) -> Result<Entry> {
    for _ in 0..ATTEMPTS {
        if let Some(entry) = once()? {
            return Ok(entry);
        }
    }
    Err(Error::new(ErrorCode::Busy, "others create and delete this entry over and over; try again"))
}

/// `None` where a rival created the entry after we looked.
fn upsert_once(
    work: &mut Work<'_>,
    place: Place<'_>,
    rules: &Rules,
    id: &str,
    document: &Document,
    mode: Mode,
) -> Result<Option<Entry>> {
    let stored = rows::find(work.exec(), place, id, true)?;
    let base = stored.as_ref().map(Stored::map);
    let judged = rules.written(id, document.clone(), base.as_ref(), mode, Nulls::Keep)?;
    match stored {
        Some(stored) => supersede(work, place, id, stored, &judged, Change::Written).map(Some),
        None => insert(work, place, id, &judged, Change::Written),
    }
}

/// Where a document comes from: from outside, or out of history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Written,
    Restored,
}

impl Change {
    /// The type of its event, where `written` is that of a document from outside.
    fn event(self, written: &'static str) -> &'static str {
        match self {
            Self::Written => written,
            Self::Restored => "aux.restored",
        }
    }
}

/// Creates an entry; `None` where one of that id is there.
pub(super) fn insert(
    work: &mut Work<'_>,
    place: Place<'_>,
    id: &str,
    judged: &Judged,
    change: Change,
) -> Result<Option<Entry>> {
    let Some(stored) = rows::insert(work, place, id, judged)? else { return Ok(None) };
    let warnings = link(work, place, id, judged)?;
    work.after.tallies.add(place.project, place.table, Tally::CREATED);
    rows::audit(work, place, id, change.event("aux.created"), stored.version, &judged.summary)?;
    Ok(Some(stored.entry(place, id, warnings)))
}

/// Writes the next version, or nothing where the document is the same.
pub(super) fn supersede(
    work: &mut Work<'_>,
    place: Place<'_>,
    id: &str,
    stored: Stored,
    judged: &Judged,
    change: Change,
) -> Result<Entry> {
    if stored.hash == judged.hash {
        let warnings = warnings(work, place, id, judged)?;
        return Ok(stored.entry(place, id, warnings));
    }
    let stored = rows::update(work, place, id, judged)?;
    if judged.links {
        rows::remove_keys(work.exec(), place, id)?;
        refs::remove(work.exec(), place, id)?;
    }
    let warnings = link(work, place, id, judged)?;
    work.after.tallies.add(place.project, place.table, Tally::UPDATED);
    rows::audit(work, place, id, change.event("aux.updated"), stored.version, &judged.summary)?;
    Ok(stored.entry(place, id, warnings))
}

fn link(work: &mut Work<'_>, place: Place<'_>, id: &str, judged: &Judged) -> Result<Vec<Violation>> {
    rows::insert_keys(work.exec(), place, id, &judged.keys)?;
    let warnings = warnings(work, place, id, judged)?;
    refs::insert(work.exec(), place, id, &judged.refs)?;
    Ok(warnings)
}

/// The warnings of an entry; a strict reference to nothing refuses it.
fn warnings(work: &mut Work<'_>, place: Place<'_>, id: &str, judged: &Judged) -> Result<Vec<Violation>> {
    let dangling = refs::leading_nowhere(work.exec(), place, id, &judged.refs)?;
    let strict: Vec<Violation> = dangling.iter().filter(|one| one.strict).map(|one| one.violation()).collect();
    if !strict.is_empty() {
        return Err(Error::validation(strict));
    }
    Ok(dangling.iter().map(|one| one.violation()).collect())
}

/// A document as callers give it: an object.
pub(super) fn document(value: JsonValue) -> Result<Document> {
    match value {
        JsonValue::Object(map) => Ok(map),
        _ => Err(Error::validation(vec![Violation::new("", "type", "a document is a JSON object")])),
    }
}
