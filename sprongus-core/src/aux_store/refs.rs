//! References between entries: `x-ref` fields, kept in `sprongus_aux_refs` (DESIGN.md §15 "Writes").

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::keys::field_name;
use super::model::Referrer;
use super::rows::{self, Place};
use super::unseen;
use crate::db::{Dialect, Executor};
use crate::error::{Result, Violation};
use crate::id::check_id;
use crate::presets::{Keywords, Referring, Step, dangling};

/// The keyword of a warning about a reference to nothing.
pub(super) const DANGLING: &str = "dangling_ref";

/// One reference of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reference {
    pub(super) field: String,
    pub(super) pointer: String,
    pub(super) table: String,
    pub(super) id: String,
    pub(super) strict: bool,
}

impl Reference {
    /// Whether an entry could have that id at all; the table of references keeps no other.
    pub(super) fn possible(&self) -> bool {
        check_id("id", &self.id).is_ok()
    }

    pub(super) fn violation(&self) -> Violation {
        dangling(&self.pointer, if self.strict { "x-ref" } else { DANGLING }, &self.table)
    }
}

/// Every reference of a document, in the order of the preset's fields.
pub(super) fn of_document(keywords: &Keywords, document: &Value) -> Vec<Reference> {
    let reference = |(pointer, Referring { field, id }): (String, Referring<'_>)| {
        let name = field_name(&field.path.to_string());
        Reference { field: name, pointer, table: field.table.clone(), id: id.to_owned(), strict: field.strict }
    };
    keywords.references(document).into_iter().map(reference).collect()
}

/// The references of an entry that lead nowhere. One to the entry itself does not.
///
/// On PostgreSQL the entries found are locked against deletion until the end of the transaction.
pub(super) fn leading_nowhere<'r>(
    exec: &mut dyn Executor,
    place: Place<'_>,
    own_id: &str,
    refs: &'r [Reference],
) -> Result<Vec<&'r Reference>> {
    let mut by_table: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for reference in refs.iter().filter(|one| one.possible()) {
        by_table.entry(&reference.table).or_default().push(&reference.id);
    }
    let mut known = HashSet::new();
    for (table, ids) in by_table {
        let lock = if exec.dialect() == Dialect::Postgres { " FOR KEY SHARE" } else { "" };
        let sql = format!("SELECT id FROM {}{lock}", rows::named(exec, Place { table, ..place })?);
        for row in exec.query(&sql, &[place.project.into(), table.into(), rows::ids(&ids)])? {
            known.insert((table, row.text(0)?));
        }
    }
    let itself = |one: &Reference| one.table == place.table && one.id == own_id;
    Ok(refs.iter().filter(|one| !itself(one) && !known.contains(&(one.table.as_str(), one.id.clone()))).collect())
}

/// Writes the references of an entry that has none stored.
pub(super) fn insert(exec: &mut dyn Executor, place: Place<'_>, id: &str, refs: &[Reference]) -> Result<()> {
    for one in refs.iter().filter(|one| one.possible()) {
        let sql = "INSERT INTO sprongus_aux_refs (project_id, from_table, from_id, field, to_table, to_id) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
        let field = one.field.as_str();
        let params = [place.project, place.table, id, field, one.table.as_str(), one.id.as_str()].map(Into::into);
        exec.execute_soon(sql, &params)?;
    }
    Ok(())
}

/// Forgets the references of an entry.
pub(super) fn remove(exec: &mut dyn Executor, place: Place<'_>, id: &str) -> Result<()> {
    let sql = "DELETE FROM sprongus_aux_refs WHERE project_id = $1 AND from_table = $2 AND from_id = $3";
    exec.execute_soon(sql, &[place.project.into(), place.table.into(), id.into()])
}

/// The entries that refer to one, but for itself, in order.
pub(super) fn referrers(exec: &mut dyn Executor, place: Place<'_>, id: &str) -> Result<Vec<Referrer>> {
    Ok(referring(exec, place, id)?.seen)
}

/// Who refers to an entry, but for itself.
pub(super) struct Referrers {
    /// In order.
    pub(super) seen: Vec<Referrer>,
    /// What a bulk write under way has made, and nobody sees yet.
    pub(super) hidden: Vec<Referrer>,
}

pub(super) fn referring(exec: &mut dyn Executor, place: Place<'_>, id: &str) -> Result<Referrers> {
    let sql = "SELECT from_table, from_id, field FROM sprongus_aux_refs \
               WHERE project_id = $1 AND to_table = $2 AND to_id = $3 AND NOT (from_table = $2 AND from_id = $3)";
    let rows = exec.query(sql, &[place.project.into(), place.table.into(), id.into()])?;
    let read = |row: &crate::db::Row| Ok(Referrer { table: row.text(0)?, id: row.text(1)?, field: row.text(2)? });
    let mut found = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    found.sort();
    let (mut seen, mut hidden) = (Vec::with_capacity(found.len()), Vec::new());
    for of_table in found.chunk_by(|one, next| one.table == next.table) {
        let from = Place { table: &of_table[0].table, ..place };
        let there = if unseen::under_way(exec, from)?.is_some() { Some(there(exec, from, of_table)?) } else { None };
        for one in of_table {
            let is_seen = there.as_ref().is_none_or(|there| there.contains(&one.id));
            if is_seen { &mut seen } else { &mut hidden }.push(one.clone());
        }
    }
    Ok(Referrers { seen, hidden })
}

/// Which of these entries of a table are seen.
fn there(exec: &mut dyn Executor, from: Place<'_>, of_table: &[Referrer]) -> Result<HashSet<String>> {
    let sql = format!("SELECT id FROM {}", rows::named(exec, from)?);
    let ids: Vec<&str> = of_table.iter().map(|one| one.id.as_str()).collect();
    let rows = exec.query(&sql, &[from.project.into(), from.table.into(), rows::ids(&ids)])?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Takes every reference to that entry out of a document: a member out of an array, a property out of an object.
pub(super) fn unlink(keywords: &Keywords, document: &mut Map<String, Value>, table: &str, id: &str) {
    let mut value = Value::Object(std::mem::take(document));
    for field in keywords.refs.iter().filter(|field| field.table == table) {
        unlink_at(&mut value, field.path.steps(), id);
    }
    if let Value::Object(map) = value {
        *document = map;
    }
}

fn unlink_at(value: &mut Value, path: &[Step], id: &str) {
    let is_id = |value: &Value| value.as_str() == Some(id);
    match (path, value) {
        ([], Value::Array(items)) | ([Step::Items], Value::Array(items)) => items.retain(|item| !is_id(item)),
        ([Step::Property(name)], Value::Object(map)) => match map.get_mut(name) {
            Some(one) if is_id(one) => drop(map.remove(name)),
            Some(inner) => unlink_at(inner, &[], id),
            None => {}
        },
        ([Step::Property(name), rest @ ..], Value::Object(map)) => {
            if let Some(inner) = map.get_mut(name) {
                unlink_at(inner, rest, id);
            }
        }
        ([Step::Items, rest @ ..], Value::Array(items)) => items.iter_mut().for_each(|item| unlink_at(item, rest, id)),
        _ => {}
    }
}

/// The programs of the page on references run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/references.md")]
struct DocsPage;
