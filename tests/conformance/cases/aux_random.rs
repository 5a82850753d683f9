//! Documents, changes and queries by chance, against the same in memory: every backend must agree with it, and so all agree.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sprongus::aux_store::filter::Candidate;
use sprongus::aux_store::order::compare;
use sprongus::aux_store::path::Path;
use sprongus::aux_store::{
    Aux, BulkOptions, BulkReport, Entry, Filter, ListQuery, Mode, Nulls, OnError, OnReferenced, Search, UpdateOptions,
    merge,
};
use sprongus::presets::FieldPath;
use sprongus::{ErrorCode, Json, Options, Result, Store, Violation};
use sprongus_conformance::{Case, Env, Face};

use crate::aux_entries::bind;

pub(crate) fn cases() -> Vec<Case> {
    let covers = &["aux.bulk_upsert", "aux.update", "aux.upsert", "aux.delete", "aux.list", "aux.count"];
    let bulk = &["aux.bulk_upsert", "aux.import"];
    vec![
        Case { name: "aux::chance_finds_no_difference_from_memory", covers, transactional: true, run: by_chance },
        Case {
            name: "aux::chance_finds_no_difference_in_bulk",
            covers: bulk,
            transactional: true,
            run: bulk_by_chance,
        },
    ]
}

const TEXTS: [&str; 22] = [
    "",
    "a",
    "A",
    "abc",
    "Straße",
    "STRASSE",
    "cafe\u{301}",
    "CAFÉ",
    "ﬁn",
    "\u{130}",
    "50%",
    "a_c",
    "\\",
    "\"q\"",
    "x\u{1f}y",
    "\u{1f}",
    "\u{10ffff}",
    "\u{e000}",
    "1",
    "null",
    "🙂 b",
    "line\nend",
];
const KEYS: [&str; 6] = ["a", "b", "n", "o.p", "\u{e9}", ""];
const FIELDS: [&str; 11] = ["a", "b", "n", r"o\.p", "\u{e9}", "a.b", "a.0", "b.1.a", "id", "$version", "lastUpdated"];

/// Numbers that look random and are the same each time (xorshift64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    pub(crate) fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    fn number(&mut self) -> Value {
        let floats =
            [0.0, 1.0, -1.5, 1e16, 1e-7, 5e-324, f64::MAX, 9_007_199_254_740_993.0, 1.8446744073709552e19, 0.1];
        match self.below(4) {
            0 => json!(self.of(&[i64::MIN, -1, 0, i64::MAX, 9_007_199_254_740_993])),
            1 => json!(u64::MAX - self.below(2) as u64),
            2 => json!(self.of(&floats)),
            _ => json!(self.below(4)),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 5 } else { 7 }) {
            0 => self.of(&[Value::Null, json!(false), json!(true)]),
            1 | 2 => self.number(),
            3 | 4 => self.of(&TEXTS).into(),
            5 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => self.document(depth - 1).into(),
        }
    }

    fn document(&mut self, depth: usize) -> Map<String, Value> {
        (0..self.below(5)).map(|_| (self.of(&KEYS).to_owned(), self.value(depth))).collect()
    }

    fn condition(&mut self, depth: usize) -> Value {
        let operator = self.of(&[
            "eq",
            "ne",
            "lt",
            "lte",
            "gt",
            "gte",
            "in",
            "contains",
            "icontains",
            "starts_with",
            "exists",
            "not",
        ]);
        let operand = match operator {
            "in" => (0..self.below(4)).map(|_| self.value(1)).collect(),
            "icontains" | "starts_with" => self.of(&TEXTS).into(),
            "exists" => json!(self.below(2) == 0),
            "not" if depth > 0 => self.condition(depth - 1),
            "not" => self.of(&TEXTS).into(),
            _ => self.value(1),
        };
        json!({ operator: operand })
    }

    fn filter(&mut self, ids: &[String]) -> Map<String, Value> {
        let mut filter = Map::new();
        for _ in 0..self.below(3) {
            let field = self.of(&FIELDS);
            let condition = match field {
                "id" => json!({ "in": [self.of(ids), self.of(ids), self.of(&TEXTS), 1] }),
                "$version" => json!({ "gte": self.below(4) }),
                "lastUpdated" => json!({ "gt": "2000-01-01T00:00:00+02:00" }),
                _ => self.condition(1),
            };
            filter.insert(field.to_owned(), condition);
        }
        filter
    }
}

/// What the table should hold.
type Memory = BTreeMap<String, Value>;

fn by_chance(env: &Env) {
    env.within(|on| {
        for (table, definition) in
            [("all", json!({"type": "object"})), ("marked", json!({"properties": {"a": {"x-search": true}}}))]
        {
            bind(on, table, definition.clone());
            let mut chance = Chance(0x5EED_0000 + table.len() as u64);
            let memory = written(&on.aux(table), &mut chance);
            let fields: Vec<FieldPath> =
                (table == "marked").then(|| FieldPath::parse("a").unwrap()).into_iter().collect();
            let entries = entries(&on.aux(table), &memory);
            let ids: Vec<String> = memory.keys().cloned().collect();
            let mut telling = 0;
            for _ in 0..80 {
                let found = ask(&on.aux(table), &mut chance, &memory, &entries, &fields, &ids);
                telling += usize::from(found > 0 && found < memory.len());
            }
            assert!(telling > 20, "{telling} queries found some");
        }
    });
}

/// Writes by chance, in bulk and one by one, and does the same in memory.
fn written(aux: &Aux<'_>, chance: &mut Chance) -> Memory {
    let mut memory = Memory::new();
    for round in 0..3 {
        let rows: BTreeMap<String, Value> = (0..60)
            .map(|_| (format!("{}{}", chance.of(&["a", "Z", "é", "🙂"]), chance.below(30)), chance.document(3).into()))
            .collect();
        let items = rows.iter().map(|(id, document)| {
            let mut item = document.clone();
            item["id"] = json!(id);
            Ok(item)
        });
        aux.bulk_upsert(items, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
        rows.into_iter().for_each(|(id, row)| merge(memory.entry(id).or_insert_with(|| json!({})), row, Nulls::Keep));
        for _ in 0..20 * round {
            one_by_one(aux, chance, &mut memory);
        }
    }
    memory
}

fn one_by_one(aux: &Aux<'_>, chance: &mut Chance, memory: &mut Memory) {
    let ids: Vec<String> = memory.keys().cloned().collect();
    let (id, document) = (chance.of(&ids), Value::Object(chance.document(3)));
    let known = memory.get_mut(&id).unwrap();
    match chance.below(4) {
        0 => {
            aux.update(&id, document.clone(), UpdateOptions::default()).unwrap();
            merge(known, document, Nulls::Remove);
        }
        1 => {
            aux.upsert(document.clone(), Some(&id), true).unwrap();
            *known = document;
        }
        2 => {
            aux.upsert(document.clone(), Some(&id), false).unwrap();
            merge(known, document, Nulls::Keep);
        }
        _ => {
            aux.delete(&id, OnReferenced::Restrict).unwrap();
            assert_eq!(aux.get(&id).unwrap_err().code(), ErrorCode::NotFound);
            memory.remove(&id);
        }
    }
}

/// The entries as they are stored: with what memory cannot know, their versions and times.
fn entries(aux: &Aux<'_>, memory: &Memory) -> BTreeMap<String, Entry> {
    let query = ListQuery { limit: 1_000, ..ListQuery::default() };
    let entries: BTreeMap<String, Entry> =
        aux.list(&query).unwrap().into_iter().map(|entry| (entry.id.clone(), entry)).collect();
    let stored: Vec<(&String, &Json)> = entries.iter().map(|(id, entry)| (id, &entry.payload)).collect();
    let wanted: Vec<(&String, Json)> =
        memory.iter().map(|(id, value)| (id, Json::from_value(value).unwrap())).collect();
    assert_eq!(stored, wanted.iter().map(|(id, json)| (*id, json)).collect::<Vec<_>>());
    entries
}

/// Asks one question; how many entries answer it.
fn ask(
    aux: &Aux<'_>,
    chance: &mut Chance,
    memory: &Memory,
    entries: &BTreeMap<String, Entry>,
    fields: &[FieldPath],
    ids: &[String],
) -> usize {
    let filter = chance.filter(ids);
    let q = (chance.below(3) == 0).then(|| chance.of(&TEXTS).to_owned());
    let sort: Vec<String> =
        (0..chance.below(3)).map(|_| format!("{}{}", chance.of(&["", "-"]), chance.of(&FIELDS))).collect();
    let search = q.as_deref().and_then(Search::new);
    let parsed = Filter::parse(&Value::Object(filter.clone())).unwrap();
    let wanted = |(id, payload): &(&String, &Value)| {
        let Entry { version, last_updated, .. } = entries[*id];
        parsed.matches(&Candidate { id, version, last_updated, payload })
            && search.as_ref().is_none_or(|search| search.matches(payload, fields))
    };
    let mut found: Vec<(&String, &Value)> = memory.iter().filter(wanted).collect();
    found.sort_by(|a, b| ordered(&sort, entries, *a, *b));
    let found: Vec<&str> = found.into_iter().map(|(id, _)| id.as_str()).collect();
    let told = format!("filter {} q {q:?} sort {sort:?}", Value::Object(filter.clone()));
    let filter = Some(Value::Object(filter));
    assert_eq!(aux.count(q.as_deref(), filter.as_ref()).unwrap(), found.len() as u64, "{told}");
    let mut query = ListQuery { q, filter, sort, limit: 1 + chance.below(60) as i64, ..ListQuery::default() };
    let mut listed = Vec::new();
    loop {
        let page = aux.list(&query).unwrap();
        query.cursor.clone_from(&page.next_cursor);
        listed.extend(page.into_iter().map(|entry| entry.id));
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, found, "{told}");
    found.len()
}

fn ordered(sort: &[String], entries: &BTreeMap<String, Entry>, a: (&String, &Value), b: (&String, &Value)) -> Ordering {
    let key = |name: &str, (id, payload): (&String, &Value)| match name {
        "id" => Some(json!(id)),
        "$version" => Some(json!(entries[id].version)),
        "lastUpdated" => Some(json!(entries[id].last_updated.to_string())),
        path => Path::parse(path).unwrap().find(payload).cloned(),
    };
    let by_fields = sort.iter().map(|field| {
        let name = field.trim_start_matches('-');
        let ordering = compare(key(name, a).as_ref(), key(name, b).as_ref());
        if field.starts_with('-') { ordering.reverse() } else { ordering }
    });
    by_fields.fold(Ordering::Equal, Ordering::then).then_with(|| a.0.cmp(b.0))
}

/// Rows that repeat ids, take unique values from one another, refer to each other and break the preset, here and in a
/// SQLite store beside it: the same reports, the same entries.
fn bulk_by_chance(env: &Env) {
    let beside = Store::open(":memory:", Options::default()).unwrap();
    env.within(|on| {
        let both = [on, Face::Store(&beside)];
        let definition = json!({"fields": [
            {"name": "n", "type": "integer", "unique": true}, {"name": "s", "type": "string", "default": "new"},
            {"name": "parent", "type": "ref", "table": "nodes", "strict": true},
            {"name": "near", "type": "ref", "table": "nodes", "many": true}], "unique": [["s", "near"]]});
        both.iter().for_each(|face| bind(*face, "nodes", definition.clone()));
        let mut chance = Chance(0xB0_1D);
        for _ in 0..60 {
            let rows: Vec<Value> = (0..chance.below(12)).map(|_| row(&mut chance)).collect();
            let mode = chance.of(&[Mode::Merge, Mode::Replace]);
            let on_error = chance.of(&[OnError::Report, OnError::Report, OnError::Abort]);
            let options = BulkOptions { mode, on_error, dry_run: chance.below(6) == 0 };
            let whole = chance.below(4) == 0;
            let [told, told_beside] = both.map(|face| given(&face.aux("nodes"), &rows, options, whole));
            assert_eq!(told, told_beside, "{options:?} {rows:?}");
            let [kept, kept_beside] = both.map(kept);
            assert_eq!(kept, kept_beside, "{options:?} {rows:?}");
            let numbers: Vec<&Value> = kept.0.iter().filter_map(|(_, payload, _)| payload.get("n")).collect();
            assert!(numbers.iter().enumerate().all(|(at, n)| !numbers[..at].contains(n)), "{kept:?}");
        }
    });
}

fn row(chance: &mut Chance) -> Value {
    let id = |chance: &mut Chance| json!(format!("e{}", chance.below(9)));
    let mut row = json!({ "id": id(chance) });
    for field in ["n", "s", "parent", "near"].into_iter().filter(|_| chance.below(2) == 0).collect::<Vec<_>>() {
        row[field] = match field {
            "n" => chance.of(&[json!(1), json!(2.0), json!(3), json!("x")]),
            "s" => json!(chance.of(&["", "a", "new"])),
            "parent" => id(chance),
            _ => (0..chance.below(3)).map(|_| id(chance)).collect(),
        };
    }
    row
}

/// What a call tells: its report, or every violation.
fn given(aux: &Aux<'_>, rows: &[Value], options: BulkOptions, whole: bool) -> Result<BulkReport, Vec<Violation>> {
    let (rows, quiet) = (rows.iter().cloned().map(Ok), &mut |_, _| Ok(()));
    let told = if whole { aux.import_items(rows, options, quiet) } else { aux.bulk_upsert(rows, options, quiet) };
    told.map_err(|error| error.violations_list())
}

/// What is kept: the entries, and how many versions, references and keys.
fn kept(on: Face<'_, '_>) -> (Vec<(String, Value, i64)>, Vec<String>) {
    let entries = on.aux("nodes").list(&ListQuery::default()).unwrap();
    let entries = entries.into_iter().map(|entry| (entry.id, entry.payload.to_value(), entry.version)).collect();
    let tables = ["sprongus_aux_versions", "sprongus_aux_refs", "sprongus_aux_keys", "sprongus_events"];
    let count =
        |table: &str| format!("{:?}", on.query(&format!("SELECT count(*) FROM {table}"), &[]).unwrap()[0].values());
    (entries, tables.iter().map(|table| count(table)).collect())
}
