//! Where folded texts are kept for lookup: FTS5's trigrams on SQLite, pg_trgm's on PostgreSQL.

use super::candidates::numbers;
use crate::db::{Dialect, Executor, Value};
use crate::error::{Error, ErrorCode, Result};

/// Texts of a lost index that are forgotten by one step.
const FORGOTTEN: i64 = 5_000;

/// An entry's text on its way into the index.
pub(super) struct Text {
    pub(super) id: String,
    pub(super) folded: String,
}

/// Whether the index is there; somebody may have dropped it.
pub(super) fn is_there(exec: &mut dyn Executor) -> Result<bool> {
    let sql = match exec.dialect() {
        Dialect::Sqlite => "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'sprongus_search'",
        Dialect::Postgres => "SELECT 1 WHERE to_regclass('sprongus_search_trigrams') IS NOT NULL",
    };
    Ok(!exec.query(sql, &[])?.is_empty())
}

/// Makes the index, empty; false where texts of a lost one must be forgotten first, and some were.
pub(super) fn make(exec: &mut dyn Executor) -> Result<bool> {
    exec.execute("UPDATE sprongus_search_tables SET filled_to = '' WHERE filled_to IS NULL OR filled_to <> ''", &[])?;
    if forget(exec)? {
        return Ok(false);
    }
    match exec.dialect() {
        // No positions and no text: what it finds is looked at anyway. The texts are folded already.
        Dialect::Sqlite => exec.batch(
            "CREATE VIRTUAL TABLE sprongus_search USING fts5(text, content='', contentless_delete=1, detail=none, \
             tokenize='trigram case_sensitive 1')",
        )?,
        Dialect::Postgres => {
            let sql = "SELECT quote_ident(n.nspname) FROM pg_catalog.pg_extension e \
                       JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'";
            let rows = exec.query(sql, &[])?;
            let Some(row) = rows.first() else {
                return Err(Error::new(ErrorCode::Unsupported, "pg_trgm is not installed in this database"));
            };
            // What waits to be sorted in is read by every search: little.
            exec.batch(&format!(
                "CREATE INDEX sprongus_search_trigrams ON sprongus_search_texts USING gin (text {}.gin_trgm_ops) \
                 WITH (fastupdate = on, gin_pending_list_limit = 512)",
                row.text(0)?
            ))?;
        }
    }
    Ok(true)
}

fn forget(exec: &mut dyn Executor) -> Result<bool> {
    let sql = match exec.dialect() {
        Dialect::Sqlite => {
            "DELETE FROM sprongus_search_texts WHERE number IN (SELECT number FROM sprongus_search_texts LIMIT $1)"
        }
        Dialect::Postgres => {
            "DELETE FROM sprongus_search_texts WHERE ctid = ANY (ARRAY(SELECT ctid FROM sprongus_search_texts LIMIT $1))"
        }
    };
    Ok(exec.execute(sql, &[FORGOTTEN.into()])? > 0)
}

/// Puts texts of a table in the place of those that its entries had.
pub(super) fn put(exec: &mut dyn Executor, table: i64, texts: Vec<Text>) -> Result<()> {
    match exec.dialect() {
        Dialect::Sqlite => put_each(exec, table, texts),
        Dialect::Postgres => {
            let (ids, folded): (Vec<_>, Vec<_>) =
                texts.into_iter().map(|one| (Value::from(one.id), Value::from(one.folded))).unzip();
            let sql = "INSERT INTO sprongus_search_texts (table_number, entry_id, text) \
                       SELECT $1, * FROM unnest($2::text[], $3::text[]) \
                       ON CONFLICT (table_number, entry_id) DO UPDATE SET text = excluded.text";
            exec.execute(sql, &[table.into(), Value::Array(ids), Value::Array(folded)]).map(drop)
        }
    }
}

/// With a new number each: FTS5 writes what it holds at once when numbers do not rise.
fn put_each(exec: &mut dyn Executor, table: i64, texts: Vec<Text>) -> Result<()> {
    let (first, last) = numbers(table);
    let sql = "SELECT coalesce(max(number) + 1, $1) FROM sprongus_search_texts WHERE number BETWEEN $1 AND $2";
    let rows = exec.query(sql, &[first.into(), last.into()])?;
    let start = rows.first().map_or(Ok(first), |row| row.int(0))?;
    for (number, text) in (start..).zip(texts) {
        remove(exec, table, &text.id)?;
        let known = "INSERT INTO sprongus_search_texts (number, table_number, entry_id) VALUES ($1, $2, $3)";
        exec.execute(known, &[number.into(), table.into(), text.id.into()])?;
        let folded = "INSERT OR REPLACE INTO sprongus_search (rowid, text) VALUES ($1, $2)";
        exec.execute(folded, &[number.into(), text.folded.into()])?;
    }
    Ok(())
}

/// Takes the text of an entry out.
pub(super) fn remove(exec: &mut dyn Executor, table: i64, id: &str) -> Result<()> {
    let of_entry = [Value::from(table), id.into()];
    if exec.dialect() == Dialect::Postgres {
        let sql = "DELETE FROM sprongus_search_texts WHERE table_number = $1 AND entry_id = $2";
        return exec.execute(sql, &of_entry).map(drop);
    }
    let known = "DELETE FROM sprongus_search_texts WHERE table_number = $1 AND entry_id = $2 RETURNING number";
    for row in exec.query(known, &of_entry)? {
        exec.execute("DELETE FROM sprongus_search WHERE rowid = $1", &[row.int(0)?.into()])?;
    }
    Ok(())
}

/// Tells the planner what there is, now that it is much.
pub(super) fn analyze(exec: &mut dyn Executor) -> Result<()> {
    match exec.dialect() {
        Dialect::Sqlite => Ok(()),
        Dialect::Postgres => exec.batch("ANALYZE sprongus_search_texts"),
    }
}
