//! What documents of a table must obey, read where they are written.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::document::Rules;
use super::index;
use super::rows::{self, Place};
use crate::db::Executor;
use crate::error::Result;
use crate::presets::{Compiled, Keywords, for_table, lock_table, referring_tables};
use crate::session::{Session, Work};

/// The rules of a table whose preset is that one.
pub(super) fn rules(session: Session<'_>, place: Place<'_>, preset: Arc<Compiled>) -> Rules {
    let fingerprint = search_fingerprint(preset.keywords());
    Rules {
        preset,
        project: place.project.to_owned(),
        table: place.table.to_owned(),
        max_payload_bytes: session.options().max_payload_bytes,
        check_secrets: session.options().check_secrets,
        fingerprint,
    }
}

/// The rules of a table, where nothing is to be written yet.
pub(super) fn read(session: Session<'_>, exec: &mut dyn Executor, place: Place<'_>) -> Result<Rules> {
    Ok(rules(session, place, for_table(session, exec, place.project, place.table)?))
}

/// The rules of a table that is about to be written: it is locked, and its keys are those of its preset.
pub(super) fn to_write(session: Session<'_>, work: &mut Work<'_>, place: Place<'_>, alone: bool) -> Result<Rules> {
    lock_table(work, place.project, place.table, alone)?;
    let rules = read(session, work.exec(), place)?;
    index::ensure(work.exec(), place, &rules)?;
    Ok(rules)
}

/// The same for an entry of that id, which will be looked for next.
pub(super) fn to_write_one(session: Session<'_>, work: &mut Work<'_>, place: Place<'_>, id: &str) -> Result<Rules> {
    lock_table(work, place.project, place.table, false)?;
    rows::expect(work.exec(), place, id)?;
    let rules = read(session, work.exec(), place)?;
    index::ensure(work.exec(), place, &rules)?;
    Ok(rules)
}

/// Sees to it that the references to a table are known: one that was bound since to a preset that refers to it has none
/// before it is written.
pub(super) fn know_referrers(session: Session<'_>, work: &mut Work<'_>, place: Place<'_>) -> Result<()> {
    for table in referring_tables(session, work.exec(), place.project, place.table)? {
        to_write(session, work, Place { table: &table, ..place }, false)?;
    }
    Ok(())
}

/// [`search_fingerprint`] of no fields, which is all of them: the hash of nothing.
const OF_ALL: &str = "e3b0c442\u{1f}";

/// Stands before a stored search text and names the fields it was made of: eight digits and a separator.
pub(super) fn search_fingerprint(keywords: &Keywords) -> String {
    if keywords.search.is_empty() {
        return OF_ALL.to_owned();
    }
    let fields: Vec<String> = keywords.search.iter().map(ToString::to_string).collect();
    let hash = Sha256::digest(fields.join("\n"));
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).chain(["\u{1f}".to_owned()]).collect()
}
