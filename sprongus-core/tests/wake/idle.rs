//! What an idle worker costs.

use std::time::{Duration, Instant};

use sprongus_testkit::Postgres;

use crate::alone;
use crate::child::Other;
use crate::places::Place;

/// How long it is watched.
const WATCHED: Duration = Duration::from_secs(3);
/// Until a worker that has just started is idle.
const SETTLED: Duration = Duration::from_millis(1500);
/// Of `/proc/PID/stat`; Linux tells user space nothing else.
const TICKS: f64 = 100.0;

#[test]
fn an_idle_worker_costs_next_to_nothing_sqlite() {
    let _ground = alone();
    let place = Place::sqlite();
    drop(place.open());
    let other = settled(&place);
    let read = bytes_read(other.id());
    let share = share(&other);
    let read = bytes_read(other.id()) - read;
    println!("sqlite: {:.2} % of a core, {read} bytes read", share * 100.0);
    assert!(share < 0.01, "{share} of a core");
    // Not one page of the file, which has at least 4,096 bytes: reading a table reads its pages anew after a commit, and
    // before it from the cache, but for the schema.
    assert!(read < 4096, "{read} bytes were read");
    other.end();
}

#[test]
fn an_idle_worker_costs_next_to_nothing_postgres() {
    let _ground = alone();
    let server = Postgres::start();
    let place = Place::on(&server);
    drop(place.open());
    let other = settled(&place);
    let (ran, begun) = (statements(&server), Instant::now());
    let share = share(&other);
    let ran = (statements(&server) - ran) as f64 / begun.elapsed().as_secs_f64();
    println!("postgres: {:.2} % of a core, {ran:.1} statements a second", share * 100.0);
    assert!(share < 0.01, "{share} of a core");
    assert!(ran < 5.0, "{ran} statements a second");
    other.end();
}

fn settled(place: &Place) -> Other {
    let mut other = Other::start("work", &place.url, &place.schema);
    assert_eq!(other.hear(), "ready");
    std::thread::sleep(SETTLED);
    other
}

/// What it takes of a core: the least of three, for a busy machine's clock ticks fall on whoever runs.
fn share(other: &Other) -> f64 {
    let once = |_| {
        let begun = cpu_seconds(other.id());
        std::thread::sleep(WATCHED);
        (cpu_seconds(other.id()) - begun) / WATCHED.as_secs_f64()
    };
    (0..3).map(once).fold(f64::INFINITY, f64::min)
}

/// User and system time of a process, from `proc(5)`.
fn cpu_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS
}

/// Bytes that a process read by system calls, from the page cache or the disk.
fn bytes_read(process: u32) -> i64 {
    let io = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().trim().parse().unwrap()
}

/// Transactions ended in the database, each of one statement here; the server counts its own once a second.
fn statements(server: &Postgres) -> i64 {
    let sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    server.psql(sql).parse().unwrap()
}
