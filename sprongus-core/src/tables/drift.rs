//! Whether the tables of the catalog are still as they were created; for the doctor.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog;
use super::ddl::storage;
use super::ident::key;
use super::model::Constraint;
use super::table::Table;
use crate::db::{Dialect, Executor};
use crate::error::Result;

/// Tables that are looked at.
const TABLES: usize = 1_000;

/// Columns of a table: name, type, whether null is kept out, whether its text is ordered by code point.
fn columns_sql(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SELECT name, type, \"notnull\" OR pk > 0, 1 FROM pragma_table_xinfo($1)",
        Dialect::Postgres => {
            "SELECT a.attname::text, upper(format_type(a.atttypid, NULL)), a.attnotnull, \
             coalesce(o.collname IN ('C', 'POSIX', 'ucs_basic'), true) FROM pg_class AS c \
             JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             LEFT JOIN pg_collation AS o ON o.oid = a.attcollation WHERE c.relname = $1 AND c.relkind IN ('r', 'p') \
             AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'sprongus_tables'::regclass)"
        }
    }
}

/// Indexes of a table: name, whether unique, whether fit for use.
fn indexes_sql(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SELECT name, \"unique\", 1 FROM pragma_index_list($1)",
        Dialect::Postgres => {
            "SELECT i.relname::text, x.indisunique, x.indisvalid AND x.indisready FROM pg_class AS c \
             JOIN pg_index AS x ON x.indrelid = c.oid JOIN pg_class AS i ON i.oid = x.indexrelid WHERE c.relname = $1 \
             AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'sprongus_tables'::regclass)"
        }
    }
}

/// In what tables of the catalog are others than were created, a line each: `the table t is missing`.
pub(crate) fn drift(exec: &mut dyn Executor) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for name in catalog::names(exec)?.into_iter().take(TABLES) {
        if let Some(table) = catalog::find(exec, &key(&name))? {
            of_table(exec, &table, &mut found)?;
        }
    }
    Ok(found)
}

fn of_table(exec: &mut dyn Executor, table: &Table, found: &mut Vec<String>) -> Result<()> {
    let (dialect, name) = (exec.dialect(), &table.schema.name);
    let mut columns = BTreeMap::new();
    for row in exec.query(columns_sql(dialect), &[name.into()])? {
        columns.insert(row.text(0)?, (row.text(1)?, row.bool(2)?, row.bool(3)?));
    }
    if columns.is_empty() {
        found.push(format!("the table {name} is missing"));
        return Ok(());
    }
    for column in &table.schema.columns {
        let (of, wanted) = (format!("the column {} of {name}", column.name), storage(column.column_type, dialect));
        let wanted = wanted.strip_suffix(" COLLATE \"C\"").unwrap_or(wanted);
        let required = column.is(Constraint::NotNull) || column.is(Constraint::PrimaryKey);
        match columns.remove(&column.name) {
            None => found.push(format!("{of} is missing")),
            Some((there, ..)) if there != wanted => found.push(format!("{of} is {there}, not {wanted}")),
            Some((_, not_null, _)) if not_null != required => {
                found.push(format!("{of} {} null", if required { "lets in" } else { "keeps out" }));
            }
            Some((.., false)) => found.push(format!("{of} is not ordered by code point")),
            Some(_) => {}
        }
    }
    found.extend(columns.keys().map(|other| format!("the column {other} of {name} is nobody's that is known")));
    of_indexes(exec, table, found)
}

fn of_indexes(exec: &mut dyn Executor, table: &Table, found: &mut Vec<String>) -> Result<()> {
    let (name, mut there) = (&table.schema.name, BTreeMap::new());
    for row in exec.query(indexes_sql(exec.dialect()), &[name.into()])? {
        there.insert(row.text(0)?, (row.bool(1)?, row.bool(2)?));
    }
    let declared = table.schema.indexes.iter().map(|index| (index.name.clone(), index.unique));
    let of_columns: BTreeSet<String> = match exec.dialect() {
        // SQLite's own indexes of unique columns cannot be dropped.
        Dialect::Sqlite => BTreeSet::new(),
        Dialect::Postgres => table.unique_columns().map(|at| table.unique_name(at)).collect(),
    };
    for (index, unique) in declared.chain(of_columns.into_iter().map(|index| (index, true))) {
        match there.get(&index) {
            None => found.push(format!("the index {index} of {name} is missing")),
            Some((is, _)) if *is != unique => found.push(format!("the index {index} of {name} is another")),
            Some((_, false)) => found.push(format!("the index {index} of {name} was never finished")),
            Some(_) => {}
        }
    }
    Ok(())
}
