//! A page in an order that PostgreSQL makes: JSONB brought into the order of DESIGN.md §3 "Text order" by its type, its
//! number and its text.

use serde_json::Value as JsonValue;

use super::best::Keys;
use super::plan::paths;
use crate::aux_store::filter::Field;
use crate::aux_store::narrow::{self, INEXACT, json_at};
use crate::aux_store::rows::Place;
use crate::aux_store::scan::{self, Scanned, Shape, Sql, Wanted};
use crate::aux_store::sort::{Key, Sort};
use crate::clock::Timestamp;
use crate::db::{Dialect, Executor, Value};
use crate::error::Result;

/// The wanted entries behind `after`, but the first `offset` of them, at most `most`.
///
/// `None` where PostgreSQL cannot tell: what the filter wants, what stands at a path, or which of two large numbers is the
/// larger one. Then all must be read.
pub(super) fn page(
    exec: &mut dyn Executor,
    place: Place<'_>,
    wanted: &Wanted,
    sort: &Sort,
    after: Option<(&Keys, &str)>,
    (offset, most): (i64, i64),
) -> Result<Option<Vec<Scanned>>> {
    let told = wanted.search.is_none() && paths(&wanted.filter, sort).iter().all(narrow::tellable);
    if exec.dialect() == Dialect::Sqlite || !told || after.is_some_and(|(keys, _)| keys.iter().any(is_large)) {
        return Ok(None);
    }
    let mut sql = Sql { text: String::new(), params: vec![place.project.into(), place.table.into()] };
    let columns = scan::columns(&mut sql, None, Shape::Whole);
    let keys: String = (0..).zip(sort.fields()).filter_map(|(n, key)| selected(&mut sql, n, key)).collect();
    sql.push(&format!(
        "SELECT {columns} FROM (SELECT {columns}{keys} FROM {} WHERE project_id = $1 AND table_name = $2",
        crate::aux_store::rows::ENTRIES
    ));
    if !narrow::filter(&mut sql, Dialect::Postgres, &wanted.filter) {
        return Ok(None);
    }
    sql.push(" OFFSET 0) AS found");
    if let Some((keys, id)) = after {
        let behind = behind(&mut sql, sort.fields(), keys, id);
        sql.push(&format!(" WHERE {behind}"));
    }
    let order: Vec<String> = (0..).zip(sort.fields()).flat_map(|(n, key)| ordered(n, key)).collect();
    let order = order.iter().map(|one| format!("{one}, ")).collect::<String>();
    let (most, offset) = (sql.bind(most), sql.bind(offset));
    sql.push(&format!(" ORDER BY {order}id LIMIT {most} OFFSET {offset}"));
    let rows = exec.query(&sql.text, &sql.params)?;
    let entries = rows.iter().map(|row| scan::read(row, 0, Shape::Whole)).collect::<Result<Vec<_>>>()?;
    let sure = |entry: &Scanned| wanted.holds(entry) && !sort.keys(entry).iter().any(is_large);
    Ok(entries.iter().all(sure).then_some(entries))
}

/// Whether that is a number whose place among others PostgreSQL cannot tell.
fn is_large(value: &Option<JsonValue>) -> bool {
    value.as_ref().and_then(JsonValue::as_f64).is_some_and(|float| float.abs() >= INEXACT)
}

fn selected(sql: &mut Sql<'_>, n: usize, key: &Key) -> Option<String> {
    match &key.field {
        Field::Payload(path) => Some(format!(", {} AS k{n}", json_at(sql, path))),
        _ => None,
    }
}

/// The expressions by which a field is sorted: none is ever NULL.
fn expressions(n: usize, field: &Field) -> Vec<String> {
    match field {
        Field::Id => vec!["id".to_owned()],
        Field::Version => vec!["version".to_owned()],
        Field::LastUpdated => vec!["last_updated".to_owned()],
        Field::Payload(_) => vec![
            format!(
                "CASE jsonb_typeof(k{n}) WHEN 'string' THEN 4 WHEN 'number' THEN 3 WHEN 'boolean' THEN 1 + (k{n})::boolean::int \
                 WHEN 'array' THEN 5 WHEN 'object' THEN 6 ELSE 0 END"
            ),
            format!("CASE WHEN jsonb_typeof(k{n}) = 'number' THEN (k{n})::float8 ELSE 0 END"),
            format!("CASE WHEN jsonb_typeof(k{n}) = 'string' THEN k{n} #>> '{{}}' ELSE '' END COLLATE \"C\""),
        ],
    }
}

fn ordered(n: usize, key: &Key) -> Vec<String> {
    let descending = if key.descending { " DESC" } else { "" };
    expressions(n, &key.field).into_iter().map(|one| format!("{one}{descending}")).collect()
}

/// The condition that an entry comes after one with these sort keys and this id.
fn behind<'v>(sql: &mut Sql<'v>, fields: &[Key], keys: &'v Keys, id: &'v str) -> String {
    let mut behind = format!("id > {}", sql.bind(id));
    for ((n, key), value) in fields.iter().enumerate().zip(keys).rev() {
        let bound = bound(sql, &key.field, value.as_ref()).join(", ");
        let (own, than) = (expressions(n, &key.field).join(", "), if key.descending { "<" } else { ">" });
        behind = format!("(({own}) {than} ({bound}) OR (({own}) = ({bound}) AND {behind}))");
    }
    behind
}

fn bound<'v>(sql: &mut Sql<'v>, field: &Field, value: Option<&'v JsonValue>) -> Vec<String> {
    let text = value.and_then(JsonValue::as_str).unwrap_or_default();
    match field {
        Field::Id => vec![sql.bind(text)],
        Field::Version => vec![sql.bind(value.and_then(JsonValue::as_i64))],
        Field::LastUpdated => vec![sql.bind(text.parse::<Timestamp>().ok())],
        Field::Payload(_) => {
            let number = value.and_then(JsonValue::as_f64).unwrap_or_default();
            vec![
                crate::aux_store::order::rank(value).to_string(),
                format!("{}::float8", sql.bind(Value::Float(number))),
                sql.bind(text),
            ]
        }
    }
}
