//! The temporary tables of a bulk write: what was judged, its references and its keys, on this connection alone.

use super::spool::{Judged, Spool};
use crate::aux_store::keys::KeyRow;
use crate::aux_store::refs::Reference;
use crate::db::{Dialect, Executor, Value};
use crate::error::Result;
use crate::json::Json;

const TABLES: [&str; 4] = ["sprongus_stage", "sprongus_stage_refs", "sprongus_stage_keys", "sprongus_stage_refused"];

const ROWS: [&str; 7] = ["row_number", "id", "hash", "base", "summary", "payload", "search_text"];
const REFS: [&str; 6] = ["row_number", "field", "pointer", "to_table", "to_id", "strict"];
const KEYS: [&str; 5] = ["row_number", "field", "pointer", "key", "is_unique"];

/// Made when the tables are full: sorting once is quicker than finding each row its place. The first holds all that the
/// comparisons with stored entries look at, so that they need not read the documents.
const INDEXES: &str = "CREATE INDEX sprongus_stage_id ON sprongus_stage (id, row_number, base, hash); \
    CREATE INDEX sprongus_stage_refs_row ON sprongus_stage_refs (row_number); \
    CREATE INDEX sprongus_stage_keys_row ON sprongus_stage_keys (row_number); \
    CREATE INDEX sprongus_stage_keys_key ON sprongus_stage_keys (field, key, row_number) WHERE is_unique = 1; \
    CREATE INDEX sprongus_stage_refused_id ON sprongus_stage_refused (id)";

/// Makes the tables and fills them from the spool. On SQLite the documents stay there until they are written.
pub(super) fn fill(exec: &mut dyn Executor, spool: &Spool, refused: &[String], links: bool) -> Result<()> {
    let dialect = exec.dialect();
    exec.batch(&definitions(dialect))?;
    let documents = dialect == Dialect::Postgres;
    let mut rows = spool.iter()?.map(|row| row.map(|row| values(dialect, row, documents)));
    exec.load("sprongus_stage", &ROWS, &mut rows)?;
    drop(rows);
    if links {
        let mut refs = flattened(spool, |row| row.refs.into_iter().map(move |one| reference(row.row, one)))?;
        exec.load("sprongus_stage_refs", &REFS, &mut refs)?;
        drop(refs);
        let mut keys = flattened(spool, |row| row.keys.into_iter().map(move |one| key(row.row, one)))?;
        exec.load("sprongus_stage_keys", &KEYS, &mut keys)?;
    }
    let mut ids = refused.iter().map(|id| Ok(vec![Value::from(id.clone())]));
    exec.load("sprongus_stage_refused", &["id"], &mut ids)?;
    exec.batch(INDEXES)?;
    if dialect == Dialect::Postgres {
        exec.batch(&TABLES.map(|table| format!("ANALYZE {table}")).join("; "))?;
    }
    Ok(())
}

/// Drops the tables.
pub(super) fn drop_tables(exec: &mut dyn Executor) -> Result<()> {
    exec.batch(&TABLES.map(|table| format!("DROP TABLE {table}")).join("; "))
}

/// Replaces what was judged of one row.
pub(super) fn replace(exec: &mut dyn Executor, row: Judged) -> Result<()> {
    let dialect = exec.dialect();
    remove(exec, row.row)?;
    let (mut refs, mut keys) = (Vec::new(), Vec::new());
    refs.extend(row.refs.iter().cloned().map(|one| Ok(reference(row.row, one))));
    keys.extend(row.keys.iter().cloned().map(|one| Ok(key(row.row, one))));
    exec.load("sprongus_stage", &ROWS, &mut std::iter::once(Ok(values(dialect, row, true))))?;
    exec.load("sprongus_stage_refs", &REFS, &mut refs.into_iter())?;
    exec.load("sprongus_stage_keys", &KEYS, &mut keys.into_iter())?;
    Ok(())
}

/// Takes one row out.
pub(super) fn remove(exec: &mut dyn Executor, row: u64) -> Result<()> {
    for table in ["sprongus_stage", "sprongus_stage_refs", "sprongus_stage_keys"] {
        exec.execute(&format!("DELETE FROM {table} WHERE row_number = $1"), &[number(row)])?;
    }
    Ok(())
}

fn definitions(dialect: Dialect) -> String {
    let (number, text, json, bytes) = match dialect {
        // This very word makes it the rowid.
        Dialect::Sqlite => ("INTEGER", "TEXT", "TEXT", "BLOB"),
        Dialect::Postgres => ("BIGINT", "TEXT COLLATE \"C\"", "JSONB", "BYTEA"),
    };
    format!(
        "CREATE TEMP TABLE sprongus_stage (row_number {number} NOT NULL PRIMARY KEY, id {text} NOT NULL, hash {bytes} NOT NULL, \
         base BIGINT NOT NULL, summary {text} NOT NULL, payload {json}, search_text {text}); \
         CREATE TEMP TABLE sprongus_stage_refs (row_number BIGINT NOT NULL, field {text} NOT NULL, pointer {text} NOT NULL, \
         to_table {text} NOT NULL, to_id {text} NOT NULL, strict BIGINT NOT NULL); \
         CREATE TEMP TABLE sprongus_stage_keys (row_number BIGINT NOT NULL, field {text} NOT NULL, pointer {text} NOT NULL, \
         key {bytes} NOT NULL, is_unique BIGINT NOT NULL); \
         CREATE TEMP TABLE sprongus_stage_refused (id {text} NOT NULL)"
    )
}

fn values(dialect: Dialect, row: Judged, with_document: bool) -> Vec<Value<'static>> {
    let mut values = vec![number(row.row), row.id.into(), row.hash.into(), row.base.into(), row.summary.into()];
    match with_document {
        true => values.extend([document(dialect, row.payload), row.search_text.into()]),
        false => values.extend([Value::Null, Value::Null]),
    }
    values
}

/// A canonical document as a parameter.
pub(super) fn document(dialect: Dialect, payload: String) -> Value<'static> {
    Value::Json(match dialect {
        Dialect::Sqlite => payload.into(),
        Dialect::Postgres => Json::from_canonical(payload).for_jsonb().into_owned().into(),
    })
}

/// An id that no entry could have is the empty one, which none has either: no index could hold a text of any length.
fn reference(row: u64, one: Reference) -> Vec<Value<'static>> {
    let strict = i64::from(one.strict);
    let id = if one.possible() { one.id } else { String::new() };
    vec![number(row), one.field.into(), one.pointer.into(), one.table.into(), id.into(), strict.into()]
}

fn key(row: u64, one: KeyRow) -> Vec<Value<'static>> {
    vec![number(row), one.field.into(), one.pointer.into(), one.key.into(), i64::from(one.unique).into()]
}

pub(super) fn number(row: u64) -> Value<'static> {
    Value::Int(i64::try_from(row).unwrap_or(i64::MAX))
}

type Loaded<'s> = Box<dyn Iterator<Item = Result<Vec<Value<'static>>>> + 's>;

/// The parts of every spooled row.
fn flattened<'s, I: Iterator<Item = Vec<Value<'static>>> + 's>(
    spool: &'s Spool,
    parts: impl Fn(Judged) -> I + 's,
) -> Result<Loaded<'s>> {
    let rows = spool.iter()?;
    Ok(Box::new(rows.flat_map(move |row| -> Loaded<'s> {
        match row {
            Ok(row) => Box::new(parts(row).map(Ok)),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    })))
}
