//! Deletion, and what it does about entries that refer to the one deleted.

use serde_json::json;

use super::crud::Change;
use super::document::Rules;
use super::model::{OnReferenced, Referrer};
use super::refs::Referrers;
use super::rows::{self, Place, not_found};
use super::{bound, crud, refs, unseen};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::id::check_id;
use crate::presets::lock_table;
use crate::session::{Session, Tally, Work};

/// So many entries of a bulk write under way are put back for the sake of one deletion.
const MOST_HIDDEN: usize = 100;

/// Deletes an entry; the entries that referred to it.
pub(super) fn delete(session: Session<'_>, place: Place<'_>, id: &str, on: OnReferenced) -> Result<Vec<Referrer>> {
    check_id("id", id)?;
    session.write(|work| {
        lock_table(work, place.project, place.table, false)?;
        if on != OnReferenced::Force {
            bound::know_referrers(session, work, place)?;
        }
        rows::find(work.exec(), place, id, true)?.ok_or_else(|| not_found(place, id))?;
        let referring = match on {
            OnReferenced::Force => Referrers { seen: Vec::new(), hidden: Vec::new() },
            _ => refs::referring(work.exec(), place, id)?,
        };
        let referrers = referring.seen;
        match on {
            OnReferenced::Restrict if !referrers.is_empty() => return Err(referenced(&referrers)),
            OnReferenced::Unlink => unlink(session, work, place, id, &referrers)?,
            _ => {}
        }
        if matches!(on, OnReferenced::Restrict | OnReferenced::Unlink) {
            hidden_make_way(work, place, &referring.hidden)?;
        }
        let version = rows::delete(work, place, id)?;
        refs::remove(work.exec(), place, id)?;
        work.after.tallies.add(place.project, place.table, Tally::DELETED);
        rows::audit(work, place, id, "aux.deleted", version, "deleted")?;
        Ok(referrers)
    })
}

/// Entries that a bulk write under way has made, and that refer to what is deleted: it judges them again.
fn hidden_make_way(work: &mut Work<'_>, place: Place<'_>, hidden: &[Referrer]) -> Result<()> {
    if hidden.len() > MOST_HIDDEN {
        let message = "a bulk write under way refers to this entry; delete it when that has ended";
        return Err(Error::new(ErrorCode::Busy, message));
    }
    hidden.iter().try_for_each(|one| unseen::make_way(work.exec(), Place { table: &one.table, ..place }, &one.id))
}

fn referenced(referrers: &[Referrer]) -> Error {
    let first = &referrers[0];
    let more = if referrers.len() > 1 { format!(" and {} more", referrers.len() - 1) } else { String::new() };
    let message = format!(
        "{} {} refers to it in {}{more}; unlink them, or delete with warn or force",
        first.table, first.id, first.field
    );
    Error::new(ErrorCode::Referenced, message).with_details(json!({ "referrers": referrers }))
}

fn unlink(session: Session<'_>, work: &mut Work<'_>, place: Place<'_>, id: &str, referrers: &[Referrer]) -> Result<()> {
    let mut done: Option<(&str, &str)> = None;
    // They are sorted, so an entry that refers by several fields stands in a row.
    for one in referrers {
        if done.replace((&one.table, &one.id)) != Some((&one.table, &one.id)) {
            unlink_one(session, work, Place { table: &one.table, ..place }, &one.id, (place.table, id))?;
        }
    }
    Ok(())
}

fn unlink_one(
    session: Session<'_>,
    work: &mut Work<'_>,
    referrer: Place<'_>,
    referrer_id: &str,
    (table, id): (&str, &str),
) -> Result<()> {
    let rules: Rules = bound::to_write(session, work, referrer, false)?;
    let Some(stored) = rows::find(work.exec(), referrer, referrer_id, true)? else { return Ok(()) };
    let old = stored.map();
    let mut new = old.clone();
    refs::unlink(rules.preset.keywords(), &mut new, table, id);
    let judged =
        rules.judge(new.clone(), super::changes::summary(&old, &new)).map_err(|error| of(&error, referrer_id))?;
    crud::supersede(work, referrer, referrer_id, stored, &judged, Change::Written).map(drop)
}

/// The error of an entry that cannot do without the reference, with its id.
fn of(error: &Error, id: &str) -> Error {
    let violations = error.violations_list();
    let named = violations.into_iter().map(|one| Violation { id: Some(id.to_owned()), ..one }).collect();
    Error::violations(error.code(), named)
}
