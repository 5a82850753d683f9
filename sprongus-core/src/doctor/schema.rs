//! Whether tables, columns, orders of text and indexes are still those that the migrations made.

use std::collections::BTreeMap;

use super::Finding;
use crate::db::{Dialect, Executor, Expected, expected};
use crate::error::Result;
use crate::session::Session;

const BY_HAND: &str = "somebody changed the schema by hand: undo that, or restore the database from a copy";

/// Columns as they are: the table, the column, whether its text is ordered by code point.
fn columns(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "SELECT m.name, c.name, 1 FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS c WHERE m.type IN ('table', 'view') \
             AND m.name GLOB 'sprongus_*' AND m.sql NOT LIKE 'CREATE VIRTUAL %'"
        }
        Dialect::Postgres => {
            "SELECT c.relname::text, a.attname::text, coalesce(o.collname IN ('C', 'POSIX', 'ucs_basic'), true) FROM pg_class AS c \
             JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
             LEFT JOIN pg_collation AS o ON o.oid = a.attcollation \
             WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'sprongus_migrations'::regclass) \
             AND c.relkind IN ('r', 'p', 'v') AND starts_with(c.relname::text, 'sprongus_')"
        }
    }
}

/// Indexes as they are: their name, whether unique, partial, and fit for use.
fn indexes(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "SELECT i.name, i.\"unique\", i.partial, 1 FROM sqlite_schema AS m, pragma_index_list(m.name) AS i \
             WHERE m.type = 'table' AND m.name GLOB 'sprongus_*' AND m.sql NOT LIKE 'CREATE VIRTUAL %'"
        }
        Dialect::Postgres => {
            "SELECT c.relname::text, i.indisunique, i.indpred IS NOT NULL, i.indisvalid AND i.indisready FROM pg_index AS i \
             JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_class AS t ON t.oid = i.indrelid \
             WHERE t.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'sprongus_migrations'::regclass) \
             AND starts_with(t.relname::text, 'sprongus_')"
        }
    }
}

pub(super) fn look(session: Session<'_>) -> Result<Vec<Finding>> {
    session.read_snapshot(|exec| {
        let expected = expected(exec.dialect());
        let mut findings = of_columns(exec, &expected)?;
        findings.extend(of_indexes(exec, &expected)?);
        Ok(findings)
    })
}

fn of_columns(exec: &mut dyn Executor, expected: &Expected) -> Result<Vec<Finding>> {
    let mut found: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
    for row in exec.query(columns(exec.dialect()), &[])? {
        found.entry(row.text(0)?).or_default().insert(row.text(1)?, row.bool(2)?);
    }
    let mut findings = Vec::new();
    for (table, columns) in &expected.tables {
        let Some(there) = found.get(table) else {
            findings.push(Finding::error("schema_drift", format!("the table {table} is missing"), BY_HAND));
            continue;
        };
        for column in columns {
            let name = &column.name;
            match there.get(name) {
                None => findings.push(Finding::error(
                    "schema_drift",
                    format!("the column {name} of {table} is missing"),
                    BY_HAND,
                )),
                Some(false) if column.by_code_point => findings.push(Finding::error(
                    "wrong_collation",
                    format!(
                        "{table}.{name} is not ordered by code point: lists and pages come in another order, or skip"
                    ),
                    format!("ALTER TABLE {table} ALTER COLUMN {name} TYPE text COLLATE \"C\""),
                )),
                Some(_) => {}
            }
        }
    }
    Ok(findings)
}

fn of_indexes(exec: &mut dyn Executor, expected: &Expected) -> Result<Vec<Finding>> {
    let mut found = BTreeMap::new();
    for row in exec.query(indexes(exec.dialect()), &[])? {
        found.insert(row.text(0)?, (row.bool(1)?, row.bool(2)?, row.bool(3)?));
    }
    let mut findings = Vec::new();
    for (name, index) in &expected.indexes {
        let again = || format!("DROP INDEX {name}; {}", index.sql);
        match found.get(name) {
            None => {
                let broken = format!("the index {name} of {} is missing", index.table);
                let fix = index.sql.clone();
                findings.push(match index.unique {
                    true => Finding::error("missing_index", format!("{broken}: what it keeps apart may collide"), fix),
                    false => Finding::warning("missing_index", format!("{broken}: what it served reads all rows"), fix),
                });
            }
            Some((.., false)) => {
                let message = format!("the index {name} of {} was never finished and is not used", index.table);
                findings.push(Finding::error("invalid_index", message, again()));
            }
            Some((unique, partial, true)) if (*unique, *partial) != (index.unique, index.partial) => {
                let message = format!("the index {name} of {} is another than the migrations made", index.table);
                findings.push(Finding::error("schema_drift", message, again()));
            }
            Some(_) => {}
        }
    }
    Ok(findings)
}
