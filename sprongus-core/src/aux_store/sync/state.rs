//! What both sides had when an entry was last synced, and a temporary table of what a sync is about to do.

use super::decide::{Action, Base, Hash, Local, Push, Pushing};
use super::plan::Planned;
use crate::aux_store::rows::{self, Place};
use crate::aux_store::unseen;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::{Error, ErrorCode, Result};

/// A table of a project and the name of what it is synced with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'p> {
    pub(super) place: Place<'p>,
    pub(super) provider: &'p str,
}

impl Pair<'_> {
    /// `$1` to `$3`.
    pub(super) fn params(&self) -> [Value<'_>; 3] {
        [self.place.project.into(), self.place.table.into(), self.provider.into()]
    }

    /// The same, and one more.
    fn with<'v>(&'v self, more: Value<'v>) -> [Value<'v>; 4] {
        let [project, table, provider] = self.params();
        [project, table, provider, more]
    }
}

/// Rows of a page.
const PAGE: i64 = 2_000;

/// The entries of the table after an id, in order; the last page is a short one.
pub(super) fn locals(exec: &mut dyn Executor, place: Place<'_>, after: &str) -> Result<Vec<(String, Local)>> {
    unseen::refuse_another(exec, place)?;
    let sql = "SELECT id, hash, version, last_updated FROM sprongus_aux_entries \
               WHERE project_id = $1 AND table_name = $2 AND id > $3 ORDER BY id LIMIT $4";
    let read = |row: &Row| {
        let local =
            Local { hash: hash(&row.opt_bytes(1)?.unwrap_or_default())?, version: row.int(2)?, at: row.time(3)? };
        Ok((row.text(0)?, local))
    };
    exec.query(sql, &[place.project.into(), place.table.into(), after.into(), PAGE.into()])?.iter().map(read).collect()
}

/// What both sides had, of the entries after an id, in order.
pub(super) fn bases(exec: &mut dyn Executor, pair: Pair<'_>, after: &str) -> Result<Vec<(String, Base)>> {
    let sql = format!(
        "SELECT id, remote_hash, local_hash, pushing FROM sprongus_sync_entries \
         WHERE project_id = $1 AND table_name = $2 AND provider = $3 AND id > $4 ORDER BY id LIMIT {PAGE}"
    );
    let read = |row: &Row| {
        let both = match (row.opt_bytes(1)?, row.opt_bytes(2)?) {
            (Some(remote), Some(local)) => Some((hash(&remote)?, hash(&local)?)),
            _ => None,
        };
        let pushing = match row.opt_bytes(3)?.as_deref() {
            None => None,
            Some([]) => Some(Pushing::Nothing),
            Some(bytes) => Some(Pushing::Document(hash(bytes)?)),
        };
        Ok((row.text(0)?, Base { both, pushing }))
    };
    exec.query(&sql, &pair.with(after.into()))?.iter().map(read).collect()
}

/// Whether that many are a whole page, after which there may be more.
pub(super) fn is_whole(rows: usize) -> bool {
    rows as i64 == PAGE
}

pub(super) fn hash(bytes: &[u8]) -> Result<Hash> {
    Hash::try_from(bytes).map_err(|_| Error::new(ErrorCode::Corrupt, "a stored SHA-256 has not 32 bytes"))
}

/// What is noted of each entry: 'agreed', with the provider's hash; 'gone'; 'pushing', with the hash of what is pushed.
const COLUMNS: [&str; 4] = ["id", "what", "version", "hash"];

/// Fills the temporary table. `version`: that of the entry the decision was made over, 0 for none; it is looked at again
/// where the table is to change or the hash of the entry is to be kept.
pub(super) fn stage(exec: &mut dyn Executor, planned: &[Planned], remote: &dyn Fn(&Planned) -> Hash) -> Result<()> {
    let (text, number, bytes) = match exec.dialect() {
        Dialect::Sqlite => ("TEXT", "INTEGER", "BLOB"),
        Dialect::Postgres => ("TEXT COLLATE \"C\"", "BIGINT", "BYTEA"),
    };
    exec.batch(&format!(
        "CREATE TEMP TABLE sprongus_sync_stage (id {text} NOT NULL PRIMARY KEY, what {text} NOT NULL, version {number}, hash {bytes})"
    ))?;
    let mut rows = planned.iter().filter_map(|one| {
        let (what, version, hash) = match one.decision.action {
            Action::Take | Action::Agree => ("agreed", Some(one.version), Some(remote(one).to_vec())),
            Action::Drop | Action::Forget => ("gone", Some(one.version), None),
            Action::Push(Push::Create(hash) | Push::Update(hash)) => ("pushing", None, Some(hash.to_vec())),
            Action::Push(Push::Delete) => ("pushing", None, Some(Vec::new())),
            Action::Leave(_) => return None,
        };
        Some(Ok(vec![one.id.to_string().into(), what.into(), version.into(), hash.into()]))
    });
    exec.load("sprongus_sync_stage", &COLUMNS, &mut rows)?;
    if exec.dialect() == Dialect::Postgres {
        exec.batch("ANALYZE sprongus_sync_stage")?;
    }
    Ok(())
}

/// Whether an entry was written since its decision was made.
pub(super) fn is_stale(exec: &mut dyn Executor, place: Place<'_>) -> Result<bool> {
    unseen::refuse_another(exec, place)?;
    let sql = "SELECT 1 FROM sprongus_sync_stage s LEFT JOIN sprongus_aux_entries e \
               ON e.project_id = $1 AND e.table_name = $2 AND e.id = s.id \
               WHERE s.version IS NOT NULL AND coalesce(e.version, 0) <> s.version LIMIT 1";
    Ok(!exec.query(sql, &[place.project.into(), place.table.into()])?.is_empty())
}

/// Keeps what is staged, but for these ids, whose documents were refused; the temporary table goes.
pub(super) fn keep_staged(exec: &mut dyn Executor, pair: Pair<'_>, refused: &[&str]) -> Result<()> {
    for id in refused {
        exec.execute("DELETE FROM sprongus_sync_stage WHERE id = $1", &[(*id).into()])?;
    }
    let into =
        "INSERT INTO sprongus_sync_entries (project_id, table_name, provider, id, remote_hash, local_hash, pushing)";
    let agreed = format!(
        "{into} SELECT $1, $2, $3, s.id, s.hash, e.hash, NULL FROM sprongus_sync_stage s JOIN sprongus_aux_entries e \
         ON e.project_id = $1 AND e.table_name = $2 AND e.id = s.id WHERE s.what = 'agreed' \
         ON CONFLICT (project_id, table_name, provider, id) DO UPDATE SET remote_hash = excluded.remote_hash, \
         local_hash = excluded.local_hash, pushing = NULL"
    );
    let pushing = format!(
        "{into} SELECT $1, $2, $3, s.id, NULL, NULL, s.hash FROM sprongus_sync_stage s WHERE s.what = 'pushing' \
         ON CONFLICT (project_id, table_name, provider, id) DO UPDATE SET pushing = excluded.pushing"
    );
    let gone = "DELETE FROM sprongus_sync_entries WHERE project_id = $1 AND table_name = $2 AND provider = $3 \
                AND id IN (SELECT s.id FROM sprongus_sync_stage s WHERE s.what = 'gone')";
    for sql in [agreed.as_str(), pushing.as_str(), gone] {
        exec.execute(sql, &pair.params())?;
    }
    exec.batch("DROP TABLE sprongus_sync_stage")
}

/// A push arrived: both sides have what was pushed.
pub(super) fn pushed(exec: &mut dyn Executor, pair: Pair<'_>, written: &[&str], deleted: &[&str]) -> Result<()> {
    let of = match exec.dialect() {
        Dialect::Sqlite => {
            "project_id = $1 AND table_name = $2 AND provider = $3 AND id IN (SELECT value FROM json_each($4))"
        }
        Dialect::Postgres => "project_id = $1 AND table_name = $2 AND provider = $3 AND id = ANY ($4::text[])",
    };
    let update = format!(
        "UPDATE sprongus_sync_entries SET remote_hash = pushing, local_hash = pushing, pushing = NULL \
         WHERE {of} AND length(pushing) > 0"
    );
    exec.execute(&update, &pair.with(rows::ids(written)))?;
    exec.execute(&format!("DELETE FROM sprongus_sync_entries WHERE {of}"), &pair.with(rows::ids(deleted))).map(drop)
}
