//! Filters, orders and pages against a plain reference: over data by chance and real data, with kept keys and without.

use serde_json::{Map, Value, json};
use sprongus::ErrorCode;
use sprongus::aux_store::{Aux, BulkOptions, ListQuery};
use sprongus_conformance::{Case, Env, Face};
use sprongus_testkit::data_dir;

use crate::aux_entries::bind;
use crate::aux_random::Chance;
use crate::plain::{self, Plain};

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, run| Case { name, covers: &["aux.list", "aux.count"], transactional: true, run };
    vec![
        case("aux::pages_are_those_of_a_plain_reference", by_chance),
        case("aux::pages_of_real_data_are_those_of_a_plain_reference", real),
        case("aux::keys_of_another_preset_are_not_trusted", other_preset),
        case("aux::a_thousand_values_are_looked_up", many_values),
        case("aux::few_come_in_the_order_of_other_keys", few_in_order),
        case("aux::percent_and_underscore_are_characters", wildcards),
        case("aux::bad_queries_are_refused", refused),
        case("aux::cursors_go_on_while_entries_change", changing),
    ]
}

fn sorted_by(fields: &[&str]) -> Vec<String> {
    fields.iter().map(|field| (*field).to_owned()).collect()
}

fn stored(aux: &Aux<'_>) -> Vec<Plain> {
    let (mut all, mut query) = (Vec::new(), ListQuery { limit: 1_000, ..ListQuery::default() });
    loop {
        let page = aux.list(&query).unwrap();
        query.cursor.clone_from(&page.next_cursor);
        all.extend(page.into_iter().map(Plain::from));
        if query.cursor.is_none() {
            return all;
        }
    }
}

/// Every page by cursor, every page by offset, and the count agree with the reference; how many entries there were.
fn agree(aux: &Aux<'_>, entries: &[Plain], filter: &Value, sort: &[String], limit: i64) -> usize {
    let wanted = plain::list(entries, filter, sort);
    let told = || format!("filter {filter} sort {sort:?} limit {limit}");
    assert_eq!(aux.count(None, Some(filter)).unwrap(), wanted.len() as u64, "{}", told());
    let mut query = ListQuery { filter: Some(filter.clone()), sort: sort.to_vec(), limit, ..ListQuery::default() };
    let mut by_cursor = Vec::new();
    loop {
        let page = aux.list(&query).unwrap();
        query.cursor.clone_from(&page.next_cursor);
        assert!(page.len() as i64 == limit || query.cursor.is_none(), "{}", told());
        by_cursor.extend(page.into_iter().map(|entry| entry.id));
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(by_cursor, wanted, "by cursor, {}", told());
    let mut by_offset = Vec::new();
    while by_offset.len() < wanted.len() {
        let page = aux.list(&ListQuery { offset: by_offset.len() as i64, ..query.clone() }).unwrap();
        assert!(!page.is_empty(), "{}", told());
        by_offset.extend(page.into_iter().map(|entry| entry.id));
    }
    assert_eq!(by_offset, wanted, "by offset, {}", told());
    wanted.len()
}

const NAMES: [&str; 8] = ["k", "s", "n", "t", "deep", "dot.ted", "é", ""];
const FIELDS: [&str; 17] = [
    "k",
    "s",
    "n",
    "t",
    "deep",
    "deep.k",
    "deep.0",
    "t.0",
    "t.1.k",
    r"dot\.ted",
    "é",
    "",
    "none",
    "u",
    "id",
    "$version",
    "lastUpdated",
];
const TEXTS: [&str; 18] = [
    "",
    "a",
    "A",
    "ab",
    "a b",
    "Straße",
    "\u{130}",
    "50%",
    "a_c",
    "\\",
    "\"q\"",
    "\u{1f}",
    "\u{10ffff}",
    "\u{e000}",
    "1",
    "null",
    "🙂",
    "line\nend",
];

fn value(chance: &mut Chance, depth: usize) -> Value {
    let numbers = [
        json!(0),
        json!(1),
        json!(1.0),
        json!(1.5),
        json!(-1),
        json!(2),
        json!(1e16),
        json!(10_000_000_000_000_000_i64),
        json!(9_007_199_254_740_992.0),
        json!(9_007_199_254_740_993_i64),
        json!(9_007_199_254_740_992_i64),
        json!(9_223_372_036_854_775_808.0),
        json!(9_223_372_036_854_775_808_u64),
        json!(9_223_372_036_854_775_807_i64),
        json!(9_223_372_036_854_776_000_u64),
        json!(i64::MIN),
        json!(-9_223_372_036_854_775_808.0),
        json!(u64::MAX),
        json!(1e300),
        json!(-1e300),
        json!(f64::MAX),
        json!(5e-324),
        json!(0.1),
        json!(0.30000000000000004),
    ];
    match chance.below(if depth == 0 { 7 } else { 10 }) {
        0 => chance.of(&[Value::Null, json!(false), json!(true)]),
        1 | 2 => json!(chance.below(4)),
        3 => chance.of(&numbers),
        // Longer than a kept key: what tells them apart is cut off.
        4 if chance.below(3) == 0 => {
            json!(format!("{}{}", chance.of(&["x", "é"]).repeat(300 + 90 * chance.below(3)), chance.of(&TEXTS)))
        }
        4..=6 => chance.of(&TEXTS).into(),
        7 => (0..chance.below(4)).map(|_| value(chance, depth - 1)).collect(),
        _ => document(chance, depth - 1).into(),
    }
}

fn document(chance: &mut Chance, depth: usize) -> Map<String, Value> {
    (0..chance.below(6)).map(|_| (chance.of(&NAMES).to_owned(), value(chance, depth))).collect()
}

fn condition(chance: &mut Chance, depth: usize) -> Value {
    let operators =
        ["eq", "ne", "lt", "lte", "gt", "gte", "in", "contains", "icontains", "starts_with", "exists", "not"];
    let mut condition = Map::new();
    for _ in 0..1 + chance.below(2) {
        let operator = chance.of(&operators);
        let operand = match operator {
            "in" => (0..chance.below(5)).map(|_| value(chance, 1)).collect(),
            "icontains" | "starts_with" => json!(chance.of(&["", "a", "S", "x", "é", "50", "xxxx", "\\", "\0"])),
            "exists" => json!(chance.below(2) == 0),
            "not" if depth > 0 => self::condition(chance, depth - 1),
            "not" => chance.of(&TEXTS).into(),
            _ => value(chance, 1),
        };
        condition.insert(operator.to_owned(), operand);
    }
    condition.into()
}

fn filter(chance: &mut Chance) -> Value {
    let mut filter = Map::new();
    for _ in 0..chance.below(3) {
        let fields = if chance.below(3) == 0 { 14 } else { 4 };
        let field = chance.of(&FIELDS[..fields]);
        let wanted = match chance.below(3) {
            // An object holds operators.
            0 => json!(chance.of(&[json!(1), json!(2.0), json!("a"), json!(null), json!([]), json!(true)])),
            _ => condition(chance, 1),
        };
        filter.insert(field.to_owned(), wanted);
    }
    if chance.below(8) == 0 {
        let (field, wanted) = chance.of(&[
            ("$version", json!({"lte": 1.0})),
            ("$version", json!(2)),
            ("lastUpdated", json!({"gt": "2000-01-01T00:00:00+02:00"})),
            ("lastUpdated", json!({"lt": "2000-01-01T00:00:00Z"})),
            ("id", json!({"starts_with": "é"})),
            ("id", json!({"gte": "Z", "lt": "é5"})),
            ("id", json!({"in": ["Z1", "é2", "Z1", "\0", 4]})),
        ]);
        filter.insert(field.to_owned(), wanted);
    }
    filter.into()
}

fn by_chance(env: &Env) {
    env.within(|on| {
        let mut chance = Chance(0x00C0_FFEE);
        let rows: Vec<Value> = (0..130)
            .map(|n| {
                let mut row = document(&mut chance, 2);
                if chance.below(3) > 0 {
                    row.insert("u".to_owned(), json!(format!("u{n}")));
                }
                row.insert("id".to_owned(), json!(format!("{}{n}", chance.of(&["a", "Z", "é", "🙂"]))));
                row.into()
            })
            .collect();
        bind(on, "bare", json!({"type": "object"}));
        let keys =
            json!([["k"], ["s"], ["t"], ["k", "s"], ["k", "n", "s"], ["deep.k"], [r"dot\.ted", "é"], ["deep.0"]]);
        bind(on, "keyed", json!({"type": "object", "x-index": keys, "properties": {"u": {"x-unique": true}}}));
        for table in ["bare", "keyed"] {
            let aux = on.aux(table);
            aux.bulk_upsert(rows.iter().cloned().map(Ok), BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
            for (n, row) in rows.iter().enumerate().step_by(9) {
                let id = row["id"].as_str().unwrap();
                aux.upsert(json!({"k": n % 4, "s": "changed"}), Some(id), n % 2 == 0).unwrap();
            }
            let (entries, mut telling) = (stored(&aux), 0);
            assert_eq!(entries.len(), rows.len());
            for _ in 0..60 {
                let filter = filter(&mut chance);
                let sort: Vec<String> = (0..chance.below(4))
                    .map(|_| format!("{}{}", chance.of(&["", "-"]), chance.of(&FIELDS)))
                    .filter(|field| !field.is_empty() && field != "-")
                    .collect();
                let found = agree(&aux, &entries, &filter, &sort, chance.of(&[9, 70, 1_000]).max(found_least(&filter)));
                telling += usize::from(found > 0 && found < rows.len());
            }
            for sort in
                [&["k"][..], &["-k", "s"], &["s"], &["-s"], &["k", "-s"], &["k", "n", "s"], &["-t"], &["-k", "-n"]]
            {
                for filter in [json!({}), json!({"k": 1}), json!({"k": {"in": [0, 2, 3.0]}}), json!({"k": {"gte": 1}})]
                {
                    telling += usize::from(agree(&aux, &entries, &filter, &sorted_by(sort), 40) > 0);
                }
            }
            assert!(telling > 35, "{telling} queries found some");
        }
    });
}

/// Pages of three for all entries would only take long.
fn found_least(filter: &Value) -> i64 {
    if filter.as_object().is_some_and(Map::is_empty) { 40 } else { 1 }
}

/// Records of a museum, as they were published.
fn real(env: &Env) {
    let Some(data) = data_dir() else { return };
    let lines = std::fs::read_to_string(data.join("assets/tate_artworks_500.jsonl")).unwrap();
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    env.within(|on| {
        bind(on, "bare", json!({"type": "object"}));
        let keys = json!([
            ["classification"],
            ["acquisitionYear"],
            ["medium"],
            ["classification", "acquisitionYear"],
            ["dateRange.startYear"]
        ]);
        bind(on, "keyed", json!({"type": "object", "x-index": keys, "properties": {"acno": {"x-unique": true}}}));
        for table in ["bare", "keyed"] {
            let aux = on.aux(table);
            let documents = rows.iter().cloned().map(Ok);
            aux.bulk_upsert(documents, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
            let entries = stored(&aux);
            assert_eq!(entries.len(), rows.len());
            for (filter, sort) in museum_queries() {
                let found = agree(&aux, &entries, &filter, &sort, 90);
                assert!(found > 0, "{filter} finds none");
            }
        }
    });
}

fn museum_queries() -> Vec<(Value, Vec<String>)> {
    let filters = [
        json!({}),
        json!({"classification": "on paper, unique"}),
        json!({"acquisitionYear": {"gte": 1900}}),
        json!({"medium": {"starts_with": "Graphite"}, "acquisitionYear": {"lt": 1990}}),
        json!({"medium": {"icontains": "OIL"}}),
        json!({"dateRange.startYear": {"gte": 1790, "lt": 1800}}),
        json!({"contributors.0.fc": {"exists": true}}),
        json!({"title": {"contains": "a"}, "depth": {"ne": ""}}),
        json!({"movementCount": {"in": [0, 1]}}),
    ];
    let sorts: [&[&str]; 7] = [
        &["title"],
        &["-acquisitionYear"],
        &["classification", "acquisitionYear"],
        &["-medium", "title"],
        &["dateRange.startYear", "-id"],
        &["contributors.0.fc", "-width"],
        &["-acno"],
    ];
    filters.iter().flat_map(|filter| sorts.iter().map(|sort| (filter.clone(), sorted_by(sort)))).collect()
}

fn other_preset(env: &Env) {
    env.within(|on| {
        bind(on, "things", json!({"type": "object", "x-index": [["a"]]}));
        let aux = on.aux("things");
        for n in 0..120 {
            aux.create(json!({"a": n % 7, "b": 120 - n}), Some(&format!("{n:03}"))).unwrap();
        }
        let entries = stored(&aux);
        let ask = |aux: &Aux<'_>, entries: &[Plain]| {
            for sort in [&["a"][..], &["-b"], &["b", "a"]] {
                agree(aux, entries, &json!({"a": {"gte": 3}}), &sorted_by(sort), 50);
                agree(aux, entries, &json!({"b": {"in": [1, 5, 9]}}), &sorted_by(sort), 50);
            }
        };
        ask(&aux, &entries);
        // Another preset: the keys of the first are not its own, and those it asks for are not there before the next write.
        bind(on, "things", json!({"type": "object", "x-index": [["b"], ["a", "b"]]}));
        ask(&aux, &entries);
        aux.upsert(json!({"a": 3, "b": 5}), Some("new"), true).unwrap();
        ask(&aux, &stored(&aux));
        // Two that share what is to be unique by now are both found by it.
        let unique = json!({"type": "object", "properties": {"a": {"x-unique": true}}});
        let label = sprongus::presets::CreatePreset::new(
            "forced",
            sprongus::presets::PresetKind::Custom,
            sprongus::Json::from_value(&unique).unwrap(),
        );
        let address = on.presets().create(&label).unwrap().address();
        let forced =
            sprongus::presets::BindPreset { table: "things".into(), address, force: true, ..Default::default() };
        on.presets().bind(&forced).unwrap();
        aux.upsert(json!({"b": 0}), Some("none"), true).unwrap();
        ask(&aux, &stored(&aux));
    });
}

fn many_values(env: &Env) {
    env.within(|on| {
        bind(on, "bare", json!({"type": "object"}));
        bind(on, "keyed", json!({"type": "object", "x-index": [["n"], ["s", "n"]]}));
        let rows = || (0..1_500).map(|n| Ok(json!({"id": format!("{n:04}"), "n": n, "s": format!("s{n}")})));
        for table in ["bare", "keyed"] {
            let aux = on.aux(table);
            aux.bulk_upsert(rows(), BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
            let entries = stored(&aux);
            let thousand: Vec<Value> = (0..1_000).map(|n| json!(n * 2)).collect();
            let texts: Vec<Value> = (0..1_000).map(|n| json!(format!("s{}", n * 3))).collect();
            let ids: Vec<Value> = (0..1_000).map(|n| json!(format!("{:04}", n * 2))).collect();
            for (field, values) in [("n", thousand), ("s", texts), ("id", ids)] {
                for sort in [&["-n"][..], &[]] {
                    assert!(agree(&aux, &entries, &json!({ field: {"in": values} }), &sorted_by(sort), 400) >= 500);
                }
            }
        }
    });
}

/// Few by one key, in the order of another: of groups that are larger than a page, with conditions that no key tells.
fn few_in_order(env: &Env) {
    env.within(|on| {
        bind(on, "keyed", json!({"type": "object", "x-index": [["few"], ["group"], ["text"], ["group", "text"]]}));
        let group = |n: u64| if n.is_multiple_of(10) { json!([n]) } else { json!(n % 3) };
        let row = |n: u64| {
            json!({"id": format!("{n:03}"), "few": n % 4, "group": group(n), "text": format!("{:03}", n * 7 % 400),
                "rare": n.is_multiple_of(7)})
        };
        let aux = on.aux("keyed");
        aux.bulk_upsert((0..800).map(row).map(Ok), BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
        let entries = stored(&aux);
        for filter in [json!({"few": 1}), json!({"few": {"in": [0, 3]}}), json!({"few": {"gte": 2}, "rare": true})] {
            for sort in [&["group"][..], &["-group"], &["text"], &["-text"], &["group", "text"], &["-group", "rare"]] {
                assert!(agree(&aux, &entries, &filter, &sorted_by(sort), 45) > 45);
            }
        }
    });
}

fn wildcards(env: &Env) {
    env.within(|on| {
        bind(on, "bare", json!({"type": "object"}));
        bind(on, "keyed", json!({"type": "object", "x-index": [["s"]]}));
        for table in ["bare", "keyed"] {
            let aux = on.aux(table);
            for (id, text) in [("a", "50%"), ("b", "50 %"), ("c", "5_0%"), ("d", "5x0%"), ("e", "%"), ("f", "\\%")] {
                aux.create(json!({"s": text}), Some(id)).unwrap();
            }
            let entries = stored(&aux);
            for (operator, text, wanted) in [
                ("starts_with", "50%", 1),
                ("starts_with", "5_", 1),
                ("starts_with", "%", 1),
                ("contains", "%", 6),
                ("contains", "_", 1),
                ("icontains", "0%", 3),
                ("contains", "\\%", 1),
                ("starts_with", "\\", 1),
            ] {
                let filter = json!({"s": {operator: text}});
                assert_eq!(agree(&aux, &entries, &filter, &sorted_by(&["-s"]), 2), wanted, "{filter}");
            }
        }
    });
}

fn refused(env: &Env) {
    env.within(|on| {
        bind(on, "keyed", json!({"type": "object", "x-index": [["a"], ["a", "b"]]}));
        let aux = on.aux("keyed");
        for n in 0..20 {
            aux.create(json!({"a": n % 3, "b": n}), Some(&format!("{n:02}"))).unwrap();
        }
        let deep = (0..200).fold(json!(1), |inner, _| json!({"not": {"eq": inner}}));
        for filter in [
            json!([]),
            json!("a"),
            json!({"a": {}}),
            json!({"a": {"like": "x"}}),
            json!({"a": {"$gt": 1}}),
            json!({"a": {"in": 1}}),
            json!({"a": {"in": {}}}),
            json!({"a": {"exists": 1}}),
            json!({"a": {"starts_with": 1}}),
            json!({"a": {"icontains": null}}),
            json!({"a": {"not": {}}}),
            json!({"a\\": 1}),
            json!({"a\\b": 1}),
            json!({"lastUpdated": {"gt": "yesterday"}}),
            json!({ "a": deep }),
            (0..300).map(|n| (format!("f{n}"), json!(1))).collect::<Map<_, _>>().into(),
            json!({"a": {"in": vec![0; 10_001]}}),
        ] {
            assert_eq!(aux.count(None, Some(&filter)).unwrap_err().code(), ErrorCode::InvalidArgument, "{filter}");
            let query = ListQuery { filter: Some(filter.clone()), ..ListQuery::default() };
            assert_eq!(aux.list(&query).unwrap_err().code(), ErrorCode::InvalidArgument, "{filter}");
        }
        // What no entry has is no error, and no match.
        for filter in [
            json!({"gone": 1}),
            json!({"a.b.c.d": {"gte": 0}}),
            json!({"a.-1": {"exists": true}}),
            json!({"a' OR 1=1 --": 1}),
            json!({"a\"]') --": {"exists": true}}),
            json!({"{a}": {"exists": true}}),
            json!({"\0": {"exists": true}}),
            json!({"a": "\0"}),
            json!({"a": {"starts_with": "\0"}}),
            json!({"a": {"lt": null}}),
            json!({"a": {"gt": [1]}}),
            json!({"a": {"in": []}}),
            json!({ "x.".repeat(5_000): {"exists": true} }),
            json!({ "a": "x".repeat(1 << 20) }),
        ] {
            for sort in [&[][..], &["-b"], &["a"], &["gone"]] {
                let sort = sorted_by(sort);
                let query = ListQuery { filter: Some(filter.clone()), sort, ..ListQuery::default() };
                assert!(aux.list(&query).unwrap().is_empty(), "{:.80}", filter.to_string());
            }
            assert_eq!(aux.count(None, Some(&filter)).unwrap(), 0, "{:.80}", filter.to_string());
        }
        for sort in ["a.0", "' --", "\0", "a\"", "{", "a.-1", "🙂", "$version.x"] {
            let sorted = ListQuery { sort: vec![sort.to_owned(), "-a".into()], ..ListQuery::default() };
            assert_eq!(aux.list(&sorted).unwrap().len(), 20, "{sort:?}");
        }
        cursors_refused(&aux, on);
    });
}

fn cursors_refused(aux: &Aux<'_>, on: Face<'_, '_>) {
    let query = ListQuery { sort: sorted_by(&["-a"]), limit: 4, ..ListQuery::default() };
    let cursor = aux.list(&query).unwrap().next_cursor.unwrap();
    let mut damaged = cursor.clone().into_bytes();
    damaged[12] ^= 1;
    let bad = [
        ListQuery { cursor: Some(cursor.clone()), sort: sorted_by(&["a"]), ..query.clone() },
        ListQuery { cursor: Some(cursor.clone()), filter: Some(json!({"a": 1})), ..query.clone() },
        ListQuery { cursor: Some(cursor.clone()), offset: 1, ..query.clone() },
        ListQuery { cursor: Some(String::from_utf8(damaged).unwrap()), ..query.clone() },
        ListQuery { cursor: Some(cursor[1..].to_owned()), ..query.clone() },
        ListQuery { cursor: Some(String::new()), ..query.clone() },
        ListQuery { cursor: Some("x".repeat(1 << 16)), ..query.clone() },
        ListQuery { sort: sorted_by(&["a"; 17]), ..query.clone() },
    ];
    for (n, query) in bad.into_iter().enumerate() {
        assert_eq!(aux.list(&query).unwrap_err().code(), ErrorCode::InvalidArgument, "{n}");
    }
    bind(on, "other", json!({"type": "object"}));
    let elsewhere = ListQuery { cursor: Some(cursor), ..query };
    assert_eq!(on.aux("other").list(&elsewhere).unwrap_err().code(), ErrorCode::InvalidArgument);
}

/// A cursor says where to go on by values: what was the last entry may change or go.
fn changing(env: &Env) {
    env.within(|on| {
        bind(on, "bare", json!({"type": "object"}));
        bind(on, "keyed", json!({"type": "object", "x-index": [["a"]]}));
        for (table, sort) in [("bare", "a"), ("keyed", "a"), ("bare", "-a"), ("keyed", "-a")] {
            let aux = on.aux(table);
            for n in 0..30 {
                aux.upsert(json!({"a": n / 4, "b": n}), Some(&format!("{n:02}")), true).unwrap();
            }
            let mut query = ListQuery { sort: sorted_by(&[sort]), limit: 7, ..ListQuery::default() };
            let first = aux.list(&query).unwrap();
            query.cursor.clone_from(&first.next_cursor);
            let before = stored(&aux);
            let all = plain::list(&before, &json!({}), &query.sort);
            aux.update(&first[6].id, json!({"a": "moved"}), Default::default()).unwrap();
            aux.delete(&first[5].id, Default::default()).unwrap();
            let second: Vec<String> = aux.list(&query).unwrap().into_iter().map(|entry| entry.id).collect();
            assert_eq!(second, all[7..14], "{table} {sort}");
            aux.delete(&first[6].id, Default::default()).unwrap();
        }
    });
}
