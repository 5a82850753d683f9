//! Other calls, and callers side by side.

use std::time::Instant;

use sprongus::json::Json;
use sprongus::runs::{Claim, Enqueue, EnqueueMany, GetRun, Succeed};
use sprongus::{Dialect, Store, migration_sql};

use crate::Effort;
use crate::by_hand::{self, INPUT, KIND};
use crate::enqueue::{enqueue, open};
use crate::places::Places;
use crate::sample::{Sample, alone, in_turn};
use crate::table::{Table, Target};

/// Runs that are there when a call is measured.
const STORED: usize = 10_000;

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading("Further calls: microseconds a call, 10,000 runs in the store");
    let file = places.file("db");
    let hand = by_hand::sqlite::open(places.file("db").to_str().unwrap(), &migration_sql(Dialect::Sqlite));
    let known = by_hand::sqlite::enqueue(&hand);
    let by_id = || assert_eq!(by_hand::sqlite::get(&hand, &known), "queued");
    each(&open(file.to_str().unwrap()), "SQLite", effort, table, by_id);

    let mut hand = by_hand::postgres::Hand::open(&places.database(), &migration_sql(Dialect::Postgres));
    let known = hand.enqueue();
    let by_id = || assert_eq!(hand.get(&known), "queued");
    each(&open(&places.database()), "PostgreSQL", effort, table, by_id);
}

fn each(store: &Store, name: &str, effort: Effort, table: &mut Table, get_by_hand: impl FnMut()) {
    let ids = fill(store);
    let mut next = ids.iter().cycle();
    let get = || drop(store.runs().get(&GetRun::new(next.next().unwrap())).unwrap());
    table.beside(
        &format!("{name}: get by id"),
        &in_turn(effort.rounds, effort.each * 4, get, get_by_hand),
        Target::None,
    );

    let claimed = alone(effort.rounds, effort.each, || {
        let runs = store.runs().claim_next(&Claim::new("bench")).unwrap();
        store.runs().succeed(&Succeed::new(&runs[0].id, runs[0].lease)).unwrap();
    });
    table.line(&format!("{name}: claim and succeed, one by one"), &claimed, 0, Target::None);
    for threads in [4, 16] {
        let sample = side_by_side(store, threads, effort);
        table.line(&format!("{name}: enqueue from {threads} threads, calls/s"), &sample, 0, Target::None);
    }
}

fn fill(store: &Store) -> Vec<String> {
    let run = Enqueue::new(KIND, Json::parse(INPUT).unwrap());
    let items = vec![run; 1_000];
    let many = || store.runs().enqueue_many(&EnqueueMany::new(items.clone())).unwrap();
    (0..STORED / 1_000).flat_map(|_| many()).map(|run| run.id).collect()
}

/// Calls a second over all threads.
fn side_by_side(store: &Store, threads: usize, effort: Effort) -> Sample {
    let mut sample = Sample::default();
    for _ in 0..effort.rounds.div_ceil(6) {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..effort.each * 4).for_each(|_| enqueue(store)));
            }
        });
        sample.push((threads * effort.each * 4) as f64 / start.elapsed().as_secs_f64());
    }
    sample
}
