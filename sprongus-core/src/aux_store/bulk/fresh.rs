//! Into a table that holds nothing and never did: no entry to compare with, so the rows go where they belong at once.

use std::borrow::Cow;

use super::created::{COLUMNS, Common};
use super::spool::Spool;
use crate::aux_store::rows::{Place, holds_any};
use crate::aux_store::search;
use crate::error::{ErrorCode, Result};
use crate::session::{Work, present};

/// Writes all rows and says how many; `None`, and nothing is written, where the table is not empty or an id comes twice.
pub(super) fn load(work: &mut Work<'_>, place: Place<'_>, spool: &Spool) -> Result<Option<u64>> {
    if holds_any(work.exec(), place, "sprongus_aux_entries")? || holds_any(work.exec(), place, "sprongus_aux_versions")?
    {
        return Ok(None);
    }
    // COPY takes values, no expressions.
    let options = work.options();
    let at = present(work.exec(), options)?.into();
    let common = Common::new(work, place, at);
    let load = |work: &mut Work<'_>| {
        let dialect = work.dialect();
        let mut rows = spool.iter()?.map(|row| row.map(|row| common.values(dialect, Cow::Owned(row))));
        match work.exec().load("sprongus_aux_entries", &COLUMNS, &mut rows) {
            // A rival's entry that came and went in between has left versions.
            Ok(_) if holds_any(work.exec(), place, "sprongus_aux_versions")? => Ok(None),
            Ok(loaded) => {
                search::mark(work.exec(), place, common.at.clone())?;
                Ok(Some(loaded))
            }
            Err(error) if error.code() == ErrorCode::Conflict => Ok(None),
            Err(error) => Err(error),
        }
    };
    work.attempt(load, Option::is_some)
}
