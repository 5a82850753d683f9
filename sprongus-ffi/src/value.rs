//! `sprongus_value`: a parameter or a column, both ways.

use std::borrow::Cow;
use std::ffi::c_char;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::civil::{Date, DateTime, Time};
use sprongus::{Dialect, Error, Json, Result, Timestamp, Value, tables};

use crate::args;

/// SQL NULL.
pub const SPRONGUS_NULL: i32 = 0;
/// BOOLEAN: `integer` is 0 or 1.
pub const SPRONGUS_BOOL: i32 = 1;
/// Any integer type: `integer`.
pub const SPRONGUS_INT: i32 = 2;
/// Any floating-point type: `real`.
pub const SPRONGUS_FLOAT: i32 = 3;
/// NUMERIC: `data` in decimal notation.
pub const SPRONGUS_DECIMAL: i32 = 4;
/// Text: `data`, UTF-8.
pub const SPRONGUS_TEXT: i32 = 5;
/// BYTEA or BLOB: `data`, bytes.
pub const SPRONGUS_BYTES: i32 = 6;
/// DATE: `data` as "2024-02-29".
pub const SPRONGUS_DATE: i32 = 7;
/// TIME without a zone: `data` as "12:30:00.5".
pub const SPRONGUS_TIME: i32 = 8;
/// TIMESTAMP without a zone: `data` as "2024-02-29T12:30:00".
pub const SPRONGUS_DATETIME: i32 = 9;
/// TIMESTAMPTZ: `data` as RFC 3339, given back in UTC with microseconds.
pub const SPRONGUS_TIMESTAMP: i32 = 10;
/// UUID: `data` in hexadecimal, with or without hyphens.
pub const SPRONGUS_UUID: i32 = 11;
/// JSON or JSONB: `data`, a document.
pub const SPRONGUS_JSON: i32 = 12;
/// An array: `data` as a JSON array.
pub const SPRONGUS_ARRAY: i32 = 13;

/// One value of SQL. `type` says which of the other fields count; those that do not are ignored.
///
/// Given to the caller, `data` holds the value as text whatever its type (the bytes of SPRONGUS_BYTES, nothing of
/// SPRONGUS_NULL), with a NUL that `length` does not count behind it. The layout never changes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sprongus_value {
    /// SPRONGUS_NULL, SPRONGUS_INT, SPRONGUS_TEXT, ….
    pub r#type: i32,
    /// Of SPRONGUS_BOOL and SPRONGUS_INT.
    pub integer: i64,
    /// Of SPRONGUS_FLOAT.
    pub real: f64,
    /// Of the others.
    pub data: *const c_char,
    /// Bytes in `data`.
    pub length: usize,
}

/// The parameters of a statement.
///
/// # Safety
/// `params` is NULL or points to `count` values whose data are readable, and all stay as they are for `'a`.
pub(crate) unsafe fn read_all<'a>(name: &str, params: *const sprongus_value, count: usize) -> Result<Vec<Value<'a>>> {
    // SAFETY: the same promise.
    let params = unsafe { args::slice(name, params, count) }?;
    let one = |(index, value): (usize, &sprongus_value)| {
        // SAFETY: the same promise.
        unsafe { read(&format!("{name}[{index}]"), value) }
    };
    params.iter().enumerate().map(one).collect()
}

/// One value as the core takes it.
///
/// # Safety
/// Its data are readable and stay as they are for `'a`.
pub(crate) unsafe fn read<'a>(name: &str, value: &sprongus_value) -> Result<Value<'a>> {
    match value.r#type {
        SPRONGUS_NULL => return Ok(Value::Null),
        SPRONGUS_BOOL => return Ok(Value::Bool(value.integer != 0)),
        SPRONGUS_INT => return Ok(Value::Int(value.integer)),
        SPRONGUS_FLOAT => return Ok(Value::Float(value.real)),
        SPRONGUS_DECIMAL..=SPRONGUS_ARRAY => {}
        other => return Err(Error::invalid(format!("{name}.type is {other}, which is no SPRONGUS_ type of a value"))),
    }
    // SAFETY: the same promise.
    let bytes: &'a [u8] = unsafe { args::bytes(name, value.data, value.length) }?;
    if value.r#type == SPRONGUS_BYTES {
        return Ok(Value::Bytes(Cow::Borrowed(bytes)));
    }
    from_text(name, value.r#type, args::utf8(name, bytes)?)
}

fn from_text<'a>(name: &str, kind: i32, text: &'a str) -> Result<Value<'a>> {
    let wrong = |what: &str| Error::invalid(format!("{name} is not {what}"));
    Ok(match kind {
        SPRONGUS_DECIMAL => Value::Decimal(Cow::Borrowed(text)),
        SPRONGUS_DATE => Value::Date(text.parse::<Date>().map_err(|_| wrong("a date as 2024-02-29"))?),
        SPRONGUS_TIME => Value::Time(text.parse::<Time>().map_err(|_| wrong("a time as 12:30:00"))?),
        SPRONGUS_DATETIME => {
            Value::DateTime(text.parse::<DateTime>().map_err(|_| wrong("a date and time as 2024-02-29T12:30:00"))?)
        }
        SPRONGUS_TIMESTAMP => Value::Timestamp(instant(text).ok_or_else(|| wrong("a time by RFC 3339"))?),
        SPRONGUS_UUID => Value::Uuid(uuid(text).ok_or_else(|| wrong("a UUID"))?),
        SPRONGUS_JSON => Value::Json(Cow::Owned(Json::parse(text)?.as_str().to_owned())),
        SPRONGUS_ARRAY => match sprongus::json::parse_value(text)? {
            serde_json::Value::Array(items) => Value::Array(items.into_iter().map(item).collect()),
            _ => return Err(wrong("a JSON array")),
        },
        _ => Value::Text(Cow::Borrowed(text)),
    })
}

/// RFC 3339, or as PostgreSQL prints it: a blank for the T, an offset of whole hours.
fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let mut text = text.replacen(' ', "T", 1);
    if text.len() > 3 && matches!(text.as_bytes()[text.len() - 3], b'+' | b'-') {
        text.push_str(":00");
    }
    text.parse().ok()
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    // `from_str_radix` would take a sign.
    let sound = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if sound { Some(u128::from_str_radix(&digits, 16).ok()?.to_be_bytes()) } else { None }
}

fn item(value: serde_json::Value) -> Value<'static> {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::String(text) => Value::Text(Cow::Owned(text)),
        serde_json::Value::Array(items) => Value::Array(items.into_iter().map(item).collect()),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => Value::Int(integer),
            None if number.is_f64() => Value::Float(number.as_f64().unwrap_or_default()),
            None => Value::Decimal(Cow::Owned(number.to_string())),
        },
        object => Value::Json(Cow::Owned(object.to_string())),
    }
}

/// A value for C, with the text it points to.
pub(crate) struct Cell {
    value: sprongus_value,
    text: Vec<u8>,
}

// SAFETY: `value.data` points into `text`, which nothing changes once the cell is made.
unsafe impl Send for Cell {}
// SAFETY: as above.
unsafe impl Sync for Cell {}

impl Cell {
    /// A column, or a parameter for a host's SQLite: arrays are JSON.
    pub(crate) fn new(value: &Value<'_>) -> Self {
        Self::with(value, text_of(value))
    }

    /// A parameter for a host's database: its text is what that database reads.
    pub(crate) fn for_database(value: &Value<'_>, dialect: Dialect) -> Self {
        let text = match (value, dialect) {
            (Value::Json(text), Dialect::Postgres) => {
                Json::from_canonical(&**text).for_jsonb().into_owned().into_bytes()
            }
            (Value::Array(items), Dialect::Postgres) => array_literal(items).into_bytes(),
            _ => text_of(value),
        };
        Self::with(value, text)
    }

    fn with(value: &Value<'_>, mut text: Vec<u8>) -> Self {
        let length = text.len();
        text.push(0);
        let (integer, real) = match value {
            Value::Bool(value) => (i64::from(*value), 0.0),
            Value::Int(value) => (*value, 0.0),
            Value::Float(value) => (0, *value),
            _ => (0, 0.0),
        };
        let data = if value.is_null() { std::ptr::null() } else { text.as_ptr().cast() };
        Self { value: sprongus_value { r#type: type_of(value), integer, real, data, length }, text }
    }

    pub(crate) fn value(&self) -> &sprongus_value {
        &self.value
    }

    /// The cell as JSON: what JSON has no form for is text, bytes are base64.
    pub(crate) fn write_json(&self, out: &mut String) {
        let bytes = &self.text[..self.value.length];
        let text = String::from_utf8_lossy(bytes);
        match self.value.r#type {
            SPRONGUS_NULL => out.push_str("null"),
            SPRONGUS_FLOAT if !self.value.real.is_finite() => quote(&text, out),
            SPRONGUS_BOOL | SPRONGUS_INT | SPRONGUS_FLOAT | SPRONGUS_JSON | SPRONGUS_ARRAY => out.push_str(&text),
            SPRONGUS_BYTES => quote(&BASE64.encode(bytes), out),
            _ => quote(&text, out),
        }
    }
}

/// A value of a custom table as one of SQL.
pub(crate) fn of_table(cell: &tables::Cell) -> Value<'_> {
    match cell {
        tables::Cell::Null => Value::Null,
        tables::Cell::Bool(value) => Value::Bool(*value),
        tables::Cell::Int(value) => Value::Int(*value),
        tables::Cell::Real(value) => Value::Float(*value),
        tables::Cell::Text(text) => Value::Text(Cow::Borrowed(text)),
        tables::Cell::Blob(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
        tables::Cell::Json(json) => Value::Json(Cow::Borrowed(json.as_str())),
    }
}

/// A value of SQL as one of a custom table: what that has no type for is text, an array a document.
pub(crate) fn table_cell(value: &Value<'_>) -> tables::Cell {
    match value {
        Value::Null => tables::Cell::Null,
        Value::Bool(value) => tables::Cell::Bool(*value),
        Value::Int(value) => tables::Cell::Int(*value),
        Value::Float(value) => tables::Cell::Real(*value),
        Value::Bytes(bytes) => tables::Cell::Blob(bytes.to_vec()),
        Value::Json(text) => tables::Cell::Json(Json::from_canonical(&**text)),
        Value::Array(items) => tables::Cell::Json(Json::parse(array_json(items)).unwrap_or_default()),
        other => tables::Cell::Text(String::from_utf8_lossy(&text_of(other)).into_owned()),
    }
}

/// A JSON string.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn type_of(value: &Value<'_>) -> i32 {
    match value {
        Value::Null => SPRONGUS_NULL,
        Value::Bool(_) => SPRONGUS_BOOL,
        Value::Int(_) => SPRONGUS_INT,
        Value::Float(_) => SPRONGUS_FLOAT,
        Value::Decimal(_) => SPRONGUS_DECIMAL,
        Value::Bytes(_) => SPRONGUS_BYTES,
        Value::Date(_) => SPRONGUS_DATE,
        Value::Time(_) => SPRONGUS_TIME,
        Value::DateTime(_) => SPRONGUS_DATETIME,
        Value::Timestamp(_) => SPRONGUS_TIMESTAMP,
        Value::Uuid(_) => SPRONGUS_UUID,
        Value::Json(_) => SPRONGUS_JSON,
        Value::Array(_) => SPRONGUS_ARRAY,
        _ => SPRONGUS_TEXT,
    }
}

fn text_of(value: &Value<'_>) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::Bool(value) => value.to_string().into_bytes(),
        Value::Int(value) => value.to_string().into_bytes(),
        Value::Float(value) if value.is_finite() => serde_json::Value::from(*value).to_string().into_bytes(),
        Value::Float(value) => value.to_string().into_bytes(),
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) => text.as_bytes().to_vec(),
        Value::Bytes(bytes) => bytes.to_vec(),
        Value::Date(value) => value.to_string().into_bytes(),
        Value::Time(value) => value.to_string().into_bytes(),
        Value::DateTime(value) => value.to_string().into_bytes(),
        Value::Timestamp(value) => value.to_string().into_bytes(),
        Value::Uuid(bytes) => uuid_text(bytes).into_bytes(),
        Value::Array(items) => array_json(items).into_bytes(),
        // `Value` may grow; what it grows by shows its name until it has a form here.
        other => other.type_name().as_bytes().to_vec(),
    }
}

/// RFC 9562: lower-case hexadecimal, 8-4-4-4-12.
fn uuid_text(bytes: &[u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(*bytes));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn array_json(items: &[Value<'static>]) -> String {
    let mut out = String::from("[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        Cell::new(item).write_json(&mut out);
    }
    out.push(']');
    out
}

/// PostgreSQL's text form of an array: every member quoted, so that none is taken for NULL or a delimiter.
fn array_literal(items: &[Value<'static>]) -> String {
    let items: Vec<String> = items.iter().map(literal_item).collect();
    format!("{{{}}}", items.join(","))
}

fn literal_item(item: &Value<'static>) -> String {
    match item {
        Value::Null => "NULL".to_owned(),
        Value::Array(items) => array_literal(items),
        Value::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("\"\\\\x{hex}\"")
        }
        _ => {
            let cell = Cell::for_database(item, Dialect::Postgres);
            let text = String::from_utf8_lossy(&cell.text[..cell.value.length]).into_owned();
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn given(kind: i32, text: &str) -> Result<Value<'static>> {
        let value =
            sprongus_value { r#type: kind, integer: 1, real: 0.5, data: text.as_ptr().cast(), length: text.len() };
        // SAFETY: `text` is readable while this runs, and the answer owns what it holds.
        unsafe { read("v", &value) }.map(Value::into_owned)
    }

    fn json(value: &Value<'_>) -> String {
        let mut out = String::new();
        Cell::new(value).write_json(&mut out);
        out
    }

    #[test]
    fn there_and_back() {
        for (kind, text, shown) in [
            (SPRONGUS_NULL, "", "null"),
            (SPRONGUS_BOOL, "", "true"),
            (SPRONGUS_INT, "", "1"),
            (SPRONGUS_FLOAT, "", "0.5"),
            (SPRONGUS_DECIMAL, "1.50", "\"1.50\""),
            (SPRONGUS_TEXT, "a\"b", r#""a\"b""#),
            (SPRONGUS_BYTES, "abc", "\"YWJj\""),
            (SPRONGUS_DATE, "2024-02-29", "\"2024-02-29\""),
            (SPRONGUS_TIME, "12:30:00", "\"12:30:00\""),
            (SPRONGUS_DATETIME, "2024-02-29T12:30:00", "\"2024-02-29T12:30:00\""),
            (SPRONGUS_TIMESTAMP, "2024-02-29T12:30:00+01:00", "\"2024-02-29T11:30:00.000000Z\""),
            (SPRONGUS_TIMESTAMP, "2024-02-29 12:30:00+01", "\"2024-02-29T11:30:00.000000Z\""),
            (SPRONGUS_UUID, "0123456789ABCDEF0123456789abcdef", "\"01234567-89ab-cdef-0123-456789abcdef\""),
            (SPRONGUS_JSON, "{\"b\": 1, \"a\": [] }", r#"{"a":[],"b":1}"#),
            (
                SPRONGUS_ARRAY,
                "[1, \"a\", null, [2.5], 18446744073709551615]",
                r#"[1,"a",null,[2.5],"18446744073709551615"]"#,
            ),
        ] {
            assert_eq!(json(&given(kind, text).unwrap()), shown);
        }
    }

    #[test]
    fn refusals() {
        for (kind, text) in [
            (SPRONGUS_DATE, "2024-02-30"),
            (SPRONGUS_TIMESTAMP, "yesterday"),
            (SPRONGUS_UUID, "12"),
            (SPRONGUS_UUID, "+123456789abcdef0123456789abcdef"),
            (SPRONGUS_JSON, "{"),
            (SPRONGUS_ARRAY, "{}"),
            (14, ""),
            (-1, ""),
        ] {
            assert!(given(kind, text).is_err(), "{kind} {text}");
        }
    }

    #[test]
    fn texts_for_postgres() {
        let text = |value: &Value<'_>| {
            let cell = Cell::for_database(value, Dialect::Postgres);
            String::from_utf8(cell.text[..cell.value.length].to_vec()).unwrap()
        };
        assert_eq!(text(&Value::json("[1e16]")), "[10000000000000000.0]");
        let array = vec![Value::Null, Value::Text("a\"\\".into()), Value::Int(1), Value::Bytes(vec![1].into())];
        assert_eq!(text(&Value::Array(array)), r#"{NULL,"a\"\\","1","\\x01"}"#);
    }
}
