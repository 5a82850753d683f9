//! An import is killed at many points: nothing of it is seen, others go on at once, and the next import undoes what it left.

use std::time::{Duration, Instant};

use serde_json::json;
use sprongus::aux_store::OnReferenced;
use sprongus::{Store, Value};

use crate::imports::{Books, bind, import, look, row, rows};
use crate::process::{Place, me, start};
use sprongus_testkit::temp_dir;

/// How far each of them has come when it is killed, in hundredths of what it has to write: however quick a machine is, each
/// has work left.
const REACHED: [u64; 6] = [0, 1, 15, 35, 55, 75];

#[test]
fn an_import_that_is_killed_leaves_nothing_on_sqlite() {
    check("killed::an_import_that_is_killed_leaves_nothing_on_sqlite", Books::Plain);
}

#[test]
fn an_import_with_keys_that_is_killed_leaves_nothing_on_sqlite() {
    check("killed::an_import_with_keys_that_is_killed_leaves_nothing_on_sqlite", Books::Keyed);
}

fn check(test: &str, of: Books) {
    if let Some(me) = me() {
        import(&me.store, 2);
        return;
    }
    let place = Place::sqlite();
    let store = place.open();
    bind(&store, of);
    // Of the even rows there are entries before.
    let books = store.aux("p", "books");
    let even = (0..rows()).step_by(2).map(|number| Ok(row(number, 1)));
    assert_eq!(books.bulk_upsert(even, Default::default(), &mut |_, _| Ok(())).unwrap().created, rows() / 2);
    let (folder, mut killed) = (temp_dir(), 0);
    for (number, hundredths) in REACHED.into_iter().enumerate() {
        let before = batch(&store);
        let mut child = start(test, &place, folder.path(), number);
        let begun = Instant::now();
        let reached = || batch(&store) > before && written(&store) * 100 >= of.all() * hundredths;
        while !reached() && child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it did not come so far");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        assert_eq!(books.count(None, None).unwrap(), rows() / 2, "nothing of it is seen");
        assert_eq!(
            books.get(&id(2)).unwrap().payload.as_str(),
            json!(row(2, 1)).to_string().replace(r#""id":"r0000002","#, "")
        );
        write_beside(&store);
    }
    assert_eq!(killed, REACHED.len(), "each was killed in the middle");
    found_once_dead(&store);
    let report = import(&store, 2);
    assert_eq!((report.created, report.updated), (rows() / 2, rows() / 2));
    assert!(!unfinished(&store), "and it is gone");
    look(&store);
    assert_eq!(books.count(None, None).unwrap(), rows());
    let left = "SELECT (SELECT count(*) FROM sprongus_aux_batches) + (SELECT count(*) FROM sprongus_aux_rivals) \
                + (SELECT count(*) FROM sprongus_aux_versions) - $1";
    let left = store.query(left, &[Value::Int((rows() / 2) as i64 + VERSIONS_BESIDE * REACHED.len() as i64)]).unwrap();
    assert_eq!(left[0].values(), [Value::Int(0)], "no batch, no rival, and one version of each entry that was changed");
}

/// Versions that [`write_beside`] leaves: of what it updated twice, and of what it deleted two.
const VERSIONS_BESIDE: i64 = 4;

/// Writes entries that the dead import was about too: one it changed or was to change, one it created or was to create.
fn write_beside(store: &Store) {
    let books = store.aux("p", "books");
    books.update(&id(4), json!({"note": "beside"}), Default::default()).unwrap();
    books.update(&id(4), json!({"note": null}), Default::default()).unwrap();
    books.create(json!({"title": "beside"}), Some("r0000001")).unwrap();
    books.delete("r0000001", OnReferenced::default()).unwrap();
}

fn unfinished(store: &Store) -> bool {
    store.doctor().unwrap().findings.iter().any(|one| one.code == "unfinished_bulk")
}

/// The doctor finds it as soon as it passes for dead.
fn found_once_dead(store: &Store) {
    let begun = Instant::now();
    while !unfinished(store) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the doctor does not find it");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn id(number: u64) -> String {
    row(number, 0)["id"].as_str().unwrap().to_owned()
}

impl Books {
    /// What an import writes: each row, half of which are new, and of a new one two keys and a reference.
    fn all(self) -> u64 {
        rows() + if self == Self::Keyed { 3 * (rows() / 2) } else { 0 }
    }
}

/// The last batch that began.
fn batch(store: &Store) -> u64 {
    number(store, "SELECT coalesce(max(id), 0) FROM sprongus_aux_batches")
}

/// How much the last batch has written by now, unseen as it is.
fn written(store: &Store) -> u64 {
    let made = "SELECT id FROM sprongus_aux_entries WHERE batch = (SELECT max(id) FROM sprongus_aux_batches)";
    let new = format!("({made} AND version = 1)");
    number(
        store,
        &format!(
            "SELECT (SELECT count(*) FROM ({made})) + (SELECT count(*) FROM sprongus_aux_keys WHERE entry_id IN {new}) \
             + (SELECT count(*) FROM sprongus_aux_refs WHERE from_id IN {new})"
        ),
    )
}

fn number(store: &Store, sql: &str) -> u64 {
    match store.query(sql, &[]).unwrap()[0].values() {
        [Value::Int(number)] => (*number).try_into().unwrap(),
        other => panic!("{other:?}"),
    }
}
