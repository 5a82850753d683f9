//! Names and what stands under them: a row, a condition.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::cell::Cell;

/// A row: the cells by the names of their columns.
pub type Cells = ByColumn<Cell>;

/// Which rows: those that pass every test.
pub type Where = ByColumn<Test>;

/// What belongs to each of some columns, in order; a JSON object.
///
/// ```
/// use sprongus::tables::{Cell, Cells};
/// let row = Cells::new().with("provider", "example").with("expires_at", 1_800_000_000_i64);
/// assert_eq!(row.get("provider"), Some(&Cell::Text("example".into())));
/// assert_eq!(serde_json::to_string(&row).unwrap(), r#"{"provider":"example","expires_at":1800000000}"#);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ByColumn<T>(Vec<(String, T)>);

impl<T> ByColumn<T> {
    /// Nothing of any column.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The same with that of one column more, or in place of what was there.
    #[must_use]
    pub fn with(mut self, column: impl Into<String>, value: impl Into<T>) -> Self {
        self.set(column, value);
        self
    }

    /// Takes that of one column, in place of what was there.
    pub fn set(&mut self, column: impl Into<String>, value: impl Into<T>) {
        let (column, value) = (column.into(), value.into());
        match self.0.iter_mut().find(|(name, _)| *name == column) {
            Some((_, there)) => *there = value,
            None => self.0.push((column, value)),
        }
    }

    /// That of the column so named, in that case.
    pub fn get(&self, column: &str) -> Option<&T> {
        self.0.iter().find(|(name, _)| name == column).map(|(_, value)| value)
    }

    /// All of it, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for ByColumn<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> IntoIterator for ByColumn<T> {
    type Item = (String, T);
    type IntoIter = std::vec::IntoIter<(String, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Names that come twice are both kept, and refused where the columns are looked for.
impl<N: Into<String>, T> FromIterator<(N, T)> for ByColumn<T> {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(items: I) -> Self {
        Self(items.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl<T: Serialize> Serialize for ByColumn<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByColumn<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = ByColumn<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<ByColumn<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(member) = members.next_entry()? {
            all.push(member);
        }
        Ok(ByColumn(all))
    }
}

impl<T: JsonSchema> JsonSchema for ByColumn<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}ByColumn", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}

/// What a column must be. In JSON an array is [`Test::In`], anything else [`Test::Is`].
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Equal to it; null where it is null.
    Is(Cell),
    /// Equal to one of them, null among them too. Of none, no row passes.
    In(Vec<Cell>),
}

impl<C: Into<Cell>> From<C> for Test {
    fn from(cell: C) -> Self {
        Self::Is(cell.into())
    }
}

impl Test {
    /// One of those.
    pub fn any_of<C: Into<Cell>>(cells: impl IntoIterator<Item = C>) -> Self {
        Self::In(cells.into_iter().map(Into::into).collect())
    }
}

impl Serialize for Test {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Is(cell) => cell.serialize(to),
            Self::In(cells) => cells.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Test {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyTest)
    }
}

struct AnyTest;

macro_rules! is {
    ($($method:ident: $type:ty),*) => { $(fn $method<E: de::Error>(self, value: $type) -> Result<Test, E> {
        Cell::deserialize(de::IntoDeserializer::<E>::into_deserializer(value)).map(Test::Is)
    })* };
}

impl<'de> Visitor<'de> for AnyTest {
    type Value = Test;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a column, or an array of them")
    }

    is!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str, visit_string: String);

    fn visit_unit<E: de::Error>(self) -> Result<Test, E> {
        Ok(Test::Is(Cell::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Test, A::Error> {
        Vec::deserialize(de::value::SeqAccessDeserializer::new(items)).map(Test::In)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Test, A::Error> {
        Cell::deserialize(de::value::MapAccessDeserializer::new(members)).map(Test::Is)
    }
}

impl JsonSchema for Test {
    fn schema_name() -> Cow<'static, str> {
        "Test".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}
