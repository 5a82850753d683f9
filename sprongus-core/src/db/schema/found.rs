//! The schema as the database has it: on SQLite by the statements it keeps, on PostgreSQL by its catalogs.

use super::parse::{self, without_comments};
use super::{Column, Constraint, Schema, View, gist};
use crate::db::{Dialect, Executor};
use crate::error::Result;

/// What of the library's is there. Reads catalogs alone.
pub(crate) fn found(exec: &mut dyn Executor) -> Result<Schema> {
    match exec.dialect() {
        Dialect::Sqlite => sqlite(exec),
        Dialect::Postgres => postgres(exec),
    }
}

fn sqlite(exec: &mut dyn Executor) -> Result<Schema> {
    // The index of texts, and the tables it keeps its own things in, are SQLite's business.
    let sql = "SELECT m.sql FROM sqlite_schema AS m WHERE m.tbl_name GLOB 'sprongus_*' AND m.sql IS NOT NULL \
               AND m.sql NOT LIKE 'CREATE VIRTUAL %' AND NOT EXISTS (SELECT 1 FROM sqlite_schema AS v \
               WHERE v.sql LIKE 'CREATE VIRTUAL %' AND substr(m.tbl_name, 1, length(v.name) + 1) = v.name || '_' \
               AND substr(m.tbl_name, length(v.name) + 2) IN ('config', 'content', 'data', 'docsize', 'idx'))";
    let mut schema = Schema::default();
    for row in exec.query(sql, &[])? {
        schema.take(&without_comments(&row.text(0)?));
    }
    Ok(schema)
}

/// The schema that holds the tables: the one the register is in, else the one that is written to.
const PLACE: &str = "coalesce((SELECT relnamespace FROM pg_class WHERE oid = to_regclass('sprongus_migrations')), \
                     (SELECT oid FROM pg_namespace WHERE nspname = current_schema()))";

fn postgres(exec: &mut dyn Executor) -> Result<Schema> {
    let mut schema = Schema::default();
    columns(exec, &mut schema)?;
    constraints(exec, &mut schema)?;
    let indexes = format!(
        "SELECT c.relname::text, pg_get_indexdef(i.indexrelid), i.indisvalid AND i.indisready FROM pg_index AS i \
         JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_class AS t ON t.oid = i.indrelid WHERE t.relnamespace = {PLACE} \
         AND starts_with(t.relname::text, 'sprongus_') \
         AND NOT EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))"
    );
    for row in exec.query(&indexes, &[])? {
        let index = parse::index(&row.text(1)?);
        schema.indexes.insert(row.text(0)?, super::Index { valid: row.bool(2)?, ..index });
    }
    let others = format!(
        "SELECT 'view', c.relname::text, pg_get_viewdef(c.oid) FROM pg_class AS c WHERE c.relkind = 'v' AND c.relnamespace = {PLACE} \
         AND starts_with(c.relname::text, 'sprongus_') \
         UNION ALL SELECT 'sequence', c.relname::text, '' FROM pg_class AS c WHERE c.relkind = 'S' AND c.relnamespace = {PLACE} \
         AND starts_with(c.relname::text, 'sprongus_') \
         AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'i') \
         UNION ALL SELECT 'trigger', g.tgname::text, t.relname::text FROM pg_trigger AS g JOIN pg_class AS t ON t.oid = g.tgrelid \
         WHERE NOT g.tgisinternal AND t.relnamespace = {PLACE} AND starts_with(t.relname::text, 'sprongus_')"
    );
    for row in exec.query(&others, &[])? {
        let (what, name, text) = (row.text(0)?, row.text(1)?, row.text(2)?);
        match what.as_str() {
            "view" => drop(schema.views.insert(name, View { gist: gist::set(&text), sql: String::new() })),
            "sequence" => drop(schema.sequences.insert(name, String::new())),
            _ => drop(schema.triggers.insert(name, text)),
        }
    }
    Ok(schema)
}

fn columns(exec: &mut dyn Executor, schema: &mut Schema) -> Result<()> {
    let sql = format!(
        "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
         a.atthasdef OR a.attidentity <> '', coalesce(o.collname IN ('C', 'POSIX', 'ucs_basic'), false) FROM pg_class AS c \
         JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         LEFT JOIN pg_collation AS o ON o.oid = a.attcollation WHERE c.relnamespace = {PLACE} \
         AND c.relkind IN ('r', 'p') AND starts_with(c.relname::text, 'sprongus_') ORDER BY c.relname, a.attnum"
    );
    for row in exec.query(&sql, &[])? {
        let table = schema.tables.entry(row.text(0)?).or_default();
        table.columns.push(Column {
            name: row.text(1)?,
            kind: row.text(2)?,
            not_null: row.bool(3)?,
            filled: row.bool(4)?,
            by_code_point: row.bool(5)?,
            definition: String::new(),
        });
    }
    Ok(())
}

/// Of PostgreSQL 18 and newer `NOT NULL` is a constraint too; it is the column's.
fn constraints(exec: &mut dyn Executor, schema: &mut Schema) -> Result<()> {
    let sql = format!(
        "SELECT c.relname::text, k.conname::text, pg_get_constraintdef(k.oid) FROM pg_constraint AS k \
         JOIN pg_class AS c ON c.oid = k.conrelid WHERE c.relnamespace = {PLACE} \
         AND starts_with(c.relname::text, 'sprongus_') AND k.contype NOT IN ('n', 't')"
    );
    for row in exec.query(&sql, &[])? {
        let (table, definition) = (row.text(0)?, row.text(2)?);
        let constraint = Constraint { name: Some(row.text(1)?), definition: definition.clone() };
        let table = schema.tables.entry(table).or_default();
        table.constraints.insert(parse::constraint(&definition), constraint);
    }
    Ok(())
}
