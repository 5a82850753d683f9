//! Into a table that holds nothing and never did: no entry to compare with, so the rows go where they belong at once.

use super::spool::{Judged, Spool};
use super::stage::document;
use crate::aux_store::rows::Place;
use crate::aux_store::search;
use crate::db::{Dialect, Value};
use crate::error::{ErrorCode, Result};
use crate::session::{Work, present};

const COLUMNS: [&str; 11] = [
    "project_id",
    "table_name",
    "id",
    "payload",
    "hash",
    "search_text",
    "version",
    "last_updated",
    "actor",
    "reason",
    "change_summary",
];

/// Writes all rows and says how many; `None`, and nothing is written, where the table is not empty or an id comes twice.
pub(super) fn load(work: &mut Work<'_>, place: Place<'_>, spool: &Spool) -> Result<Option<u64>> {
    if holds_any(work, place, "sprongus_aux_entries")? || holds_any(work, place, "sprongus_aux_versions")? {
        return Ok(None);
    }
    let common = Common::of(work, place)?;
    work.exec().batch("SAVEPOINT sprongus_fresh")?;
    let dialect = work.dialect();
    let mut rows = spool.iter()?.map(|row| row.map(|row| common.values(dialect, row)));
    let loaded = work.exec().load("sprongus_aux_entries", &COLUMNS, &mut rows);
    let (undo, loaded) = match loaded {
        // A rival's entry that came and went in between has left versions.
        Ok(_) if holds_any(work, place, "sprongus_aux_versions")? => ("ROLLBACK TO SAVEPOINT sprongus_fresh; ", None),
        Ok(loaded) => {
            search::mark(work.exec(), place, common.at.clone())?;
            ("", Some(loaded))
        }
        Err(error) if error.code() == ErrorCode::Conflict => ("ROLLBACK TO SAVEPOINT sprongus_fresh; ", None),
        Err(error) => return Err(error),
    };
    work.exec().batch(&format!("{undo}RELEASE SAVEPOINT sprongus_fresh"))?;
    Ok(loaded)
}

fn holds_any(work: &mut Work<'_>, place: Place<'_>, table: &str) -> Result<bool> {
    let any = format!("SELECT 1 FROM {table} WHERE project_id = $1 AND table_name = $2 LIMIT 1");
    Ok(!work.query(&any, &[place.project.into(), place.table.into()])?.is_empty())
}

/// What all rows have alike.
struct Common<'p> {
    place: Place<'p>,
    at: Value<'static>,
    actor: String,
    reason: Option<String>,
}

impl<'p> Common<'p> {
    fn of(work: &mut Work<'_>, place: Place<'p>) -> Result<Self> {
        // COPY takes values, no expressions.
        let options = work.options();
        let at = present(work.exec(), options)?.into();
        let who = work.who();
        let reason = who.reason.as_ref().map(|reason| reason.to_string());
        Ok(Self { place, at, actor: who.actor.to_string(), reason })
    }

    fn values(&self, dialect: Dialect, row: Judged) -> Vec<Value<'static>> {
        vec![
            self.place.project.to_owned().into(),
            self.place.table.to_owned().into(),
            row.id.into(),
            document(dialect, row.payload),
            row.hash.into(),
            row.search_text.into(),
            Value::Int(1),
            self.at.clone(),
            self.actor.clone().into(),
            self.reason.clone().into(),
            row.summary.into(),
        ]
    }
}
