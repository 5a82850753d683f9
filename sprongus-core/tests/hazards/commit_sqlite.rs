//! SQLite: no room for a COMMIT. The limit is the shell's `ulimit -f`, so it holds in a child process alone.

use std::time::{Duration, Instant};

use sprongus::runs::{Enqueue, EnqueueMany};
use sprongus::worker::{Outcome, WorkerOptions};
use sprongus::{ErrorCode, Json, Options, Store};

use super::{child, create, stored};

const HERE: &str = "commit_sqlite::no_room_is_an_error_and_nothing_is_written";

#[test]
fn no_room_is_an_error_and_nothing_is_written() {
    if let Some(path) = child::told() {
        return fill(&path);
    }
    let (_folder, path) = sprongus_testkit::temp_file("store.db");
    let path = path.to_str().unwrap();
    // 512-byte blocks: 1 MiB a file. Without the trap the signal would end the process.
    child::run(HERE, path, "trap '' XFSZ; ulimit -f 2048;");
    let store = Store::open(path, Options::default()).unwrap();
    let kept = store.query("SELECT count(*) AS n FROM own", &[]).unwrap();
    let told: i64 = std::fs::read_to_string(format!("{path}.acknowledged")).unwrap().parse().unwrap();
    assert_eq!(kept[0].get("n"), Some(&told.into()), "what was acknowledged, and no more, is there");
    create(&store, "after").unwrap();
    assert_eq!(stored(&store, "after"), 1);
}

fn fill(path: &str) {
    let store = Store::open(path, Options::default()).unwrap();
    store.execute("CREATE TABLE own (n INTEGER, ballast TEXT)", &[]).unwrap();
    let ballast = "x".repeat(100_000);
    let mut written: i64 = 0;
    let full = loop {
        match store.execute("INSERT INTO own VALUES ($1, $2)", &[written.into(), ballast.as_str().into()]) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1000, "the limit never struck");
    };
    assert!(matches!(full.code(), ErrorCode::StorageFull | ErrorCode::Storage | ErrorCode::OutcomeUnknown), "{full}");
    assert!(written > 0);
    // The store is not stuck: it says the same again, and reads on.
    assert!(store.execute("INSERT INTO own VALUES (0, $1)", &[ballast.as_str().into()]).is_err());
    let kept = store.query("SELECT count(*) AS n FROM own", &[]).unwrap();
    assert_eq!(kept[0].get("n"), Some(&written.into()));
    std::fs::write(format!("{path}.acknowledged"), written.to_string()).unwrap();
}

#[test]
fn a_worker_gives_up_a_store_whose_log_was_replaced() {
    let (_folder, path) = sprongus_testkit::temp_file("store.db");
    let path = path.to_str().unwrap();
    let store = Store::open(path, Options::default()).unwrap();
    let poll_interval = Duration::from_millis(20);
    let worker = store.worker(WorkerOptions { poll_interval, ..WorkerOptions::default() }).unwrap();
    worker.handle("a", |_| Ok(Outcome::None)).unwrap();
    std::thread::scope(|scope| {
        let working = scope.spawn(|| worker.run());
        // One a second falls due, for the log is to be gone by then: a worker with nothing to claim only reads.
        let due = |second| Enqueue { delay: Some(Duration::from_secs(second)), ..Enqueue::new("a", Json::null()) };
        store.runs().enqueue_many(&EnqueueMany::new((1..60).map(due).collect())).unwrap();
        std::fs::rename(format!("{path}-wal"), format!("{path}-gone")).unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        while !working.is_finished() && Instant::now() < end {
            let _ = store.runs().enqueue(&Enqueue::new("b", Json::null()));
            std::thread::sleep(poll_interval);
        }
        let gave_up = working.is_finished();
        worker.stop(Some(Duration::ZERO));
        assert!(gave_up, "it asks on, though nothing can be written any more");
        assert_eq!(working.join().unwrap().unwrap_err().code(), ErrorCode::SplitBrain);
    });
}
