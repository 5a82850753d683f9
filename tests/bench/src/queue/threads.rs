//! Callers side by side: their commits are shared on SQLite, and go side by side on PostgreSQL.

use std::sync::Barrier;
use std::time::Instant;

use sprongus::Store;

use crate::Effort;
use crate::ground::{Ground, On};
use crate::ours;
use crate::places::Places;
use crate::sample::{per_call, rounds};
use crate::state::State;
use crate::table::{Table, Target};

/// How many times the calls of one thread: the project's promise on SQLite.
const TIMES: [(usize, f64); 2] = [(4, 2.0), (16, 5.0)];

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading("Enqueue from several threads: calls a second over all");
    for on in On::DEFAULT {
        let ground = Ground::new(places, on, State::Empty);
        one_thread(&ground, effort, table);
        TIMES.iter().for_each(|(threads, times)| side_by_side(&ground, effort, *threads, *times, table));
    }
}

/// A call that shares its commit beside one that cannot: in a transaction of the caller's own.
fn one_thread(ground: &Ground, effort: Effort, table: &mut Table) {
    let store = ground.on.open(&ground.ours);
    let mut call = || from_threads(1, effort.each * 4, || enqueue(&store));
    let mut alone = || {
        from_threads(1, effort.each * 4, || store.transaction(|tx| tx.runs().enqueue(&ours::run()).map(drop)).unwrap())
    };
    let [call, alone] = rounds(effort.rounds / 6, [&mut call, &mut alone]);
    let name = format!("{}: 1 thread, beside a transaction of its own", ground.on.name());
    table.times(&name, [&call.rates(), &alone.rates()], Target::AtLeast(0.95));
}

fn side_by_side(ground: &Ground, effort: Effort, threads: usize, times: f64, table: &mut Table) {
    let store = ground.on.open_wide(&ground.ours, threads);
    let each = effort.each * 4;
    let mut one = || from_threads(1, each, || enqueue(&store));
    let mut many = || from_threads(threads, each, || enqueue(&store));
    let mut hands: Vec<_> = (0..threads).map(|_| ground.on.connect(&ground.hand)).collect();
    let mut by_hand = || {
        let mut calls: Vec<_> = hands.iter_mut().map(|hand| || drop(hand.enqueue())).collect();
        each_thread(&mut calls, each)
    };
    let [one, many, by_hand] = rounds(effort.rounds / 6, [&mut one, &mut many, &mut by_hand]);
    let name = ground.on.name();
    let [of_one, of_hand] = match ground.on {
        On::Postgres => [Target::None, super::PROMISE],
        _ => [Target::AtLeast(times), Target::None],
    };
    table.times(&format!("{name}: {threads} threads, beside 1"), [&many.rates(), &one.rates()], of_one);
    let name = format!("{name}: {threads} threads, beside {threads} connections by hand");
    table.times(&name, [&many.rates(), &by_hand.rates()], of_hand);
}

fn enqueue(store: &Store) {
    store.runs().enqueue(&ours::run()).unwrap();
}

/// Microseconds a call, of all threads together.
fn from_threads(threads: usize, each: usize, call: impl Fn() + Sync) -> f64 {
    let mut calls: Vec<_> = (0..threads).map(|_| || call()).collect();
    each_thread(&mut calls, each)
}

fn each_thread(calls: &mut [impl FnMut() + Send], each: usize) -> f64 {
    let (begin, count) = (Barrier::new(calls.len() + 1), calls.len() * each);
    let begin = &begin;
    let start = std::thread::scope(|scope| {
        for call in calls {
            scope.spawn(move || {
                begin.wait();
                (0..each).for_each(|_| call());
            });
        }
        begin.wait();
        Instant::now()
    });
    per_call(start.elapsed(), count)
}
