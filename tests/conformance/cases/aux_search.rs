//! `q`: what it finds, and that the pre-filter changes none of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sprongus::aux_store::{Aux, BulkOptions, ImportOptions, ListQuery, Mode, OnReferenced, UpdateOptions};
use sprongus::presets::{BindPreset, CreatePreset, PresetKind};
use sprongus::{Json, Options, Store};
use sprongus_conformance::{Backend, Case, Env};
use sprongus_testkit::Postgres;

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, transactional, run| Case { name, covers: &["aux.list", "aux.count"], transactional, run };
    vec![
        case("search::folds_case_the_unicode_way", true, folds),
        case("search::accents_are_left_alone", true, accents),
        case("search::wildcards_are_characters", true, wildcards),
        case("search::a_prefilter_changes_no_result", false, changes_nothing),
        case("search::a_prefilter_follows_every_write", false, follows),
        case("search::a_prefilter_follows_another_preset", false, rebound),
        case("search::a_prefilter_dropped_by_hand_is_made_again", false, dropped),
        case("search::a_store_that_is_only_read_is_searched", false, read_only),
        case("search::a_transaction_is_searched_as_it_stands", false, in_transaction),
        case("search::many_fill_at_once", false, many_fill),
        case("search::texts_of_entries_that_are_gone_go_too", false, swept),
    ]
}

/// Entries enough for a pre-filter to be worth it.
const ENTRIES: u64 = 700;

/// Words that overlap, so that trigrams of one are found in another.
const WORDS: [&str; 12] =
    ["Straße", "STRASSE", "banana", "anan", "nab", "Ωμέγα", "50%_off", "a\"b\"c", "naïve", "ﬁnal", "Καφές", "x"];

/// A store whose database can have a pre-filter: on PostgreSQL one of its own, with pg_trgm.
pub(crate) fn store(env: &Env) -> Store {
    if env.backend() != Backend::Postgres {
        return env.open();
    }
    Store::open(&database(env), env.options()).unwrap()
}

fn database(env: &Env) -> String {
    let name = format!("{}_trgm", env.schema().unwrap());
    let url = Postgres::shared().create_database(&name);
    let mut host = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    host.batch_execute("CREATE SCHEMA ext; CREATE EXTENSION pg_trgm SCHEMA ext").unwrap();
    url
}

fn preset(store: &Store, label: &str, table: &str, fields: Value) {
    let definition = Json::from_value(&json!({ "fields": fields, "additional": true })).unwrap();
    store.presets().create(&CreatePreset::new(label, PresetKind::Custom, definition)).unwrap();
    let bound = BindPreset { table: table.into(), address: label.into(), ..BindPreset::default() };
    store.presets().bind(&bound).unwrap();
}

/// Texts of four words each, the same in every run.
fn piece(number: u64) -> Value {
    let word = |n: u64| WORDS[(n % WORDS.len() as u64) as usize];
    json!({ "id": format!("p{number:04}"), "title": format!("{} {}{}", word(number), word(number / 5), number),
        "note": format!("{}-{}", word(number / 7 + 3), word(number * 3)), "n": number })
}

fn load(aux: &Aux<'_>, numbers: std::ops::Range<u64>) {
    let items = numbers.map(|n| Ok(piece(n)));
    aux.bulk_upsert(items, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
}

fn pieces(store: &Store) -> Aux<'_> {
    preset(store, "piece", "pieces", json!([{ "name": "title", "type": "string", "search": true }]));
    store.aux("p", "pieces")
}

/// Every id that a search finds, page by page, and their number.
fn found(aux: &Aux<'_>, q: &str) -> BTreeSet<String> {
    let (mut ids, mut cursor) = (BTreeSet::new(), None);
    loop {
        let page = aux.list(&ListQuery { q: Some(q.into()), limit: 300, cursor, ..ListQuery::default() }).unwrap();
        ids.extend(page.iter().map(|entry| entry.id.clone()));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(aux.count(Some(q), None).unwrap() as usize, ids.len(), "{q:?}");
    ids
}

/// Every entry with its text folded, read without a search.
fn texts(aux: &Aux<'_>, field: &str) -> Vec<(String, String)> {
    let (mut texts, mut cursor) = (Vec::new(), None);
    loop {
        let page = aux.list(&ListQuery { limit: 1_000, cursor, ..ListQuery::default() }).unwrap();
        texts.extend(page.iter().map(|entry| {
            let payload = entry.payload.to_value();
            let text = payload.get(field).and_then(Value::as_str).unwrap_or_default();
            (entry.id.clone(), sprongus::text::fold(text).into_owned())
        }));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return texts;
        }
    }
}

/// What a search is to find.
fn looked_up(texts: &[(String, String)], q: &str) -> BTreeSet<String> {
    let term = sprongus::text::fold(q);
    texts.iter().filter(|(_, text)| text.contains(&*term)).map(|(id, _)| id.clone()).collect()
}

const TERMS: [&str; 22] = [
    "strasse",
    "STRAẞE",
    "ana",
    "banana",
    "nana1",
    "ωμέγα",
    "ΩΜΈΓΑ 1",
    "50%_o",
    "50%_off6",
    "%_%",
    "\"b\"",
    "a\"b\"c7",
    "naïve",
    "nai\u{308}ve",
    "final",
    "ﬁNAL6",
    "καφέσ",
    "nowhere",
    "x69",
    "e7",
    "123",
    "banana banana",
];

fn same(aux: &Aux<'_>, field: &str) {
    let texts = texts(aux, field);
    for q in TERMS {
        assert_eq!(found(aux, q), looked_up(&texts, q), "{q:?}");
    }
}

fn number(store: &Store, sql: &str) -> i64 {
    match store.query(sql, &[]).unwrap()[0].values()[0] {
        sprongus::Value::Int(number) => number,
        ref other => panic!("{other:?}"),
    }
}

/// What tells how far the pre-filter is filled; none where the table has none.
fn left(store: &Store) -> Option<(i64, i64, String)> {
    let marks = number(store, "SELECT count(*) FROM sprongus_search_marks");
    let texts = number(store, "SELECT count(*) FROM sprongus_search_texts");
    let tables = store.query("SELECT coalesce(filled_to, 'all') FROM sprongus_search_tables", &[]).unwrap();
    let sprongus::Value::Text(filled) = tables.first()?.values()[0].clone() else { panic!("a text") };
    Some((marks, texts, filled.into_owned()))
}

/// Searches until what is left is not worth a step.
fn fill(store: &Store, aux: &Aux<'_>) {
    let (mut before, mut idle) = (None, 0);
    while idle < 3 {
        found(aux, "banana6");
        let now = left(store);
        idle = if now.is_some() && now == before { idle + 1 } else { 0 };
        if idle > 0 {
            // Where somebody else held the lock, it is left alone for half a second.
            std::thread::sleep(std::time::Duration::from_millis(250));
        }
        before = now;
    }
    let (_, texts, _) = before.unwrap_or_default();
    assert!(texts > 256, "a pre-filter of {texts} texts");
}

fn folds(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        for (id, title) in [("a", "Straße"), ("b", "ΣΊΣΥΦΟΣ"), ("c", "İstanbul"), ("d", "ısı"), ("e", "ﬁn"), ("f", "Ǆ")]
        {
            assets.create(json!({ "title": title }), Some(id)).unwrap();
        }
        for (q, ids) in [
            ("STRASSE", "a"),
            ("straße", "a"),
            ("STRAẞE", "a"),
            ("ß", "a"),
            ("σίσυφος", "b"),
            ("ΣΊΣΥΦΟσ", "b"),
            ("σίσυφοσ", "b"),
            ("İSTANBUL", "c"),
            ("i\u{307}stanbul", "c"),
            ("istanbul", ""),
            ("ISTANBUL", ""),
            ("I", "c e"),
            ("ı", "d"),
            ("FIN", "e"),
            ("ǆ", "f"),
            ("ǅ", "f"),
        ] {
            let found: Vec<_> = found(&assets, q).into_iter().collect();
            assert_eq!(found.join(" "), ids, "{q:?}");
        }
    });
}

fn accents(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        for (id, title) in [("nfc", "Caf\u{e9}"), ("nfd", "Cafe\u{301}"), ("plain", "Cafe")] {
            assets.create(json!({ "title": title }), Some(id)).unwrap();
        }
        for (q, ids) in [
            ("CAFÉ", "nfc nfd"),
            ("CAFE\u{301}", "nfc nfd"),
            ("é", "nfc nfd"),
            ("cafe", "plain"),
            ("caf", "nfc nfd plain"),
        ] {
            let found: Vec<_> = found(&assets, q).into_iter().collect();
            assert_eq!(found.join(" "), ids, "{q:?}");
        }
    });
}

fn wildcards(env: &Env) {
    env.within(|on| {
        let assets = on.aux("assets");
        for (id, title) in
            [("a", "100% wool"), ("b", "100 wool"), ("c", "snake_case"), ("d", "snakeXcase"), ("e", r"C:\new")]
        {
            assets.create(json!({ "title": title }), Some(id)).unwrap();
        }
        for (q, ids) in [
            ("100% w", "a"),
            ("%", "a"),
            ("e_c", "c"),
            ("_", "c"),
            (r":\n", "e"),
            (r"\", "e"),
            ("100%%", ""),
            ("*", ""),
        ] {
            let found: Vec<_> = found(&assets, q).into_iter().collect();
            assert_eq!(found.join(" "), ids, "{q:?}");
        }
    });
}

/// Without, half filled and whole.
fn changes_nothing(env: &Env) {
    let store = store(env);
    let aux = pieces(&store);
    load(&aux, 0..200);
    same(&aux, "title");
    assert_eq!(left(&store), None, "200 entries are not worth it");
    load(&aux, 200..ENTRIES);
    same(&aux, "title");
    fill(&store, &aux);
    same(&aux, "title");
    // With a filter, an order, and from the newest.
    let filter = Some(json!({ "n": { "gte": 300 } }));
    for sort in ["-n", "-lastUpdated", "-id"] {
        let query = ListQuery {
            q: Some("strasse6".into()),
            filter: filter.clone(),
            sort: vec![sort.into()],
            ..ListQuery::default()
        };
        let ids: BTreeSet<String> = aux.list(&query).unwrap().iter().map(|entry| entry.id.clone()).collect();
        let all = looked_up(&texts(&aux, "title"), "strasse6");
        assert_eq!(ids, all.into_iter().filter(|id| id.as_str() >= "p0300").collect(), "{sort}");
    }
    assert_eq!(store.aux("q", "pieces").count(Some("banana"), None).unwrap(), 0, "another project has none");
}

fn follows(env: &Env) {
    let store = store(env);
    let aux = pieces(&store);
    load(&aux, 0..ENTRIES);
    fill(&store, &aux);
    let quiet = &mut |_, _| Ok(());

    aux.update("p0001", json!({ "title": "nowhere else" }), UpdateOptions::default()).unwrap();
    aux.create(json!({ "title": "Nowhere at all" }), Some("new")).unwrap();
    aux.upsert(json!({ "title": "NOWHERE" }), Some("p0002"), false).unwrap();
    aux.delete("p0003", OnReferenced::Force).unwrap();
    assert_eq!(found(&aux, "nowhere"), ["new", "p0001", "p0002"].map(str::to_owned).into());
    same(&aux, "title");

    aux.delete("p0001", OnReferenced::Force).unwrap();
    aux.create(json!({ "title": "here" }), Some("p0001")).unwrap();
    assert_eq!(found(&aux, "nowhere").len(), 2);
    aux.restore("p0001", 2).unwrap();
    assert_eq!(found(&aux, "nowhere").len(), 3);

    let merged = (100..500).map(|n| Ok(json!({ "id": format!("p{n:04}"), "title": format!("merged nowhere {n}") })));
    assert_eq!(aux.bulk_upsert(merged, BulkOptions::default(), quiet).unwrap().updated, 400);
    assert_eq!(found(&aux, "merged nowhere").len(), 400);
    same(&aux, "title");
    fill(&store, &aux);
    same(&aux, "title");

    let options = BulkOptions { mode: Mode::Replace, ..BulkOptions::default() };
    aux.import_items((300..1_000).map(|n| Ok(piece(n))), options, quiet).unwrap();
    same(&aux, "title");
    fill(&store, &aux);
    same(&aux, "title");

    let lines: Vec<String> = (900..1_300).map(|n| piece(n).to_string()).collect();
    let folder = sprongus_testkit::temp_dir();
    let file = folder.path().join("more.ndjson");
    std::fs::write(&file, lines.join("\n")).unwrap();
    aux.import(&file, &ImportOptions::default(), quiet).unwrap();
    same(&aux, "title");
    fill(&store, &aux);
    same(&aux, "title");
}

fn rebound(env: &Env) {
    let store = store(env);
    let aux = pieces(&store);
    load(&aux, 0..ENTRIES);
    fill(&store, &aux);
    preset(&store, "other", "pieces", json!([{ "name": "note", "type": "string", "search": true }]));
    same(&aux, "note");
    load(&aux, 500..ENTRIES + 100);
    fill(&store, &aux);
    same(&aux, "note");
    let back = BindPreset { table: "pieces".into(), address: "piece".into(), ..BindPreset::default() };
    store.presets().bind(&back).unwrap();
    same(&aux, "title");
    fill(&store, &aux);
    same(&aux, "title");
}

fn dropped(env: &Env) {
    let store = store(env);
    let aux = pieces(&store);
    load(&aux, 0..ENTRIES);
    fill(&store, &aux);
    let drop = if env.backend() == Backend::Postgres {
        "DROP INDEX sprongus_search_trigrams"
    } else {
        "DROP TABLE sprongus_search"
    };
    store.execute(drop, &[]).unwrap();
    same(&aux, "title");
    fill(&store, &aux);
    same(&aux, "title");
    store.execute(drop, &[]).expect("it was made again");
}

fn read_only(env: &Env) {
    if env.backend() == Backend::SqliteMemory {
        return assert!(Store::open(env.url(), Options { read_only: true, ..env.options() }).is_err());
    }
    let url = if env.backend() == Backend::Postgres { database(env) } else { env.url().to_owned() };
    let store = Store::open(&url, env.options()).unwrap();
    let aux = pieces(&store);
    let reader = Store::open(&url, Options { read_only: true, ..env.options() }).unwrap();
    let read = reader.aux("p", "pieces");
    load(&aux, 0..ENTRIES);
    same(&read, "title");
    fill(&store, &aux);
    same(&read, "title");
    aux.update("p0001", json!({ "title": "nowhere else" }), UpdateOptions::default()).unwrap();
    assert_eq!(found(&read, "nowhere").len(), 1);
}

fn in_transaction(env: &Env) {
    let store = store(env);
    let aux = pieces(&store);
    load(&aux, 0..ENTRIES);
    let search = |tx: &sprongus::Tx<'_>| {
        let aux = tx.aux("p", "pieces");
        aux.update("p0001", json!({ "title": "nowhere else" }), UpdateOptions::default())?;
        assert_eq!(found(&aux, "nowhere").len(), 1);
        same(&aux, "title");
        Err::<(), _>(sprongus::Error::new(sprongus::ErrorCode::InvalidState, "undone"))
    };
    store.transaction(search).unwrap_err();
    assert_eq!(found(&aux, "nowhere").len(), 0);
    fill(&store, &aux);
    let before = left(&store);
    store.transaction(search).unwrap_err();
    assert_eq!(found(&aux, "nowhere").len(), 0);
    assert_eq!(left(&store), before, "marks are undone with what they mark");
}

fn many_fill(env: &Env) {
    let store = store(env);
    let aux = pieces(&store);
    load(&aux, 0..ENTRIES);
    std::thread::scope(|threads| {
        for thread in 0..6 {
            let store = store.clone();
            threads.spawn(move || {
                let aux = store.aux("p", "pieces");
                for n in 0..20 {
                    let title = format!("thread{thread} {n}");
                    aux.upsert(json!({ "title": title }), Some(&format!("p{:04}", n * 31 % 40)), false).unwrap();
                    let query = ListQuery { q: Some(format!("thread{thread} {n}")), ..ListQuery::default() };
                    assert!(aux.list(&query).unwrap().len() <= 20);
                }
            });
        }
    });
    same(&aux, "title");
    fill(&store, &aux);
    same(&aux, "title");
    let texts = number(&store, "SELECT count(*) FROM sprongus_search_texts");
    assert!(texts > 256 && texts <= ENTRIES as i64, "each entry is folded in once: {texts}");
}

fn swept(env: &Env) {
    let store = store(env);
    let aux = pieces(&store);
    let quiet = &mut |_, _| Ok(());
    load(&aux, 0..ENTRIES);
    fill(&store, &aux);
    let options = BulkOptions { mode: Mode::Replace, ..BulkOptions::default() };
    for n in 1..=4 {
        // Other ids each time.
        let from = n * 1_000;
        aux.import_items((from..from + ENTRIES).map(|n| Ok(piece(n))), options, quiet).unwrap();
        fill(&store, &aux);
    }
    let texts = number(&store, "SELECT count(*) FROM sprongus_search_texts");
    assert!(texts <= 3 * ENTRIES as i64, "{texts} texts of {ENTRIES} entries");
    same(&aux, "title");
}
