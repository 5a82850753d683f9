//! More rows than one short transaction takes: the same as few, also beside others that write them.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use sprongus::aux_store::{Aux, BulkOptions, BulkReport, ListQuery, Mode, OnError, OnReferenced, UpdateOptions};
use sprongus::presets::BindPreset;
use sprongus::{Error, ErrorCode, Result, Store};
use sprongus_conformance::{Backend, Case, Env, Face};

use crate::aux_entries::bind;

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, run| Case { name, covers: &["aux.bulk_upsert", "aux.import"], transactional: false, run };
    vec![
        case("aux::many_rows_are_as_few", as_few),
        case("aux::many_rows_meet_what_others_write", rivals),
        case("aux::many_rows_that_are_not_kept_leave_nothing", not_kept),
        case("aux::many_rows_come_one_call_after_the_other", one_after_the_other),
    ]
}

const ROWS: u64 = 3_000;
const REPORT: BulkOptions = BulkOptions { mode: Mode::Merge, on_error: OnError::Report, dry_run: false };

fn items(store: &Store, table: &str) {
    let fields = json!({"fields": [{"name": "n", "type": "integer"}, {"name": "w", "type": "integer"},
        {"name": "s", "type": "string", "default": "none"}]});
    bind(Face::Store(store), table, fields);
}

/// Rows by chance: some ids twice, some rows bad, some as they were before.
fn some(seed: u64, from: u64, to: u64) -> Vec<Value> {
    let mut chance = Chance(seed);
    let row = |_| {
        let id = format!("{:05}", from + chance.of(to - from));
        match chance.of(40) {
            0 => json!({"id": id, "n": "bad"}),
            1 => json!({"id": id, "s": null, "n": 1}),
            _ => json!({"id": id, "n": chance.of(3)}),
        }
    };
    (0..ROWS).map(row).collect()
}

/// Numbers by chance, the same ones from the same seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// One below `most`.
    pub(crate) fn of(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// The entries of a table, to be compared.
pub(crate) fn all(aux: &Aux<'_>) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = aux.list(&ListQuery { limit: 1_000, cursor, ..ListQuery::default() }).unwrap();
        all.extend(page.items.iter().map(|one| format!("{} {} {}", one.id, one.version, one.payload.as_str())));
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return all,
        }
    }
}

pub(crate) fn write(aux: &Aux<'_>, items: &[Value], options: BulkOptions, import: bool) -> Result<BulkReport> {
    let items = items.iter().cloned().map(Ok);
    match import {
        true => aux.import_items(items, options, &mut |_, _| Ok(())),
        false => aux.bulk_upsert(items, options, &mut |_, _| Ok(())),
    }
}

fn as_few(env: &Env) {
    let store = env.open();
    items(&store, "many");
    let few = BindPreset { table: "few".into(), address: "many".into(), ..BindPreset::default() };
    store.presets().bind(&few).unwrap();
    let replace = BulkOptions { mode: Mode::Replace, ..REPORT };
    let steps = [
        (1, 0, 9_000, REPORT, false),
        (2, 0, 4_000, REPORT, false),
        (3, 2_000, 12_000, BulkOptions { dry_run: true, ..REPORT }, false),
        (4, 2_000, 12_000, replace, false),
        (5, 5_000, 9_000, BulkOptions { dry_run: true, ..replace }, true),
        (6, 5_000, 9_000, replace, true),
        // What was deleted comes back and goes on from the version it had.
        (7, 0, 9_000, REPORT, false),
        (8, 0, 9_000, BulkOptions::default(), false),
    ];
    for (seed, from, to, options, import) in steps {
        let rows = some(seed, from, to);
        let many = write(&store.aux("p", "many"), &rows, options, import);
        // Within a transaction all rows are written at once.
        let few = store.transaction(|tx| Ok(write(&tx.aux("p", "few"), &rows, options, import))).unwrap();
        match (&many, &few) {
            (Ok(many), Ok(few)) => assert_eq!(many, few, "step {seed}"),
            (Err(many), Err(few)) => {
                assert_eq!((many.code(), many.violations_list()), (few.code(), few.violations_list()), "step {seed}");
            }
            other => panic!("step {seed}: {other:?}"),
        }
        assert_eq!(all(&store.aux("p", "many")), all(&store.aux("p", "few")), "step {seed}");
    }
    let versions = |table: &str| {
        let sql =
            "SELECT id, version, change_summary FROM sprongus_aux_versions WHERE table_name = $1 ORDER BY id, version";
        format!("{:?}", store.query(sql, &[table.into()]).unwrap())
    };
    assert_eq!(versions("many"), versions("few"));
    let events = "SELECT type FROM sprongus_events WHERE subject = $1";
    assert_eq!(
        store.query(events, &["aux:p/many".into()]).unwrap().len(),
        store.query(events, &["aux:p/few".into()]).unwrap().len()
    );
}

/// Ends what others do, also where something is found wrong.
pub(crate) struct Stop<'o>(pub(crate) &'o AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Others update, and delete what the call has not changed yet: in the end every row stands there, over what they wrote.
fn rivals(env: &Env) {
    let store = env.open();
    items(&store, "many");
    let many = store.aux("p", "many");
    let rows = |n: u64| (0..ROWS).map(move |id| json!({"id": format!("{id:05}"), "n": n})).collect::<Vec<_>>();
    write(&many, &rows(1), BulkOptions::default(), false).unwrap();
    let over = AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut done = 0_u64;
            while !over.load(Ordering::Relaxed) {
                let id = format!("{:05}", done * 7_919 % ROWS);
                done += 1;
                let update = |aux: &Aux<'_>| aux.update(&id, json!({"w": done}), UpdateOptions::default()).map(drop);
                let written = match done % 3 {
                    // On PostgreSQL a transaction that has looked at an entry does not keep it as it is.
                    0 if env.backend() != Backend::Postgres => store.transaction(|tx| {
                        let aux = tx.aux("p", "many");
                        let changed = aux.get(&id)?.payload.to_value()["n"] == json!(2);
                        if changed { Ok(()) } else { aux.delete(&id, OnReferenced::default()).map(drop) }
                    }),
                    1 => store.transaction(|tx| update(&tx.aux("p", "many"))),
                    _ => update(&store.aux("p", "many")),
                };
                match written {
                    Err(error) if error.code() == ErrorCode::NotFound => {}
                    other => other.unwrap(),
                }
            }
            done
        });
        let stop = Stop(&over);
        let report = write(&many, &rows(2), BulkOptions::default(), false).unwrap();
        drop(stop);
        assert_eq!(report.created + report.updated, ROWS, "{report:?}");
        other.join().unwrap()
    });
    assert!(done > 0);
    let there = all(&many);
    assert_eq!(there.len() as u64, ROWS);
    for line in &there {
        assert!(line.contains("\"n\":2"), "{line}");
        let id = line.split(' ').next().unwrap();
        if many.get(id).unwrap().payload.to_value().get("w").is_some() {
            let versions: Vec<i64> = many.history(id).unwrap().iter().map(|one| one.version).collect();
            assert_eq!(versions, (1..=versions.len() as i64).collect::<Vec<_>>(), "{id}");
        }
    }
}

fn not_kept(env: &Env) {
    let store = env.open();
    items(&store, "many");
    let many = store.aux("p", "many");
    let rows = || (0..ROWS).map(|id| Ok(json!({"id": format!("{id:05}"), "n": 1})));
    let stopped = many.bulk_upsert(rows(), REPORT, &mut |done, _| match done {
        ROWS => Err(Error::misuse("enough")),
        _ => Ok(()),
    });
    assert_eq!(stopped.unwrap_err().message(), "enough");
    let bad = rows().chain([Ok(json!({"n": "bad"}))]);
    let refused = many.bulk_upsert(bad, BulkOptions::default(), &mut |_, _| Ok(()));
    assert_eq!(refused.unwrap_err().violations_list()[0].row, Some(ROWS + 1));
    let dry = many.bulk_upsert(rows(), BulkOptions { dry_run: true, ..REPORT }, &mut |_, _| Ok(())).unwrap();
    assert_eq!((dry.created, dry.dry_run), (ROWS, true));
    assert_eq!(many.count(None, None).unwrap(), 0);
    let kept = store.query("SELECT id FROM sprongus_aux_entries", &[]).unwrap();
    assert!(kept.is_empty());
}

/// Two calls at once on one table: one comes after the other, whole.
fn one_after_the_other(env: &Env) {
    let store = env.open_patient();
    items(&store, "many");
    std::thread::scope(|scope| {
        for n in 1..=3 {
            let store = &store;
            scope.spawn(move || {
                let rows: Vec<Value> = (0..ROWS).map(|id| json!({"id": format!("{id:05}"), "n": n})).collect();
                write(&store.aux("p", "many"), &rows, REPORT, n == 3).unwrap();
            });
        }
    });
    let there = all(&store.aux("p", "many"));
    let (_, last) = there[0].split_once(' ').unwrap();
    assert_eq!(there.len() as u64, ROWS);
    assert!(last.starts_with("3 "), "{last}");
    assert!(there.iter().all(|line| line.ends_with(last)), "all of one call");
}
