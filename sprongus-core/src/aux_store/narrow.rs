//! What SQL can tell of a filter: conditions that leave out no entry for which the filter holds.
//!
//! Metadata is compared on both databases. A payload is looked into by PostgreSQL alone: SQLite would parse the whole
//! document for it, and to take the values out of its text here is faster.

use serde_json::Value as JsonValue;

use super::filter::{Condition, Field, Filter};
use super::path::{Path, index};
use super::scan::Sql;
use crate::clock::Timestamp;
use crate::db::{Dialect, Value};
use crate::json::Json;

/// From here on (2^53) not every integer is a float, and `numeric` and floats may disagree on which number is larger.
pub(super) const INEXACT: f64 = 9_007_199_254_740_992.0;

/// Appends ` AND …` for what SQL can tell; whether that is all of it, exactly.
pub(super) fn filter<'v>(sql: &mut Sql<'v>, dialect: Dialect, filter: &'v Filter) -> bool {
    let mut whole = true;
    for (field, conditions) in filter.fields() {
        for condition in conditions {
            let bound = sql.params.len();
            let told = match field {
                Field::Payload(path) if dialect == Dialect::Postgres => payload(sql, path, condition),
                Field::Payload(_) => None,
                Field::Id | Field::LastUpdated | Field::Version => metadata(sql, field, condition),
            };
            match &told {
                Some(told) => sql.push(&format!(" AND {}", told.sql)),
                None => sql.params.truncate(bound),
            }
            whole &= told.is_some_and(|told| told.exact);
        }
    }
    whole
}

/// A condition in SQL.
struct Told {
    sql: String,
    /// Whether it holds for no more entries than the condition it was made of.
    exact: bool,
}

fn exactly(sql: impl Into<String>) -> Option<Told> {
    Some(Told { sql: sql.into(), exact: true })
}

fn roughly(sql: impl Into<String>) -> Option<Told> {
    Some(Told { sql: sql.into(), exact: false })
}

fn metadata<'v>(sql: &mut Sql<'v>, field: &Field, condition: &'v Condition) -> Option<Told> {
    let (operator, operand) = match condition {
        Condition::Equal(operand) => ("=", operand),
        Condition::Less(operand) => ("<", operand),
        Condition::LessOrEqual(operand) => ("<=", operand),
        Condition::Greater(operand) => (">", operand),
        Condition::GreaterOrEqual(operand) => (">=", operand),
        _ => return None,
    };
    let (column, value) = match (field, operand) {
        (Field::Id, JsonValue::String(text)) if !text.contains('\0') => ("id", Value::from(text)),
        (Field::LastUpdated, JsonValue::String(text)) => ("last_updated", text.parse::<Timestamp>().ok()?.into()),
        (Field::Version, JsonValue::Number(number)) => ("version", number.as_i64()?.into()),
        _ => return None,
    };
    exactly(format!("{column} {operator} {}", sql.bind(value)))
}

/// Whether PostgreSQL finds at a path what [`Path::find`] does. It takes ` +1`, `-1` and `01` for array indexes, and no NUL.
pub(super) fn tellable(path: &Path) -> bool {
    let number =
        |key: &String| key.trim_start().trim_start_matches(['+', '-']).bytes().all(|byte| byte.is_ascii_digit());
    let taken_for_index = |key: &String| !key.is_empty() && number(key) && index(key).is_none();
    !path.keys().iter().any(|key| key.contains('\0')) && !path.keys().iter().skip(1).any(taken_for_index)
}

/// What stands at a [`tellable`] path, as PostgreSQL's JSONB; NULL is missing.
pub(super) fn json_at(sql: &mut Sql<'_>, path: &Path) -> String {
    at(sql, path, "->", "#>")
}

/// The same as text: a string's own.
fn text_at(sql: &mut Sql<'_>, path: &Path) -> String {
    at(sql, path, "->>", "#>>")
}

fn at(sql: &mut Sql<'_>, path: &Path, member: &str, descend: &str) -> String {
    match path.keys() {
        [key] => format!("(payload {member} {}::text)", sql.bind(key.clone())),
        keys => {
            let keys = keys.iter().cloned().map(Value::from).collect();
            format!("(payload {descend} {}::text[])", sql.bind(Value::Array(keys)))
        }
    }
}

fn payload<'v>(sql: &mut Sql<'v>, path: &Path, condition: &'v Condition) -> Option<Told> {
    if !tellable(path) {
        return None;
    }
    match condition {
        Condition::Equal(value) => one_of(sql, path, [value]),
        Condition::In(values) => one_of(sql, path, values.values()),
        Condition::NotEqual(value) => negated(one_of(sql, path, [value])?),
        Condition::Not(conditions) => {
            let all = conditions.iter().map(|condition| payload(sql, path, condition)).collect::<Option<Vec<_>>>()?;
            let exact = all.iter().all(|told| told.exact);
            let sql = all.into_iter().map(|told| told.sql).collect::<Vec<_>>().join(" AND ");
            negated(Told { sql: format!("({sql})"), exact })
        }
        Condition::Exists(wanted) => {
            let not = if *wanted { " NOT" } else { "" };
            exactly(format!("{} IS{not} NULL", json_at(sql, path)))
        }
        Condition::Less(value) => ordered(sql, path, "<", value),
        Condition::LessOrEqual(value) => ordered(sql, path, "<=", value),
        Condition::Greater(value) => ordered(sql, path, ">", value),
        Condition::GreaterOrEqual(value) => ordered(sql, path, ">=", value),
        Condition::StartsWith(text) if text.contains('\0') => exactly("FALSE"),
        Condition::StartsWith(text) => {
            let start = sql.bind(text);
            of_type(sql, path, "string", |at| format!("starts_with({at}, {start})"), text_at)
        }
        Condition::Contains(value) => contains(sql, path, value),
        Condition::ContainsFolded(_) => None,
    }
}

/// Of what is only roughly told, the negation tells nothing.
fn negated(told: Told) -> Option<Told> {
    told.exact.then(|| Told { sql: format!("NOT coalesce({}, FALSE)", told.sql), exact: true })
}

fn of_type(
    sql: &mut Sql<'_>,
    path: &Path,
    kind: &str,
    holds: impl FnOnce(&str) -> String,
    at: fn(&mut Sql<'_>, &Path) -> String,
) -> Option<Told> {
    let value = at(sql, path);
    exactly(format!("(jsonb_typeof({}) = '{kind}' AND {})", json_at(sql, path), holds(&value)))
}

fn one_of<'v>(sql: &mut Sql<'v>, path: &Path, values: impl IntoIterator<Item = &'v JsonValue>) -> Option<Told> {
    let mut spellings = Vec::new();
    for value in values {
        spellings.extend(equals(value)?);
    }
    let spellings = spellings.into_iter().map(|text| Value::Json(text.into())).collect();
    let value = json_at(sql, path);
    exactly(format!("{value} = ANY ({}::jsonb[])", sql.bind(Value::Array(spellings))))
}

/// Every JSONB that is equal to a value as filters have it; `None` where that cannot be told.
///
/// JSONB compares numbers by their decimal digits. The float that is 2^63 is written 9223372036854776000.0, so a large
/// number is asked for both as an integer and as a float.
fn equals(value: &JsonValue) -> Option<Vec<String>> {
    match value {
        JsonValue::Number(number) if number.as_f64()?.abs() >= INEXACT => Some(large(value, number.as_f64()?)),
        JsonValue::String(text) if text.contains('\0') => Some(Vec::new()),
        JsonValue::Array(_) | JsonValue::Object(_) if holds_large(value) => None,
        value => Some(vec![spelled(value)?]),
    }
}

/// A large number as an integer and as a float, where it is one.
fn large(value: &JsonValue, float: f64) -> Vec<String> {
    let integer = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    let whole = integer.unwrap_or(float as i128);
    let as_integer = i64::try_from(whole).map(JsonValue::from).or_else(|_| u64::try_from(whole).map(JsonValue::from));
    let as_float = (float as i128 == whole).then(|| JsonValue::from(float));
    as_integer.ok().iter().chain(&as_float).filter_map(spelled).collect()
}

fn holds_large(value: &JsonValue) -> bool {
    match value {
        JsonValue::Number(number) => number.as_f64().is_none_or(|float| float.abs() >= INEXACT),
        JsonValue::Array(items) => items.iter().any(holds_large),
        JsonValue::Object(map) => map.values().any(holds_large),
        _ => false,
    }
}

/// As it is stored; `None` for what no document holds.
fn spelled(value: &JsonValue) -> Option<String> {
    Some(Json::from_value(value).ok()?.for_jsonb().into_owned())
}

fn ordered<'v>(sql: &mut Sql<'v>, path: &Path, operator: &str, operand: &'v JsonValue) -> Option<Told> {
    match operand {
        JsonValue::String(text) if text.contains('\0') => None,
        JsonValue::String(text) => {
            let bound = sql.bind(text);
            of_type(sql, path, "string", |at| format!("{at} COLLATE \"C\" {operator} {bound}"), text_at)
        }
        JsonValue::Number(number) => {
            let float = number.as_f64()?;
            let exact = float.abs() < INEXACT;
            // Whatever the digits of a large number say, they lie between those of the floats beside it.
            let (operator, bound) = match operator {
                _ if exact => (operator, spelled(operand)?),
                "<" | "<=" => ("<=", beside(float.next_up())?),
                _ => (">=", beside(float.next_down())?),
            };
            let bound = sql.bind(Value::Json(bound.into()));
            let told = of_type(sql, path, "number", |at| format!("{at} {operator} {bound}::jsonb"), json_at)?;
            Some(Told { exact, ..told })
        }
        // Nothing else has an order, so nothing matches.
        _ => exactly("FALSE"),
    }
}

fn beside(float: f64) -> Option<String> {
    float.is_finite().then(|| spelled(&float.into())).flatten()
}

/// A string contains a string; an array contains a member.
fn contains<'v>(sql: &mut Sql<'v>, path: &Path, wanted: &'v JsonValue) -> Option<Told> {
    let (array, is_array) = (json_at(sql, path), "'array'");
    let kind = format!("jsonb_typeof({array})");
    if wanted.is_array() || wanted.is_object() {
        return roughly(format!("{kind} = {is_array}"));
    }
    let mut members = Vec::new();
    for spelling in equals(wanted)? {
        members.push(format!("{array} @> {}::jsonb", sql.bind(Value::Json(spelling.into()))));
    }
    let member = if members.is_empty() { "FALSE".to_owned() } else { members.join(" OR ") };
    match wanted.as_str().filter(|text| !text.contains('\0')) {
        Some(text) => {
            let (at, text) = (text_at(sql, path), sql.bind(text));
            exactly(format!(
                "CASE {kind} WHEN 'string' THEN strpos({at}, {text}) > 0 WHEN {is_array} THEN {member} ELSE FALSE END"
            ))
        }
        None => exactly(format!("({kind} = {is_array} AND ({member}))")),
    }
}
