//! SQLite: single entries, written by statements that give no rows back, each of which would go through a table of its own.
//! What they would give is known: there is one writer.

use super::document::Judged;
use super::rows::{Place, Stored, not_found, params};
use super::{search, unseen};
use crate::error::Result;
use crate::session::Work;

const INSERT: &str = "INSERT INTO sprongus_aux_entries \
    (project_id, table_name, id, payload, hash, search_text, last_updated, actor, reason, change_summary, version) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (project_id, table_name, id) DO NOTHING";

const UPDATE: &str = "UPDATE OR FAIL sprongus_aux_entries SET payload = $4, hash = $5, search_text = $6, last_updated = $7, \
    actor = $8, reason = $9, change_summary = $10, version = $11 WHERE project_id = $1 AND table_name = $2 AND id = $3";

/// What there is about an entry before it is written: a bulk write under way, the last version that was superseded, whether
/// the table wants marks for its pre-filter, the version it has.
const LOOK: &str = "SELECT EXISTS (SELECT 1 FROM sprongus_aux_batches WHERE project_id = $1 AND table_name = $2), \
    (SELECT max(version) FROM sprongus_aux_versions WHERE project_id = $1 AND table_name = $2 AND id = $3), \
    EXISTS (SELECT 1 FROM sprongus_search_tables WHERE project_id = $1 AND table_name = $2), \
    (SELECT version FROM sprongus_aux_entries WHERE project_id = $1 AND table_name = $2 AND id = $3)";

/// Where the time stands among the parameters.
const NOW: usize = 6;

struct Look {
    under_way: bool,
    superseded: i64,
    marks: bool,
    version: Option<i64>,
}

fn look(work: &mut Work<'_>, place: Place<'_>, id: &str) -> Result<Look> {
    let rows = work.query(LOOK, &[place.project.into(), place.table.into(), id.into()])?;
    rows.first().map_or_else(
        || Err(not_found(place, id)),
        |row| {
            let (superseded, version) = (row.opt_int(1)?.unwrap_or(0), row.opt_int(3)?);
            Ok(Look { under_way: row.bool(0)?, superseded, marks: row.bool(2)?, version })
        },
    )
}

/// Creates an entry; `None` where one of that id is there.
pub(super) fn insert(work: &mut Work<'_>, place: Place<'_>, id: &str, doc: &Judged) -> Result<Option<Stored>> {
    let mut found = look(work, place, id)?;
    if found.under_way {
        unseen::make_way(work.exec(), place, id)?;
        found = look(work, place, id)?;
    }
    match found.version {
        Some(_) => Ok(None),
        None => write(work, (place, id), doc, INSERT, found.superseded + 1, found.marks),
    }
}

/// Gives an entry its next version.
pub(super) fn update(work: &mut Work<'_>, place: Place<'_>, id: &str, doc: &Judged) -> Result<Stored> {
    let found = look(work, place, id)?;
    let written = match found.version {
        Some(version) => write(work, (place, id), doc, UPDATE, version + 1, found.marks)?,
        None => None,
    };
    written.ok_or_else(|| not_found(place, id))
}

fn write(
    work: &mut Work<'_>,
    (place, id): (Place<'_>, &str),
    doc: &Judged,
    sql: &str,
    version: i64,
    marks: bool,
) -> Result<Option<Stored>> {
    let mut params = params(work, place, id, doc).to_vec();
    let last_updated = work.options().clock.now();
    params[NOW] = last_updated.into();
    params.push(version.into());
    if work.execute(sql, &params)? == 0 {
        return Ok(None);
    }
    if marks {
        search::mark(work.exec(), place, last_updated.into())?;
    }
    Ok(Some(Stored { payload: doc.json.clone(), hash: doc.hash.to_vec(), version, last_updated }))
}
