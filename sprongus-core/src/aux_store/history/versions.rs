//! The versions of one entry.

use serde_json::Value as JsonValue;

use super::diff::differences;
use super::{Difference, EntryVersion, Moment};
use crate::aux_store::rows::{Place, not_found};
use crate::db::{Executor, Row, Value};
use crate::error::{Error, Result};
use crate::id::check_id;
use crate::session::Session;

/// The versions of the entry `$3` of the table `$1`, `$2`. A kept row that is not older than the present one was put there by a
/// bulk write that nobody is to see yet.
const VERSIONS: &str = "SELECT version, snapshot, change_summary, actor, reason, at FROM (\
    SELECT version, snapshot, change_summary, actor, reason, at FROM sprongus_aux_versions \
    WHERE project_id = $1 AND table_name = $2 AND id = $3 AND version < coalesce((SELECT version FROM sprongus_aux_seen \
    WHERE project_id = $1 AND table_name = $2 AND id = $3), 9223372036854775807) \
    UNION ALL SELECT version, payload, change_summary, actor, reason, last_updated FROM sprongus_aux_seen \
    WHERE project_id = $1 AND table_name = $2 AND id = $3) AS versions";

/// Every version, oldest first.
pub(in crate::aux_store) fn history(session: Session<'_>, place: Place<'_>, id: &str) -> Result<Vec<EntryVersion>> {
    check_id("id", id)?;
    let versions = session.read(|exec| select(exec, place, id, "ORDER BY version", None))?;
    if versions.is_empty() { Err(not_found(place, id)) } else { Ok(versions) }
}

/// What differs between two moments; the present one where there is no second.
pub(in crate::aux_store) fn diff(
    session: Session<'_>,
    place: Place<'_>,
    id: &str,
    before: Moment,
    after: Option<Moment>,
) -> Result<Vec<Difference>> {
    check_id("id", id)?;
    let (before, after) = session.read_snapshot(|exec| {
        let before = at(exec, place, id, Some(before))?;
        Ok((before, at(exec, place, id, after)?))
    })?;
    let document = |version: EntryVersion| version.snapshot.map(|snapshot| snapshot.to_value());
    let (before, after): (Option<JsonValue>, Option<JsonValue>) = (document(before), document(after));
    Ok(differences(before.as_ref(), after.as_ref()))
}

/// The version at that moment; the present one, a deletion included, where none is said.
fn at(exec: &mut dyn Executor, place: Place<'_>, id: &str, moment: Option<Moment>) -> Result<EntryVersion> {
    let latest = "ORDER BY version DESC LIMIT 1";
    let found = match moment {
        None => select(exec, place, id, latest, None)?,
        Some(Moment::Version(version)) => select(exec, place, id, "WHERE version = $4", Some(version.into()))?,
        Some(Moment::At(time)) => select(exec, place, id, &format!("WHERE at <= $4 {latest}"), Some(time.into()))?,
    };
    found.into_iter().next().ok_or_else(|| match moment {
        None => not_found(place, id),
        Some(Moment::Version(version)) => no_version(place, id, version),
        Some(Moment::At(time)) => {
            Error::not_found(format!("the table {:?} had no entry with the id {id:?} by {time}", place.table))
        }
    })
}

/// One version, if there is such a one.
pub(super) fn version(
    exec: &mut dyn Executor,
    place: Place<'_>,
    id: &str,
    version: i64,
) -> Result<Option<EntryVersion>> {
    Ok(select(exec, place, id, "WHERE version = $4", Some(version.into()))?.into_iter().next())
}

pub(super) fn no_version(place: Place<'_>, id: &str, version: i64) -> Error {
    Error::not_found(format!("the entry {id:?} of the table {:?} has no version {version}", place.table))
}

fn select(
    exec: &mut dyn Executor,
    place: Place<'_>,
    id: &str,
    rest: &str,
    param: Option<Value<'_>>,
) -> Result<Vec<EntryVersion>> {
    let mut params = vec![place.project.into(), place.table.into(), id.into()];
    params.extend(param);
    exec.query(&format!("{VERSIONS} {rest}"), &params)?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<EntryVersion> {
    Ok(EntryVersion {
        version: row.int(0)?,
        snapshot: row.opt_json(1)?,
        change_summary: row.text(2)?,
        actor: row.text(3)?,
        reason: row.opt_text(4)?,
        at: row.time(5)?,
    })
}
