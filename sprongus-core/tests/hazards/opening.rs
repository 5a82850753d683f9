//! Many processes open, and migrate, one new store at once.

use sprongus::{ErrorCode, Options, Store};
use sprongus_testkit::Postgres;

use super::{child, create};

const HERE: &str = "opening::many_processes_at_once_migrate_once";

#[test]
fn many_processes_at_once_migrate_once() {
    if let Some(told) = child::told() {
        let (url, schema, label) = read(&told);
        let store = Store::open(&url, Options { schema, ..Options::default() }).unwrap();
        create(&store, &label).unwrap();
        return;
    }
    let (_folder, path) = sprongus_testkit::temp_file("store.db");
    together(path.to_str().unwrap(), None);
    together(Postgres::shared().url(), Some("opened_together"));
}

fn together(url: &str, schema: Option<&str>) {
    let start = |n: i32| {
        let told = format!("{url}\n{}\nchild-{n}", schema.unwrap_or_default());
        child::command(HERE, &told, "").stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let children: Vec<_> = (0..8).map(start).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success(), "a process could not open {url}");
    }
    let store = Store::open(url, Options { schema: schema.map(str::to_owned), ..Options::default() }).unwrap();
    assert_eq!(super::stored(&store, "child-"), 8);
    let applied = store.query("SELECT version FROM sprongus_migrations", &[]).unwrap().len();
    assert_eq!(i64::try_from(applied).unwrap(), store.schema_version());
}

fn read(told: &str) -> (String, Option<String>, String) {
    let mut lines = told.lines().map(str::to_owned);
    let url = lines.next().unwrap();
    let schema = lines.next().filter(|schema| !schema.is_empty());
    (url, schema, lines.next().unwrap())
}

#[test]
fn a_newer_schema_is_refused_without_a_write() {
    let (_folder, path) = sprongus_testkit::temp_file("store.db");
    newer(path.to_str().unwrap(), None);
    newer(Postgres::shared().url(), Some("opened_newer"));
}

fn newer(url: &str, schema: Option<&str>) {
    let open = || Store::open(url, Options { schema: schema.map(str::to_owned), ..Options::default() });
    let store = open().unwrap();
    store.execute("INSERT INTO sprongus_migrations VALUES (999, 'later', 'x', 'now')", &[]).unwrap();
    assert_eq!(open().err().unwrap().code(), ErrorCode::SchemaVersion);
    let kept = store.query("SELECT version, checksum FROM sprongus_migrations ORDER BY version", &[]).unwrap();
    let (last, before) = kept.split_last().unwrap();
    let known = usize::try_from(store.schema_version()).unwrap();
    assert_eq!((before.len(), last.get("checksum")), (known, Some(&"x".into())), "nothing was written");
}

const NEIGHBOUR: &str = "opening::a_second_store_on_the_file_leaves_the_locks_of_the_first";

/// POSIX drops all of a process's locks on a file when any descriptor of it is closed, and a neighbour who can then lock
/// the file takes itself for its last user and removes the log: nothing but SQLite may open a file that is a store.
#[test]
#[cfg(unix)]
fn a_second_store_on_the_file_leaves_the_locks_of_the_first() {
    use rustix::fs::{FlockOperation, fcntl_lock};
    if let Some(path) = child::told() {
        let file = std::fs::File::options().read(true).write(true).open(path).unwrap();
        fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).unwrap_err();
        return;
    }
    let (_folder, path) = sprongus_testkit::temp_file("store.db");
    let path = path.to_str().unwrap();
    let _first = Store::open(path, Options::default()).unwrap();
    child::run(NEIGHBOUR, path, "");
    let _second = Store::open(path, Options::default()).unwrap();
    child::run(NEIGHBOUR, path, "");
}
