//! Creating and dropping tables.

use serde_json::json;

use super::Tables;
use super::catalog::{self, missing};
use super::ident::{check, check_form, is_reserved, key, quoted};
use super::model::{Column, ColumnType, Constraint, Index, TableSchema};
use super::requests::{CreateTable, TableName};
use super::schema::{complete, differences};
use super::table::Table;
use crate::db::{Dialect, Executor};
use crate::error::{Error, ErrorCode, Result};
use crate::id::new_id;
use crate::json::Json;
use crate::session::Work;

impl Tables<'_> {
    pub(super) fn do_create(&self, create: &CreateTable) -> Result<()> {
        self.session.may_write()?;
        let schema = complete(&create.schema)?;
        self.once_more(|tables| tables.session.write(|work| create_in(work, &schema)))
    }

    pub(super) fn do_drop(&self, which: &TableName) -> Result<()> {
        self.session.may_write()?;
        check("a custom table", &which.name)?;
        self.once_more(|tables| tables.session.write(|work| drop_in(work, &which.name)))?;
        self.forget(&key(&which.name));
        Ok(())
    }

    /// Done twice it is the same as done once: so it is, where the answer to its commit was lost.
    fn once_more(&self, change: impl Fn(&Self) -> Result<()>) -> Result<()> {
        match change(self) {
            Err(error) if error.code() == ErrorCode::OutcomeUnknown => change(self).map_err(|_| error),
            result => result,
        }
    }

    pub(super) fn do_exists(&self, which: &TableName) -> Result<bool> {
        check_form("a table", &which.name)?;
        if is_reserved(&which.name) {
            return Ok(false);
        }
        let holder = self.session.read(|exec| holder(exec, &key(&which.name)))?;
        Ok(matches!(holder.as_deref(), Some("table" | "view")))
    }

    pub(super) fn do_describe(&self, which: &TableName) -> Result<TableSchema> {
        check("a custom table", &which.name)?;
        let table = self.session.read(|exec| catalog::find(exec, &key(&which.name)))?;
        table.map(|table| table.schema).ok_or_else(|| missing(&which.name))
    }
}

/// One process at a time creates and drops tables; on SQLite that is so already.
fn wait_for_others(work: &mut Work<'_>) -> Result<()> {
    if work.dialect() == Dialect::Postgres {
        let key = "hashtextextended('sprongus_tables:' || current_schema(), 0)";
        work.query(&format!("SELECT pg_advisory_xact_lock({key})::text"), &[])?;
    }
    Ok(())
}

fn create_in(work: &mut Work<'_>, schema: &TableSchema) -> Result<()> {
    wait_for_others(work)?;
    let key = key(&schema.name);
    if let Some(there) = catalog::find(work.exec(), &key)? {
        return same(&there.schema, schema);
    }
    for name in std::iter::once(&schema.name).chain(schema.indexes.iter().map(|index| &index.name)) {
        if let Some(holder) = holder(work.exec(), &self::key(name))? {
            return Err(taken(name, &holder));
        }
    }
    let table = Table::new(schema.clone(), new_id().to_ascii_lowercase());
    let definition = Json::from_serialize(schema)?;
    let sql = format!(
        "INSERT INTO sprongus_tables (key, name, generation, definition, created_at) VALUES ($1, $2, $3, $4, {})",
        work.dialect().now(5)
    );
    let definition = work.dialect().json(&definition);
    let params = [(&key).into(), (&schema.name).into(), (&table.generation).into(), definition, work.now()];
    work.execute(&sql, &params)?;
    for statement in statements(&table, work.dialect()) {
        work.execute(&statement, &[]).map_err(|error| rivalled(error, &schema.name))?;
    }
    Ok(())
}

fn same(is: &TableSchema, asked: &TableSchema) -> Result<()> {
    let differences = differences(is, asked);
    if differences.is_empty() {
        return Ok(());
    }
    let at: Vec<&str> = differences.iter().filter_map(|one| one["at"].as_str()).collect();
    let message = format!("the table {} is there with another schema: it differs in {}", is.name, at.join(", "));
    let details = json!({ "table": is.name, "differences": differences });
    Err(Error::new(ErrorCode::Conflict, message).with_details(details))
}

fn taken(name: &str, holder: &str) -> Error {
    let message = format!("the name {name} is taken by a {holder} of this database; choose another");
    Error::new(ErrorCode::Conflict, message).with_details(json!({ "name": name, "takenBy": holder }))
}

/// A name that the host took in the same moment, by SQL of its own (PostgreSQL: 42P07, 42710, 23505).
fn rivalled(error: Error, name: &str) -> Error {
    match error.details().and_then(|details| details["sqlstate"].as_str()) {
        Some("42P07" | "42710" | "23505") => taken(name, "table or index"),
        _ => error,
    }
}

/// What has that name, in lower case, among what a table or an index could meet: `table`, `view`, `index`, `sequence`, `type`.
fn holder(exec: &mut dyn Executor, key: &str) -> Result<Option<String>> {
    let sql = match exec.dialect() {
        Dialect::Sqlite => {
            "SELECT type FROM sqlite_schema WHERE type IN ('table', 'view', 'index') AND lower(name) = $1 ORDER BY type DESC LIMIT 1"
        }
        // A table is a type as well. Lower case is ASCII's alone, or names of other alphabets would be taken for these.
        Dialect::Postgres => {
            "WITH s AS (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) SELECT kind FROM (SELECT relname::text AS name, CASE WHEN relkind IN ('r', 'p', 'f') THEN 'table' \
             WHEN relkind IN ('v', 'm') THEN 'view' WHEN relkind IN ('i', 'I') THEN 'index' WHEN relkind = 'S' THEN 'sequence' \
             ELSE 'type' END AS kind FROM pg_class, s WHERE relnamespace = s.oid \
             UNION ALL SELECT typname::text, 'type' FROM pg_type, s WHERE typnamespace = s.oid \
             AND typrelid = 0 AND typcategory <> 'A') AS held \
             WHERE lower(name COLLATE \"C\") = $1 ORDER BY array_position(ARRAY['table', 'view', 'index'], kind) LIMIT 1"
        }
    };
    exec.query(sql, &[key.into()])?.first().map(|row| row.text(0)).transpose()
}

fn drop_in(work: &mut Work<'_>, name: &str) -> Result<()> {
    wait_for_others(work)?;
    let key = key(name);
    let gone = work.query("DELETE FROM sprongus_tables WHERE key = $1 RETURNING name", &[(&key).into()])?;
    let Some(row) = gone.first() else {
        return match holder(work.exec(), &key)? {
            Some(holder) if holder == "table" || holder == "view" => Err(not_ours(name, &holder)),
            _ => Ok(()),
        };
    };
    let sql = format!("DROP TABLE IF EXISTS {}", quoted(&row.text(0)?));
    work.execute(&sql, &[]).map(drop).map_err(|error| referenced(error, name))
}

fn not_ours(name: &str, holder: &str) -> Error {
    let message = format!("{name} is a {holder} of the host's own, not a custom table: drop it by SQL");
    Error::new(ErrorCode::Conflict, message).with_details(json!({ "name": name, "takenBy": holder }))
}

/// What the host made to hang on the table (PostgreSQL: 2BP01).
fn referenced(error: Error, name: &str) -> Error {
    match error.details().and_then(|details| details["sqlstate"].as_str()) {
        Some("2BP01") => {
            let message = format!("something of the host's own hangs on the table {name}: drop that first");
            Error::new(ErrorCode::Referenced, message)
        }
        _ => error,
    }
}

/// What makes the table and its indexes.
fn statements(table: &Table, dialect: Dialect) -> Vec<String> {
    let schema = &table.schema;
    let columns: Vec<String> = schema.columns.iter().map(|one| column(table, one, dialect)).collect();
    let strict = if dialect == Dialect::Sqlite { " STRICT" } else { "" };
    let mut all = vec![format!("CREATE TABLE {} ({}){strict}", table.sql(), columns.join(", "))];
    if dialect == Dialect::Postgres {
        // Indexes rather than constraints, whose names a host's table could have, and which JSONB has no right equality for.
        all.extend(
            table
                .unique_columns()
                .map(|at| index(table, &Index::new(table.unique_name(at), [&table.column(at).name]).unique(), dialect)),
        );
    }
    all.extend(schema.indexes.iter().map(|one| index(table, one, dialect)));
    all
}

fn column(table: &Table, column: &Column, dialect: Dialect) -> String {
    let (name, holds) = (quoted(&column.name), storage(column.column_type, dialect));
    let is_key = column.is(Constraint::PrimaryKey);
    let rest = match dialect {
        Dialect::Sqlite if column.is(Constraint::AutoIncrement) => " PRIMARY KEY AUTOINCREMENT".to_owned(),
        Dialect::Sqlite if is_key => " NOT NULL PRIMARY KEY".to_owned(),
        Dialect::Postgres if is_key => {
            let numbered = match column.is(Constraint::AutoIncrement) {
                true => format!(" GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME {})", table.sequence()),
                false => String::new(),
            };
            format!("{numbered} CONSTRAINT sprongus_key_{} PRIMARY KEY", table.generation)
        }
        _ => {
            let required = if column.is(Constraint::NotNull) { " NOT NULL" } else { "" };
            let unique = if column.is(Constraint::Unique) && dialect == Dialect::Sqlite { " UNIQUE" } else { "" };
            format!("{required}{unique}")
        }
    };
    format!("{name} {holds}{rest}")
}

pub(super) fn storage(holds: ColumnType, dialect: Dialect) -> &'static str {
    use ColumnType as T;
    match (dialect, holds) {
        (Dialect::Sqlite, T::Text | T::Json) => "TEXT",
        (Dialect::Sqlite, T::Integer | T::Bigint | T::Boolean) => "INTEGER",
        (Dialect::Sqlite, T::Real) => "REAL",
        (Dialect::Sqlite, T::Blob) => "BLOB",
        (Dialect::Postgres, T::Text) => "TEXT COLLATE \"C\"",
        (Dialect::Postgres, T::Integer | T::Bigint) => "BIGINT",
        (Dialect::Postgres, T::Real) => "DOUBLE PRECISION",
        (Dialect::Postgres, T::Blob) => "BYTEA",
        (Dialect::Postgres, T::Json) => "JSONB",
        (Dialect::Postgres, T::Boolean) => "BOOLEAN",
    }
}

fn index(table: &Table, index: &Index, dialect: Dialect) -> String {
    let positions = index.columns.iter().filter_map(|name| table.position(name, 0));
    let columns = positions.map(|at| {
        let column = table.column_sql(at);
        let column = if index.unique { table.identity(at, &column, dialect) } else { column };
        // Nulls as `query` orders them, so that it can walk along the index.
        let nulls = if dialect == Dialect::Postgres && at != table.key { " NULLS FIRST" } else { "" };
        format!("{column}{nulls}")
    });
    let columns: Vec<String> = columns.collect();
    let unique = if index.unique { "UNIQUE " } else { "" };
    format!("CREATE {unique}INDEX {} ON {} ({})", quoted(&index.name), table.sql(), columns.join(", "))
}
