//! The transaction of a bulk write: from the temporary tables into the store, by sets.

use super::created::Common;
use super::merging::Merging;
use super::prepare::Prepared;
use super::{Others, fresh, tell};
use crate::aux_store::bound;
use crate::aux_store::document::Rules;
use crate::aux_store::model::{BulkOptions, BulkReport};
use crate::aux_store::rows::Place;
use crate::aux_store::unseen;
use crate::error::{Error, ErrorCode, Result};
use crate::presets::lock_bulk;
use crate::session::{Session, Work, present};

/// Merges rows into the table; `None` where it is not `alone` there and others came in between: nothing is to be kept then.
///
/// Alone, it keeps all others from writing the table until the end (PostgreSQL; SQLite has one writer anyway). Else only from
/// the entries that it writes: where a table has neither keys nor references, and none of its entries is to be deleted.
pub(super) fn merge(
    session: Session<'_>,
    work: &mut Work<'_>,
    place: Place<'_>,
    prepared: &Prepared,
    options: BulkOptions,
    others: Others,
    alone: bool,
) -> Result<Option<BulkReport>> {
    if !alone {
        lock_bulk(work, place.project, place.table)?;
    }
    let rules = same_rules(session, work, place, prepared, alone)?;
    let others = prepared.others(others);
    if others == Others::AreDeleted {
        bound::know_referrers(session, work, place)?;
    }
    let mut report = BulkReport { errors: prepared.errors.clone(), ..BulkReport::default() };
    let fresh = prepared.fresh && !rules.links() && unseen::under_way(work.exec(), place)?.is_none();
    let created = if fresh { fresh::load(work, place, &prepared.spool)? } else { None };
    match created {
        Some(created) => report.created = created,
        None => {
            let options_of_store = work.options();
            let at = present(work.exec(), options_of_store)?.into();
            let common = Common::new(work, place, at);
            let (spool, mode) = (&prepared.spool, options.mode);
            let merging = Merging::new(work.exec(), place, &rules, spool, mode, others, alone, common, report);
            match merging.run(&prepared.refused)? {
                Some(done) => report = done,
                None => return Ok(None),
            }
        }
    }
    tell::audit(work, place, &report, prepared.rows)?;
    Ok(Some(report))
}

/// The rules by which the rows were judged, if they still hold; the table is locked.
pub(super) fn same_rules(
    session: Session<'_>,
    work: &mut Work<'_>,
    place: Place<'_>,
    prepared: &Prepared,
    alone: bool,
) -> Result<Rules> {
    let rules = bound::to_write(session, work, place, alone)?;
    if rules.preset.schema() == prepared.rules.preset.schema() {
        return Ok(rules);
    }
    let message = "the table was bound to another preset while the rows were read; try again";
    Err(Error::new(ErrorCode::Conflict, message))
}
