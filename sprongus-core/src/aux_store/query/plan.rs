//! Which kept keys (`x-unique`, `x-index`) help a list, and how.

use serde_json::Value as JsonValue;

use super::others::{By, MOST_RANGES, Other, Others};
use crate::aux_store::filter::{Condition, Field, Filter};
use crate::aux_store::keys::{Range, encoded, field_name, shortened};
use crate::aux_store::path::{Path, index};
use crate::aux_store::sort::Sort;
use crate::presets::{Key, Keywords, Step};

/// How the keys of one field, or of several together, narrow and order a list.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The name under which the keys are kept.
    pub(super) field: String,
    /// Where the keys of what is wanted lie: ascending, apart from one another.
    pub(super) ranges: Vec<Range>,
    /// Whether that is less than all keys.
    pub(super) narrows: bool,
    pub(super) order: Option<KeyOrder>,
    /// Other keys that the same entries have.
    pub(super) others: Others,
}

/// The order of keys as an order of the list: by groups of entries whose first values are equal.
#[derive(Debug, Clone)]
pub(super) struct KeyOrder {
    /// What the filter wants the first values to be.
    pub(super) fixed: Vec<JsonValue>,
    /// Which fields of the sort the values after them are.
    pub(super) sorted: Vec<usize>,
    pub(super) descending: bool,
    /// Whether entries with the same key stand in the order of their ids, with nothing else to be sorted by.
    pub(super) then_by_id: bool,
    /// Whether nothing is left to be sorted within a group.
    pub(super) whole: bool,
}

impl Plan {
    /// The same, now that its keys are known to be few.
    pub(super) fn of_few(mut self) -> Self {
        if self.others.by == By::Join {
            self.others.by = By::All;
        }
        self
    }

    /// What its keys must be, for a walk along those of another field.
    pub(super) fn as_other(&self) -> Other {
        let own = || Other { field: self.field.clone(), ranges: self.ranges.clone() };
        self.others.fields.first().cloned().unwrap_or_else(own)
    }
}

impl KeyOrder {
    /// The values of a key that make a group.
    pub(super) fn values(&self) -> usize {
        self.fixed.len() + self.sorted.len()
    }
}

/// Every way in which the keys of a preset help.
pub(super) fn plans(keywords: &Keywords, filter: &Filter, sort: &Sort) -> Vec<Plan> {
    let keys = keywords.unique.iter().chain(&keywords.index);
    keys.filter_map(|key| plan(key, filter, sort)).filter(|plan| plan.narrows || plan.order.is_some()).collect()
}

fn fields<'a>(filter: &'a Filter, sort: &'a Sort) -> impl Iterator<Item = &'a Field> {
    let filtered = filter.fields().iter().map(|(field, _)| field);
    filtered.chain(sort.fields().iter().map(|key| &key.field))
}

/// Whether the filter or the sort asks when or how often entries were written.
pub(super) fn is_timely(filter: &Filter, sort: &Sort) -> bool {
    fields(filter, sort).any(|field| matches!(field, Field::Version | Field::LastUpdated))
}

/// The fields whose values the filter or the sort wants from the payload.
pub(super) fn paths(filter: &Filter, sort: &Sort) -> Vec<Path> {
    let mut paths: Vec<Path> = Vec::new();
    for field in fields(filter, sort) {
        match field {
            Field::Payload(path) if !paths.contains(path) => paths.push(path.clone()),
            _ => {}
        }
    }
    paths
}

fn plan(key: &Key, filter: &Filter, sort: &Sort) -> Option<Plan> {
    let fields = key.fields.iter().map(|field| read_path(field.steps())).collect::<Option<Vec<_>>>()?;
    let fixed: Vec<JsonValue> = fields.iter().map_while(|field| equal_to(filter, field).cloned()).collect();
    let (ranges, narrowed) = ranges(&fields, &fixed, filter);
    let narrows = narrowed || !fixed.is_empty();
    let order = order(&fields, &fixed, filter, sort);
    let field = field_name(&key.name());
    let (ranges, others) = gathered(&field, ranges);
    Some(Plan { field, ranges, narrows, order, others })
}

/// Many ranges (of an `in`) are not walked one after the other: the keys in them are gathered by one statement.
fn gathered(field: &str, ranges: Vec<Range>) -> (Vec<Range>, Others) {
    match &ranges[..] {
        [first, .., last] if ranges.len() > MOST_RANGES => {
            let all = Range { from: first.from.clone(), to: last.to.clone() };
            (vec![all], Others { fields: vec![Other { field: field.to_owned(), ranges }], by: By::Join })
        }
        _ => (ranges, Others::default()),
    }
}

/// A key's field as filters name it; `None` where they would look into arrays, which keys do not.
fn read_path(steps: &[Step]) -> Option<Field> {
    let name = |step: &Step| match step {
        Step::Property(name) => Some(name.clone()),
        Step::Items => None,
    };
    let names = steps.iter().map(name).collect::<Option<Vec<_>>>()?;
    let into_array = names.iter().skip(1).any(|name| index(name).is_some());
    (!into_array && !names.is_empty()).then(|| Field::Payload(Path::from(names)))
}

fn conditions<'f>(filter: &'f Filter, field: &Field) -> impl Iterator<Item = &'f Condition> {
    filter.fields().iter().filter(move |(other, _)| other == field).flat_map(|(_, conditions)| conditions)
}

fn equal_to<'f>(filter: &'f Filter, field: &Field) -> Option<&'f JsonValue> {
    conditions(filter, field).find_map(|condition| match condition {
        Condition::Equal(value) => Some(value),
        _ => None,
    })
}

/// The ranges in which keys lie that begin with these values and go on as the filter says; whether it says anything.
fn ranges(fields: &[Field], fixed: &[JsonValue], filter: &Filter) -> (Vec<Range>, bool) {
    let prefix = encoded(fixed);
    let Some(next) = fields.get(fixed.len()) else {
        return (vec![Range::only(shortened(prefix))], true);
    };
    let mut ranges = vec![Range::beginning(prefix.clone())];
    let mut narrowed = false;
    // What was cut off of a long key tells nothing.
    for condition in conditions(filter, next).filter(|_| prefix.len() < 256) {
        if let Some(those) = among(&prefix, condition) {
            let both = |range: &Range| those.iter().map(|other| range.within(other)).collect::<Vec<_>>();
            ranges = ranges.iter().flat_map(both).filter(|range| !range.is_empty()).collect();
            narrowed = true;
        }
    }
    (ranges, narrowed)
}

/// Where the keys lie whose next value meets a condition: ascending, apart.
fn among(prefix: &[u8], condition: &Condition) -> Option<Vec<Range>> {
    let ordered = |value: &JsonValue, range: fn(&[u8], &JsonValue) -> Range| match value {
        JsonValue::Number(_) | JsonValue::String(_) => vec![range(prefix, value)],
        // Nothing else has an order, so nothing matches.
        _ => Vec::new(),
    };
    match condition {
        Condition::Less(value) | Condition::LessOrEqual(value) => Some(ordered(value, Range::at_most)),
        Condition::Greater(value) | Condition::GreaterOrEqual(value) => Some(ordered(value, Range::at_least)),
        Condition::StartsWith(text) => Some(vec![Range::starting(prefix, text)]),
        Condition::In(values) => {
            let one = |value| Range::beginning([prefix, &encoded([value])].concat());
            let mut ranges: Vec<Range> = values.values().map(one).collect();
            ranges.sort_by(|a, b| a.from.cmp(&b.from));
            ranges.dedup();
            Some(ranges)
        }
        _ => None,
    }
}

fn order(fields: &[Field], fixed: &[JsonValue], filter: &Filter, sort: &Sort) -> Option<KeyOrder> {
    // What is equal in all of them sorts nothing, and after the id nothing does.
    let sorting = sort.fields().iter().enumerate().filter(|(_, key)| equal_to(filter, &key.field).is_none());
    let mut sorting: Vec<_> = sorting.collect();
    let by_id = sorting.iter().position(|(_, key)| key.field == Field::Id);
    let ids_descend = by_id.is_some_and(|at| sorting[at].1.descending);
    sorting.truncate(by_id.unwrap_or(sorting.len()));
    let descending = sorting.first().is_some_and(|(_, key)| key.descending);
    let follows = |((_, key), field): &(&(usize, &crate::aux_store::sort::Key), &Field)| {
        key.field == **field && key.descending == descending
    };
    let rest = &fields[fixed.len()..];
    let sorted: Vec<usize> = sorting.iter().zip(rest).take_while(follows).map(|((at, _), _)| *at).collect();
    let whole = sorted.len() == sorting.len() && !ids_descend;
    let then_by_id = whole && fixed.len() + sorted.len() == fields.len();
    let orders = !sorted.is_empty() || (sorting.is_empty() && then_by_id);
    orders.then(|| KeyOrder { fixed: fixed.to_vec(), sorted, descending, then_by_id, whole })
}
