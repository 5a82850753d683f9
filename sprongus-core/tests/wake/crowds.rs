//! Many stores, one after another and at once.

use std::sync::mpsc;
use std::time::Duration;

use sprongus_testkit::temp_dir;

use crate::child::Other;
use crate::places::{Place, open};
use crate::{beside_others, put, worker};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn stores_leave_no_thread_and_no_file_behind() {
    let _ground = beside_others();
    // In a process of its own: the tests here share theirs.
    for place in [Place::sqlite(), Place::postgres()] {
        drop(place.open());
        let mut other = Other::start("open and close", &place.url, &place.schema);
        assert_eq!(other.hear(), "nothing is left");
        other.end();
    }
}

/// Opens stores with a worker and drops them, in various ways.
pub(crate) fn open_and_close(url: &str, schema: &str) {
    let rounds = if schema.is_empty() { 1000 } else { 60 };
    let mut before = None;
    for round in 0..rounds {
        let store = open(url, schema);
        let (began, starts) = mpsc::channel();
        let worker = worker(&store, began);
        if round % 10 == 0 {
            put(&store, Duration::ZERO);
            starts.recv_timeout(SOON).unwrap();
        }
        match round % 3 {
            0 => assert!(worker.stop(Some(SOON))),
            // The worker keeps the store, and goes with it.
            1 => drop(store),
            _ => store.close(),
        }
        drop(worker);
        if round == rounds / 10 {
            before = Some(held());
        }
    }
    let (threads, files) = before.unwrap();
    let end = std::time::Instant::now() + SOON;
    while held().0 > threads || held().1 > files {
        assert!(std::time::Instant::now() < end, "at first {threads} threads and {files} files, at last {:?}", held());
        std::thread::sleep(Duration::from_millis(50));
    }
    crate::child::say("nothing is left");
}

/// How many threads and open files this process has.
fn held() -> (usize, usize) {
    let count = |folder: &str| std::fs::read_dir(folder).unwrap().count();
    (count("/proc/self/task"), count("/proc/self/fd"))
}

/// More than a user has `inotify` instances by default (128): those that get none ask the file instead.
#[test]
fn many_stores_in_one_process_all_hear() {
    let _ground = beside_others();
    let folder = temp_dir();
    let urls: Vec<String> =
        (0..140).map(|n| folder.path().join(format!("{n}.db")).to_str().unwrap().to_owned()).collect();
    let (began, starts) = mpsc::channel();
    let workers: Vec<_> = urls.iter().map(|url| worker(&open(url, ""), began.clone())).collect();
    std::thread::sleep(Duration::from_millis(500));
    let mut other = Other::start("enqueue in all", folder.path().to_str().unwrap(), "140");
    assert_eq!(other.hear(), "enqueued");
    for heard in 0..urls.len() {
        starts.recv_timeout(SOON).unwrap_or_else(|_| panic!("only {heard} of {} started", urls.len()));
    }
    other.end();
    drop(workers);
}

/// Enqueues a run in each store of a folder.
pub(crate) fn enqueue_in_all(folder: &str, count: &str) {
    for n in 0..count.parse::<usize>().unwrap() {
        put(&open(&format!("{folder}/{n}.db"), ""), Duration::ZERO);
    }
    crate::child::say("enqueued");
}
