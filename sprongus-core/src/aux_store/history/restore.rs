//! The way back to an earlier version.

use serde_json::{Map, Value};

use super::versions::{no_version, version};
use crate::aux_store::bound;
use crate::aux_store::crud::{self, Change};
use crate::aux_store::document::Rules;
use crate::aux_store::model::Entry;
use crate::aux_store::rows::{self, Place, not_found, object};
use crate::error::{Error, ErrorCode, Result};
use crate::id::check_id;
use crate::presets::put_identity;
use crate::session::{Session, Work};

/// Makes the document of a version the present one; a deleted entry comes back.
pub(in crate::aux_store) fn restore(session: Session<'_>, place: Place<'_>, id: &str, number: i64) -> Result<Entry> {
    check_id("id", id)?;
    session.write(|work| {
        let rules = bound::to_write(session, work, place, false)?;
        crud::while_rivals_create(|| restore_once(work, place, &rules, id, number))
    })
}

/// `None` where a rival created the entry after we looked.
fn restore_once(work: &mut Work<'_>, place: Place<'_>, rules: &Rules, id: &str, number: i64) -> Result<Option<Entry>> {
    let stored = rows::find(work.exec(), place, id, true)?;
    let Some(found) = version(work.exec(), place, id, number)? else {
        let known = stored.is_some() || version(work.exec(), place, id, 1)?.is_some();
        return Err(if known { no_version(place, id, number) } else { not_found(place, id) });
    };
    let Some(snapshot) = found.snapshot else {
        let message = format!("version {number} of the entry {id:?} is its deletion; restore the one before");
        return Err(Error::new(ErrorCode::InvalidState, message));
    };
    let mut document: Map<String, Value> = object(&snapshot);
    // The preset of that time may have shown the id in another field.
    rules.identity(&mut document, Some(id))?;
    put_identity(&mut document, &rules.preset, id);
    let judged = rules.judge(document, format!("restored from {number}"))?;
    match stored {
        Some(stored) => crud::supersede(work, place, id, stored, &judged, Change::Restored).map(Some),
        None => crud::insert(work, place, id, &judged, Change::Restored),
    }
}
