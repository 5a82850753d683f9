//! `filter`: which entries a list, a count or a sync means. Decided here for both databases.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::order::{comparable, compare, equal};
use super::path::Path;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::json::MAX_DEPTH;
use crate::text::fold;

/// Conditions of a filter, those within `not` among them: more than anyone writes.
const MAX_CONDITIONS: usize = 256;
/// Values of an `in`.
const MAX_VALUES: usize = 10_000;

/// What filters and sorts see of an entry.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'e> {
    /// Its id: `id` in filters.
    pub id: &'e str,
    /// Its version: `$version`.
    pub version: i64,
    /// When it was last written: `lastUpdated`.
    pub last_updated: Timestamp,
    /// The document.
    pub payload: &'e Value,
}

/// Where filters and sorts look their fields up.
pub(super) trait Fields {
    /// What stands in that field; `None` is missing.
    fn value(&self, field: &Field) -> Option<Cow<'_, Value>>;
}

impl Fields for Candidate<'_> {
    fn value(&self, field: &Field) -> Option<Cow<'_, Value>> {
        match field {
            Field::Id => Some(Cow::Owned(self.id.into())),
            Field::Version => Some(Cow::Owned(self.version.into())),
            Field::LastUpdated => Some(Cow::Owned(self.last_updated.to_string().into())),
            Field::Payload(path) => path.find(self.payload).map(Cow::Borrowed),
        }
    }
}

/// A field of an entry: metadata or a path into the payload.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    Id,
    Version,
    LastUpdated,
    Payload(Path),
}

impl Field {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "id" => Self::Id,
            "$version" => Self::Version,
            "lastUpdated" => Self::LastUpdated,
            _ => Self::Payload(Path::parse(text)?),
        })
    }
}

/// A parsed filter: every field's conditions hold.
///
/// A value is equality; an object holds operators, all of which hold: `eq ne lt lte gt gte in not contains icontains
/// starts_with exists` (DESIGN.md §15 "Reads").
///
/// ```
/// use serde_json::json;
/// use sprongus::aux_store::{Filter, filter::Candidate};
/// let filter = Filter::parse(&json!({"year": {"gte": 1900}, "tags": {"contains": "oil"}}))?;
/// let payload = json!({"year": 1922.0, "tags": ["oil", "canvas"]});
/// let last_updated = "2026-11-20T12:00:00Z".parse()?;
/// assert!(filter.matches(&Candidate { id: "a", version: 1, last_updated, payload: &payload }));
/// # Ok::<(), sprongus::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter(Vec<(Field, Vec<Condition>)>);

/// What a value must be; where it is missing only `ne`, `not` and `exists` can hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Equal(Value),
    NotEqual(Value),
    Less(Value),
    LessOrEqual(Value),
    Greater(Value),
    GreaterOrEqual(Value),
    In(OneOf),
    Not(Vec<Condition>),
    Contains(Value),
    ContainsFolded(String),
    StartsWith(String),
    Exists(bool),
}

/// Values to be found again, however many there are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OneOf {
    /// In the order of a sort, by which scalars are equal where filters have it so.
    scalars: Vec<Value>,
    containers: Vec<Value>,
}

impl OneOf {
    fn of(values: Vec<Value>) -> Self {
        let (containers, mut scalars): (Vec<Value>, Vec<Value>) = values.into_iter().partition(is_container);
        scalars.sort_by(|a, b| compare(Some(a), Some(b)));
        Self { scalars, containers }
    }

    /// Each of the values, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = &Value> {
        self.scalars.iter().chain(&self.containers)
    }

    fn holds(&self, value: &Value) -> bool {
        match is_container(value) {
            true => self.containers.iter().any(|wanted| equal(value, wanted)),
            false => self.scalars.binary_search_by(|wanted| compare(Some(wanted), Some(value))).is_ok(),
        }
    }
}

fn is_container(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

impl Filter {
    /// Reads a filter from its JSON form.
    ///
    /// # Errors
    /// `invalid_argument` for anything but an object, an unknown operator, an operand its operator cannot take, an empty
    /// object as a value, or a malformed path; the message names the field. Also where it is nested deeper than documents
    /// are (128), holds more than 256 conditions, or an `in` of more than 10,000 values.
    pub fn parse(filter: &Value) -> Result<Self> {
        let Value::Object(fields) = filter else {
            return Err(Error::invalid(
                "a filter is an object of fields and values, such as {\"year\": {\"gte\": 1900}}",
            ));
        };
        check_depth(filter)?;
        let parse = |(name, value): (&String, &Value)| {
            let field = Field::parse(name)?;
            let conditions = conditions(&field, name, value)?;
            Ok((field, conditions))
        };
        let fields: Vec<(Field, Vec<Condition>)> = fields.iter().map(parse).collect::<Result<_>>()?;
        let conditions: usize = fields.iter().map(|(_, conditions)| counted(conditions)).sum();
        if conditions > MAX_CONDITIONS {
            return Err(Error::invalid(format!(
                "the filter holds {conditions} conditions; at most {MAX_CONDITIONS} are taken, and `in` takes many values"
            )));
        }
        Ok(Self(fields))
    }

    /// Whether the entry is meant.
    pub fn matches(&self, entry: &Candidate<'_>) -> bool {
        self.holds(entry)
    }

    /// The same, wherever the fields are looked up.
    pub(super) fn holds(&self, entry: &impl Fields) -> bool {
        self.0.iter().all(|(field, conditions)| all(conditions, entry.value(field).as_deref()))
    }

    /// Each field, with the conditions that hold of it together.
    pub(super) fn fields(&self) -> &[(Field, Vec<Condition>)] {
        &self.0
    }

    /// Whether every entry is meant.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids the filter is limited to, where equality or `in` on `id` says so.
    pub(crate) fn ids(&self) -> Option<Vec<&str>> {
        let conditions = self.0.iter().filter(|(field, _)| *field == Field::Id).flat_map(|(_, conditions)| conditions);
        conditions.into_iter().find_map(|condition| match condition {
            Condition::Equal(value) => Some(value.as_str().into_iter().collect()),
            Condition::In(values) => Some(values.scalars.iter().filter_map(Value::as_str).collect()),
            _ => None,
        })
    }
}

/// No document is nested deeper than that, so no operand need be; the filter itself and its operators come on top.
fn check_depth(filter: &Value) -> Result<()> {
    let (mut level, mut depth) = (vec![filter], 0);
    while !level.is_empty() {
        depth += 1;
        if depth > MAX_DEPTH + 1 {
            return Err(Error::invalid(format!("the filter is nested deeper than {MAX_DEPTH}, as no document is")));
        }
        let below = level.into_iter().flat_map(|value| match value {
            Value::Array(items) => items.iter().collect::<Vec<_>>(),
            Value::Object(map) => map.values().collect(),
            _ => Vec::new(),
        });
        level = below.collect();
    }
    Ok(())
}

fn counted(conditions: &[Condition]) -> usize {
    let each = conditions.iter().map(|condition| match condition {
        Condition::Not(conditions) => 1 + counted(conditions),
        _ => 1,
    });
    each.sum()
}

fn conditions(field: &Field, name: &str, value: &Value) -> Result<Vec<Condition>> {
    match value {
        Value::Object(operators) if operators.is_empty() => Err(Error::invalid(format!(
            "the filter on {name:?} is an empty object; equality with one is {{\"eq\": {{}}}}"
        ))),
        Value::Object(operators) => {
            operators.iter().map(|(operator, operand)| condition(field, name, operator, operand)).collect()
        }
        value => Ok(vec![Condition::Equal(operand_of(field, name, value)?)]),
    }
}

fn condition(field: &Field, name: &str, operator: &str, operand: &Value) -> Result<Condition> {
    let wanted = |what: &str| Error::invalid(format!("{operator} on {name:?} takes {what}"));
    let value = || operand_of(field, name, operand);
    let text = || operand.as_str().ok_or_else(|| wanted("a string"));
    Ok(match operator {
        "eq" => Condition::Equal(value()?),
        "ne" => Condition::NotEqual(value()?),
        "lt" => Condition::Less(value()?),
        "lte" => Condition::LessOrEqual(value()?),
        "gt" => Condition::Greater(value()?),
        "gte" => Condition::GreaterOrEqual(value()?),
        "in" => {
            let values = operand.as_array().ok_or_else(|| wanted("an array of values"))?;
            if values.len() > MAX_VALUES {
                return Err(Error::invalid(format!(
                    "in on {name:?} has {} values; at most {MAX_VALUES} are taken",
                    values.len()
                )));
            }
            Condition::In(OneOf::of(values.iter().map(|value| operand_of(field, name, value)).collect::<Result<_>>()?))
        }
        "not" => Condition::Not(conditions(field, name, operand)?),
        "contains" => Condition::Contains(operand.clone()),
        "icontains" => Condition::ContainsFolded(fold(text()?).into_owned()),
        "starts_with" => Condition::StartsWith(text()?.to_owned()),
        "exists" => Condition::Exists(operand.as_bool().ok_or_else(|| wanted("true or false"))?),
        unknown => {
            return Err(Error::invalid(format!(
                "{unknown:?} on {name:?} is no operator; there are eq, ne, lt, lte, gt, gte, in, not, contains, icontains, \
                 starts_with, exists, and equality with an object is {{\"eq\": {{…}}}}"
            )));
        }
    })
}

/// Times are compared as the text entries show, so an operand in another spelling is brought to it.
fn operand_of(field: &Field, name: &str, operand: &Value) -> Result<Value> {
    match (field, operand) {
        (Field::LastUpdated, Value::String(text)) => {
            let time = text.parse::<Timestamp>();
            let time = time.map_err(|_| {
                Error::invalid(format!("{name} is compared with a time as RFC 3339 has it, not {text:?}"))
            })?;
            Ok(time.to_string().into())
        }
        _ => Ok(operand.clone()),
    }
}

fn all(conditions: &[Condition], value: Option<&Value>) -> bool {
    conditions.iter().all(|condition| condition.holds(value))
}

impl Condition {
    fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Self::NotEqual(wanted) => !value.is_some_and(|value| equal(value, wanted)),
            Self::Not(conditions) => !all(conditions, value),
            Self::Exists(wanted) => value.is_some() == *wanted,
            _ => value.is_some_and(|value| self.holds_for(value)),
        }
    }

    fn holds_for(&self, value: &Value) -> bool {
        let ordered = |wanted: &Value, is: fn(Ordering) -> bool| comparable(value, wanted).is_some_and(is);
        match self {
            Self::Equal(wanted) => equal(value, wanted),
            Self::Less(wanted) => ordered(wanted, Ordering::is_lt),
            Self::LessOrEqual(wanted) => ordered(wanted, Ordering::is_le),
            Self::Greater(wanted) => ordered(wanted, Ordering::is_gt),
            Self::GreaterOrEqual(wanted) => ordered(wanted, Ordering::is_ge),
            Self::In(wanted) => wanted.holds(value),
            Self::Contains(wanted) => contains(value, wanted),
            Self::ContainsFolded(wanted) => contains_folded(value, wanted),
            Self::StartsWith(wanted) => value.as_str().is_some_and(|text| text.starts_with(wanted)),
            Self::NotEqual(_) | Self::Not(_) | Self::Exists(_) => self.holds(Some(value)),
        }
    }
}

/// A string contains a string; an array contains a member.
fn contains(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Array(items), wanted) => items.iter().any(|item| equal(item, wanted)),
        (Value::String(text), Value::String(wanted)) => text.contains(wanted.as_str()),
        _ => false,
    }
}

/// The same without regard to case.
fn contains_folded(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| item.as_str().is_some_and(|text| fold(text) == wanted)),
        Value::String(text) => fold(text).contains(wanted),
        _ => false,
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
