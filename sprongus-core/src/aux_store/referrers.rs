//! Who refers to an entry, asked without writing.

use super::model::Referrer;
use super::rows::Place;
use super::{bound, index, refs, scan};
use crate::db::Executor;
use crate::error::Result;
use crate::id::check_id;
use crate::presets::{Keywords, referring_tables};
use crate::session::Session;

/// The entries that refer to one, but for itself, in order.
///
/// A table bound since to a preset that refers here has its references made by its next write. Until then its entries are
/// read instead: a reader must not write them.
pub(super) fn of(session: Session<'_>, place: Place<'_>, id: &str) -> Result<Vec<Referrer>> {
    check_id("id", id)?;
    session.read_snapshot(|exec| {
        let mut found = refs::referrers(exec, place, id)?;
        for table in referring_tables(session, exec, place.project, place.table)? {
            let from = Place { table: &table, ..place };
            let rules = bound::read(session, exec, from)?;
            if !index::known(exec, from, rules.preset.keywords())? {
                read_through(exec, from, rules.preset.keywords(), (place.table, id), &mut found)?;
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    })
}

/// Whether the references of a table's entries are those of its preset; `not_found` where it has none.
pub(crate) fn links_are_known(
    session: Session<'_>,
    exec: &mut dyn Executor,
    project: &str,
    table: &str,
) -> Result<bool> {
    let place = Place { project, table };
    let rules = bound::read(session, exec, place)?;
    let keywords = rules.preset.keywords();
    Ok(keywords.refs.is_empty() || index::known(exec, place, keywords)?)
}

/// Reads a table through for entries that refer to another one.
fn read_through(
    exec: &mut dyn Executor,
    from: Place<'_>,
    keywords: &Keywords,
    (table, id): (&str, &str),
    found: &mut Vec<Referrer>,
) -> Result<()> {
    let mut after = None;
    loop {
        let page = scan::page_by_id(exec, from, after.as_deref())?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        for entry in page.iter().filter(|entry| from.table != table || entry.id != id) {
            let all = refs::of_document(keywords, &entry.payload.to_value());
            let here = all.into_iter().filter(|one| one.table == table && one.id == id);
            found.extend(here.map(|one| Referrer {
                table: from.table.to_owned(),
                id: entry.id.clone(),
                field: one.field,
            }));
        }
    }
}
