//! Columns in PostgreSQL's binary form as [`Value`]s.

use std::error::Error as StdError;

use jiff::civil::Time;
use postgres_types::{FromSql, Kind, Type};

use super::{calendar, numeric};
use crate::db::Value;

/// A column of any type that [`readable`] names.
pub(super) struct Column(pub(super) Value<'static>);

impl<'a> FromSql<'a> for Column {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        decode(ty, raw)
            .map(Column)
            .ok_or_else(|| format!("a value of type {} is not in its binary form", ty.name()).into())
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(Value::Null))
    }

    /// Statements are prepared so that their columns are [`readable`]: not asked again for each value.
    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Whether values of that type are read from their binary form; others are asked for as text.
pub(super) fn readable(ty: &Type) -> bool {
    match ty.kind() {
        Kind::Domain(base) => readable(base),
        Kind::Array(member) => readable(member) && !matches!(*ty, Type::INT2_VECTOR | Type::OID_VECTOR),
        Kind::Enum(_) => true,
        Kind::Simple | Kind::Pseudo => is_text(ty) || is_scalar(ty),
        _ => false,
    }
}

fn is_text(ty: &Type) -> bool {
    matches!(*ty, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::VOID)
        || ty.name() == "citext"
}

fn is_scalar(ty: &Type) -> bool {
    matches!(
        *ty,
        Type::BOOL
            | Type::CHAR
            | Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::OID
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::NUMERIC
            | Type::BYTEA
            | Type::DATE
            | Type::TIME
            | Type::TIMESTAMP
            | Type::TIMESTAMPTZ
            | Type::UUID
            | Type::JSON
            | Type::JSONB
    )
}

fn decode(ty: &Type, raw: &[u8]) -> Option<Value<'static>> {
    match ty.kind() {
        Kind::Domain(base) => return decode(base, raw),
        Kind::Array(member) => return array(member, raw),
        Kind::Enum(_) => return text(raw),
        _ => {}
    }
    if is_text(ty) {
        return text(raw);
    }
    Some(match *ty {
        Type::BOOL => Value::Bool(*raw.first()? != 0),
        // One byte; 0 is how the catalogs keep "none".
        Type::CHAR => match *raw.first()? {
            0 => Value::text(""),
            byte => Value::Text(char::from(byte).to_string().into()),
        },
        Type::INT2 => Value::Int(i16::from_be_bytes(raw.try_into().ok()?).into()),
        Type::INT4 => Value::Int(i32::from_be_bytes(raw.try_into().ok()?).into()),
        Type::INT8 => Value::Int(i64::from_be_bytes(raw.try_into().ok()?)),
        Type::OID => Value::Int(u32::from_be_bytes(raw.try_into().ok()?).into()),
        // By way of the shortest decimal, so that 0.1 stays 0.1.
        Type::FLOAT4 => Value::Float(f32::from_be_bytes(raw.try_into().ok()?).to_string().parse().ok()?),
        Type::FLOAT8 => Value::Float(f64::from_be_bytes(raw.try_into().ok()?)),
        Type::NUMERIC => Value::Decimal(numeric::to_text(raw)?.into()),
        Type::BYTEA => Value::Bytes(raw.to_vec().into()),
        Type::DATE => calendar::date(i32::from_be_bytes(raw.try_into().ok()?)),
        Type::TIME => time(i64::from_be_bytes(raw.try_into().ok()?))?,
        Type::TIMESTAMP => calendar::datetime(i64::from_be_bytes(raw.try_into().ok()?)),
        Type::TIMESTAMPTZ => calendar::instant(i64::from_be_bytes(raw.try_into().ok()?)),
        Type::UUID => Value::Uuid(raw.try_into().ok()?),
        Type::JSON => Value::Json(String::from_utf8(raw.to_vec()).ok()?.into()),
        // One byte of version before the text.
        Type::JSONB => Value::Json(String::from_utf8(raw.strip_prefix(&[1])?.to_vec()).ok()?.into()),
        _ => return None,
    })
}

fn text(raw: &[u8]) -> Option<Value<'static>> {
    Some(Value::Text(String::from_utf8(raw.to_vec()).ok()?.into()))
}

/// Microseconds since midnight; 24:00:00, which is a TIME there and not here, is text.
fn time(micros: i64) -> Option<Value<'static>> {
    if micros == 86_400_000_000 {
        return Some(Value::Text("24:00:00".into()));
    }
    let (seconds, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let part = |value: i64| i8::try_from(value).ok();
    let nanos = i32::try_from(micros * 1_000).ok()?;
    Time::new(part(seconds / 3_600)?, part(seconds / 60 % 60)?, part(seconds % 60)?, nanos).ok().map(Value::Time)
}

/// `array_send`: dimensions, a flag, the member's oid, a length and a lower bound each, the members in row-major order.
fn array(member: &Type, raw: &[u8]) -> Option<Value<'static>> {
    let mut cursor = Cursor::new(raw);
    let dimensions = cursor.u32()?;
    cursor.take(8)?;
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        lengths.push(usize::try_from(cursor.u32()?).ok()?);
        cursor.take(4)?;
    }
    if lengths.is_empty() {
        return Some(Value::Array(Vec::new()));
    }
    members(member, &lengths, &mut cursor)
}

fn members(member: &Type, lengths: &[usize], cursor: &mut Cursor<'_>) -> Option<Value<'static>> {
    let Some((length, inner)) = lengths.split_first() else { return element(member, cursor) };
    (0..*length).map(|_| members(member, inner, cursor)).collect::<Option<Vec<_>>>().map(Value::Array)
}

fn element(member: &Type, cursor: &mut Cursor<'_>) -> Option<Value<'static>> {
    match usize::try_from(cursor.u32()?.cast_signed()) {
        Ok(length) => decode(member, cursor.take(length)?),
        Err(_) => Some(Value::Null),
    }
}

/// Big-endian numbers off the front of a slice.
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn new(raw: &'a [u8]) -> Self {
        Self(raw)
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }
}
