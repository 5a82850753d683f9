//! Many rows at once: read, judged and spooled with nothing held, then merged in one short transaction.

mod again;
mod batch;
mod changes;
mod created;
mod doomed;
mod entries;
mod fresh;
mod ids;
mod judges;
mod keyed;
mod links;
mod merge;
mod merging;
mod pace;
mod prepare;
mod removal;
mod rivals;
mod settle;
mod spool;
mod stage;
mod stepped;
mod tell;

use super::import::{BadRow, Content};
use super::model::{BulkOptions, BulkReport, OnError};
use super::rows::Place;
use crate::error::{Error, ErrorCode, Result};
use crate::session::Session;

pub(super) use batch::clear_dead;
pub(crate) use batch::dead_batches;
pub(super) use prepare::{Prepared, is_of_row, prepare, violations};

/// Told how many rows are done, and of how many where that is known; an error ends the call and leaves nothing.
pub type Progress<'p> = &'p mut dyn FnMut(u64, Option<u64>) -> Result<()>;

/// One row of a source, or what is wrong with it.
pub(super) type Given = (u64, Result<Content, BadRow>);

/// What becomes of entries that were not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    Stay,
    AreDeleted,
}

/// What is wrong with the rows where some are wrong by themselves: what only the table tells of the others is looked for too.
fn all_errors(
    session: Session<'_>,
    place: Place<'_>,
    prepared: &Prepared,
    options: BulkOptions,
    others: Others,
) -> Result<Error> {
    if !prepared.rules.links() {
        return Ok(Error::validation(prepared.errors.clone()));
    }
    let look = BulkOptions { on_error: OnError::Report, dry_run: true, ..options };
    let mut errors = write(session, place, prepared, look, others)?.errors;
    errors.sort_by_key(|one| one.row);
    Ok(Error::validation(errors))
}

/// Writes what was prepared, or only says what would be.
pub(super) fn write(
    session: Session<'_>,
    place: Place<'_>,
    prepared: &Prepared,
    options: BulkOptions,
    others: Others,
) -> Result<BulkReport> {
    let abort = options.on_error == OnError::Abort;
    if abort && !prepared.errors.is_empty() {
        return Err(all_errors(session, place, prepared, options, others)?);
    }
    if stepped::suits(session, prepared)
        && let Some(report) = stepped::write(session, place, prepared, options, others)?
    {
        return Ok(report);
    }
    if !options.dry_run {
        clear_dead(session, place)?;
    }
    let among_others = stepped::many(session, prepared) && !prepared.rules.links() && others == Others::Stay;
    let mut report = None;
    let written = session.write_bulk(|work| {
        let mut done = None;
        if among_others {
            let among = |work: &mut _| merge::merge(session, work, place, prepared, options, others, false);
            done = work.attempt(among, Option::is_some)?;
        }
        if done.is_none() {
            done = merge::merge(session, work, place, prepared, options, others, true)?;
        }
        let Some(done) = done else { return Err(Error::new(ErrorCode::Busy, "others wrote the table in between")) };
        let refused = abort && !done.errors.is_empty();
        report = Some(done);
        // An error undoes the work; it is not the one the caller sees.
        if refused || options.dry_run { Err(Error::new(ErrorCode::InvalidState, "undone")) } else { Ok(()) }
    });
    match (report, written) {
        (Some(report), _) if abort && !report.errors.is_empty() => Err(Error::validation(report.errors)),
        (Some(report), Err(_)) if options.dry_run => Ok(BulkReport { dry_run: true, ..report }),
        (Some(report), Ok(())) => Ok(report),
        (_, Err(error)) => Err(error),
        (None, Ok(())) => Err(Error::new(ErrorCode::Panic, "the rows were written without a report")),
    }
}
