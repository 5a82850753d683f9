//! The SQL of single entries.

use std::collections::BTreeSet;

use serde_json::{Map, Value as JsonValue};

use super::document::Judged;
use super::keys::KeyRow;
use super::model::Entry;
use super::search;
use super::single;
use super::unseen;
use crate::clock::Timestamp;
use crate::db::{Dialect, Executor, Row, Value};
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::events::{NewEvent, append, next_seq};
use crate::json::{Json, quote};
use crate::session::Work;

/// A table of a project.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) project: &'p str,
    pub(super) table: &'p str,
}

impl Place<'_> {
    /// What events of the whole table are about: `aux:PROJECT/TABLE`. A slash within a name is written `%2F`, or two names
    /// could be told apart no more.
    pub(super) fn subject(self) -> String {
        let part = |name: &str| name.replace('%', "%25").replace('/', "%2F");
        format!("aux:{}/{}", part(self.project), part(self.table))
    }
}

/// What is stored of an entry.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) payload: Json,
    pub(super) hash: Vec<u8>,
    pub(super) version: i64,
    pub(super) last_updated: Timestamp,
}

impl Stored {
    /// The payload as a map.
    pub(super) fn map(&self) -> Map<String, JsonValue> {
        object(&self.payload)
    }

    pub(super) fn entry(self, place: Place<'_>, id: &str, warnings: Vec<Violation>) -> Entry {
        let Self { payload, version, last_updated, .. } = self;
        let (project_id, table_name) = (place.project.to_owned(), place.table.to_owned());
        Entry { id: id.to_owned(), project_id, table_name, payload, version, last_updated, warnings }
    }
}

/// A stored payload as a map: it is an object, for nothing else is let in.
pub(super) fn object(payload: &Json) -> Map<String, JsonValue> {
    match payload.to_value() {
        JsonValue::Object(map) => map,
        _ => Map::new(),
    }
}

/// The table of entries. What they are to be read from is told by [`unseen::entries`].
pub(super) const ENTRIES: &str = "sprongus_aux_entries";

/// The entries of the table `$1`, `$2` that have one of the [`ids`] in `$3`, to select from.
///
/// Until a table is analyzed PostgreSQL takes it for one row, and would read all of it at each such question. LATERAL and
/// OFFSET 0 are a fence: it can only look up one id after the other.
pub(super) fn named(exec: &mut dyn Executor, place: Place<'_>) -> Result<String> {
    Ok(match exec.dialect() {
        Dialect::Sqlite => format!("({}) AS named", unseen::named(exec, place)?),
        Dialect::Postgres => format!(
            "(SELECT entry.* FROM unnest($3::text[]) AS given (id) CROSS JOIN LATERAL (SELECT * FROM {ENTRIES} \
             WHERE project_id = $1 AND table_name = $2 AND id = given.id OFFSET 0) AS entry) AS named"
        ),
    })
}

/// Ids as an array parameter, each of them once.
pub(super) fn ids(ids: &[&str]) -> Value<'static> {
    let ids: BTreeSet<&str> = ids.iter().copied().collect();
    Value::Array(ids.into_iter().map(|id| Value::from(id.to_owned())).collect())
}

/// Whether one of the library's tables (of entries, of versions) has any row of a table.
pub(super) fn holds_any(exec: &mut dyn Executor, place: Place<'_>, of: &str) -> Result<bool> {
    let any = format!("SELECT 1 FROM {of} WHERE project_id = $1 AND table_name = $2 LIMIT 1");
    Ok(!exec.query(&any, &[place.project.into(), place.table.into()])?.is_empty())
}

/// How many entries a table has.
pub(super) fn count(exec: &mut dyn Executor, place: Place<'_>) -> Result<u64> {
    let entries = unseen::entries(exec, place)?;
    let sql = format!("SELECT count(*) FROM {entries} WHERE project_id = $1 AND table_name = $2");
    let rows = exec.query(&sql, &[place.project.into(), place.table.into()])?;
    rows.first().map_or(Ok(0), |row| Ok(row.int(0)?.unsigned_abs()))
}

/// An entry, if it is there; with `lock`, for one who will write it: it is kept from others until the end of the transaction.
pub(super) fn find(exec: &mut dyn Executor, place: Place<'_>, id: &str, lock: bool) -> Result<Option<Stored>> {
    let entries = match exec.dialect() {
        Dialect::Sqlite if lock => {
            unseen::make_way(exec, place, id)?;
            ENTRIES
        }
        // One statement, for this may be all there is to a read.
        Dialect::Sqlite => unseen::SEEN,
        Dialect::Postgres => ENTRIES,
    };
    let lock = if lock && exec.dialect() == Dialect::Postgres { " FOR UPDATE" } else { "" };
    let rows = exec.query(&found_in(entries, lock), &[place.project.into(), place.table.into(), id.into()])?;
    rows.first().map(read_stored).transpose()
}

/// Says that the entry will be looked for to be written, before anything else is: one round trip fewer on PostgreSQL.
pub(super) fn expect(exec: &mut dyn Executor, place: Place<'_>, id: &str) -> Result<()> {
    match exec.dialect() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => {
            exec.expect(&found_in(ENTRIES, " FOR UPDATE"), &[place.project.into(), place.table.into(), id.into()])
        }
    }
}

fn found_in(entries: &str, lock: &str) -> String {
    format!(
        "SELECT payload, hash, version, last_updated FROM {entries} \
         WHERE project_id = $1 AND table_name = $2 AND id = $3{lock}"
    )
}

fn read_stored(row: &Row) -> Result<Stored> {
    let payload = row.json(0)?;
    let hash = row.opt_bytes(1)?.unwrap_or_else(|| payload.hash().to_vec());
    Ok(Stored { payload, hash, version: row.int(2)?, last_updated: row.time(3)? })
}

/// Creates an entry; `None` where one of that id is there.
pub(super) fn insert(work: &mut Work<'_>, place: Place<'_>, id: &str, doc: &Judged) -> Result<Option<Stored>> {
    if work.dialect() == Dialect::Sqlite {
        return single::insert(work, place, id, doc);
    }
    let sql = format!(
        "INSERT INTO sprongus_aux_entries \
         (project_id, table_name, id, payload, hash, search_text, version, last_updated, actor, reason, change_summary) \
         VALUES ($1, $2, $3, $4, $5, $6, 1 + coalesce((SELECT max(version) FROM sprongus_aux_versions \
         WHERE project_id = $1 AND table_name = $2 AND id = $3), 0), {}, $8, $9, $10) \
         ON CONFLICT (project_id, table_name, id) DO NOTHING RETURNING version, last_updated",
        work.dialect().now(7)
    );
    let params = params(work, place, id, doc);
    let rows = search::write_marked(work, &sql, &params)?;
    rows.first().map(|row| written(row, doc)).transpose()
}

/// Gives an entry its next version, and keeps the one it had.
pub(super) fn update(work: &mut Work<'_>, place: Place<'_>, id: &str, doc: &Judged) -> Result<Stored> {
    keep_version(work.exec(), place, id)?;
    if work.dialect() == Dialect::Sqlite {
        return single::update(work, place, id, doc);
    }
    let sql = format!(
        "UPDATE sprongus_aux_entries SET payload = $4, hash = $5, search_text = $6, version = version + 1, \
         last_updated = {}, actor = $8, reason = $9, change_summary = $10 \
         WHERE project_id = $1 AND table_name = $2 AND id = $3 RETURNING version, last_updated",
        work.dialect().now(7)
    );
    let params = params(work, place, id, doc);
    let rows = search::write_marked(work, &sql, &params)?;
    rows.first().map_or_else(|| Err(not_found(place, id)), |row| written(row, doc))
}

pub(super) fn params<'v>(work: &Work<'_>, place: Place<'v>, id: &'v str, doc: &'v Judged) -> [Value<'v>; 10] {
    let who = work.who();
    [
        place.project.into(),
        place.table.into(),
        id.into(),
        work.dialect().json(&doc.json),
        doc.hash.as_slice().into(),
        doc.search_text.as_str().into(),
        work.now(),
        who.actor.to_string().into(),
        who.reason.as_ref().map(|reason| reason.to_string()).into(),
        doc.summary.as_str().into(),
    ]
}

fn written(row: &Row, doc: &Judged) -> Result<Stored> {
    let (payload, hash) = (doc.json.clone(), doc.hash.to_vec());
    Ok(Stored { payload, hash, version: row.int(0)?, last_updated: row.time(1)? })
}

/// Copies an entry to the versions, before it is superseded.
fn keep_version(exec: &mut dyn Executor, place: Place<'_>, id: &str) -> Result<()> {
    let sql = format!(
        "{} INTO sprongus_aux_versions \
         (project_id, table_name, id, version, snapshot, change_summary, actor, reason, at) \
         SELECT project_id, table_name, id, version, payload, change_summary, actor, reason, last_updated \
         FROM sprongus_aux_entries WHERE project_id = $1 AND table_name = $2 AND id = $3",
        exec.dialect().insert()
    );
    exec.execute_soon(&sql, &[place.project.into(), place.table.into(), id.into()])
}

/// Deletes an entry, which is a version too; that version.
pub(super) fn delete(work: &mut Work<'_>, place: Place<'_>, id: &str) -> Result<i64> {
    keep_version(work.exec(), place, id)?;
    let sql = format!(
        "INSERT INTO sprongus_aux_versions (project_id, table_name, id, version, snapshot, change_summary, actor, reason, at) \
         SELECT project_id, table_name, id, version + 1, NULL, 'deleted', $5, $6, {} \
         FROM sprongus_aux_entries WHERE project_id = $1 AND table_name = $2 AND id = $3 RETURNING version",
        work.dialect().now(4)
    );
    let who = work.who();
    let reason = who.reason.as_ref().map(|reason| reason.to_string());
    let params =
        [place.project.into(), place.table.into(), id.into(), work.now(), who.actor.to_string().into(), reason.into()];
    let version = work.query(&sql, &params)?.first().map_or_else(|| Err(not_found(place, id)), |row| row.int(0))?;
    let of_entry = [place.project.into(), place.table.into(), id.into()];
    work.execute("DELETE FROM sprongus_aux_entries WHERE project_id = $1 AND table_name = $2 AND id = $3", &of_entry)?;
    remove_keys(work.exec(), place, id)?;
    Ok(version)
}

/// The keys of the table `$1`, `$2`, for one who asks for those of certain entries. The plus keeps SQLite from reading all of
/// them: without statistics it takes their number for that of an entry's.
pub(super) const fn keys_of_table(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "+project_id = $1 AND +table_name = $2",
        Dialect::Postgres => "project_id = $1 AND table_name = $2",
    }
}

/// Forgets the keys of an entry.
pub(super) fn remove_keys(exec: &mut dyn Executor, place: Place<'_>, id: &str) -> Result<()> {
    let sql = format!("DELETE FROM sprongus_aux_keys WHERE {} AND entry_id = $3", keys_of_table(exec.dialect()));
    exec.execute_soon(&sql, &[place.project.into(), place.table.into(), id.into()])
}

/// Writes the keys of an entry that has none stored; `conflict` where a unique one is taken.
pub(super) fn insert_keys(exec: &mut dyn Executor, place: Place<'_>, id: &str, keys: &[KeyRow]) -> Result<()> {
    for one in keys {
        let written = insert_key(exec, place, id, one)?
            || (unseen::holder_makes_way(exec, place, &one.field, &one.key)? && insert_key(exec, place, id, one)?);
        if !written {
            return Err(taken(one));
        }
    }
    Ok(())
}

/// Writes one key; false where it is taken.
pub(super) fn insert_key(exec: &mut dyn Executor, place: Place<'_>, id: &str, key: &KeyRow) -> Result<bool> {
    let sql = "INSERT INTO sprongus_aux_keys (project_id, table_name, field, key, entry_id, is_unique) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let (field, bytes) = (key.field.as_str(), key.key.as_slice());
    let params: [Value<'_>; 6] =
        [place.project.into(), place.table.into(), field.into(), bytes.into(), id.into(), key.unique.into()];
    Ok(exec.execute(sql, &params)? > 0)
}

/// What is wrong with a value that another entry has.
pub(super) fn unique_violation(pointer: &str) -> Violation {
    Violation::new(pointer, "unique", "another entry of this table has this value")
}

fn taken(key: &KeyRow) -> Error {
    Error::violations(ErrorCode::Conflict, vec![unique_violation(&key.pointer)])
}

/// Tells of a change to one entry: one event, whose place in its subject is the version.
pub(super) fn audit(
    work: &mut Work<'_>,
    place: Place<'_>,
    id: &str,
    kind: &str,
    version: i64,
    summary: &str,
) -> Result<()> {
    // In canonical form as it stands.
    let mut payload = "{\"changeSummary\":".to_owned();
    quote(summary, &mut payload);
    payload.push_str(&format!(",\"version\":{version}}}"));
    tell(work, place, &format!("{}/{id}", place.subject()), version, kind, &Json::from_canonical(payload))
}

/// Tells of what was done to many entries of a table at once: one event of the table.
pub(super) fn tell_of_table(work: &mut Work<'_>, place: Place<'_>, kind: &str, payload: &JsonValue) -> Result<()> {
    let subject = place.subject();
    let seq = next_seq(work.exec(), &subject)?;
    tell(work, place, &subject, seq, kind, &Json::from_value(payload)?)
}

fn tell(work: &mut Work<'_>, place: Place<'_>, subject: &str, seq: i64, kind: &str, payload: &Json) -> Result<()> {
    let actor = work.who().actor.clone();
    let project_id = Some(place.project);
    append(work, &NewEvent { run_id: None, project_id, subject, seq, kind, actor: &actor, payload })
}

pub(super) fn not_found(place: Place<'_>, id: &str) -> Error {
    Error::not_found(format!("the table {:?} has no entry with the id {id:?}", place.table))
}
