//! One worker that claims and completes one run after the other, in two commits a run (A) or in one with the next claim (B).

use crate::Effort;
use crate::by_hand::Queue;
use crate::ground::{Ground, On};
use crate::places::Places;
use crate::sample::{Beside, micros, rounds};
use crate::state::State;
use crate::table::Table;

pub(crate) fn measure(places: &Places, effort: Effort, table: &mut Table) {
    table.heading("Claim and complete one by one, one worker: microseconds a run");
    for on in On::ALL {
        on_ground(on.name(), &Ground::new(places, on, State::Empty), effort, table);
    }
}

pub(super) fn on_ground(name: &str, ground: &Ground, effort: Effort, table: &mut Table) {
    let (mut ours, mut hand) = ground.sides();
    let (count, each) = (effort.rounds / 2, effort.each);
    let [apart, by_hand] = rounds(count, [&mut || a(&mut ours, each), &mut || a(&mut *hand, each)]);
    table.beside(&format!("{name}: A, two commits a run"), &Beside::of(apart, by_hand), super::PROMISE);
    let [shared, by_hand] = rounds(count, [&mut || b(&mut ours, each), &mut || b(&mut *hand, each)]);
    table.beside(&format!("{name}: B, report and next claim share one"), &Beside::of(shared, by_hand), super::PROMISE);
}

/// Runs that wait besides those a round takes.
const WAITING: usize = 100;

fn a(queue: &mut dyn Queue, each: usize) -> f64 {
    queue.enqueue_many(each);
    micros(each, || {
        let held = queue.claim(1);
        assert_eq!(held.len(), 1);
        queue.complete(&held);
    })
}

fn b(queue: &mut dyn Queue, each: usize) -> f64 {
    queue.enqueue_many(each + WAITING);
    let mut held = queue.claim(1).pop().unwrap();
    let took = micros(each, || held = queue.complete_and_claim(&held).unwrap());
    queue.complete(&[held]);
    let rest = queue.claim(WAITING);
    queue.complete(&rest);
    took
}
