//! Keeps keys and references in step with the preset: binding another one rebuilds nothing, the next write does.

use serde_json::Value as JsonValue;
use sha2::{Digest, Sha256};

use super::document::Rules;
use super::keys::KeyRow;
use super::rows::Place;
use super::{keys, refs, scan};
use crate::db::{Executor, Value};
use crate::error::Result;
use crate::presets::Keywords;

/// The field of the row that says which preset's keys a table has; no field of a preset is named so.
const MARK: &str = "";
/// Rows by one statement when keys are made anew.
const ROWS: usize = 100;

/// Rebuilds the keys and references of a table where they were made by other keywords than its preset's.
pub(super) fn ensure(exec: &mut dyn Executor, place: Place<'_>, rules: &Rules) -> Result<()> {
    let keywords = rules.preset.keywords();
    if keywords.unique.is_empty() && keywords.index.is_empty() && keywords.refs.is_empty() {
        return Ok(());
    }
    if known(exec, place, keywords)? {
        return Ok(());
    }
    rebuild(exec, place, keywords)?;
    let mark = mark(keywords);
    let sql = "INSERT INTO sprongus_aux_keys (project_id, table_name, field, key, entry_id, is_unique) \
               VALUES ($1, $2, $3, $4, '', $5) ON CONFLICT DO NOTHING";
    let params: [Value<'_>; 5] =
        [place.project.into(), place.table.into(), MARK.into(), mark.as_slice().into(), false.into()];
    exec.execute(sql, &params).map(drop)
}

/// Whether the keys and references of a table are those that these keywords make: only then do they tell of every entry.
pub(super) fn known(exec: &mut dyn Executor, place: Place<'_>, keywords: &Keywords) -> Result<bool> {
    let sql = "SELECT key FROM sprongus_aux_keys WHERE project_id = $1 AND table_name = $2 AND field = $3";
    let found = exec.query(sql, &[place.project.into(), place.table.into(), MARK.into()])?;
    Ok(found.len() == 1 && found[0].opt_bytes(0)?.as_deref() == Some(&mark(keywords)[..]))
}

/// Where two entries share a value that is to be unique by now (a preset bound with `force`), the first id has it; the
/// other is still found by it.
fn rebuild(exec: &mut dyn Executor, place: Place<'_>, keywords: &Keywords) -> Result<()> {
    let table = [place.project.into(), place.table.into()];
    exec.execute("DELETE FROM sprongus_aux_keys WHERE project_id = $1 AND table_name = $2", &table)?;
    exec.execute("DELETE FROM sprongus_aux_refs WHERE project_id = $1 AND from_table = $2", &table)?;
    let mut after = None;
    loop {
        let page = scan::page_by_id(exec, place, after.as_deref())?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id.clone());
        let (mut links, mut values) = (Vec::new(), Vec::new());
        for entry in page {
            let payload: JsonValue = entry.payload.to_value();
            let possible = refs::of_document(keywords, &payload).into_iter().filter(refs::Reference::possible);
            links.extend(possible.map(|one| [entry.id.clone(), one.field, one.table, one.id].map(Value::from)));
            let value = |one: KeyRow| [one.field.into(), one.key.into(), entry.id.clone().into(), one.unique.into()];
            values.extend(keys::of_document(keywords, &payload).into_iter().map(value));
        }
        insert(exec, place, "sprongus_aux_refs (project_id, from_table, from_id, field, to_table, to_id)", links)?;
        let keys = "sprongus_aux_keys (project_id, table_name, field, key, entry_id, is_unique)";
        let shared = values.iter().filter(|[.., unique]| *unique == Value::Bool(true)).cloned();
        let shared = shared.map(|[field, key, id, _]| [field, key, id, false.into()]).collect();
        insert(exec, place, keys, values)?;
        insert(exec, place, keys, shared)?;
    }
}

/// Writes rows of a table, many by a statement; those that are there, or whose unique value is, are passed over.
fn insert(exec: &mut dyn Executor, place: Place<'_>, into: &str, rows: Vec<[Value<'static>; 4]>) -> Result<()> {
    for chunk in rows.chunks(ROWS) {
        let row = |n: usize| format!("($1, $2, ${}, ${}, ${}, ${})", 4 * n + 3, 4 * n + 4, 4 * n + 5, 4 * n + 6);
        let values: Vec<String> = (0..chunk.len()).map(row).collect();
        let mut params: Vec<Value<'_>> = vec![place.project.into(), place.table.into()];
        params.extend(chunk.iter().flatten().cloned());
        exec.execute(&format!("INSERT INTO {into} VALUES {} ON CONFLICT DO NOTHING", values.join(", ")), &params)?;
    }
    Ok(())
}

/// Rises when keys are made in another way: 2 has keys of entries that lack a field.
const FORM: u32 = 2;

fn mark(keywords: &Keywords) -> [u8; 32] {
    let names = |keys: &[crate::presets::Key]| keys.iter().map(crate::presets::Key::name).collect::<Vec<_>>();
    let refs: Vec<String> = keywords.refs.iter().map(|field| format!("{}>{}", field.path, field.table)).collect();
    Sha256::digest(serde_json::json!([FORM, names(&keywords.unique), names(&keywords.index), refs]).to_string()).into()
}
