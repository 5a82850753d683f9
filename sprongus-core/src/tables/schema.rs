//! What a schema must be, and in what two of them differ.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ident::{check, check_column, key};
use super::model::{Column, ColumnType, Constraint, Index, TableSchema};
use crate::error::{Error, ErrorCode, Result};

/// The most columns of a table: the rows of that many fit into a page of PostgreSQL, whatever the columns hold.
const MAX_COLUMNS: usize = 256;
/// The most indexes of a table.
const MAX_INDEXES: usize = 64;
/// The most columns of an index (PostgreSQL's).
const MAX_INDEX_COLUMNS: usize = 32;

/// The schema with its primary key: the one declared, else the column `id`, made one and added where it is missing.
///
/// # Errors
/// `invalid_argument`: names, columns that come twice, indexes over columns that are not there, contradictions;
/// `unsupported`: several primary keys, or one of a type that tells no rows apart.
pub(super) fn complete(schema: &TableSchema) -> Result<TableSchema> {
    check("a table", &schema.name)?;
    let mut whole = schema.clone();
    let declared = whole.columns.iter().filter(|column| column.is(Constraint::PrimaryKey)).count();
    if declared > 1 {
        return Err(unsupported("a table has one primary key of one column; use a unique index over several"));
    }
    if declared == 0 {
        match whole.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case("id")) {
            Some(id) => id.constraints.push(Constraint::PrimaryKey),
            None => whole.columns.insert(0, Column::new("id", ColumnType::Text).primary_key()),
        }
    }
    check_columns(&whole)?;
    check_indexes(&whole)?;
    Ok(whole)
}

fn check_columns(schema: &TableSchema) -> Result<()> {
    if schema.columns.len() > MAX_COLUMNS {
        let count = schema.columns.len();
        return Err(Error::invalid(format!("the table has {count} columns; at most {MAX_COLUMNS} are taken")));
    }
    let mut names = BTreeSet::new();
    for column in &schema.columns {
        check_column(&column.name)?;
        if !names.insert(key(&column.name)) {
            return Err(Error::invalid(format!("the column {} comes twice; case makes no difference", column.name)));
        }
        check_constraints(column)?;
    }
    Ok(())
}

fn check_constraints(column: &Column) -> Result<()> {
    use ColumnType as T;
    let Column { name, column_type, .. } = column;
    let integers = matches!(column_type, T::Integer | T::Bigint);
    let holds = column_type.as_str();
    if column.is(Constraint::AutoIncrement) && !integers {
        return Err(Error::invalid(format!("{name} holds {holds}: auto_increment numbers integer and bigint columns")));
    }
    if column.is(Constraint::AutoIncrement) && !column.is(Constraint::PrimaryKey) {
        return Err(unsupported(&format!("{name} is not the primary key: auto_increment numbers that alone")));
    }
    if column.is(Constraint::PrimaryKey) && !integers && *column_type != T::Text {
        return Err(unsupported(&format!("{name} holds {holds}: a primary key is text, integer or bigint")));
    }
    Ok(())
}

fn check_indexes(schema: &TableSchema) -> Result<()> {
    if schema.indexes.len() > MAX_INDEXES {
        let count = schema.indexes.len();
        return Err(Error::invalid(format!("the table has {count} indexes; at most {MAX_INDEXES} are taken")));
    }
    let mut names = BTreeSet::from([key(&schema.name)]);
    for index in &schema.indexes {
        check("an index", &index.name)?;
        if !names.insert(key(&index.name)) {
            let name = &index.name;
            return Err(Error::invalid(format!(
                "the index {name} has the name of its table or of another index; case makes no difference"
            )));
        }
        check_index_columns(schema, index)?;
    }
    Ok(())
}

fn check_index_columns(schema: &TableSchema, index: &Index) -> Result<()> {
    let Index { name, columns, .. } = index;
    if columns.is_empty() || columns.len() > MAX_INDEX_COLUMNS {
        let count = columns.len();
        return Err(Error::invalid(format!("the index {name} has {count} columns; it takes 1 to {MAX_INDEX_COLUMNS}")));
    }
    let mut seen = BTreeSet::new();
    for column in columns {
        if !schema.columns.iter().any(|there| there.name.eq_ignore_ascii_case(column)) {
            // The name was not checked, so it is not shown.
            return Err(Error::invalid(format!("the index {name} names a column that the table does not have")));
        }
        if !seen.insert(key(column)) {
            return Err(Error::invalid(format!("the index {name} names the column {column} twice")));
        }
    }
    Ok(())
}

fn unsupported(message: &str) -> Error {
    Error::new(ErrorCode::Unsupported, message)
}

/// In what the schema that is asked for differs from the one that is there; nothing where they are the same table.
///
/// Each difference has `at` (`name`, `columns/NAME`, `indexes/NAME`, `columns`), `is` and `asked`; null is not there at all.
pub(super) fn differences(is: &TableSchema, asked: &TableSchema) -> Vec<Value> {
    let mut found = Vec::new();
    if is.name != asked.name {
        found.push(json!({ "at": "name", "is": is.name, "asked": asked.name }));
    }
    let columns = |schema: &TableSchema| schema.columns.iter().map(|one| (one.name.clone(), column(one))).collect();
    compare("columns", columns(is), columns(asked), &mut found);
    let indexes = |schema: &TableSchema| schema.indexes.iter().map(|one| (one.name.clone(), index(one))).collect();
    compare("indexes", indexes(is), indexes(asked), &mut found);
    let order = |schema: &TableSchema| schema.columns.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    if found.is_empty() && order(is) != order(asked) {
        found.push(json!({ "at": "columns", "is": order(is), "asked": order(asked) }));
    }
    found
}

fn compare(what: &str, is: Vec<(String, Value)>, asked: Vec<(String, Value)>, found: &mut Vec<Value>) {
    let of = |all: &[(String, Value)], name: &str| {
        all.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    };
    for (name, there) in &is {
        let wanted = of(&asked, name);
        if wanted.as_ref() != Some(there) {
            found.push(json!({ "at": format!("{what}/{name}"), "is": there, "asked": wanted }));
        }
    }
    for (name, wanted) in asked.iter().filter(|(name, _)| of(&is, name).is_none()) {
        found.push(json!({ "at": format!("{what}/{name}"), "is": null, "asked": wanted }));
    }
}

/// What makes a column: constraints that come twice, or that a primary key brings along, make no difference.
fn column(column: &Column) -> Value {
    let mut constraints: BTreeSet<Constraint> = column.constraints.iter().copied().collect();
    if constraints.contains(&Constraint::PrimaryKey) {
        constraints.retain(|one| !matches!(one, Constraint::NotNull | Constraint::Unique));
    }
    json!({ "name": column.name, "type": column.column_type, "constraints": constraints })
}

fn index(index: &Index) -> Value {
    let columns: Vec<String> = index.columns.iter().map(|column| key(column)).collect();
    json!({ "name": index.name, "columns": columns, "unique": index.unique })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn text(name: &str) -> Column {
        Column::new(name, ColumnType::Text)
    }

    #[test]
    fn a_table_without_a_primary_key_gets_one() {
        let whole = complete(&TableSchema::new("t").column(text("a"))).unwrap();
        assert_eq!(whole.columns[0], text("id").primary_key());
        let whole = complete(&TableSchema::new("t").column(text("a")).column(text("ID"))).unwrap();
        assert!(whole.columns.len() == 2 && whole.columns[1].is(Constraint::PrimaryKey));
    }

    #[test]
    fn the_same_table_has_no_differences() {
        let first = TableSchema::new("t").column(text("id").primary_key().not_null()).column(text("a").unique());
        let same = TableSchema::new("t").column(text("id").primary_key()).column(text("a").unique().unique());
        assert_eq!(differences(&first, &same), Vec::<Value>::new());
        let other = TableSchema::new("T").column(text("a")).column(text("id").primary_key()).column(text("b"));
        let at: Vec<Value> = differences(&first, &other).into_iter().map(|one| one["at"].clone()).collect();
        assert_eq!(at, ["name", "columns/a", "columns/b"]);
        let turned = TableSchema::new("t").column(text("a").unique()).column(text("id").primary_key());
        assert_eq!(differences(&first, &turned)[0]["at"], "columns");
    }

    #[test]
    fn contradictions_are_refused() {
        let id = || Column::new("id", ColumnType::Integer);
        let of = |columns: Vec<Column>, indexes: Vec<Index>| {
            let schema = TableSchema { name: "t".into(), columns, indexes };
            complete(&schema).unwrap_err().code()
        };
        let (invalid, unsupported) = (ErrorCode::InvalidArgument, ErrorCode::Unsupported);
        assert_eq!(of(vec![id().primary_key(), text("a").primary_key()], vec![]), unsupported);
        assert_eq!(of(vec![Column::new("a", ColumnType::Json).primary_key()], vec![]), unsupported);
        assert_eq!(
            of(vec![id().primary_key(), Column::new("n", ColumnType::Bigint).auto_increment()], vec![]),
            unsupported
        );
        assert_eq!(of(vec![text("id").primary_key().auto_increment()], vec![]), invalid);
        assert_eq!(of(vec![text("a"), text("A")], vec![]), invalid);
        for index in [
            Index::new("t", ["a"]),
            Index::new("i", Vec::<String>::new()),
            Index::new("i", ["b"]),
            Index::new("i", ["a", "A"]),
            Index::new("pg_i", ["a"]),
        ] {
            assert_eq!(of(vec![text("a")], vec![index]), invalid);
        }
        assert_eq!(of(vec![text("a")], vec![Index::new("i", ["a"]), Index::new("I", ["a"])]), invalid);
        assert_eq!(of((0..257).map(|n| text(&format!("c{n}"))).collect(), vec![]), invalid);
    }
}
