//! [`Value`]s as parameters of the type the server inferred: text, which the server parses, but for bytes, instants and the
//! arrays of columns.

use std::borrow::Cow;
use std::error::Error as StdError;

use bytes::BytesMut;
use postgres_types::{Format, IsNull, Kind, ToSql, Type, to_sql_checked};

use super::calendar::EPOCH_MICROS;
use crate::db::Value;
use crate::db::value::uuid_text;
use crate::error::{Error, Result};

/// One parameter.
#[derive(Debug)]
pub(super) struct Param<'a>(pub(super) &'a Value<'a>);

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (self.0, base(ty)) {
            (Value::Null, _) => return Ok(IsNull::Yes),
            (Value::Bytes(bytes), &Type::BYTEA) => out.extend_from_slice(bytes),
            (Value::Timestamp(time), &Type::TIMESTAMPTZ | &Type::TIMESTAMP) => {
                out.extend_from_slice(&(time.as_micros() - EPOCH_MICROS).to_be_bytes());
            }
            (value, ty) => match Members::of(value, ty) {
                Some(Members::Texts(items)) => return items.to_sql(ty, out),
                Some(Members::Numbers(items)) => return items.to_sql(ty, out),
                None => out.extend_from_slice(text(value, ty).as_bytes()),
            },
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, ty: &Type) -> Format {
        match (self.0, base(ty)) {
            (Value::Bytes(_), &Type::BYTEA) | (Value::Timestamp(_), &Type::TIMESTAMPTZ | &Type::TIMESTAMP) => {
                Format::Binary
            }
            (value, ty) if Members::of(value, ty).is_some() => Format::Binary,
            _ => Format::Text,
        }
    }

    to_sql_checked!();
}

/// The members of an array in the driver's own types. In binary neither side looks for quotes, which is most of the work of
/// sending a column of many rows.
enum Members<'v> {
    Texts(Vec<Option<&'v str>>),
    Numbers(Vec<Option<i64>>),
}

impl<'v> Members<'v> {
    /// Of an array of text or of 64-bit integers that holds nothing else.
    fn of(value: &'v Value<'_>, ty: &Type) -> Option<Self> {
        let Value::Array(items) = value else { return None };
        match *ty {
            Type::TEXT_ARRAY => items.iter().map(text_or_null).collect::<Option<_>>().map(Self::Texts),
            Type::INT8_ARRAY => items.iter().map(number_or_null).collect::<Option<_>>().map(Self::Numbers),
            _ => None,
        }
    }
}

fn text_or_null<'v>(value: &'v Value<'_>) -> Option<Option<&'v str>> {
    match value {
        Value::Null => Some(None),
        Value::Text(text) | Value::Json(text) | Value::Decimal(text) => Some(Some(text)),
        _ => None,
    }
}

fn number_or_null(value: &Value<'_>) -> Option<Option<i64>> {
    match value {
        Value::Null => Some(None),
        Value::Int(number) => Some(Some(*number)),
        _ => None,
    }
}

/// Refuses what cannot be that type before it is sent, for the server's refusal would end the transaction.
pub(super) fn check(values: &[Value<'_>], types: &[Type]) -> Result<()> {
    if values.len() != types.len() {
        return Err(Error::invalid(format!("the SQL takes {} parameters, {} were given", types.len(), values.len())));
    }
    for (index, (value, ty)) in values.iter().zip(types).enumerate() {
        check_one(value, base(ty)).map_err(|why| Error::invalid(format!("parameter ${} {why}", index + 1)))?;
    }
    Ok(())
}

fn check_one(value: &Value<'_>, ty: &Type) -> Result<(), String> {
    if let (Value::Array(items), Kind::Array(member)) = (value, ty.kind()) {
        // A nested array is a further dimension of the same members.
        return items
            .iter()
            .try_for_each(|item| check_one(item, if matches!(item, Value::Array(_)) { ty } else { base(member) }));
    }
    if holds_nul(value) {
        return Err("holds a NUL character, which PostgreSQL cannot store in text".to_owned());
    }
    if let (Value::Int(value), Some((low, high))) = (value, range(ty))
        && !(low..=high).contains(value)
    {
        return Err(format!("is out of range for {}: it takes {low} to {high}", ty.name()));
    }
    if fits(value, ty) { Ok(()) } else { Err(format!("is {} and cannot become {}", value.type_name(), ty.name())) }
}

fn holds_nul(value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) | Value::Json(text) | Value::Decimal(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        _ => false,
    }
}

fn range(ty: &Type) -> Option<(i64, i64)> {
    match *ty {
        Type::INT2 => Some((i16::MIN.into(), i16::MAX.into())),
        Type::INT4 => Some((i32::MIN.into(), i32::MAX.into())),
        Type::OID => Some((0, u32::MAX.into())),
        _ => None,
    }
}

/// Whether the server is worth asking: text and NULL may be anything, the rest only what it resembles.
fn fits(value: &Value<'_>, ty: &Type) -> bool {
    use Value as V;
    match *ty {
        Type::BOOL => matches!(value, V::Null | V::Text(_) | V::Bool(_) | V::Int(0 | 1)),
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => {
            matches!(value, V::Null | V::Text(_) | V::Int(_) | V::Decimal(_))
        }
        Type::FLOAT4 | Type::FLOAT8 | Type::NUMERIC => {
            matches!(value, V::Null | V::Text(_) | V::Int(_) | V::Float(_) | V::Decimal(_))
        }
        Type::BYTEA => matches!(value, V::Null | V::Text(_) | V::Bytes(_)),
        Type::DATE => matches!(value, V::Null | V::Text(_) | V::Date(_)),
        Type::TIME => matches!(value, V::Null | V::Text(_) | V::Time(_)),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => {
            matches!(value, V::Null | V::Text(_) | V::Date(_) | V::DateTime(_) | V::Timestamp(_))
        }
        Type::UUID => matches!(value, V::Null | V::Text(_) | V::Uuid(_)),
        Type::JSON | Type::JSONB => !matches!(value, V::Bytes(_)),
        _ => match ty.kind() {
            Kind::Array(_) => matches!(value, V::Null | V::Text(_) | V::Array(_)),
            _ => !matches!(value, V::Bytes(_)),
        },
    }
}

/// What a domain is made of, else the type itself.
fn base(ty: &Type) -> &Type {
    match ty.kind() {
        Kind::Domain(inner) => base(inner),
        _ => ty,
    }
}

/// The value as text which that type's input function reads.
pub(super) fn text<'v>(value: &'v Value<'_>, ty: &Type) -> Cow<'v, str> {
    let ty = base(ty);
    if matches!(*ty, Type::JSON | Type::JSONB) {
        return json(value);
    }
    match value {
        Value::Array(items) => match ty.kind() {
            Kind::Array(member) => array(items, member).into(),
            _ => json(value),
        },
        _ => plain(value),
    }
}

fn plain<'v>(value: &'v Value<'_>) -> Cow<'v, str> {
    let made = match value {
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) => return Cow::Borrowed(text),
        Value::Array(_) => return json(value),
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Bytes(bytes) => hex(bytes),
        Value::Date(value) => value.to_string(),
        Value::Time(value) => value.to_string(),
        Value::DateTime(value) => value.to_string(),
        Value::Timestamp(value) => value.to_string(),
        Value::Uuid(bytes) => uuid_text(bytes),
    };
    Cow::Owned(made)
}

/// Bytes in the hex format of BYTEA (PostgreSQL manual, "Binary Data Types").
fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    text
}

/// Text and JSON text stand as they are: whoever binds text to a JSON column has written JSON.
fn json<'v>(value: &'v Value<'_>) -> Cow<'v, str> {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(json_item).collect::<Vec<_>>().join(",")).into(),
        Value::Float(number) if number.is_finite() => fraction(*number).into(),
        Value::Date(_) | Value::Time(_) | Value::DateTime(_) | Value::Timestamp(_) | Value::Uuid(_) => json_item(value),
        _ => plain(value),
    }
}

/// In full and with a fraction: JSONB makes integers of `1` and `1e16` (DESIGN.md §3 "JSON").
fn fraction(number: f64) -> String {
    let text = number.to_string();
    if text.contains('.') { text } else { text + ".0" }
}

fn json_item<'v>(value: &'v Value<'_>) -> Cow<'v, str> {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Decimal(_) | Value::Json(_) | Value::Array(_) => {
            json(value)
        }
        Value::Float(number) if number.is_finite() => fraction(*number).into(),
        _ => serde_json::Value::from(plain(value)).to_string().into(),
    }
}

/// An array literal: every member quoted, so that none is taken for NULL or a delimiter.
fn array(items: &[Value<'_>], member: &Type) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| match item {
            Value::Null => "NULL".to_owned(),
            Value::Array(inner) => array(inner, member),
            _ => format!("\"{}\"", text(item, member).replace('\\', "\\\\").replace('"', "\\\"")),
        })
        .collect();
    format!("{{{}}}", items.join(","))
}
